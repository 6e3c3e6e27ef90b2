/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys are taken first and looked up then: a table whose entries come and go ends no walk early
 * that way, and the walk is bounded by the size of the map.
 */
#include "engine/learned.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/loader.h"

/* The maps' elements, as bpf/maps.bpf.h has them; asserted against the loaded maps below. */
struct key {
	__u64 address_hi;
	__u64 address_lo;
	__u32 agent;
	__u32 pad;
};

struct value {
	struct {
		__u64 host;
		__u64 expires_ns;
		__u64 image;
		__u32 set;
		__u32 pad;
	} names[PK_LEARNED_NAMES];
};

struct host {
	__u32 length;
	char name[PK_HOST_BUFFER];
};

static bool has_elements(const struct bpf_map *map, size_t key, size_t value)
{
	return bpf_map__key_size(map) == key && bpf_map__value_size(map) == value;
}

static __u64 now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

/* The keys of @slot. */
static int take_keys(int fd, __u32 slot, struct key **ret_keys, size_t *ret_count)
{
	CLEAN_FREE struct key *keys = calloc(PK_LEARNED_MAX, sizeof(*keys));
	struct key at;
	const struct key *last = NULL;
	size_t count = 0;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < PK_LEARNED_MAX; i++) {
		struct key next;

		if (bpf_map_get_next_key(fd, last, &next))
			break;
		at = next;
		last = &at;
		if (at.agent == slot)
			keys[count++] = at;
	}
	*ret_keys = TAKE_PTR(keys);
	*ret_count = count;
	return 0;
}

static void put_word(__u8 to[8], __u64 word)
{
	for (int i = 0; i < 8; i++)
		to[i] = (__u8)(word >> (56 - 8 * i));
}

static int add(struct learned_table *table, const struct learned_name *name)
{
	struct learned_name *grown;

	if (table->count == LEARNED_TABLE_MAX) {
		table->left_out++;
		return 0;
	}
	/* Powers of two. */
	if ((table->count & (table->count - 1)) == 0) {
		size_t room = table->count ? table->count * 2 : 1;

		grown = reallocarray(table->items, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		table->items = grown;
	}
	table->items[table->count++] = *name;
	return 0;
}

static void find_text(int hosts, __u64 hash, char text[static PK_HOST_BUFFER])
{
	struct host host;

	text[0] = '\0';
	if (bpf_map_lookup_elem(hosts, &hash, &host) || host.length > PK_HOST_MAX)
		return;
	memcpy(text, host.name, host.length);
	text[host.length] = '\0';
}

static int add_names(struct learned_table *table, const struct key *key, const struct value *value,
		     int hosts)
{
	struct learned_name name;
	__u64 now = now_ns();
	int r = 0;

	for (size_t i = 0; r == 0 && i < PK_LEARNED_NAMES; i++) {
		if (!value->names[i].host || value->names[i].expires_ns <= now)
			continue;
		name.expires_ns = value->names[i].expires_ns;
		name.image = value->names[i].image;
		put_word(name.address, key->address_hi);
		put_word(name.address + 8, key->address_lo);
		find_text(hosts, value->names[i].host, name.host);
		r = add(table, &name);
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	const struct learned_name *x = a;
	const struct learned_name *y = b;
	int order = strcmp(x->host, y->host);

	return order ? order : memcmp(x->address, y->address, sizeof(x->address));
}

int learned_read(const struct loader *loader, __u32 slot, struct learned_table *ret_table)
{
	CLEAN(learned_table_reset) struct learned_table table = { 0 };
	CLEAN_FREE struct key *keys = NULL;
	const struct bpf_map *map;
	const struct bpf_map *hosts;
	size_t count = 0;
	int r = 0;

	if (!loader->skel || !loader->request.names) {
		*ret_table = (struct learned_table){ 0 };
		return 0;
	}
	map = loader->skel->maps.pk_learned_map;
	hosts = loader->skel->maps.pk_hosts;
	if (!has_elements(map, sizeof(struct key), sizeof(struct value)) ||
	    !has_elements(hosts, sizeof(__u64), sizeof(struct host)))
		return -EPROTO;
	r = take_keys(bpf_map__fd(map), slot, &keys, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct value value;

		/* Gone since: it was the least recently used. */
		if (bpf_map_lookup_elem(bpf_map__fd(map), &keys[i], &value) == 0)
			r = add_names(&table, &keys[i], &value, bpf_map__fd(hosts));
	}
	if (r)
		return r;
	if (table.count)
		qsort(table.items, table.count, sizeof(*table.items), by_name);
	*ret_table = table;
	table = (struct learned_table){ 0 };
	return 0;
}

int learned_forget(const struct loader *loader, __u32 slot)
{
	CLEAN_FREE struct key *keys = NULL;
	const struct bpf_map *map;
	size_t count = 0;
	int r;

	if (!loader->skel || !loader->request.names)
		return 0;
	map = loader->skel->maps.pk_learned_map;
	if (!has_elements(map, sizeof(struct key), sizeof(struct value)))
		return -EPROTO;
	r = take_keys(bpf_map__fd(map), slot, &keys, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (bpf_map_delete_elem(bpf_map__fd(map), &keys[i]) && errno != ENOENT)
			r = -errno;
	}
	return r;
}

void learned_table_reset(struct learned_table *table)
{
	mem_free_ptr(&table->items);
	*table = (struct learned_table){ 0 };
}
