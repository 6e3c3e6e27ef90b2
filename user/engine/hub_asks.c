/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers are looked for by the programs at each act; a thread that waits is continued after its entry is
 * gone: a thread that finds its entry when it has stopped itself again may be sure of a further SIGCONT.
 */
#include "engine/hub_asks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/hub_parts.h"

static int grants_of(const struct hub *hub)
{
	return bpf_map__fd(hub->loader.skel->maps.pk_grants);
}

static int held_of(const struct hub *hub)
{
	return bpf_map__fd(hub->loader.skel->maps.pk_held);
}

int hub_asks_begin(struct hub *hub)
{
	__atomic_store_n(&hub->loader.skel->bss->pk_approvers, 1, __ATOMIC_SEQ_CST);
	return 0;
}

int hub_ask_seed(const struct hub *hub, __u64 *ret_seed)
{
	return hub_rodata(hub, hub->build, "pk_host_seed", ret_seed);
}

int hub_grant_put(struct hub *hub, const struct pk_ask_key *key, const struct pk_grant *grant)
{
	return bpf_map_update_elem(grants_of(hub), key, grant, BPF_ANY) ? -errno : 0;
}

int hub_grant_get(const struct hub *hub, const struct pk_ask_key *key, struct pk_grant *ret_grant)
{
	return bpf_map_lookup_elem(grants_of(hub), key, ret_grant) ? -errno : 0;
}

int hub_grant_delete(struct hub *hub, const struct pk_ask_key *key)
{
	return bpf_map_delete_elem(grants_of(hub), key) ? -errno : 0;
}

/** The keys of a map as it was: what is deleted in a walk over the map itself would start it anew. */
struct keys {
	__u8 *bytes; /* owned */
	size_t count;
};

static void free_keys(struct keys *keys)
{
	mem_free_ptr(&keys->bytes);
	keys->count = 0;
}

static int read_keys(int fd, size_t size, size_t most, struct keys *ret_keys)
{
	CLEAN_FREE __u8 *bytes = calloc(most, size);
	const void *last = NULL;
	size_t count = 0;

	if (!bytes)
		return -ENOMEM;
	while (count < most && bpf_map_get_next_key(fd, last, bytes + count * size) == 0) {
		last = bytes + count * size;
		count++;
	}
	ret_keys->bytes = TAKE_PTR(bytes);
	ret_keys->count = count;
	return 0;
}

int hub_grants(const struct hub *hub, hub_grant_fn fn, void *context)
{
	CLEAN(free_keys) struct keys keys = { 0 };
	int fd = grants_of(hub);
	int r = read_keys(fd, sizeof(struct pk_ask_key), PK_GRANTS_MAX, &keys);

	for (size_t i = 0; r == 0 && i < keys.count; i++) {
		const struct pk_ask_key *key = (const struct pk_ask_key *)keys.bytes + i;
		struct pk_grant grant;

		if (bpf_map_lookup_elem(fd, key, &grant) == 0)
			r = fn(context, key, &grant);
	}
	return r;
}

int hub_hold_get(const struct hub *hub, __u32 tid, struct pk_hold *ret_hold)
{
	return bpf_map_lookup_elem(held_of(hub), &tid, ret_hold) ? -errno : 0;
}

int hub_holds(const struct hub *hub, hub_hold_fn fn, void *context)
{
	CLEAN(free_keys) struct keys keys = { 0 };
	int fd = held_of(hub);
	int r = read_keys(fd, sizeof(__u32), PK_HELD_MAX, &keys);

	for (size_t i = 0; r == 0 && i < keys.count; i++) {
		__u32 tid = ((const __u32 *)keys.bytes)[i];
		struct pk_hold hold;

		if (bpf_map_lookup_elem(fd, &tid, &hold) == 0)
			r = fn(context, tid, &hold);
	}
	return r;
}

/* When the process started, in clock ticks since boot; 0: it is gone. */
static __u64 read_start(__u32 tgid)
{
	CLEAN_FILE FILE *file = NULL;
	char text[1024] = "";
	char path[64];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	file = fopen(path, "re");
	if (!file || !fgets(text, sizeof(text), file))
		return 0;
	/* Field 22; the name in field 2 may hold anything, ')' too. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

static int continue_process(const struct pk_hold *hold)
{
	const __u64 tick = 1000000000ULL / (__u64)sysconf(_SC_CLK_TCK);
	CLEAN_FD int fd = (int)syscall(SYS_pidfd_open, (pid_t)hold->tgid, 0);

	if (fd < 0 || read_start(hold->tgid) != hold->start_ns / tick)
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0) ? -errno : 0;
}

int hub_hold_continue(struct hub *hub, __u32 tid, const struct pk_hold *hold)
{
	int fd = held_of(hub);
	struct pk_hold now;

	/* Another one's by now: that one is told of by an event of its own. */
	if (bpf_map_lookup_elem(fd, &tid, &now) == 0 &&
	    (now.tgid != hold->tgid || now.start_ns != hold->start_ns))
		return -ESRCH;
	if (bpf_map_delete_elem(fd, &tid) && errno != ENOENT)
		return -errno;
	return continue_process(hold);
}

struct clearing {
	struct hub *hub;
	__u32 slot;
};

static int clear_grant(void *context, const struct pk_ask_key *key, const struct pk_grant *grant)
{
	struct clearing *clearing = context;
	int r;

	(void)grant;
	if (key->agent != clearing->slot)
		return 0;
	r = hub_grant_delete(clearing->hub, key);
	return r == -ENOENT ? 0 : r;
}

static int clear_hold(void *context, __u32 tid, const struct pk_hold *hold)
{
	struct clearing *clearing = context;
	int r;

	if (hold->key.agent != clearing->slot)
		return 0;
	r = hub_hold_continue(clearing->hub, tid, hold);
	return r == -ESRCH ? 0 : r;
}

int hub_asks_clear(struct hub *hub, __u32 slot)
{
	struct clearing clearing = { .hub = hub, .slot = slot };
	int r = hub_grants(hub, clear_grant, &clearing);

	return r ? r : hub_holds(hub, clear_hold, &clearing);
}
