/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters only rise; how far they were told is remembered by what they are of, and forgotten with it.
 */
#include "daemon/ledger_loss.h"

#include <string.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/sinks.h"
#include "engine/agent.h"

/* One counter. */
struct counter {
	const struct agent_entry *entry; /* or NULL */
	const char *sink; /* or NULL */
	const char *class;
	const char *where;
	__u64 total;
};

static void look_at(struct daemon *daemon, const struct counter *counter)
{
	const char *of = counter->entry ? counter->entry->record.id : counter->sink;
	json_t *losses = daemon->ledger.losses;
	CLEAN_FREE char *key = NULL;
	json_t *details;
	__u64 told;

	if (asprintf(&key, "%s/%s/%s", counter->where, of ? of : "", counter->class) < 0) {
		key = NULL;
		return;
	}
	told = (__u64)json_integer_value(json_object_get(losses, key));
	if (counter->total <= told)
		return;
	(void)json_object_set_new(losses, key, json_integer((json_int_t)counter->total));
	details = json_pack("{s:s*, s:s*, s:s, s:s, s:I, s:I}", "agent", counter->entry ? of : NULL,
			    "sink", counter->sink, "class", counter->class, "where", counter->where,
			    "count", (json_int_t)(counter->total - told), "total",
			    (json_int_t)counter->total);
	(void)trail_write(&daemon->ledger.trail, "loss", details, TRAIL_SOON);
	json_decref(details);
}

void ledger_losses_of(struct daemon *daemon, const struct agent_entry *entry)
{
	static const struct {
		__u32 count;
		const char *class;
	} kernel[] = {
		{ PK_COUNT_DECISION_LOST, "decision" },
		{ PK_COUNT_ACTIVITY_LOST, "activity" },
		{ PK_COUNT_ACTIVITY_LIMITED, "limited" },
		{ PK_COUNT_LIFE_LOST, "life" },
	};
	__u64 counts[PK_COUNT__MAX] = { 0 };

	if (agent_counts(&daemon->hub.loader, entry->record.slot, counts))
		return;
	for (size_t i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++) {
		const struct counter counter = {
			.entry = entry,
			.class = kernel[i].class,
			.where = "kernel",
			.total = counts[kernel[i].count],
		};

		look_at(daemon, &counter);
	}
}

static void look_at_sink(struct daemon *daemon, const json_t *sink)
{
	const char *class;
	json_t *lost;

	json_object_foreach(json_object_get(sink, "lost"), class, lost) {
		const struct counter counter = {
			.sink = json_string_value(json_object_get(sink, "name")),
			.class = class,
			.where = "sink",
			.total = (__u64)json_integer_value(lost),
		};

		look_at(daemon, &counter);
	}
}

void ledger_losses(struct daemon *daemon)
{
	const struct agent_entry *entry = NULL;
	json_t *sinks = sinks_status(daemon->sinks);
	const json_t *sink;
	__u32 slot = 0;
	size_t i;

	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		ledger_losses_of(daemon, entry);
	}
	json_array_foreach(sinks, i, sink)
		look_at_sink(daemon, sink);
	json_decref(sinks);
}
