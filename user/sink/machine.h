/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which machine records come from.
 */
#ifndef PICKET_SINK_MACHINE_H
#define PICKET_SINK_MACHINE_H

#include <limits.h>
#include <sys/utsname.h>

#include "format/format.h"

/** A machine with the storage of its names; stays where it is. */
struct machine {
	struct format_machine machine;
	struct utsname names;
	char machine_id[64];
	char boot_id[64];
};

/** Look at this one; what it does not tell is left out. Returns 0 or -errno. */
int machine_read(struct machine *ret);

#endif
