/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path as the kernel judges it: absolute, without symbolic links, "." and "..".
 */
#ifndef PICKET_CLI_REAL_PATH_H
#define PICKET_CLI_REAL_PATH_H

/**
 * Resolve @path: the part of it that exists through its links, the rest by its text. A relative
 * path starts in the working directory. Stores a malloc'ed path and returns 0; -EINVAL for an empty
 * path, or one with ".." behind what exists; another -errno when it cannot be looked at.
 */
int real_path(const char *path, char **ret_path);

#endif
