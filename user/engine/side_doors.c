/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table, and one look at the file system.
 */
#include "engine/side_doors.h"

#include <sys/stat.h>

static const struct side_door doors[] = {
	{ "nscd", "/run/nscd/socket", "looks names up" },
	{ "systemd-resolved", "/run/systemd/resolve/io.systemd.Resolve",
	  "looks names up (varlink)" },
	{ "D-Bus", "/run/dbus/system_bus_socket",
	  "reaches systemd-resolved and every other service of the system bus" },
	{ "avahi", "/run/avahi-daemon/socket", "looks up names of the local network" },
	{ "sssd", "/var/lib/sss/pipes/nss", "looks up users and hosts" },
};

const struct side_door *side_doors_all(size_t *ret_count)
{
	*ret_count = sizeof(doors) / sizeof(doors[0]);
	return doors;
}

bool side_doors_is_open(const struct side_door *door)
{
	struct stat info;

	return stat(door->path, &info) == 0 && S_ISSOCK(info.st_mode);
}
