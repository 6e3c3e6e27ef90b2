/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's telemetry.yaml: read when it starts and with each reload. A file with a fault is refused
 * as a whole: then a daemon does not start, and one that runs keeps what it has.
 */
#ifndef PICKET_DAEMON_TELEMETRY_H
#define PICKET_DAEMON_TELEMETRY_H

#include "base/diag.h"
#include "sink/settings.h"

struct daemon;

/** What the file says; telemetry_close() frees. */
struct telemetry {
	struct telemetry_settings settings;
	char *fault; /* owned; what the file as it is now has wrong, or NULL */
};

/** An empty value. */
#define TELEMETRY_NONE                                                                             \
	{                                                                                          \
		.settings = TELEMETRY_SETTINGS_NONE                                                \
	}

/** Read it. Returns 0, or -errno with findings. */
int telemetry_open(struct daemon *daemon, struct diag_list *diags);

/** Read it again, and let those who go by it change; a fault is said and kept for the status. */
void telemetry_reload(struct daemon *daemon);

/** Free what it owns. */
void telemetry_close(struct telemetry *telemetry);

#endif
