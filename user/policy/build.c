/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building, and the search for those to blame: a pattern's score is the number of states that its
 * nodes are active in.
 */
#include "policy/build.h"

#include <errno.h>

#include "base/mem.h"
#include "policy/compile.h"

/* How many patterns an explosion names. */
#define NAMED_MAX 5

/* What a pattern's own nodes contribute to the states: shared nodes count by their share. */
struct blame {
	const __u32 *active; /* states a node was active in */
	__u32 *sharers; /* patterns that pass a node */
	double score;
	bool counting;
};

static void visit_node(void *context, __u32 node)
{
	struct blame *blame = context;

	if (blame->counting)
		blame->sharers[node]++;
	else
		blame->score += (double)blame->active[node] / blame->sharers[node];
}

struct suspect {
	__u32 rule;
	double score;
};

static int compare_suspects(const void *a, const void *b)
{
	const struct suspect *left = a;
	const struct suspect *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return (left->rule > right->rule) - (left->rule < right->rule);
}

static void blame_rule(const struct build_source *source, __u32 number, struct blame *blame)
{
	struct nfa_trace trace = { source->nfa, visit_node, blame };

	source->expand(source, number, nfa_trace_sequence, &trace);
}

static void name_suspects(const struct build_source *source, const struct suspect *suspects,
			  struct diag_list *diags)
{
	const struct numbered *numbered = source->numbered;

	diag_hint(diag_add(diags, DIAG_ERROR, &numbered->rules[suspects[0].rule].pattern->pos,
			   "the %s of this policy together need more than %u states",
			   source->patterns, COMPILE_STATES_MAX),
		  "%s; the next findings are the costliest", source->advice);
	for (size_t i = 0; i < NAMED_MAX && i < numbered->count && suspects[i].score > 0; i++) {
		const struct policy_pattern *pattern = numbered->rules[suspects[i].rule].pattern;

		diag_add(diags, DIAG_ERROR, &pattern->pos, "'%s' is one of them", pattern->source);
	}
}

static int report_explosion(const struct build_source *source, const __u32 *active,
			    struct diag_list *diags)
{
	const struct numbered *numbered = source->numbered;
	CLEAN_FREE __u32 *sharers = calloc(source->nfa->node_count, sizeof(*sharers));
	CLEAN_FREE struct suspect *suspects = calloc(numbered->count, sizeof(*suspects));
	struct blame blame = { .active = active, .sharers = sharers, .counting = true };

	if (!sharers || !suspects)
		return -ENOMEM;
	for (__u32 i = 0; i < numbered->count; i++)
		blame_rule(source, i, &blame);
	blame.counting = false;
	for (__u32 i = 0; i < numbered->count; i++) {
		blame.score = 0;
		blame_rule(source, i, &blame);
		suspects[i] = (struct suspect){ i, blame.score };
	}
	qsort(suspects, numbered->count, sizeof(*suspects), compare_suspects);
	name_suspects(source, suspects, diags);
	return -EINVAL;
}

int build_automaton(struct automaton *automaton, const struct build_source *source,
		    struct sets *sets, struct diag_list *diags)
{
	CLEAN_FREE __u32 *active = calloc(source->nfa->node_count, sizeof(*active));
	int r;

	if (!active)
		return -ENOMEM;
	r = automaton_build(automaton, source->nfa, sets, active);
	if (r == -E2BIG)
		return report_explosion(source, active, diags);
	if (r == -EOVERFLOW) {
		sets_report_overflow(sets, source->key, diags);
		return -EINVAL;
	}
	return r ? r : automaton_minimise(automaton);
}
