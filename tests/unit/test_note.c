/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of `picket note`, hooks' input, exported logs: what they say, and that rubbish is refused. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "note/note.h"
#include "note/otlp.h"

#define ROUNDS 20000

static int decode(const char *text, struct note *note)
{
	return note_decode(text, strlen(text), note);
}

/* --- Messages ------------------------------------------------------------------------------------- */

static void test_round_trip(void **state)
{
	struct note note = {
		.op = NOTE_START,
		.tool = "Bash",
		.call_id = "toolu_01",
		.intent = "say \"hello\" \xc3\xa9",
	};
	struct note again = { 0 };
	size_t length = 0;
	char *bytes = note_encode(&note, &length);

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(note_decode(bytes, length, &again), 0);
	assert_memory_equal(&note, &again, sizeof(note));
	free(bytes);
	note = (struct note){
		.op = NOTE_END, .call_id = "toolu_01", .has_status = true, .status = -3
	};
	again = (struct note){ 0 };
	bytes = note_encode(&note, &length);
	assert_string_equal(bytes, "{\"schema\":\"picket.note/1\",\"op\":\"tool-end\","
				   "\"call_id\":\"toolu_01\",\"status\":-3}");
	assert_int_equal(note_decode(bytes, length, &again), 0);
	assert_memory_equal(&note, &again, sizeof(note));
	free(bytes);
}

/* The longest texts that there can be, all of it escaped, fit into a message. */
static void test_longest(void **state)
{
	struct note note = { .op = NOTE_START };
	struct note again = { 0 };
	size_t length = 0;
	char *bytes;

	(void)state;
	memset(note.tool, '"', NOTE_TOOL_MAX);
	memset(note.call_id, '"', NOTE_CALL_MAX);
	memset(note.intent, '"', NOTE_INTENT_MAX);
	bytes = note_encode(&note, &length);
	assert_non_null(bytes);
	assert_in_range(length, 1, NOTE_MAX);
	assert_int_equal(note_decode(bytes, length, &again), 0);
	assert_memory_equal(&note, &again, sizeof(note));
	free(bytes);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"schema\":\"picket.note/1\"}",
		"{\"schema\":\"picket.note/2\",\"op\":\"tool-start\",\"tool\":\"a\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool\",\"tool\":\"a\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\",\"tool\":\"\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\",\"tool\":1}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\",\"tool\":\"a\",\"more\":1}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\",\"tool\":\"a\",\"status\":1}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\",\"tool\":\"a\",\"tool\":\"b\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\",\"tool\":\"a\\u001b[2J\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-start\",\"tool\":\"a\\u202eb\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-end\",\"intent\":\"a\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-end\",\"status\":\"1\"}",
		"{\"schema\":\"picket.note/1\",\"op\":\"tool-end\",\"status\":2147483648}",
	};
	struct note note = { .status = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (decode(texts[i], &note) != -EBADMSG)
			fail_msg("taken: %s", texts[i]);
	}
	assert_int_equal(note.status, 77);
	/* The control: the same with nothing wrong. */
	assert_int_equal(decode("{\"schema\":\"picket.note/1\",\"op\":\"tool-end\"}", &note), 0);
}

static void test_texts(void **state)
{
	char text[9] = "before";

	(void)state;
	assert_int_equal(note_set_text(text, 8, "123456789", 9), -E2BIG);
	assert_int_equal(note_set_text(text, 8, "a\nb", 3), -EILSEQ);
	assert_int_equal(note_set_text(text, 8, "a\xff", 2), -EILSEQ);
	assert_string_equal(text, "before");
	assert_int_equal(note_set_text(text, 8, "12345678", 8), 0);
	note_fit_text(text, 8, "a\nb\tc", 5);
	assert_string_equal(text, "a b c");
	/* Cut between two characters, not in one. */
	note_fit_text(text, 8, "1234567\xc3\xa9", 9);
	assert_string_equal(text, "1234567");
	note_fit_text(text, 8,
		      "12\xff"
		      "34",
		      5);
	assert_string_equal(text, "12");
}

/* --- Hooks ---------------------------------------------------------------------------------------- */

/* As the documentation of Claude Code and of Codex has it. */
static void test_hooks(void **state)
{
	static const char before[] =
		"{\"session_id\":\"abc123\",\"transcript_path\":\"/home/u/.claude/x.jsonl\","
		"\"cwd\":\"/home/u/p\",\"permission_mode\":\"default\",\"hook_event_name\":\"PreToolUse\","
		"\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"npm\\ntest\","
		"\"description\":\"Run the tests\"},\"tool_use_id\":\"toolu_01ABC\"}";
	static const char after[] =
		"{\"session_id\":\"s\",\"turn_id\":\"t\",\"transcript_path\":null,\"cwd\":\"/\","
		"\"hook_event_name\":\"PostToolUse\",\"model\":\"m\",\"permission_mode\":\"default\","
		"\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"},\"tool_response\":\"x\","
		"\"tool_use_id\":\"call_9\"}";
	struct note note = { 0 };

	(void)state;
	assert_int_equal(note_from_hook(before, strlen(before), &note), 0);
	assert_int_equal(note.op, NOTE_START);
	assert_string_equal(note.tool, "Bash");
	assert_string_equal(note.call_id, "toolu_01ABC");
	assert_string_equal(note.intent, "Run the tests");
	assert_int_equal(note_from_hook(after, strlen(after), &note), 0);
	assert_int_equal(note.op, NOTE_END);
	assert_string_equal(note.call_id, "call_9");
	assert_true(note.has_status);
	assert_int_equal(note.status, 0);
	assert_string_equal(note.intent, "");
}

static void test_hooks_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "{}", -ENOMSG },
		{ "{\"hook_event_name\":\"Stop\",\"tool_name\":\"a\"}", -ENOMSG },
		{ "{\"hook_event_name\":\"PreToolUse\"}", -EINVAL },
		{ "{\"hook_event_name\":\"PreToolUse\",\"tool_name\":7}", -EINVAL },
		{ "{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"a\"}", 0 },
		{ "{\"hook_event_name\":\"PostToolUseFailure\",\"tool_name\":\"a\"}", 0 },
	};
	struct note note = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(note_from_hook(rows[i].text, strlen(rows[i].text), &note),
				 rows[i].error);
	assert_int_equal(note.status, 1);
}

/* --- Logs ----------------------------------------------------------------------------------------- */

/* What was taken. */
struct taken {
	struct otlp_log logs[4];
	size_t count;
};

static void take(void *context, const struct otlp_log *log)
{
	struct taken *taken = context;

	if (taken->count < 4)
		taken->logs[taken->count] = *log;
	taken->count++;
}

#define CLAUDE_RESULT                                                                              \
	"{\"timeUnixNano\":\"1760000002000000000\",\"body\":{\"stringValue\":"                     \
	"\"claude_code.tool_result\"},\"attributes\":["                                            \
	"{\"key\":\"event.name\",\"value\":{\"stringValue\":\"tool_result\"}},"                    \
	"{\"key\":\"session.id\",\"value\":{\"stringValue\":\"s-1\"}},"                            \
	"{\"key\":\"tool_name\",\"value\":{\"stringValue\":\"Bash\"}},"                            \
	"{\"key\":\"tool_use_id\",\"value\":{\"stringValue\":\"toolu_1\"}},"                       \
	"{\"key\":\"success\",\"value\":{\"stringValue\":\"true\"}},"                              \
	"{\"key\":\"duration_ms\",\"value\":{\"stringValue\":\"1500\"}}]}"
#define CODEX_DECISION                                                                             \
	"{\"observedTimeUnixNano\":\"1760000003000000000\",\"attributes\":["                       \
	"{\"key\":\"event.name\",\"value\":{\"stringValue\":\"codex.tool_decision\"}},"            \
	"{\"key\":\"call_id\",\"value\":{\"stringValue\":\"call_2\"}},"                            \
	"{\"key\":\"tool_name\",\"value\":{\"stringValue\":\"exec_command\"}},"                    \
	"{\"key\":\"decision\",\"value\":{\"stringValue\":\"denied\"}}]}"
#define OTHER "{\"body\":{\"stringValue\":\"claude_code.api_request\"},\"attributes\":[]}"
#define REQUEST(records)                                                                           \
	"{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"conversation.id\","          \
	"\"value\":{\"stringValue\":\"c-7\"}}]},\"scopeLogs\":[{\"logRecords\":[" records "]}]}]}"

static void test_otlp_json(void **state)
{
	static const char request[] = REQUEST(CLAUDE_RESULT "," OTHER "," CODEX_DECISION);
	struct taken taken = { 0 };

	(void)state;
	assert_int_equal(otlp_read_json(request, strlen(request), take, &taken), 0);
	assert_int_equal(taken.count, 2);
	assert_int_equal(taken.logs[0].note.op, NOTE_END);
	assert_string_equal(taken.logs[0].note.tool, "Bash");
	assert_string_equal(taken.logs[0].note.call_id, "toolu_1");
	assert_string_equal(taken.logs[0].session, "s-1");
	assert_true(taken.logs[0].note.has_status && taken.logs[0].note.status == 0);
	assert_true(taken.logs[0].time_ns == 1760000002000000000ULL);
	assert_true(taken.logs[0].duration_ns == 1500000000ULL);
	assert_int_equal(taken.logs[1].note.op, NOTE_START);
	assert_true(taken.logs[1].refused);
	assert_string_equal(taken.logs[1].note.call_id, "call_2");
	assert_string_equal(taken.logs[1].session, "c-7");
	assert_true(taken.logs[1].time_ns == 1760000003000000000ULL);
}

static void test_otlp_json_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"resourceLogs\":{}}",
		"{\"resourceLogs\":[1]}",
		"{\"resourceLogs\":[{\"scopeLogs\":7}]}",
		"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[1]}]}]}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(otlp_read_json(texts[i], strlen(texts[i]), NULL, NULL), -EBADMSG);
	assert_int_equal(otlp_read_json("{}", 2, NULL, NULL), 0);
}

/* --- Protobuf ------------------------------------------------------------------------------------- */

/* Bytes under way. */
struct bytes {
	unsigned char at[1024];
	size_t length;
};

/* A field of bytes, shorter than 16384. */
static void put(struct bytes *to, unsigned int number, const void *bytes, size_t length)
{
	to->at[to->length++] = (unsigned char)(number << 3 | 2);
	to->at[to->length++] = (unsigned char)(length | 0x80);
	to->at[to->length++] = (unsigned char)(length >> 7);
	memcpy(to->at + to->length, bytes, length);
	to->length += length;
}

static void put_text(struct bytes *to, const char *key, const char *text)
{
	struct bytes value = { 0 };
	struct bytes pair = { 0 };

	put(&value, 1, text, strlen(text));
	put(&pair, 1, key, strlen(key));
	put(&pair, 2, value.at, value.length);
	put(to, 6, pair.at, pair.length);
}

/* A request with one record, the resource behind it. */
static void make_request(struct bytes *request)
{
	static const unsigned char time[] = { 1 << 3 | 1, 0,	0x28, 0x62, 0xfe,
					      0xd4,	  0xc5, 0x6c, 0x18 };
	/* duration_ms = 250, an intValue; success = true, a boolValue. */
	static const unsigned char duration[] = "\x0a\x0b"
						"duration_ms"
						"\x12\x03\x18\xfa\x01";
	static const unsigned char success[] = "\x0a\x07"
					       "success"
					       "\x12\x02\x10\x01";
	struct bytes record = { 0 };
	struct bytes scope = { 0 };
	struct bytes all = { 0 };
	struct bytes session = { 0 };
	struct bytes pair = { 0 };
	struct bytes resource = { 0 };

	memcpy(record.at, time, sizeof(time));
	record.length = sizeof(time);
	put_text(&record, "event.name", "codex.tool_result");
	put_text(&record, "tool_name", "shell");
	put_text(&record, "call_id", "call_5");
	put(&record, 6, duration, sizeof(duration) - 1);
	put(&record, 6, success, sizeof(success) - 1);
	put(&scope, 2, record.at, record.length);
	put(&all, 2, scope.at, scope.length);
	put(&session, 1, "c-9", 3);
	put(&pair, 1, "conversation.id", strlen("conversation.id"));
	put(&pair, 2, session.at, session.length);
	put(&resource, 1, pair.at, pair.length);
	put(&all, 1, resource.at, resource.length);
	put(request, 1, all.at, all.length);
}

static void test_otlp_protobuf(void **state)
{
	struct bytes request = { 0 };
	struct taken taken = { 0 };

	(void)state;
	make_request(&request);
	assert_int_equal(otlp_read_protobuf((char *)request.at, request.length, take, &taken), 0);
	assert_int_equal(taken.count, 1);
	assert_int_equal(taken.logs[0].note.op, NOTE_END);
	assert_string_equal(taken.logs[0].note.tool, "shell");
	assert_string_equal(taken.logs[0].note.call_id, "call_5");
	assert_string_equal(taken.logs[0].session, "c-9");
	assert_true(taken.logs[0].note.has_status && taken.logs[0].note.status == 0);
	assert_true(taken.logs[0].duration_ns == 250000000ULL);
	assert_true(taken.logs[0].time_ns == 0x186cc5d4fe622800ULL);
}

/* Every cut is refused but those between whole fields, of which there is the empty one only. */
static void test_otlp_cut(void **state)
{
	struct bytes request = { 0 };

	(void)state;
	make_request(&request);
	assert_int_equal(otlp_read_protobuf("", 0, NULL, NULL), 0);
	for (size_t length = 1; length < request.length; length++) {
		/* By its own length: one byte beyond is found by the sanitizer. */
		char *copy = malloc(length);

		assert_non_null(copy);
		memcpy(copy, request.at, length);
		assert_int_equal(otlp_read_protobuf(copy, length, NULL, NULL), -EBADMSG);
		free(copy);
	}
}

static void test_otlp_many(void **state)
{
	/* One resource, one scope, records without a byte. */
	size_t count = OTLP_LOGS_MAX + 1;
	struct taken taken = { 0 };
	size_t inner = 2 * count;
	size_t outer = inner + 4;
	unsigned char *bytes = calloc(1, outer + 4);
	unsigned char *at = bytes;

	(void)state;
	assert_non_null(bytes);
	*at++ = 1 << 3 | 2;
	*at++ = (unsigned char)(outer | 0x80);
	*at++ = (unsigned char)(outer >> 7 | 0x80);
	*at++ = (unsigned char)(outer >> 14);
	*at++ = 2 << 3 | 2;
	*at++ = (unsigned char)(inner | 0x80);
	*at++ = (unsigned char)(inner >> 7 | 0x80);
	*at++ = (unsigned char)(inner >> 14);
	for (size_t i = 0; i < count; i++) {
		*at++ = 2 << 3 | 2;
		*at++ = 0;
	}
	assert_int_equal(otlp_read_protobuf((char *)bytes, outer + 4, take, &taken), -E2BIG);
	assert_int_equal(taken.count, 0);
	free(bytes);
}

/* --- Rubbish -------------------------------------------------------------------------------------- */

static uint32_t roll(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Nothing reads beyond its bytes, and what is taken is whole. */
static void try_bytes(const unsigned char *bytes, size_t length)
{
	char *copy = malloc(length ? length : 1);
	struct taken taken = { 0 };
	struct note note = { 0 };

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	if (note_decode(copy, length, &note) == 0)
		assert_in_range(strlen(note.tool), 0, NOTE_TOOL_MAX);
	(void)note_from_hook(copy, length, &note);
	(void)otlp_read_json(copy, length, take, &taken);
	(void)otlp_read_protobuf(copy, length, take, &taken);
	for (size_t i = 0; i < taken.count && i < 4; i++)
		assert_true(taken.logs[i].note.tool[0] || taken.logs[i].note.call_id[0]);
	free(copy);
}

static void test_random(void **state)
{
	unsigned char bytes[600];
	uint32_t seed = 20261122;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t length = roll(&seed) % 64;

		for (size_t j = 0; j < length; j++)
			bytes[j] = (unsigned char)roll(&seed);
		try_bytes(bytes, length);
	}
}

static void test_changed(void **state)
{
	static const char json[] = REQUEST(CLAUDE_RESULT);
	struct bytes request = { 0 };
	uint32_t seed = 7;

	(void)state;
	make_request(&request);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned char bytes[1024];
		size_t length = i % 2 ? request.length : strlen(json);

		memcpy(bytes, i % 2 ? (const void *)request.at : (const void *)json, length);
		for (uint32_t n = roll(&seed) % 4 + 1; n > 0; n--)
			bytes[roll(&seed) % length] = (unsigned char)roll(&seed);
		try_bytes(bytes, length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_longest),
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_texts),
		cmocka_unit_test(test_hooks),	      cmocka_unit_test(test_hooks_refused),
		cmocka_unit_test(test_otlp_json),     cmocka_unit_test(test_otlp_json_refused),
		cmocka_unit_test(test_otlp_protobuf), cmocka_unit_test(test_otlp_cut),
		cmocka_unit_test(test_otlp_many),     cmocka_unit_test(test_random),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
