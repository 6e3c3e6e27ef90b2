/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Subset construction. A state is a sorted list of nodes ("positions"); lists are stored once. The
 * classes that no edge of a state's nodes mentions all lead to the same list, made of the nodes
 * that loop: cost follows what a state mentions and not the size of the alphabet.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/automaton.h"
#include "policy/compile.h"
#include "policy/prune.h"
#include "policy/words.h"

/* An edge of the state at hand, listed by its class. */
struct pending {
	__u32 target;
	__u32 next;
};

struct builder {
	const struct nfa *nfa;
	struct automaton *automaton;
	struct sets *sets;
	struct prune prune;
	struct words positions; /* sequence i is the list of state i */
	/* The list being made; a node is in it when its mark is the stamp. */
	__u32 *work;
	size_t work_count;
	__u32 *marks;
	__u32 stamp;
	/* The state being worked on. */
	__u32 by_class[256]; /* first pending edge or NFA_NONE */
	__u64 mentioned[4]; /* classes with a pending edge, and those of '/' and NUL */
	struct pending *pending;
	size_t pending_count, pending_room;
	__u32 *loops; /* nodes that every class but '/' leads to: star loops, targets of '?' */
	size_t loop_count;
	__u32 *deeps; /* nodes that '/' leads to as well */
	size_t deep_count;
	__u32 *rests; /* nodes that every class leads to, that of NUL too */
	size_t rest_count;
	__u32 *rules; /* of the accepts */
	size_t rule_count, rule_room;
};

static void add_closure(struct builder *b, __u32 node)
{
	const struct nfa_node *n = &b->nfa->nodes[node];

	for (__u32 i = 0; i < n->closure_count; i++) {
		__u32 member = b->nfa->closures[n->closure + i];

		if (b->marks[member] == b->stamp)
			continue;
		b->marks[member] = b->stamp;
		b->work[b->work_count++] = member;
	}
}

/* Shell sort: lists are short and nearly sorted, and no comparison function is called. */
static void sort_numbers(__u32 *numbers, size_t count)
{
	static const size_t gaps[] = { 1750, 701, 301, 132, 57, 23, 10, 4, 1 };

	for (size_t g = 0; g < sizeof(gaps) / sizeof(*gaps); g++) {
		size_t gap = gaps[g];

		for (size_t i = gap; i < count; i++) {
			__u32 number = numbers[i];
			size_t j = i;

			for (; j >= gap && numbers[j - gap] > number; j -= gap)
				numbers[j] = numbers[j - gap];
			numbers[j] = number;
		}
	}
}

/* The state of the list in `work`, made if it is new. */
static int intern_list(struct builder *b, __u32 *ret_state)
{
	struct automaton *automaton = b->automaton;
	size_t known = automaton->state_count;
	int r;

	b->work_count = prune_list(&b->prune, b->work, b->work_count);
	sort_numbers(b->work, b->work_count);
	r = words_push_all(&b->positions, b->work, b->work_count);
	if (!r)
		r = words_close(&b->positions, ret_state);
	if (r || *ret_state < known)
		return r;
	if (known == COMPILE_STATES_MAX || b->positions.item_count > AUTOMATON_POSITIONS_MAX)
		return -E2BIG;
	r = grow(&automaton->states, &automaton->state_room, known + 1, sizeof(*automaton->states));
	if (r)
		return r;
	automaton->states[known] = (struct automaton_state){ 0 };
	automaton->state_count++;
	return 0;
}

static int add_pending(struct builder *b, __u32 class, __u32 target)
{
	int r;

	r = grow(&b->pending, &b->pending_room, b->pending_count + 1, sizeof(*b->pending));
	if (r)
		return r;
	b->pending[b->pending_count] = (struct pending){ target, b->by_class[class] };
	b->by_class[class] = (__u32)b->pending_count++;
	b->mentioned[class >> 6] |= 1ULL << (class & 63);
	return 0;
}

static int add_set_pending(struct builder *b, const struct nfa_edge *edge)
{
	const struct glob_set *set = &b->nfa->sets[edge->set];
	__u32 seen[8] = { 0 };
	int r;

	/* What is not in a class may be in the set, but not what ends a word. */
	for (unsigned int byte = b->nfa->commands; byte < 256; byte++) {
		__u32 class = b->nfa->class_of[byte];

		if (!glob_set_has(set, (__u8)byte) || seen[class >> 5] >> (class & 31) & 1)
			continue;
		seen[class >> 5] |= 1U << (class & 31);
		r = add_pending(b, class, edge->target);
		if (r)
			return r;
	}
	return 0;
}

static int add_accepts(struct builder *b, const struct nfa_node *node)
{
	int r;

	for (__u32 i = node->accepts; i != NFA_NONE; i = b->nfa->accepts[i].sibling) {
		r = grow(&b->rules, &b->rule_room, b->rule_count + 1, sizeof(*b->rules));
		if (r)
			return r;
		b->rules[b->rule_count++] = b->nfa->accepts[i].rule;
	}
	return 0;
}

/* What a node of the state at hand contributes to each class. */
static int gather_node(struct builder *b, __u32 index)
{
	const struct nfa_node *node = &b->nfa->nodes[index];
	int r;

	if (node->loop == NFA_LOOP_STAR)
		b->loops[b->loop_count++] = index;
	if (node->loop == NFA_LOOP_DEEP)
		b->deeps[b->deep_count++] = index;
	if (node->loop == NFA_LOOP_REST)
		b->rests[b->rest_count++] = index;
	for (__u32 i = node->edges; i != NFA_NONE; i = b->nfa->edges[i].sibling) {
		const struct nfa_edge *edge = &b->nfa->edges[i];

		r = 0;
		if (edge->kind == GLOB_ONE)
			b->loops[b->loop_count++] = edge->target;
		else if (edge->kind == GLOB_ANY_ONE)
			b->deeps[b->deep_count++] = edge->target;
		else if (edge->kind == GLOB_BYTE)
			r = add_pending(b, b->nfa->class_of[edge->byte], edge->target);
		else
			r = add_set_pending(b, edge);
		if (r)
			return r;
	}
	return add_accepts(b, node);
}

/* The successor by @class of the state at hand. */
static int find_target(struct builder *b, __u32 class, __u32 *ret_state)
{
	bool ends_word = b->nfa->commands && class == b->nfa->class_of['\0'];
	bool slash = class == b->nfa->class_of['/'];

	b->stamp++;
	b->work_count = 0;
	for (size_t i = 0; i < b->rest_count; i++)
		add_closure(b, b->rests[i]);
	for (size_t i = 0; i < b->deep_count && !ends_word; i++)
		add_closure(b, b->deeps[i]);
	for (size_t i = 0; i < b->loop_count && !ends_word && !slash; i++)
		add_closure(b, b->loops[i]);
	for (__u32 i = b->by_class[class]; i != NFA_NONE; i = b->pending[i].next)
		add_closure(b, b->pending[i].target);
	return intern_list(b, ret_state);
}

static int add_row_edge(struct builder *b, __u32 state, __u32 class, __u32 target)
{
	struct automaton *automaton = b->automaton;
	int r;

	if (target == automaton->states[state].other)
		return 0;
	if (automaton->edge_count == AUTOMATON_EDGES_MAX)
		return -E2BIG;
	r = grow(&automaton->edges, &automaton->edge_room, automaton->edge_count + 1,
		 sizeof(*automaton->edges));
	if (r)
		return r;
	automaton->edges[automaton->edge_count++] = (struct automaton_edge){ class, target };
	automaton->states[state].edge_count++;
	return 0;
}

/* The edges of the classes in @mentioned, ascending, and forget what is pending for them. */
static int make_edges(struct builder *b, __u32 state)
{
	__u32 target;
	int r;

	for (__u32 word = 0; word < 4; word++) {
		for (__u64 left = b->mentioned[word]; left; left &= left - 1) {
			__u32 class = word * 64 + (__u32)__builtin_ctzll(left);

			r = find_target(b, class, &target);
			if (!r)
				r = add_row_edge(b, state, class, target);
			if (r)
				return r;
			b->by_class[class] = NFA_NONE;
		}
		b->mentioned[word] = 0;
	}
	return 0;
}

static int make_row(struct builder *b, __u32 state)
{
	struct automaton *automaton = b->automaton;
	__u32 slash = b->nfa->class_of['/'];
	__u32 other = b->nfa->other;
	__u32 target;
	int r;

	automaton->states[state].edges = (__u32)automaton->edge_count;
	b->mentioned[slash >> 6] |= 1ULL << (slash & 63);
	/* NUL's is class 0. */
	b->mentioned[0] |= b->nfa->commands;
	r = find_target(b, other, &target);
	if (r)
		return r;
	automaton->states[state].other = target;
	/* When an edge decides for that class, the classes without edge are the exceptions. */
	if (b->mentioned[other >> 6] >> (other & 63) & 1)
		for (__u32 class = 0; class < b->nfa->classes; class ++)
			b->mentioned[class >> 6] |= 1ULL << (class & 63);
	return make_edges(b, state);
}

static int expand_state(struct builder *b, __u32 state)
{
	const struct words_run list = b->positions.runs[state];
	int r;

	b->pending_count = 0;
	b->loop_count = 0;
	b->deep_count = 0;
	b->rest_count = 0;
	b->rule_count = 0;
	for (__u32 i = 0; i < list.count; i++) {
		r = gather_node(b, b->positions.items[list.start + i]);
		if (r)
			return r;
	}
	r = sets_intern(b->sets, b->rules, b->rule_count, &b->automaton->states[state].set);
	if (r)
		return r == -E2BIG ? -EOVERFLOW : r;
	return make_row(b, state);
}

static int allocate(struct builder *b)
{
	size_t nodes = b->nfa->node_count;

	memset(b->by_class, 0xff, sizeof(b->by_class));
	/* A node is in `loops` for its own loop and as the target of a '?' of its parent. */
	b->work = calloc(nodes, sizeof(*b->work));
	b->marks = calloc(nodes, sizeof(*b->marks));
	b->loops = calloc(nodes * 2, sizeof(*b->loops));
	b->deeps = calloc(nodes * 2, sizeof(*b->deeps));
	b->rests = calloc(nodes, sizeof(*b->rests));
	return b->work && b->marks && b->loops && b->deeps && b->rests ? 0 : -ENOMEM;
}

/* An automaton always has arrays, also when they hold nothing: rows may point to their start. */
static int allocate_rows(struct automaton *automaton)
{
	int r;

	r = grow(&automaton->edges, &automaton->edge_room, 1, sizeof(*automaton->edges));
	return r ? r :
		   grow(&automaton->states, &automaton->state_room, 1, sizeof(*automaton->states));
}

static void reset_builder(struct builder *b)
{
	prune_reset(&b->prune);
	words_reset(&b->positions);
	free(b->work);
	free(b->marks);
	free(b->pending);
	free(b->loops);
	free(b->deeps);
	free(b->rests);
	free(b->rules);
}

int automaton_build(struct automaton *automaton, const struct nfa *nfa, struct sets *sets,
		    __u32 *ret_active)
{
	CLEAN(reset_builder)
	struct builder b = { .nfa = nfa, .automaton = automaton, .sets = sets };
	__u32 dead;
	int r;

	automaton->classes = nfa->classes;
	memcpy(automaton->class_of, nfa->class_of, sizeof(automaton->class_of));
	r = allocate(&b);
	if (!r)
		r = allocate_rows(automaton);
	if (!r)
		r = prune_init(&b.prune, nfa, sets->numbered);
	if (!r)
		r = intern_list(&b, &dead);
	if (r)
		return r;
	b.stamp++;
	add_closure(&b, 0);
	r = intern_list(&b, &automaton->start);
	for (__u32 i = 0; !r && i < automaton->state_count; i++)
		r = expand_state(&b, i);
	if (r == -E2BIG)
		for (size_t i = 0; i < b.positions.item_count; i++)
			ret_active[b.positions.items[i]]++;
	return r;
}

void automaton_reset(struct automaton *automaton)
{
	free(automaton->states);
	free(automaton->edges);
	*automaton = (struct automaton){ 0 };
}

__u32 automaton_next(const struct automaton *automaton, __u32 state, __u32 class)
{
	const struct automaton_state *row = &automaton->states[state];

	for (__u32 i = 0; i < row->edge_count; i++)
		if (automaton->edges[row->edges + i].class == class)
			return automaton->edges[row->edges + i].target;
	return row->other;
}
