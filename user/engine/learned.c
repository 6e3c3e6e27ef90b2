/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys are taken first and looked up then: a table whose entries come and go ends no walk early
 * that way, and the walk is bounded by the size of the map.
 */
#include "engine/learned_parts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/loader.h"

struct host {
	__u32 length;
	char name[PK_HOST_BUFFER];
};

static bool has_elements(const struct bpf_map *map, size_t key, size_t value)
{
	return bpf_map__key_size(map) == key && bpf_map__value_size(map) == value;
}

__u64 learned_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

/* The keys of @slot. */
static int take_keys(int fd, __u32 slot, struct learned_key **ret_keys, size_t *ret_count)
{
	CLEAN_FREE struct learned_key *keys = calloc(PK_LEARNED_MAX, sizeof(*keys));
	struct learned_key at;
	const struct learned_key *last = NULL;
	size_t count = 0;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < PK_LEARNED_MAX; i++) {
		struct learned_key next;

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

/* The map of addresses, NULL when an engine's maps have other elements than ours. */
static const struct bpf_map *learned_map(const struct loader *loader)
{
	const struct bpf_map *map = loader->skel->maps.pk_learned_map;

	return has_elements(map, sizeof(struct learned_key), sizeof(struct learned_value)) &&
			       has_elements(loader->skel->maps.pk_hosts, sizeof(__u64),
					    sizeof(struct host)) ?
		       map :
		       NULL;
}

int learned_keys(const struct loader *loader, __u32 slot, struct learned_key **ret_keys,
		 size_t *ret_count)
{
	const struct bpf_map *map = learned_map(loader);

	return map ? take_keys(bpf_map__fd(map), slot, ret_keys, ret_count) : -EPROTO;
}

void learned_address(const struct learned_key *key, __u8 ret_address[static 16])
{
	for (int i = 0; i < 8; i++) {
		ret_address[i] = (__u8)(key->address_hi >> (56 - 8 * i));
		ret_address[8 + i] = (__u8)(key->address_lo >> (56 - 8 * i));
	}
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

void learned_text(const struct loader *loader, __u64 hash, char text[static PK_HOST_BUFFER])
{
	struct host host;

	text[0] = '\0';
	if (bpf_map_lookup_elem(bpf_map__fd(loader->skel->maps.pk_hosts), &hash, &host) ||
	    host.length > PK_HOST_MAX)
		return;
	memcpy(text, host.name, host.length);
	text[host.length] = '\0';
}

static int add_names(struct learned_table *table, const struct loader *loader,
		     const struct learned_key *key, const struct learned_value *value)
{
	struct learned_name name;
	__u64 now = learned_now();
	int r = 0;

	for (size_t i = 0; r == 0 && i < PK_LEARNED_NAMES; i++) {
		if (!value->names[i].host || value->names[i].expires_ns <= now)
			continue;
		name.expires_ns = value->names[i].expires_ns;
		name.image = value->names[i].image;
		learned_address(key, name.address);
		learned_text(loader, value->names[i].host, name.host);
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
	CLEAN_FREE struct learned_key *keys = NULL;
	size_t count = 0;
	int map;
	int r;

	if (!loader->skel || !loader->request.names) {
		*ret_table = (struct learned_table){ 0 };
		return 0;
	}
	map = bpf_map__fd(loader->skel->maps.pk_learned_map);
	r = learned_keys(loader, slot, &keys, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct learned_value value;

		/* Gone since: it was the least recently used. */
		if (bpf_map_lookup_elem(map, &keys[i], &value) == 0)
			r = add_names(&table, loader, &keys[i], &value);
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
	CLEAN_FREE struct learned_key *keys = NULL;
	size_t count = 0;
	int map;
	int r;

	if (!loader->skel || !loader->request.names)
		return 0;
	map = bpf_map__fd(loader->skel->maps.pk_learned_map);
	r = learned_keys(loader, slot, &keys, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (bpf_map_delete_elem(map, &keys[i]) && errno != ENOENT)
			r = -errno;
	}
	return r;
}

void learned_table_reset(struct learned_table *table)
{
	mem_free_ptr(&table->items);
	*table = (struct learned_table){ 0 };
}
