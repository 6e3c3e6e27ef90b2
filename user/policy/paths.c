/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path half of a compilation: globs into one tree, the tree into one automaton. Explains what
 * went wrong when there are too many states.
 */
#include <errno.h>

#include "base/mem.h"
#include "policy/compile.h"
#include "policy/paths.h"

/* How many globs an explosion names. */
#define NAMED_MAX 5

static int add_glob(struct nfa *nfa, const struct numbered *numbered, __u32 number,
		    const char *text, struct diag_list *diags)
{
	const struct policy_pattern *pattern = numbered->rules[number].pattern;
	CLEAN(glob_free) struct glob *glob = NULL;
	struct glob_error error;
	int r;

	r = glob_parse(text, &glob, &error);
	if (r == -EINVAL)
		diag_add(diags, DIAG_ERROR, &pattern->pos, "'%s' at byte %zu: %s", text,
			 error.column, error.why);
	if (r)
		return r;
	r = nfa_add(nfa, glob, number);
	if (r != -E2BIG)
		return r;
	diag_hint(diag_add(diags, DIAG_ERROR, &pattern->pos,
			   "the globs up to '%s' have more than %u parts", text, NFA_NODES_MAX),
		  "use fewer brace alternatives");
	return -EINVAL;
}

/* Add all globs; goes on after a bad one to find the others. */
static int add_globs(struct nfa *nfa, const struct numbered *numbered, struct diag_list *diags)
{
	bool bad = false;
	int r;

	for (__u32 i = 0; i < numbered->count; i++) {
		const struct policy_pattern *pattern = numbered->rules[i].pattern;

		if (!pattern->glob)
			continue;
		r = add_glob(nfa, numbered, i, pattern->glob, diags);
		if (!r && pattern->also)
			r = add_glob(nfa, numbered, i, pattern->also, diags);
		if (r && r != -EINVAL)
			return r;
		bad = bad || r;
	}
	return bad ? -EINVAL : 0;
}

/* What a glob's own nodes contribute to the states: shared nodes count by their share. */
struct blame {
	const struct nfa *nfa;
	const __u32 *active; /* states a node was active in */
	__u32 *sharers; /* globs that pass a node */
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

static void blame_rule(struct blame *blame, const char *text)
{
	CLEAN(glob_free) struct glob *glob = NULL;

	if (text && glob_parse(text, &glob, NULL) == 0)
		nfa_trace(blame->nfa, glob, visit_node, blame);
}

static void name_suspects(const struct numbered *numbered, const struct suspect *suspects,
			  struct diag_list *diags)
{
	diag_hint(diag_add(diags, DIAG_ERROR, &numbered->rules[suspects[0].rule].pattern->pos,
			   "the path globs of this policy together need more than %u states",
			   COMPILE_STATES_MAX),
		  "globs with '*' on both sides of a text multiply each other: anchor them to a "
		  "directory, or name the components; the next findings are the costliest");
	for (size_t i = 0; i < NAMED_MAX && i < numbered->count && suspects[i].score > 0; i++) {
		const struct policy_pattern *pattern = numbered->rules[suspects[i].rule].pattern;

		diag_add(diags, DIAG_ERROR, &pattern->pos, "'%s' is one of them", pattern->source);
	}
}

static int report_explosion(const struct nfa *nfa, const __u32 *active,
			    const struct numbered *numbered, struct diag_list *diags)
{
	CLEAN_FREE __u32 *sharers = calloc(nfa->node_count, sizeof(*sharers));
	CLEAN_FREE struct suspect *suspects = calloc(numbered->count, sizeof(*suspects));
	struct blame blame = { .nfa = nfa, .active = active, .sharers = sharers, .counting = true };

	if (!sharers || !suspects)
		return -ENOMEM;
	for (__u32 i = 0; i < numbered->count; i++)
		blame_rule(&blame, numbered->rules[i].pattern->glob);
	blame.counting = false;
	for (__u32 i = 0; i < numbered->count; i++) {
		blame.score = 0;
		blame_rule(&blame, numbered->rules[i].pattern->glob);
		suspects[i] = (struct suspect){ i, blame.score };
	}
	qsort(suspects, numbered->count, sizeof(*suspects), compare_suspects);
	name_suspects(numbered, suspects, diags);
	return -EINVAL;
}

static int build(struct automaton *automaton, struct nfa *nfa, const struct numbered *numbered,
		 struct sets *sets, struct diag_list *diags)
{
	CLEAN_FREE __u32 *active = NULL;
	int r;

	r = nfa_finish(nfa);
	if (r == -E2BIG) {
		diag_add(diags, DIAG_ERROR, NULL, "the path globs tell apart more than %u bytes",
			 NFA_CLASSES_MAX);
		return -EINVAL;
	}
	if (r)
		return r;
	active = calloc(nfa->node_count, sizeof(*active));
	if (!active)
		return -ENOMEM;
	r = automaton_build(automaton, nfa, sets, active);
	if (r == -E2BIG)
		return report_explosion(nfa, active, numbered, diags);
	if (r == -EOVERFLOW) {
		sets_report_overflow(sets, "path", diags);
		return -EINVAL;
	}
	return r;
}

int paths_build(struct automaton *automaton, const struct numbered *numbered, struct sets *sets,
		struct diag_list *diags)
{
	CLEAN(nfa_reset) struct nfa nfa = { 0 };
	int r;

	r = nfa_init(&nfa);
	if (!r)
		r = add_globs(&nfa, numbered, diags);
	if (!r)
		r = build(automaton, &nfa, numbered, sets, diags);
	if (r)
		return r;
	return automaton_minimise(automaton);
}
