/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that no agent may change whatever its policy says: picket's program, the policy's files, and
 * the folders of its record.
 */
#ifndef PICKET_ENGINE_OWN_H
#define PICKET_ENGINE_OWN_H

#include <picket/image.h>

#include "base/diag.h"

/** Picket's folders where nothing else is said: of the record, of what runs, of the configuration. */
#define OWN_LIB "/var/lib/picket"
#define OWN_RUN "/run/picket"
#define OWN_CONFIG "/etc/picket"
/** The key that signs the record, where nothing else is said. */
#define OWN_KEY OWN_CONFIG "/audit.key"

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

/**
 * No agent may change the folder @path nor anything below it, now or later; with PK_OWN_SECRET in @flags (enum
 * pk_own_flag) nor read it. The folders around it may not be moved or removed, nor symbolic links in the
 * path. @path is absolute. Returns 0, -ENOENT when there is none, or -errno (-E2BIG: the map is full).
 */
int own_enter_folder(int map_fd, const char *path, __u32 flags);

/** No agent may change or read the file @path. Returns as own_enter_folder() does. */
int own_enter_secret(int map_fd, const char *path);

/**
 * Enter the folders OWN_LIB, OWN_RUN and OWN_CONFIG and the key OWN_KEY, those that there are. Returns 0 or
 * -errno with an error.
 */
int own_publish_folders(int map_fd, struct diag_list *diags);

/** It is no feed any more, nor one that no agent may change. Returns 0 or -errno. */
int own_leave(int map_fd, int fd);

#endif
