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

/** Store HOST:PORT; port 0 as above. Returns 0 or -ENOMEM. */
int suggest_host_pattern(const struct event_path *host, __u32 port, struct suggest_need *need);

/** Number of the rule that refused the act, which no allow overrides; PK_RULE_NONE: none did. */
__u32 suggest_forbidden_by(const struct event *event);

/**
 * Put @need, whose pattern is taken over, into the list, or its bits and count to an equal one.
 * Returns 0 or -ENOMEM.
 */
int suggest_merge(struct suggest_list *list, struct suggest_need *need);

/**
 * Add what a denied act on the network lacks that is about more than an address: a name, who may
 * connect, a local port. Returns 1 when the act was such a one, 0 when not, or -ENOMEM.
 */
int suggest_network(struct suggest_list *list, const struct event *event, __u64 times);

#endif
