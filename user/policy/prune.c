/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each node can still lead to, summed up from the leaves, and the lookup of what already holds.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "policy/prune.h"

/* Groups are numbered_rule's; these are no group. */
#define GROUP_NONE 0xfffffffeU /* leads to no rule */
#define GROUP_MIXED 0xffffffffU /* leads to rules of several groups */
#define ACCESS_MASKS 16

/* Rules that a node leads to. */
struct prune_node {
	__u32 lowest; /* rule number */
	__u32 group;
	__u8 access; /* of any of them */
	bool lasting; /* accepts here and ever after */
};

/* The lowest lasting rule of a group and access in the list at hand. */
struct prune_holder {
	__u32 stamp;
	__u32 rule;
	__u32 node;
};

static void merge(struct prune_node *into, const struct prune_node *from)
{
	if (from->group == GROUP_NONE)
		return;
	if (into->group == GROUP_NONE)
		into->group = from->group;
	else if (into->group != from->group)
		into->group = GROUP_MIXED;
	if (from->lowest < into->lowest)
		into->lowest = from->lowest;
	into->access |= from->access;
}

static void merge_node(struct prune *prune, struct prune_node *into, __u32 node)
{
	if (node != NFA_NONE)
		merge(into, &prune->nodes[node]);
}

static void sum_up(struct prune *prune, __u32 index)
{
	const struct nfa *nfa = prune->nfa;
	const struct nfa_node *node = &nfa->nodes[index];
	struct prune_node sum = { .lowest = NFA_NONE, .group = GROUP_NONE };

	for (__u32 i = node->accepts; i != NFA_NONE; i = nfa->accepts[i].sibling) {
		const struct numbered_rule *rule = &prune->numbered->rules[nfa->accepts[i].rule];

		merge(&sum, &(struct prune_node){
				    .lowest = nfa->accepts[i].rule,
				    .group = rule->group,
				    .access = rule->access,
			    });
	}
	for (__u32 i = node->edges; i != NFA_NONE; i = nfa->edges[i].sibling)
		merge_node(prune, &sum, nfa->edges[i].target);
	merge_node(prune, &sum, node->star);
	merge_node(prune, &sum, node->deep);
	merge_node(prune, &sum, node->rest);
	merge_node(prune, &sum, node->skip);
	sum.lasting = node->loop == (nfa->commands ? NFA_LOOP_REST : NFA_LOOP_DEEP) &&
		      node->accepts != NFA_NONE;
	prune->nodes[index] = sum;
}

int prune_init(struct prune *prune, const struct nfa *nfa, const struct numbered *numbered)
{
	prune->nfa = nfa;
	prune->numbered = numbered;
	prune->nodes = calloc(nfa->node_count, sizeof(*prune->nodes));
	prune->holders =
		calloc((size_t)numbered->groups * ACCESS_MASKS + 1, sizeof(*prune->holders));
	if (!prune->nodes || !prune->holders)
		return -ENOMEM;
	for (__u32 i = (__u32)nfa->node_count; i > 0; i--)
		sum_up(prune, i - 1);
	return 0;
}

/* A rule on some ports says nothing of the others: only those on all of them make rules useless. */
static bool has_all_ports(const struct numbered_rule *rule)
{
	return rule->port_count == 1 && rule->ports[0].low == 0 && rule->ports[0].high == 0xffff;
}

/* Note what holds for good at @index. */
static void hold(struct prune *prune, __u32 index)
{
	const struct nfa *nfa = prune->nfa;

	for (__u32 i = nfa->nodes[index].accepts; i != NFA_NONE; i = nfa->accepts[i].sibling) {
		__u32 number = nfa->accepts[i].rule;
		const struct numbered_rule *rule = &prune->numbered->rules[number];
		struct prune_holder *holder =
			&prune->holders[rule->group * ACCESS_MASKS + rule->access];

		if (!has_all_ports(rule))
			continue;
		if (holder->stamp == prune->stamp &&
		    (holder->rule < number || (holder->rule == number && holder->node < index)))
			continue;
		*holder = (struct prune_holder){ prune->stamp, number, index };
	}
}

/* True when a rule that holds makes all that @index leads to repetitions. */
static bool is_useless(const struct prune *prune, __u32 index)
{
	const struct prune_node *node = &prune->nodes[index];

	if (node->group >= prune->numbered->groups)
		return false;
	for (__u32 access = node->access; access < ACCESS_MASKS; access++) {
		const struct prune_holder *holder =
			&prune->holders[node->group * ACCESS_MASKS + access];

		if ((node->access & ~access) || holder->stamp != prune->stamp)
			continue;
		if (holder->rule < node->lowest ||
		    (holder->rule == node->lowest && holder->node != index))
			return true;
	}
	return false;
}

size_t prune_list(struct prune *prune, __u32 *nodes, size_t count)
{
	bool any = false;
	size_t kept = 0;

	prune->stamp++;
	for (size_t i = 0; i < count; i++) {
		if (!prune->nodes[nodes[i]].lasting)
			continue;
		hold(prune, nodes[i]);
		any = true;
	}
	if (!any)
		return count;
	for (size_t i = 0; i < count; i++)
		if (!is_useless(prune, nodes[i]))
			nodes[kept++] = nodes[i];
	return kept;
}

void prune_reset(struct prune *prune)
{
	free(prune->nodes);
	free(prune->holders);
	*prune = (struct prune){ 0 };
}
