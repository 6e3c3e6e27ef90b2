/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering: one pass over the agent's events in order of time, one over what is about no agent. What is
 * kept does not grow with their number.
 */
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/report_parts.h"
#include "telemetry/moment.h"

/* Most agents of one name that a report is about: the last ones. */
#define AGENTS_MAX 50

const char *report_text(const json_t *from, const char *key)
{
	const char *value = json_string_value(json_object_get(from, key));

	return value ? value : "";
}

static bool is_text(const json_t *from, const char *key, const char *word)
{
	return strcmp(report_text(from, key), word) == 0;
}

static __s64 number(const json_t *from, const char *key)
{
	return json_integer_value(json_object_get(from, key));
}

/* --- What an event was about ---------------------------------------------------------------------- */

static char *destination(const json_t *event)
{
	const char *host = report_text(event, "host");
	const char *address = report_text(event, "address");
	char *text = NULL;
	int n;

	if (!*address)
		return strdup(host);
	if (*host)
		n = asprintf(&text, "%s (%s) port %lld", host, address,
			     (long long)number(event, "port"));
	else
		n = asprintf(&text, "%s port %lld", address, (long long)number(event, "port"));
	return n < 0 ? NULL : text;
}

char *report_object(const json_t *event)
{
	static const char *const keys[] = { "command", "path",	      "host",	     "syscall",
					    "signal",  "capability",  "bpf_command", "ioctl",
					    "message", "kernel_file", "type",	     "switch" };
	const char *path2 = report_text(event, "path2");
	char *text = NULL;

	if (*report_text(event, "address") || *report_text(event, "host"))
		return destination(event);
	if (*path2 && asprintf(&text, "%s \xe2\x86\x92 %s", report_text(event, "path"), path2) >= 0)
		return text;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (*report_text(event, keys[i]))
			return strdup(report_text(event, keys[i]));
	}
	return strdup("");
}

/* Who decided: the same words for the same rule, default or switch. malloc'ed or NULL. */
static char *decider(const json_t *event)
{
	const json_t *rule = json_object_get(event, "rule");
	const char *section = report_text(json_object_get(event, "default"), "section");
	const char *guard = report_text(event, "switch");
	char *text = NULL;
	int n;

	if (*report_text(rule, "text"))
		n = asprintf(&text, "%s %s", report_text(rule, "verdict"),
			     report_text(rule, "text"));
	else if (*guard)
		n = asprintf(&text, "process.%s", guard);
	else if (*section)
		n = asprintf(&text, "default of %s", section);
	else
		n = asprintf(&text, "%s: %s", report_text(event, "section"),
			     report_text(event, "reason"));
	return n < 0 ? NULL : text;
}

/* --- Counting ------------------------------------------------------------------------------------- */

static void keep_sample(struct tally_row *row, const json_t *event)
{
	if (row && !row->sample)
		row->sample = json_incref((json_t *)event);
}

static void add_rule(struct report *report, const json_t *event, enum tally_what what, __u64 times,
		     __s64 when)
{
	const json_t *rule = json_object_get(event, "rule");
	CLEAN_FREE char *words = decider(event);
	CLEAN_FREE char *key = NULL;
	struct tally_row *row;

	if (!words || asprintf(&key, "%s\n%s\n%lld", words, report_text(rule, "file"),
			       (long long)number(rule, "line")) < 0)
		return;
	row = tally_add(&report->rules, key, what, times, when);
	keep_sample(row, event);
	if (row && what == TALLY_DENIED && json_is_true(json_object_get(event, "audit")))
		row->audited += times;
}

static void add_destination(struct report *report, const json_t *event, enum tally_what what,
			    __u64 times, __s64 when)
{
	CLEAN_FREE char *key = NULL;

	if (!is_text(event, "section", "egress") ||
	    (!*report_text(event, "address") && !*report_text(event, "host")))
		return;
	/* Whom a name was asked of is not a destination; that it was asked for is told by itself. */
	if (is_text(event, "op", "dns") || is_text(event, "op", "answer")) {
		if (asprintf(&key, "%s\nname", report_text(event, "host")) < 0)
			return;
	} else if (asprintf(&key, "%s\n%s %lld %s", report_text(event, "host"),
			    report_text(event, "address"), (long long)number(event, "port"),
			    report_text(event, "protocol")) < 0) {
		return;
	}
	keep_sample(tally_add(&report->destinations, key, what, times, when), event);
}

static unsigned int access_of(const json_t *event)
{
	static const char *const words[] = { "read", "write", "exec", "connect", "run", "command" };
	const json_t *list = json_object_get(event, "access");
	const json_t *word;
	unsigned int access = 0;
	size_t at;

	json_array_foreach(list, at, word) {
		for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i++) {
			const char *name = json_string_value(word);

			if (name && strcmp(name, words[i]) == 0)
				access |= 1U << i;
		}
	}
	return access;
}

static void add_file(struct report *report, const json_t *event, enum tally_what what, __u64 times,
		     __s64 when)
{
	unsigned int access = access_of(event);
	CLEAN_FREE char *object = NULL;
	struct tally_row *row;

	if (!*report_text(event, "path"))
		return;
	/* What was only read or run with permission is the bulk, and tells little. */
	if (what == TALLY_OTHER && (!(access & 2) || !is_text(event, "section", "files")))
		return;
	object = report_object(event);
	row = object ? tally_add(&report->files, object, what, times, when) : NULL;
	keep_sample(row, event);
	if (row)
		row->access |= access;
}

/* --- Tool calls ----------------------------------------------------------------------------------- */

static struct report_call *find_call(struct report *report, const char *id)
{
	for (size_t i = report->call_count; i > 0; i--) {
		if (!report->calls[i - 1].end_ns && strcmp(report->calls[i - 1].id, id) == 0)
			return &report->calls[i - 1];
	}
	return NULL;
}

static void begin_call(struct report *report, const json_t *event, __s64 when)
{
	const json_t *tool = json_object_get(event, "tool");
	struct report_call *grown;
	struct report_call call = { .begin_ns = when };

	if (report->call_count >= REPORT_CALLS) {
		report->calls_left_out++;
		return;
	}
	grown = reallocarray(report->calls, report->call_count + 1, sizeof(*grown));
	call.name = strdup(report_text(tool, "name"));
	call.id = strdup(report_text(tool, "call_id"));
	call.claimed = json_is_true(json_object_get(event, "claimed"));
	if (grown)
		report->calls = grown;
	if (grown && call.name && call.id) {
		grown[report->call_count++] = call;
		return;
	}
	free(call.name);
	free(call.id);
	report->calls_left_out++;
}

static void add_note(struct report *report, const json_t *event, __s64 when)
{
	const json_t *tool = json_object_get(event, "tool");
	struct report_call *call;

	if (is_text(event, "op", "tool-start"))
		begin_call(report, event, when);
	call = is_text(event, "op", "tool-end") ? find_call(report, report_text(tool, "call_id")) :
						  NULL;
	if (call)
		call->end_ns = when;
}

/* --- The passes ----------------------------------------------------------------------------------- */

static void add_moment(struct report *report, const json_t *event)
{
	if (json_array_size(report->moments) >= REPORT_MOMENTS ||
	    json_array_append(report->moments, (json_t *)event))
		report->moments_left_out++;
}

static void add_loss(struct report *report, const json_t *event, __s64 when)
{
	CLEAN_FREE char *key = NULL;
	__s64 lost = number(event, "count");

	if (lost > 0 && asprintf(&key, "%s\n%s\n%s", report_text(event, "class"),
				 report_text(event, "where"), report_text(event, "agent")) >= 0)
		(void)tally_add(&report->losses, key, TALLY_OTHER, (__u64)lost, when);
}

/* Decisions and activity. */
static void add_act(struct report *report, const json_t *event, __u64 times, __s64 when)
{
	enum tally_what what = is_text(event, "verdict", "deny") ? TALLY_DENIED :
			       is_text(event, "verdict", "ask")	 ? TALLY_ASKED :
								   TALLY_OTHER;

	report->denied += what == TALLY_DENIED ? times : 0;
	report->asked += what == TALLY_ASKED ? times : 0;
	report->allowed += what == TALLY_OTHER ? times : 0;
	if (what == TALLY_DENIED && json_is_true(json_object_get(event, "audit")))
		report->audited += times;
	report_line_add(&report->line, when, what, times);
	add_destination(report, event, what, times, when);
	add_file(report, event, what, times, when);
	if (what == TALLY_OTHER)
		return;
	add_rule(report, event, what, times, when);
	add_moment(report, event);
	(void)tally_add(&report->processes, report_text(json_object_get(event, "process"), "id"),
			what, times, when);
}

static int add_event(void *context, const json_t *event, const char *line)
{
	struct report *report = context;
	__s64 folded = number(json_object_get(event, "folded"), "count");
	__u64 times = folded > 0 ? (__u64)folded : 1;
	__s64 when = 0;

	(void)line;
	(void)moment_parse(report_text(event, "time"), 0, &when);
	if (!report->first_ns)
		report->first_ns = when;
	report->last_ns = when;
	report->events++;
	if (is_text(event, "kind", "decision") || is_text(event, "kind", "activity")) {
		add_act(report, event, times, when);
		return 0;
	}
	report_line_add(&report->line, when, TALLY_OTHER, times);
	if (is_text(event, "kind", "life")) {
		report->lives++;
		return 0;
	}
	report->records++;
	if (is_text(event, "kind", "loss"))
		add_loss(report, event, when);
	else if (is_text(event, "kind", "note"))
		add_note(report, event, when);
	else
		add_moment(report, event);
	return 0;
}

/* What is about no agent: losses on the way, the head of the audit trail. */
static int add_common(void *context, const json_t *event, const char *line)
{
	struct report *report = context;
	__s64 when = 0;

	(void)line;
	if (is_text(event, "kind", "audit-head")) {
		json_decref(report->head);
		report->head = json_incref((json_t *)event);
	} else if (!json_object_get(event, "agent")) {
		(void)moment_parse(report_text(event, "time"), 0, &when);
		add_loss(report, event, when);
	}
	return 0;
}

static int gather_common(struct report *report)
{
	CLEAN(filter_reset)
	struct event_filter filter = {
		.since_ns = report->question->since_ns,
		.until_ns = report->question->until_ns,
	};
	const struct store_query query = { .filter = &filter };
	int r = filter_add_word(&filter, FILTER_KIND, "loss");

	if (!r)
		r = filter_add_word(&filter, FILTER_KIND, "audit-head");
	return r ? r : store_query(report->store, &query, add_common, report);
}

static void free_agent(struct report_agent *agent)
{
	free(agent->id);
	free(agent->name);
	free(agent->policy);
	free(agent->digest);
	free(agent->mode);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static bool is_in_period(const struct report *report, const struct store_agent *agent)
{
	const struct report_question *question = report->question;

	return (!question->since_ns || !agent->end_ns || agent->end_ns >= question->since_ns) &&
	       (!question->until_ns || agent->start_ns < question->until_ns);
}

static int add_agent(void *context, const struct store_agent *found)
{
	struct report *report = context;
	struct report_agent *grown;
	struct report_agent agent = {
		.uid = found->uid,
		.start_ns = found->start_ns,
		.end_ns = found->end_ns,
	};

	if (!is_in_period(report, found) && strcmp(found->id, report->question->agent) != 0)
		return 0;
	if (report->agent_count == AGENTS_MAX) {
		free_agent(&report->agents[0]);
		memmove(report->agents, report->agents + 1, (AGENTS_MAX - 1) * sizeof(*grown));
		report->agent_count--;
	}
	grown = reallocarray(report->agents, report->agent_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	report->agents = grown;
	agent.id = copy(found->id);
	agent.name = copy(found->name);
	agent.policy = copy(found->policy);
	agent.digest = copy(found->digest);
	agent.mode = copy(found->mode);
	grown[report->agent_count++] = agent;
	return agent.id ? 0 : -ENOMEM;
}

static int find_agents(struct report *report)
{
	const struct report_question *question = report->question;
	int r = store_agents(report->store, question->agent, add_agent, report);

	/* Its beginning may be from before the store's. */
	if (!r && report->agent_count == 0)
		r = filter_add_word(&report->filter, FILTER_AGENT, question->agent);
	for (size_t i = 0; !r && i < report->agent_count; i++)
		r = filter_add_word(&report->filter, FILTER_AGENT, report->agents[i].id);
	report->filter.since_ns = question->since_ns;
	report->filter.until_ns = question->until_ns;
	return r;
}

static int gather(struct report *report)
{
	const struct store_query query = { .filter = &report->filter };
	int r = find_agents(report);

	report->moments = json_array();
	if (!report->moments)
		r = -ENOMEM;
	if (!r)
		r = store_query(report->store, &query, add_event, report);
	if (!r)
		r = gather_common(report);
	if (!r)
		r = store_look(report->store, &report->facts);
	if (!r)
		r = store_find_gaps(report->store, &report->filter, &report->gaps);
	return r;
}

static void report_reset(struct report *report)
{
	for (size_t i = 0; i < report->agent_count; i++)
		free_agent(&report->agents[i]);
	free(report->agents);
	for (size_t i = 0; i < report->call_count; i++) {
		free(report->calls[i].name);
		free(report->calls[i].id);
	}
	free(report->calls);
	tally_reset(&report->rules);
	tally_reset(&report->destinations);
	tally_reset(&report->files);
	tally_reset(&report->processes);
	tally_reset(&report->losses);
	json_decref(report->moments);
	json_decref(report->head);
	filter_reset(&report->filter);
}

static int write_all(struct report *report, FILE *to)
{
	int r;

	tally_sort(&report->rules);
	tally_sort(&report->destinations);
	tally_sort(&report->files);
	tally_sort(&report->losses);
	report_write_head(report, to);
	report_write_losses(report, to);
	report_write_line(report, to);
	report_write_rules(report, to);
	r = report_write_tree(report, to);
	report_write_destinations(report, to);
	report_write_files(report, to);
	report_write_moments(report, to);
	(void)fputs("</main></body></html>\n", to);
	return r;
}

int report_write(struct store *store, const struct report_question *question, FILE *to,
		 struct diag_list *diags)
{
	CLEAN(report_reset) struct report report = { .store = store, .question = question };
	int r = gather(&report);

	if (!r && report.agent_count == 0 && report.events == 0) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the store has nothing of an agent '%s'", question->agent),
			  "`picket log --kind agent` lists the agents that it knows");
		return -ENOENT;
	}
	if (!r)
		r = write_all(&report, to);
	if (r == -ENOMEM)
		(void)diag_add(diags, DIAG_ERROR, NULL, "out of memory");
	else if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot read the store: %s",
			       store_error(store));
	return r;
}
