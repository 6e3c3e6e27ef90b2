/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An address together with a name, which both images may judge alike when asked about each alone: an
 * address that no rule is about gives way to a name, one that a rule denies does not.
 *
 * There are as many pairs as addresses times names. What matters of either is only how strict its rules
 * are and which layers they speak for, its behaviour; of those there are few. Behaviours are compared with
 * each other, and where two make a difference, some address and name that have them at one port.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "author/diff_network.h"
#include "base/mem.h"

/* Of one side: the strictest verdict of the rules + 1 (0: none), and the layers that have one. */
struct saying {
	__u8 strictest;
	__u8 layers;
};

/* A class from one port to another. */
struct behaviour {
	struct saying side[DIFF_SIDES];
	__u32 low;
	__u32 high;
	__u32 class;
};

struct behaviours {
	struct behaviour *items;
	size_t count, room;
};

static void reset_behaviours(struct behaviours *b)
{
	free(b->items);
}

/* One question, as to all classes. */
struct matching {
	struct diff_net *net;
	const struct diff_asker *asker;
	__u8 access;
	struct behaviours addresses;
	struct behaviours names;
};

static void reset_matching(struct matching *m)
{
	reset_behaviours(&m->addresses);
	reset_behaviours(&m->names);
}

static struct saying hear(const struct matching *m, size_t side, __u32 set, __u32 port)
{
	const struct policy_image *image = m->net->work->images[side];
	const struct pk_item *items =
		(const void *)(image->bytes + image_head(image)->part[PK_PART_ITEMS].offset);
	const struct pk_query query = { .subjects = m->asker->subjects[side] };
	struct saying saying = { 0 };

	for (__u32 i = 0; i < (set & 0xff) && i < PK_SET_MAX; i++) {
		const struct pk_item *item = &items[(set >> 8) + i];

		if (item->section != PK_SECTION_EGRESS || !(item->access & m->access) ||
		    port < item->port_lo || port > item->port_hi || !pk_item_concerns(item, &query))
			continue;
		saying.layers |= (__u8)(1U << (item->layer & 7U));
		if (item->verdict + 1 > saying.strictest)
			saying.strictest = (__u8)(item->verdict + 1);
	}
	return saying;
}

static int compare_behaviours(const void *a, const void *b)
{
	const struct behaviour *left = a;
	const struct behaviour *right = b;
	int order = memcmp(left->side, right->side, sizeof(left->side));

	return order			 ? order :
	       left->low != right->low	 ? (left->low < right->low ? -1 : 1) :
	       left->high != right->high ? (left->high < right->high ? -1 : 1) :
					   0;
}

static int list_behaviours(const struct matching *m, const struct diff_classes *classes,
			   struct behaviours *to)
{
	struct diff_ports ports;
	int r = 0;

	for (size_t c = 0; c < classes->count && !r; c++) {
		const struct diff_label *label = &m->net->labels.labels[classes->items[c].label];

		diff_ports_make(m->net, &classes->items[c], PK_SECTION_EGRESS, &ports);
		for (size_t p = 0; p + 1 < ports.count && !r; p++) {
			struct behaviour b = { .low = ports.starts[p],
					       .high = ports.starts[p + 1] - 1,
					       .class = (__u32)c };

			/* Questions to a resolver are judged by the names in them. */
			if (classes->items[c].resolvers && b.low == PK_DNS_PORT &&
			    m->access == PK_ACCESS_UDP)
				continue;
			for (size_t i = 0; i < DIFF_SIDES; i++)
				b.side[i] = hear(m, i, label->set[i], b.low);
			r = grow(&to->items, &to->room, to->count + 1, sizeof(b));
			if (!r)
				to->items[to->count++] = b;
		}
	}
	if (to->count)
		qsort(to->items, to->count, sizeof(*to->items), compare_behaviours);
	return r;
}

/* Items from @from on that behave alike. */
static size_t run_of(const struct behaviours *b, size_t from)
{
	size_t end = from;

	while (end < b->count &&
	       memcmp(b->items[end].side, b->items[from].side, sizeof(b->items[end].side)) == 0)
		end++;
	return end;
}

/* Items that behave alike, of which one may be told for all. */
struct run {
	const struct behaviour *items;
	size_t count;
};

static struct run run_at(const struct behaviours *b, size_t from)
{
	return (struct run){ &b->items[from], run_of(b, from) - from };
}

/* An item of each run with a port in common. Both are sorted by their first port. */
static bool find_common(const struct run *a, const struct run *b, const struct behaviour *ret[2])
{
	const struct behaviour *left = a->items;
	const struct behaviour *right = b->items;

	/* What ends before the other begins ends before all that come behind that one, too. */
	while (left < a->items + a->count && right < b->items + b->count) {
		if (left->low <= right->high && right->low <= left->high) {
			ret[0] = left;
			ret[1] = right;
			return true;
		}
		if (left->high < right->low)
			left++;
		else
			right++;
	}
	return false;
}

/* The verdicts of both sides on the pair; -EIO when the matcher cannot say. */
static int ask(const struct matching *m, const struct diff_change *change,
	       struct pk_result results[DIFF_SIDES])
{
	int r = 0;

	for (size_t i = 0; i < DIFF_SIDES && !r; i++) {
		const struct decide_target to = { change->has_address ? change->address : NULL,
						  change->key };
		const struct pk_query query = { PK_SECTION_EGRESS, m->access, change->port,
						m->asker->subjects[i], 0 };
		struct decided decided;

		r = decide_destination(m->net->work->images[i], &to, &query, &decided);
		results[i] = decided.result;
	}
	return r;
}

static bool is_change(const struct pk_result results[DIFF_SIDES])
{
	return results[0].verdict != results[1].verdict;
}

static int compare_pair(struct matching *m, const struct behaviour *a, const struct behaviour *n)
{
	const struct diff_class *address = &m->net->addresses.items[a->class];
	const struct diff_class *name = &m->net->names.items[n->class];
	__u32 low = a->low > n->low ? a->low : n->low;
	__u32 high = a->high < n->high ? a->high : n->high;
	struct diff_change change = {
		.act = DIFF_CONNECT,
		.access = m->access,
		.has_port = true,
		.port = diff_ports_pick(low, high),
	};
	struct pk_result alone[DIFF_SIDES] = { 0 }, called[DIFF_SIDES] = { 0 },
			 both[DIFF_SIDES] = { 0 };
	int r;

	memcpy(change.address, address->address, sizeof(change.address));
	change.key = name->name;
	change.length = strlen(name->name);
	r = ask(m, &change, called);
	change.has_address = true;
	if (!r)
		r = ask(m, &change, both);
	change.key = NULL;
	if (!r)
		r = ask(m, &change, alone);
	/* What either changes by itself has been told. */
	if (r || !is_change(both) || is_change(alone) || is_change(called))
		return r;
	change.key = name->name;
	change.before = both[0];
	change.after = both[1];
	return diff_add(m->net->work, &change, m->asker);
}

static int compare_all(struct matching *m)
{
	const struct behaviours *a = &m->addresses;
	const struct behaviours *n = &m->names;
	const struct behaviour *found[2];
	int r = 0;

	m->net->work->burst = m->net->work->diff->count;
	for (size_t i = 0; i < a->count && !r; i = run_of(a, i)) {
		const struct run left = run_at(a, i);

		for (size_t j = 0; j < n->count && !r; j = run_of(n, j)) {
			const struct run right = run_at(n, j);

			if (find_common(&left, &right, found))
				r = compare_pair(m, found[0], found[1]);
		}
	}
	return r;
}

int diff_learned(struct diff_net *net)
{
	int r = 0;

	for (size_t i = 0; i < net->work->asker_count && !r; i++)
		for (__u8 bit = PK_ACCESS_TCP; bit <= PK_ACCESS_UDP && !r; bit <<= 1) {
			CLEAN(reset_matching)
			struct matching m = { net, &net->work->askers[i], bit, { 0 }, { 0 } };

			r = list_behaviours(&m, &net->addresses, &m.addresses);
			if (!r)
				r = list_behaviours(&m, &net->names, &m.names);
			if (!r)
				r = compare_all(&m);
		}
	return r;
}
