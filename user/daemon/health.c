/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A problem is something that an administrator has to put right. What was lost or refused is counted, and
 * is none by itself.
 */
#include "daemon/health.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/service.h"
#include "daemon/state.h"
#include "engine/agent.h"
#include "engine/hub_asks.h"
#include "engine/hub_facts.h"
#include "policy/guarded.h"
#include "telemetry/names.h"

/* Clocks that are set do not reach this one. */
static time_t seconds(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void health_proven(struct daemon *daemon)
{
	daemon->proof.at = time(NULL);
	daemon->proof.due = seconds() + HEALTH_PROOF_SECONDS;
}

/* Those that could not have one when they began: there may be room by now. */
static void make_feeds(struct daemon *daemon)
{
	struct feeds *feeds = &daemon->feeds;
	struct agent_entry *entry = NULL;
	__u32 slot = 0;

	if (feeds->folder < 0)
		feeds_open(feeds, daemon->run_fd, feeds->own);
	/* Nobody is left who could show that it went away. */
	else if (!daemon->registry.count)
		feeds->error = 0;
	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		if (entry->feed.fd < 0)
			feed_open(&daemon->feeds, entry);
	}
}

void health_check(struct daemon *daemon)
{
	CLEAN_FREE char *sentence = NULL;

	make_feeds(daemon);
	ledger_check(daemon);
	if (seconds() >= daemon->proof.due)
		daemon_prove(daemon);
	sentence = health_sentence(daemon);
	service_status("%s", sentence ? sentence : "out of memory");
}

/* --- Problems ------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
add_problem(json_t *problems, const char *format, ...)
{
	CLEAN_FREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (text)
		(void)json_array_append_new(problems, json_string(text));
}

/* Policies that cannot be read are no agents' yet, so nobody else tells. */
static void look_at_folder(const struct daemon *daemon, json_t *problems)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	const struct policies *policies = &daemon->policies;
	int r = guarded_check(policies->folder, GUARDED_FOLDER, policies->owner, &fault);

	if (r == -ENOENT)
		add_problem(problems, "there is no folder '%s': no policy can be used by its name",
			    policies->folder);
	else if (r)
		add_problem(problems, "no policy can be used by its name: '%s': %s",
			    policies->folder, fault.why ? fault.why : strerror(-r));
}

static size_t count_without_feed(const struct daemon *daemon)
{
	const struct agent_entry *entry = NULL;
	size_t count = 0;
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		count += entry->feed.fd < 0;
	}
	return count;
}

static void look_at_feeds(const struct daemon *daemon, json_t *problems)
{
	size_t without = count_without_feed(daemon);

	if (without)
		add_problem(problems, "%zu agent%s no feed of denials: %s", without,
			    without == 1 ? " has" : "s have",
			    daemon->feeds.error ? strerror(-daemon->feeds.error) :
						  "it could not be made when the agent began");
	else if (daemon->feeds.error)
		add_problem(problems, "feeds of denials cannot be written: %s",
			    strerror(-daemon->feeds.error));
}

static void look_at_sinks(const struct daemon *daemon, json_t *problems)
{
	json_t *sinks = sinks_status(daemon->sinks);
	const json_t *sink;
	size_t i;

	if (daemon->telemetry.fault)
		add_problem(problems, "telemetry goes on as it was: %s", daemon->telemetry.fault);
	json_array_foreach(sinks, i, sink) {
		const json_t *lost = json_object_get(sink, "lost");
		const char *name = json_string_value(json_object_get(sink, "name"));
		const char *state = json_string_value(json_object_get(sink, "state"));
		const char *error = json_string_value(json_object_get(sink, "error"));
		json_int_t count = json_integer_value(json_object_get(lost, "decision")) +
				   json_integer_value(json_object_get(lost, "record"));

		if (count)
			add_problem(problems, "the sink '%s' has lost %lld decisions and records",
				    name, (long long)count);
		if (error || (state && strcmp(state, "down") == 0))
			add_problem(problems, "the sink '%s' is %s: %s", name, state,
				    error ? error : "its process ended");
	}
	json_decref(sinks);
}

static json_t *find_problems(const struct daemon *daemon)
{
	json_t *problems = json_array();

	if (!problems)
		return NULL;
	if (daemon->proof.result)
		add_problem(problems, "enforcement could not be proven: %s",
			    daemon->proof.text ? daemon->proof.text :
						 strerror(-daemon->proof.result));
	if (daemon->state_error)
		add_problem(problems,
			    "'%s/%s' cannot be written: %s; after a restart agents are confined as "
			    "before, but 'unknown'",
			    daemon->options.run_dir, STATE_FILE, strerror(-daemon->state_error));
	if (daemon->reload.at && !daemon->reload.ok)
		add_problem(problems, "the last reload failed, agents keep their policies: %s",
			    daemon->reload.findings ? daemon->reload.findings : "out of memory");
	if (daemon->ledger.trail.error)
		add_problem(problems,
			    "the audit trail in '%s/" AUDIT_FOLDER
			    "' cannot be written: %s; nothing can be approved",
			    daemon->options.lib_dir, strerror(-daemon->ledger.trail.error));
	if (daemon->metrics.error)
		add_problem(problems, "there are no metrics: %s", daemon->metrics.error);
	look_at_folder(daemon, problems);
	look_at_feeds(daemon, problems);
	look_at_sinks(daemon, problems);
	return problems;
}

static char *sentence_of(const struct daemon *daemon, const json_t *problems)
{
	size_t count = json_array_size(problems);
	const char *first = json_string_value(json_array_get(problems, 0));
	size_t agents = daemon->registry.count;
	CLEAN_FREE char *text = NULL;
	int length;

	if (count)
		length = asprintf(&text, "%zu problem%s: %.*s%s", count, count == 1 ? "" : "s",
				  (int)strcspn(first, "\n"), first,
				  daemon->proof.result ? "" : "; enforcement is proven");
	else
		length = asprintf(&text,
				  "healthy: %zu agent%s, tier %s, enforcement proven %ld s ago",
				  agents, agents == 1 ? "" : "s", names_tier(daemon->hub.tier),
				  (long)(HEALTH_PROOF_SECONDS - (daemon->proof.due - seconds())));
	return length < 0 ? NULL : TAKE_PTR(text);
}

char *health_sentence(const struct daemon *daemon)
{
	json_t *problems = find_problems(daemon);
	char *sentence = problems ? sentence_of(daemon, problems) : NULL;

	json_decref(problems);
	return sentence;
}

/* --- Parts of the answer -------------------------------------------------------------------------- */

static json_t *server_json(const struct daemon *daemon)
{
	struct server_counts counts = { 0 };

	server_get_counts(daemon->server, &counts);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "accepted", (json_int_t)counts.accepted,
			 "refused", (json_int_t)counts.refused_clients, "dropped",
			 (json_int_t)counts.dropped, "requests", (json_int_t)counts.requests,
			 "requests_refused", (json_int_t)counts.refused_requests,
			 "notifications_lost", (json_int_t)counts.notifications_lost);
}

static json_t *events_json(const struct daemon *daemon)
{
	const struct events *events = &daemon->events;
	const struct agent_entry *entry = NULL;
	__u64 total = 0;
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		__u64 counts[PK_COUNT__MAX] = { 0 };

		slot = entry->record.slot;
		(void)agent_counts(&daemon->hub.loader, slot, counts);
		total += counts[PK_COUNT_DECISION_LOST] + counts[PK_COUNT_ACTIVITY_LOST];
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "delivered", (json_int_t)events->delivered,
			 "lost", (json_int_t)total, "malformed", (json_int_t)events->malformed,
			 "of_no_agent", (json_int_t)events->nobodys, "connections_not_ended",
			 (json_int_t)events->destroyer.failed);
}

static json_t *reload_json(const struct daemon *daemon)
{
	const struct reload *reload = &daemon->reload;

	if (!reload->at)
		return NULL;
	return json_pack("{s:I, s:b, s:I, s:I, s:s*}", "at", (json_int_t)reload->at, "ok",
			 reload->ok, "reloaded", (json_int_t)reload->reloaded, "ms",
			 (json_int_t)reload->ms, "findings", reload->findings);
}

static json_t *proof_json(const struct daemon *daemon)
{
	return json_pack("{s:I, s:b, s:I, s:s*}", "at", (json_int_t)daemon->proof.at, "ok",
			 daemon->proof.result == 0, "next_in",
			 (json_int_t)(daemon->proof.due - seconds()), "findings",
			 daemon->proof.text);
}

static json_t *feeds_json(const struct daemon *daemon)
{
	return json_pack("{s:I, s:I, s:I, s:s*}", "agents", (json_int_t)daemon->registry.count,
			 "without", (json_int_t)count_without_feed(daemon), "dropped",
			 (json_int_t)daemon->feeds.dropped, "error",
			 daemon->feeds.error ? strerror(-daemon->feeds.error) : NULL);
}

static int count_hold(void *context, __u32 tid, const struct pk_hold *hold)
{
	(void)tid;
	(void)hold;
	++*(json_int_t *)context;
	return 0;
}

static int count_grant(void *context, const struct pk_ask_key *key, const struct pk_grant *grant)
{
	(void)key;
	(void)grant;
	++*(json_int_t *)context;
	return 0;
}

static json_t *approvals_json(const struct daemon *daemon)
{
	json_int_t open = 0;
	json_int_t held = 0;
	json_int_t grants = 0;

	for (const struct ask_request *one = daemon->asks.requests; one; one = one->next)
		open++;
	(void)hub_holds(&daemon->hub, count_hold, &held);
	(void)hub_grants(&daemon->hub, count_grant, &grants);
	return json_pack("{s:I, s:I, s:I, s:I}", "open", open, "held", held, "answers", grants,
			 "overflowed", (json_int_t)daemon->asks.overflowed);
}

static json_t *kernel_json(const struct daemon *daemon);

/* The parts that are looked at one by one. */
static json_t *parts_json(const struct daemon *daemon, bool detail)
{
	json_t *kernel = detail ? kernel_json(daemon) : json_object();
	json_t *parts = json_pack("{s:o, s:o, s:o*, s:o, s:o, s:o, s:o*, s:o, s:o*}", "clients",
				  server_json(daemon), "events", events_json(daemon), "reload",
				  reload_json(daemon), "proof", proof_json(daemon), "feeds",
				  feeds_json(daemon), "approvals", approvals_json(daemon),
				  "metrics", metrics_status(daemon), "notes", notes_status(daemon),
				  "receiver", receiver_status(daemon));

	if (!parts || !kernel || json_object_update(parts, kernel)) {
		json_decref(parts);
		parts = NULL;
	}
	json_decref(kernel);
	return parts;
}

/* --- The kernel's side ---------------------------------------------------------------------------- */

static int add_program(void *context, const struct hub_program_facts *facts)
{
	return json_array_append_new(context, json_pack("{s:s, s:I, s:I}", "name", facts->name,
							"runs", (json_int_t)facts->runs, "ns",
							(json_int_t)facts->ns)) ?
		       -ENOMEM :
		       0;
}

static int add_map(void *context, const struct hub_map_facts *facts)
{
	json_t *map = json_pack("{s:s, s:s, s:I, s:I}", "name", facts->name, "kind", facts->kind,
				"entries", (json_int_t)facts->entries, "room",
				(json_int_t)facts->room);

	if (facts->bounded && facts->room)
		(void)json_object_set_new(
			map, "percent",
			json_integer((json_int_t)(facts->entries * 100 / facts->room)));
	return json_array_append_new(context, map) ? -ENOMEM : 0;
}

static json_t *kernel_json(const struct daemon *daemon)
{
	bool counted = hub_counts_runs();
	json_t *programs = json_array();
	json_t *maps = json_array();

	(void)hub_programs(&daemon->hub, add_program, programs);
	(void)hub_maps(&daemon->hub, add_map, maps);
	return json_pack("{s:b, s:s*, s:o, s:o}", "runs_counted", counted, "hint",
			 counted ? NULL :
				   "runs and times are counted after: sysctl "
				   "kernel.bpf_stats_enabled=1",
			 "programs", programs, "maps", maps);
}

/* --- The answer ----------------------------------------------------------------------------------- */

json_t *health_status(struct daemon *daemon, bool detail)
{
	static const char *const origins[] = {
		[HUB_NEW] = "new",
		[HUB_ADOPTED] = "adopted",
		[HUB_UPGRADED] = "upgraded",
	};
	json_t *problems = find_problems(daemon);
	CLEAN_FREE char *sentence = problems ? sentence_of(daemon, problems) : NULL;
	bool healthy = json_array_size(problems) == 0;
	json_t *parts = parts_json(daemon, detail);
	json_t *status;

	status = json_pack("{s:s*, s:b, s:o, s:s, s:i, s:i, s:s, s:I, s:I, s:s, s:I, s:s*}",
			   "health", sentence, "healthy", healthy, "problems", problems, "picket",
			   PICKET_VERSION, "abi", PK_ABI_VERSION, "version", CONTROL_VERSION,
			   "tier", names_tier(daemon->hub.tier), "pid", (json_int_t)getpid(),
			   "since", (json_int_t)daemon->since, "engine",
			   origins[daemon->hub.origin], "agents",
			   (json_int_t)daemon->registry.count, "state_error",
			   daemon->state_error ? strerror(-daemon->state_error) : NULL);
	if (!status || !parts || json_object_update(status, parts) ||
	    json_object_set_new(status, "sinks", sinks_status(daemon->sinks))) {
		json_decref(status);
		status = NULL;
	}
	json_decref(parts);
	return status;
}
