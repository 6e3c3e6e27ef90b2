/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers of listening sockets. A packet tells the peer's address and the local port, so that is all
 * that a rule about peers can depend on: two rules with different peers cannot share a port.
 */
#include "policy/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/address.h"
#include "policy/pattern.h"
#include "policy/rules.h"

/** A rule about peers while its patterns are made. */
struct peers {
	const struct policy_rule *listen;
	struct policy_rule rule; /* owned */
};

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

/* Take what is in @pattern. */
static int append(struct policy_rule *rule, struct policy_pattern *pattern)
{
	int r = FRONT_APPEND(&rule->patterns, &rule->pattern_count, pattern);

	if (r == 0)
		*pattern = (struct policy_pattern){ 0 };
	return r;
}

/* Add the ports of one pattern. */
static int add_ports(struct policy_pattern *to, const struct policy_pattern *from)
{
	int r = 0;

	for (size_t i = 0; i < from->port_count && r == 0; i++)
		r = FRONT_APPEND(&to->ports, &to->port_count, &from->ports[i]);
	return r;
}

static bool any_port(const struct policy_pattern *pattern)
{
	return pattern->port_count == 1 && pattern->ports->low == 0 &&
	       pattern->ports->high == 0xffff;
}

static int add_peer(struct front *front, const struct node *text, void *into)
{
	struct peers *peers = into;
	const struct policy_rule *listen = peers->listen;
	CLEAN(pattern_reset) struct policy_pattern pattern = { 0 };
	bool made = false;
	int r = pattern_make(front, text, &peers->rule, &pattern, &made);

	if (r < 0 || !made)
		return r;
	if (!any_port(&pattern)) {
		diag_hint(node_error(text, front->diags, "a peer of 'from' has ports"),
			  "the ports that are listened on stand in the rule's 'allow'");
		return 0;
	}
	free(pattern.ports);
	pattern.ports = NULL;
	pattern.port_count = 0;
	for (size_t i = 0; i < listen->pattern_count && r == 0; i++)
		r = add_ports(&pattern, &listen->patterns[i]);
	return r < 0 ? r : append(&peers->rule, &pattern);
}

/* Everybody, at the ports of one pattern and in its words. */
static int add_everybody(struct policy_rule *rule, const struct policy_pattern *listen)
{
	CLEAN(pattern_reset) struct policy_pattern pattern = { .pos = listen->pos };
	CLEAN(address_match_reset) struct address_match all = { 0 };
	struct address_error error;
	int r = address_parse("@any", &all, &error);

	if (r == 0)
		r = copy_text(&pattern.source, listen->source);
	for (size_t i = 0; i < all.range_count && r == 0; i++)
		r = FRONT_APPEND(&pattern.ranges, &pattern.range_count, &all.ranges[i]);
	if (r == 0)
		r = add_ports(&pattern, listen);
	return r < 0 ? r : append(rule, &pattern);
}

static int make_patterns(struct front *front, const struct node *from, struct peers *peers)
{
	const struct policy_rule *listen = peers->listen;
	int r = 0;

	if (from && from->kind == NODE_LIST && from->count == 0) {
		diag_hint(node_error(from, front->diags, "'from' is an empty list"),
			  "a rule without 'from' lets everybody connect");
		return 0;
	}
	if (from)
		return front_each_text(front, from, "an address or network", add_peer, peers);
	for (size_t i = 0; i < listen->pattern_count && r == 0; i++)
		r = add_everybody(&peers->rule, &listen->patterns[i]);
	return r;
}

int listen_add_peers(struct front *front, const struct policy_rule *rule, const struct node *from)
{
	struct peers peers = {
		.listen = rule,
		.rule = { .pos = rule->pos,
			  .section = PK_SECTION_ACCEPT,
			  .verdict = PK_VERDICT_ALLOW,
			  .access = rule->access },
	};
	int r = 0;

	if (rule->verdict != PK_VERDICT_ALLOW) {
		/* Who may connect after an approval is for the approval to say. */
		if (from)
			diag_hint(node_error(from, front->diags,
					     "'from' belongs to rules that allow"),
				  "peers that no rule lets in are refused under 'default: deny'");
		return 0;
	}
	r = copy_text(&peers.rule.id, rule->id);
	if (r == 0)
		r = copy_text(&peers.rule.reason, rule->reason);
	if (r == 0)
		r = make_patterns(front, from, &peers);
	/* Without a pattern there was a finding. */
	if (r == 0 && peers.rule.pattern_count) {
		r = FRONT_APPEND(&front->policy->rules, &front->policy->rule_count, &peers.rule);
		if (r == 0)
			return 0;
	}
	rule_reset(&peers.rule);
	return r;
}

/** Ports that a rule lets its peers connect to. */
struct opening {
	struct policy_ports ports;
	const struct policy_rule *rule;
};

static int compare_openings(const void *a, const void *b)
{
	const struct opening *left = a;
	const struct opening *right = b;

	if (left->ports.low != right->ports.low)
		return left->ports.low < right->ports.low ? -1 : 1;
	return (left->rule > right->rule) - (left->rule < right->rule);
}

static bool has_range(const struct policy_rule *rule, const struct policy_range *range)
{
	for (size_t i = 0; i < rule->pattern_count; i++) {
		const struct policy_pattern *pattern = &rule->patterns[i];

		for (size_t j = 0; j < pattern->range_count; j++) {
			if (memcmp(&pattern->ranges[j], range, sizeof(*range)) == 0)
				return true;
		}
	}
	return false;
}

/* True when @b has all networks of @a, each as it is written. */
static bool has_peers(const struct policy_rule *a, const struct policy_rule *b)
{
	for (size_t i = 0; i < a->pattern_count; i++) {
		const struct policy_pattern *pattern = &a->patterns[i];

		for (size_t j = 0; j < pattern->range_count; j++) {
			if (!has_range(b, &pattern->ranges[j]))
				return false;
		}
	}
	return true;
}

static void report_overlap(struct front *front, const struct opening *a, const struct opening *b)
{
	const struct policy_rule *first = a->rule < b->rule ? a->rule : b->rule;
	const struct policy_rule *second = a->rule < b->rule ? b->rule : a->rule;

	diag_hint(diag_add(front->diags, DIAG_ERROR, &second->pos,
			   "this rule and the one at %s:%u:%u let different peers connect to port "
			   "%u",
			   first->pos.file, first->pos.line, first->pos.column, b->ports.low),
		  "a packet tells peer and port only: write the same 'from' in both, or share no "
		  "port");
}

/* All openings of a protocol, malloc'ed. */
static int collect(const struct policy *policy, __u8 access, struct opening **ret_openings,
		   size_t *ret_count)
{
	int r = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->section != PK_SECTION_ACCEPT || !(rule->access & access))
			continue;
		for (size_t j = 0; j < rule->pattern_count; j++) {
			const struct policy_pattern *pattern = &rule->patterns[j];

			for (size_t k = 0; k < pattern->port_count && r == 0; k++)
				r = FRONT_APPEND(ret_openings, ret_count,
						 &((struct opening){ pattern->ports[k], rule }));
		}
	}
	return r;
}

/*
 * Sorted by their first port, an opening is compared with the one that reaches farthest: whoever
 * else is still open there has the same peers as that one, or would have been found before.
 */
static int check_overlaps(struct front *front, __u8 access, bool *ret_found)
{
	CLEAN_FREE struct opening *openings = NULL;
	const struct opening *farthest = NULL;
	size_t count = 0;
	int r = collect(front->policy, access, &openings, &count);

	if (r < 0)
		return r;
	if (count)
		qsort(openings, count, sizeof(*openings), compare_openings);
	for (size_t i = 0; i < count; i++) {
		const struct opening *next = &openings[i];

		if (farthest && next->ports.low <= farthest->ports.high &&
		    next->rule != farthest->rule &&
		    !(has_peers(next->rule, farthest->rule) &&
		      has_peers(farthest->rule, next->rule))) {
			report_overlap(front, farthest, next);
			*ret_found = true;
			return 0;
		}
		if (!farthest || next->ports.high > farthest->ports.high)
			farthest = next;
	}
	return 0;
}

static bool same_place(const struct diag_pos *a, const struct diag_pos *b)
{
	return a->line == b->line && a->column == b->column;
}

/* Peers are named by nothing but `from`: where all others may connect too, it says nothing. */
static void check_default(struct front *front)
{
	const struct policy *policy = front->policy;

	if (policy->sections[PK_SECTION_LISTEN].default_verdict != PK_VERDICT_ALLOW)
		return;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		/* Behind the rule of listen that it is of; without `from` it has its words. */
		if (rule->section != PK_SECTION_ACCEPT ||
		    same_place(&rule->patterns->pos, &rule[-1].patterns->pos))
			continue;
		diag_hint(diag_add(front->diags, DIAG_ERROR, &rule->pos,
				   "'from' keeps nobody out under 'default: allow'"),
			  "write 'default: deny' in the section listen");
		return;
	}
}

int listen_check(struct front *front)
{
	struct policy *policy = front->policy;
	bool found = false;
	int r;

	policy->sections[PK_SECTION_ACCEPT] = policy->sections[PK_SECTION_LISTEN];
	check_default(front);
	r = check_overlaps(front, PK_ACCESS_TCP, &found);
	if (r == 0 && !found)
		r = check_overlaps(front, PK_ACCESS_UDP, &found);
	return r;
}
