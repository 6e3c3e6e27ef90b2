/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that change nothing: who we are, which agents there are, how we are, events.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/health.h"
#include "daemon/methods.h"
#include "daemon/proc.h"
#include "daemon/times.h"
#include "engine/agent.h"
#include "telemetry/names.h"

/* The names of what @role may call. */
static json_t *methods_json(enum peer_role role)
{
	json_t *names = json_array();

	for (size_t i = 0; names && i < methods_count; i++) {
		if (methods_table[i].role <= role)
			(void)json_array_append_new(names, json_string(methods_table[i].name));
	}
	return names;
}

int method_hello(void *context, struct call *call, struct control_answer *answer)
{
	const struct daemon *daemon = context;
	const struct peer *peer = client_peer(call->client);

	if (!methods_unpack(call, answer, "{}"))
		return 0;
	return methods_succeed(
		answer, json_pack("{s:i, s:i, s:s, s:s, s:s, s:o}", "version", CONTROL_VERSION,
				  "abi", PK_ABI_VERSION, "picket", PICKET_VERSION, "tier",
				  names_tier(daemon->hub.tier), "role", peer_role_name(peer->role),
				  "methods", methods_json(peer->role)));
}

static size_t count_tasks(const struct daemon *daemon, const struct agent_entry *entry)
{
	CLEAN_FD int fd = hub_agent_cgroup(&daemon->hub, &entry->hub);

	return fd < 0 ? 0 : proc_count(fd);
}

static __u64 lost(const __u64 counts[PK_COUNT__MAX])
{
	return counts[PK_COUNT_DECISION_LOST] + counts[PK_COUNT_ACTIVITY_LOST];
}

static const char *mode(const struct agent_entry *entry)
{
	if (!entry->image.bytes)
		return "unknown";
	return image_head(&entry->image)->flags & PK_IMAGE_AUDIT ? "audit" : "enforce";
}

static json_t *describe(const struct daemon *daemon, const struct agent_entry *entry)
{
	const struct agent_record *record = &entry->record;
	__u64 counts[PK_COUNT__MAX] = { 0 };

	(void)agent_counts(&daemon->hub.loader, record->slot, counts);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, "
		"s:o, s:s*}",
		"agent", record->id, "name", record->name, "policy",
		record->policy ? record->policy : "unknown", "digest", entry->digest, "mode",
		mode(entry), "cgroup", (json_int_t)record->cgroup, "tasks",
		(json_int_t)count_tasks(daemon, entry), "denied",
		(json_int_t)counts[PK_COUNT_DENIED], "asked", (json_int_t)counts[PK_COUNT_ASKED],
		"granted", (json_int_t)counts[PK_COUNT_GRANTED], "lost", (json_int_t)lost(counts),
		"timed", (json_int_t)counts[PK_COUNT_TIMED], "timed_ns",
		(json_int_t)counts[PK_COUNT_TIMED_NS], "events", (json_int_t)entry->events, "since",
		(json_int_t)record->since, "kind", registry_kind_name(record->kind), "owner",
		json_pack("{s:I, s:I}", "uid", (json_int_t)record->uid, "pid",
			  (json_int_t)record->pid),
		"parent", *record->parent ? record->parent : NULL);
}

int method_agent_list(void *context, struct call *call, struct control_answer *answer)
{
	const struct agent_entry *entry = NULL;
	struct daemon *daemon = context;
	json_t *agents;
	__u32 slot = 0;
	int time = 0;

	if (!methods_unpack(call, answer, "{s?b}", "time", &time))
		return 0;
	if (time)
		times_begin(daemon, call->client);
	agents = json_array();
	while (agents && (entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		if (json_array_append_new(agents, describe(daemon, entry))) {
			json_decref(agents);
			agents = NULL;
		}
	}
	return methods_succeed(answer, agents ? json_pack("{s:o}", "agents", agents) : NULL);
}

int method_agent_denials(void *context, struct call *call, struct control_answer *answer)
{
	struct methods_lookup lookup = { .role = PEER_OBSERVER };
	struct daemon *daemon = context;
	struct agent_entry *entry;
	int last = 20;

	if (!methods_unpack(call, answer, "{s:s, s?i}", "agent", &lookup.id, "last", &last))
		return 0;
	if (last < 1 || last > 1000)
		return methods_fail(answer, CONTROL_PARAMS, "'last' is a number from 1 to 1000");
	entry = methods_find(daemon, call, &lookup, answer);
	if (!entry)
		return 0;
	daemon_take_records(daemon);
	return methods_succeed(answer, json_pack("{s:o, s:I}", "denials",
						 feed_read(&entry->feed, (size_t)last), "dropped",
						 (json_int_t)entry->feed.dropped));
}

/* Take the names of classes apart. False: answered. */
static bool take_classes(const json_t *names, unsigned int *ret_classes,
			 struct control_answer *answer)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);
		int class = 0;

		while (text && class < SINK__CLASSES && strcmp(text, sink_class_name(class)) != 0)
			class ++;
		if (!text || class == SINK__CLASSES) {
			(void)methods_fail(
				answer, CONTROL_PARAMS,
				"'classes' is a list of decision, activity, life, record");
			return false;
		}
		*ret_classes |= 1U << class;
	}
	if (names && !*ret_classes)
		(void)methods_fail(answer, CONTROL_PARAMS, "'classes' is an empty list");
	return !names || *ret_classes;
}

/* What the caller wants, but for whose. False: answered. */
static bool take_subscription(const struct call *call, struct subscription *subscription,
			      const char **ret_agent, struct control_answer *answer)
{
	json_t *classes = NULL;
	int suggest = 0;
	int colour = 0;
	int text = 0;
	int all = 0;

	if (!methods_unpack(call, answer, "{s?s, s?b, s?b, s?b, s?b, s?o}", "agent", ret_agent,
			    "colour", &colour, "text", &text, "all", &all, "suggest", &suggest,
			    "classes", &classes))
		return false;
	subscription->client = call->client;
	subscription->suggest = suggest;
	subscription->colour = colour;
	subscription->text = text;
	subscription->all = all;
	if (classes && !json_is_array(classes)) {
		(void)methods_fail(answer, CONTROL_PARAMS, "'classes' is no list");
		return false;
	}
	return take_classes(classes, &subscription->classes, answer);
}

/* Where the subscription begins: who answers, and how many records it had handed out. */
static json_t *describe_beginning(const struct daemon *daemon)
{
	char picketd[48];

	(void)snprintf(picketd, sizeof(picketd), "%lld-%lld", (long long)getpid(),
		       (long long)daemon->since);
	return json_pack("{s:s, s:I}", "picketd", picketd, "seq", (json_int_t)daemon->events.seq);
}

int method_events_subscribe(void *context, struct call *call, struct control_answer *answer)
{
	struct methods_lookup lookup = { .role = PEER_OBSERVER };
	struct subscription subscription = { 0 };
	const struct agent_entry *entry = NULL;
	struct daemon *daemon = context;

	if (!take_subscription(call, &subscription, &lookup.id, answer))
		return 0;
	if (lookup.id) {
		entry = methods_find(daemon, call, &lookup, answer);
		if (!entry)
			return 0;
	}
	subscription.slot = entry ? entry->record.slot : 0;
	if (events_subscribe(&daemon->events, &subscription))
		return methods_fail(answer, CONTROL_INTERNAL, "out of memory");
	return methods_succeed(answer, describe_beginning(daemon));
}

int method_status(void *context, struct call *call, struct control_answer *answer)
{
	int detail = 0;

	if (!methods_unpack(call, answer, "{s?b}", "detail", &detail))
		return 0;
	return methods_succeed(answer, health_status(context, detail));
}
