/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names are in base units and end in _total where they only rise, as Prometheus has it.
 */
#include "metrics/families.h"

/* clang-format off */
const struct metric_family metric_families[METRIC__COUNT] = {
	[METRIC_BUILD_INFO] = { "picket_build_info", METRIC_GAUGE, "version abi tier engine",
		"1; how picketd was built, what this kernel enforces, how it found the engine." },
	[METRIC_START_TIME] = { "picket_start_time_seconds", METRIC_GAUGE, "",
		"When this picketd started, in seconds since 1970." },
	[METRIC_HEALTHY] = { "picket_healthy", METRIC_GAUGE, "",
		"1 while `picket status` has no problem, else 0." },
	[METRIC_PROBLEMS] = { "picket_problems", METRIC_GAUGE, "",
		"Problems in `picket status` that an administrator has to put right." },
	[METRIC_PROOF_OK] = { "picket_proof_ok", METRIC_GAUGE, "",
		"1 if the last acts that must be denied were denied, else 0." },
	[METRIC_PROOF_TIME] = { "picket_proof_timestamp_seconds", METRIC_GAUGE, "",
		"When enforcement was last tried by acts that must be denied, in seconds since 1970." },
	[METRIC_RELOAD_OK] = { "picket_reload_ok", METRIC_GAUGE, "",
		"1 if the last reload of policies succeeded, else 0; absent before the first." },
	[METRIC_RELOAD_TIME] = { "picket_reload_timestamp_seconds", METRIC_GAUGE, "",
		"When policies were last reloaded, in seconds since 1970; absent before the first." },
	[METRIC_AGENTS] = { "picket_agents", METRIC_GAUGE, "",
		"Agents that there are." },
	[METRIC_AGENT_INFO] = { "picket_agent_info", METRIC_GAUGE, "agent name policy mode digest",
		"1; what an agent is called, by which policy it is judged, and the digest of that." },
	[METRIC_DECISIONS] = { "picket_decisions_total", METRIC_COUNTER, "agent section verdict",
		"Records of decisions that this picketd took from the kernel: denied, asked or granted, "
		"also what would have been in audit mode; lost records are not among them." },
	[METRIC_KERNEL_DECISIONS] = { "picket_kernel_decisions_total", METRIC_COUNTER, "agent verdict",
		"Decisions counted by the kernel since the agent began, those whose record was lost "
		"included." },
	[METRIC_EVENTS] = { "picket_events_total", METRIC_COUNTER, "agent",
		"Records of decisions, activity and processes that this picketd took from the kernel." },
	[METRIC_LOST] = { "picket_events_lost_total", METRIC_COUNTER, "agent class where",
		"Records that were lost: kernel, its ring buffer was full; subscriber, the agent's owner "
		"did not read them in time." },
	[METRIC_LIMITED] = { "picket_activity_limited_total", METRIC_COUNTER, "agent",
		"Records of activity that the kernel held back by the policy's report.rate." },
	[METRIC_MALFORMED] = { "picket_events_malformed_total", METRIC_COUNTER, "",
		"Records from the kernel that could not be read." },
	[METRIC_UNATTRIBUTED] = { "picket_events_unattributed_total", METRIC_COUNTER, "",
		"Records of agents that were no more when they were taken." },
	[METRIC_REQUESTS_OPEN] = { "picket_requests_open", METRIC_GAUGE, "",
		"Requests that wait for an approver." },
	[METRIC_REQUESTS_OVERFLOWED] = { "picket_requests_overflowed_total", METRIC_COUNTER, "",
		"Requests that were refused because there was no room for them." },
	[METRIC_HELD_THREADS] = { "picket_held_threads", METRIC_GAUGE, "",
		"Threads that are stopped until somebody answers." },
	[METRIC_GRANTS] = { "picket_grants", METRIC_GAUGE, "",
		"Grants and refusals that hold." },
	[METRIC_FEEDS_MISSING] = { "picket_feeds_missing", METRIC_GAUGE, "",
		"Agents without a feed of their denials." },
	[METRIC_FEED_LINES_DROPPED] = { "picket_feed_lines_dropped_total", METRIC_COUNTER, "",
		"Lines that are missing in agents' feeds." },
	[METRIC_CLIENTS] = { "picket_clients_accepted_total", METRIC_COUNTER, "",
		"Connections to the control socket that were accepted." },
	[METRIC_CLIENTS_REFUSED] = { "picket_clients_refused_total", METRIC_COUNTER, "",
		"Connections to the control socket over a limit." },
	[METRIC_CLIENTS_DROPPED] = { "picket_clients_dropped_total", METRIC_COUNTER, "",
		"Clients of the control socket that were disconnected, for not reading or against the rules." },
	[METRIC_NOTIFICATIONS_LOST] = { "picket_notifications_lost_total", METRIC_COUNTER, "",
		"Notifications that clients of the control socket did not get." },
	[METRIC_SUBSCRIPTIONS] = { "picket_subscriptions", METRIC_GAUGE, "",
		"Subscriptions of clients to events." },
	[METRIC_SINK_UP] = { "picket_sink_up", METRIC_GAUGE, "sink type",
		"1 while the sink has no error, else 0." },
	[METRIC_SINK_QUEUE_RECORDS] = { "picket_sink_queue_records", METRIC_GAUGE, "sink",
		"Records that wait in memory." },
	[METRIC_SINK_QUEUE_BYTES] = { "picket_sink_queue_bytes", METRIC_GAUGE, "sink",
		"Bytes of the records that wait in memory." },
	[METRIC_SINK_SPOOLED] = { "picket_sink_spooled_records", METRIC_GAUGE, "sink",
		"Records that wait on disk." },
	[METRIC_SINK_SENT] = { "picket_sink_sent_total", METRIC_COUNTER, "sink",
		"Records that were delivered." },
	[METRIC_SINK_RETRIES] = { "picket_sink_retries_total", METRIC_COUNTER, "sink",
		"Deliveries that were tried again." },
	[METRIC_SINK_LOST] = { "picket_sink_lost_total", METRIC_COUNTER, "sink class",
		"Records that a sink has given up." },
	[METRIC_PROCESSES] = { "picket_processes", METRIC_GAUGE, "",
		"Processes in the table that events get their ancestors from, ended ones that are still kept "
		"included." },
	[METRIC_RING_BYTES] = { "picket_ring_buffer_bytes", METRIC_GAUGE, "ring",
		"Bytes in the ring buffer that picketd has not taken yet." },
	[METRIC_RING_SIZE] = { "picket_ring_buffer_size_bytes", METRIC_GAUGE, "ring",
		"Bytes that the ring buffer has room for." },
	[METRIC_MAP_ENTRIES] = { "picket_map_entries", METRIC_GAUGE, "map",
		"Entries of a map of the kernel, counted at most once in 15 s." },
	[METRIC_MAP_ROOM] = { "picket_map_entries_max", METRIC_GAUGE, "map",
		"Entries that the map has room for." },
	[METRIC_HTTP_REQUESTS] = { "picket_http_requests_total", METRIC_COUNTER, "",
		"Requests to this page." },
	[METRIC_HTTP_REFUSED] = { "picket_http_refused_total", METRIC_COUNTER, "",
		"Requests that were refused before they were looked at: another Host, too large." },
	[METRIC_HTTP_CUT] = { "picket_http_cut_total", METRIC_COUNTER, "",
		"Connections that were ended because they lasted too long." },
	[METRIC_DECISION_DURATION] = { "picket_decision_duration_seconds", METRIC_HISTOGRAM, "op",
		"How long the kernel worked on a decision about the operation, of one in 64; only with "
		"`histograms: true`." },
};
/* clang-format on */

const char *metric_type_name(enum metric_type type)
{
	static const char *const names[] = {
		[METRIC_GAUGE] = "gauge",
		[METRIC_COUNTER] = "counter",
		[METRIC_HISTOGRAM] = "histogram",
	};

	return names[type];
}
