/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest automaton equivalent to a built one, by partition refinement. States start in one
 * block per rule set; in rounds, states that have a successor whose block was split compare the
 * blocks they lead to, and differing states part. The largest part keeps the block's number, so a
 * state is renumbered, and its predecessors looked at again, at most log2(states) times.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/automaton.h"
#include "policy/words.h"

#define NO_GROUP 0xffffffffU

/* States of a block with equal signature in one round. */
struct group {
	__u32 members;
	__u32 block; /* where its members go */
	__u32 place; /* and the next free place there */
};

struct partition {
	const struct automaton *automaton;
	__u32 *block; /* of a state; signatures of a round all see the blocks of its start */
	__u32 *next_block; /* of a moved state, when the round is over */
	__u32 *order; /* states, each block one run */
	__u32 *place; /* of a state in `order` */
	__u32 *first; /* of a block in `order` */
	__u32 *size; /* of a block */
	__u32 *marked; /* how many of a block are to be looked at; they come first */
	__u32 blocks;
	__u32 *before; /* predecessors of state i: before_list[before[i]] to before[i + 1] */
	__u32 *before_list;
	__u32 *touched; /* blocks with marked states */
	__u32 touched_count;
	__u32 *moved; /* states that got another block this round */
	__u32 moved_count;
	__u32 *spare; /* order of a block while it is split */
	/* Of the block being split: a group is the number of a signature. */
	struct words signatures;
	struct group *groups;
	size_t group_room;
	__u32 *group_of; /* by place in `order` */
};

static void reset_partition(struct partition *p)
{
	free(p->block);
	free(p->next_block);
	free(p->order);
	free(p->place);
	free(p->first);
	free(p->size);
	free(p->marked);
	free(p->before);
	free(p->before_list);
	free(p->touched);
	free(p->moved);
	free(p->spare);
	words_reset(&p->signatures);
	free(p->groups);
	free(p->group_of);
}

static int allocate(struct partition *p)
{
	size_t states = p->automaton->state_count;
	__u32 **arrays[] = { &p->block, &p->next_block, &p->order,   &p->place,
			     &p->first, &p->size,	&p->marked,  &p->touched,
			     &p->moved, &p->spare,	&p->group_of };

	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++) {
		*arrays[i] = calloc(states + 1, sizeof(__u32));
		if (!*arrays[i])
			return -ENOMEM;
	}
	p->before = calloc(states + 2, sizeof(__u32));
	p->before_list = calloc(states + p->automaton->edge_count, sizeof(__u32));
	return p->before && p->before_list ? 0 : -ENOMEM;
}

/* Lists of predecessors, by counting sort over targets. */
static void list_predecessors(struct partition *p)
{
	const struct automaton *a = p->automaton;

	for (size_t i = 0; i < a->state_count; i++)
		p->before[a->states[i].other + 2]++;
	for (size_t i = 0; i < a->edge_count; i++)
		p->before[a->edges[i].target + 2]++;
	for (size_t i = 2; i < a->state_count + 2; i++)
		p->before[i] += p->before[i - 1];
	for (__u32 i = 0; i < a->state_count; i++) {
		const struct automaton_state *state = &a->states[i];

		p->before_list[p->before[state->other + 1]++] = i;
		for (__u32 j = 0; j < state->edge_count; j++)
			p->before_list[p->before[a->edges[state->edges + j].target + 1]++] = i;
	}
}

/* Note that @state's successors changed: it moves to the front of its block, among the marked. */
static void mark_state(struct partition *p, __u32 state)
{
	__u32 block = p->block[state];
	__u32 to = p->first[block] + p->marked[block];
	__u32 from = p->place[state];
	__u32 other = p->order[to];

	if (from < to)
		return;
	if (!p->marked[block]++)
		p->touched[p->touched_count++] = block;
	p->order[to] = state;
	p->place[state] = to;
	p->order[from] = other;
	p->place[other] = from;
}

/* Push the signature of @state: its set, the block of `other`, and what differs from that. */
static int push_signature(struct partition *p, __u32 state)
{
	const struct automaton_state *row = &p->automaton->states[state];
	const struct automaton_edge *edges = &p->automaton->edges[row->edges];
	__u32 other = p->block[row->other];
	int r;

	r = words_push(&p->signatures, row->set);
	if (!r)
		r = words_push(&p->signatures, other);
	for (__u32 i = 0; i < row->edge_count && !r; i++) {
		if (p->block[edges[i].target] == other)
			continue;
		r = words_push(&p->signatures, edges[i].class);
		if (!r)
			r = words_push(&p->signatures, p->block[edges[i].target]);
	}
	return r;
}

/* Add @members states that agree with @state to the group of its signature. */
static int join_group(struct partition *p, __u32 state, __u32 members, __u32 *ret_group)
{
	size_t known = p->signatures.run_count;
	int r;

	r = push_signature(p, state);
	if (!r)
		r = words_close(&p->signatures, ret_group);
	if (!r)
		r = grow(&p->groups, &p->group_room, known + 1, sizeof(*p->groups));
	if (r)
		return r;
	if (*ret_group == known)
		p->groups[known] = (struct group){ 0 };
	p->groups[*ret_group].members += members;
	return 0;
}

/* Group the marked states of a block; its unmarked rest still agrees with itself. */
static int group_block(struct partition *p, __u32 block, __u32 marked, __u32 *ret_rest)
{
	__u32 first = p->first[block];
	__u32 rest = p->size[block] - marked;
	int r;

	*ret_rest = NO_GROUP;
	for (__u32 i = first; i < first + marked; i++) {
		r = join_group(p, p->order[i], 1, &p->group_of[i]);
		if (r)
			return r;
	}
	return rest ? join_group(p, p->order[first + marked], rest, ret_rest) : 0;
}

/* Lay the first @count places of a block out by group; `keep` comes last and keeps the block. */
static void lay_out(struct partition *p, __u32 block, __u32 count, __u32 keep)
{
	__u32 first = p->first[block];
	__u32 at = first;

	for (size_t g = 0; g < p->signatures.run_count; g++) {
		struct group *group = &p->groups[g];

		group->block = block;
		if (g == keep)
			continue;
		group->block = p->blocks++;
		p->first[group->block] = at;
		p->size[group->block] = group->members;
		p->marked[group->block] = 0;
		p->size[block] -= group->members;
		group->place = at;
		at += group->members;
	}
	p->first[block] = at;
	p->groups[keep].place = at;
	memcpy(p->spare + first, p->order + first, count * sizeof(*p->order));
	for (__u32 i = first; i < first + count; i++) {
		struct group *group = &p->groups[p->group_of[i]];
		__u32 state = p->spare[i];

		p->order[group->place] = state;
		p->place[state] = group->place++;
		if (group->block == p->block[state])
			continue;
		p->next_block[state] = group->block;
		p->moved[p->moved_count++] = state;
	}
}

static int split_block(struct partition *p, __u32 block)
{
	__u32 marked = p->marked[block];
	__u32 count = marked;
	__u32 rest;
	__u32 keep = 0;
	int r;

	p->marked[block] = 0;
	if (p->size[block] == 1)
		return 0;
	r = group_block(p, block, marked, &rest);
	if (r)
		return r;
	for (__u32 g = 1; g < p->signatures.run_count; g++)
		if (p->groups[g].members > p->groups[keep].members)
			keep = g;
	/* The rest moves only when it is not the largest part. */
	if (rest != NO_GROUP && rest != keep) {
		count = p->size[block];
		for (__u32 i = p->first[block] + marked; i < p->first[block] + count; i++)
			p->group_of[i] = rest;
	}
	if (p->signatures.run_count > 1)
		lay_out(p, block, count, keep);
	words_clear(&p->signatures);
	return 0;
}

/* All states are one block at first; the first round parts them by set and successors. */
static void begin(struct partition *p)
{
	__u32 states = (__u32)p->automaton->state_count;

	p->blocks = 1;
	p->size[0] = states;
	for (__u32 i = 0; i < states; i++) {
		p->order[i] = i;
		p->place[i] = i;
	}
	for (__u32 i = 0; i < states; i++)
		mark_state(p, i);
}

static int refine(struct partition *p)
{
	int r;

	begin(p);
	while (p->touched_count) {
		p->moved_count = 0;
		for (__u32 i = 0; i < p->touched_count; i++) {
			r = split_block(p, p->touched[i]);
			if (r)
				return r;
		}
		p->touched_count = 0;
		for (__u32 i = 0; i < p->moved_count; i++)
			p->block[p->moved[i]] = p->next_block[p->moved[i]];
		for (__u32 i = 0; i < p->moved_count; i++) {
			__u32 state = p->moved[i];

			for (__u32 j = p->before[state]; j < p->before[state + 1]; j++)
				mark_state(p, p->before_list[j]);
		}
	}
	return 0;
}

struct renumbering {
	__u32 *number; /* of a block, NO_GROUP = none yet */
	__u32 *queue; /* blocks by number */
	__u32 count;
};

static __u32 number_block(struct renumbering *n, __u32 block)
{
	if (n->number[block] == NO_GROUP) {
		n->number[block] = n->count;
		n->queue[n->count++] = block;
	}
	return n->number[block];
}

/* One state for each block, in breadth-first order: `other` first, then classes ascending. */
static int write_states(const struct partition *p, struct renumbering *n, struct automaton *to)
{
	const struct automaton *from = p->automaton;
	int r;

	to->start = number_block(n, p->block[from->start]);
	for (__u32 i = 0; i < n->count; i++) {
		__u32 state = p->order[p->first[n->queue[i]]];
		const struct automaton_state *row = &from->states[state];
		__u32 other = p->block[row->other];

		r = grow(&to->edges, &to->edge_room, to->edge_count + row->edge_count + 1,
			 sizeof(*to->edges));
		if (r)
			return r;
		to->states[i] = (struct automaton_state){
			.set = row->set,
			.other = number_block(n, other),
			.edges = (__u32)to->edge_count,
		};
		for (__u32 j = 0; j < row->edge_count; j++) {
			struct automaton_edge edge = from->edges[row->edges + j];

			if (p->block[edge.target] == other)
				continue;
			edge.target = number_block(n, p->block[edge.target]);
			to->edges[to->edge_count++] = edge;
		}
		to->states[i].edge_count = (__u32)to->edge_count - to->states[i].edges;
	}
	to->state_count = n->count;
	return 0;
}

int automaton_minimise(struct automaton *automaton)
{
	CLEAN(reset_partition) struct partition p = { .automaton = automaton };
	CLEAN(automaton_reset) struct automaton small = *automaton;
	CLEAN_FREE __u32 *number = NULL;
	CLEAN_FREE __u32 *queue = NULL;
	int r;

	small.states = NULL;
	small.edges = NULL;
	small.state_room = small.edge_room = small.edge_count = 0;
	r = allocate(&p);
	if (r)
		return r;
	list_predecessors(&p);
	r = refine(&p);
	if (r)
		return r;
	number = malloc(p.blocks * sizeof(*number));
	queue = malloc(p.blocks * sizeof(*queue));
	small.states = calloc(p.blocks, sizeof(*small.states));
	if (!number || !queue || !small.states)
		return -ENOMEM;
	memset(number, 0xff, p.blocks * sizeof(*number));
	r = write_states(&p, &(struct renumbering){ number, queue, 0 }, &small);
	if (r)
		return r;
	free(automaton->states);
	free(automaton->edges);
	*automaton = small;
	small = (struct automaton){ 0 };
	return 0;
}
