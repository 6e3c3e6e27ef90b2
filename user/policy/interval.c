/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sweep over the boundaries of all ranges. Of each kind of rule only the lowest open number can
 * matter, so each kind keeps a heap of its open rules: n ranges cost n log n even when all nest.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/grow.h"
#include "policy/interval.h"

/** ::ffff:0.0.0.0, 64:ff9b:: and 2002::, the last two without their lower halves. */
#define V4_FIRST 0x0000ffff00000000ULL
#define NAT64 0x0064ff9b00000000ULL
#define SIX_TO_FOUR 0x2002000000000000ULL

struct address {
	__u64 hi;
	__u64 lo;
};

/* A range of @rule begins at, or has ended before, an address. */
struct boundary {
	struct address at;
	__u32 rule;
	__s32 change; /* 1 or -1 */
};

/* Open rules of one kind; rules that were closed meanwhile are removed when they come up. */
struct heap {
	__u32 *rules;
	size_t count, room;
	bool live; /* listed in sweep->live */
};

struct sweep {
	const struct numbered *numbered;
	struct sets *sets;
	struct boundary *boundaries;
	size_t boundary_count, boundary_room;
	struct heap *heaps; /* by kind */
	__u32 *live; /* kinds that may have an open rule */
	size_t live_count;
	__u32 *open; /* by rule: its ranges open here */
	__u32 *rules; /* the lowest open rule of each live kind */
};

static void reset_sweep(struct sweep *s)
{
	for (__u32 i = 0; s->heaps && i < s->numbered->kinds; i++)
		free(s->heaps[i].rules);
	free(s->boundaries);
	free(s->heaps);
	free(s->live);
	free(s->open);
	free(s->rules);
}

static struct address read_address(const __u8 *bytes)
{
	struct address address = { 0, 0 };

	for (int i = 0; i < 8; i++) {
		address.hi = address.hi << 8 | bytes[i];
		address.lo = address.lo << 8 | bytes[i + 8];
	}
	return address;
}

static int add_boundary(struct sweep *s, struct address at, __u32 rule, __s32 change)
{
	int r;

	r = grow(&s->boundaries, &s->boundary_room, s->boundary_count + 1, sizeof(*s->boundaries));
	if (r)
		return r;
	s->boundaries[s->boundary_count++] = (struct boundary){ at, rule, change };
	return 0;
}

static int add_range(struct sweep *s, struct address low, struct address high, __u32 number)
{
	struct address end = { high.hi, high.lo + 1 };
	int r = add_boundary(s, low, number, 1);

	end.hi += end.lo == 0;
	/* A range up to the last address never ends. */
	return r || (!end.hi && !end.lo) ? r : add_boundary(s, end, number, -1);
}

static int compare_address(struct address a, struct address b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return (a.lo > b.lo) - (a.lo < b.lo);
}

/* The IPv6 forms in which translators and tunnels carry the IPv4 part of a range. */
static int add_mirrors(struct sweep *s, struct address low, struct address high, __u32 number)
{
	const struct address first = { 0, V4_FIRST }, last = { 0, V4_FIRST | 0xffffffff };
	__u64 from, to;
	int r;

	if (compare_address(high, first) < 0 || compare_address(low, last) > 0)
		return 0;
	from = compare_address(low, first) > 0 ? low.lo & 0xffffffff : 0;
	to = compare_address(high, last) < 0 ? high.lo & 0xffffffff : 0xffffffff;
	r = add_range(s, (struct address){ NAT64, from }, (struct address){ NAT64, to }, number);
	if (!r)
		r = add_range(s, (struct address){ SIX_TO_FOUR | from << 16, 0 },
			      (struct address){ SIX_TO_FOUR | to << 16 | 0xffff, ~0ULL }, number);
	/* :: and ::1 are addresses of their own and no form of 0.0.0.0 and 0.0.0.1. */
	if (from < 2)
		from = 2;
	return r || from > to ?
		       r :
		       add_range(s, (struct address){ 0, from }, (struct address){ 0, to }, number);
}

static int add_rule(struct sweep *s, __u32 number)
{
	const struct numbered_rule *rule = &s->numbered->rules[number];
	bool mirrored = rule->rule->section == PK_SECTION_EGRESS &&
			rule->rule->verdict != PK_VERDICT_ALLOW;
	int r = 0;

	for (size_t i = 0; i < rule->pattern->range_count && !r; i++) {
		struct address low = read_address(rule->pattern->ranges[i].low);
		struct address high = read_address(rule->pattern->ranges[i].high);

		r = add_range(s, low, high, number);
		if (!r && mirrored)
			r = add_mirrors(s, low, high, number);
	}
	return r;
}

static int compare_boundaries(const void *a, const void *b)
{
	const struct boundary *left = a;
	const struct boundary *right = b;

	return compare_address(left->at, right->at);
}

static int heap_push(struct heap *heap, __u32 rule)
{
	size_t at = heap->count;
	int r;

	r = grow(&heap->rules, &heap->room, heap->count + 1, sizeof(*heap->rules));
	if (r)
		return r;
	heap->count++;
	for (; at > 0 && heap->rules[(at - 1) / 2] > rule; at = (at - 1) / 2)
		heap->rules[at] = heap->rules[(at - 1) / 2];
	heap->rules[at] = rule;
	return 0;
}

static void heap_pop(struct heap *heap)
{
	__u32 rule = heap->rules[--heap->count];
	size_t at = 0;

	for (;;) {
		size_t child = at * 2 + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && heap->rules[child + 1] < heap->rules[child])
			child++;
		if (heap->rules[child] >= rule)
			break;
		heap->rules[at] = heap->rules[child];
		at = child;
	}
	heap->rules[at] = rule;
}

static int cross_boundary(struct sweep *s, const struct boundary *boundary)
{
	__u32 kind = s->numbered->rules[boundary->rule].kind;
	struct heap *heap = &s->heaps[kind];

	s->open[boundary->rule] += (__u32)boundary->change;
	if (boundary->change < 0)
		return 0;
	if (!heap->live) {
		heap->live = true;
		s->live[s->live_count++] = kind;
	}
	return heap_push(heap, boundary->rule);
}

/* The lowest open rule of each kind into s->rules; kinds without one leave the list. */
static size_t open_rules(struct sweep *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->live_count; i++) {
		struct heap *heap = &s->heaps[s->live[i]];

		while (heap->count && !s->open[heap->rules[0]])
			heap_pop(heap);
		heap->live = heap->count > 0;
		if (!heap->live)
			continue;
		s->rules[kept] = heap->rules[0];
		s->live[kept++] = s->live[i];
	}
	s->live_count = kept;
	return kept;
}

static int add_span(struct spans *spans, struct address from, __u32 set)
{
	int r;

	if (spans->count && spans->spans[spans->count - 1].set == set)
		return 0;
	if (spans->count == PK_SPANS_MAX)
		return -E2BIG;
	r = grow(&spans->spans, &spans->room, spans->count + 1, sizeof(*spans->spans));
	if (r)
		return r;
	spans->spans[spans->count++] = (struct pk_span){
		.from_hi = from.hi,
		.from_lo = from.lo,
		.set = set,
	};
	return 0;
}

static int prepare(struct sweep *s)
{
	int r = 0;

	s->heaps = calloc(s->numbered->kinds + 1, sizeof(*s->heaps));
	s->live = calloc(s->numbered->kinds + 1, sizeof(*s->live));
	s->rules = calloc(s->numbered->kinds + 1, sizeof(*s->rules));
	s->open = calloc(s->numbered->count + 1, sizeof(*s->open));
	if (!s->heaps || !s->live || !s->rules || !s->open)
		return -ENOMEM;
	for (__u32 i = 0; i < s->numbered->count && !r; i++)
		r = add_rule(s, i);
	if (!r && s->boundary_count)
		qsort(s->boundaries, s->boundary_count, sizeof(*s->boundaries), compare_boundaries);
	return r;
}

int interval_build(struct spans *spans, const struct numbered *numbered, struct sets *sets)
{
	CLEAN(reset_sweep) struct sweep s = { .numbered = numbered, .sets = sets };
	struct address at = { 0, 0 };
	size_t next = 0;
	__u32 set;
	int r;

	r = prepare(&s);
	while (!r) {
		for (; !r && next < s.boundary_count &&
		       compare_address(s.boundaries[next].at, at) == 0;
		     next++)
			r = cross_boundary(&s, &s.boundaries[next]);
		if (!r)
			r = sets_intern(sets, s.rules, open_rules(&s), &set);
		if (r)
			return r == -E2BIG ? -EOVERFLOW : r;
		r = add_span(spans, at, set);
		if (next == s.boundary_count)
			break;
		at = s.boundaries[next].at;
	}
	return r;
}

void spans_reset(struct spans *spans)
{
	free(spans->spans);
	*spans = (struct spans){ 0 };
}
