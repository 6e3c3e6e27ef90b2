/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the head of an image says of DNS, the server's name and kinds of sockets; layers combined; the
 * rules that `from` becomes; what the machine's own configuration gives.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/host_facts.h"
#include "policies.h"
#include "policy/compile.h"
#include "policy/decide.h"
#include "policy/dump_network.h"

#define LAYERS_MAX 3
#define ALL_SOCKETS ((1U << PK_SOCKET__MAX) - 1)

static const struct policy_host host = {
	.resolvers = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 53 },
		       { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 54 } },
	.resolver_count = 2,
};

/* Compile the texts (NULL-terminated) as layers; the findings are added to @diags. */
static int compile(const char *const *texts, const struct policy_host *with,
		   struct policy_image *ret_image, struct diag_list *diags)
{
	const struct compile_options options = { .host = with };
	struct policy *layers[LAYERS_MAX] = { NULL };
	const char *why = NULL;
	size_t count = 0;
	int r;

	for (; texts[count]; count++)
		layers[count] = policy_text_load("t.yaml", texts[count]);
	r = policy_compile((const struct policy *const *)layers, count, &options, ret_image, diags);
	for (size_t i = 0; i < count; i++)
		policy_free(&layers[i]);
	if (r == 0 && image_validate(ret_image->bytes, ret_image->size, &why) < 0)
		fail_msg("the image is not valid: %s", why);
	return r;
}

/* The head of the image that the texts become. */
static struct pk_image head_of(const char *const *texts, const struct policy_host *with)
{
	CLEAN(image_reset) struct policy_image image = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	if (compile(texts, with, &image, &diags) < 0) {
		diag_print(&diags, stderr);
		fail_msg("it does not compile");
	}
	return *image_head(&image);
}

#define HEAD(with, ...) head_of((const char *const[]){ __VA_ARGS__, NULL }, with)

/* The resolvers of an image are those, in words. */
static void assert_resolvers(const struct pk_image *head, const char *expected)
{
	CLEAN_FREE char *text = NULL;
	char one[INET6_ADDRSTRLEN];
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	for (__u32 i = 0; i < head->dns.resolver_count; i++) {
		dump_address(head->dns.resolvers[i][0], head->dns.resolvers[i][1], one);
		(void)fprintf(to, "%s%s", i ? " " : "", one);
	}
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, expected);
}

#define NAMES "picket: 1\negress: {rules: [{allow: '*.example.com:443'}]}\n"
#define ADDRESSES "picket: 1\negress: {rules: [{allow: 192.0.2.0/24}]}\n"
#define NOTHING "picket: 1\nfiles: {default: allow}\n"

static void test_dns_is_looked_at(void **state)
{
	struct pk_image head = HEAD(&host, ADDRESSES);

	(void)state;
	assert_int_equal(head.dns.resolver_count, 0);
	assert_int_equal(head.dns.min_ttl, 0);
	head = HEAD(&host, NAMES);
	assert_resolvers(&head, "192.0.2.53 192.0.2.54");
	assert_int_equal(head.dns.flags, 0);
	assert_int_equal(head.dns.min_ttl, 60);
	assert_int_equal(head.dns.rate, 100);
	assert_int_equal(head.dns.name_max, 128);
	head = HEAD(&host, "picket: 1\negress: {dns: {}}\n");
	assert_resolvers(&head, "192.0.2.53 192.0.2.54");
	/* Nobody has said where: the C library asks itself. */
	head = HEAD(NULL, NAMES);
	assert_resolvers(&head, "127.0.0.1");
	head = HEAD(&(struct policy_host){ 0 }, NAMES);
	assert_resolvers(&head, "127.0.0.1");
}

static void test_dns_as_written(void **state)
{
	struct pk_image head = HEAD(
		&host, "picket: 1\n"
		       "egress:\n"
		       "  dns: {resolvers: ['2001:db8::53', 10.0.0.1], names: any, min_ttl: 1h,\n"
		       "    private_answers: allow, rate: off, max_name: 253}\n"
		       "  tls: {sni: off}\n");

	(void)state;
	assert_resolvers(&head, "2001:db8::53 10.0.0.1");
	assert_int_equal(head.dns.flags, PK_DNS_ANY_NAME | PK_DNS_PRIVATE);
	assert_int_equal(head.dns.min_ttl, 3600);
	assert_int_equal(head.dns.rate, 0);
	assert_int_equal(head.dns.name_max, 253);
	assert_int_equal(head.flags & PK_IMAGE_SNI, 0);
}

static void test_dns_of_layers(void **state)
{
	static const char open[] =
		"picket: 1\n"
		"egress:\n"
		"  dns: {resolvers: [192.0.2.54, 10.0.0.1], names: any, min_ttl: 10s,\n"
		"    private_answers: allow, rate: off, max_name: 200}\n"
		"  tls: {sni: off}\n";
	static const char narrow[] =
		"picket: 1\n"
		"egress:\n"
		"  dns: {names: any, private_answers: allow, rate: 7/s, max_name: 253}\n"
		"  tls: {sni: off}\n";
	struct pk_image head = HEAD(&host, open, narrow);

	(void)state;
	assert_resolvers(&head, "192.0.2.54");
	assert_int_equal(head.dns.flags, PK_DNS_ANY_NAME | PK_DNS_PRIVATE);
	assert_int_equal(head.dns.min_ttl, 10);
	assert_int_equal(head.dns.rate, 7);
	assert_int_equal(head.dns.name_max, 200);
	assert_int_equal(head.flags & PK_IMAGE_SNI, 0);
	/* A layer that judges addresses only has no say in how names are looked up, but whether. */
	head = HEAD(&host, open, ADDRESSES);
	assert_resolvers(&head, "192.0.2.54 10.0.0.1");
	assert_int_equal(head.dns.flags, 0);
	assert_int_equal(head.dns.rate, 0);
	assert_int_equal(head.flags & PK_IMAGE_SNI, PK_IMAGE_SNI);
	/* One that does not judge egress has none at all. */
	head = HEAD(&host, NOTHING, open);
	assert_int_equal(head.dns.flags, PK_DNS_ANY_NAME | PK_DNS_PRIVATE);
	assert_int_equal(head.flags & PK_IMAGE_SNI, 0);
	head = HEAD(&host, NOTHING);
	assert_int_equal(head.flags, 0);
}

static void test_no_common_resolver(void **state)
{
	static const char *const texts[] = {
		"picket: 1\nname: site\negress: {dns: {resolvers: [10.0.0.1, '::2']}}\n",
		"picket: 1\nname: team\n" NAMES + 10,
		NULL,
	};
	CLEAN(image_reset) struct policy_image image = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	(void)state;
	assert_int_equal(compile(texts, &host, &image, &diags), -22);
	assert_int_equal(diags.count, 1);
	assert_string_equal(diags.items[0].message,
			    "the layers have no resolver in common: 'site' has 10.0.0.1, ::2; "
			    "'team' has the system's 192.0.2.53, 192.0.2.54");
	assert_non_null(diags.items[0].hint);
}

static void test_sockets(void **state)
{
	struct pk_image head = HEAD(NULL, NOTHING);

	(void)state;
	assert_int_equal(head.sockets, ALL_SOCKETS);
	assert_int_equal(head.defaults[PK_SECTION_SOCKETS].present, 0);
	head = HEAD(NULL, ADDRESSES);
	assert_int_equal(head.sockets, PK_SOCKETS_DEFAULT);
	assert_int_equal(head.defaults[PK_SECTION_SOCKETS].present, 0);
	head = HEAD(NULL, "picket: 1\nlisten: {}\n");
	assert_int_equal(head.sockets, PK_SOCKETS_DEFAULT);
	head = HEAD(NULL, "picket: 1\nsockets: {allow: []}\n");
	assert_int_equal(head.sockets, 0);
	assert_int_equal(head.defaults[PK_SECTION_SOCKETS].present, 0xf);
	head = HEAD(NULL, NOTHING, "picket: 1\nsockets: {allow: [inet, netlink-all, can]}\n",
		    "picket: 1\nsockets: {allow: [inet, inet6, netlink, can]}\n");
	assert_int_equal(head.sockets,
			 1U << PK_SOCKET_INET | 1U << PK_SOCKET_NETLINK | 1U << PK_SOCKET_CAN);
	assert_int_equal(head.defaults[PK_SECTION_SOCKETS].present, 0xff0);
	head = HEAD(NULL, ADDRESSES, "picket: 1\nsockets: {allow: [inet, icmp]}\n");
	assert_int_equal(head.sockets, 1U << PK_SOCKET_INET);
}

/* The verdict on @port at @text in @section. */
static enum pk_verdict judge(const struct policy_image *image, enum pk_section section, __u8 access,
			     const char *text, __u16 port)
{
	struct pk_query query = { .section = section, .access = access, .port = port };
	struct pk_result result = { 0 };
	__u8 address[16];
	bool v4 = !strchr(text, ':');

	memset(address, 0, sizeof(address));
	if (v4)
		memset(address + 10, 0xff, 2);
	assert_int_equal(inet_pton(v4 ? AF_INET : AF_INET6, text, v4 ? address + 12 : address), 1);
	assert_int_equal(decide_address_query(image, address, &query, &result), 0);
	return (enum pk_verdict)result.verdict;
}

#define LISTEN(...) judge(&image, PK_SECTION_LISTEN, __VA_ARGS__)
#define ACCEPT(...) judge(&image, PK_SECTION_ACCEPT, __VA_ARGS__)

static void test_listen(void **state)
{
	static const char text[] =
		"picket: 1\n"
		"listen:\n"
		"  rules:\n"
		"    - {allow: ['@loopback:80', '192.0.2.7:8000-8010'], from: [10.0.0.0/8, '::1'],\n"
		"       protocol: tcp}\n"
		"    - {allow: '@loopback:53'}\n"
		"    - {deny: '127.0.0.2'}\n"
		"    - {ask: '@loopback:99'}\n";
	CLEAN(image_reset) struct policy_image image = policy_text_compile("listen", text);
	const struct pk_image *head = image_head(&image);

	(void)state;
	assert_int_equal(head->defaults[PK_SECTION_LISTEN].deny, 0xf);
	assert_memory_equal(&head->defaults[PK_SECTION_LISTEN], &head->defaults[PK_SECTION_ACCEPT],
			    sizeof(struct pk_default));
	assert_int_equal(LISTEN(PK_ACCESS_TCP, "127.0.0.1", 80), PK_VERDICT_ALLOW);
	assert_int_equal(LISTEN(PK_ACCESS_UDP, "127.0.0.1", 80), PK_VERDICT_DENY);
	assert_int_equal(LISTEN(PK_ACCESS_TCP, "127.0.0.2", 80), PK_VERDICT_DENY);
	assert_int_equal(LISTEN(PK_ACCESS_TCP, "192.0.2.7", 80), PK_VERDICT_DENY);
	assert_int_equal(LISTEN(PK_ACCESS_TCP, "192.0.2.7", 8010), PK_VERDICT_ALLOW);
	assert_int_equal(LISTEN(PK_ACCESS_TCP, "127.0.0.1", 99), PK_VERDICT_ASK);
	/* Peers: the local port alone, of any pattern of the rule. */
	assert_int_equal(ACCEPT(PK_ACCESS_TCP, "10.1.2.3", 80), PK_VERDICT_ALLOW);
	assert_int_equal(ACCEPT(PK_ACCESS_TCP, "::1", 8005), PK_VERDICT_ALLOW);
	assert_int_equal(ACCEPT(PK_ACCESS_UDP, "::1", 8005), PK_VERDICT_DENY);
	assert_int_equal(ACCEPT(PK_ACCESS_TCP, "11.1.2.3", 80), PK_VERDICT_DENY);
	assert_int_equal(ACCEPT(PK_ACCESS_TCP, "11.1.2.3", 53), PK_VERDICT_ALLOW);
	assert_int_equal(ACCEPT(PK_ACCESS_UDP, "2001:db8::1", 53), PK_VERDICT_ALLOW);
	assert_int_equal(ACCEPT(PK_ACCESS_TCP, "127.0.0.1", 99), PK_VERDICT_DENY);
	assert_int_equal(ACCEPT(PK_ACCESS_TCP, "127.0.0.1", 22), PK_VERDICT_DENY);
}

/* A rule about peers is named as it is written: by the text of `from`, or by the rule's own. */
static void test_listen_places(void **state)
{
	static const char text[] =
		"picket: 1\n"
		"listen:\n"
		"  rules:\n"
		"    - {allow: '@any:80', from: 10.0.0.0/8, id: web, reason: why}\n"
		"    - {allow: '@any:81'}\n";
	CLEAN(policy_free) struct policy *policy = policy_text_load("t.yaml", text);
	const struct policy_rule *rules = policy->rules;

	(void)state;
	assert_int_equal(policy->rule_count, 4);
	assert_int_equal(rules[0].section, PK_SECTION_LISTEN);
	assert_int_equal(rules[1].section, PK_SECTION_ACCEPT);
	assert_string_equal(rules[1].patterns->source, "10.0.0.0/8");
	assert_int_equal(rules[1].patterns->pos.line, 4);
	assert_int_equal(rules[1].patterns->pos.column, 32);
	assert_string_equal(rules[1].id, "web");
	assert_string_equal(rules[1].reason, "why");
	assert_string_equal(rules[3].patterns->source, "@any:81");
	assert_int_equal(rules[3].patterns->pos.column, rules[2].patterns->pos.column);
}

static void test_ask(void **state)
{
	static const char text[] = "picket: 1\n"
				   "egress:\n"
				   "  default: ask\n"
				   "  rules:\n"
				   "    - {ask: '192.0.2.0/24'}\n"
				   "    - {allow: '192.0.0.0/8'}\n"
				   "    - {deny: '192.0.2.1'}\n";
	CLEAN(image_reset) struct policy_image image = policy_text_compile("ask", text);
	enum pk_section section = PK_SECTION_EGRESS;

	(void)state;
	assert_int_equal(image_head(&image)->defaults[section].ask, 0xf);
	assert_int_equal(image_head(&image)->defaults[section].deny, 0);
	assert_int_equal(judge(&image, section, PK_ACCESS_TCP, "192.0.2.1", 1), PK_VERDICT_DENY);
	assert_int_equal(judge(&image, section, PK_ACCESS_TCP, "192.0.2.2", 1), PK_VERDICT_ASK);
	assert_int_equal(judge(&image, section, PK_ACCESS_TCP, "192.0.3.2", 1), PK_VERDICT_ALLOW);
	assert_int_equal(judge(&image, section, PK_ACCESS_TCP, "193.0.3.2", 1), PK_VERDICT_ASK);
}

/* Write @text to a file and read the machine's facts with it as its configuration. */
static struct policy_host read_facts(const char *text)
{
	char path[] = "/tmp/picket-resolv-XXXXXX";
	struct policy_host facts = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
	assert_int_equal(host_facts_read(path, &facts), 0);
	assert_int_equal(unlink(path), 0);
	return facts;
}

static void assert_facts(const char *text, size_t count, const char *const *expected)
{
	CLEAN(host_facts_reset) struct policy_host facts = read_facts(text);

	assert_int_equal(facts.resolver_count, count);
	for (size_t i = 0; i < count; i++) {
		char shown[INET6_ADDRSTRLEN] = "";

		assert_non_null(inet_ntop(AF_INET6, facts.resolvers[i], shown, sizeof(shown)));
		assert_string_equal(shown, expected[i]);
	}
}

static void test_resolvers_of_the_system(void **state)
{
	static const char *const some[] = { "::ffff:192.0.2.53", "2001:db8::53", "fe80::1" };
	static const char *const own[] = { "::ffff:127.0.0.1", "::1" };

	(void)state;
	assert_facts("# nameserver 10.0.0.1\n; nameserver 10.0.0.2\nsearch example.com\n"
		     "nameserver 192.0.2.53\nnameserver\t2001:db8::53  # the other\n"
		     "nameserver fe80::1%eth0\nnameserver 192.0.2.53\n nameserver 10.0.0.3\n"
		     "nameserver10.0.0.4\nnameserver\nnameserver example.com\noptions edns0",
		     3, some);
	assert_facts("nameserver 0.0.0.0\nnameserver ::\n", 2, own);
	assert_facts("", 0, NULL);
	assert_facts("nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"
		     "nameserver 10.0.0.4\nnameserver 10.0.0.5\nnameserver 10.0.0.6\n"
		     "nameserver 10.0.0.7\nnameserver 10.0.0.8\nnameserver 10.0.0.9\n",
		     8,
		     (const char *const[]){ "::ffff:10.0.0.1", "::ffff:10.0.0.2", "::ffff:10.0.0.3",
					    "::ffff:10.0.0.4", "::ffff:10.0.0.5", "::ffff:10.0.0.6",
					    "::ffff:10.0.0.7", "::ffff:10.0.0.8" });
}

static void test_own_addresses(void **state)
{
	static const __u8 loopback[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1 };
	CLEAN(host_facts_reset) struct policy_host facts = { 0 };
	bool found = false;

	(void)state;
	assert_int_equal(host_facts_read("/nonexistent/resolv.conf", &facts), 0);
	assert_int_equal(facts.resolver_count, 0);
	for (size_t i = 0; i < facts.own_count; i++) {
		const struct policy_range *own = &facts.own[i];

		assert_memory_equal(own->low, own->high, 16);
		if (i)
			assert_true(memcmp(facts.own[i - 1].low, own->low, 16) < 0);
		found = found || memcmp(own->low, loopback, 16) == 0;
	}
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_is_looked_at),
		cmocka_unit_test(test_dns_as_written),
		cmocka_unit_test(test_dns_of_layers),
		cmocka_unit_test(test_no_common_resolver),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_listen_places),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_resolvers_of_the_system),
		cmocka_unit_test(test_own_addresses),
	};

	return cmocka_run_group_tests_name("policy_network", tests, NULL, NULL);
}
