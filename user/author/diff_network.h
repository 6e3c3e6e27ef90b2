/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the network parts of a comparison share: classes of addresses and names that no rule of either
 * side tells apart, and the ports at which something may change.
 */
#ifndef PICKET_AUTHOR_DIFF_NETWORK_H
#define PICKET_AUTHOR_DIFF_NETWORK_H

#include "author/diff_work.h"

/** All addresses, or all names, that have the same label. */
struct diff_class {
	__u32 label;
	__u8 resolvers; /* bits of the sides that it is a resolver of */
	__u8 address[16]; /* an example */
	char *name; /* owned; one of a name, NULL for addresses */
};

/** A list of them. */
struct diff_classes {
	struct diff_class *items;
	size_t count, room;
};

/** The network of a comparison. */
struct diff_net {
	struct diff_work *work;
	struct diff_labels labels; /* of both kinds */
	struct diff_classes addresses;
	struct diff_classes names;
};

/** Ports at which an interval starts on which nothing changes; the last one is 65536. */
struct diff_ports {
	__u32 starts[PK_SET_MAX * 4 + 8];
	size_t count;
};

/** The ports of the items of one label in @section. */
void diff_ports_make(const struct diff_net *net, const struct diff_class *class, __u32 section,
		     struct diff_ports *ret_ports);

/** The port from @low to @high that people know best. */
__u16 diff_ports_pick(__u32 low, __u32 high);

/** Compare names with addresses that were learned for them, and names said to allowed addresses. */
int diff_learned(struct diff_net *net);

#endif
