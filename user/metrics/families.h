/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics that picketd shows, by name. Whatever is shown is in this table, and the man page, the
 * dashboard and the alert rules are checked against it.
 *
 * How many series there can be: those with `agent` exist while the agent does, and what it counted goes
 * into agent="ended" then, so that sums never fall; `sink`, `map`, `ring` and `op` are few and fixed.
 */
#ifndef PICKET_METRICS_FAMILIES_H
#define PICKET_METRICS_FAMILIES_H

/** The value of the label `agent` for what agents counted that are no more. */
#define METRICS_ENDED "ended"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

/** In the order in which they are shown. */
enum metric {
	METRIC_BUILD_INFO,
	METRIC_START_TIME,
	METRIC_HEALTHY,
	METRIC_PROBLEMS,
	METRIC_PROOF_OK,
	METRIC_PROOF_TIME,
	METRIC_RELOAD_OK,
	METRIC_RELOAD_TIME,
	METRIC_AGENTS,
	METRIC_AGENT_INFO,
	METRIC_DECISIONS,
	METRIC_KERNEL_DECISIONS,
	METRIC_EVENTS,
	METRIC_LOST,
	METRIC_LIMITED,
	METRIC_MALFORMED,
	METRIC_UNATTRIBUTED,
	METRIC_REQUESTS_OPEN,
	METRIC_REQUESTS_OVERFLOWED,
	METRIC_HELD_THREADS,
	METRIC_GRANTS,
	METRIC_FEEDS_MISSING,
	METRIC_FEED_LINES_DROPPED,
	METRIC_CLIENTS,
	METRIC_CLIENTS_REFUSED,
	METRIC_CLIENTS_DROPPED,
	METRIC_NOTIFICATIONS_LOST,
	METRIC_SUBSCRIPTIONS,
	METRIC_SINK_UP,
	METRIC_SINK_QUEUE_RECORDS,
	METRIC_SINK_QUEUE_BYTES,
	METRIC_SINK_SPOOLED,
	METRIC_SINK_SENT,
	METRIC_SINK_RETRIES,
	METRIC_SINK_LOST,
	METRIC_PROCESSES,
	METRIC_RING_BYTES,
	METRIC_RING_SIZE,
	METRIC_MAP_ENTRIES,
	METRIC_MAP_ROOM,
	METRIC_HTTP_REQUESTS,
	METRIC_HTTP_REFUSED,
	METRIC_HTTP_CUT,
	METRIC_DECISION_DURATION,
	METRIC__COUNT
};

/** A metric. All static. */
struct metric_family {
	const char *name;
	enum metric_type type;
	const char *labels; /* names with blanks between; "" = none */
	const char *help; /* one sentence */
};

/** By enum metric. */
extern const struct metric_family metric_families[METRIC__COUNT];

/** "gauge", "counter", "histogram". */
const char *metric_type_name(enum metric_type type);

#endif
