/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket learn`, `replay` and `test` as people and scripts use them: what they print, their exit statuses, and
 * what becomes of the file that is written. Wrong command lines are those of test_usage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands.h"

#define EVENT(verdict, section, op, access, keys)                                                   \
	"{\"schema\":\"picket.event/1\",\"time\":\"2026-01-02T03:04:05.0Z\",\"verdict\":\"" verdict \
	"\",\"op\":\"" op "\",\"section\":\"" section "\",\"access\":[\"" access                    \
	"\"],\"reason\":\"rule\",\"process\":{\"pid\":7,\"comm\":\"curl\",\"id\":\"7-1\"}," keys    \
	"}\n"
#define FORGE                                                                                      \
	EVENT("allow", "egress", "connect", "tcp",                                                 \
	      "\"host\":\"forge.example\",\"address\":\"203.0.113.9\",\"port\":443")
#define HOST EVENT("allow", "egress", "connect", "tcp", "\"address\":\"203.0.113.7\",\"port\":22")
#define EVIL EVENT("deny", "egress", "connect", "tcp", "\"address\":\"203.0.113.66\",\"port\":80")
#define PART(words) "{\"schema\":\"picket.recording/1\"," words "}\n"
#define HEAD                                                                                       \
	PART("\"part\":\"head\",\"cwd\":\"/srv/app\",\"home\":\"/home/u\",\"tier\":\"network\"")
#define END(lost) PART("\"part\":\"end\",\"lost\":" #lost)

#define RULES "picket: 1\negress:\n  rules:\n"
#define ALLOW(what) "    - {allow: \"" what "\"}\n"

static const char *const texts[][2] = {
	{ "all.jsonl", HEAD FORGE HOST HOST EVIL END(0) },
	{ "lossy.jsonl", HEAD FORGE END(3) },
	{ "cut.jsonl", HEAD FORGE },
	{ "empty.jsonl", "" },
	{ "broken.jsonl", FORGE "{\"schema\": \n" },
	{ "both.yaml", RULES ALLOW("forge.example:443") ALLOW("203.0.113.7:22") },
	{ "one.yaml", RULES ALLOW("forge.example:443") },
	{ "evil.yaml", RULES ALLOW("forge.example:443") ALLOW("203.0.113.0/24:*") },
	{ "broken.yaml", "picket: 1\nfils: {}\n" },
	{ "tests/tested.yaml",
	  RULES ALLOW("203.0.113.7:22") ALLOW(
		  "203.0.113.8:22") "tests: [{connect: \"203.0.113.7:22\", expect: allow}]\n" },
	{ "tests/more.yaml", "policy: tested.yaml\ntests:\n"
			     "  - {connect: \"203.0.113.9:22\", expect: deny}\n" },
	{ "failing.yaml", "policy: both.yaml\ntests:\n"
			  "  - {connect: \"203.0.113.7:22\", expect: deny}\n"
			  "  - {connect: \"203.0.113.9:22\", expect: deny}\n" },
	{ "other.yaml", "a: b\n" },
};

#define LEARNED "    - {allow: \"forge.example:443\", protocol: [tcp]}\n"
#define LEFT                                                                                       \
	"picket: learned 2 rules from 4 events\n"                                                  \
	"  left out: connect 203.0.113.66:80: it was refused when it was recorded\n"
#define CLOSED                                                                                     \
	"denied now:\n"                                                                            \
	"  egress  tcp         203.0.113.7:22\n"                                                   \
	"          2 times, by curl; now default of egress\n"                                      \
	"this opens nothing\n"                                                                     \
	"this closes 1 destination\n"                                                              \
	"2 of 4 acts as before\n"
#define OPENED                                                                                     \
	"allowed now:\n"                                                                           \
	"  egress  tcp         203.0.113.66:80\n"                                                  \
	"          1 time, by curl; now allow \"203.0.113.0/24:*\" at evil.yaml:5\n"
#define PASSED                                                                                     \
	"RESULT  TEST                 ACT         OF              EXPECT  GIVES  BY\n"             \
	"pass    tests/tested.yaml:6  connect to  203.0.113.7:22  allow   allow  "                 \
	"tests/tested.yaml:4\n1 passed, 0 failed\n"
#define TAP                                                                                        \
	"not ok 1 - failing.yaml:3 connect to 203.0.113.7:22: deny\n"                              \
	"#   it gives allow, by both.yaml:5\n"                                                     \
	"ok 2 - failing.yaml:4 connect to 203.0.113.9:22: deny\n1..2\n"
#define COVERAGE                                                                                   \
	"tests/tested.yaml: 1 of 2 rules decided a test\n"                                         \
	"  never decisive: tests/tested.yaml:5:15: egress allow \"203.0.113.8:22\"\n"
#define ALONE "--no-managed"

/* Arguments, the exit status, and a part of what is said; "" = nothing. */
static const struct {
	const char *args[ARGS_MAX];
	int code;
	const char *out;
	const char *err;
} calls[] = {
	{ { "learn", "all.jsonl" }, 0, LEARNED, LEFT },
	{ { "learn", "all.jsonl" }, 0, "\nname: learned\n", LEFT },
	{ { "learn", "--name", "mine", "all.jsonl" }, 0, "\nname: mine\n", LEFT },
	{ { "learn", "one.jsonl", "all.jsonl" }, 1, "", "cannot open 'one.jsonl': No such file" },
	{ { "learn", "lossy.jsonl" }, 1, "", "3 events are missing from the recording" },
	{ { "learn", "lossy.jsonl" }, 1, "", "--lossy takes it as it is" },
	{ { "learn", "--lossy", "lossy.jsonl" }, 0, "; 3 events are missing.", "3 events are" },
	{ { "learn", "cut.jsonl" }, 1, "", "the recording has no end: it was cut" },
	{ { "learn", "empty.jsonl" }, 1, "", "there is no event in 'empty.jsonl'" },
	{ { "learn", "broken.jsonl" }, 1, "", "broken.jsonl:2:" },
	{ { "learn", "-o", "none/x.yaml", "all.jsonl" }, 1, "", "cannot write 'none/x.yaml': " },
	{ { "learn", "--help" }, 0, "usage: picket learn", "" },

	{ { "replay", "all.jsonl", "-p", "both.yaml", ALONE }, 0, "4 of 4 acts as before\n", "" },
	{ { "replay", "all.jsonl", "-p", "one.yaml", ALONE }, 1, CLOSED, "" },
	{ { "replay", "all.jsonl", "-p", "evil.yaml", ALONE }, 1, OPENED, "" },
	{ { "replay", "all.jsonl", "-p", "both.yaml", "-p", "one.yaml", ALONE }, 1, CLOSED, "" },
	{ { "replay", "all.jsonl", "-p", "one.yaml", "-p", "one.yaml", ALONE },
	  0,
	  "4 of 4 acts as before\n",
	  "" },
	{ { "replay", "--fail-on", "closed", "all.jsonl", "-p", "one.yaml", ALONE }, 1, CLOSED, "" },
	{ { "replay", "--fail-on", "opened", "all.jsonl", "-p", "one.yaml", ALONE }, 0, CLOSED, "" },
	{ { "replay", "--fail-on", "opened", "all.jsonl", "-p", "evil.yaml", ALONE },
	  1,
	  OPENED,
	  "" },
	{ { "replay", "--fail-on", "nothing", "all.jsonl", "-p", "evil.yaml", ALONE },
	  0,
	  OPENED,
	  "" },
	{ { "replay", "lossy.jsonl", "-p", "one.yaml", ALONE }, 1, "", "3 events are missing" },
	{ { "replay", "--lossy", "lossy.jsonl", "-p", "one.yaml", ALONE },
	  0,
	  "1 of 1 acts as before\n",
	  "3 events are missing" },
	{ { "replay", "all.jsonl", "-p", "broken.yaml", ALONE }, 1, "", "broken.yaml:2:1: error:" },
	{ { "replay", "all.jsonl", "-p", "none.yaml", ALONE }, 1, "", "none.yaml" },
	{ { "replay", "none.jsonl", "-p", "one.yaml", ALONE }, 1, "", "cannot open 'none.jsonl'" },
	{ { "replay", "--help" }, 0, "usage: picket replay", "" },

	{ { "test", "tests/tested.yaml" }, 0, PASSED, "" },
	{ { "test", "tests" }, 0, "3 passed, 0 failed\n", "" },
	{ { "test", "failing.yaml" }, 1, "FAIL    failing.yaml:3", "" },
	{ { "test", "failing.yaml" }, 1, "1 passed, 1 failed\n", "" },
	{ { "test", "--tap", "failing.yaml" }, 1, TAP, "" },
	{ { "test", "--coverage", "tests/tested.yaml" }, 0, COVERAGE, "" },
	{ { "test", "broken.yaml" }, 1, "0 passed, 0 failed\n", "broken.yaml:2:1: error:" },
	{ { "test", "--tap", "broken.yaml" },
	  1,
	  "not ok 1 - broken.yaml is a policy or a file of tests\n1..1\n",
	  "broken.yaml:2:1: error:" },
	{ { "test", "other.yaml" }, 1, "", "'other.yaml' is neither a policy nor a file of tests" },
	{ { "test", "none.yaml" }, 1, "", "none.yaml" },
	{ { "test", "one.yaml" }, 1, "0 passed, 0 failed\n", "there is no test" },
	{ { "test", "--help" }, 0, "usage: picket test", "" },
};

/* Where nothing is expected of standard output, there may be a summary. */
static bool is_said(const char *wanted, const char *text)
{
	return !*wanted || strstr(text, wanted) != NULL;
}

static void prints_and_exits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, calls[i].args, NULL);

		if (outcome.code != calls[i].code || !is_said(calls[i].out, outcome.out) ||
		    !is_said(calls[i].err, outcome.err) || (!*calls[i].err && *outcome.err))
			fail_msg("call %zu (%s %s): exit %d\n%s%s", i, calls[i].args[0],
				 calls[i].args[1], outcome.code, outcome.out, outcome.err);
	}
}

/* The file is replaced whole, or as it was; and what was learned is what the events did. */
static void learns_into_a_file(void **state)
{
	static const char *const good[ARGS_MAX] = { "learn", "-o", "made.yaml", "all.jsonl" };
	static const char *const bad[ARGS_MAX] = { "learn", "-o", "made.yaml", "cut.jsonl" };
	static const char *const replay[ARGS_MAX] = { "replay", "all.jsonl", "-p", "made.yaml",
						      "--no-managed" };
	CLEAN_FREE char *first = NULL;
	CLEAN_FREE char *second = NULL;

	(void)state;
	write_file("made.yaml", "old\n");
	for (int i = 0; i < 2; i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, i ? bad : good, NULL);

		assert_int_equal(outcome.code, i);
		assert_string_equal(outcome.out, "");
		*(i ? &second : &first) = read_file("made.yaml");
	}
	assert_non_null(first);
	assert_non_null(second);
	assert_non_null(strstr(first, LEARNED));
	assert_string_equal(first, second);
	{
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, replay, NULL);

		assert_int_equal(outcome.code, 0);
		assert_non_null(strstr(outcome.out, "4 of 4 acts as before\n"));
	}
	assert_int_equal(unlink("made.yaml"), 0);
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t number_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void json_has_the_same(void **state)
{
	static const char *const args[ARGS_MAX] = { "replay", "--json",	   "all.jsonl",
						    "-p",     "evil.yaml", "--no-managed" };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);
	json_t *root = json_loads(outcome.out, 0, NULL);
	const json_t *change;

	(void)state;
	assert_int_equal(outcome.code, 1);
	assert_non_null(root);
	assert_string_equal(text_at(root, "schema"), "picket.replay/1");
	assert_int_equal(number_at(root, "acts"), 4);
	assert_int_equal(number_at(root, "same"), 3);
	assert_int_equal(number_at(root, "opened"), 1);
	assert_int_equal(number_at(root, "closed"), 0);
	assert_int_equal(number_at(root, "fixed"), 0);
	change = json_array_get(json_object_get(root, "changes"), 0);
	assert_string_equal(text_at(change, "object"), "203.0.113.66:80");
	assert_string_equal(text_at(json_object_get(change, "before"), "verdict"), "deny");
	assert_string_equal(text_at(json_object_get(change, "after"), "verdict"), "allow");
	json_decref(root);
}

static char folder[] = "/tmp/picket-learn-XXXXXX";

static int enter_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("tests", 0755) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		write_file(texts[i][0], texts[i][1]);
	return 0;
}

static int leave_folder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		(void)unlink(texts[i][0]);
	(void)unlink("stdout.txt");
	(void)unlink("stderr.txt");
	return rmdir("tests") == 0 && chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_and_exits),
		cmocka_unit_test(learns_into_a_file),
		cmocka_unit_test(json_has_the_same),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
