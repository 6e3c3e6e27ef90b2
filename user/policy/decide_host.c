/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destinations that have names, judged in the kernel's order: the address alone, a name that it was
 * learned for, and before either the question to the resolver.
 */
#include <errno.h>
#include <string.h>

#include "policy/decide.h"

static const struct pk_result broken = {
	.verdict = PK_VERDICT_DENY,
	.reason = PK_REASON_IMAGE,
	.rule = PK_RULE_NONE,
};

int decide_host_set(const struct policy_image *image, const char *host, __u32 *ret_set)
{
	struct pk_view view = image_view(image);
	__u8 name[PK_HOST_BUFFER] = { 0 };
	size_t length = strlen(host);

	if (length > PK_HOST_MAX)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < length; i++)
		name[i] = (__u8)host[i];
	return pk_host_set(&view, image_head(image), name, (__u32)length, ret_set) ? -EIO : 0;
}

int decide_name(const struct policy_image *image, const char *host, struct pk_result *ret_result)
{
	const struct pk_image *head = image_head(image);
	struct pk_view view = image_view(image);
	__u32 set;
	int r;

	*ret_result = (struct pk_result){ PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	if (!head->dns.resolver_count)
		return 0;
	*ret_result = broken;
	r = decide_host_set(image, host, &set);
	if (r)
		return r;
	if (strlen(host) > head->dns.name_max) {
		ret_result->reason = PK_REASON_DNS_LONG;
		return 0;
	}
	*ret_result = pk_name_verdict(&view, head, set);
	if ((head->dns.flags & PK_DNS_ANY_NAME) && ret_result->reason == PK_REASON_DEFAULT)
		ret_result->verdict = PK_VERDICT_ALLOW;
	return 0;
}

bool decide_is_resolver(const struct policy_image *image, const __u8 address[16],
			const struct pk_query *query)
{
	const struct pk_dns *dns = &image_head(image)->dns;
	const struct pk_address key = decide_address_key(address);

	if (query->access != PK_ACCESS_UDP || query->port != PK_DNS_PORT)
		return false;
	for (__u32 i = 0; i < dns->resolver_count && i < PK_RESOLVERS_MAX; i++)
		if (dns->resolvers[i][0] == key.hi && dns->resolvers[i][1] == key.lo)
			return true;
	return false;
}

/* Does the verdict by a name stand in place of that by the address? As in the kernel. */
static bool is_said(const struct pk_result *address, const struct pk_result *name)
{
	if (name->verdict != address->verdict)
		return name->verdict < address->verdict;
	return name->reason == PK_REASON_RULE && address->reason != PK_REASON_RULE;
}

/* The rule sets of a destination: of its address, or the empty one, then of its name. */
static int find_sets(const struct policy_image *image, const struct decide_target *to,
		     struct pk_sets *ret_sets)
{
	int r = 0;

	*ret_sets = (struct pk_sets){ { 0 } };
	if (to->address)
		r = decide_address_sets(image, to->address, ret_sets);
	if (!r && to->host)
		r = decide_host_set(image, to->host, &ret_sets->id[1]);
	return r;
}

static void add_check(const struct pk_image *head, const struct pk_query *query, bool by_address,
		      struct decided *decided)
{
	if (decided->result.verdict != PK_VERDICT_ALLOW || query->access != PK_ACCESS_TCP)
		return;
	if (by_address && (head->flags & PK_IMAGE_DENIED_NAMES))
		decided->check = DECIDE_CHECK_DENIED;
	if (!by_address && (head->flags & PK_IMAGE_SNI))
		decided->check = DECIDE_CHECK_NAME;
}

int decide_destination(const struct policy_image *image, const struct decide_target *to,
		       const struct pk_query *query, struct decided *ret_decided)
{
	const struct pk_image *head = image_head(image);
	struct pk_view view = image_view(image);
	struct pk_result address, name;
	struct pk_sets sets;
	int r;

	*ret_decided = (struct decided){ .result = broken };
	r = find_sets(image, to, &sets);
	if (r)
		return r;
	ret_decided->sets = (struct pk_sets){ { sets.id[0], 0 } };
	if (to->address && decide_is_resolver(image, to->address, query)) {
		ret_decided->by = DECIDE_BY_RESOLVER;
		ret_decided->result =
			(struct pk_result){ PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
		return 0;
	}
	address = pk_judge_sets(&view, head, &ret_decided->sets, query);
	ret_decided->result = address;
	/* Of a name alone nothing is known about its address: the name's own verdict counts. */
	if (to->host && (!to->address || (address.verdict != PK_VERDICT_ALLOW &&
					  (address.verdict != PK_VERDICT_DENY ||
					   address.reason != PK_REASON_RULE)))) {
		name = pk_judge_sets(&view, head, &sets, query);
		ret_decided->by = DECIDE_BY_NAME;
		ret_decided->sets = sets;
		if (!to->address || is_said(&address, &name))
			ret_decided->result = name;
	}
	add_check(head, query, address.verdict == PK_VERDICT_ALLOW, ret_decided);
	return 0;
}

int decide_host(const struct policy_image *image, const char *host, const struct pk_query *query,
		struct pk_result *ret_result)
{
	const struct decide_target to = { .host = host };
	struct decided decided;
	int r = decide_destination(image, &to, query, &decided);

	*ret_result = decided.result;
	return r;
}
