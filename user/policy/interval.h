/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address ranges of rules to the image's spans part: the whole 128-bit space cut into disjoint sorted
 * spans, each with the set of the rules of all sections that hold there.
 *
 * What a rule of egress does not allow of IPv4 it does not allow in the IPv6 forms that lead there
 * either: 64:ff9b::a.b.c.d (NAT64), 2002:aabb:ccdd::/48 (6to4), ::a.b.c.d.
 */
#ifndef PICKET_POLICY_INTERVAL_H
#define PICKET_POLICY_INTERVAL_H

#include "policy/sets.h"

/** The finished part; never empty. */
struct spans {
	struct pk_span *spans; /* owned */
	size_t count, room;
};

/**
 * Fill the zeroed *@spans from the rules of @numbered, interning their sets. Returns 0;
 * -E2BIG over PK_SPANS_MAX; -EOVERFLOW when sets_intern() found too many rules; -ENOMEM.
 */
int interval_build(struct spans *spans, const struct numbered *numbered, struct sets *sets);

/** Free everything and zero @spans. */
void spans_reset(struct spans *spans);

#endif
