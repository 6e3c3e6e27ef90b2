/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pattern that matches exactly one object, for suggested policy lines.
 */
#ifndef PICKET_TELEMETRY_SUGGEST_PATTERN_H
#define PICKET_TELEMETRY_SUGGEST_PATTERN_H

#include "telemetry/suggest.h"

/**
 * Store the pattern for @path as @need's section spells it, followed by the words of a command
 * (@words; NULL: none), and whether it is blurred. Returns 0 or -ENOMEM.
 */
int suggest_path_pattern(const struct event_path *path, const struct event_path *words,
			 struct suggest_need *need);

/**
 * Store ADDRESS:PORT; what Linux takes for loopback is written as loopback, for so it is judged.
 * Port 0, which resolvers connect datagram sockets to, can only be allowed with all others.
 * Returns 0 or -ENOMEM.
 */
int suggest_address_pattern(const struct pk_event *head, struct suggest_need *need);

#endif
