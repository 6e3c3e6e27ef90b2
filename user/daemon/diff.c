/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules are compared by what they say and not by where they stand: a rule that moved has not changed.
 */
#include "daemon/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/asks.h"
#include "telemetry/names.h"

/* Lines of an image, sorted. */
struct lines {
	char **items; /* owned */
	size_t count;
};

static void lines_reset(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
}

static int add(struct lines *lines, char *line)
{
	char **grown;

	if (!line)
		return -ENOMEM;
	grown = reallocarray(lines->items, lines->count + 1, sizeof(*grown));
	if (!grown) {
		free(line);
		return -ENOMEM;
	}
	lines->items = grown;
	grown[lines->count++] = line;
	return 0;
}

static char *rule_line(const struct policy_image *image, const struct pk_rule *rule)
{
	const char *text = image_string(image, rule->text);
	CLEAN_FREE char *shown = escape_string(text, strlen(text), '"');
	const __u32 bits = pk_rule_access(rule);
	char access[NAMES_ACCESS_SIZE];
	char approvers[40] = "";
	char *line = NULL;

	if (rule->verdict == PK_VERDICT_ASK && pk_rule_approvers(rule) > 1)
		(void)snprintf(approvers, sizeof(approvers), " of %u approvers",
			       pk_rule_approvers(rule));
	if (!shown || asprintf(&line, "%s %s \"%s\"%s%s%s%s", names_verdict(rule->verdict),
			       names_section(rule->section), shown, bits ? " for " : "",
			       bits ? names_access(rule->section, bits, ", ", access) : "",
			       rule->subjects == ~0U ? "" : " by some programs", approvers) < 0)
		return NULL;
	return line;
}

static char *default_line(const struct policy_image *image, __u32 section)
{
	const struct pk_default *one = &image_head(image)->defaults[section];
	const char *verdict = one->deny ? "deny" : one->ask ? "ask" : "allow";
	char *line = NULL;

	if (asprintf(&line, "default of %s: %s", names_section(section), verdict) < 0)
		return NULL;
	return line;
}

/* What it says of approvals, a key a line. */
static int add_approvals(const struct policy_image *image, struct lines *lines)
{
	CLEAN_FREE char *text = NULL;
	char *rest = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int r = 0;

	if (!to)
		return -ENOMEM;
	asks_dump(image, to);
	if (text_close(to, &text))
		return -ENOMEM;
	for (char *line = strtok_r(text, "\n", &rest); r == 0 && line;
	     line = strtok_r(NULL, "\n", &rest))
		r = add(lines, strdup(line + strspn(line, " ")));
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect(const struct policy_image *image, bool calls_only, struct lines *lines)
{
	__u32 count = image_head(image)->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);
	int r = 0;

	for (__u32 i = 0; r == 0 && i < count; i++) {
		const struct pk_rule *rule = image_rule(image, i);

		if (rule && (!calls_only || rule->section == PK_SECTION_SYSCALLS))
			r = add(lines, rule_line(image, rule));
	}
	for (__u32 i = 0; r == 0 && !calls_only && i < PK_SECTION__MAX; i++) {
		if (image_head(image)->defaults[i].present)
			r = add(lines, default_line(image, i));
	}
	if (r == 0 && !calls_only)
		r = add_approvals(image, lines);
	if (lines->count)
		qsort(lines->items, lines->count, sizeof(*lines->items), compare);
	return r;
}

static void put(FILE *to, size_t *shown, char sign, const char *line)
{
	if ((*shown)++ < DIFF_LINES_MAX)
		(void)fprintf(to, "%c %s\n", sign, line);
}

/* Both are sorted: one walk tells what only one of them has. Returns how many lines differ. */
static size_t merge(const struct lines *before, const struct lines *after, FILE *to)
{
	size_t shown = 0;
	size_t a = 0;
	size_t b = 0;

	while (a < before->count || b < after->count) {
		int order = a >= before->count ? 1 :
			    b >= after->count  ? -1 :
						 strcmp(before->items[a], after->items[b]);

		if (order < 0)
			put(to, &shown, '-', before->items[a]);
		if (order > 0)
			put(to, &shown, '+', after->items[b]);
		a += order <= 0;
		b += order >= 0;
	}
	return shown;
}

static int write_diff(const struct policy_image *before, const struct policy_image *after,
		      bool calls_only, char **ret_text)
{
	CLEAN(lines_reset) struct lines old = { 0 };
	CLEAN(lines_reset) struct lines new = { 0 };
	size_t size = 0;
	size_t count;
	FILE *to;
	int r = collect(before, calls_only, &old);

	if (r == 0)
		r = collect(after, calls_only, &new);
	if (r)
		return r;
	to = open_memstream(ret_text, &size);
	if (!to)
		return -ENOMEM;
	count = merge(&old, &new, to);
	if (count > DIFF_LINES_MAX)
		(void)fprintf(to, "and %zu more\n", count - DIFF_LINES_MAX);
	return text_close(to, ret_text);
}

int diff_rules(const struct policy_image *before, const struct policy_image *after, char **ret_text)
{
	return write_diff(before, after, false, ret_text);
}

bool diff_same_calls(const struct policy_image *before, const struct policy_image *after)
{
	CLEAN_FREE char *text = NULL;

	return write_diff(before, after, true, &text) == 0 && text && !*text;
}
