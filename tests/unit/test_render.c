/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text form of events: the wording, and that no name breaks the line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/escape.h"
#include "base/mem.h"
#include "events.h"
#include "policies.h"
#include "telemetry/render.h"

static void expect_line(const struct raw_event *raw, const struct event_context *context,
			const char *expected)
{
	struct event event = raw_event_decode(raw);
	CLEAN_FREE char *line = NULL;

	assert_int_equal(render_event(&event, context, &line), 0);
	assert_string_equal(line, expected);
}

static void default_of_a_section(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_open(&raw, "/etc/shadow");
	expect_line(&raw, &context,
		    "01:00:00 DENIED open /etc/shadow for read  cat[4121] < bash[4100]  "
		    "default deny of files\n");
	raw.head.access = PK_ACCESS_READ | PK_ACCESS_WRITE;
	raw.head.parent_tgid = 0;
	expect_line(&raw, &context,
		    "01:00:00 DENIED open /etc/shadow for read/write  cat[4121]  "
		    "default deny of files\n");
}

static void clock_offset_moves_the_time(void **state)
{
	struct raw_event raw;
	struct event_context context = { .clock_offset_ns = 184000000000LL };

	(void)state;
	raw_event_open(&raw, "/x");
	expect_line(&raw, &context,
		    "01:03:04 DENIED open /x for read  cat[4121] < bash[4100]  "
		    "default deny of files\n");
}

static void audit_says_would(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_open(&raw, "/x");
	raw.head.audit = 1;
	raw.head.error = 0;
	expect_line(&raw, &context,
		    "01:00:00 WOULD DENY open /x for read  cat[4121] < bash[4100]  "
		    "default deny of files\n");
}

static void both_paths_of_a_rename(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_open(&raw, "");
	raw_event_paths(&raw, "/a", "/b c");
	raw.head.op = PK_OP_RENAME;
	raw.head.access = PK_ACCESS_WRITE;
	raw.head.reason = PK_REASON_WIDENS;
	raw.head.rule = PK_RULE_NONE;
	raw.head.error = EXDEV;
	expect_line(&raw, &context,
		    "01:00:00 DENIED rename /a -> \"/b c\"  cat[4121] < bash[4100]  "
		    "the new name would give rights that the old one does not\n");
}

static void internet_operations(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_connect(&raw, "10.0.0.1", 443);
	expect_line(&raw, &context,
		    "01:00:00 DENIED connect 10.0.0.1:443  curl[4121] < bash[4100]  "
		    "default deny of egress\n");
	raw_event_connect(&raw, "2001:db8::1", 53);
	raw.head.op = PK_OP_SEND;
	raw.head.protocol = IPPROTO_UDP;
	expect_line(&raw, &context,
		    "01:00:00 DENIED send [2001:db8::1]:53/udp  curl[4121] < bash[4100]  "
		    "default deny of egress\n");
	raw.head.op = PK_OP_SOCKET;
	raw.head.family = AF_INET;
	raw.head.protocol = SOCK_RAW << 16 | IPPROTO_ICMP;
	raw.head.reason = PK_REASON_SOCKET;
	raw.head.rule = PK_RULE_NONE;
	expect_line(&raw, &context,
		    "01:00:00 DENIED socket inet raw icmp  curl[4121] < bash[4100]  "
		    "egress rules cannot judge this kind of socket\n");
	raw.head.op = PK_OP_CONNECT;
	raw.head.family = 250;
	raw.head.protocol = 0;
	raw.head.reason = PK_REASON_ADDRESS;
	expect_line(&raw, &context,
		    "01:00:00 DENIED connect (address of family 250)  curl[4121] < bash[4100]  "
		    "the address is missing, cut or of an unknown family\n");
}

#define BY_CURL "  curl[4121] < bash[4100]  "

static void names_of_hosts(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_host(&raw, PK_OP_CONNECT, "api.example", "203.0.113.7", 443);
	expect_line(&raw, &context,
		    "01:00:00 DENIED connect 203.0.113.7:443 (known as api.example)" BY_CURL
		    "default deny of egress\n");
	raw_event_host(&raw, PK_OP_PACKET, "", "2001:db8::1", 53);
	raw.head.protocol = IPPROTO_UDP;
	expect_line(&raw, &context,
		    "01:00:00 DENIED packet [2001:db8::1]:53/udp" BY_CURL
		    "default deny of egress\n");
	raw_event_host(&raw, PK_OP_DNS, "evil.example", "127.0.0.53", 53);
	raw.head.protocol = IPPROTO_UDP;
	raw.head.detail = 28;
	expect_line(&raw, &context,
		    "01:00:00 DENIED dns evil.example (AAAA)" BY_CURL "default deny of egress\n");
	raw.head.detail = 999;
	raw_event_paths(&raw, "a b\n", NULL);
	expect_line(&raw, &context,
		    "01:00:00 DENIED dns \"a b\\n\" (type 999)" BY_CURL "default deny of egress\n");
	raw_event_paths(&raw, "", NULL);
	raw.head.detail = 0;
	raw.head.reason = PK_REASON_DNS_FORM;
	raw.head.rule = PK_RULE_NONE;
	expect_line(&raw, &context,
		    "01:00:00 DENIED dns (no readable question) to 127.0.0.53:53/udp" BY_CURL
		    "the DNS message is not one plain question or its answer\n");
}

static void answers_and_server_names(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_host(&raw, PK_OP_ANSWER, "a.example", "10.0.0.1", 0);
	raw.head.reason = PK_REASON_DNS_PRIVATE;
	raw.head.rule = PK_RULE_NONE;
	expect_line(&raw, &context,
		    "01:00:00 DENIED answer 10.0.0.1 for a.example" BY_CURL
		    "the answer is a private address\n");
	raw.head.reason = PK_REASON_DNS_UNASKED;
	raw.head.detail = 1;
	raw_event_paths(&raw, "a.example", "b.example");
	expect_line(
		&raw, &context,
		"01:00:00 DENIED answer for a.example (A) by way of b.example from 10.0.0.1" BY_CURL
		"the answer is to no open question\n");
	raw_event_host(&raw, PK_OP_NAME, "", "93.184.216.34", 443);
	raw_event_paths(&raw, "b.example", "a.example");
	raw.head.detail = PK_PROTOCOL_TLS;
	expect_line(
		&raw, &context,
		"01:00:00 DENIED name b.example on a connection to a.example (93.184.216.34:443)" BY_CURL
		"default deny of egress\n");
	raw_event_host(&raw, PK_OP_NAME, "", "93.184.216.34", 443);
	raw.head.reason = PK_REASON_NO_NAME;
	raw.head.rule = PK_RULE_NONE;
	expect_line(&raw, &context,
		    "01:00:00 DENIED name (none) on a connection to 93.184.216.34:443" BY_CURL
		    "the connection was allowed by name, and its first bytes name no server\n");
}

static void ways_in_and_kinds_of_sockets(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_connect(&raw, "127.0.0.1", 8080);
	raw.head.op = PK_OP_LISTEN;
	raw.head.section = PK_SECTION_LISTEN;
	raw.head.rule = PK_RULE_DEFAULT | PK_SECTION_LISTEN;
	expect_line(&raw, &context,
		    "01:00:00 DENIED listen 127.0.0.1:8080" BY_CURL "default deny of listen\n");
	raw_event_connect(&raw, "10.0.0.9", 8080);
	raw.head.op = PK_OP_ACCEPT;
	raw.head.section = PK_SECTION_ACCEPT;
	raw.head.rule = PK_RULE_DEFAULT | PK_SECTION_ACCEPT;
	raw.head.detail = 51000;
	expect_line(&raw, &context,
		    "01:00:00 DENIED accept from 10.0.0.9:51000 on port 8080" BY_CURL
		    "default deny of accept\n");
	raw_event_connect(&raw, "10.0.0.9", 0);
	raw.head.op = PK_OP_NETLINK;
	raw.head.family = AF_NETLINK;
	raw.head.detail = 16;
	raw.head.reason = PK_REASON_NETLINK;
	raw.head.rule = PK_RULE_NONE;
	expect_line(&raw, &context,
		    "01:00:00 DENIED netlink route RTM_NEWLINK" BY_CURL
		    "of netlink only reading routes is allowed\n");
	raw.head.detail = 12 << 16 | 7;
	expect_line(&raw, &context,
		    "01:00:00 DENIED netlink netfilter message 7" BY_CURL
		    "of netlink only reading routes is allowed\n");
	raw_event_connect(&raw, "10.0.0.9", 80);
	raw.head.op = PK_OP_RECEIVE;
	raw.head.reason = PK_REASON_FOREIGN;
	raw.head.rule = PK_RULE_NONE;
	expect_line(&raw, &context,
		    "01:00:00 DENIED receive 10.0.0.9:80" BY_CURL
		    "the socket is not the agent's own\n");
}

#define BY_CAT "  cat[4121] < bash[4100]  "

static void acts_on_processes(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_guard(&raw, PK_OP_SIGNAL, PK_GUARD_SIGNALS);
	raw.head.target = 1;
	raw.head.detail = 9;
	memcpy(raw.head.target_comm, "systemd", 8);
	expect_line(&raw, &context,
		    "01:00:00 DENIED signal SIGKILL to pid 1 (systemd)" BY_CAT
		    "rule process.signals (default profile strict)\n");
	raw.head.detail = 35;
	memcpy(raw.head.target_comm, "a) b\n", 6);
	expect_line(&raw, &context,
		    "01:00:00 DENIED signal 35 to pid 1 (\"a) b\\n\")" BY_CAT
		    "rule process.signals (default profile strict)\n");
	raw_event_guard(&raw, PK_OP_PTRACE, PK_GUARD_PTRACE);
	raw.head.target = 7;
	raw.head.reason = PK_REASON_SELF;
	raw.head.rule = PK_RULE_NONE;
	expect_line(&raw, &context,
		    "01:00:00 DENIED ptrace pid 7" BY_CAT "it would reach picket itself\n");
}

static void acts_by_number(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_guard(&raw, PK_OP_CAPABLE, PK_GUARD_CAPABILITIES);
	raw.head.detail = 13;
	expect_line(&raw, &context,
		    "01:00:00 DENIED capable net_raw" BY_CAT
		    "rule process.capabilities (default profile strict)\n");
	raw.head.detail = 63;
	expect_line(&raw, &context,
		    "01:00:00 DENIED capable 63" BY_CAT
		    "rule process.capabilities (default profile strict)\n");
	raw_event_guard(&raw, PK_OP_TERMINAL, PK_GUARD_TERMINAL);
	raw.head.detail = 0x5412;
	expect_line(&raw, &context,
		    "01:00:00 DENIED terminal TIOCSTI" BY_CAT
		    "rule process.terminal (default profile strict)\n");
	raw_event_guard(&raw, PK_OP_NAMESPACE, PK_GUARD_NAMESPACES);
	expect_line(&raw, &context,
		    "01:00:00 DENIED namespace" BY_CAT
		    "rule process.namespaces (default profile strict)\n");
	raw_event_open(&raw, "/w/x");
	raw.head.op = PK_OP_IOCTL;
	raw.head.detail = 0x40086602;
	expect_line(&raw, &context,
		    "01:00:00 DENIED ioctl FS_IOC_SETFLAGS /w/x" BY_CAT "default deny of files\n");
	raw_event_open(&raw, "userfaultfd");
	raw.head.op = PK_OP_SYSCALL;
	raw.head.section = PK_SECTION_SYSCALLS;
	raw.head.reason = PK_REASON_RULE;
	raw.head.rule = 3;
	expect_line(&raw, &context, "01:00:00 DENIED syscall userfaultfd" BY_CAT "rule number 3\n");
}

static void words_of_a_command(void **state)
{
	static const char words[] = "commit\0-m\0a b\0";
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_command(&raw, "/usr/bin/git", words, sizeof(words));
	expect_line(&raw, &context,
		    "01:00:00 DENIED command /usr/bin/git commit -m \"a b\" \"\"" BY_CAT
		    "default deny of exec\n");
	raw_event_command(&raw, "/bin/true", "", 0);
	expect_line(&raw, &context,
		    "01:00:00 DENIED command /bin/true" BY_CAT "default deny of exec\n");
}

static const char rules_policy[] = "picket: 1\n"
				   "name: render\n"
				   "egress:\n"
				   "  rules:\n"
				   "    - {allow: \"10.0.0.1:443\", id: api}\n"
				   "files:\n"
				   "  default: allow\n"
				   "  rules:\n"
				   "    - deny: \"**/.ssh/**\"\n"
				   "      reason: no \"keys\" here\n";

static void rules_are_named(void **state)
{
	struct policy_image image = policy_text_compile("p.yaml", rules_policy);
	struct event_context context = { .image = &image, .main_file = "p.yaml" };
	struct raw_event raw;

	(void)state;
	raw_event_open(&raw, "/home/u/.ssh/id_rsa");
	raw.head.reason = PK_REASON_RULE;
	raw.head.rule = 1;
	expect_line(&raw, &context,
		    "01:00:00 DENIED open /home/u/.ssh/id_rsa for read  cat[4121] < bash[4100]  "
		    "rule deny@9 \"no \\\"keys\\\" here\"\n");
	context.main_file = "other.yaml";
	raw_event_connect(&raw, "10.0.0.1", 443);
	raw.head.kind = PK_EVENT_ACTIVITY;
	raw.head.verdict = PK_VERDICT_ALLOW;
	raw.head.reason = PK_REASON_RULE;
	raw.head.rule = 0;
	raw.head.error = 0;
	expect_line(&raw, &context,
		    "01:00:00 ALLOWED connect 10.0.0.1:443  curl[4121] < bash[4100]  "
		    "rule allow@p.yaml:5 (api)\n");
	raw.head.rule = 77;
	expect_line(&raw, &context,
		    "01:00:00 ALLOWED connect 10.0.0.1:443  curl[4121] < bash[4100]  "
		    "rule number 77\n");
	image_reset(&image);
}

static void colours_surround_the_verdict(void **state)
{
	struct raw_event raw;
	struct event_context context = { .colour = true };

	(void)state;
	raw_event_open(&raw, "/x");
	expect_line(&raw, &context,
		    "01:00:00 \033[1;31mDENIED\033[0m open /x for read  cat[4121] < bash[4100]  "
		    "\033[2mdefault deny of files\033[0m\n");
}

static const struct {
	const char *name; /* what a hostile program calls its file */
	const char *shown;
} hostile[] = {
	{ "/a\nb", "/a\\nb" },
	{ "/\033[31mred\033[0m", "\"/\\x1b[31mred\\x1b[0m\"" },
	{ "/\033]0;title\a", "\"/\\x1b]0;title\\a\"" },
	{ "/back\\slash", "/back\\\\slash" },
	{ "/\\n", "/\\\\n" },
	{ "/\x7f", "/\\x7f" },
	{ "/\r\t\b\v\f", "/\\r\\t\\b\\v\\f" },
	{ "/\x01\x1f", "/\\x01\\x1f" },
	{ "/\xc2\x85", "/\\xc2\\x85" }, /* NEL */
	{ "/\xc2\x9b"
	  "31m",
	  "/\\xc2\\x9b31m" }, /* CSI */
	{ "/\xff\xfe", "/\\xff\\xfe" },
	{ "/\xc0\xaf", "/\\xc0\\xaf" }, /* overlong */
	{ "/\xe0\x80\xaf", "/\\xe0\\x80\\xaf" }, /* overlong */
	{ "/\xed\xa0\x80", "/\\xed\\xa0\\x80" }, /* surrogate */
	{ "/\xf4\x90\x80\x80", "/\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	{ "/\xf0\x9f\x98", "/\\xf0\\x9f\\x98" }, /* cut */
	{ "/a\xe2\x80\xae"
	  "b",
	  "/a\\xe2\\x80\\xaeb" }, /* right-to-left override */
	{ "/a\xe2\x80\x8b"
	  "b",
	  "/a\\xe2\\x80\\x8bb" }, /* zero-width space */
	{ "/a\xe2\x81\xa6"
	  "b",
	  "/a\\xe2\\x81\\xa6b" }, /* isolate */
	{ "/\xe2\x80\xa8", "/\\xe2\\x80\\xa8" }, /* line separator */
	{ "/\xef\xbb\xbf", "/\\xef\\xbb\\xbf" }, /* byte order mark */
	{ "/\xf3\xa0\x81\x81", "/\\xf3\\xa0\\x81\\x81" }, /* tag letter */
	{ "/\xc2\xad", "/\\xc2\\xad" }, /* soft hyphen */
	{ "/x  bash[1]  rule allow@1", "\"/x  bash[1]  rule allow@1\"" },
	{ "/q\"q", "\"/q\\\"q\"" },
	{ "/->", "\"/->\"" },
	{ "/gr\xc3\xbc\xc3\x9f", "/gr\xc3\xbc\xc3\x9f" }, /* harmless letters stay */
	{ "/\xe6\x97\xa5\xe6\x9c\xac", "/\xe6\x97\xa5\xe6\x9c\xac" },
	{ "/\xf0\x9f\x98\x80", "/\xf0\x9f\x98\x80" },
};

static void hostile_names_stay_in_their_place(void **state)
{
	struct event_context context = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		CLEAN_FREE char *expected = NULL;
		struct raw_event raw;

		raw_event_open(&raw, hostile[i].name);
		assert_true(asprintf(&expected,
				     "01:00:00 DENIED open %s for read  cat[4121] < bash[4100]  "
				     "default deny of files\n",
				     hostile[i].shown) > 0);
		expect_line(&raw, &context, expected);
	}
}

static void hostile_program_names(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_open(&raw, "/x");
	memcpy(raw.head.comm, "\033[2J\n", 6);
	memcpy(raw.head.parent_comm, "a[1] < b", 9);
	expect_line(&raw, &context,
		    "01:00:00 DENIED open /x for read  \"\\x1b[2J\\n\"[4121] < \"a[1] < b\"[4100]  "
		    "default deny of files\n");
	memset(raw.head.comm, 0, sizeof(raw.head.comm));
	raw.head.parent_tgid = 0;
	expect_line(&raw, &context,
		    "01:00:00 DENIED open /x for read  \"\"[4121]  default deny of files\n");
}

/* Every byte, and every pair of bytes from a set that makes all kinds of characters. */
static void escaping_is_reversible_and_clean(void **state)
{
	(void)state;
	for (unsigned int n = 1; n < 0x1000000; n += n < 0x10000 ? 1 : 977) {
		char raw[4] = { (char)(n & 0xff), (char)(n >> 8 & 0xff), (char)(n >> 16) };
		size_t length = n < 0x100 ? 1 : n < 0x10000 ? 2 : 3;
		CLEAN_FREE char *shown = NULL;
		CLEAN_FREE char *back = NULL;
		size_t back_length = 0;

		if (memchr(raw, '\0', length))
			continue;
		shown = escape_string(raw, length, '"');
		assert_non_null(shown);
		assert_true(escape_is_utf8(shown, strlen(shown)));
		for (const char *c = shown; *c; c++)
			assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
		assert_int_equal(escape_undo(shown, &back, &back_length), 0);
		assert_int_equal(back_length, length);
		assert_memory_equal(back, raw, length);
	}
}

static void ill_formed_escapes_are_refused(void **state)
{
	static const char *const bad[] = { "\\", "\\x", "\\x1", "\\xzz", "\\q", "a\\x4" };
	char *bytes = NULL;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(escape_undo(bad[i], &bytes, &length), -EINVAL);
}

static int in_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_of_a_section),
		cmocka_unit_test(clock_offset_moves_the_time),
		cmocka_unit_test(audit_says_would),
		cmocka_unit_test(both_paths_of_a_rename),
		cmocka_unit_test(internet_operations),
		cmocka_unit_test(names_of_hosts),
		cmocka_unit_test(answers_and_server_names),
		cmocka_unit_test(ways_in_and_kinds_of_sockets),
		cmocka_unit_test(acts_on_processes),
		cmocka_unit_test(acts_by_number),
		cmocka_unit_test(words_of_a_command),
		cmocka_unit_test(rules_are_named),
		cmocka_unit_test(colours_surround_the_verdict),
		cmocka_unit_test(hostile_names_stay_in_their_place),
		cmocka_unit_test(hostile_program_names),
		cmocka_unit_test(escaping_is_reversible_and_clean),
		cmocka_unit_test(ill_formed_escapes_are_refused),
	};

	return cmocka_run_group_tests(tests, in_utc, NULL);
}
