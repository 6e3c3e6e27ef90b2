/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's side of the one matcher: images are frozen inner maps, a page is an element.
 */
#ifndef PICKET_IMAGE_BPF_H
#define PICKET_IMAGE_BPF_H

#include "maps.bpf.h"

struct pk_view {
	void *map; /* inner map of pk_images */
};

#define PK_INLINE __always_inline
#define PK_LOOP(n, fn, ctx) bpf_loop(n, fn, ctx, 0)

static __always_inline const void *pk_page(const struct pk_view *v, __u32 n)
{
	return bpf_map_lookup_elem(v->map, &n);
}

#include <picket/match.h>

/** What tells an image from every other: the first bytes of its digest. */
static __always_inline __u64 pk_image_name(const struct pk_image *head)
{
	return *(const __u64 *)head->digest;
}

/** Does any layer say something about the network? */
static __always_inline bool pk_has_network(const struct pk_image *head)
{
	return head->defaults[PK_SECTION_EGRESS].present ||
	       head->defaults[PK_SECTION_LISTEN].present ||
	       head->defaults[PK_SECTION_SOCKETS].present;
}

/** May sockets of this enum pk_socket be made? PK_SOCKET__MAX: of a kind that has no name. */
static __always_inline bool pk_may_make(const struct pk_image *head, __u32 kind)
{
	__u32 bits = head->sockets;

	if (kind >= PK_SOCKET__MAX)
		return !pk_has_network(head);
	if (kind == PK_SOCKET_NETLINK && (bits & (1U << PK_SOCKET_NETLINK_ALL)))
		return true;
	return (bits & (1U << kind)) != 0;
}

/** Is the address that of a resolver? Never where DNS is not looked at. */
static __always_inline bool pk_is_resolver(const struct pk_image *head, __u64 hi, __u64 lo)
{
	__u32 count = head->dns.resolver_count;

	for (__u32 i = 0; i < PK_RESOLVERS_MAX; i++) {
		if (i >= count)
			break;
		if (head->dns.resolvers[i][0] == hi && head->dns.resolvers[i][1] == lo)
			return true;
	}
	return false;
}

#endif
