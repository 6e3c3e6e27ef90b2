/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in the formats of other programs. What is in them is judged by programs of other people's making
 * and by the published schemas (format_judge.py, tests/data/schemas); the line for people is that of
 * telemetry/render.h; whatever a line of JSON holds, nothing crashes and no terminal is steered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "event_forms.h"
#include "format/format.h"
#include "telemetry/event_schema.h"
#include "telemetry/render.h"

static const struct format_machine machine = {
	.hostname = "build7.example",
	.machine_id = "0123456789abcdef0123456789abcdef",
	.boot_id = "5a8f1c2e-7f7d-4c55-9d3a-0d9b6c7f1e2a",
	.version = "0.1.0",
	.kernel = "6.1.0-56-amd64",
	.facility = 16,
};

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < FORMAT__MAX; i++)
		assert_int_equal(format_named(format_name(i)), i);
	assert_int_equal(format_named("xml"), -EINVAL);
	assert_string_equal(format_name(FORMAT__MAX), "unknown");
}

static void not_a_record(void **state)
{
	json_t *wrong[] = { json_array(), json_object(), json_pack("{s:i}", "kind", 1),
			    json_string("x") };
	CLEAN(format_text_reset) struct format_text text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const json_t *event = wrong[i];
		char *line = NULL;

		for (int format = 0; format < FORMAT__MAX; format++) {
			assert_int_equal(format_record(format, event, &machine, &text), -EBADMSG);
			if (format != FORMAT_SYSLOG && format != FORMAT_JOURNAL)
				assert_int_equal(format_batch(format, &event, 1, &machine, &text),
						 -EBADMSG);
		}
		assert_int_equal(format_line(event, 0, &line), -EBADMSG);
		json_decref(wrong[i]);
	}
	assert_null(text.bytes);
	assert_int_equal(format_batch(FORMAT_SYSLOG, NULL, 0, &machine, &text), -ENOTSUP);
	assert_int_equal(format_batch(FORMAT_JOURNAL, NULL, 0, &machine, &text), -ENOTSUP);
	assert_int_equal(format_record(FORMAT__MAX, NULL, &machine, &text), -EBADMSG);
}

/* From JSON the line is what it is from the kernel's record. */
static void line_is_that_of_the_record(void **state)
{
	const struct event_context context = { .clock_offset_ns = 1700000000000000123LL };
	struct raw_event raw;
	size_t compared = 0;

	(void)state;
	for (size_t i = 0; event_forms_raw(i, &raw); i++) {
		struct event event = raw_event_decode(&raw);
		CLEAN_FREE char *expected = NULL;
		CLEAN_FREE char *line = NULL;
		json_t *form = event_forms_parse(&raw, &context);

		assert_int_equal(format_line(form, 0, &line), 0);
		json_decref(form);
		assert_int_equal(render_event(&event, &context, &expected), 0);
		expected[strlen(expected) - 1] = '\0';
		/* The words of a command are one text in JSON, and have no secrets. */
		if (event.head.op == PK_OP_COMMAND)
			continue;
		/* How many layers there are, only the image knows. */
		if (event.head.rule != PK_RULE_NONE && event.head.rule & PK_RULE_DEFAULT &&
		    event.head.rule >> 8 & 0xff)
			continue;
		assert_string_equal(line, expected);
		compared++;
	}
	assert_true(compared > 1000);
}

static void expect_line(const char *json, unsigned int flags, const char *expected)
{
	json_t *event = json_loads(json, 0, NULL);
	CLEAN_FREE char *line = NULL;

	assert_non_null(event);
	assert_int_equal(format_line(event, flags | FORMAT_UTC, &line), 0);
	json_decref(event);
	assert_string_equal(line, expected);
}

#define HEAD "\"time\":\"2023-11-14T23:13:20.123456789Z\",\"agent\":\"a\","
#define WHO "\"process\":{\"pid\":7,\"comm\":\"sh\",\"uid\":1000"

static void lines(void **state)
{
	(void)state;
	expect_line("{\"kind\":\"life\"," HEAD "\"op\":\"exit\"," WHO
		    "},\"status\":{\"signal\":\"SIGSEGV\",\"core\":true}}",
		    0, "23:13:20 exit by SIGSEGV (core dumped)  sh[7]");
	expect_line("{\"kind\":\"life\"," HEAD "\"op\":\"program\"," WHO
		    ",\"exe\":\"/bin/ls\",\"argv\":[\"ls\",\"a b\"]}}",
		    0, "23:13:20 program /bin/ls \"a b\"  sh[7]");
	expect_line(
		"{\"kind\":\"loss\"," HEAD
		"\"op\":\"lost\",\"class\":\"activity\",\"where\":\"kernel\",\"count\":5,\"total\":12}",
		0, "23:13:20 loss lost 5 of activity at kernel, in all 12");
	expect_line(
		"{\"kind\":\"decision\"," HEAD
		"\"verdict\":\"deny\",\"op\":\"unlink\",\"reason\":\"rule\",\"rule\":{\"number\":1},"
		"\"path\":\"/x\"," WHO ",\"exe\":\"/bin/sh\",\"cwd\":\"/w\"},"
		"\"chain\":[{\"pid\":6,\"comm\":\"make\"},{\"pid\":5,\"comm\":\"a b\"}],\"chain_cut\":true,"
		"\"context\":{\"tool\":{\"name\":\"Bash\",\"intent\":\"tidy up\"}},"
		"\"folded\":{\"count\":3}}",
		FORMAT_WIDE,
		"2023-11-14 23:13:20.123 a DENIED unlink /x  sh[7] < make[6] < \"a b\"[5] < ... uid 1000 "
		"exe /bin/sh in /w  rule number 1  (3 times)  tool Bash to \"tidy up\"");
	expect_line(
		"{\"kind\":\"decision\"," HEAD
		"\"verdict\":\"deny\",\"op\":\"unlink\",\"reason\":\"default\","
		"\"section\":\"files\",\"path\":\"/x\"}",
		FORMAT_COLOUR,
		"23:13:20 \033[1;31mDENIED\033[0m unlink /x  \033[2mdefault deny of files\033[0m");
}

static void write_file(const char *folder, const char *name, const char *bytes, size_t length)
{
	CLEAN_FREE char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* Messages that have no end of their own: each behind its length in a line. */
static void write_messages(const char *folder, enum format format, const json_t *forms)
{
	CLEAN_FREE char *bytes = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&bytes, &size);

	assert_non_null(to);
	for (size_t i = 0; i < json_array_size(forms); i++) {
		CLEAN(format_text_reset) struct format_text text = { 0 };

		assert_int_equal(format_record(format, json_array_get(forms, i), &machine, &text),
				 0);
		assert_int_equal(text.bytes[text.length], '\0');
		(void)fprintf(to, "%zu\n", text.length);
		(void)fwrite(text.bytes, 1, text.length, to);
	}
	assert_int_equal(fclose(to), 0);
	write_file(folder, format_name(format), bytes, size);
}

static void write_batch(const char *folder, enum format format, const json_t *forms)
{
	size_t count = json_array_size(forms);
	const json_t **events = calloc(count, sizeof(*events));
	CLEAN(format_text_reset) struct format_text text = { 0 };

	assert_non_null(events);
	for (size_t i = 0; i < count; i++)
		events[i] = json_array_get(forms, i);
	assert_int_equal(format_batch(format, events, count, &machine, &text), 0);
	write_file(folder, format_name(format), text.bytes, text.length);
	free(events);
}

/* What the judge took is of no more use; what it refused stays, to be looked at. */
static void remove_files(const char *folder)
{
	for (int i = 0; i <= FORMAT__MAX; i++) {
		CLEAN_FREE char *path = NULL;

		assert_true(asprintf(&path, "%s/%s", folder,
				     i < FORMAT__MAX ? format_name(i) : "schema") > 0);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
}

static void judged(void **state)
{
	char folder[] = "/tmp/picket-format-XXXXXX";
	CLEAN_FREE char *command = NULL;
	CLEAN_FREE char *schema = NULL;
	json_t *forms = event_forms();
	json_t *root = event_schema();

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int format = 0; format < FORMAT__MAX; format++) {
		if (format == FORMAT_SYSLOG || format == FORMAT_JOURNAL)
			write_messages(folder, format, forms);
		else
			write_batch(folder, format, forms);
	}
	schema = json_dumps(root, 0);
	assert_non_null(schema);
	write_file(folder, "schema", schema, strlen(schema));
	json_decref(root);
	json_decref(forms);
	assert_true(asprintf(&command,
			     "python3 tests/unit/format_judge.py %s tests/data/schemas >&2",
			     folder) > 0);
	if (system(command) != 0) /* NOLINT(cert-env33-c): words of our own */
		fail_msg(
			"the judge is of another opinion (python3-jsonschema, protobuf-compiler?)");
	remove_files(folder);
}

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static const char *const texts[] = {
	"decision",
	"activity",
	"life",
	"loss",
	"deny",
	"ask",
	"allow",
	"held",
	"rule",
	"guard",
	"default",
	"",
	"connect",
	"accept",
	"dns",
	"answer",
	"name",
	"netlink",
	"command",
	"exec",
	"open",
	"exit",
	"signal",
	"\033]0;x\007",
	"a\nb",
	"\xe2\x80\xae",
	"2023-11-14T23:13:20.123456789Z",
	"9999-99-99T99:99:99Z",
	"00-00000000000000000000000000000000-0000000000000000-00",
	"]\"\\",
	"/",
	"//",
	"/a/b",
	"::1",
	"1.2.3.4",
	"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-zz",
	"12345678901234567890123456789012345",
};

static const char *const keys[] = {
	"time",	       "kind",		"agent",      "verdict",    "op",     "section",
	"access",      "errno",		"audit",      "reason",	    "rule",   "default",
	"grant",       "request",	"process",    "parent",	    "chain",  "context",
	"path",	       "path2",		"host",	      "allowed_by", "alias",  "query_type",
	"command",     "switch",	"signal",     "ioctl",	    "target", "address",
	"port",	       "peer_port",	"protocol",   "family",	    "type",   "netlink_family",
	"message",     "local_address", "local_port", "folded",	    "seq",    "status",
	"pid",	       "comm",		"exe",	      "argv",	    "cwd",    "id",
	"start",       "tool",		"name",	      "call_id",    "intent", "trace_id",
	"traceparent", "tags",		"count",      "first",	    "last",   "code",
	"core",	       "text",		"number",     "file",	    "line",   "layer",
	"uid",	       "x y",		"\"]=",	      "_",	    "",
};

#define PICK(list, dice) (list)[(dice) % (sizeof(list) / sizeof(*(list)))]

static json_t *random_value(uint64_t *seed, unsigned int depth)
{
	uint64_t dice = random_next(seed);
	json_t *value;

	switch (depth ? dice % 8 : dice % 5) {
	case 0:
		return json_integer((json_int_t)random_next(seed));
	case 1:
		return json_boolean(dice >> 8 & 1);
	case 2:
		return dice >> 8 & 1 ? json_null() : json_real((double)(dice >> 16));
	case 5:
		value = json_array();
		for (unsigned int i = 0; i < (dice >> 8) % 4; i++)
			(void)json_array_append_new(value, random_value(seed, depth - 1));
		return value;
	case 6:
	case 7:
		value = json_object();
		for (unsigned int i = 0; i < (dice >> 8) % 12; i++)
			(void)json_object_set_new(value, PICK(keys, random_next(seed)),
						  random_value(seed, depth - 1));
		return value;
	default:
		return json_string(PICK(texts, dice >> 8));
	}
}

/* No byte that a terminal acts on. */
static void check_plain(const char *line)
{
	for (; *line; line++)
		assert_true((unsigned char)*line >= ' ' && *line != 127);
}

#define ROUNDS 300U

static void random_records(void **state)
{
	uint64_t seed = 0x2545f4914f6cdd1dULL;

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		json_t *event = json_object();
		CLEAN_FREE char *line = NULL;

		for (unsigned int j = 0; j < 24; j++)
			(void)json_object_set_new(event, PICK(keys, random_next(&seed)),
						  random_value(&seed, 3));
		(void)json_object_set_new(event, "kind",
					  json_string(PICK(texts, random_next(&seed))));
		for (int format = 0; format < FORMAT__MAX; format++) {
			CLEAN(format_text_reset) struct format_text text = { 0 };

			assert_int_equal(format_record(format, event, &machine, &text), 0);
			if (format == FORMAT_SYSLOG)
				assert_true(text.length <= 8192);
		}
		assert_int_equal(format_line(event, FORMAT_WIDE, &line), 0);
		check_plain(line);
		json_decref(event);
	}
}

/* A record larger than messages may be is cut inside of no character. */
static void large_syslog(void **state)
{
	char path[6001];
	CLEAN(format_text_reset) struct format_text text = { 0 };
	json_t *event;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(path); i++)
		path[i] = i % 2 ? '\xb6' : '\xc3';
	path[sizeof(path) - 1] = '\0';
	event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", "decision", "verdict", "deny",
			  "op", "rename", "reason", "default", "path", path, "path2", path);
	assert_non_null(event);
	assert_int_equal(format_record(FORMAT_SYSLOG, event, &machine, &text), 0);
	json_decref(event);
	assert_true(text.length > 8000 && text.length <= 8192);
	assert_non_null(strstr(text.bytes, " cut=\"true\"]"));
	assert_int_equal((unsigned char)text.bytes[text.length - 1], 0xb6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(not_a_record),
		cmocka_unit_test(line_is_that_of_the_record),
		cmocka_unit_test(lines),
		cmocka_unit_test(judged),
		cmocka_unit_test(random_records),
		cmocka_unit_test(large_syslog),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
