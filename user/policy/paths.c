/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path half of a compilation: globs into two trees by how they start, each tree into an
 * automaton.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/build.h"
#include "policy/paths.h"

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

/* The sequences of one glob of a rule, when it is in the tree at hand. */
static void expand_glob(const struct build_source *source, const char *text, glob_visit visit,
			void *context)
{
	CLEAN(glob_free) struct glob *glob = NULL;

	if (text && kind_of(text) == source->kind && glob_parse(text, &glob, NULL) == 0)
		(void)glob_expand(glob, visit, context);
}

static void expand_rule(const struct build_source *source, __u32 number, glob_visit visit,
			void *context)
{
	expand_glob(source, source->numbered->rules[number].pattern->glob, visit, context);
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
		const struct build_source source = {
			.nfa = &nfas[i],
			.numbered = numbered,
			.kind = i,
			.expand = expand_rule,
			.patterns = "path globs",
			.advice = "globs with '*' on both sides of a text multiply each other: "
				  "anchor them to a directory, or name the components",
			.key = "path",
		};

		r = build_automaton(&paths->automata[i], &source, sets, diags);
	}
	return r;
}

void paths_reset(struct paths *paths)
{
	for (size_t i = 0; i < PK_AUTOMATA; i++)
		automaton_reset(&paths->automata[i]);
}
