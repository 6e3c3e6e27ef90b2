/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An element of the map is replaced as a whole, because only programs can change one in place: what
 * they write into the old one in that very moment is lost, and then asked for again.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/learned_parts.h"
#include "engine/learned_peers.h"
#include "engine/loader.h"
#include "policy/decide.h"

/* What all addresses of a change have in common. */
struct follow {
	const struct loader *loader;
	const struct learned_change *change;
	struct learned_peers peers; /* read when first asked for */
	bool peers_known;
	__u64 next; /* digest of the new image, its first bytes */
	__u64 now;
};

static void follow_reset(struct follow *follow)
{
	learned_peers_reset(&follow->peers);
}

static bool has_peer(struct follow *follow, const __u8 address[16])
{
	if (!follow->peers_known)
		(void)learned_peers_read(follow->change->cgroup, &follow->peers);
	follow->peers_known = true;
	return learned_peers_has(&follow->peers, address);
}

/* When it ends for the new image; 0: it has ended. */
static __u64 find_end(struct follow *follow, const struct learned_place *place,
		      const __u8 address[16])
{
	const struct pk_image *head = image_head(follow->change->next);

	if (place->expires_ns > follow->now)
		return place->expires_ns;
	/* As the programs do for each connection that a name lets through. */
	return has_peer(follow, address) ? follow->now + head->dns.min_ttl * 1000000000ULL : 0;
}

/* Would the new image learn @address for the name? As bpf/dns.bpf.c. */
static bool is_learned(const struct policy_image *next, const char *host, const __u8 address[16])
{
	const struct pk_image *head = image_head(next);
	struct pk_result result;

	if (!host[0] || !head->dns.resolver_count)
		return false;
	if (!(head->dns.flags & PK_DNS_PRIVATE) && pk_address_private(decide_address_key(address)))
		return false;
	return decide_name(next, host, &result) == 0 && result.verdict != PK_VERDICT_DENY;
}

/* What @place of the old image is in the new one. False: nothing. */
static bool translate(struct follow *follow, const struct learned_place *place,
		      const __u8 address[16], struct learned_place *ret_place)
{
	const struct policy_image *next = follow->change->next;
	char host[PK_HOST_BUFFER];

	*ret_place = (struct learned_place){
		.host = place->host,
		.image = follow->next,
		.expires_ns = find_end(follow, place, address),
	};
	if (!ret_place->expires_ns)
		return false;
	learned_text(follow->loader, place->host, host);
	return is_learned(next, host, address) && decide_host_set(next, host, &ret_place->set) == 0;
}

/* How good a place is for another name, the less the better; 0 = that name's own. */
static int rank(const struct follow *follow, const struct learned_place *place,
		const struct learned_place *name)
{
	if (place->host == name->host && place->image == name->image)
		return 0;
	if (!place->host)
		return 1;
	if (place->image != follow->next && place->image != follow->change->before)
		return 2;
	return place->image == follow->next && place->expires_ns <= follow->now ? 3 : 4;
}

/* A place that neither image needs, or NULL. */
static struct learned_place *find_place(const struct follow *follow, struct learned_value *value,
					const struct learned_place *name)
{
	struct learned_place *best = NULL;

	for (size_t i = 0; i < PK_LEARNED_NAMES; i++) {
		struct learned_place *place = &value->names[i];

		if (rank(follow, place, name) < 4 &&
		    (!best || rank(follow, place, name) < rank(follow, best, name)))
			best = place;
	}
	return best;
}

/* Take one name along. True: @value is another now. */
static bool take_along(struct follow *follow, struct learned_value *value,
		       struct learned_place *old, const __u8 address[16])
{
	bool published = follow->change->published;
	struct learned_place name;
	struct learned_place *to;

	if (!old->host || old->image != follow->change->before ||
	    !translate(follow, old, address, &name))
		return false;
	if (published)
		*old = (struct learned_place){ 0 };
	to = find_place(follow, value, &name);
	if (!to)
		return published;
	if (to->host == name.host && to->image == name.image && to->expires_ns > name.expires_ns)
		name.expires_ns = to->expires_ns;
	*to = name;
	return true;
}

static int follow_address(struct follow *follow, const struct learned_key *key)
{
	int map = bpf_map__fd(follow->loader->skel->maps.pk_learned_map);
	struct learned_value value;
	__u8 address[16];
	bool changed = false;

	/* Gone since: it was the least recently used. */
	if (bpf_map_lookup_elem(map, key, &value))
		return 0;
	learned_address(key, address);
	for (size_t i = 0; i < PK_LEARNED_NAMES; i++)
		changed = take_along(follow, &value, &value.names[i], address) || changed;
	if (!changed || bpf_map_update_elem(map, key, &value, BPF_EXIST) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

/* Has the agent learned anything at all? Going through all addresses of a host takes time. */
static bool has_learned(const struct loader *loader, __u32 slot)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };

	return agent_counts(loader, slot, counts) || counts[PK_COUNT_LEARNED];
}

int learned_follow(const struct loader *loader, const struct learned_change *change)
{
	CLEAN(follow_reset)
	struct follow follow = { .loader = loader, .change = change, .now = learned_now() };
	CLEAN_FREE struct learned_key *keys = NULL;
	size_t count = 0;
	int r;

	if (!loader->skel || !loader->request.names || !has_learned(loader, change->slot))
		return 0;
	memcpy(&follow.next, image_head(change->next)->digest, sizeof(follow.next));
	r = follow.next == change->before ? 0 : learned_keys(loader, change->slot, &keys, &count);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = follow_address(&follow, &keys[i]);
	return r;
}
