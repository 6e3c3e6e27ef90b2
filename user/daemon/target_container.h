/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control group of a container. Engines are not asked: their sockets differ, need rights, and keep
 * one waiting. All of them write the container's id, or its name, into the name of the control group.
 */
#ifndef PICKET_DAEMON_TARGET_CONTAINER_H
#define PICKET_DAEMON_TARGET_CONTAINER_H

#include <stdbool.h>

#include "base/diag.h"

/** Digits of an id that are enough to mean one. */
#define CONTAINER_ID_LEAST 12

/**
 * Is a control group called @name the one of container @wish? @wish is an id or its beginning, for
 * engines that write ids (docker, podman, containerd, CRI-O), else the container's whole name (LXC,
 * systemd-nspawn).
 */
bool container_matches(const char *name, const char *wish);

/**
 * The path, below the folder open as @root, of the control group of container @wish (caller frees).
 * Returns 0; -ENOENT: there is none; -EEXIST: several are meant; -E2BIG: there is too much to look
 * through; or another -errno; with an error.
 */
int container_find(int root, const char *wish, char **ret_path, struct diag_list *diags);

#endif
