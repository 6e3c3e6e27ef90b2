/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head and the tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "format/format.h"
#include "report/report_parts.h"
#include "telemetry/moment.h"

/* Columns of a path or rule that are shown: more tells a reader nothing. */
#define SHOWN 240

static void put_code(FILE *to, const char *text)
{
	(void)fputs("<code>", to);
	html_text_cut(to, text, SHOWN);
	(void)fputs("</code>", to);
}

static void put_cell_number(FILE *to, __u64 number)
{
	(void)fputs("<td class=\"n\">", to);
	if (number)
		html_number(to, number);
	(void)fputs("</td>", to);
}

static void put_cell_time(FILE *to, __s64 ns)
{
	(void)fputs("<td class=\"t\">", to);
	html_time(to, ns);
	(void)fputs("</td>", to);
}

/* Below a table: what it does not show. */
static void put_rest(FILE *to, const struct tally *tally, const char *what)
{
	size_t more = tally->count > REPORT_ROWS ? tally->count - REPORT_ROWS : 0;

	if (!more && !tally->left_out)
		return;
	(void)fputs("<p class=\"dim\">", to);
	if (more) {
		html_number(to, more);
		(void)fprintf(to, " more %s are not shown. ", what);
	}
	if (tally->left_out) {
		html_number(to, tally->left_out);
		(void)fprintf(to, " events about yet other %s were not told apart.", what);
	}
	(void)fputs("</p>\n", to);
}

static size_t shown_rows(const struct tally *tally)
{
	return tally->count < REPORT_ROWS ? tally->count : REPORT_ROWS;
}

/* --- Head ----------------------------------------------------------------------------------------- */

static void put_term(FILE *to, const char *term, const char *text)
{
	if (!text || !*text)
		return;
	(void)fprintf(to, "<dt>%s</dt><dd class=\"m\">", term);
	html_text_cut(to, text, SHOWN);
	(void)fputs("</dd>\n", to);
}

static void put_span(FILE *to, __s64 from_ns, __s64 to_ns, const char *open_end)
{
	if (from_ns)
		html_time(to, from_ns);
	else
		(void)fputs("the beginning", to);
	(void)fputs(" to ", to);
	if (to_ns)
		html_time(to, to_ns);
	else
		(void)fputs(open_end, to);
	(void)fputs(" UTC", to);
}

static void put_agent(const struct report_agent *agent, FILE *to)
{
	(void)fputs("<dt>agent</dt><dd class=\"m\">", to);
	html_text_cut(to, agent->name ? agent->name : agent->id, SHOWN);
	if (agent->name) {
		(void)fputs(" <span class=\"dim\">(", to);
		html_text_cut(to, agent->id, SHOWN);
		(void)fputs(")</span>", to);
	}
	if (agent->mode) {
		(void)fputs(" <span class=\"tag other\">", to);
		html_text_cut(to, agent->mode, 20);
		(void)fputs("</span>", to);
	}
	(void)fputs("</dd>\n", to);
	put_term(to, "policy", agent->policy);
	put_term(to, "digest", agent->digest);
	if (agent->uid >= 0)
		(void)fprintf(to, "<dt>user</dt><dd class=\"m\">uid %lld</dd>\n",
			      (long long)agent->uid);
	if (agent->start_ns || agent->end_ns) {
		(void)fputs("<dt>ran</dt><dd>", to);
		put_span(to, agent->start_ns, agent->end_ns, "now, or its end is not in the store");
		(void)fputs("</dd>\n", to);
	}
}

static void put_card(FILE *to, const char *class, __u64 number, const char *what)
{
	(void)fprintf(to, "<div class=\"card %s\"><b>", class);
	html_number(to, number);
	(void)fprintf(to, "</b>%s</div>\n", what);
}

static void put_audit_head(const struct report *report, FILE *to)
{
	const json_t *head = report->head;

	if (!head)
		return;
	(void)fprintf(to, "<dt>audit trail</dt><dd class=\"m\">record %lld, ",
		      (long long)json_integer_value(json_object_get(head, "number")));
	html_text_cut(to, report_text(head, "hash"), 64);
	(void)fputs(" <span class=\"dim\">at ", to);
	html_text_cut(to, report_text(head, "time"), 40);
	(void)fputs("</span></dd>\n", to);
}

static void put_facts(const struct report *report, FILE *to)
{
	const struct report_question *question = report->question;
	char host[256] = "";
	char now[MOMENT_TEXT_SIZE];

	(void)gethostname(host, sizeof(host) - 1);
	(void)fputs("<dl>\n", to);
	for (size_t i = 0; i < report->agent_count; i++)
		put_agent(&report->agents[i], to);
	(void)fputs("<dt>period</dt><dd>", to);
	if (question->since_ns || question->until_ns)
		put_span(to, question->since_ns, question->until_ns, "the end");
	else
		(void)fputs("all that the store has", to);
	(void)fputs("</dd>\n<dt>events</dt><dd>", to);
	if (report->events)
		put_span(to, report->first_ns, report->last_ns, "");
	else
		(void)fputs("none in this period", to);
	(void)fputs("</dd>\n", to);
	put_term(to, "host", host);
	put_audit_head(report, to);
	(void)fprintf(to, "<dt>made</dt><dd>%s by picket " PICKET_VERSION "</dd>\n</dl>\n",
		      moment_text(moment_now(), now));
}

void report_write_head(const struct report *report, FILE *to)
{
	(void)fputs(
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		"<title>picket: ",
		to);
	html_text_cut(to, report->question->agent, 80);
	(void)fputs("</title>\n", to);
	report_write_style(to);
	(void)fputs("</head><body><main>\n<h1>Incident report: ", to);
	html_text_cut(to, report->question->agent, 80);
	(void)fputs("</h1>\n<p class=\"dim\">What this agent did, what was refused to it, and by "
		    "which rule.</p>\n<div class=\"cards\">\n",
		    to);
	put_card(to, report->denied ? "deny" : "", report->denied, "denied");
	put_card(to, report->asked ? "ask" : "", report->asked, "asked");
	put_card(to, "", report->allowed, "allowed and told");
	put_card(to, "", report->lives, "process records");
	put_card(to, "", report->records, "records of picketd");
	(void)fputs("</div>\n", to);
	if (report->audited) {
		(void)fputs("<p class=\"warn\">", to);
		html_number(to, report->audited);
		(void)fputs(" of the denied acts were in audit mode: they were <b>not</b> blocked, "
			    "and happened.</p>\n",
			    to);
	}
	put_facts(report, to);
}

/* --- Losses --------------------------------------------------------------------------------------- */

/* The key is the class, the place and the agent, a line each. */
static void put_loss(const struct tally_row *row, FILE *to)
{
	CLEAN_FREE char *key = strdup(row->key);
	char *class = key;
	char *place = class ? strchr(class, '\n') : NULL;
	char *agent = place ? strchr(place + 1, '\n') : NULL;

	if (!agent)
		return;
	*place++ = '\0';
	*agent++ = '\0';
	(void)fputs("<li>", to);
	html_number(to, row->count[TALLY_OTHER]);
	(void)fputs(" of class ", to);
	put_code(to, class);
	(void)fputs(" in the ", to);
	put_code(to, place);
	(void)fputs(*agent ? ", of this agent" : ", of any agent of this host", to);
	(void)fputs(", told ", to);
	put_span(to, row->first_ns, row->last_ns, "");
	(void)fputs("</li>\n", to);
}

static void put_gap(const struct store_gap *gap, FILE *to)
{
	(void)fputs("<li>", to);
	html_number(to, gap->last - gap->first + 1);
	(void)fputs(gap->first == gap->last ? " record, number " : " records, numbers ", to);
	html_number(to, gap->first);
	if (gap->first != gap->last) {
		(void)fputs(" to ", to);
		html_number(to, gap->last);
	}
	(void)fputs(", between ", to);
	html_time(to, gap->before_ns);
	(void)fputs(" and ", to);
	html_time(to, gap->behind_ns);
	(void)fputs(" UTC</li>\n", to);
}

/* picketd numbers what it hands out: what is not here was lost on the way, or is not for this store. */
static void put_gaps(const struct store_gaps *gaps, FILE *to)
{
	if (!gaps->numbered) {
		(void)fputs(
			"<p class=\"warn\">No record of this period has a number: gaps cannot be "
			"seen.</p>\n",
			to);
		return;
	}
	if (!gaps->missing) {
		(void)fputs("<p>The numbers of the ", to);
		html_number(to, gaps->numbered);
		(void)fputs(" records of this period, of all agents, have no gap.</p>\n", to);
		return;
	}
	(void)fputs("<p class=\"warn\">Of the records that picketd numbered in this period, of all "
		    "agents, ",
		    to);
	html_number(to, gaps->missing);
	(void)fputs(
		" are not in this store: lost on the way to it, folded into others, or of a class that "
		"its sink does not get (<code>events</code>).</p>\n<ul>\n",
		to);
	for (size_t i = 0; i < gaps->shown; i++)
		put_gap(&gaps->first[i], to);
	if (gaps->places > gaps->shown) {
		(void)fputs("<li>and others in ", to);
		html_number(to, gaps->places - gaps->shown);
		(void)fputs(" more places</li>\n", to);
	}
	(void)fputs("</ul>\n", to);
}

void report_write_losses(const struct report *report, FILE *to)
{
	const struct store_facts *facts = &report->facts;
	__s64 since = report->question->since_ns;
	bool pruned = facts->pruned_until_ns && facts->pruned_until_ns >= since;

	(void)fputs("<section><h2>Is this all?</h2>\n", to);
	if (!report->losses.count)
		(void)fputs("<p>No loss of events was reported in this period.</p>\n", to);
	else
		(void)fputs("<p class=\"warn\">No. Events were lost or left out:</p>\n<ul>\n", to);
	for (size_t i = 0; i < shown_rows(&report->losses); i++)
		put_loss(&report->losses.rows[i], to);
	if (report->losses.count)
		(void)fputs("</ul>\n", to);
	put_gaps(&report->gaps, to);
	if (pruned) {
		(void)fputs("<p class=\"warn\">The store is bounded and has dropped ", to);
		html_number(to, facts->pruned_bulk);
		(void)fputs(" records of allowed work and processes, and ", to);
		html_number(to, facts->pruned_records);
		(void)fputs(" decisions and other records, of all agents, up to ", to);
		html_time(to, facts->pruned_until_ns);
		(void)fputs(" UTC.</p>\n", to);
	}
	(void)fputs("</section>\n", to);
}

/* --- Rules ---------------------------------------------------------------------------------------- */

static void put_suggestions(const json_t *event, FILE *to)
{
	const json_t *lines = json_object_get(event, "suggest");
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) {
		if (!json_is_string(line) || i >= 3)
			continue;
		(void)fputs("<div class=\"add\">would allow it: ", to);
		put_code(to, json_string_value(line));
		(void)fputs("</div>", to);
	}
}

static void put_decider(const struct tally_row *row, FILE *to)
{
	const json_t *rule = json_object_get(row->sample, "rule");
	CLEAN_FREE char *words = strndup(row->key, strcspn(row->key, "\n"));
	CLEAN_FREE char *object = report_object(row->sample);

	(void)fputs("<td>", to);
	put_code(to, words ? words : "");
	if (*report_text(rule, "id")) {
		(void)fputs(" <span class=\"tag other\">", to);
		html_text_cut(to, report_text(rule, "id"), 40);
		(void)fputs("</span>", to);
	}
	if (*report_text(rule, "file")) {
		(void)fputs("<div class=\"add m\">", to);
		html_text_cut(to, report_text(rule, "file"), SHOWN);
		(void)fprintf(to, ":%lld</div>",
			      (long long)json_integer_value(json_object_get(rule, "line")));
	}
	if (*report_text(rule, "reason")) {
		(void)fputs("<div class=\"add\">", to);
		html_text_cut(to, report_text(rule, "reason"), SHOWN);
		(void)fputs("</div>", to);
	}
	(void)fputs("<div class=\"add\">first: ", to);
	html_text_cut(to, report_text(row->sample, "op"), 40);
	(void)fputs(" ", to);
	put_code(to, object ? object : "");
	(void)fputs("</div>", to);
	put_suggestions(row->sample, to);
	(void)fputs("</td>", to);
}

static void put_table(FILE *to, const char *title, const char *columns)
{
	(void)fprintf(to, "<section><h2>%s</h2>\n<table><thead><tr>%s</tr></thead><tbody>\n", title,
		      columns);
}

void report_write_rules(const struct report *report, FILE *to)
{
	if (!report->rules.count) {
		(void)fputs(
			"<section><h2>Denials by rule</h2>\n<p>Nothing was denied.</p></section>\n",
			to);
		return;
	}
	put_table(to, "Denials by rule",
		  "<th>who decided</th><th class=\"n\">denied</th><th class=\"n\">asked</th>"
		  "<th>first</th><th>last</th>");
	for (size_t i = 0; i < shown_rows(&report->rules); i++) {
		const struct tally_row *row = &report->rules.rows[i];

		(void)fputs("<tr>", to);
		put_decider(row, to);
		put_cell_number(to, row->count[TALLY_DENIED]);
		put_cell_number(to, row->count[TALLY_ASKED]);
		put_cell_time(to, row->first_ns);
		put_cell_time(to, row->last_ns);
		(void)fputs("</tr>\n", to);
	}
	(void)fputs("</tbody></table>\n", to);
	put_rest(to, &report->rules, "rules");
	(void)fputs("</section>\n", to);
}

/* --- Destinations and files ----------------------------------------------------------------------- */

static void put_counts(const struct tally_row *row, FILE *to)
{
	for (int i = 0; i < TALLY__MAX; i++)
		put_cell_number(to, row->count[i]);
	put_cell_time(to, row->first_ns);
	put_cell_time(to, row->last_ns);
	(void)fputs("</tr>\n", to);
}

#define COUNT_COLUMNS(allowed)                                                                     \
	"<th class=\"n\">denied</th><th class=\"n\">asked</th><th class=\"n\">" allowed            \
	"</th><th>first</th><th>last</th>"

void report_write_destinations(const struct report *report, FILE *to)
{
	if (!report->destinations.count)
		return;
	put_table(to, "Destinations", "<th>host</th><th>address</th>" COUNT_COLUMNS("allowed"));
	for (size_t i = 0; i < shown_rows(&report->destinations); i++) {
		const struct tally_row *row = &report->destinations.rows[i];
		const char *where = strchr(row->key, '\n');
		CLEAN_FREE char *host = strndup(row->key, strcspn(row->key, "\n"));

		(void)fputs("<tr><td>", to);
		put_code(to, host ? host : "");
		(void)fputs("</td><td>", to);
		if (where && strcmp(where + 1, "name") == 0)
			(void)fputs("<span class=\"dim\">asked for the name</span>", to);
		else
			put_code(to, where ? where + 1 : "");
		(void)fputs("</td>", to);
		put_counts(row, to);
	}
	(void)fputs("</tbody></table>\n", to);
	put_rest(to, &report->destinations, "destinations");
	(void)fputs("</section>\n", to);
}

static void put_access(unsigned int access, FILE *to)
{
	static const char *const words[] = { "read", "write", "exec", "connect", "run", "command" };
	const char *separator = "";

	for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!(access & (1U << i)))
			continue;
		(void)fprintf(to, "%s%s", separator, words[i]);
		separator = ", ";
	}
}

void report_write_files(const struct report *report, FILE *to)
{
	if (!report->files.count)
		return;
	put_table(to, "Files and programs touched",
		  "<th>path</th><th>for</th>" COUNT_COLUMNS("written"));
	for (size_t i = 0; i < shown_rows(&report->files); i++) {
		const struct tally_row *row = &report->files.rows[i];

		(void)fputs("<tr><td>", to);
		put_code(to, row->key);
		(void)fputs("</td><td class=\"dim\">", to);
		put_access(row->access, to);
		(void)fputs("</td>", to);
		put_counts(row, to);
	}
	(void)fputs("</tbody></table>\n", to);
	put_rest(to, &report->files, "paths");
	(void)fputs("<p class=\"dim\">What was refused or asked for, and what was written with "
		    "permission where the policy reports writing; what was only read is left "
		    "out.</p></section>\n",
		    to);
}

/* --- One by one ----------------------------------------------------------------------------------- */

static void put_moment(const json_t *event, FILE *to)
{
	const char *verdict = report_text(event, "verdict");
	const char *class = strcmp(verdict, "deny") == 0 ? "deny" :
			    strcmp(verdict, "ask") == 0	 ? "ask" :
							   "other";
	CLEAN_FREE char *line = NULL;
	const char *words;
	__s64 when = 0;

	(void)moment_parse(report_text(event, "time"), 0, &when);
	if (format_line(event, FORMAT_UTC, &line))
		return;
	/* The line begins with a time of day; the column has the whole of it. */
	words = strchr(line, ' ');
	(void)fputs("<tr>", to);
	put_cell_time(to, when);
	(void)fprintf(to, "<td><span class=\"tag %s\">", class);
	html_text_cut(to, *verdict ? verdict : report_text(event, "kind"), 20);
	(void)fputs("</span></td><td class=\"m\">", to);
	html_text_cut(to, words ? words + 1 : line, SHOWN);
	(void)fputs("</td></tr>\n", to);
}

void report_write_moments(const struct report *report, FILE *to)
{
	const json_t *event;
	size_t i;

	if (json_array_size(report->moments) == 0)
		return;
	put_table(to, "One by one", "<th>time (UTC)</th><th></th><th>what</th>");
	json_array_foreach(report->moments, i, event)
		put_moment(event, to);
	(void)fputs("</tbody></table>\n", to);
	if (report->moments_left_out) {
		(void)fputs("<p class=\"dim\">The first ", to);
		html_number(to, REPORT_MOMENTS);
		(void)fputs("; ", to);
		html_number(to, report->moments_left_out);
		(void)fputs(" more are in the store: <code>picket log --agent ", to);
		html_text_cut(to, report->question->agent, 80);
		(void)fputs(" --kind decision</code>.</p>\n", to);
	}
	(void)fputs("</section>\n", to);
}
