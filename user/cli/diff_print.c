/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What opened comes first: it is what somebody has to look at.
 */
#include "cli/diff_print.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/explain_answer.h"
#include "cli/json_out.h"
#include "telemetry/event.h"
#include "telemetry/names.h"

/* Where a change is told. */
enum heading { HEADING_OPENS, HEADING_ASKS, HEADING_CLOSES, HEADING__MAX };

static const char *const headings[] = {
	[HEADING_OPENS] = "opens",
	[HEADING_ASKS] = "asks",
	[HEADING_CLOSES] = "closes",
};

/* An act as `picket explain` calls it, and its section. */
static const struct {
	const char *name;
	enum pk_section section;
} acts[] = {
	[DIFF_OPEN] = { "open", PK_SECTION_FILES },
	[DIFF_EXEC] = { "exec", PK_SECTION_EXEC },
	[DIFF_RUN] = { "run", PK_SECTION_EXEC },
	[DIFF_UNIX] = { "unix", PK_SECTION_UNIX },
	[DIFF_CONNECT] = { "connect", PK_SECTION_EGRESS },
	[DIFF_LOOKUP] = { "lookup", PK_SECTION_EGRESS },
	[DIFF_LISTEN] = { "listen", PK_SECTION_LISTEN },
	[DIFF_ACCEPT] = { "accept", PK_SECTION_ACCEPT },
};
_Static_assert(sizeof(acts) / sizeof(*acts) == DIFF_ACT__MAX, "a row for each act");

static enum heading heading_of(const struct diff_change *change)
{
	return change->after.verdict == PK_VERDICT_ASK ? HEADING_ASKS :
	       diff_way(change) == DIFF_OPENS	       ? HEADING_OPENS :
							 HEADING_CLOSES;
}

size_t diff_report_count(const struct diff *diff, enum diff_way way)
{
	size_t count = 0;

	for (size_t i = 0; i < diff->count; i++)
		count += diff_way(&diff->changes[i]) == way;
	for (size_t i = 0; i < diff->setting_count; i++)
		count += diff->settings[i].way == way;
	return count;
}

/* A word of a command line as `picket explain --run` takes it. */
static void write_word(const char *word, FILE *to)
{
	if (!*word)
		(void)fputs("''", to);
	for (; *word; word++) {
		if (*word == ' ' || *word == '\t' || *word == '\\')
			(void)fputc('\\', to);
		(void)fputc(*word, to);
	}
}

static void write_address(const struct diff_change *change, FILE *to)
{
	char text[EVENT_ADDRESS_SIZE];

	event_address(change->address, text);
	if (!change->has_port)
		(void)fputs(text, to);
	else
		(void)fprintf(to, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, change->port);
}

/* The object of an act, malloc'ed: what the option of `picket explain` takes. */
static char *object_text(const struct diff_change *change)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (char **word = change->argv; word && *word; word++) {
		(void)fputs(word == change->argv ? "" : " ", to);
		write_word(*word, to);
	}
	if (change->has_address)
		write_address(change, to);
	else if (change->act == DIFF_UNIX)
		(void)fputs(change->key + 1, to);
	else if (!change->argv)
		(void)fputs(change->key, to);
	if (!change->has_address && change->has_port)
		(void)fprintf(to, ":%u", change->port);
	return text_close(to, &text) ? NULL : text;
}

static void put(const char *text)
{
	escape_write(stdout, text, strlen(text), 0);
}

static void print_change(const struct diff_report *report, const struct diff_change *change)
{
	CLEAN_FREE char *object = object_text(change);
	char access[NAMES_ACCESS_SIZE];

	(void)printf("  %s ", acts[change->act].name);
	put(object ? object : "?");
	if (change->access && change->act != DIFF_UNIX)
		(void)printf(" for %s",
			     names_access(acts[change->act].section, change->access, ", ", access));
	if (change->has_address && change->key) {
		(void)fputs(", learned for ", stdout);
		put(change->key);
	}
	if (change->by) {
		(void)fputs(", by ", stdout);
		put(change->by);
	}
	(void)printf(": %s -> %s\n    before: ", names_verdict(change->before.verdict),
		     names_verdict(change->after.verdict));
	explain_answer_put(report->images[0], &change->before);
	(void)fputs("\n    after:  ", stdout);
	explain_answer_put(report->images[1], &change->after);
	(void)putchar('\n');
}

static void print_settings(const struct diff_report *report)
{
	static const char *const ways[] = {
		[DIFF_OPENS] = " (opens)",
		[DIFF_CLOSES] = " (closes)",
		[DIFF_OTHER] = "",
	};

	if (report->diff->setting_count)
		(void)puts("settings");
	for (size_t i = 0; i < report->diff->setting_count; i++) {
		const struct diff_setting *setting = &report->diff->settings[i];

		(void)printf("  %s: ", setting->name);
		put(*setting->before ? setting->before : "none");
		(void)fputs(" -> ", stdout);
		put(*setting->after ? setting->after : "none");
		(void)puts(ways[setting->way]);
	}
}

int diff_report_print(const struct diff_report *report)
{
	const struct diff *diff = report->diff;

	for (enum heading heading = 0; heading < HEADING__MAX; heading++) {
		bool told = false;

		for (size_t i = 0; i < diff->count; i++) {
			if (heading_of(&diff->changes[i]) != heading)
				continue;
			if (!told)
				(void)puts(headings[heading]);
			told = true;
			print_change(report, &diff->changes[i]);
		}
	}
	print_settings(report);
	if (!diff->count && !diff->setting_count && !diff->incomplete)
		(void)puts("equal: every act gets the same verdict");
	return CLI_OK;
}

static json_t *side_json(const struct policy_image *image, const struct pk_result *result)
{
	json_t *side = json_pack("{s:s, s:s}", "verdict", names_verdict(result->verdict), "reason",
				 names_reason(result->reason));

	if (result->rule != PK_RULE_NONE)
		explain_answer_set(side, image, result->rule);
	return side;
}

static json_t *argv_json(char **argv)
{
	json_t *list = json_array();

	for (; *argv; argv++)
		(void)json_array_append_new(list, json_out_text(*argv));
	return list;
}

static json_t *change_json(const struct diff_report *report, const struct diff_change *change)
{
	CLEAN_FREE char *object = object_text(change);
	json_t *root = json_pack("{s:s, s:s, s:o}", "act", acts[change->act].name, "change",
				 headings[heading_of(change)], "target",
				 json_out_text(object ? object : ""));

	if (change->access)
		(void)json_object_set_new(
			root, "access", json_out_access(acts[change->act].section, change->access));
	if (change->has_address && change->key)
		(void)json_object_set_new(root, "learned_for", json_out_text(change->key));
	if (change->argv)
		(void)json_object_set_new(root, "argv", argv_json(change->argv));
	if (change->by)
		(void)json_object_set_new(root, "by", json_out_text(change->by));
	(void)json_object_set_new(root, "before", side_json(report->images[0], &change->before));
	(void)json_object_set_new(root, "after", side_json(report->images[1], &change->after));
	return root;
}

static json_t *setting_json(const struct diff_setting *setting)
{
	static const char *const ways[] = {
		[DIFF_OPENS] = "opens",
		[DIFF_CLOSES] = "closes",
		[DIFF_OTHER] = "other",
	};

	return json_pack("{s:s, s:o, s:o, s:s}", "name", setting->name, "before",
			 json_out_text(setting->before), "after", json_out_text(setting->after),
			 "change", ways[setting->way]);
}

int diff_report_json(const struct diff_report *report)
{
	const struct diff *diff = report->diff;
	json_t *changes = json_array();
	json_t *settings = json_array();

	for (size_t i = 0; i < diff->count; i++)
		(void)json_array_append_new(changes, change_json(report, &diff->changes[i]));
	for (size_t i = 0; i < diff->setting_count; i++)
		(void)json_array_append_new(settings, setting_json(&diff->settings[i]));
	return json_out_print(
		"diff", json_pack("{s:s, s:o, s:o, s:b, s:b, s:b, s:I, s:I, s:o, s:o}", "schema",
				  "picket.diff/1", "before", json_out_text(report->paths[0]),
				  "after", json_out_text(report->paths[1]), "equal",
				  (int)(!diff->count && !diff->setting_count && !diff->incomplete),
				  "complete", (int)(!diff->incomplete && !diff->partial),
				  "all_kinds", (int)!diff->incomplete, "opens",
				  (json_int_t)diff_report_count(diff, DIFF_OPENS), "closes",
				  (json_int_t)diff_report_count(diff, DIFF_CLOSES), "changes",
				  changes, "settings", settings));
}
