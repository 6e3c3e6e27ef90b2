/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First-fit overlay. Each state's most frequent successor becomes its default, so that mostly one
 * or two slots and the head are left to place; a place is searched from the first gap on, and gaps
 * that resisted many tries are given up.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/comb.h"
#include "policy/grow.h"

/* Tries for one state before the search starts further on. */
#define TRIES_MAX 32
#define SLOTS_MAX ((size_t)PK_PAGES_MAX << (PK_PAGE_SHIFT - 3))

struct packer {
	const struct automaton *automaton;
	struct comb *comb;
	size_t low; /* no gap before this one is tried */
	__u32 *places; /* of a state's head, counted from the part's start */
	__u32 *votes; /* by state: classes of the row at hand that lead there */
	__u32 fallback; /* default successor of the state at hand */
	struct automaton_edge row[256]; /* what does not follow the default */
	__u32 count;
};

static bool is_free(const struct packer *p, size_t slot)
{
	return slot >= p->comb->count || p->comb->slots[slot].check == 0;
}

/* Extend the slots, zeroed, to hold slot @last. */
static int reach(struct packer *p, size_t last)
{
	struct comb *comb = p->comb;
	size_t old = comb->count;
	int r;

	if (last < old)
		return 0;
	if (last >= SLOTS_MAX)
		return -E2BIG;
	r = grow(&comb->slots, &comb->room, last + 1, sizeof(*comb->slots));
	if (r)
		return r;
	memset(comb->slots + old, 0, (last + 1 - old) * sizeof(*comb->slots));
	comb->count = last + 1;
	return 0;
}

/* The successor that most classes share; of equally frequent ones the smallest state. */
static __u32 choose_default(struct packer *p, const struct automaton_state *row)
{
	const struct automaton_edge *edges = &p->automaton->edges[row->edges];
	__u32 best = row->other;

	p->votes[best] += p->automaton->classes - row->edge_count;
	for (__u32 i = 0; i < row->edge_count; i++)
		p->votes[edges[i].target]++;
	for (__u32 i = 0; i < row->edge_count; i++) {
		__u32 target = edges[i].target;

		if (p->votes[target] > p->votes[best] ||
		    (target < best && p->votes[target] == p->votes[best]))
			best = target;
	}
	p->votes[row->other] = 0;
	for (__u32 i = 0; i < row->edge_count; i++)
		p->votes[edges[i].target] = 0;
	return best;
}

static void choose_row(struct packer *p, __u32 state)
{
	const struct automaton_state *row = &p->automaton->states[state];
	const struct automaton_edge *edges = &p->automaton->edges[row->edges];
	__u32 edge = 0;

	p->fallback = choose_default(p, row);
	p->count = 0;
	if (p->fallback == row->other) {
		if (row->edge_count)
			memcpy(p->row, edges, row->edge_count * sizeof(*edges));
		p->count = row->edge_count;
		return;
	}
	for (__u32 class = 0; class < p->automaton->classes; class ++) {
		__u32 target = row->other;

		if (edge < row->edge_count && edges[edge].class == class)
			target = edges[edge++].target;
		if (target != p->fallback)
			p->row[p->count++] = (struct automaton_edge){ class, target };
	}
}

static bool fits(const struct packer *p, size_t place)
{
	if (!is_free(p, place) || !is_free(p, place + 1))
		return false;
	for (__u32 i = 0; i < p->count; i++)
		if (!is_free(p, place + PK_CLASS_FIRST + p->row[i].class))
			return false;
	return true;
}

/* Find and take the slots of one state; they are tagged now and filled when all have a place. */
static int place_state(struct packer *p, __u32 state)
{
	struct pk_slot *slots;
	size_t place;
	int r;

	while (p->low < p->comb->count && !is_free(p, p->low))
		p->low++;
	for (place = p->low; !fits(p, place); place++)
		if (place - p->low == TRIES_MAX)
			p->low += TRIES_MAX / 4;
	/* The largest alphabet behind any head stays inside the part. */
	r = reach(p, place + PK_CLASS_FIRST + p->comb->classes - 1);
	if (r)
		return r;
	slots = p->comb->slots;
	slots[place].check = PK_SLOT_HEAD;
	slots[place + 1].check = PK_SLOT_HEAD;
	for (__u32 i = 0; i < p->count; i++)
		slots[place + PK_CLASS_FIRST + p->row[i].class].check =
			p->comb->base + (__u32)place;
	p->places[state] = (__u32)place;
	return 0;
}

static void fill_state(struct packer *p, __u32 state)
{
	const struct automaton_state *row = &p->automaton->states[state];
	struct pk_slot *head = &p->comb->slots[p->places[state]];

	choose_row(p, state);
	head[0].next = p->comb->base + p->places[p->fallback];
	head[1].next = row->set;
	for (__u32 i = 0; i < p->count; i++)
		head[PK_CLASS_FIRST + p->row[i].class].next =
			p->comb->base + p->places[p->row[i].target];
}

/* The state without rules that nothing leaves, or the number of states. */
static __u32 find_dead(const struct automaton *automaton)
{
	__u32 i = 0;

	for (; i < automaton->state_count; i++) {
		const struct automaton_state *state = &automaton->states[i];

		if (!state->set && state->other == i && !state->edge_count)
			break;
	}
	return i;
}

int comb_pack(struct comb *comb, const struct automaton *automaton, size_t which)
{
	CLEAN_FREE __u32 *places = calloc(automaton->state_count, sizeof(*places));
	CLEAN_FREE __u32 *votes = calloc(automaton->state_count, sizeof(*votes));
	struct packer p = {
		.automaton = automaton,
		.comb = comb,
		.places = places,
		.votes = votes,
	};
	__u32 dead;
	int r;

	if (!places || !votes)
		return -ENOMEM;
	for (__u32 i = 0; i < automaton->state_count; i++) {
		choose_row(&p, i);
		r = place_state(&p, i);
		if (r)
			return r;
	}
	for (__u32 i = 0; i < automaton->state_count; i++)
		fill_state(&p, i);
	comb->start[which] = comb->base + places[automaton->start];
	dead = find_dead(automaton);
	if (dead < automaton->state_count)
		comb->dead[which] = comb->base + places[dead];
	return 0;
}

void comb_reset(struct comb *comb)
{
	free(comb->slots);
	*comb = (struct comb){ 0 };
}
