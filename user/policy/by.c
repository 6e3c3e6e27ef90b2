/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of programs: path globs, never bare names, for they say who somebody is.
 */
#include "policy/by.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "policy/path_glob.h"

/** A list while it is read. */
struct reading {
	struct policy_rule *rule;
	bool good;
};

static int append(struct policy_rule *rule, char **glob)
{
	char *word = *glob;
	int r = FRONT_APPEND(&rule->by, &rule->by_count, &word);

	if (r == 0)
		*glob = NULL;
	return r;
}

/* A denial also holds for the program that a link leads to. */
static int add_checked(struct front *front, const struct node *text, struct expansion *expansion,
		       struct policy_rule *rule)
{
	const struct path_glob path = { text, expansion, expansion->text, 0, 0 };
	CLEAN_FREE char *also = NULL;
	int r = path_glob_check(front, &path) ? 0 : -EINVAL;

	if (r == 0)
		r = path_glob_links(front, &path, rule->verdict, &also);
	if (r == 0)
		r = append(rule, &expansion->text);
	if (r == 0 && also)
		r = append(rule, &also);
	return r;
}

/* A command where a program is meant; reported. */
static bool has_blank(struct front *front, const struct node *text,
		      const struct expansion *expansion)
{
	size_t at = 0;

	while (expansion->text[at] && expansion->text[at] != ' ')
		at += expansion->text[at] == '\\' && expansion->text[at + 1] ? 2 : 1;
	if (!expansion->text[at])
		return false;
	diag_hint(expansion_error_at(text, expansion, front->diags, at, 1UL,
				     "a program of 'by' has a blank in it"),
		  "it has no arguments; write '\\ ' for a blank in a path");
	return true;
}

static int add_program(struct front *front, const struct node *text, void *into)
{
	CLEAN(expansion_reset) struct expansion expansion = { 0 };
	struct reading *reading = into;
	int r;

	if (!front_line(front, text, "a program of 'by'")) {
		reading->good = false;
		return 0;
	}
	/* Blanks of values come escaped: one that does not is written. */
	r = vars_expand(front, text, VARS_WORDS, &expansion);
	if (r < 0)
		return r;
	if (!expansion.text || has_blank(front, text, &expansion))
		r = -EINVAL;
	else
		r = add_checked(front, text, &expansion, reading->rule);
	if (r == -EINVAL)
		reading->good = false;
	return r == -EINVAL ? 0 : r;
}

/* A process loses a program's rights by its own doing, and its denials with them. */
static void warn_denial(struct front *front, const struct node *value)
{
	if (value->source->builtin)
		return;
	diag_hint(node_report(value, front->diags, DIAG_WARNING,
			      "a program can get rid of what is denied to it alone"),
		  "it is no longer that program once it maps a file that the agent may write: use "
		  "'by' to allow, under 'default: deny'");
}

int by_read(struct front *front, const struct node *value, struct policy_rule *rule, bool *ret_good)
{
	struct reading reading = { rule, true };
	int r;

	if (value->kind == NODE_LIST && value->count == 0) {
		diag_hint(node_error(value, front->diags, "'by' is an empty list"),
			  "a rule without 'by' is for every program");
		*ret_good = false;
		return 0;
	}
	r = front_each_text(front, value, "a program of 'by'", add_program, &reading);
	if (!reading.good)
		*ret_good = false;
	else if (rule->verdict == PK_VERDICT_DENY)
		warn_denial(front, value);
	return r;
}

void by_check(struct front *front)
{
	const struct policy *policy = front->policy;

	if (policy->sections[PK_SECTION_FILES].present)
		return;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (!rule->by_count)
			continue;
		diag_hint(diag_add(front->diags, DIAG_ERROR, &rule->pos,
				   "a rule with 'by' needs a section files"),
			  "without one the agent may write every file, and a program that maps "
			  "what the agent may write is no longer that program");
		return;
	}
}

void by_reset(struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->by_count; i++)
		free(rule->by[i]);
	free(rule->by);
	rule->by = NULL;
	rule->by_count = 0;
}
