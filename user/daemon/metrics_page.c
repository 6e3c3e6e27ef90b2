/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on the page. Most of it is what `picket status` says, by the same words; agents and maps are
 * looked at here. Maps are counted seldom: that takes longer than all the rest.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <bpf/libbpf.h>

#include <picket.skel.h>

#include "daemon/daemon.h"
#include "daemon/health.h"
#include "daemon/metrics.h"
#include "engine/agent.h"
#include "engine/hub_facts.h"
#include "engine/latency.h"
#include "engine/ring_fill.h"
#include "metrics/exposition.h"
#include "process/table.h"
#include "telemetry/names.h"

/* Seconds between two counts of maps. */
#define MAPS_SECONDS 15

/* --- What the status says ------------------------------------------------------------------------- */

/* A number or truth of the status. */
struct status_row {
	enum metric metric;
	const char *part; /* NULL = of the status itself */
	const char *key;
};

static const struct status_row status_rows[] = {
	{ METRIC_START_TIME, NULL, "since" },
	{ METRIC_HEALTHY, NULL, "healthy" },
	{ METRIC_AGENTS, NULL, "agents" },
	{ METRIC_PROOF_OK, "proof", "ok" },
	{ METRIC_PROOF_TIME, "proof", "at" },
	{ METRIC_RELOAD_OK, "reload", "ok" },
	{ METRIC_RELOAD_TIME, "reload", "at" },
	{ METRIC_MALFORMED, "events", "malformed" },
	{ METRIC_UNATTRIBUTED, "events", "of_no_agent" },
	{ METRIC_REQUESTS_OPEN, "approvals", "open" },
	{ METRIC_REQUESTS_OVERFLOWED, "approvals", "overflowed" },
	{ METRIC_HELD_THREADS, "approvals", "held" },
	{ METRIC_GRANTS, "approvals", "answers" },
	{ METRIC_FEEDS_MISSING, "feeds", "without" },
	{ METRIC_FEED_LINES_DROPPED, "feeds", "dropped" },
	{ METRIC_CLIENTS, "clients", "accepted" },
	{ METRIC_CLIENTS_REFUSED, "clients", "refused" },
	{ METRIC_CLIENTS_DROPPED, "clients", "dropped" },
	{ METRIC_NOTIFICATIONS_LOST, "clients", "notifications_lost" },
	{ METRIC_HTTP_REQUESTS, "metrics", "requests" },
	{ METRIC_HTTP_REFUSED, "metrics", "refused" },
	{ METRIC_HTTP_CUT, "metrics", "cut" },
};

static double number_of(const json_t *value)
{
	return json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void add_status(struct exposition *page, const json_t *status)
{
	for (size_t i = 0; i < sizeof(status_rows) / sizeof(status_rows[0]); i++) {
		const struct status_row *row = &status_rows[i];
		const json_t *part = row->part ? json_object_get(status, row->part) : status;
		const json_t *value = json_object_get(part, row->key);

		if (value)
			exposition_add(page, row->metric, number_of(value));
	}
	exposition_add(page, METRIC_PROBLEMS,
		       (double)json_array_size(json_object_get(status, "problems")));
}

static void add_build(struct exposition *page, const json_t *status)
{
	char abi[16];

	(void)snprintf(abi, sizeof(abi), "%d", PK_ABI_VERSION);
	exposition_add(page, METRIC_BUILD_INFO, 1, PICKET_VERSION, abi, text_of(status, "tier"),
		       text_of(status, "engine"));
}

/* --- Sinks ---------------------------------------------------------------------------------------- */

static void add_sink_losses(struct exposition *page, const char *name, const json_t *lost)
{
	for (int class = 0; class < SINK__CLASSES; class ++)
		exposition_add(page, METRIC_SINK_LOST,
			       number_of(json_object_get(lost, sink_class_name(class))), name,
			       sink_class_name(class));
}

static void add_sinks(struct exposition *page, const struct daemon *daemon)
{
	static const struct {
		enum metric metric;
		const char *key;
	} rows[] = {
		{ METRIC_SINK_QUEUE_RECORDS, "queued" },
		{ METRIC_SINK_QUEUE_BYTES, "queued_bytes" },
		{ METRIC_SINK_SPOOLED, "spooled" },
		{ METRIC_SINK_SENT, "sent" },
		{ METRIC_SINK_RETRIES, "retries" },
	};
	json_t *sinks = sinks_status(daemon->sinks);
	const json_t *sink;
	size_t i;

	json_array_foreach(sinks, i, sink) {
		const char *name = text_of(sink, "name");

		exposition_add(page, METRIC_SINK_UP, !json_object_get(sink, "error"), name,
			       text_of(sink, "type"));
		for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
			exposition_add(page, rows[row].metric,
				       number_of(json_object_get(sink, rows[row].key)), name);
		add_sink_losses(page, name, json_object_get(sink, "lost"));
	}
	json_decref(sinks);
}

/* --- Agents --------------------------------------------------------------------------------------- */

/* What is counted of one agent, or of those that ended. */
struct counted {
	const char *agent;
	const struct decision_tally *decisions;
	const __u64 *counts; /* the kernel's; NULL = not known */
	__u64 events;
	__u64 untold;
	__u64 untold_allowed;
};

static void add_decisions(struct exposition *page, const struct counted *counted)
{
	for (__u32 section = 0; section < PK_SECTION__MAX; section++) {
		for (__u32 verdict = 0; verdict < PK_VERDICT__MAX; verdict++) {
			__u64 count = counted->decisions->counts[section][verdict];

			if (count)
				exposition_add(page, METRIC_DECISIONS, (double)count,
					       counted->agent, names_section(section),
					       names_verdict(verdict));
		}
	}
}

static void add_kernel_counts(struct exposition *page, const struct counted *counted)
{
	static const struct {
		enum metric metric;
		enum pk_count count;
		const char *label;
	} rows[] = {
		{ METRIC_KERNEL_DECISIONS, PK_COUNT_DENIED, "deny" },
		{ METRIC_KERNEL_DECISIONS, PK_COUNT_ASKED, "ask" },
		{ METRIC_KERNEL_DECISIONS, PK_COUNT_GRANTED, "allow" },
		{ METRIC_LOST, PK_COUNT_DECISION_LOST, "decision" },
		{ METRIC_LOST, PK_COUNT_ACTIVITY_LOST, "activity" },
		{ METRIC_LOST, PK_COUNT_LIFE_LOST, "life" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double value = (double)counted->counts[rows[i].count];

		if (rows[i].metric == METRIC_LOST)
			exposition_add(page, METRIC_LOST, value, counted->agent, rows[i].label,
				       "kernel");
		else
			exposition_add(page, rows[i].metric, value, counted->agent, rows[i].label);
	}
	exposition_add(page, METRIC_LIMITED, (double)counted->counts[PK_COUNT_ACTIVITY_LIMITED],
		       counted->agent);
}

static void add_counted(struct exposition *page, const struct counted *counted)
{
	add_decisions(page, counted);
	if (counted->counts)
		add_kernel_counts(page, counted);
	exposition_add(page, METRIC_EVENTS, (double)counted->events, counted->agent);
	exposition_add(page, METRIC_LOST, (double)(counted->untold - counted->untold_allowed),
		       counted->agent, "decision", "subscriber");
	exposition_add(page, METRIC_LOST, (double)counted->untold_allowed, counted->agent,
		       "activity", "subscriber");
}

static const char *mode_of(const struct agent_entry *entry)
{
	if (!entry->image.bytes)
		return "unknown";
	return image_head(&entry->image)->flags & PK_IMAGE_AUDIT ? "audit" : "enforce";
}

static void add_agent(struct exposition *page, const struct daemon *daemon,
		      const struct agent_entry *entry)
{
	const struct agent_record *record = &entry->record;
	__u64 counts[PK_COUNT__MAX] = { 0 };
	const struct counted counted = {
		.agent = record->id,
		.decisions = &entry->decisions,
		.counts = agent_counts(&daemon->hub.loader, record->slot, counts) ? NULL : counts,
		.events = entry->events,
		.untold = entry->untold,
		.untold_allowed = entry->untold_allowed,
	};

	add_counted(page, &counted);
	exposition_add(page, METRIC_AGENT_INFO, 1, record->id, record->name ? record->name : "",
		       record->policy ? record->policy : "unknown", mode_of(entry), entry->digest);
}

static void add_agents(struct exposition *page, const struct daemon *daemon)
{
	const struct metrics_ended *ended = &daemon->metrics.ended;
	const struct agent_entry *nobody = &daemon->events.nobody;
	const struct counted past = {
		.agent = METRICS_ENDED,
		.decisions = &ended->decisions,
		.counts = ended->counts,
		.events = ended->events,
		.untold = ended->untold,
		.untold_allowed = ended->untold_allowed,
	};
	const struct counted strays = {
		.agent = nobody->record.id,
		.decisions = &nobody->decisions,
		.events = nobody->events,
		.untold = nobody->untold,
		.untold_allowed = nobody->untold_allowed,
	};
	const struct agent_entry *entry = NULL;
	__u32 slot = 0;

	add_counted(page, &past);
	if (nobody->events)
		add_counted(page, &strays);
	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		add_agent(page, daemon, entry);
	}
}

/* --- The kernel's side ---------------------------------------------------------------------------- */

static int keep_map(void *context, const struct hub_map_facts *facts)
{
	struct metrics *metrics = context;
	struct metrics_map *map;

	if (!facts->bounded || metrics->map_count == METRICS_MAPS_MAX)
		return 0;
	map = &metrics->maps[metrics->map_count++];
	(void)snprintf(map->name, sizeof(map->name), "%s", facts->name);
	map->entries = facts->entries;
	map->room = facts->room;
	return 0;
}

static void count_maps(struct daemon *daemon)
{
	struct metrics *metrics = &daemon->metrics;
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (metrics->counted && now.tv_sec - metrics->counted < MAPS_SECONDS)
		return;
	metrics->counted = now.tv_sec;
	metrics->map_count = 0;
	(void)hub_maps(&daemon->hub, keep_map, metrics);
}

static void add_maps(struct exposition *page, struct daemon *daemon)
{
	const struct metrics *metrics = &daemon->metrics;

	count_maps(daemon);
	for (size_t i = 0; i < metrics->map_count; i++) {
		const struct metrics_map *map = &metrics->maps[i];

		exposition_add(page, METRIC_MAP_ENTRIES, (double)map->entries, map->name);
		exposition_add(page, METRIC_MAP_ROOM, (double)map->room, map->name);
	}
}

static void add_ring(struct exposition *page, const char *name, const struct bpf_map *map)
{
	__u64 bytes;

	if (ring_fill(bpf_map__fd(map), &bytes))
		return;
	exposition_add(page, METRIC_RING_BYTES, (double)bytes, name);
	exposition_add(page, METRIC_RING_SIZE, bpf_map__max_entries(map), name);
}

/* Bounds that are shown, 2^n ns: what is shorter is in the first, what is longer over the last. */
#define LATENCY_FIRST 7
#define LATENCY_LAST 26

static int add_latency(void *context, __u32 op, const struct pk_latency *latency)
{
	struct exposition_bucket buckets[LATENCY_LAST - LATENCY_FIRST + 1] = { 0 };
	struct exposition_histogram histogram = {
		.buckets = buckets,
		.bucket_count = sizeof(buckets) / sizeof(buckets[0]),
		.sum = (double)latency->sum_ns / 1e9,
	};

	for (int n = LATENCY_FIRST; n <= LATENCY_LAST; n++)
		buckets[n - LATENCY_FIRST].at_most = (double)(1ULL << n) / 1e9;
	for (int n = 0; n < PK_LATENCY_BUCKETS; n++) {
		if (n > LATENCY_LAST)
			histogram.over += latency->buckets[n];
		else
			buckets[n < LATENCY_FIRST ? 0 : n - LATENCY_FIRST].count +=
				latency->buckets[n];
	}
	exposition_add_histogram(context, METRIC_DECISION_DURATION, names_op(op), &histogram);
	return 0;
}

/* --- The page ------------------------------------------------------------------------------------- */

int metrics_page(struct daemon *daemon, char **ret_text, size_t *ret_length)
{
	const struct picket_bpf *skel = daemon->hub.loader.skel;
	struct exposition page = { 0 };
	json_t *status;
	int r;

	add_ring(&page, "decisions", skel->maps.pk_decisions);
	add_ring(&page, "activity", skel->maps.pk_activity);
	/* What waits is of what is counted below. */
	daemon_take_records(daemon);
	status = health_status(daemon, false);
	add_build(&page, status);
	add_status(&page, status);
	add_agents(&page, daemon);
	add_sinks(&page, daemon);
	add_maps(&page, daemon);
	if (daemon->telemetry.settings.histograms)
		(void)latency_each(&daemon->hub, add_latency, &page);
	if (daemon->lives.table)
		exposition_add(&page, METRIC_PROCESSES,
			       (double)process_table_counts(daemon->lives.table).processes);
	exposition_add(&page, METRIC_SUBSCRIPTIONS, (double)daemon->events.count);
	r = status ? exposition_finish(&page, ret_text, ret_length) : -ENOMEM;
	exposition_reset(&page);
	json_decref(status);
	return r;
}
