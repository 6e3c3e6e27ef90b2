/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots are few and fixed: an array, gone through where a question is not about a slot.
 */
#include "daemon/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

const char *registry_kind_name(enum agent_kind kind)
{
	static const char *const names[AGENT__KINDS] = { "run", "attach" };

	return kind < AGENT__KINDS ? names[kind] : "unknown";
}

int registry_make_id(__u32 slot, char id[AGENT_ID_SIZE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	__u64 bits = 0;
	char text[9];

	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		return -EIO;
	for (size_t i = 0; i < sizeof(text) - 1; i++, bits >>= 5)
		text[i] = digits[bits & 31];
	text[sizeof(text) - 1] = '\0';
	(void)snprintf(id, AGENT_ID_SIZE, "a-%u-%s", slot, text);
	return 0;
}

struct agent_entry *registry_new_entry(void)
{
	struct agent_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->feed = (struct feed)FEED_NONE;
	entry->notes.source.fd = -1;
	entry->owner.fd = -1;
	entry->listener.fd = -1;
	entry->cgroup.fd = -1;
	entry->end.timer.fd = -1;
	return entry;
}

int registry_add(struct registry *registry, struct agent_entry *entry)
{
	__u32 slot = entry->record.slot;

	if (slot == 0 || slot >= PK_AGENTS_MAX)
		return -ERANGE;
	if (registry->slots[slot])
		return -EEXIST;
	registry->slots[slot] = entry;
	registry->count++;
	return 0;
}

void registry_remove(struct registry *registry, struct agent_entry *entry)
{
	__u32 slot = entry->record.slot;

	if (slot >= PK_AGENTS_MAX || registry->slots[slot] != entry)
		return;
	registry->slots[slot] = NULL;
	registry->count--;
}

struct agent_entry *registry_at(const struct registry *registry, __u32 slot)
{
	return slot < PK_AGENTS_MAX ? registry->slots[slot] : NULL;
}

struct agent_entry *registry_next(const struct registry *registry, __u32 slot)
{
	for (slot++; slot < PK_AGENTS_MAX; slot++) {
		if (registry->slots[slot])
			return registry->slots[slot];
	}
	return NULL;
}

struct agent_entry *registry_find(const struct registry *registry, const char *id)
{
	struct agent_entry *entry = NULL;
	__u32 slot = 0;

	while ((entry = registry_next(registry, slot))) {
		if (strcmp(entry->record.id, id) == 0)
			return entry;
		slot = entry->record.slot;
	}
	return NULL;
}

struct agent_entry *registry_find_cgroup(const struct registry *registry, __u64 cgroup)
{
	struct agent_entry *entry = NULL;
	__u32 slot = 0;

	while ((entry = registry_next(registry, slot))) {
		if (entry->record.cgroup == cgroup)
			return entry;
		slot = entry->record.slot;
	}
	return NULL;
}

size_t registry_count_of(const struct registry *registry, uid_t uid)
{
	const struct agent_entry *entry = NULL;
	size_t count = 0;
	__u32 slot = 0;

	while ((entry = registry_next(registry, slot))) {
		count += entry->record.uid == uid;
		slot = entry->record.slot;
	}
	return count;
}

void registry_reset_record(struct agent_record *record)
{
	free(record->name);
	free(record->policy);
	free(record->cwd);
	free(record->tags);
	json_decref(record->set);
	json_decref(record->nested);
	*record = (struct agent_record){ 0 };
}

void registry_free_entry(struct agent_entry **entry)
{
	struct agent_entry *old = *entry;

	if (!old)
		return;
	registry_reset_record(&old->record);
	image_reset(&old->image);
	free(old->main_file);
	summary_free(&old->summary);
	mem_close_fd(&old->feed.fd);
	mem_close_fd(&old->owner.fd);
	mem_close_fd(&old->listener.fd);
	mem_close_fd(&old->cgroup.fd);
	mem_close_fd(&old->end.timer.fd);
	json_decref(old->end.id);
	free(old);
	*entry = NULL;
}
