/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's own folders and files, which no agent may touch whatever its policy says: run, lib and
 * configuration, and the secrets and the store that telemetry.yaml has elsewhere.
 */
#ifndef PICKET_DAEMON_PROTECT_H
#define PICKET_DAEMON_PROTECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"

struct daemon;

/** The folders that are protected. */
enum protect_folder { PROTECT_LIB, PROTECT_RUN, PROTECT_CONFIG, PROTECT__FOLDERS };

/** What is protected by now. An empty value is zero. */
struct protect {
	struct {
		dev_t device;
		ino_t inode;
		int error; /* told last, or 0 */
	} folders[PROTECT__FOLDERS];
};

/** Protect what there is; makes the lib folder. Before the first agent. Returns 0, or -errno with an error. */
int protect_open(struct daemon *daemon, struct diag_list *diags);

/** Look whether a folder is there that was not, or is another; now and then. A failure is said once. */
void protect_check(struct daemon *daemon);

/** Protect what telemetry.yaml names, after it was read and its sinks are open. A failure is said. */
void protect_secrets(struct daemon *daemon);

#endif
