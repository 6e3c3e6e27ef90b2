/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs are found by the pinned links: a process that took over has loaded none of its own.
 */
#include "engine/hub_facts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/hub_parts.h"

/* Longest key of a map of ours. */
#define KEY_MAX 64

bool hub_counts_runs(void)
{
	CLEAN_FILE FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");

	return file && fgetc(file) == '1';
}

void hub_time_decisions(struct hub *hub, bool on)
{
	__atomic_store_n(&hub->loader.skel->bss->pk_timing, on ? 1 : 0, __ATOMIC_SEQ_CST);
}

/* What is handed through hub_each_link(). */
struct programs {
	hub_program_fn fn;
	void *context;
};

static int take_link(void *context, const char *name, int fd, const struct bpf_link_info *link)
{
	const struct programs *programs = context;
	struct hub_program_facts facts = { 0 };
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	CLEAN_FD int program = -1;

	if (fd < 0)
		return 0;
	program = bpf_prog_get_fd_by_id(link->prog_id);
	if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &size))
		return 0;
	(void)snprintf(facts.name, sizeof(facts.name), "%s", name + strlen(HUB_LINK_PREFIX));
	facts.runs = info.run_cnt;
	facts.ns = info.run_time_ns;
	return programs->fn(programs->context, &facts);
}

int hub_programs(const struct hub *hub, hub_program_fn fn, void *context)
{
	struct programs programs = { .fn = fn, .context = context };
	char folder[32];

	hub_set_name(hub->build, folder);
	return hub_each_link(hub, folder, take_link, &programs);
}

/* "hash", ...; NULL for what belongs to tasks, inodes and sockets. */
static const char *kind_of(const struct bpf_map *map)
{
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_HASH:
		return "hash";
	case BPF_MAP_TYPE_LRU_HASH:
		return "lru";
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		return "array";
	default:
		return NULL;
	}
}

static __u64 count_keys(const struct bpf_map *map)
{
	int fd = bpf_map__fd(map);
	__u8 keys[2][KEY_MAX];
	const void *last = NULL;
	__u64 count = 0;

	if (bpf_map__key_size(map) > KEY_MAX)
		return 0;
	/* When the last key went meanwhile it begins again: bounded by what there can be. */
	while (count < bpf_map__max_entries(map) &&
	       bpf_map_get_next_key(fd, last, keys[count & 1]) == 0) {
		last = keys[count & 1];
		count++;
	}
	return count;
}

int hub_maps(const struct hub *hub, hub_map_fn fn, void *context)
{
	const struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, hub->loader.skel->obj) {
		struct hub_map_facts facts = {
			.name = bpf_map__name(map),
			.kind = kind_of(map),
			.room = bpf_map__max_entries(map),
		};

		if (!facts.kind || bpf_map__is_internal(map) || bpf_map__fd(map) < 0)
			continue;
		facts.bounded = strcmp(facts.kind, "array") != 0;
		facts.entries = facts.bounded ? count_keys(map) : facts.room;
		r = fn(context, &facts);
		if (r)
			break;
	}
	return r;
}
