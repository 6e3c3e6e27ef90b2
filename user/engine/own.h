/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that no agent may change whatever its policy says: picket's program, the policy's files.
 */
#ifndef PICKET_ENGINE_OWN_H
#define PICKET_ENGINE_OWN_H

#include <picket/image.h>

#include "base/diag.h"

/** A file as the kernel programs know it. */
struct own_file {
	__u64 device; /* super_block.s_dev, in the kernel's own encoding */
	__u64 number; /* inode.i_ino */
};

/**
 * Find what the kernel calls the file open as @fd: not always what stat(2) says (btrfs, overlayfs).
 * Returns 0 or -errno.
 */
int own_identify(int fd, struct own_file *ret_file);

/**
 * Put the running program and the @count files named in @paths into the map open as @map_fd. Paths of
 * built-in presets and what is no regular file are passed over. Returns 0 or -errno with an error.
 */
int own_publish(int map_fd, char *const *paths, size_t count, struct diag_list *diags);

/**
 * The file open as @fd is the feed of the agent of @slot: nobody may change it, and that agent may read it
 * whatever its policy says. Or it is a unix socket (open as a path only), which that agent may connect and
 * send to, and no other. Returns 0 or -errno (-E2BIG: the map is full).
 */
int own_enter_feed(int map_fd, int fd, __u32 slot);

/** No agent may change the file or folder open as @fd. Returns 0 or -errno (-E2BIG: the map is full). */
int own_enter(int map_fd, int fd);

/** It is no feed any more, nor one that no agent may change. Returns 0 or -errno. */
int own_leave(int map_fd, int fd);

#endif
