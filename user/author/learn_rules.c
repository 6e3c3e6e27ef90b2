/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of learned rules and its text. Decides nothing about what is learned.
 */
#include "author/learn_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "policy/grow.h"
#include "telemetry/names.h"

int learn_rules_add(struct learn_rules *rules, struct learn_rule *rule)
{
	int r = rule->pattern ? 0 : -ENOMEM;

	for (size_t i = 0; i < rules->count && r == 0; i++) {
		struct learn_rule *known = &rules->items[i];

		if (known->section != rule->section || known->access != rule->access ||
		    strcmp(known->pattern, rule->pattern) != 0)
			continue;
		seen_merge(&known->seen, &rule->seen);
		free(rule->pattern);
		rule->pattern = NULL;
		return 0;
	}
	if (r == 0)
		r = grow(&rules->items, &rules->room, rules->count + 1, sizeof(*rules->items));
	if (r) {
		free(rule->pattern);
		return r;
	}
	rules->items[rules->count++] = *rule;
	return 0;
}

static int compare_rules(const void *left, const void *right)
{
	const struct learn_rule *a = left;
	const struct learn_rule *b = right;
	int order;

	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	order = strcmp(a->pattern, b->pattern);
	return order ? order : a->access - b->access;
}

/* Accesses of files are all the same to a rule; protocols are said or left to the kind of pattern. */
void learn_rules_finish(struct learn_rules *rules)
{
	size_t kept = 0;

	if (rules->count)
		qsort(rules->items, rules->count, sizeof(*rules->items), compare_rules);
	for (size_t i = 0; i < rules->count; i++) {
		struct learn_rule *rule = &rules->items[i];
		struct learn_rule *last = kept ? &rules->items[kept - 1] : NULL;

		if (last && last->section == rule->section && rule->section == PK_SECTION_FILES &&
		    strcmp(last->pattern, rule->pattern) == 0) {
			last->access |= rule->access;
			seen_merge(&last->seen, &rule->seen);
			free(rule->pattern);
		} else {
			rules->items[kept++] = *rule;
		}
	}
	rules->count = kept;
}

/* A YAML double-quoted scalar; patterns have no byte that would need more. */
static void put_quoted(const char *text, FILE *to)
{
	(void)fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
	(void)fputc('"', to);
}

void learn_seen_write(const struct seen *seen, FILE *to)
{
	size_t shown = seen->program_count < OBSERVATION_PROGRAMS ? seen->program_count :
								    OBSERVATION_PROGRAMS;

	(void)fprintf(to, "%llu time%s", (unsigned long long)seen->count,
		      seen->count == 1 ? "" : "s");
	/* To the second. */
	if (*seen->first)
		(void)fprintf(to, ", %.19sZ", seen->first);
	if (*seen->last && strncmp(seen->first, seen->last, 19) != 0)
		(void)fprintf(to, " to %.19sZ", seen->last);
	for (size_t i = 0; i < shown; i++) {
		(void)fputs(i ? ", " : ", by ", to);
		escape_write(to, seen->programs[i], strlen(seen->programs[i]), 0);
	}
	if (seen->program_count > OBSERVATION_PROGRAMS)
		(void)fputs(" and others", to);
}

void learn_rules_write(const struct learn_rules *rules, enum pk_section section, FILE *to)
{
	char access[NAMES_ACCESS_SIZE];

	for (size_t i = 0; i < rules->count; i++) {
		const struct learn_rule *rule = &rules->items[i];

		if (rule->section != section)
			continue;
		(void)fputs("    # ", to);
		learn_seen_write(&rule->seen, to);
		if (rule->note)
			(void)fprintf(to, "; %s", rule->note);
		(void)fputs("\n    - {allow: ", to);
		put_quoted(rule->pattern, to);
		if (rule->from)
			(void)fprintf(to, ", from: [%s]", rule->from);
		names_access(section, rule->access, ", ", access);
		if (section == PK_SECTION_FILES)
			(void)fprintf(to, ", access: [%s]", access);
		else if (section == PK_SECTION_EGRESS || section == PK_SECTION_LISTEN)
			(void)fprintf(to, ", protocol: [%s]", access);
		(void)fputs("}\n", to);
	}
}

void learn_rules_reset(struct learn_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		free(rules->items[i].pattern);
		free(rules->items[i].from);
	}
	free(rules->items);
	*rules = (struct learn_rules){ 0 };
}
