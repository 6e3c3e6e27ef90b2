/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who asks is looked up at each call by the control group that the process is in at that time: it may
 * have been put into an agent of its agent since it connected. User ids decide nothing here.
 */
#include "daemon/nested.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/agents.h"
#include "daemon/diff.h"
#include "daemon/methods.h"
#include "daemon/proc.h"
#include "engine/seccomp.h"

/** Whose cgroup is it? */
struct search {
	const struct registry *registry;
	struct agent_entry *found;
};

static bool take(void *context, __u64 cgroup)
{
	struct search *search = context;

	search->found = registry_find_cgroup(search->registry, cgroup);
	return search->found != NULL;
}

struct agent_entry *nested_agent_of(const struct daemon *daemon, pid_t pid)
{
	struct search search = { .registry = &daemon->registry };

	(void)proc_in_cgroup(daemon->features.cgroup_root, pid, take, &search);
	return search.found;
}

/* An attached agent is in a control group of somebody else, whose limits its processes must not leave. */
static bool may_nest(const struct agent_entry *entry)
{
	return entry && entry->record.kind == AGENT_RUN && entry->record.joined &&
	       !entry->end.begun && entry->image.bytes && json_array_size(entry->record.nested) > 0;
}

enum peer_role nested_role(const struct daemon *daemon, const struct peer *peer)
{
	return may_nest(nested_agent_of(daemon, peer->pid)) ? PEER_NESTED : PEER_CONFINED;
}

bool nested_owns(const struct daemon *daemon, const struct peer *peer,
		 const struct agent_entry *entry)
{
	const struct agent_entry *around = nested_agent_of(daemon, peer->pid);

	return may_nest(around) && entry->record.around == &around->record && peer_is_alive(peer);
}

static bool is_listed(const struct agent_record *record, const char *policy)
{
	const json_t *name;
	size_t i;

	json_array_foreach(record->nested, i, name) {
		if (strcmp(json_string_value(name), policy) == 0)
			return true;
	}
	return false;
}

static const struct agent_record *outermost(const struct agent_record *record)
{
	while (record->around)
		record = record->around;
	return record;
}

/* How many agents there are inside of the one that is around all others. */
static size_t count_inside(const struct registry *registry, const struct agent_record *record)
{
	const struct agent_record *outer = outermost(record);
	const struct agent_entry *entry = NULL;
	__u32 slot = 0;
	size_t count = 0;

	while ((entry = registry_next(registry, slot))) {
		slot = entry->record.slot;
		count += entry->record.around && outermost(&entry->record) == outer;
	}
	return count;
}

bool nested_check(const struct daemon *daemon, const struct peer *peer, const char *policy,
		  struct agent_entry **ret_around, struct control_answer *answer)
{
	struct agent_entry *around = nested_agent_of(daemon, peer->pid);

	if (!may_nest(around) || !peer_is_alive(peer)) {
		(void)methods_fail(answer, CONTROL_DENIED, "a confined process has no say here");
		return false;
	}
	if (!is_listed(&around->record, policy)) {
		(void)methods_fail(answer, CONTROL_MISSING,
				   "the policy of agent '%s' names no policy '%.*s' for agents of "
				   "its own",
				   around->record.id, AGENT_NAME_MAX, policy);
		return false;
	}
	if (count_inside(&daemon->registry, &around->record) >= NESTED_MAX) {
		(void)methods_fail(answer, CONTROL_BUSY, "there are %d agents inside already",
				   NESTED_MAX);
		return false;
	}
	*ret_around = around;
	return true;
}

void nested_tie(const struct agent_entry *around, struct agent_record *record)
{
	record->around = &around->record;
	memcpy(record->parent, around->record.id, sizeof(record->parent));
}

int nested_filter(const struct daemon *daemon, const struct agent_record *record,
		  const struct policy_image *image, struct diag_list *diags)
{
	CLEAN(seccomp_filter_reset) struct seccomp_filter filter = { 0 };
	const struct agent_entry *around =
		record->around ? registry_at(&daemon->registry, record->around->slot) : NULL;
	int r;

	if (!around)
		return 0;
	r = seccomp_filter_build(&around->image, &filter, diags);
	if (r || !filter.count)
		return r;
	if (diff_same_calls(&around->image, image))
		return 1;
	diag_hint(
		diag_add(diags, DIAG_ERROR, NULL,
			 "the policy refuses system calls that the agent around it may make, and a "
			 "process has but one filter that tells what it refuses"),
		"write all of them in the section 'syscalls' of the outer policy");
	return -EINVAL;
}

bool nested_in(const struct agent_record *record, const struct agent_entry *entry)
{
	for (record = record->around; record; record = record->around) {
		if (record == &entry->record)
			return true;
	}
	return false;
}

bool nested_any(const struct daemon *daemon, const struct agent_entry *entry)
{
	const struct agent_entry *other = NULL;
	__u32 slot = 0;

	while ((other = registry_next(&daemon->registry, slot))) {
		slot = other->record.slot;
		if (other->record.around == &entry->record)
			return true;
	}
	return false;
}

void nested_end(struct daemon *daemon, const struct agent_entry *entry)
{
	struct agent_entry *other = NULL;
	__u32 slot = 0;

	while ((other = registry_next(&daemon->registry, slot))) {
		slot = other->record.slot;
		if (other->record.around == &entry->record)
			(void)agents_end(daemon, other, NULL, NULL);
	}
}

void nested_adopt(struct daemon *daemon)
{
	struct agent_entry *entry = NULL;
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		const struct agent_entry *around;

		slot = entry->record.slot;
		if (!*entry->record.parent)
			continue;
		around = registry_find(&daemon->registry, entry->record.parent);
		if (around) {
			nested_tie(around, &entry->record);
			continue;
		}
		daemon_say(daemon,
			   "the agent around agent '%s' (%s) is gone: its processes are killed",
			   entry->record.id, entry->record.name);
		(void)agents_end(daemon, entry, NULL, NULL);
	}
}
