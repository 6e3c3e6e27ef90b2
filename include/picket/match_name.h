/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The part of the matcher that is about host names: the rules of a name, whether it may be asked for,
 * and which addresses no public name should have. Included by match.h, under the same terms.
 */
#ifndef PICKET_MATCH_NAME_H
#define PICKET_MATCH_NAME_H

/** True for addresses that no public name should answer with: this host, its networks, its cloud. */
static PK_INLINE int pk_address_private(struct pk_address a)
{
	__u32 v4 = (__u32)a.lo, top = v4 >> 24;

	if (a.hi == 0 && a.lo >> 32 == 0xffff)
		return top == 0 || top == 10 || top == 127 || top >= 224 ||
		       v4 >> 22 == 0x64400000U >> 22 || /* 100.64/10 */
		       v4 >> 16 == 0xa9fe || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 ||
		       v4 == 0xa83f8110U; /* 168.63.129.16 */
	if (a.hi == 0) /* ::, ::1 and the old forms of IPv4 */
		return 1;
	return a.hi >> 57 == 0xfc >> 1 || /* fc00::/7 */
	       a.hi >> 55 == 0xfe80 >> 7 || /* fe80::/10, fec0::/10 */
	       a.hi >> 56 == 0xff || a.hi == 0x0064ff9b00000000ULL || a.hi >> 48 == 0x2002 ||
	       a.hi >> 16 == 0x0064ff9b0001ULL; /* 64:ff9b:1::/48 */
}

struct pk_host_walk {
	const struct pk_view *view;
	const __u8 *classes;
	const __u8 *name;
	__u32 length;
	__u32 state;
	__u32 dead;
	__u32 bad;
};

static long pk_host_chunk(__u32 chunk, void *arg)
{
	struct pk_host_walk *w = arg;

	if (w->state == w->dead)
		return 1;
	for (__u32 i = 0; i < PK_WALK_CHUNK; i++) {
		__u32 at = chunk * PK_WALK_CHUNK + i;
		__u8 byte;

		if (at >= w->length)
			return 1;
		byte = w->name[(w->length - 1 - at) & (PK_HOST_BUFFER - 1)];
		if (pk_step(w->view, w->classes[byte], &w->state)) {
			w->bad = 1;
			return 1;
		}
	}
	return 0;
}

/**
 * The rule set of the host name @length bytes at @name (a buffer of PK_HOST_BUFFER bytes; lower case,
 * no dot at the end). An image without host rules and an empty name have set 0. Returns 0, or 1 when
 * the image is broken or the name over-long.
 */
static PK_INLINE int pk_host_set(const struct pk_view *v, const struct pk_image *head,
				 const __u8 *name, __u32 length, __u32 *ret_set)
{
	struct pk_host_walk w = {
		.view = v,
		.classes = head->host_class,
		.name = name,
		.length = length,
		.state = head->host_start,
		.dead = head->host_dead,
	};

	*ret_set = 0;
	if (length > PK_HOST_MAX)
		return 1;
	if (!head->host_start || !length)
		return 0;
	PK_LOOP(PK_HOST_BUFFER / PK_WALK_CHUNK, pk_host_chunk, &w);
	return w.bad || pk_state_set(v, w.state, ret_set);
}

struct pk_name_walk {
	const struct pk_view *view;
	__u32 first; /* byte offset of the set's first item */
	__u32 count;
	__u32 open; /* layer nibbles with a rule that lets something through */
	__u32 asked; /* layer nibbles with a rule that asks */
	__u32 denied; /* layer nibbles with a rule that denies everything */
	__u32 held; /* layer nibbles with a rule that asks about everything */
	__u32 allow_rule; /* the first ones of those that count */
	__u32 ask_rule;
	__u32 deny_rule;
	__u32 bad;
};

/* Is the item about every program, port and protocol? */
static PK_INLINE int pk_item_whole(const struct pk_item *item)
{
	return item->subjects == PK_SUBJECTS_ALL && !item->port_lo && item->port_hi == 0xffff &&
	       (item->access & PK_ACCESS_EGRESS) == PK_ACCESS_EGRESS;
}

/* Count an item about a name. */
static PK_INLINE void pk_name_count(struct pk_name_walk *w, const struct pk_item *item)
{
	__u32 nibble = 0xfU << ((item->layer & 7U) << 2);

	if (item->verdict == PK_VERDICT_ALLOW) {
		w->open |= nibble;
		if (item->rule < w->allow_rule)
			w->allow_rule = item->rule;
	} else if (item->verdict == PK_VERDICT_ASK) {
		w->asked |= nibble;
		if (pk_item_whole(item))
			w->held |= nibble;
		if (item->rule < w->ask_rule)
			w->ask_rule = item->rule;
	} else if (pk_item_whole(item)) {
		w->denied |= nibble;
		if (item->rule < w->deny_rule)
			w->deny_rule = item->rule;
	}
}

static long pk_name_item(__u32 index, void *arg)
{
	struct pk_name_walk *w = arg;
	__u32 offset = w->first + index * (__u32)sizeof(struct pk_item);
	const struct pk_item *item;
	const __u8 *page;

	if (index >= w->count)
		return 1;
	page = pk_page(w->view, offset >> PK_PAGE_SHIFT);
	if (!page) {
		w->bad = 1;
		return 1;
	}
	item = (const struct pk_item *)(page + (offset & (PK_PAGE_SIZE - 16)));
	if (item->section == PK_SECTION_EGRESS)
		pk_name_count(w, item);
	return 0;
}

/* The verdict of what was counted. */
static PK_INLINE struct pk_result pk_name_conclude(const struct pk_name_walk *w,
						   const struct pk_default *def)
{
	struct pk_result result = { PK_VERDICT_DENY, PK_REASON_RULE, w->deny_rule };
	__u32 shut = (def->deny | def->ask) & ~w->open;

	if (w->denied)
		return result;
	if (shut & def->deny & ~w->asked) {
		result.reason = PK_REASON_DEFAULT;
		result.rule = pk_default_rule(shut & def->deny & ~w->asked, PK_SECTION_EGRESS);
		return result;
	}
	result.verdict = PK_VERDICT_ASK;
	result.rule = w->ask_rule;
	if (w->held || (shut & w->asked))
		return result;
	result.reason = PK_REASON_DEFAULT;
	result.rule = pk_default_rule(shut ? shut : def->present, PK_SECTION_EGRESS);
	if (shut)
		return result;
	result.verdict = PK_VERDICT_ALLOW;
	if (w->allow_rule != PK_RULE_NONE) {
		result.reason = PK_REASON_RULE;
		result.rule = w->allow_rule;
	}
	return result;
}

/**
 * May a host name with the rule set @set be asked for? It may when every layer with an egress section
 * lets a connection to it through on some port, by a rule or by its default, and none denies or asks
 * about all of it. (A rule that denies some ports only leaves the name to be asked for.)
 */
static PK_INLINE struct pk_result pk_name_verdict(const struct pk_view *v,
						  const struct pk_image *head, __u32 set)
{
	struct pk_result broken = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE };
	struct pk_name_walk w = {
		.view = v,
		.first = head->part[PK_PART_ITEMS].offset +
			 (set >> 8) * (__u32)sizeof(struct pk_item),
		.count = set & 0xff,
		.allow_rule = PK_RULE_NONE,
		.ask_rule = PK_RULE_NONE,
		.deny_rule = PK_RULE_NONE,
	};

	if (w.count)
		PK_LOOP(PK_SET_MAX, pk_name_item, &w);
	if (w.bad || w.count > PK_SET_MAX)
		return broken;
	return pk_name_conclude(&w, &head->defaults[PK_SECTION_EGRESS]);
}

#endif
