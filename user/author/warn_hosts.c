/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of egress that allow more hosts than they look like. Rules that ask are left alone: a person
 * looks at each host.
 */
#include <string.h>

#include "author/shared_hosts.h"
#include "author/warn_parts.h"

static const char *const kind_words[] = {
	[SHARED_REGISTRY] = "anybody can register names below it",
	[SHARED_HOSTING] = "its provider gives names below it to anybody",
	[SHARED_CDN] = "names below it are of whoever is a customer there",
	[SHARED_BUCKETS] = "anybody can have storage there",
	[SHARED_CONTENT] = "anybody can publish there",
	[SHARED_COLLECT] = "what is sent there, anybody may have asked for",
	[SHARED_TUNNEL] = "names there lead to anybody's machine",
};

/* True when @name is @of or ends in ".@of". */
static bool is_within(const char *name, size_t length, const char *of, size_t of_length)
{
	return length >= of_length && memcmp(name + length - of_length, of, of_length) == 0 &&
	       (length == of_length || name[length - of_length - 1] == '.');
}

/* What a pattern of a host says without its stars. */
struct shape {
	const char *base;
	size_t length;
	bool below; /* names below the base match */
	bool itself; /* the base matches */
};

static struct shape shape_of(const char *host)
{
	size_t stars = strspn(host, "*");
	const char *base = host + stars + (stars && host[stars] == '.');

	return (struct shape){ base, strlen(base), stars > 0, stars != 1 };
}

/*
 * Whether the pattern lets in what the shared name stands for. Of a suffix: names below it, of any
 * owner. Of a service: its name, or one of those that it hands out below.
 */
static bool covers(const struct shape *shape, const struct shared_host *shared)
{
	size_t length = strlen(shared->name);
	bool at_or_above = is_within(shared->name, length, shape->base, shape->length);

	if (shared->kind <= SHARED_CDN)
		return shape->below && at_or_above && length == shape->length;
	if (shape->below && at_or_above && (length > shape->length || shape->itself))
		return true;
	if (shared->kind == SHARED_BUCKETS)
		return length == shape->length && at_or_above;
	return is_within(shape->base, shape->length, shared->name, length);
}

static void warn_any(struct warn *warn, const struct warn_pattern *at, const char *what)
{
	diag_hint(
		warn_add(warn, WARN_ANY_HOST, at->rule, at->pattern,
			 "'%s' allows every %s of the internet", at->pattern->source, what),
		"name the %ss that are needed, or ask: a rule 'ask: %s' lets a person look at each",
		what, at->pattern->source);
}

static void warn_suffix(struct warn *warn, const struct warn_pattern *at, const struct shape *shape,
			const char *why)
{
	diag_hint(warn_add(warn, WARN_PUBLIC_SUFFIX, at->rule, at->pattern,
			   "'%s' allows names of strangers: '%s' is a public suffix, %s",
			   at->pattern->source, shape->base, why),
		  "write the name that is meant in front of it: 'example.%s' or '*.example.%s'",
		  shape->base, shape->base);
}

static void warn_shared(struct warn *warn, const struct warn_pattern *at, const struct shape *shape,
			const struct shared_host *shared)
{
	bool wider = strlen(shared->name) > shape->length;

	diag_hint(
		warn_add(warn, WARN_SHARED_HOST, at->rule, at->pattern, "'%s' %s '%s': %s",
			 at->pattern->source,
			 wider				       ? "includes" :
			 strlen(shared->name) == shape->length ? "is" :
								 "belongs to",
			 shared->name, kind_words[shared->kind]),
		"name the hosts that are needed and are one owner's; where this one is meant, say why "
		"in the rule's reason, with the word %s",
		warn_name(WARN_SHARED_HOST));
}

static void look_at_name(struct warn *warn, const struct warn_pattern *at)
{
	struct shape shape = shape_of(at->pattern->host);

	if (!shape.length) {
		warn_any(warn, at, "host");
		return;
	}
	if (shape.below && !strchr(shape.base, '.')) {
		warn_suffix(warn, at, &shape, kind_words[SHARED_REGISTRY]);
		return;
	}
	for (size_t i = 0; i < shared_host_count; i++) {
		const struct shared_host *shared = &shared_hosts[i];

		if (!covers(&shape, shared))
			continue;
		if (shared->kind <= SHARED_CDN)
			warn_suffix(warn, at, &shape, kind_words[shared->kind]);
		else
			warn_shared(warn, at, &shape, shared);
		return;
	}
}

/* True for a range that has all of IPv4, or all public addresses of IPv6, which are 2000::/3. */
static bool is_everything(const struct policy_range *range)
{
	static const struct policy_range all[] = {
		{ { [10] = 0xff, [11] = 0xff },
		  { [10] = 0xff, [11] = 0xff, [12] = 0xff, [13] = 0xff, [14] = 0xff, [15] = 0xff } },
		{ { 0x20 },
		  { 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff } },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (memcmp(range->low, all[i].low, sizeof(range->low)) <= 0 &&
		    memcmp(range->high, all[i].high, sizeof(range->high)) >= 0)
			return true;
	return false;
}

int warn_hosts(struct warn *warn)
{
	for (__u32 i = 0; i < warn->count; i++) {
		const struct warn_pattern *at = &warn->patterns[i];
		bool everything = false;

		if (at->rule->section != PK_SECTION_EGRESS || at->rule->verdict != PK_VERDICT_ALLOW)
			continue;
		if (at->pattern->host)
			look_at_name(warn, at);
		for (size_t k = 0; k < at->pattern->range_count && !everything; k++)
			everything = is_everything(&at->pattern->ranges[k]);
		if (everything)
			warn_any(warn, at, "address");
	}
	return 0;
}
