/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command half of a compilation: one tree for all patterns of words.
 */
#include "policy/commands.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/build.h"
#include "policy/command_glob.h"

static bool has_words(const struct numbered_rule *rule)
{
	return rule->rule->section == PK_SECTION_EXEC && rule->pattern->word_count > 0;
}

/* True for a program in any directory: its bare name was written, or could have been. */
static bool is_bare(const char *program)
{
	return strncmp(program, "**/", 3) == 0 && !strchr(program + 3, '/') &&
	       strspn(program + 3, "*") != strlen(program + 3);
}

bool commands_needed(const struct numbered *numbered)
{
	for (size_t i = 0; i < numbered->count; i++) {
		const struct policy_pattern *pattern = numbered->rules[i].pattern;

		if (has_words(&numbered->rules[i]) &&
		    (pattern->word_count > 1 || is_bare(pattern->words[0])))
			return true;
	}
	return false;
}

/* The patterns of a rule's words; the second has the program by its resolved name. */
struct variants {
	struct command_glob *commands[2];
	size_t count;
};

static void reset_variants(struct variants *variants)
{
	for (size_t i = 0; i < variants->count; i++)
		command_glob_free(&variants->commands[i]);
}

static int parse_variants(const struct policy_pattern *pattern, struct variants *variants,
			  struct glob_error *reterr, size_t *reterr_word)
{
	char *const programs[] = { pattern->words[0], pattern->also };
	CLEAN_FREE char **words = calloc(pattern->word_count, sizeof(*words));

	if (!words)
		return -ENOMEM;
	memcpy(words, pattern->words, pattern->word_count * sizeof(*words));
	for (size_t i = 0; i < 2 && programs[i]; i++) {
		int r;

		words[0] = programs[i];
		r = command_glob_parse(words, pattern->word_count, &variants->commands[i], reterr,
				       reterr_word);
		if (r)
			return r;
		variants->count++;
	}
	return 0;
}

static int add_rule(struct nfa *nfa, const struct numbered *numbered, __u32 number,
		    struct diag_list *diags)
{
	const struct policy_pattern *pattern = numbered->rules[number].pattern;
	struct nfa_addition addition = { nfa, number };
	CLEAN(reset_variants) struct variants variants = { 0 };
	struct glob_error error;
	size_t word;
	int r;

	r = parse_variants(pattern, &variants, &error, &word);
	if (r == -EINVAL)
		diag_add(diags, DIAG_ERROR, &pattern->pos, "'%s' at byte %zu: %s",
			 pattern->words[word], error.column, error.why);
	if (r)
		return r;
	for (size_t i = 0; i < variants.count && !r; i++)
		r = command_glob_expand(variants.commands[i], nfa_add_sequence, &addition);
	if (r != -E2BIG)
		return r;
	diag_hint(diag_add(diags, DIAG_ERROR, &pattern->pos,
			   "the commands up to '%s' have more than %u parts", pattern->source,
			   NFA_NODES_MAX),
		  "use fewer brace alternatives");
	return -EINVAL;
}

/* Add all rules; goes on after a bad one to find the others. */
static int add_rules(struct nfa *nfa, const struct numbered *numbered, struct diag_list *diags)
{
	bool bad = false;

	for (__u32 i = 0; i < numbered->count; i++) {
		int r = has_words(&numbered->rules[i]) ? add_rule(nfa, numbered, i, diags) : 0;

		if (r && r != -EINVAL)
			return r;
		bad = bad || r;
	}
	return bad ? -EINVAL : 0;
}

static int finish(struct nfa *nfa, struct diag_list *diags)
{
	int r = nfa_finish(nfa);

	if (r != -E2BIG)
		return r;
	diag_add(diags, DIAG_ERROR, NULL, "the commands tell apart more than %u bytes",
		 NFA_CLASSES_MAX);
	return -EINVAL;
}

static void expand_rule(const struct build_source *source, __u32 number, glob_visit visit,
			void *context)
{
	const struct numbered_rule *rule = &source->numbered->rules[number];
	CLEAN(reset_variants) struct variants variants = { 0 };
	struct glob_error error;
	size_t word;

	if (!has_words(rule) || parse_variants(rule->pattern, &variants, &error, &word))
		return;
	for (size_t i = 0; i < variants.count; i++)
		(void)command_glob_expand(variants.commands[i], visit, context);
}

int commands_build(struct automaton *automaton, const struct numbered *numbered, struct sets *sets,
		   struct diag_list *diags)
{
	CLEAN(nfa_reset) struct nfa nfa = { 0 };
	const struct build_source source = {
		.nfa = &nfa,
		.numbered = numbered,
		.expand = expand_rule,
		.patterns = "commands",
		.advice =
			"'...' and '*' before a text multiply each other: name the words that come "
			"first, or the program's directory",
		.key = "command",
	};
	int r;

	r = nfa_init(&nfa);
	nfa.commands = true;
	if (!r)
		r = add_rules(&nfa, numbered, diags);
	if (!r)
		r = finish(&nfa, diags);
	return r ? r : build_automaton(automaton, &source, sets, diags);
}
