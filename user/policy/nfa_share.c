/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bottom-up hashing of the tree: a node's signature is what it does and where it goes, in terms of
 * nodes that already stand for all their like.
 */
#include "base/mem.h"
#include "policy/grow.h"
#include "policy/nfa_share.h"
#include "policy/words.h"

struct sharing {
	struct nfa *nfa;
	__u32 *stands_for; /* by node: the node to use instead */
	struct words signatures;
	__u32 *originals; /* by signature: the node that stands for all that have it */
	struct nfa_edge *edges; /* of the node at hand */
	size_t edge_count, edge_room;
};

static void reset_sharing(struct sharing *s)
{
	free(s->stands_for);
	words_reset(&s->signatures);
	free(s->originals);
	free(s->edges);
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
	struct words *words = &s->signatures;
	int r;

	redirect(s, &node->star);
	redirect(s, &node->deep);
	redirect(s, &node->rest);
	redirect(s, &node->skip);
	r = list_edges(s, node);
	if (!r)
		r = words_push(words, node->loop);
	if (!r)
		r = words_push(words, node->star);
	if (!r)
		r = words_push(words, node->deep);
	if (!r)
		r = words_push(words, node->rest);
	if (!r)
		r = words_push(words, node->skip);
	for (size_t i = 0; i < s->edge_count && !r; i++) {
		r = words_push(words, (__u32)s->edges[i].kind << 8 | s->edges[i].byte);
		if (!r)
			r = words_push(words, s->edges[i].set);
		if (!r)
			r = words_push(words, s->edges[i].target);
	}
	if (!r)
		r = words_push(words, NFA_NONE);
	for (__u32 i = node->accepts; i != NFA_NONE && !r; i = s->nfa->accepts[i].sibling)
		r = words_push(words, s->nfa->accepts[i].rule);
	return r;
}

/* Find the node that stands for @index, or let it stand for itself and those to come. */
static int share_node(struct sharing *s, __u32 index)
{
	size_t known = s->signatures.run_count;
	__u32 signature;
	int r;

	r = add_signature(s, &s->nfa->nodes[index]);
	if (!r)
		r = words_close(&s->signatures, &signature);
	if (r)
		return r;
	if (signature == known)
		s->originals[signature] = index;
	s->stands_for[index] = s->originals[signature];
	return 0;
}

int nfa_share(struct nfa *nfa)
{
	CLEAN(reset_sharing) struct sharing s = { .nfa = nfa };
	int r = 0;

	s.stands_for = calloc(nfa->node_count, sizeof(*s.stands_for));
	s.originals = calloc(nfa->node_count, sizeof(*s.originals));
	if (!s.stands_for || !s.originals)
		return -ENOMEM;
	/* Whatever a node refers to is younger and has been seen. */
	for (__u32 i = (__u32)nfa->node_count; i > 0 && !r; i--)
		r = share_node(&s, i - 1);
	return r;
}
