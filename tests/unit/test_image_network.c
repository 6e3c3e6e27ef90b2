/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_validate() on what an image says of host names, resolvers and ways in: each promise is broken
 * once and must be named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "builder.h"
#include "policy/decide.h"

static struct pk_image *head(struct policy_image *image)
{
	return (struct pk_image *)(void *)image->bytes;
}

#define PART(image, which, type)                                                                   \
	((type *)(void *)((image)->bytes + head(image)->part[which].offset))
#define ITEMS(image) PART(image, PK_PART_ITEMS, struct pk_item)
#define RULES(image) PART(image, PK_PART_RULES, struct pk_rule)

static const char *break_ways_in(struct policy_image *i, int which)
{
	struct pk_item *item = ITEMS(i);

	switch (which) {
	case 0:
		RULES(i)[2].access |= PK_ACCESS_ICMP;
		return "a rule is malformed";
	case 1:
		RULES(i)[3].section = PK_SECTION_SOCKETS;
		return "a rule is malformed";
	case 2:
		while (item->section != PK_SECTION_ACCEPT)
			item++;
		item->section = PK_SECTION_LISTEN;
		return "an item";
	case 3:
		while (item->section != PK_SECTION_LISTEN)
			item++;
		item->port_lo = 8001;
		return "an item";
	default:
		return NULL;
	}
}

static const char *break_hosts(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		head(i)->host_start++;
		return "start state";
	case 1:
		head(i)->host_start = 0;
		return "without states";
	case 2:
		head(i)->host_dead++;
		return "dead state is no state";
	case 3:
		head(i)->host_dead = head(i)->host_start;
		return "is alive";
	case 4:
		head(i)->host_class['a'] = 1;
		return "no class";
	case 5:
		head(i)->host_class['a'] = 255;
		return "cut off";
	case 6:
		head(i)->dns.resolver_count = PK_RESOLVERS_MAX + 1;
		return "DNS";
	case 7:
		head(i)->dns.resolvers[1][0] = 1;
		return "DNS";
	case 8:
		head(i)->dns.name_max = 0;
		return "DNS";
	case 9:
		head(i)->dns.flags |= 4;
		return "DNS";
	case 10:
		head(i)->dns.min_ttl = PK_TTL_MAX + 1;
		return "DNS";
	case 11:
		head(i)->dns._pad = 1;
		return "DNS";
	case 12:
		head(i)->sockets |= 1U << PK_SOCKET__MAX;
		return "sockets";
	case 13:
		RULES(i)[0].access = 8;
		return "a rule is malformed";
	default:
		return break_ways_in(i, which - 14);
	}
}

/* Rules: 0 and 1 names, 2 a local address, 3 who may connect. */
static struct policy_image network_image(void)
{
	struct policy *policy = build_policy("network");
	struct policy_image image;

	build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	build_section(policy, PK_SECTION_LISTEN, PK_VERDICT_DENY);
	build_section(policy, PK_SECTION_ACCEPT, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
	build_host(policy, "*.example.com");
	build_host(policy, "example.org");
	build_rule(policy, PK_SECTION_LISTEN, PK_VERDICT_ALLOW, PK_ACCESS_TCP);
	build_range(policy, "127.0.0.1");
	build_ports(policy, 8000, 8000);
	build_rule(policy, PK_SECTION_ACCEPT, PK_VERDICT_ALLOW, PK_ACCESS_TCP);
	build_range(policy, "10.0.0.0/8");
	build_ports(policy, 8000, 8000);
	image = build_image(&policy, 1);
	policy_free(&policy);
	return image;
}

static void finds_broken_networks(void **state)
{
	const char *expected = "";

	(void)state;
	for (int which = 0; expected; which++) {
		struct policy_image image = network_image();
		const char *why = "nothing";

		if (image_validate(image.bytes, image.size, &why) != 0)
			fail_msg("unbroken: %s", why);
		expected = break_hosts(&image, which);
		assert_int_equal(image_seal(&image), 0);
		if (expected &&
		    (image_validate(image.bytes, image.size, &why) == 0 || !strstr(why, expected)))
			fail_msg("breaker %d: %s", which, why);
		image_reset(&image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_broken_networks),
	};

	return cmocka_run_group_tests_name("image_network", tests, NULL, NULL);
}
