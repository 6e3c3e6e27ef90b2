/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of all globs, its closures and byte classes. What a glob means beyond its tokens is
 * decided here: a deep star behind X also ends at X, and between slashes it may be left out.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/grow.h"
#include "policy/nfa.h"
#include "policy/nfa_share.h"

static int add_node(struct nfa *nfa, enum nfa_loop loop, __u32 *ret_node)
{
	int r;

	if (nfa->node_count == NFA_NODES_MAX)
		return -E2BIG;
	r = grow(&nfa->nodes, &nfa->node_room, nfa->node_count + 1, sizeof(*nfa->nodes));
	if (r)
		return r;
	nfa->nodes[nfa->node_count] = (struct nfa_node){
		.edges = NFA_NONE,
		.star = NFA_NONE,
		.deep = NFA_NONE,
		.rest = NFA_NONE,
		.skip = NFA_NONE,
		.accepts = NFA_NONE,
		.loop = loop,
	};
	*ret_node = (__u32)nfa->node_count++;
	return 0;
}

int nfa_init(struct nfa *nfa)
{
	__u32 root;

	return add_node(nfa, NFA_LOOP_NONE, &root);
}

static int intern_set(struct nfa *nfa, const struct glob_set *set, __u32 *ret_index)
{
	int r;

	for (size_t i = 0; i < nfa->set_count; i++) {
		if (memcmp(&nfa->sets[i], set, sizeof(*set)) == 0) {
			*ret_index = (__u32)i;
			return 0;
		}
	}
	r = grow(&nfa->sets, &nfa->set_room, nfa->set_count + 1, sizeof(*nfa->sets));
	if (r)
		return r;
	nfa->sets[nfa->set_count] = *set;
	*ret_index = (__u32)nfa->set_count++;
	return 0;
}

static bool same_edge(const struct nfa *nfa, const struct nfa_edge *edge,
		      const struct glob_token *token)
{
	if (edge->kind != token->kind)
		return false;
	if (token->kind == GLOB_BYTE)
		return edge->byte == token->byte;
	if (token->kind == GLOB_SET)
		return memcmp(&nfa->sets[edge->set], token->set, sizeof(*token->set)) == 0;
	return true;
}

/* The loop of the child by @token. */
static enum nfa_loop loop_of(const struct glob_token *token)
{
	switch (token->kind) {
	case GLOB_STAR:
		return NFA_LOOP_STAR;
	case GLOB_DEEP:
	case GLOB_ANY:
		return NFA_LOOP_DEEP;
	case GLOB_REST:
		return NFA_LOOP_REST;
	default:
		return NFA_LOOP_NONE;
	}
}

/* Where @node keeps its child with @loop. */
static __u32 *loop_child(struct nfa_node *node, enum nfa_loop loop)
{
	return loop == NFA_LOOP_STAR ? &node->star :
	       loop == NFA_LOOP_DEEP ? &node->deep :
				       &node->rest;
}

/* The child of @node by @token, or NFA_NONE. */
static __u32 find_child(const struct nfa *nfa, __u32 node, const struct glob_token *token)
{
	enum nfa_loop loop = loop_of(token);

	if (loop)
		return *loop_child(&nfa->nodes[node], loop);
	for (__u32 i = nfa->nodes[node].edges; i != NFA_NONE; i = nfa->edges[i].sibling)
		if (same_edge(nfa, &nfa->edges[i], token))
			return nfa->edges[i].target;
	return NFA_NONE;
}

static int add_edge(struct nfa *nfa, __u32 node, const struct glob_token *token, __u32 target)
{
	struct nfa_edge edge = {
		.target = target,
		.sibling = nfa->nodes[node].edges,
		.kind = (__u8)token->kind,
		.byte = token->byte,
	};
	int r;

	if (token->kind == GLOB_SET) {
		r = intern_set(nfa, token->set, &edge.set);
		if (r)
			return r;
	}
	r = grow(&nfa->edges, &nfa->edge_room, nfa->edge_count + 1, sizeof(*nfa->edges));
	if (r)
		return r;
	nfa->edges[nfa->edge_count] = edge;
	nfa->nodes[node].edges = (__u32)nfa->edge_count++;
	return 0;
}

static int make_child(struct nfa *nfa, __u32 node, const struct glob_token *token, __u32 *ret_node)
{
	enum nfa_loop loop = loop_of(token);
	int r;

	*ret_node = find_child(nfa, node, token);
	if (*ret_node != NFA_NONE)
		return 0;
	r = add_node(nfa, loop, ret_node);
	if (r)
		return r;
	if (!loop)
		return add_edge(nfa, node, token, *ret_node);
	*loop_child(&nfa->nodes[node], loop) = *ret_node;
	return 0;
}

static int add_accept(struct nfa *nfa, __u32 node, __u32 rule)
{
	__u32 first = nfa->nodes[node].accepts;
	int r;

	/* Rules come in order: a repetition by another alternative is the latest entry. */
	if (first != NFA_NONE && nfa->accepts[first].rule == rule)
		return 0;
	r = grow(&nfa->accepts, &nfa->accept_room, nfa->accept_count + 1, sizeof(*nfa->accepts));
	if (r)
		return r;
	nfa->accepts[nfa->accept_count] = (struct nfa_accept){ rule, first };
	nfa->nodes[node].accepts = (__u32)nfa->accept_count++;
	return 0;
}

/* True when the token at @at and the one before it may be left out behind the one before both. */
static bool may_skip(const struct glob_token *tokens, size_t at)
{
	if (at < 2 || tokens[at].kind != GLOB_BYTE)
		return false;
	return (tokens[at].byte == '/' && tokens[at - 1].kind == GLOB_DEEP) ||
	       (tokens[at].byte == '\0' && tokens[at - 1].kind == GLOB_REST);
}

int nfa_add_sequence(void *context, const struct glob_token *tokens, size_t count)
{
	struct nfa_addition *addition = context;
	struct nfa *nfa = addition->nfa;
	CLEAN_FREE __u32 *after = calloc(count, sizeof(*after));
	__u32 node = 0;
	int r;

	if (!after)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		r = make_child(nfa, node, &tokens[i], &node);
		if (r)
			return r;
		after[i] = node;
		/* Between slashes or NULs: what follows may also come right behind the first one. */
		if (may_skip(tokens, i))
			nfa->nodes[after[i - 2]].skip = node;
	}
	r = add_accept(nfa, node, addition->rule);
	/* A deep star at the end stands for what is before it too; the root has its slash. */
	while (!r && count > 2 && tokens[count - 1].kind == GLOB_DEEP) {
		count -= 2;
		r = add_accept(nfa, after[count - 1], addition->rule);
	}
	return r;
}

int nfa_add(struct nfa *nfa, struct glob *glob, __u32 rule)
{
	struct nfa_addition addition = { nfa, rule };

	return glob_expand(glob, nfa_add_sequence, &addition);
}

int nfa_trace_sequence(void *context, const struct glob_token *tokens, size_t count)
{
	const struct nfa_trace *trace = context;
	__u32 node = 0;

	for (size_t i = 0; i < count && node != NFA_NONE; i++) {
		node = find_child(trace->nfa, node, &tokens[i]);
		if (node != NFA_NONE)
			trace->visit(trace->context, node);
	}
	return 0;
}

static int append_closure(struct nfa *nfa, struct nfa_node *node, __u32 of)
{
	const struct nfa_node *from = of == NFA_NONE ? NULL : &nfa->nodes[of];
	int r;

	if (!from)
		return 0;
	r = grow(&nfa->closures, &nfa->closure_room, nfa->closure_count + from->closure_count,
		 sizeof(*nfa->closures));
	if (r)
		return r;
	memcpy(nfa->closures + nfa->closure_count, nfa->closures + from->closure,
	       from->closure_count * sizeof(*nfa->closures));
	nfa->closure_count += from->closure_count;
	node->closure_count += from->closure_count;
	return 0;
}

/* Closure of one node whose children have theirs. A node that leads nowhere is left out. */
static int close_node(struct nfa *nfa, __u32 index)
{
	struct nfa_node *node = &nfa->nodes[index];
	int r;

	node->closure = (__u32)nfa->closure_count;
	if (node->loop || node->edges != NFA_NONE || node->accepts != NFA_NONE) {
		r = grow(&nfa->closures, &nfa->closure_room, nfa->closure_count + 1,
			 sizeof(*nfa->closures));
		if (r)
			return r;
		nfa->closures[nfa->closure_count++] = index;
		node->closure_count = 1;
	}
	r = append_closure(nfa, node, node->star);
	if (!r)
		r = append_closure(nfa, node, node->deep);
	if (!r)
		r = append_closure(nfa, node, node->rest);
	if (!r)
		r = append_closure(nfa, node, node->skip);
	return nfa->closure_count > NFA_NODES_MAX * 2 ? -E2BIG : r;
}

/* Split every class by membership in @set; classes are numbered by their first byte. */
static void split_classes(struct nfa *nfa, const struct glob_set *set)
{
	__u16 number[2][256];

	memset(number, 0xff, sizeof(number));
	nfa->classes = 0;
	for (unsigned int byte = 0; byte < 256; byte++) {
		__u16 *slot = &number[glob_set_has(set, (__u8)byte)][nfa->class_of[byte]];

		if (*slot == 0xffff)
			*slot = (__u16)nfa->classes++;
		nfa->class_of[byte] = (__u8)*slot;
	}
}

static void make_classes(struct nfa *nfa)
{
	struct glob_set mentioned = { { 0 } };

	glob_set_add(&mentioned, '/');
	if (nfa->commands)
		glob_set_add(&mentioned, '\0');
	for (size_t i = 0; i < nfa->edge_count; i++)
		if (nfa->edges[i].kind == GLOB_BYTE)
			glob_set_add(&mentioned, nfa->edges[i].byte);
	for (unsigned int byte = 0; byte < 256; byte++) {
		struct glob_set single = { { 0 } };

		if (!glob_set_has(&mentioned, (__u8)byte))
			continue;
		glob_set_add(&single, (__u8)byte);
		split_classes(nfa, &single);
	}
	for (size_t i = 0; i < nfa->set_count; i++)
		split_classes(nfa, &nfa->sets[i]);
	/* Of paths NUL's class has all bytes that no pattern names; here that of byte 1 does. */
	nfa->other = nfa->class_of[nfa->commands];
}

int nfa_finish(struct nfa *nfa)
{
	int r;

	r = nfa_share(nfa);
	/* Children and skipped-to nodes are younger than what leads to them. */
	for (__u32 i = (__u32)nfa->node_count; i > 0 && !r; i--)
		r = close_node(nfa, i - 1);
	if (r)
		return r;
	make_classes(nfa);
	return nfa->classes > NFA_CLASSES_MAX ? -E2BIG : 0;
}

int nfa_share_classes(struct nfa *a, struct nfa *b)
{
	static const __u16 none = 0xffff;
	__u16 number[256][256];
	__u32 count = 0;

	memset(number, 0xff, sizeof(number));
	for (unsigned int byte = 0; byte < 256; byte++) {
		__u16 *slot = &number[a->class_of[byte]][b->class_of[byte]];

		if (*slot == none)
			*slot = (__u16)count++;
		a->class_of[byte] = (__u8)*slot;
		b->class_of[byte] = (__u8)*slot;
	}
	a->classes = count;
	b->classes = count;
	return count > NFA_CLASSES_MAX ? -E2BIG : 0;
}

void nfa_reset(struct nfa *nfa)
{
	free(nfa->nodes);
	free(nfa->edges);
	free(nfa->accepts);
	free(nfa->sets);
	free(nfa->closures);
	*nfa = (struct nfa){ 0 };
}
