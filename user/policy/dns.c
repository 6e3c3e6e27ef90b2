/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys dns and tls.
 */
#include "policy/dns.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/address.h"
#include "policy/address_parts.h"
#include "policy/numbers.h"
#include "policy/pattern.h"
#include "policy/schema.h"
#include "policy/vars.h"

#define RATE_MAX 1000000U
/** Most seconds of min_ttl. */
#define FLOOR_MAX 3600U

/* One address without a port: resolvers are asked at port 53. */
static int parse_resolver(const struct expansion *expansion, struct policy_range *ret_address,
			  struct address_error *ret_error)
{
	CLEAN(address_match_reset) struct address_match match = { 0 };
	int r = address_parse(expansion->text, &match, ret_error);

	if (r < 0)
		return r;
	if (!match.range_count)
		return address_refuse(ret_error, 0, expansion->length, "write its address",
				      "nobody could be asked for the address of a resolver");
	if (match.range_count != 1 || memcmp(match.ranges->low, match.ranges->high, 16) != 0)
		return address_refuse(ret_error, 0, expansion->length, "write one address",
				      "a resolver is more than one address");
	if (match.ports->low || match.ports->high != 0xffff)
		return address_refuse(ret_error, 0, expansion->length, "leave the port away",
				      "resolvers are asked at port 53");
	*ret_address = match.ranges[0];
	return 0;
}

static void keep_resolver(struct front *front, const struct node *text,
			  const struct policy_range *address)
{
	struct policy_dns *dns = &front->policy->dns;

	for (size_t i = 0; i < dns->resolver_count; i++) {
		if (memcmp(dns->resolvers[i], address->low, 16) == 0) {
			(void)node_error(text, front->diags, "the resolver '%s' is named twice",
					 text->text);
			return;
		}
	}
	if (dns->resolver_count == PK_RESOLVERS_MAX) {
		(void)node_error(text, front->diags, "more than %d resolvers", PK_RESOLVERS_MAX);
		return;
	}
	memcpy(dns->resolvers[dns->resolver_count++], address->low, 16);
}

static int add_resolver(struct front *front, const struct node *text, void *unused)
{
	CLEAN(expansion_reset) struct expansion expansion = { 0 };
	struct address_error error = { 0 };
	struct policy_range address;
	int r;

	(void)unused;
	if (!front_line(front, text, "a resolver"))
		return 0;
	r = vars_expand(front, text, VARS_PLAIN, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	r = parse_resolver(&expansion, &address, &error);
	if (r == -EINVAL)
		pattern_report_address(front, text, &expansion, &error);
	else if (r == 0)
		keep_resolver(front, text, &address);
	return r == -EINVAL ? 0 : r;
}

static int read_resolvers(struct front *front, const struct node *value, void *unused)
{
	struct policy_dns *dns = &front->policy->dns;

	dns->system = value->kind == NODE_TEXT && strcmp(value->text, "system") == 0;
	if (dns->system)
		return 0;
	if (value->kind == NODE_LIST && value->count == 0) {
		diag_hint(node_error(value, front->diags, "no resolver is left to be asked"),
			  "write 'system' or addresses; what may be asked is said by the rules");
		return 0;
	}
	return front_each_text(front, value, "the address of a resolver", add_resolver, unused);
}

static const struct front_word names_words[] = { { "allowed", 0 }, { "any", 1 } };
static const struct front_words names_set = FRONT_WORDS("setting", names_words);

static int read_names(struct front *front, const struct node *value, void *unused)
{
	unsigned int any = 0;

	(void)unused;
	if (front_word(front, value, &names_set, &any))
		front->policy->dns.any_name = any != 0;
	return 0;
}

static const struct front_word private_words[] = { { "deny", 0 }, { "allow", 1 } };
static const struct front_words private_set = FRONT_WORDS("setting", private_words);

static int read_private(struct front *front, const struct node *value, void *unused)
{
	unsigned int allow = 0;

	(void)unused;
	if (front_word(front, value, &private_set, &allow))
		front->policy->dns.private_answers = allow != 0;
	return 0;
}

static int read_min_ttl(struct front *front, const struct node *value, void *unused)
{
	unsigned int seconds = numbers_seconds(value, FLOOR_MAX);

	(void)unused;
	if (seconds)
		front->policy->dns.min_ttl = seconds;
	else
		diag_hint(node_error(value, front->diags, "'%s' is not a time from 1s to 1h",
				     value->text),
			  "write seconds, minutes or hours as '60s', '5m', '1h'");
	return 0;
}

static int read_rate(struct front *front, const struct node *value, void *unused)
{
	unsigned int rate = numbers_before(value, "/s", RATE_MAX);

	(void)unused;
	if (rate || strcmp(value->text, "off") == 0)
		front->policy->dns.rate = rate;
	else
		diag_hint(node_error(value, front->diags, "'%s' is not a rate", value->text),
			  "write the most questions of a second as '100/s' (1 to %u), or 'off' for "
			  "no limit",
			  RATE_MAX);
	return 0;
}

static int read_max_name(struct front *front, const struct node *value, void *unused)
{
	unsigned int bytes = numbers_before(value, "", PK_HOST_MAX);

	(void)unused;
	if (bytes)
		front->policy->dns.name_max = bytes;
	else
		diag_hint(node_error(value, front->diags, "'%s' is not a number from 1 to %d",
				     value->text, PK_HOST_MAX),
			  "it is the bytes of the longest name that may be asked for");
	return 0;
}

static const struct schema_key dns_keys[] = {
	{ .name = "resolvers",
	  .expected = "system, or the address of a resolver or a list of them",
	  .read = read_resolvers,
	  .shapes = SHAPE_TEXT | SHAPE_LIST },
	{ .name = "names",
	  .expected = "allowed or any",
	  .read = read_names,
	  .shapes = SHAPE_TEXT,
	  .words = &names_set },
	{ .name = "min_ttl",
	  .expected = "a time ('60s')",
	  .read = read_min_ttl,
	  .shapes = SHAPE_TEXT,
	  .form = SCHEMA_TIME },
	{ .name = "private_answers",
	  .expected = "deny or allow",
	  .read = read_private,
	  .shapes = SHAPE_TEXT,
	  .words = &private_set },
	{ .name = "rate",
	  .expected = "a number of questions a second ('100/s'), or off",
	  .read = read_rate,
	  .shapes = SHAPE_TEXT,
	  .form = SCHEMA_RATE },
	{ .name = "max_name",
	  .expected = "a number of bytes",
	  .read = read_max_name,
	  .shapes = SHAPE_TEXT,
	  .form = "^[1-9][0-9]*$" },
};

const struct schema dns_schema = SCHEMA("the key dns", dns_keys);

int dns_read(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	front->policy->dns = (struct policy_dns)DNS_UNSAID;
	front->policy->dns.present = true;
	front->policy->dns.pos = node_pos(map);
	return schema_read_map(front, &dns_schema, map, NULL);
}

static const struct front_word sni_words[] = { { "match", 0 }, { "off", 1 } };
static const struct front_words sni_set = FRONT_WORDS("setting", sni_words);

static int read_sni(struct front *front, const struct node *value, void *unused)
{
	unsigned int off = 0;

	(void)unused;
	if (front_word(front, value, &sni_set, &off))
		front->policy->tls.sni_off = off != 0;
	return 0;
}

static const struct schema_key tls_keys[] = {
	{ .name = "sni",
	  .expected = "match or off",
	  .read = read_sni,
	  .shapes = SHAPE_TEXT,
	  .words = &sni_set },
};

const struct schema tls_schema = SCHEMA("the key tls", tls_keys);

int dns_read_tls(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	front->policy->tls.present = true;
	front->policy->tls.pos = node_pos(map);
	return schema_read_map(front, &tls_schema, map, NULL);
}
