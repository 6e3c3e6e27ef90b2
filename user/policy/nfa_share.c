/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bottom-up hashing of the tree: a node's signature is what it does and where it goes, in terms of
 * nodes that already stand for all their like.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/grow.h"
#include "policy/nfa_share.h"

/* A node that stands for all of its signature. */
struct original {
	size_t start; /* signature in `words` */
	__u32 count;
	__u32 hash;
	__u32 node;
};

struct sharing {
	struct nfa *nfa;
	__u32 *stands_for; /* by node: the node to use instead */
	__u32 *words;
	size_t word_count, word_room;
	struct original *originals;
	size_t original_count, original_room;
	__u32 *table; /* original + 1 by hash, 0 = free */
	size_t table_room; /* power of two, over twice the nodes */
	struct nfa_edge *edges; /* of the node at hand */
	size_t edge_count, edge_room;
};

static void reset_sharing(struct sharing *s)
{
	free(s->stands_for);
	free(s->words);
	free(s->originals);
	free(s->table);
	free(s->edges);
}

static int add_word(struct sharing *s, __u32 word)
{
	int r;

	r = grow(&s->words, &s->word_room, s->word_count + 1, sizeof(*s->words));
	if (!r)
		s->words[s->word_count++] = word;
	return r;
}

static void redirect(const struct sharing *s, __u32 *node)
{
	if (*node != NFA_NONE)
		*node = s->stands_for[*node];
}

static int compare_edges(const void *a, const void *b)
{
	const struct nfa_edge *left = a;
	const struct nfa_edge *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->byte != right->byte)
		return left->byte < right->byte ? -1 : 1;
	return (left->set > right->set) - (left->set < right->set);
}

/* Redirect the edges of @node and list them in an order that does not depend on their history. */
static int list_edges(struct sharing *s, const struct nfa_node *node)
{
	int r;

	s->edge_count = 0;
	for (__u32 i = node->edges; i != NFA_NONE; i = s->nfa->edges[i].sibling) {
		redirect(s, &s->nfa->edges[i].target);
		r = grow(&s->edges, &s->edge_room, s->edge_count + 1, sizeof(*s->edges));
		if (r)
			return r;
		s->edges[s->edge_count++] = s->nfa->edges[i];
	}
	if (s->edge_count > 1)
		qsort(s->edges, s->edge_count, sizeof(*s->edges), compare_edges);
	return 0;
}

/* Append the signature of @node, whose references are redirected on the way. */
static int add_signature(struct sharing *s, struct nfa_node *node)
{
	int r;

	redirect(s, &node->star);
	redirect(s, &node->deep);
	redirect(s, &node->skip);
	r = list_edges(s, node);
	if (!r)
		r = add_word(s, node->loop);
	if (!r)
		r = add_word(s, node->star);
	if (!r)
		r = add_word(s, node->deep);
	if (!r)
		r = add_word(s, node->skip);
	for (size_t i = 0; i < s->edge_count && !r; i++) {
		r = add_word(s, (__u32)s->edges[i].kind << 8 | s->edges[i].byte);
		if (!r)
			r = add_word(s, s->edges[i].set);
		if (!r)
			r = add_word(s, s->edges[i].target);
	}
	if (!r)
		r = add_word(s, NFA_NONE);
	for (__u32 i = node->accepts; i != NFA_NONE && !r; i = s->nfa->accepts[i].sibling)
		r = add_word(s, s->nfa->accepts[i].rule);
	return r;
}

static __u32 hash_words(const __u32 *words, size_t count)
{
	__u64 hash = count;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return (__u32)(hash ^ hash >> 32);
}

/* Find the node that stands for @index, or let it stand for itself and those to come. */
static int share_node(struct sharing *s, __u32 index)
{
	size_t start = s->word_count;
	struct original own = { .start = start, .node = index };
	size_t at;
	int r;

	r = add_signature(s, &s->nfa->nodes[index]);
	if (!r)
		r = grow(&s->originals, &s->original_room, s->original_count + 1,
			 sizeof(*s->originals));
	if (r)
		return r;
	own.count = (__u32)(s->word_count - start);
	own.hash = hash_words(s->words + start, own.count);
	for (at = own.hash & (s->table_room - 1); s->table[at];
	     at = (at + 1) & (s->table_room - 1)) {
		const struct original *other = &s->originals[s->table[at] - 1];

		if (other->hash != own.hash || other->count != own.count ||
		    memcmp(s->words + other->start, s->words + start,
			   own.count * sizeof(*s->words)) != 0)
			continue;
		s->word_count = start;
		s->stands_for[index] = other->node;
		return 0;
	}
	s->originals[s->original_count++] = own;
	s->table[at] = (__u32)s->original_count;
	s->stands_for[index] = index;
	return 0;
}

int nfa_share(struct nfa *nfa)
{
	CLEAN(reset_sharing) struct sharing s = { .nfa = nfa, .table_room = 64 };
	int r = 0;

	while (s.table_room < nfa->node_count * 2)
		s.table_room *= 2;
	s.stands_for = calloc(nfa->node_count, sizeof(*s.stands_for));
	s.table = calloc(s.table_room, sizeof(*s.table));
	if (!s.stands_for || !s.table)
		return -ENOMEM;
	/* Whatever a node refers to is younger and has been seen. */
	for (__u32 i = (__u32)nfa->node_count; i > 0 && !r; i--)
		r = share_node(&s, i - 1);
	return r;
}
