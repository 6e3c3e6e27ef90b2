/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wording of what is known of a denial. Who is asked for it, and how it is had, is not known here.
 */
#include "cli/denial.h"

#include <string.h>

#include "base/escape.h"
#include "cli/daemon_call.h"
#include "cli/requests.h"

static void put(const char *text, FILE *to)
{
	escape_write(to, text, strlen(text), 0);
}

static void print_rule(const json_t *denial, FILE *to)
{
	const json_t *rule = json_object_get(denial, "rule");
	const char *reason = daemon_text(rule, "reason");
	const json_t *section = json_object_get(denial, "default");

	if (section) {
		(void)fputs("    rule   none: the default of ", to);
		put(daemon_text(section, "section"), to);
		(void)fputs("\n", to);
	}
	if (!rule)
		return;
	(void)fputs("    rule   ", to);
	put(daemon_text(rule, "verdict"), to);
	(void)fputs(" ", to);
	put(daemon_text(rule, "text"), to);
	(void)fputs(" at ", to);
	put(daemon_text(rule, "file"), to);
	(void)fprintf(to, ":%lld\n", (long long)daemon_number(rule, "line"));
	if (!*reason)
		return;
	(void)fputs("    why    ", to);
	put(reason, to);
	(void)fputs("\n", to);
}

/* What became of a question; NULL: nobody was asked. */
static const char *asked(const json_t *denial)
{
	static const struct {
		const char *reason;
		const char *text;
	} answers[] = {
		{ "held", "it waits for approval" },
		{ "pending", "it may be tried again once somebody has approved it" },
		{ "unheld", "it may be tried again once somebody has approved it" },
		{ "granted", "it was approved" },
		{ "refused", "somebody was asked and refused it" },
	};
	const char *reason = daemon_text(denial, "reason");

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strcmp(reason, answers[i].reason) == 0)
			return answers[i].text;
	}
	return NULL;
}

/* What would let it happen: somebody's approval, lines of a policy, or nothing. */
static void print_remedy(const json_t *denial, FILE *to)
{
	const json_t *suggested = json_object_get(denial, "suggest");
	const char *request = daemon_text(denial, "request");
	const char *answer = asked(denial);
	const json_t *line;
	size_t i;

	if (answer) {
		(void)fprintf(to, *request ? "    asked  %s: request %s\n" : "    asked  %s\n",
			      answer, request);
		return;
	}
	json_array_foreach(suggested, i, line)
		requests_print_lines(json_string_value(line), "    allow  ", to);
	if (json_array_size(suggested) == 0)
		(void)fputs("    allow  no line of the policy would\n", to);
}

void denial_explain_rule(const json_t *denial, FILE *to)
{
	const char *request = daemon_text(denial, "request");
	const char *answer = asked(denial);

	print_rule(denial, to);
	if (answer)
		(void)fprintf(to, *request ? "    asked  %s: request %s\n" : "    asked  %s\n",
			      answer, request);
}

void denial_explain(const json_t *denial, FILE *to)
{
	print_rule(denial, to);
	print_remedy(denial, to);
}
