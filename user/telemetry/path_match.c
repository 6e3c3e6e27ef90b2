/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The set of nodes that the bytes so far lead to is kept from byte to byte: time is bounded by the
 * length of the path times that of the glob, whatever either holds.
 */
#include "telemetry/path_match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/nfa.h"

/* Nodes that are active at once; each is listed once. */
struct active {
	__u32 *nodes;
	bool *marked;
	size_t count;
};

struct path_match {
	struct nfa nfa;
	struct active now, next;
};

static int active_init(struct active *active, size_t count)
{
	active->nodes = calloc(count, sizeof(*active->nodes));
	active->marked = calloc(count, sizeof(*active->marked));
	return active->nodes && active->marked ? 0 : -ENOMEM;
}

static void active_reset(struct active *active)
{
	free(active->nodes);
	free(active->marked);
}

static void active_clear(struct active *active)
{
	for (size_t i = 0; i < active->count; i++)
		active->marked[active->nodes[i]] = false;
	active->count = 0;
}

/* Add @node and all that it leads to without a byte. */
static void active_add(struct active *active, const struct nfa *nfa, __u32 node)
{
	const struct nfa_node *from = &nfa->nodes[node];

	for (__u32 i = 0; i < from->closure_count; i++) {
		__u32 member = nfa->closures[from->closure + i];

		if (active->marked[member])
			continue;
		active->marked[member] = true;
		active->nodes[active->count++] = member;
	}
}

static bool eats(const struct nfa *nfa, const struct nfa_edge *edge, unsigned char byte)
{
	switch (edge->kind) {
	case GLOB_BYTE:
		return edge->byte == byte;
	case GLOB_SET:
		return glob_set_has(&nfa->sets[edge->set], byte);
	default:
		return edge->kind == GLOB_ONE && byte != '/';
	}
}

static void step(struct path_match *match, unsigned char byte)
{
	const struct nfa *nfa = &match->nfa;
	struct active spare;

	for (size_t i = 0; i < match->now.count; i++) {
		const struct nfa_node *node = &nfa->nodes[match->now.nodes[i]];

		if (node->loop == NFA_LOOP_DEEP || (node->loop == NFA_LOOP_STAR && byte != '/'))
			active_add(&match->next, nfa, match->now.nodes[i]);
		for (__u32 e = node->edges; e != NFA_NONE; e = nfa->edges[e].sibling) {
			if (eats(nfa, &nfa->edges[e], byte))
				active_add(&match->next, nfa, nfa->edges[e].target);
		}
	}
	active_clear(&match->now);
	spare = match->now;
	match->now = match->next;
	match->next = spare;
}

bool path_match_test(struct path_match *match, const char *bytes, size_t length)
{
	bool accepted = false;

	active_clear(&match->now);
	active_add(&match->now, &match->nfa, 0);
	for (size_t i = 0; i < length && match->now.count > 0; i++)
		step(match, (unsigned char)bytes[i]);
	for (size_t i = 0; i < match->now.count; i++)
		accepted = accepted || match->nfa.nodes[match->now.nodes[i]].accepts != NFA_NONE;
	return accepted;
}

int path_match_new(const char *text, struct path_match **ret_match, struct glob_error *reterr)
{
	CLEAN(path_match_free) struct path_match *match = calloc(1, sizeof(*match));
	CLEAN(glob_free) struct glob *glob = NULL;
	int r;

	if (!match)
		return -ENOMEM;
	r = glob_parse(text, &glob, reterr);
	if (!r)
		r = nfa_init(&match->nfa);
	if (!r)
		r = nfa_add(&match->nfa, glob, 0);
	if (!r)
		r = nfa_finish(&match->nfa);
	if (!r)
		r = active_init(&match->now, match->nfa.node_count);
	if (!r)
		r = active_init(&match->next, match->nfa.node_count);
	if (!r)
		*ret_match = TAKE_PTR(match);
	return r;
}

void path_match_free(struct path_match **match)
{
	if (!*match)
		return;
	nfa_reset(&(*match)->nfa);
	active_reset(&(*match)->now);
	active_reset(&(*match)->next);
	free(*match);
	*match = NULL;
}
