/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON form of events: every line parses back, has the keys of the schema, and gives back the
 * exact bytes of names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/escape.h"
#include "base/mem.h"
#include "events.h"
#include "policies.h"
#include "telemetry/json.h"
#include "telemetry/process_view.h"
#include "telemetry/record.h"
#include "telemetry/redact.h"

/* The line of @raw, parsed; the caller drops the reference. */
static json_t *parse(const struct raw_event *raw, const struct event_context *context)
{
	struct event event = raw_event_decode(raw);
	CLEAN_FREE char *line = NULL;
	json_error_t error;
	json_t *object;

	assert_int_equal(json_event(&event, context, &line), 0);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s", error.text, line);
	return object;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("no text '%s'", key);
	return text;
}

static json_int_t number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("no number '%s'", key);
	return json_integer_value(value);
}

static void whole_line(void **state)
{
	struct raw_event raw;
	struct event_context context = { .clock_offset_ns = 1700000000000000123LL };
	struct event event;
	CLEAN_FREE char *line = NULL;

	(void)state;
	raw_event_open(&raw, "/etc/shadow");
	event = raw_event_decode(&raw);
	assert_int_equal(json_event(&event, &context, &line), 0);
	assert_string_equal(
		line,
		"{\"schema\":\"picket.event/1\",\"time\":\"2023-11-14T23:13:20.000000123Z\","
		"\"kind\":\"decision\",\"agent\":1,\"verdict\":\"deny\",\"op\":\"open\","
		"\"section\":\"files\",\"access\":[\"read\"],\"errno\":\"EACCES\",\"audit\":false,"
		"\"reason\":\"default\",\"default\":{\"section\":\"files\",\"layer\":0},"
		"\"process\":{\"pid\":4121,\"tid\":4122,\"uid\":1000,\"gid\":100,\"comm\":\"cat\","
		"\"start\":\"2023-11-14T22:14:41.232000123Z\",\"id\":\"4121-81232000000\"},"
		"\"parent\":{\"pid\":4100,\"comm\":\"bash\","
		"\"start\":\"2023-11-14T22:14:31.232000123Z\",\"id\":\"4100-71232000000\"},"
		"\"path\":\"/etc/shadow\",\"cgroup\":77}\n");
}

static void rule_of_an_image(void **state)
{
	struct policy_image image = policy_text_compile("p.yaml", "picket: 1\n"
								  "name: json\n"
								  "files:\n"
								  "  default: allow\n"
								  "  rules:\n"
								  "    - deny: \"**/.ssh/**\"\n"
								  "      id: keys\n"
								  "      reason: \"no keys\"\n");
	struct event_context context = { .image = &image, .agent = "builder" };
	struct raw_event raw;
	const json_t *rule;
	json_t *object;

	(void)state;
	raw_event_open(&raw, "/home/u/.ssh/id_rsa");
	raw.head.reason = PK_REASON_RULE;
	raw.head.rule = 0;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "agent"), "builder");
	assert_string_equal(text_of(object, "reason"), "rule");
	assert_null(json_object_get(object, "default"));
	rule = json_object_get(object, "rule");
	assert_int_equal(number_of(rule, "number"), 0);
	assert_string_equal(text_of(rule, "verdict"), "deny");
	assert_string_equal(text_of(rule, "file"), "p.yaml");
	assert_int_equal(number_of(rule, "line"), 6);
	assert_int_equal(number_of(rule, "column"), 13);
	assert_string_equal(text_of(rule, "text"), "**/.ssh/**");
	assert_string_equal(text_of(rule, "id"), "keys");
	assert_string_equal(text_of(rule, "reason"), "no keys");
	json_decref(object);
	image_reset(&image);
}

static void keys_of_requests(void **state)
{
	static const unsigned char hash[16] = { 0xca, 0x3b, 0xd2, 0xd6, 0xec, 0xff };
	CLEAN(image_reset)
	struct policy_image image = policy_text_compile(
		"p.yaml", "picket: 1\nprocess: {perf: ask}\napprovals: {approvers: 2}\n");
	struct event_context context = { .image = &image };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_guard(&raw, PK_OP_PERF, PK_GUARD_PERF);
	raw.head.rule = 0;
	raw.head.reason = PK_REASON_HELD;
	raw.head.verdict = PK_VERDICT_ASK;
	raw.head.error = 0;
	memcpy(raw.head.ask, hash, sizeof(hash));
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "verdict"), "ask");
	assert_string_equal(text_of(object, "reason"), "held");
	assert_string_equal(text_of(object, "switch"), "perf");
	assert_string_equal(text_of(object, "request"), "r-zi55fvxm74aa");
	assert_string_equal(text_of(object, "ask"), "ca3bd2d6ecff00000000000000000000");
	assert_int_equal(number_of(json_object_get(object, "rule"), "approvers"), 2);
	assert_null(json_object_get(object, "grant"));
	assert_null(json_object_get(object, "errno"));
	json_decref(object);
	raw.head.reason = PK_REASON_GRANTED;
	raw.head.verdict = PK_VERDICT_ALLOW;
	raw.head.grant = 4000000000U;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "verdict"), "allow");
	assert_string_equal(text_of(object, "kind"), "decision");
	assert_string_equal(text_of(object, "reason"), "granted");
	assert_int_equal(number_of(object, "grant"), 4000000000U);
	json_decref(object);
}

static void socket_keys(void **state)
{
	struct event_context context = { 0 };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_connect(&raw, "2001:db8::1", 8443);
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "address"), "2001:db8::1");
	assert_int_equal(number_of(object, "port"), 8443);
	assert_string_equal(text_of(object, "protocol"), "tcp");
	assert_string_equal(text_of(object, "family"), "inet6");
	assert_string_equal(text_of(object, "errno"), "EPERM");
	assert_null(json_object_get(object, "path"));
	json_decref(object);

	raw.head.op = PK_OP_SOCKET;
	raw.head.family = AF_PACKET;
	raw.head.protocol = SOCK_RAW << 16 | 0x300;
	raw.head.reason = PK_REASON_SOCKET;
	raw.head.rule = PK_RULE_NONE;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "family"), "packet");
	assert_string_equal(text_of(object, "type"), "raw");
	assert_int_equal(number_of(object, "protocol"), 0x300);
	assert_null(json_object_get(object, "address"));
	assert_null(json_object_get(object, "rule"));
	json_decref(object);
}

static void names_of_hosts(void **state)
{
	struct event_context context = { 0 };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_host(&raw, PK_OP_NAME, "", "93.184.216.34", 443);
	raw_event_paths(&raw, "b.example", "a.example");
	raw.head.detail = PK_PROTOCOL_TLS;
	raw.head.cookie = 0x1234;
	memcpy(raw.head.local, raw.head.address, sizeof(raw.head.local));
	raw.head.local[15] = 9;
	raw.head.local_port = 40001;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "host"), "b.example");
	assert_string_equal(text_of(object, "allowed_by"), "a.example");
	assert_string_equal(text_of(object, "payload"), "tls");
	assert_string_equal(text_of(object, "address"), "93.184.216.34");
	assert_int_equal(number_of(object, "port"), 443);
	assert_string_equal(text_of(object, "local_address"), "93.184.216.9");
	assert_int_equal(number_of(object, "local_port"), 40001);
	assert_null(json_object_get(object, "path"));
	assert_null(json_object_get(object, "cookie"));
	json_decref(object);

	raw_event_host(&raw, PK_OP_DNS, "evil.example", "127.0.0.53", 53);
	raw.head.detail = 65;
	raw.head.protocol = IPPROTO_UDP;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "op"), "dns");
	assert_string_equal(text_of(object, "host"), "evil.example");
	assert_string_equal(text_of(object, "query_type"), "HTTPS");
	assert_string_equal(text_of(object, "protocol"), "udp");
	assert_null(json_object_get(object, "local_address"));
	json_decref(object);

	raw_event_host(&raw, PK_OP_ANSWER, "", "10.0.0.1", 0);
	raw_event_paths(&raw, "a.example", "b.example");
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "alias"), "b.example");
	assert_null(json_object_get(object, "query_type"));
	json_decref(object);
}

static void ways_in_and_netlink(void **state)
{
	struct event_context context = { 0 };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_connect(&raw, "10.0.0.9", 8080);
	raw.head.op = PK_OP_ACCEPT;
	raw.head.section = PK_SECTION_ACCEPT;
	raw.head.detail = 51000;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "section"), "accept");
	assert_int_equal(number_of(object, "port"), 8080);
	assert_int_equal(number_of(object, "peer_port"), 51000);
	json_decref(object);
	raw.head.op = PK_OP_NETLINK;
	raw.head.detail = 26;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "netlink_family"), "route");
	assert_string_equal(text_of(object, "message"), "RTM_GETROUTE");
	assert_null(json_object_get(object, "address"));
	json_decref(object);
	raw.head.detail = 16 << 16 | 30;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "netlink_family"), "generic");
	assert_int_equal(number_of(object, "message"), 30);
	json_decref(object);
}

static void allowed_and_audited(void **state)
{
	struct event_context context = { 0 };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_open(&raw, "/x");
	raw.head.error = 0;
	raw.head.audit = 1;
	object = parse(&raw, &context);
	assert_null(json_object_get(object, "errno"));
	assert_true(json_is_true(json_object_get(object, "audit")));
	json_decref(object);
	raw.head.kind = PK_EVENT_ACTIVITY;
	raw.head.verdict = PK_VERDICT_ALLOW;
	raw.head.error = 4095; /* no such errno */
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "kind"), "activity");
	assert_string_equal(text_of(object, "errno"), "4095");
	json_decref(object);
}

static void expect_name_survives(const char *name)
{
	struct event_context context = { 0 };
	struct raw_event raw;
	CLEAN_FREE char *back = NULL;
	size_t length = 0;
	json_t *object;
	const char *hex;

	raw_event_open(&raw, name);
	object = parse(&raw, &context);
	assert_int_equal(escape_undo(text_of(object, "path"), &back, &length), 0);
	assert_int_equal(length, strlen(name));
	assert_memory_equal(back, name, length);
	hex = json_string_value(json_object_get(object, "path_hex"));
	assert_int_equal(hex == NULL, escape_is_utf8(name, strlen(name)));
	for (size_t i = 0; hex && i < length; i++) {
		unsigned int byte = 0;

		assert_int_equal(sscanf(hex + i * 2, "%2x", &byte), 1);
		assert_int_equal(byte, (unsigned char)name[i]);
	}
	json_decref(object);
}

static void every_byte_in_a_name(void **state)
{
	(void)state;
	for (unsigned int a = 1; a < 256; a++) {
		char name[] = { '/', 'n', (char)a, 'e', '\0' };

		expect_name_survives(name);
	}
	expect_name_survives("/\"quotes\" and \\ and \xc3\xa9 and \xe2\x80\xae");
	expect_name_survives("/\xf0\x9f\x98\x80\xf0\x9f");
}

static void hostile_program_name(void **state)
{
	struct event_context context = { 0 };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_open(&raw, "/x");
	memcpy(raw.head.comm, "\"},\n\xff", 6);
	object = parse(&raw, &context);
	assert_string_equal(text_of(json_object_get(object, "process"), "comm"), "\"},\\n\\xff");
	json_decref(object);
}

static void second_path(void **state)
{
	struct event_context context = { 0 };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_open(&raw, "");
	raw.head.op = PK_OP_LINK;
	raw_event_paths(&raw, "/a", "/\xff");
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "path"), "/a");
	assert_string_equal(text_of(object, "path2"), "/\\xff");
	assert_string_equal(text_of(object, "path2_hex"), "2fff");
	assert_null(json_object_get(object, "path_hex"));
	json_decref(object);
}

static void acts_of_processes(void **state)
{
	static const char words[] = "push\0-f";
	struct raw_event raw;
	struct event_context context = { 0 };
	json_t *object;

	(void)state;
	raw_event_guard(&raw, PK_OP_SIGNAL, PK_GUARD_SIGNALS);
	raw.head.target = 1;
	raw.head.detail = 9;
	memcpy(raw.head.target_comm, "systemd", 8);
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "section"), "process");
	assert_string_equal(text_of(object, "switch"), "signals");
	assert_string_equal(text_of(object, "signal"), "SIGKILL");
	assert_int_equal(json_array_size(json_object_get(object, "access")), 0);
	assert_int_equal(number_of(json_object_get(object, "target"), "pid"), 1);
	assert_string_equal(text_of(json_object_get(object, "target"), "comm"), "systemd");
	json_decref(object);
	raw_event_guard(&raw, PK_OP_CAPABLE, PK_GUARD_CAPABILITIES);
	raw.head.detail = 63;
	object = parse(&raw, &context);
	assert_int_equal(number_of(object, "capability"), 63);
	assert_null(json_object_get(object, "target"));
	json_decref(object);
	raw_event_command(&raw, "/usr/bin/git", words, sizeof(words));
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "path"), "/usr/bin/git");
	assert_string_equal(text_of(object, "command"), "/usr/bin/git push -f");
	json_decref(object);
	raw_event_open(&raw, "bpf");
	raw.head.op = PK_OP_SYSCALL;
	raw.head.section = PK_SECTION_SYSCALLS;
	raw.head.detail = 321;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "syscall"), "bpf");
	assert_int_equal(number_of(object, "number"), 321);
	assert_null(json_object_get(object, "path"));
	json_decref(object);
}

/* --- Processes ------------------------------------------------------------------------------------ */

static struct event_path path_text(const char *text)
{
	return (struct event_path){ text, strlen(text) };
}

/* A process whose program has a secret among its words, below two others. */
static struct process_view known_process(void)
{
	struct process_view view = {
		.exe = path_text("/bin/cat"),
		.words = { "cat\0--token=hunter2hunter2\0a\"b\n\0", 31 },
		.cwd = path_text("/srv/\xff"),
		.container = path_text("c0ffee"),
		.chain = { { 4100, 71232000000ULL, "bash", path_text("/bin/bash"), false },
			   { 1, 5, "init", path_text(""), true } },
		.chain_count = 2,
		.traceparent = path_text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
		.tags = { { { path_text("PICKET_SESSION"), path_text("s-1") } }, 1 },
		.claimed = { { { path_text("PICKET_TAG_X"), path_text("") } }, 1 },
		.tool = { path_text("Bash"), path_text("c1"), path_text("read it"), 1, "note",
			  true },
	};

	return view;
}

static void processes_and_context(void **state)
{
	struct process_view view = known_process();
	struct event_context context = { .clock_offset_ns = 1700000000000000123LL,
					 .process = &view,
					 .seq = 7 };
	struct raw_event raw;
	struct event event;
	CLEAN_FREE char *line = NULL;

	(void)state;
	raw_event_open(&raw, "/etc/shadow");
	event = raw_event_decode(&raw);
	assert_int_equal(json_event(&event, &context, &line), 0);
	assert_non_null(strstr(
		line,
		"\"id\":\"4121-81232000000\",\"exe\":\"/bin/cat\","
		"\"argv\":[\"cat\",\"--token=[redacted]\",\"a\\\"b\\\\n\"],\"cwd\":\"/srv/\\\\xff\","
		"\"container\":\"c0ffee\"},\"parent\":{"));
	assert_non_null(strstr(
		line,
		"},\"chain\":[{\"pid\":4100,\"start\":\"2023-11-14T22:14:31.232000123Z\","
		"\"id\":\"4100-71232000000\",\"comm\":\"bash\",\"exe\":\"/bin/bash\"},"
		"{\"pid\":1,\"start\":\"2023-11-14T22:13:20.000000128Z\",\"id\":\"1-5\","
		"\"comm\":\"init\",\"incomplete\":true}],"
		"\"context\":{\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
		"\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\","
		"\"tags\":{\"PICKET_SESSION\":\"s-1\"},\"claimed\":{\"PICKET_TAG_X\":\"\"},"
		"\"tool\":{\"name\":\"Bash\",\"call_id\":\"c1\",\"intent\":\"read it\","
		"\"started\":\"2023-11-14T22:13:20.000000124Z\",\"by\":\"note\",\"claimed\":true}},"
		"\"path\":"));
	assert_non_null(strstr(line, "\"cgroup\":77,\"seq\":7}\n"));
}

static void lives(void **state)
{
	const struct json_process who = {
		.pid = 4121, .uid = 1000, .gid = 100, .start_ns = 81232000000ULL, .comm = "cat"
	};
	struct json_life_facts facts = {
		.op = "exit", .agent = 3, .cgroup = 77, .ended = true, .status = 9, .process = &who
	};
	struct event_context context = { .clock_offset_ns = 1700000000000000123LL };
	CLEAN_FREE char *killed = NULL;
	CLEAN_FREE char *line = NULL;

	(void)state;
	assert_int_equal(json_life(&facts, &context, &killed), 0);
	assert_non_null(strstr(killed, "},\"status\":{\"signal\":\"SIGKILL\",\"core\":false},"));
	facts.status = 3 << 8;
	assert_int_equal(json_life(&facts, &context, &line), 0);
	assert_string_equal(
		line, "{\"schema\":\"picket.event/1\",\"time\":\"2023-11-14T22:13:20.000000123Z\","
		      "\"kind\":\"life\",\"agent\":3,\"op\":\"exit\","
		      "\"process\":{\"pid\":4121,\"uid\":1000,\"gid\":100,\"comm\":\"cat\","
		      "\"start\":\"2023-11-14T22:14:41.232000123Z\",\"id\":\"4121-81232000000\"},"
		      "\"status\":{\"code\":3},\"cgroup\":77}\n");
}

/* What is hidden in a path is not in its bytes in hexadecimal either. */
static void hidden_whole(void **state)
{
	char *paths[] = { "/keys/*" };
	const struct redact_settings settings = { .paths = paths, .paths_count = 1 };
	struct event_context context = { .redact = &settings };
	struct raw_event raw;
	json_t *object;

	(void)state;
	raw_event_open(&raw, "/keys/\xff");
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "path"), "/keys/[redacted]");
	assert_null(json_object_get(object, "path_hex"));
	json_decref(object);
	context.redact = NULL;
	object = parse(&raw, &context);
	assert_string_equal(text_of(object, "path_hex"), "2f6b6579732fff");
	json_decref(object);
}

/* Records of picketd have the head of events, and texts that are escaped. */
static void own_records(void **state)
{
	json_t *record = record_new("loss", "lost", "a-1");
	CLEAN_FREE char *line = NULL;
	const char *key;
	json_t *value;
	size_t i = 0;

	(void)state;
	assert_int_equal(record_set_text(record, "class", "x\x1b"), 0);
	assert_int_equal(record_set_text(record, "absent", NULL), 0);
	assert_int_equal(record_set_number(record, "total", 5), 0);
	assert_int_equal(record_set_number(NULL, "total", 5), -ENOMEM);
	assert_int_equal(record_set_text(NULL, "class", "x"), -ENOMEM);
	json_object_foreach(record, key, value) {
		static const char *const keys[] = { "schema", "time",  "kind", "agent",
						    "op",     "class", "total" };

		assert_true(i < sizeof(keys) / sizeof(keys[0]));
		assert_string_equal(key, keys[i++]);
	}
	assert_int_equal(i, 7);
	assert_int_equal(record_line(record, &line), 0);
	assert_non_null(strstr(line, "\"kind\":\"loss\",\"agent\":\"a-1\",\"op\":\"lost\","
				     "\"class\":\"x\\\\x1b\",\"total\":5}"));
	json_decref(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_and_context), cmocka_unit_test(lives),
		cmocka_unit_test(hidden_whole),		 cmocka_unit_test(own_records),
		cmocka_unit_test(names_of_hosts),	 cmocka_unit_test(ways_in_and_netlink),
		cmocka_unit_test(acts_of_processes),	 cmocka_unit_test(whole_line),
		cmocka_unit_test(rule_of_an_image),	 cmocka_unit_test(keys_of_requests),
		cmocka_unit_test(socket_keys),		 cmocka_unit_test(allowed_and_audited),
		cmocka_unit_test(every_byte_in_a_name),	 cmocka_unit_test(hostile_program_name),
		cmocka_unit_test(second_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
