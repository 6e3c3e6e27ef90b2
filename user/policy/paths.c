/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path half of a compilation: globs into two trees by how they start, each tree into an
 * automaton. Explains what went wrong when there are too many states.
 */
#include <errno.h>
#include <string.h>

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

/* Which automaton a glob is for. */
static size_t kind_of(const char *glob)
{
	return strncmp(glob, "**", 2) == 0 || strncmp(glob, "/**", 3) == 0;
}

/* Add all globs; goes on after a bad one to find the others. */
static int add_globs(struct nfa nfas[PK_AUTOMATA], const struct numbered *numbered,
		     struct diag_list *diags)
{
	bool bad = false;
	int r;

	for (__u32 i = 0; i < numbered->count; i++) {
		const struct policy_pattern *pattern = numbered->rules[i].pattern;

		if (!pattern->glob)
			continue;
		r = add_glob(&nfas[kind_of(pattern->glob)], numbered, i, pattern->glob, diags);
		if (!r && pattern->also)
			r = add_glob(&nfas[kind_of(pattern->also)], numbered, i, pattern->also,
				     diags);
		if (r && r != -EINVAL)
			return r;
		bad = bad || r;
	}
	return bad ? -EINVAL : 0;
}

/* What a build works from. */
struct source {
	const struct nfa *nfa;
	const struct numbered *numbered;
	size_t kind;
};

/* What a glob's own nodes contribute to the states: shared nodes count by their share. */
struct blame {
	const struct nfa *nfa;
	const __u32 *active; /* states a node was active in */
	__u32 *sharers; /* globs that pass a node */
	double score;
	size_t kind; /* of the globs in the tree */
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

	if (text && kind_of(text) == blame->kind && glob_parse(text, &glob, NULL) == 0)
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

static int report_explosion(const struct source *from, const __u32 *active, struct diag_list *diags)
{
	const struct numbered *numbered = from->numbered;
	const struct nfa *nfa = from->nfa;
	CLEAN_FREE __u32 *sharers = calloc(nfa->node_count, sizeof(*sharers));
	CLEAN_FREE struct suspect *suspects = calloc(numbered->count, sizeof(*suspects));
	struct blame blame = { .nfa = nfa,
			       .active = active,
			       .sharers = sharers,
			       .kind = from->kind,
			       .counting = true };

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

static int build(struct automaton *automaton, const struct source *from, struct sets *sets,
		 struct diag_list *diags)
{
	const struct nfa *nfa = from->nfa;
	CLEAN_FREE __u32 *active = calloc(nfa->node_count, sizeof(*active));
	int r;

	if (!active)
		return -ENOMEM;
	r = automaton_build(automaton, nfa, sets, active);
	if (r == -E2BIG)
		return report_explosion(from, active, diags);
	if (r == -EOVERFLOW) {
		sets_report_overflow(sets, "path", diags);
		return -EINVAL;
	}
	return r ? r : automaton_minimise(automaton);
}

static void reset_nfas(struct nfa (*nfas)[PK_AUTOMATA])
{
	for (size_t i = 0; i < PK_AUTOMATA; i++)
		nfa_reset(&(*nfas)[i]);
}

static int finish_nfas(struct nfa nfas[PK_AUTOMATA], struct diag_list *diags)
{
	int r = 0;

	for (size_t i = 0; i < PK_AUTOMATA && !r; i++)
		r = nfa_finish(&nfas[i]);
	if (!r)
		r = nfa_share_classes(&nfas[0], &nfas[1]);
	if (r != -E2BIG)
		return r;
	diag_add(diags, DIAG_ERROR, NULL, "the path globs tell apart more than %u bytes",
		 NFA_CLASSES_MAX);
	return -EINVAL;
}

int paths_build(struct paths *paths, const struct numbered *numbered, struct sets *sets,
		struct diag_list *diags)
{
	CLEAN(reset_nfas) struct nfa nfas[PK_AUTOMATA] = { 0 };
	int r = 0;

	for (size_t i = 0; i < PK_AUTOMATA && !r; i++)
		r = nfa_init(&nfas[i]);
	if (!r)
		r = add_globs(nfas, numbered, diags);
	if (!r)
		r = finish_nfas(nfas, diags);
	for (size_t i = 0; i < PK_AUTOMATA && !r; i++) {
		const struct source source = { &nfas[i], numbered, i };

		r = build(&paths->automata[i], &source, sets, diags);
	}
	return r;
}

void paths_reset(struct paths *paths)
{
	for (size_t i = 0; i < PK_AUTOMATA; i++)
		automaton_reset(&paths->automata[i]);
}
