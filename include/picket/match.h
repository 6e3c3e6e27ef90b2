/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The decision: (image, key, access) -> verdict and rule. Pure: no helper, no libc, no state; the
 * same lines are compiled into the BPF programs, `picket explain`, the tests and the fuzzers.
 *
 * The includer defines, before including this file:
 *   PK_INLINE                     how a function is inlined there
 *   PK_LOOP(n, fn, ctx)           call fn(i, ctx) for i = 0..n-1 until it returns non-zero
 *   const void *pk_page(const struct pk_view *v, __u32 n)
 *                                 the n-th page of the image, or NULL
 * bpf/image.bpf.h does it for the kernel, user/policy/matcher.h for the host.
 *
 * Every failed lookup ends in PK_REASON_IMAGE and a deny.
 */
#ifndef PICKET_MATCH_H
#define PICKET_MATCH_H

#include <picket/abi.h>
#include <picket/image.h>

/** Bytes of a key matched in one call of the loop's body. */
#define PK_WALK_CHUNK 8

/** Request flag: a match of an explicit rule counts, a section's default does not. */
#define PK_JUDGE_RULES_ONLY 1U
/**
 * Request flag: which program asks is not known. Rules with `by` that allow count for everybody,
 * those that deny for nobody: only a backstop behind a decision that knows may ask so.
 */
#define PK_JUDGE_ANY_SUBJECT 2U

/** What is to be judged against a rule set. */
struct pk_query {
	__u32 section; /* enum pk_section */
	__u32 access; /* nibble: every bit must be allowed */
	__u32 port; /* egress: destination port, host order; else 0 */
	__u32 subjects; /* bits of the program that asks; 0 = no rule names it */
	__u32 flags; /* PK_JUDGE_* */
};

/** The answer. */
struct pk_result {
	__u32 verdict; /* enum pk_verdict */
	__u32 reason; /* enum pk_reason */
	__u32 rule; /* rule reference */
};

/** The states of the path automata. */
struct pk_states {
	__u32 at[PK_AUTOMATA];
};

/** The rule sets of a key; a destination has that of the address, then that of the host name. */
struct pk_sets {
	__u32 id[PK_AUTOMATA];
};

/** A slot of the path automata by absolute index, or NULL. */
static PK_INLINE const struct pk_slot *pk_slot_at(const struct pk_view *v, __u32 index)
{
	const __u8 *page = pk_page(v, index >> (PK_PAGE_SHIFT - 3));

	if (!page)
		return 0;
	return (const struct pk_slot *)(page + ((index << 3) & (PK_PAGE_SIZE - 8)));
}

/* One step of one automaton: returns 0, or 1 when the image is broken. */
static PK_INLINE int pk_step(const struct pk_view *v, __u32 class, __u32 *state)
{
	const struct pk_slot *slot = pk_slot_at(v, *state + class);

	if (!slot)
		return 1;
	if (slot->check != *state) {
		slot = pk_slot_at(v, *state);
		if (!slot)
			return 1;
	}
	*state = slot->next;
	return 0;
}

struct pk_walk {
	const struct pk_view *view;
	const __u8 *classes;
	const __u8 *key;
	__u32 length;
	struct pk_states states;
	__u32 bad;
};

/* One byte through both automata. */
static PK_INLINE int pk_walk_byte(struct pk_walk *w, __u8 byte)
{
	__u32 class = w->classes[byte];

	return pk_step(w->view, class, &w->states.at[0]) ||
	       pk_step(w->view, class, &w->states.at[1]);
}

static long pk_walk_chunk(__u32 chunk, void *arg)
{
	struct pk_walk *w = arg;

	for (__u32 i = 0; i < PK_WALK_CHUNK; i++) {
		__u32 at = chunk * PK_WALK_CHUNK + i;

		if (at >= w->length)
			return 1;
		if (pk_walk_byte(w, w->key[at & (PK_PATH_MAX - 1)])) {
			w->bad = 1;
			return 1;
		}
	}
	return 0;
}

/** The states before the first byte of a path. */
static PK_INLINE struct pk_states pk_path_start(const struct pk_image *head)
{
	struct pk_states states = { { head->path_start[0], head->path_start[1] } };

	return states;
}

/**
 * Run the path automata over @length bytes at @key (a buffer of PK_PATH_MAX bytes) from *@states,
 * which becomes the states reached. Returns 0, or 1 when the image is broken or the key over-long.
 */
static PK_INLINE int pk_path_run(const struct pk_view *v, const struct pk_image *head,
				 const __u8 *key, __u32 length, struct pk_states *states)
{
	struct pk_walk w = {
		.view = v,
		.classes = head->path_class,
		.key = key,
		.length = length,
		.states = *states,
	};

	if (length > PK_PATH_MAX)
		return 1;
	PK_LOOP(PK_PATH_MAX / PK_WALK_CHUNK, pk_walk_chunk, &w);
	*states = w.states;
	return (int)w.bad;
}

/* The rule set of a path on which one automaton ends in @state; 1 when the image is broken. */
static PK_INLINE int pk_state_set(const struct pk_view *v, __u32 state, __u32 *ret_set)
{
	const struct pk_slot *slot = pk_slot_at(v, state + 1);

	if (!slot || slot->check != PK_SLOT_HEAD)
		return 1;
	*ret_set = slot->next;
	return 0;
}

/** The rule sets of a path that ends in @states; 1 when the image is broken. */
static PK_INLINE int pk_path_sets(const struct pk_view *v, const struct pk_states *states,
				  struct pk_sets *ret_sets)
{
	return pk_state_set(v, states->at[0], &ret_sets->id[0]) ||
	       pk_state_set(v, states->at[1], &ret_sets->id[1]);
}

/** An address as the table orders it. */
struct pk_address {
	__u64 hi;
	__u64 lo;
};

/** The key of an IPv4 address (host order). The kernel takes 0.0.0.0 for 127.0.0.1; so do we. */
static PK_INLINE struct pk_address pk_address_v4(__u32 host_order)
{
	struct pk_address a = { 0, 0x0000ffff00000000ULL | host_order };

	if (host_order == 0)
		a.lo = 0x0000ffff7f000001ULL;
	return a;
}

/** The key of an IPv6 address; :: is ::1, ::ffff:0.0.0.0 is 127.0.0.1. */
static PK_INLINE struct pk_address pk_address_v6(__u64 hi, __u64 lo)
{
	struct pk_address a = { hi, lo };

	if (hi == 0 && lo == 0)
		a.lo = 1;
	if (hi == 0 && lo == 0x0000ffff00000000ULL)
		a.lo = 0x0000ffff7f000001ULL;
	return a;
}

static PK_INLINE const struct pk_span *pk_span_at(const struct pk_view *v,
						  const struct pk_image *head, __u32 index)
{
	__u32 offset = head->part[PK_PART_SPANS].offset + index * (__u32)sizeof(struct pk_span);
	const __u8 *page = pk_page(v, offset >> PK_PAGE_SHIFT);

	if (!page)
		return 0;
	return (const struct pk_span *)(page + (offset & (PK_PAGE_SIZE - 32)));
}

struct pk_bisect {
	const struct pk_view *view;
	const struct pk_image *head;
	struct pk_address key;
	__u32 low; /* span[low].from <= key */
	__u32 high; /* key < span[high].from, or high == count */
	__u32 bad;
};

static long pk_bisect_step(__u32 step, void *arg)
{
	struct pk_bisect *b = arg;
	__u32 middle = b->low + ((b->high - b->low) >> 1);
	const struct pk_span *span;

	(void)step;
	if (b->high - b->low <= 1)
		return 1;
	span = pk_span_at(b->view, b->head, middle);
	if (!span) {
		b->bad = 1;
		return 1;
	}
	if (span->from_hi < b->key.hi || (span->from_hi == b->key.hi && span->from_lo <= b->key.lo))
		b->low = middle;
	else
		b->high = middle;
	return 0;
}

/** The rule sets of an address; 1 when the image is broken. */
static PK_INLINE int pk_address_sets(const struct pk_view *v, const struct pk_image *head,
				     struct pk_address key, struct pk_sets *ret_sets)
{
	struct pk_bisect b = { .view = v, .head = head, .key = key, .high = head->span_count };
	const struct pk_span *span;

	PK_LOOP(PK_SPAN_STEPS, pk_bisect_step, &b);
	if (b.bad || b.high - b.low != 1)
		return 1;
	span = pk_span_at(v, head, b.low);
	if (!span)
		return 1;
	*ret_sets = (struct pk_sets){ { span->set, 0 } };
	return 0;
}

struct pk_judge {
	const struct pk_view *view;
	__u32 first; /* byte offset of the set's first item */
	__u32 count;
	struct pk_query query;
	__u32 covered; /* layer nibbles for which a rule matched */
	__u32 verdict;
	__u32 rule;
	__u32 bad;
};

/* Is the item for the program that asks? */
static PK_INLINE int pk_item_concerns(const struct pk_item *item, const struct pk_query *query)
{
	if (item->subjects == PK_SUBJECTS_ALL)
		return 1;
	if (query->flags & PK_JUDGE_ANY_SUBJECT)
		return item->verdict == PK_VERDICT_ALLOW;
	return (item->subjects & query->subjects) != 0;
}

static long pk_judge_item(__u32 index, void *arg)
{
	struct pk_judge *j = arg;
	__u32 offset = j->first + index * (__u32)sizeof(struct pk_item);
	const struct pk_item *item;
	const __u8 *page;

	if (index >= j->count)
		return 1;
	page = pk_page(j->view, offset >> PK_PAGE_SHIFT);
	if (!page) {
		j->bad = 1;
		return 1;
	}
	item = (const struct pk_item *)(page + (offset & (PK_PAGE_SIZE - 16)));
	if (item->section != j->query.section || !(item->access & j->query.access))
		return 0;
	if (j->query.port < item->port_lo || j->query.port > item->port_hi)
		return 0;
	if (!pk_item_concerns(item, &j->query))
		return 0;
	j->covered |= (__u32)(item->access & j->query.access) << ((item->layer & 7U) << 2);
	/* Of equal verdicts the lowest number is named: the highest layer, the first in the text. */
	if (j->rule == PK_RULE_NONE || item->verdict > j->verdict ||
	    (item->verdict == j->verdict && item->rule < j->rule)) {
		j->verdict = item->verdict;
		j->rule = item->rule;
	}
	return 0;
}

/*
 * The first layer (lowest) with a bit in the nibble mask, which has one. Without a branch: for the
 * verifier every layer would be a way of its own through all that follows.
 */
static PK_INLINE __u32 pk_default_rule(__u32 mask, __u32 section)
{
	__u32 layers = (mask | mask >> 1 | mask >> 2 | mask >> 3) & 0x11111111U;
	/* A one in each nibble below the first layer; the product sums them up in its top nibble. */
	__u32 below = ((layers & -layers) - 1) & 0x11111111U;
	__u32 layer = (below * 0x11111111U) >> 28;

	return PK_RULE_DEFAULT | layer << 8 | section;
}

/* Judge by the items of one more set; 1 when the image is broken. */
static PK_INLINE int pk_judge_set(struct pk_judge *j, const struct pk_image *head, __u32 set)
{
	j->first = head->part[PK_PART_ITEMS].offset + (set >> 8) * (__u32)sizeof(struct pk_item);
	j->count = set & 0xff;
	if (j->count)
		PK_LOOP(PK_SET_MAX, pk_judge_item, j);
	return j->bad || j->count > PK_SET_MAX;
}

/* What the defaults of layers that no rule covered make of a result. */
static PK_INLINE void pk_judge_defaults(const struct pk_default *def, __u32 section, __u32 open,
					struct pk_result *result)
{
	if ((open & def->deny) && result->verdict < PK_VERDICT_DENY) {
		result->verdict = PK_VERDICT_DENY;
		result->rule = pk_default_rule(open & def->deny, section);
	} else if ((open & def->ask) && result->verdict < PK_VERDICT_ASK) {
		result->verdict = PK_VERDICT_ASK;
		result->rule = pk_default_rule(open & def->ask, section);
	} else if (result->rule == PK_RULE_NONE) {
		result->rule = pk_default_rule(open, section);
	} else {
		return;
	}
	result->reason = PK_REASON_DEFAULT;
}

/**
 * Judge @query against the rules of @sets. Within a layer the strictest matching rule wins, the
 * section's default where none matches; over the layers the strictest wins; that is the strictest
 * of all matching rules and of the defaults of layers that no rule covered.
 * A section that no layer has allows.
 *
 *   Example: layer 0 allows read of /w/.., layer 1 (default deny) allows write there. The query
 *   read|write: layer 0 covers read only, its default decides write; layer 1 likewise for read.
 */
static PK_INLINE struct pk_result pk_judge_sets(const struct pk_view *v,
						const struct pk_image *head,
						const struct pk_sets *sets,
						const struct pk_query *query)
{
	struct pk_result deny = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE };
	struct pk_result result = { PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	struct pk_judge j = { .view = v, .query = *query, .rule = PK_RULE_NONE };
	const struct pk_default *def;
	__u32 open;

	if (query->section >= PK_SECTION__MAX)
		return deny;
	def = &head->defaults[query->section];
	if (pk_judge_set(&j, head, sets->id[0]) || pk_judge_set(&j, head, sets->id[1]))
		return deny;
	if (j.rule != PK_RULE_NONE) {
		result.verdict = j.verdict;
		result.reason = PK_REASON_RULE;
		result.rule = j.rule;
	}
	if (query->flags & PK_JUDGE_RULES_ONLY)
		return result;
	/* 0x11111111 repeats the access nibble for every layer. */
	open = def->present & (query->access * 0x11111111U) & ~j.covered;
	if (open)
		pk_judge_defaults(def, query->section, open, &result);
	return result;
}

struct pk_subject_walk {
	const struct pk_view *view;
	__u32 first; /* byte offset of the set's first item */
	__u32 count;
	__u32 subjects;
	__u32 bad;
};

static long pk_subject_item(__u32 index, void *arg)
{
	struct pk_subject_walk *w = arg;
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
	if (item->section == PK_SECTION_SUBJECT)
		w->subjects |= item->subjects;
	return 0;
}

/** The bits of the program whose path has the rule sets @sets. A broken image gives none. */
static PK_INLINE __u32 pk_subjects(const struct pk_view *v, const struct pk_image *head,
				   const struct pk_sets *sets)
{
	struct pk_subject_walk w = { .view = v };

	for (__u32 i = 0; i < PK_AUTOMATA; i++) {
		w.first = head->part[PK_PART_ITEMS].offset +
			  (sets->id[i] >> 8) * (__u32)sizeof(struct pk_item);
		w.count = sets->id[i] & 0xff;
		if (w.count)
			PK_LOOP(PK_SET_MAX, pk_subject_item, &w);
	}
	return w.bad ? 0 : w.subjects;
}

struct pk_argv_walk {
	const struct pk_view *view;
	const __u8 *classes;
	const __u8 *key;
	__u32 length;
	__u32 state;
	__u32 dead;
	__u32 bad;
};

static long pk_argv_chunk(__u32 chunk, void *arg)
{
	struct pk_argv_walk *w = arg;

	if (w->state == w->dead)
		return 1;
	for (__u32 i = 0; i < PK_WALK_CHUNK; i++) {
		__u32 at = chunk * PK_WALK_CHUNK + i;

		if (at >= w->length)
			return 1;
		if (pk_step(w->view, w->classes[w->key[at & (PK_PATH_MAX - 1)]], &w->state)) {
			w->bad = 1;
			return 1;
		}
	}
	return 0;
}

/**
 * Run the command automaton over @length bytes at @key (a buffer of PK_PATH_MAX bytes, a part of a
 * command) from *@state, which becomes the state reached; before the first part it is
 * head->argv_start. Once it is head->argv_dead no further part changes it. Returns 0, or 1 when
 * the image is broken or the part over-long.
 */
static PK_INLINE int pk_argv_run(const struct pk_view *v, const struct pk_image *head,
				 const __u8 *key, __u32 length, __u32 *state)
{
	struct pk_argv_walk w = {
		.view = v,
		.classes = head->argv_class,
		.key = key,
		.length = length,
		.state = *state,
		.dead = head->argv_dead,
	};

	if (length > PK_PATH_MAX)
		return 1;
	PK_LOOP(PK_PATH_MAX / PK_WALK_CHUNK, pk_argv_chunk, &w);
	*state = w.state;
	return (int)w.bad;
}

/** The rule sets of a command that ends in @state; 1 when the image is broken. */
static PK_INLINE int pk_argv_sets(const struct pk_view *v, __u32 state, struct pk_sets *ret_sets)
{
	ret_sets->id[1] = 0;
	return pk_state_set(v, state, &ret_sets->id[0]);
}

#include <picket/match_name.h>

#endif
