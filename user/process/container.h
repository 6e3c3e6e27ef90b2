/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which container a control group is of, as the name of the control group says. Engines write the
 * container's id into it (docker, podman, containerd, CRI-O), or its name (LXC, systemd-nspawn).
 */
#ifndef PICKET_PROCESS_CONTAINER_H
#define PICKET_PROCESS_CONTAINER_H

#include <stddef.h>

/** Bytes of an id or name with its NUL; names that are longer are cut. */
#define CONTAINER_SIZE 72

/** Write the id of the innermost container in the control group's @path, or "". Returns @container. */
const char *container_of_path(const char *path, char container[static CONTAINER_SIZE]);

#endif
