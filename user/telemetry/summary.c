/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collecting denials. Decides what belongs together and what is kept; wording is in
 * summary_print.c.
 */
#include "telemetry/summary.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "telemetry/summary_groups.h"

int summary_new(struct summary **ret_summary)
{
	struct summary *summary = calloc(1, sizeof(*summary));

	if (!summary)
		return -ENOMEM;
	*ret_summary = summary;
	return 0;
}

void summary_free(struct summary **summary)
{
	struct summary *s = *summary;

	if (!s)
		return;
	for (size_t i = 0; i < s->group_count; i++) {
		for (size_t j = 0; j < s->groups[i].object_count; j++)
			free(s->groups[i].objects[j].paths);
		free(s->groups[i].objects);
	}
	free(s->groups);
	free(s);
	*summary = NULL;
}

/* Denied by the same rule, default or reason, in the same way. */
static bool same_decider(const struct pk_event *a, const struct pk_event *b)
{
	if (a->reason != b->reason || a->verdict != b->verdict || a->audit != b->audit)
		return false;
	if (a->reason == PK_REASON_RULE || a->reason == PK_REASON_DEFAULT)
		return a->rule == b->rule;
	if (a->reason == PK_REASON_GUARD || a->section == PK_SECTION_PROCESS)
		return a->rule == b->rule && a->access == b->access && a->section == b->section;
	return !event_reason_asks(a->reason) || a->rule == b->rule;
}

static struct summary_group *find_group(struct summary *summary, const struct event *event)
{
	struct summary_group *grown;

	for (size_t i = 0; i < summary->group_count; i++) {
		if (same_decider(&summary->groups[i].first.head, &event->head))
			return &summary->groups[i];
	}
	if (summary->group_count == SUMMARY_GROUPS_MAX)
		return NULL;
	grown = reallocarray(summary->groups, summary->group_count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	summary->groups = grown;
	grown += summary->group_count++;
	*grown = (struct summary_group){ .first = *event };
	grown->first.path = (struct event_path){ 0 };
	grown->first.path2 = (struct event_path){ 0 };
	return grown;
}

static bool same_path(const struct event_path *a, const struct event_path *b)
{
	return a->length == b->length &&
	       (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* A name is one object, whatever type of record was asked for and of which resolver. */
static bool same_host(const struct event *a, const struct event *b)
{
	return a->head.op == PK_OP_DNS && b->head.op == PK_OP_DNS && a->path.length > 0 &&
	       same_path(&a->path, &b->path);
}

static bool same_object(const struct event *a, const struct event *b)
{
	const struct pk_event *x = &a->head;
	const struct pk_event *y = &b->head;

	if (same_host(a, b))
		return true;
	return x->op == y->op && x->section == y->section && x->access == y->access &&
	       x->target == y->target && x->detail == y->detail && x->family == y->family &&
	       x->port == y->port && x->protocol == y->protocol &&
	       memcmp(x->address, y->address, sizeof(x->address)) == 0 &&
	       same_path(&a->path, &b->path) && same_path(&a->path2, &b->path2);
}

/* Copy @event with its paths into *@ret_object. */
static int keep(const struct event *event, struct summary_object *ret_object)
{
	size_t size = event->path.length + event->path2.length;
	struct summary_object object = { .event = *event, .count = 1 };

	if (size > 0) {
		object.paths = malloc(size);
		if (!object.paths)
			return -ENOMEM;
	}
	if (event->path.length > 0) {
		memcpy(object.paths, event->path.bytes, event->path.length);
		object.event.path.bytes = object.paths;
	}
	if (event->path2.length > 0) {
		object.event.path2.bytes = object.paths + event->path.length;
		memcpy(object.paths + event->path.length, event->path2.bytes, event->path2.length);
	}
	*ret_object = object;
	return 0;
}

/* Count @event for its object. False when there is no room for it. */
static bool add_object(struct summary *summary, struct summary_group *group,
		       const struct event *event)
{
	size_t bytes = sizeof(struct summary_object) + event->path.length + event->path2.length;
	struct summary_object *grown;

	for (size_t i = 0; i < group->object_count; i++) {
		if (same_object(&group->objects[i].event, event)) {
			group->objects[i].count++;
			return true;
		}
	}
	if (group->object_count == SUMMARY_OBJECTS_MAX ||
	    bytes > SUMMARY_BYTES_MAX - summary->bytes)
		return false;
	grown = reallocarray(group->objects, group->object_count + 1, sizeof(*grown));
	if (!grown)
		return false;
	group->objects = grown;
	if (keep(event, &grown[group->object_count]) < 0)
		return false;
	group->object_count++;
	summary->bytes += bytes;
	return true;
}

/* Count what came of a request; true when it is no denial. */
static bool count_answer(struct summary *summary, const struct event *event)
{
	switch (event->head.reason) {
	case PK_REASON_HELD:
		summary->held++;
		return true;
	case PK_REASON_GRANTED:
		summary->granted++;
		return true;
	case PK_REASON_REFUSED:
		summary->refused++;
		return false;
	default:
		return false;
	}
}

void summary_add(struct summary *summary, const struct event *event)
{
	struct summary_group *group;

	if (count_answer(summary, event))
		return;
	if (event->head.kind == PK_EVENT_ACTIVITY || event->head.verdict == PK_VERDICT_ALLOW) {
		summary->activity++;
		return;
	}
	summary->denials++;
	group = find_group(summary, event);
	if (!group) {
		summary->ungrouped++;
		return;
	}
	group->count++;
	if (!add_object(summary, group, event))
		group->unkept++;
}

void summary_add_malformed(struct summary *summary)
{
	summary->malformed++;
}

void summary_set_counts(struct summary *summary, const __u64 counts[PK_COUNT__MAX])
{
	memcpy(summary->counts, counts, sizeof(summary->counts));
}

__u64 summary_denials(const struct summary *summary)
{
	return summary->denials;
}
