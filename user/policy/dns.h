/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys dns and tls of the section egress: which resolvers are asked, for what, and whether a
 * connection must say the name that it was allowed by.
 */
#ifndef PICKET_POLICY_DNS_H
#define PICKET_POLICY_DNS_H

#include "policy/front.h"
#include "policy/schema.h"

/** What holds where nothing is written. */
#define DNS_UNSAID                                                                                 \
	{                                                                                          \
		.system = true, .min_ttl = 60, .rate = 100, .name_max = 128                        \
	}

/** Read either key into the policy (a schema_read; no @into). */
int dns_read(struct front *front, const struct node *map, void *unused);
int dns_read_tls(struct front *front, const struct node *map, void *unused);

/** The keys of dns. */
extern const struct schema dns_schema;

/** The keys of tls. */
extern const struct schema tls_schema;

#endif
