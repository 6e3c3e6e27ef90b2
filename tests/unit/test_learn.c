/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Learning: what becomes of names and paths, what is never learned, that a policy allows what it was learned from
 * and says the same every time; and replaying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "author/learn.h"
#include "author/learn_name.h"
#include "author/replay.h"
#include "base/mem.h"
#include "policies.h"

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/srv/app" },
};
static const struct policy_context context = { .builtins = builtins, .builtin_count = 3 };

static void check_name(const char *name, enum learn_name_kind kind, const char *wanted)
{
	bool wild = false;
	CLEAN_FREE char *pattern = learn_name(name, strlen(name), kind, &wild);

	assert_string_equal(pattern, wanted);
	assert_int_equal(wild, strpbrk(wanted, "*?") != NULL && !strchr(wanted, '\\'));
}

static void names_become_patterns(void **state)
{
	(void)state;
	check_name("main.c", LEARN_NAME_USUAL, "main.c");
	check_name("x86_64-linux-gnu", LEARN_NAME_USUAL, "x86_64-linux-gnu");
	check_name("python3.11", LEARN_NAME_USUAL, "python3.*");
	check_name("node-v18.1.0-x64", LEARN_NAME_USUAL, "node-v18.*-x64");
	check_name("libz.so.1.2.13", LEARN_NAME_USUAL, "libz.so.1.*");
	check_name("1.2.3", LEARN_NAME_USUAL, "1.*");
	check_name("9f86d081884c7d65", LEARN_NAME_USUAL, "*");
	check_name("app-3fa9c01.js", LEARN_NAME_USUAL, "app-*.js");
	check_name("deadbeef", LEARN_NAME_USUAL, "deadbeef");
	check_name("4711", LEARN_NAME_USUAL, "*");
	check_name("log-2026-11-21", LEARN_NAME_USUAL, "log-*-11-21");
	check_name("12", LEARN_NAME_USUAL, "12");
	check_name("a*b", LEARN_NAME_USUAL, "a\\*b");
	check_name("4711", LEARN_NAME_PLAIN, "4711");
}

static void temporary_names_become_patterns(void **state)
{
	(void)state;
	check_name("ccwXXRrC.cdtor.c", LEARN_NAME_TEMPORARY, "cc*.cdtor.c");
	check_name("ccabcdef.s", LEARN_NAME_TEMPORARY, "cc*.s");
	check_name("tmpab12cd_x", LEARN_NAME_TEMPORARY, "tmp*");
	check_name("tmp.AbCdEfGhIj", LEARN_NAME_TEMPORARY, "tmp.*");
	check_name("ab_cdefg", LEARN_NAME_TEMPORARY, "????????");
	check_name("pip-build-ab12cd34", LEARN_NAME_TEMPORARY, "pip-build-*");
	check_name("sess.AbCd12", LEARN_NAME_TEMPORARY, "sess.*");
	check_name("go-build1234567", LEARN_NAME_TEMPORARY, "go-*");
	check_name("log", LEARN_NAME_TEMPORARY, "log");
	assert_true(learn_name_is_temporary("/tmp", 4));
	assert_true(learn_name_is_temporary("/run/user/1000", 14));
	assert_false(learn_name_is_temporary("/run/user/1000/x", 16));
	assert_false(learn_name_is_temporary("/tmpx", 5));
}

/* One line of a recording. @keys: what the act is about, as JSON. */
static void put(FILE *to, const char *section, const char *op, const char *access, const char *keys)
{
	(void)fprintf(to,
		      "{\"schema\":\"picket.event/1\",\"time\":\"2026-01-02T03:04:05.000000001Z\","
		      "\"kind\":\"decision\",\"agent\":\"a\",\"verdict\":\"deny\",\"op\":\"%s\","
		      "\"section\":\"%s\",\"access\":[%s],\"audit\":true,\"reason\":\"default\","
		      "\"process\":{\"pid\":7,\"comm\":\"cc1\",\"id\":\"7-1\"},%s}\n",
		      op, section, access, keys);
}

static const char head[] =
	"{\"schema\":\"picket.recording/1\",\"part\":\"head\",\"cwd\":\"/srv/app\","
	"\"home\":\"/home/u\",\"tier\":\"lsm\"}\n";
static const char end[] = "{\"schema\":\"picket.recording/1\",\"part\":\"end\",\"lost\":0}\n";

static void put_file(FILE *to, const char *op, const char *access, const char *path)
{
	CLEAN_FREE char *keys = NULL;

	assert_true(asprintf(&keys, "\"path\":\"%s\"", path) > 0);
	put(to, "files", op, access, keys);
}

static void put_build(FILE *to)
{
	put_file(to, "open", "\"read\"", "/srv/app/src/a.c");
	put_file(to, "open", "\"read\"", "/srv/app/src/b.c");
	put_file(to, "open", "\"read\"", "/srv/app/src/c.c");
	put_file(to, "mkdir", "\"write\"", "/srv/app/build");
	put_file(to, "create", "\"write\"", "/srv/app/build/a.o");
	put_file(to, "create", "\"write\"", "/tmp/ccAbC123.s");
	put_file(to, "open", "\"read\"", "/usr/include/stdio.h");
	put_file(to, "open", "\"read\"", "/home/u/notes");
	put_file(to, "open", "\"read\"", "/proc/4711/stat");
	put_file(to, "open", "\"read\"", "/srv/app/.env");
	put_file(to, "open", "\"read\"", "/home/u/.ssh/id_rsa");
	put(to, "files", "rename", "\"write\"",
	    "\"path\":\"/srv/app/out.new\",\"path2\":\"/srv/app/out\"");
	put_file(to, "open", "\"read\"", "/srv/app/out");
}

static void put_rest(FILE *to)
{
	put(to, "files", "exec", "\"exec\"", "\"path\":\"/usr/bin/git\"");
	put(to, "exec", "exec", "\"run\"", "\"path\":\"/usr/bin/git\"");
	put(to, "exec", "command", "\"command\"",
	    "\"path\":\"/usr/bin/git\",\"command\":\"/usr/bin/git git commit -m x\"");
	put(to, "exec", "command", "\"command\"",
	    "\"path\":\"/usr/bin/git\",\"command\":\"/usr/bin/git git add a\"");
	put(to, "exec", "exec", "\"run\"", "\"path\":\"/usr/bin/dash\"");
	put(to, "exec", "command", "\"command\"",
	    "\"path\":\"/usr/bin/dash\",\"command\":\"/usr/bin/dash sh -c x\"");
	put(to, "egress", "connect", "\"tcp\"",
	    "\"host\":\"api.example.com\",\"address\":\"93.184.216.34\",\"port\":443");
	put(to, "egress", "connect", "\"udp\"",
	    "\"host\":\"api.example.com\",\"address\":\"93.184.216.34\",\"port\":443");
	put(to, "egress", "connect", "\"tcp\"", "\"address\":\"198.51.100.7\",\"port\":22");
	put(to, "egress", "connect", "\"tcp\"", "\"address\":\"169.254.169.254\",\"port\":80");
	put(to, "egress", "connect", "\"tcp\"", "\"address\":\"127.0.0.1\",\"port\":45678");
	put(to, "egress", "connect", "\"tcp\"",
	    "\"host\":\"db.corp.example\",\"address\":\"10.1.2.3\",\"port\":5432");
	put(to, "listen", "bind", "\"tcp\"", "\"address\":\"127.0.0.1\",\"port\":8080");
	put(to, "unix", "unix", "\"connect\"", "\"path\":\"/listener-4711-0\"");
}

static void read_text(struct recording *recording, const char *text, size_t size)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FILE FILE *from = fmemopen((void *)text, size, "r");

	if (recording_read(recording, from, "r.jsonl", &diags) < 0) {
		diag_print(&diags, stderr);
		fail();
	}
	assert_int_equal(recording_finish(recording), 0);
}

static char *make_recording(struct recording *recording)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)fputs(head, to);
	put_build(to);
	put_rest(to);
	(void)fputs(end, to);
	(void)fclose(to);
	read_text(recording, text, size);
	return text;
}

static struct learn_result learn(const struct recording *recording)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct learn_result result = { 0 };

	if (learn_policy(recording, "learned", &context, &result, &diags) < 0) {
		diag_print(&diags, stderr);
		fail();
	}
	return result;
}

static void has(const struct learn_result *result, const char *line)
{
	if (strstr(result->text, line))
		return;
	(void)fprintf(stderr, "no '%s' in:\n%s", line, result->text);
	fail();
}

static void lacks(const struct learn_result *result, const char *words)
{
	const char *left = strstr(result->text, "# Left out");
	const char *found = strstr(result->text, words);

	if (found && (!left || found < left)) {
		(void)fprintf(stderr, "'%s' in:\n%s", words, result->text);
		fail();
	}
}

static void learns_files(void **state)
{
	CLEAN(recording_reset) struct recording recording = { 0 };
	CLEAN_FREE char *text = make_recording(&recording);
	CLEAN(learn_result_reset) struct learn_result result = learn(&recording);

	(void)state;
	has(&result, "include: [presets/linux-base, presets/secrets]");
	has(&result, "{allow: \"${CWD}/src/*\", access: [read]}");
	has(&result, "{allow: \"${CWD}/build/**\", access: [read, write]}");
	has(&result, "{allow: \"/tmp/cc*.s\", access: [write]}");
	has(&result, "{allow: \"${HOME}/notes\", access: [read]}");
	has(&result, "{allow: \"${CWD}/out\", access: [read, write]}");
	has(&result, "{allow: \"${CWD}/out.new\", access: [read, write]}");
	has(&result, "# 3 times, 2026-01-02T03:04:05Z, by cc1\n    - {allow: \"${CWD}/src/*\"");
	lacks(&result, "stdio.h");
	lacks(&result, "/proc");
	lacks(&result, ".env");
	lacks(&result, ".ssh");
}

static void learns_the_rest(void **state)
{
	CLEAN(recording_reset) struct recording recording = { 0 };
	CLEAN_FREE char *text = make_recording(&recording);
	CLEAN(learn_result_reset) struct learn_result result = learn(&recording);

	(void)state;
	has(&result, "{allow: \"/usr/bin/git {add,commit}\"}");
	has(&result, "{allow: \"/usr/bin/dash\"}");
	has(&result, "{allow: \"api.example.com:443\", protocol: [tcp]}");
	has(&result, "{allow: \"198.51.100.7:22\", protocol: [tcp]}");
	has(&result, "{allow: \"@loopback:32768-65535\", protocol: [tcp]}");
	has(&result, "{allow: \"10.1.2.3:5432\", protocol: [tcp]}");
	has(&result, "{allow: \"@loopback:8080\", protocol: [tcp]}");
	has(&result, "{allow: \"@listener-*-0\"}");
	lacks(&result, "169.254.169.254");
	lacks(&result, "udp");
	assert_int_equal(result.left_count, 3);
	has(&result, "#   open /home/u/.ssh/id_rsa: secrets and metadata are never learned");
	has(&result, "#   connect 169.254.169.254:80: secrets and metadata are never learned");
}

static void allows_what_it_was_learned_from(void **state)
{
	CLEAN(recording_reset) struct recording recording = { 0 };
	CLEAN_FREE char *text = make_recording(&recording);
	CLEAN(learn_result_reset) struct learn_result first = learn(&recording);
	CLEAN(learn_result_reset) struct learn_result second = learn(&recording);
	CLEAN(replay_reset) struct replay replay = { 0 };
	CLEAN(image_reset) struct policy_image image = { 0 };

	(void)state;
	assert_string_equal(first.text, second.text);
	/* Variables of the tests' helper are others. */
	for (char *at = first.text; (at = strstr(at, "${CWD}"));)
		memcpy(at, "/w/app", 6);
	image = policy_text_compile("learned", first.text);
	assert_int_equal(replay_run(&recording, NULL, &image, &replay), 0);
	/* The three that are left out, and what is below the working folder, which has another name here. */
	assert_int_equal(replay_count(&replay, PK_VERDICT_DENY, PK_SECTION_EGRESS), 1);
	assert_int_equal(replay_count(&replay, PK_VERDICT_DENY, PK_SECTION_EXEC), 0);
	assert_int_equal(replay_count(&replay, PK_VERDICT_ALLOW, PK_SECTION__MAX), 0);
}

static void what_was_refused_is_not_learned(void **state)
{
	static const char line[] =
		"{\"schema\":\"picket.event/1\",\"time\":\"t\",\"verdict\":\"deny\",\"op\":\"connect\","
		"\"section\":\"egress\",\"access\":[\"tcp\"],\"audit\":false,\"errno\":\"EPERM\","
		"\"reason\":\"default\",\"process\":{\"comm\":\"curl\",\"id\":\"1-1\"},"
		"\"host\":\"evil.example\",\"address\":\"203.0.113.1\",\"port\":443}\n";
	CLEAN(recording_reset) struct recording recording = { 0 };
	struct learn_result result;

	(void)state;
	read_text(&recording, line, sizeof(line) - 1);
	result = learn(&recording);
	lacks(&result, "evil");
	has(&result, "#   connect evil.example:443: it was refused when it was recorded");
	learn_result_reset(&result);
}

static void replay_tells_what_changes(void **state)
{
	static const char before[] = "picket: 1\negress: {default: deny}\nexec: {default: allow}\n";
	static const char after[] =
		"picket: 1\negress:\n  rules:\n    - {allow: \"198.51.100.7:22\"}\n"
		"exec:\n  default: allow\n  rules: [{deny: git commit}]\n";
	CLEAN(recording_reset) struct recording recording = { .by_program = true };
	CLEAN_FREE char *text = make_recording(&recording);
	CLEAN(image_reset) struct policy_image a = policy_text_compile("a", before);
	CLEAN(image_reset) struct policy_image b = policy_text_compile("b", after);
	CLEAN(replay_reset) struct replay replay = { 0 };

	(void)state;
	assert_int_equal(replay_run(&recording, &a, &b, &replay), 0);
	assert_int_equal(replay.count, 2);
	assert_int_equal(replay.changes[0].after.verdict, PK_VERDICT_ALLOW);
	assert_string_equal(replay.changes[0].text, "198.51.100.7:22");
	assert_int_equal(replay.changes[1].after.verdict, PK_VERDICT_DENY);
	assert_string_equal(replay.changes[1].text, "/usr/bin/git commit -m x");
	assert_int_equal(replay_count(&replay, PK_VERDICT_ALLOW, PK_SECTION_EGRESS), 1);
	assert_int_equal(replay.same, recording.acts_seen - 2);
	/* Starting git was asked of two sections, and is one act. */
	assert_int_equal(recording.acts_seen, recording.events - 1);
}

/* A faulty line has its number and the cause. */
static void refuse(const char *text, unsigned int line, const char *why)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(recording_reset) struct recording recording = { 0 };
	CLEAN_FILE FILE *from = fmemopen((void *)text, strlen(text), "r");

	assert_true(recording_read(&recording, from, "r.jsonl", &diags) < 0);
	assert_int_equal(diags.count, 1);
	assert_string_equal(diags.items[0].file, "r.jsonl");
	assert_int_equal(diags.items[0].line, line);
	if (!strstr(diags.items[0].message, why))
		(void)fprintf(stderr, "%s\n", diags.items[0].message);
	assert_non_null(strstr(diags.items[0].message, why));
}

#define EVENT(rest) "{\"schema\":\"picket.event/1\",\"time\":\"t\"," rest "}\n"
#define GOOD                                                                                       \
	"\"verdict\":\"deny\",\"op\":\"open\",\"section\":\"files\",\"access\":[\"read\"],"        \
	"\"reason\":\"default\",\"process\":{\"comm\":\"c\"}"

static void faulty_lines_are_refused(void **state)
{
	(void)state;
	refuse("\n{\n", 2, "no line of JSON");
	refuse("[1]\n", 1, "no JSON object");
	refuse(EVENT(GOOD) "{}\n", 2, "'schema' is not");
	refuse(EVENT("\"op\":\"fly\""), 1, "'op' is no operation");
	refuse(EVENT("\"op\":\"open\",\"section\":\"x\""), 1, "'section' is no section");
	refuse(EVENT("\"op\":\"open\",\"section\":\"files\",\"verdict\":\"no\""), 1,
	       "'verdict' is not");
	refuse(EVENT("\"op\":\"open\",\"section\":\"files\",\"verdict\":\"deny\",\"reason\":\"x\""),
	       1, "'reason' is no reason");
	refuse(EVENT(GOOD ",\"path\":7"), 1, "must be a text");
	refuse(EVENT(GOOD ",\"port\":70000"), 1, "must be a number");
	refuse(EVENT(GOOD ",\"address\":\"1.2\""), 1, "an address is none");
	refuse(EVENT(GOOD ",\"path\":\"/a\\\\q\""), 1, "escape");
	refuse(EVENT("\"verdict\":\"deny\",\"op\":\"open\",\"section\":\"files\",\"access\":[\"tcp\"],"
		     "\"reason\":\"default\",\"process\":{}"),
	       1, "'access' has a word");
	refuse(EVENT("\"verdict\":\"deny\",\"op\":\"open\",\"section\":\"files\",\"access\":[],"
		     "\"reason\":\"default\""),
	       1, "'process' is missing");
	refuse("{\"schema\":\"picket.recording/1\",\"part\":\"middle\"}\n", 1, "neither its head");
}

static void a_recording_tells_what_it_lacks(void **state)
{
	static const char lines[] =
		"{\"schema\":\"picket.recording/1\",\"part\":\"head\",\"tier\":\"lsm\"}\n" EVENT(
			GOOD) "{\"schema\":\"picket.names/1\"}\n\n"
			      "{\"schema\":\"picket.recording/1\",\"part\":\"end\",\"lost\":5}\n"
			      "{\"schema\":\"picket.recording/1\",\"part\":\"head\"}\n";
	CLEAN(recording_reset) struct recording recording = { 0 };

	(void)state;
	read_text(&recording, lines, sizeof(lines) - 1);
	assert_int_equal(recording.events, 1);
	assert_int_equal(recording.lost, 5);
	assert_int_equal(recording.heads, 2);
	assert_int_equal(recording.ends, 1);
	assert_string_equal(recording.tier, "lsm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_patterns),
		cmocka_unit_test(temporary_names_become_patterns),
		cmocka_unit_test(learns_files),
		cmocka_unit_test(learns_the_rest),
		cmocka_unit_test(allows_what_it_was_learned_from),
		cmocka_unit_test(what_was_refused_is_not_learned),
		cmocka_unit_test(replay_tells_what_changes),
		cmocka_unit_test(faulty_lines_are_refused),
		cmocka_unit_test(a_recording_tells_what_it_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
