/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules to YAML. Every text is written in single quotes, where nothing but the quote itself means anything.
 */
#include "import/draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "import/draft_tests.h"

static const char *const names[DRAFT__MAX] = {
	[DRAFT_EGRESS] = "egress",
	[DRAFT_LISTEN] = "listen",
	[DRAFT_FILES] = "files",
	[DRAFT_EXEC] = "exec",
};

/* Append @line (taken, may be NULL: memory was short). */
static void append(struct draft *draft, struct draft_lines *lines, char *line)
{
	char **grown = reallocarray(lines->items, lines->count + 1, sizeof(*grown));

	if (grown)
		lines->items = grown;
	if (!grown || !line) {
		free(line);
		draft->failed = true;
		return;
	}
	grown[lines->count++] = line;
}

void draft_line(struct draft *draft, struct draft_lines *lines, const char *format, ...)
{
	va_list arguments;
	char *line = NULL;

	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	va_end(arguments);
	append(draft, lines, line);
}

void draft_default(struct draft *draft, enum draft_section section, const char *verdict)
{
	free(draft->defaults[section]);
	draft->defaults[section] = strdup(verdict);
	if (!draft->defaults[section])
		draft->failed = true;
}

/* @a is in the draft, where what is not there is empty. */
static bool same_rule(const struct draft_rule *a, const struct draft_rule *b)
{
	return a->section == b->section && strcmp(a->verdict, b->verdict) == 0 &&
	       strcmp(a->pattern, b->pattern) == 0 &&
	       strcmp(a->extra, b->extra ? b->extra : "") == 0;
}

void draft_rule(struct draft *draft, const struct draft_rule *rule)
{
	struct draft_rule *grown;
	struct draft_rule copy = { .section = rule->section, .line = rule->line };

	for (size_t i = 0; i < draft->rule_count; i++) {
		if (same_rule(&draft->rules[i], rule))
			return;
	}
	copy.verdict = strdup(rule->verdict);
	copy.pattern = strdup(rule->pattern);
	copy.extra = strdup(rule->extra ? rule->extra : "");
	grown = reallocarray(draft->rules, draft->rule_count + 1, sizeof(*grown));
	if (grown)
		draft->rules = grown;
	if (grown && copy.verdict && copy.pattern && copy.extra) {
		grown[draft->rule_count++] = copy;
		return;
	}
	free(copy.verdict);
	free(copy.pattern);
	free(copy.extra);
	draft->failed = true;
}

char *draft_quote(struct draft *draft, const char *text)
{
	size_t room = 2 * strlen(text) + 1;
	char *quoted = malloc(room);
	char *at = quoted;

	if (!quoted) {
		draft->failed = true;
		return NULL;
	}
	for (; *text; text++) {
		if (*text == '\'')
			*at++ = '\'';
		*at++ = *text;
	}
	*at = '\0';
	return quoted;
}

static void write_lines(const struct draft_lines *lines, const char *before, FILE *to)
{
	for (size_t i = 0; i < lines->count; i++)
		(void)fprintf(to, "%s%s\n", before, lines->items[i]);
}

static void write_rule(struct draft *draft, const struct draft_rule *rule, FILE *to)
{
	CLEAN_FREE char *quoted = draft_quote(draft, rule->pattern);

	(void)fprintf(to, "    - {%s: '%s'%s}", rule->verdict, quoted ? quoted : "", rule->extra);
	if (rule->line)
		(void)fprintf(to, " # line %u", rule->line);
	(void)fputc('\n', to);
}

static void write_section(struct draft *draft, enum draft_section section, FILE *to)
{
	bool first = true;

	if (!draft->defaults[section])
		return;
	(void)fprintf(to, "\n%s:\n  default: %s\n", names[section], draft->defaults[section]);
	for (size_t i = 0; i < draft->rule_count; i++) {
		if (draft->rules[i].section != section)
			continue;
		if (first)
			(void)fprintf(to, "  rules:\n");
		first = false;
		write_rule(draft, &draft->rules[i], to);
	}
}

int draft_write(struct draft *draft, const char *title, FILE *to)
{
	draft_tests_add(draft);
	(void)fprintf(to, "# %s\n", title);
	write_lines(&draft->notes, "# ", to);
	(void)fprintf(to, "picket: 1\n");
	write_lines(&draft->head, "", to);
	for (int section = 0; section < DRAFT__MAX; section++)
		write_section(draft, (enum draft_section)section, to);
	if (draft->tail.count)
		(void)fputc('\n', to);
	write_lines(&draft->tail, "", to);
	if (draft->tests.count)
		(void)fprintf(to, "\ntests:\n");
	for (size_t i = 0; i < draft->tests.count; i++)
		(void)fprintf(to, "  - {%s}\n", draft->tests.items[i]);
	return draft->failed ? -ENOMEM : 0;
}

static void reset_lines(struct draft_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
}

void draft_reset(struct draft *draft)
{
	reset_lines(&draft->notes);
	reset_lines(&draft->head);
	reset_lines(&draft->tail);
	reset_lines(&draft->tests);
	for (int i = 0; i < DRAFT__MAX; i++)
		free(draft->defaults[i]);
	for (size_t i = 0; i < draft->rule_count; i++) {
		free(draft->rules[i].verdict);
		free(draft->rules[i].pattern);
		free(draft->rules[i].extra);
	}
	free(draft->rules);
	*draft = (struct draft){ 0 };
}
