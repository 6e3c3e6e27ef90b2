/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The number that goes with an operation (pk_event.detail), by name.
 */
#ifndef PICKET_TELEMETRY_DETAIL_H
#define PICKET_TELEMETRY_DETAIL_H

#include <stdbool.h>

#include <picket/abi.h>

/** What the detail of an operation is: the key in JSON; NULL: it has none. */
const char *detail_kind(__u32 op);

/**
 * Its name: "SIGKILL", "net_raw", "TIOCSTI", "kexec-image", "AAAA", "tls"; NULL when it has no common
 * one. The name of a system call is the event's path.
 */
const char *detail_name(__u32 op, __u32 detail);

/** The name of a netlink family (NETLINK_*): "route"; NULL when it has no common one. */
const char *detail_netlink_family(__u32 family);

/**
 * Write the name of message @type of the family route, such as "RTM_NEWLINK", to @name. False when
 * it has no common one.
 */
bool detail_route_message(__u32 type, char name[static 24]);

#endif
