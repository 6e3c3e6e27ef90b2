/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The promise of every suggested policy line: with it the policy allows what was denied, and no
 * more. Each line is put back into policy text, compiled, and judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "events.h"
#include "policies.h"
#include "policy/decide.h"
#include "telemetry/suggest.h"

/* The policy that denies by default, with @line (NULL: none) among the rules of @section. */
static char *policy_with(enum pk_section section, const char *line)
{
	static const char *const names[] = { "egress", "files", "exec" };
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	(void)fputs("picket: 1\nname: proof\n", to);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)fprintf(to, "%s:\n  default: deny\n", names[i]);
		if (line && i == section)
			(void)fprintf(to, "  rules:\n    %s  # 3 times\n", line);
	}
	assert_int_equal(fclose(to), 0);
	return text;
}

static struct policy_image image_with(enum pk_section section, const char *line)
{
	CLEAN_FREE char *text = policy_with(section, line);

	return policy_text_compile("proof.yaml", text);
}

static struct pk_result judge_event(const struct policy_image *image, const struct event *event)
{
	struct pk_result result;
	CLEAN_FREE char *path = NULL;

	if (event->head.section == PK_SECTION_EGRESS) {
		assert_int_equal(decide_address(image, event->head.address, event->head.port,
						event->head.access, &result),
				 0);
		return result;
	}
	path = strndup(event->path.bytes, event->path.length);
	assert_non_null(path);
	assert_int_equal(decide_path(image, event->head.section, event->head.access, path, &result),
			 0);
	return result;
}

/* Denied without the line, allowed with it; and the line allows nothing but what was asked for. */
static void prove(const struct raw_event *raw)
{
	struct event event = raw_event_decode(raw);
	CLEAN(image_reset) struct policy_image before = image_with(event.head.section, NULL);
	CLEAN(image_reset) struct policy_image after = { 0 };
	CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
	CLEAN_FREE char *line = NULL;

	assert_int_equal(judge_event(&before, &event).verdict, PK_VERDICT_DENY);
	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = &before }, 1),
			 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(suggest_line(&list.items[0], &line), 0);
	after = image_with(event.head.section, line);
	if (judge_event(&after, &event).verdict != PK_VERDICT_ALLOW)
		fail_msg("does not allow: %s", line);
	for (__u8 bit = 1; bit <= 8 && event.head.section == PK_SECTION_FILES; bit <<= 1) {
		struct event other = event;

		other.head.access = bit;
		assert_int_equal(judge_event(&after, &other).verdict == PK_VERDICT_ALLOW,
				 (event.head.access & bit) != 0);
	}
}

/* clang-format off */
static const char *const odd_paths[] = {
	"/", "/a", "/etc/shadow", "/a b/c", "/a*b", "/a?b", "/a[1-2]b", "/a]b", "/{a,b}",
	"/a}b", "/a,b", "/a\\b", "/a\"b", "/a'b", "/a#b", "/a: b", "/a, b", "/$HOME",
	"/${HOME}/x", "/$$", "/@loopback", "/!x", "/&x", "/%x", "/`x`", "/|x", "/>x", "/...",
	"/.hidden", "/-", "/~", "/gr\xc3\xbc\xc3\x9f", "/\xe6\x97\xa5", "/\xf0\x9f\x98\x80",
	"/nl\nx", "/tab\tx", "/\x1b[0m", "/\x7f", "/\xff\xfe", "/\xe2\x80\xae", "/\xc2\x85",
	"/trailing ", "/ leading", "/a\\*", "/\\", "/*", "/**", "/**/x", "/[", "/[!a]", "/{",
	"/{}", "/,", "/\\\\", "/a\xc0", "/..\xff",
};
/* clang-format on */

static void lines_for_paths_allow_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd_paths) / sizeof(odd_paths[0]); i++) {
		struct raw_event raw;

		raw_event_open(&raw, odd_paths[i]);
		prove(&raw);
		raw.head.access = PK_ACCESS_WRITE | PK_ACCESS_EXEC;
		prove(&raw);
		raw.head.section = PK_SECTION_EXEC;
		raw.head.access = PK_ACCESS_RUN;
		prove(&raw);
	}
}

/* Every byte in a name, at the start, middle and end of a component. */
static void lines_for_every_byte_allow_it(void **state)
{
	(void)state;
	for (unsigned int byte = 1; byte < 256; byte++) {
		char path[] = { '/',	    'x', (char)byte, 'y',	 '/',
				(char)byte, 'z', 'x',	     (char)byte, '\0' };
		struct raw_event raw;

		if (byte == '/')
			continue;
		raw_event_open(&raw, path);
		prove(&raw);
	}
}

/* A wildcard in a name is suggested as that byte, not as a wildcard. */
static void lines_are_not_wider_than_the_path(void **state)
{
	static const struct {
		const char *denied;
		const char *other;
	} pairs[] = {
		{ "/a*", "/ab" },     { "/a?", "/ab" },		 { "/a[b]", "/ab" },
		{ "/{a,b}", "/a" },   { "/**", "/x/y" },	 { "/a\\*b", "/axb" },
		{ "/d", "/d/below" }, { "/${HOME}", "/home/u" }, { "/$$", "/$" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		CLEAN(image_reset) struct policy_image image = { 0 };
		CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
		CLEAN_FREE char *line = NULL;
		struct raw_event raw;
		struct event event;

		raw_event_open(&raw, pairs[i].denied);
		event = raw_event_decode(&raw);
		assert_int_equal(
			suggest_add(&list, &event, &(struct event_context){ .image = NULL }, 1), 0);
		assert_int_equal(suggest_line(&list.items[0], &line), 0);
		image = image_with(PK_SECTION_FILES, line);
		assert_int_equal(judge_event(&image, &event).verdict, PK_VERDICT_ALLOW);
		raw_event_open(&raw, pairs[i].other);
		event = raw_event_decode(&raw);
		if (judge_event(&image, &event).verdict != PK_VERDICT_DENY)
			fail_msg("%s also allows %s", line, pairs[i].other);
	}
}

static void lines_for_addresses_allow_them(void **state)
{
	static const char *const addresses[] = {
		"10.0.0.1",
		"0.0.0.0",
		"255.255.255.255",
		"127.0.0.1",
		"169.254.169.253",
		"2001:db8::1",
		"::",
		"::1",
		"fe80::1",
		"ff02::1",
		"::ffff:0:1",
		"64:ff9b::1.2.3.4",
	};
	static const unsigned int ports[] = { 0, 1, 53, 443, 65535 };

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		for (size_t j = 0; j < sizeof(ports) / sizeof(ports[0]); j++) {
			struct raw_event raw;

			raw_event_connect(&raw, addresses[i], ports[j]);
			prove(&raw);
			raw.head.op = PK_OP_SEND;
			raw.head.protocol = IPPROTO_UDP;
			raw.head.access = PK_ACCESS_UDP;
			prove(&raw);
			raw.head.access = PK_ACCESS_EGRESS;
			prove(&raw);
		}
	}
}

static void both_sections_for_a_program(void **state)
{
	CLEAN(image_reset) struct policy_image image = image_with(PK_SECTION_FILES, NULL);
	CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
	CLEAN_FREE char *files = NULL;
	CLEAN_FREE char *exec = NULL;
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/bin/x");
	raw.head.op = PK_OP_EXEC;
	raw.head.access = PK_ACCESS_EXEC;
	event = raw_event_decode(&raw);
	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = &image }, 1),
			 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(suggest_line(&list.items[0], &files), 0);
	assert_int_equal(suggest_line(&list.items[1], &exec), 0);
	assert_string_equal(files, "- {allow: \"/bin/x\", access: [exec]}");
	assert_string_equal(exec, "- {allow: \"/bin/x\"}");
}

static void only_the_path_that_lacks_it(void **state)
{
	CLEAN(image_reset)
	struct policy_image image =
		image_with(PK_SECTION_FILES, "- {allow: \"/w/**\", access: [read, write]}");
	CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
	CLEAN_FREE char *line = NULL;
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "");
	raw_event_paths(&raw, "/w/a", "/elsewhere/a");
	raw.head.op = PK_OP_RENAME;
	raw.head.access = PK_ACCESS_WRITE;
	event = raw_event_decode(&raw);
	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = &image }, 1),
			 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(suggest_line(&list.items[0], &line), 0);
	assert_string_equal(line, "- {allow: \"/elsewhere/a\", access: [write]}");
}

/* The one line for @raw, without an image. */
static void expect_line(const struct raw_event *raw, const struct policy_image *image,
			const char *expected)
{
	struct event event = raw_event_decode(raw);
	CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
	CLEAN_FREE char *line = NULL;

	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = image }, 1),
			 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(suggest_line(&list.items[0], &line), 0);
	assert_string_equal(line, expected);
}

static void switches(void **state)
{
	CLEAN(image_reset) struct policy_image image = image_with(PK_SECTION_FILES, NULL);
	struct pk_image *head = (struct pk_image *)image.bytes;
	struct raw_event raw;

	(void)state;
	raw_event_guard(&raw, PK_OP_SIGNAL, PK_GUARD_SIGNALS);
	expect_line(&raw, NULL, "signals: allow");
	expect_line(&raw, &image, "signals: allow");
	raw_event_guard(&raw, PK_OP_CAPABLE, PK_GUARD_CAPABILITIES);
	raw.head.detail = 13;
	expect_line(&raw, NULL, "capabilities: allow");
	head->guards.capabilities = ~3ULL;
	expect_line(&raw, &image, "capabilities: [chown, dac_override, net_raw]");
	raw_event_guard(&raw, PK_OP_BPF, PK_GUARD_KERNEL);
	raw.head.reason = PK_REASON_SELF;
	raw.head.rule = PK_RULE_NONE;
	assert_false(suggest_possible(&(struct event){ .head = raw.head }));
}

static void commands(void **state)
{
	static const char words[] = "commit\0-m\0a b*$\0...";
	struct raw_event raw;

	(void)state;
	raw_event_command(&raw, "/usr/bin/git", words, sizeof(words));
	expect_line(&raw, NULL, "- {allow: \"/usr/bin/git commit -m a\\\\ b\\\\*$$ \\\\...\"}");
	raw_event_command(&raw, "/opt/a b", "", 0);
	expect_line(&raw, NULL, "- {allow: \"/opt/a\\\\ b\"}");
}

static void expect_no_line(const struct raw_event *raw)
{
	struct event event = raw_event_decode(raw);
	CLEAN(suggest_list_reset) struct suggest_list list = { 0 };

	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = NULL }, 1),
			 0);
	assert_int_equal(list.count, 0);
}

static void names_of_hosts(void **state)
{
	struct raw_event raw;

	(void)state;
	raw_event_host(&raw, PK_OP_DNS, "evil.example", "127.0.0.53", 53);
	raw.head.access = PK_ACCESS_UDP;
	expect_line(&raw, NULL, "- {allow: \"evil.example:443\"}");
	raw_event_paths(&raw, "", NULL);
	expect_no_line(&raw);
	raw_event_host(&raw, PK_OP_CONNECT, "api.example", "203.0.113.7", 22);
	expect_line(&raw, NULL, "- {allow: \"api.example:22\"}");
	raw.head.access = PK_ACCESS_UDP;
	expect_line(&raw, NULL, "- {allow: \"api.example:22\", protocol: udp}");
	raw_event_host(&raw, PK_OP_NAME, "", "203.0.113.7", 8443);
	raw_event_paths(&raw, "b.example", "a.example");
	expect_line(&raw, NULL, "- {allow: \"b.example:8443\"}");
	raw.head.reason = PK_REASON_NO_NAME;
	raw.head.rule = PK_RULE_NONE;
	expect_no_line(&raw);
}

/* Two types of record of one name, and its port 443, are one line; UDP is another. */
static void one_line_for_a_name(void **state)
{
	CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_host(&raw, PK_OP_DNS, "evil.example", "127.0.0.53", 53);
	event = raw_event_decode(&raw);
	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = NULL }, 2),
			 0);
	event.head.detail = 28;
	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = NULL }, 3),
			 0);
	raw_event_host(&raw, PK_OP_CONNECT, "evil.example", "203.0.113.7", 443);
	event = raw_event_decode(&raw);
	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = NULL }, 1),
			 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].times, 6);
	event.head.access = PK_ACCESS_UDP;
	assert_int_equal(suggest_add(&list, &event, &(struct event_context){ .image = NULL }, 1),
			 0);
	assert_int_equal(list.count, 2);
}

static void ways_in(void **state)
{
	struct raw_event raw;

	(void)state;
	raw_event_connect(&raw, "127.0.0.1", 8080);
	raw.head.op = PK_OP_BIND;
	raw.head.section = PK_SECTION_LISTEN;
	raw.head.rule = PK_RULE_DEFAULT | PK_SECTION_LISTEN;
	expect_line(&raw, NULL, "- {allow: \"127.0.0.1:8080\", protocol: tcp}");
	raw_event_connect(&raw, "10.0.0.9", 8080);
	raw.head.op = PK_OP_ACCEPT;
	raw.head.section = PK_SECTION_ACCEPT;
	raw.head.rule = PK_RULE_DEFAULT | PK_SECTION_ACCEPT;
	expect_line(&raw, NULL, "from: \"10.0.0.9\"  # in the rule for port 8080");
	raw.head.section = PK_SECTION_LISTEN;
	expect_no_line(&raw);
	raw.head.cookie = 1;
	raw.head.local[15] = 1;
	expect_line(&raw, NULL, "- {allow: \"[::1]:8080\", protocol: tcp}");
}

static void nothing_for_credentials(void **state)
{
	struct raw_event raw;

	(void)state;
	raw_event_connect(&raw, "169.254.169.254", 80);
	expect_no_line(&raw);
	raw_event_connect(&raw, "fd00:ec2::254", 80);
	expect_no_line(&raw);
	raw_event_host(&raw, PK_OP_CONNECT, "metadata.example", "169.254.169.254", 80);
	expect_no_line(&raw);
}

static void abstract_sockets(void **state)
{
	struct raw_event raw;

	(void)state;
	raw_event_open(&raw, "/tmp/dbus-[1]");
	raw.head.op = PK_OP_UNIX;
	raw.head.section = PK_SECTION_UNIX;
	raw.head.access = PK_ACCESS_ABSTRACT;
	expect_line(&raw, NULL, "- {allow: \"tmp/dbus-\\\\[1\\\\]\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches),
		cmocka_unit_test(commands),
		cmocka_unit_test(abstract_sockets),
		cmocka_unit_test(names_of_hosts),
		cmocka_unit_test(one_line_for_a_name),
		cmocka_unit_test(ways_in),
		cmocka_unit_test(nothing_for_credentials),
		cmocka_unit_test(lines_for_paths_allow_them),
		cmocka_unit_test(lines_for_every_byte_allow_it),
		cmocka_unit_test(lines_are_not_wider_than_the_path),
		cmocka_unit_test(lines_for_addresses_allow_them),
		cmocka_unit_test(both_sections_for_a_program),
		cmocka_unit_test(only_the_path_that_lacks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
