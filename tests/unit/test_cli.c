/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: exit codes, where output goes, and what hostile input does to it. Commands run
 * in child processes, in a folder of their own; the examples of the man page run too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "commands.h"

#define MAN_PAGE "user/man/picket.8"

#define GOOD "good.yaml"

static const char good_policy[] = "picket: 1\n"
				  "name: good\n"
				  "vars: {workspace: /w}\n"
				  "egress:\n"
				  "  rules:\n"
				  "    - {allow: \"10.0.0.0/8:443\", protocol: tcp}\n"
				  "    - {deny: \"10.9.0.0/16\", reason: not there}\n"
				  "files:\n"
				  "  rules:\n"
				  "    - {allow: \"${workspace}/**\", access: [read, write]}\n"
				  "    - {deny: \"**/.env\", id: secrets}\n"
				  "exec:\n"
				  "  default: allow\n"
				  "tests:\n"
				  "  - {open: \"${workspace}/.env\", expect: deny}\n";

/* Arguments, the exit code, and a part of each stream ("" = must be empty, NULL = anything). */
struct call {
	const char *args[ARGS_MAX];
	int code;
	const char *out;
	const char *err;
};

static const struct call calls[] = {
	{ { NULL }, 2, "", "no command given" },
	{ { "help" }, 0, "explain", "" },
	{ { "--help" }, 0, "explain", "" },
	{ { "--version" }, 0, "picket ", "" },
	{ { "--verbose" }, 2, "", "unknown option '--verbose'" },
	{ { "chek" }, 2, "", "did you mean 'check'?" },
	{ { "frobnicate" }, 2, "", "unknown command 'frobnicate'\n" },
	{ { "help", "chek" }, 2, "", "did you mean 'check'?" },
	{ { "help", "check" }, 0, "usage: picket check", "" },
	{ { "help", "explain" }, 0, "usage: picket explain", "" },
	{ { "help", "show" }, 0, "usage: picket show", "" },
	{ { "help", "check", "show" }, 2, "", "takes one command" },
	{ { "check\n\x1b[2J" }, 2, "", "unknown command 'check\\n\\x1b[2J'" },

	{ { "check", GOOD }, 0, "good.yaml: ok (4 rules, 1 test passed, image ", "" },
	{ { "check", "--verbose", GOOD }, 0, "files   2 rules, default deny", "" },
	{ { "check", "--set", "workspace=/v", GOOD }, 0, "ok (", "" },
	{ { "check" }, 2, "", "no policy to check" },
	{ { "check", "--colour", GOOD }, 2, "", "unrecognized option '--colour'" },
	{ { "check", "--set", "workspace", GOOD }, 2, "", "not NAME=VALUE" },
	{ { "check", "--set", "1x=2", GOOD }, 2, "", "not NAME=VALUE" },
	{ { "check", "--set", "nosuch=2", GOOD }, 1, "", "nosuch" },
	{ { "check", "--user", "no such user", GOOD }, 1, "", "no user 'no such user'" },
	{ { "check", "missing.yaml" }, 1, "", "missing.yaml" },
	{ { "check", "." }, 1, "", "directory" },
	{ { "check", "broken.yaml" }, 1, "", "broken.yaml:3:1: error:" },
	{ { "check", "failing.yaml" }, 1, "", "failing.yaml:6:5: error: this test fails: exec" },
	{ { "check", "broken.yaml", GOOD }, 1, "good.yaml: ok", "broken.yaml:3:1" },
	{ { "check", "/dev/null" }, 1, "", NULL },
	{ { "check", "--json", "broken.yaml" }, 1, "\"ok\": false", "" },

	{ { "explain", GOOD, "--connect", "10.0.0.1:443" }, 0, "allow: connect 10.0.0.1:443", "" },
	{ { "explain", GOOD, "--connect", "10.9.0.1:443" },
	  0,
	  "rule deny at good.yaml:7:14: 10.9.0.0/16 \"not there\"\n"
	  "    also matches, but is less strict: allow at good.yaml:6:15: 10.0.0.0/8:443 [tcp]",
	  "" },
	{ { "explain", GOOD, "--connect", "10.0.0.1:443", "--protocol", "udp" },
	  0,
	  "default deny of egress: no rule matches",
	  "" },
	{ { "explain", GOOD, "--connect", "[::1]:443" }, 0, "deny: connect [::1]:443", "" },
	{ { "explain", GOOD, "--connect", "10.0.0.1" }, 2, "", "--connect '10.0.0.1'" },
	{ { "explain", GOOD, "--connect", "host:443" }, 0, "deny: connect host:443", "" },
	{ { "explain", GOOD, "--connect", "ho*st:443" }, 2, "", "--connect" },
	{ { "explain", GOOD, "--connect", "10.0.0.1:443", "--protocol", "icmp" }, 2, "", "a port" },
	{ { "explain", GOOD, "--connect", "10.0.0.1", "--protocol", "icmp" }, 0, "icmp", "" },
	{ { "explain", GOOD, "--connect", "10.0.0.1:443", "--protocol", "sctp" }, 2, "", "sctp" },
	{ { "explain", GOOD, "--connect", "10.0.0.1:443", "--access", "read" }, 2, "", "--open" },
	{ { "explain", GOOD, "--open", "/w/f" }, 0, "allow: open /w/f for read\n", "" },
	{ { "explain", GOOD, "--open", "/w/f", "--access", "exec,read" },
	  0,
	  "no rule covers all of it",
	  "" },
	{ { "explain", GOOD, "--open", "/w/f", "--access", "all" }, 0, "deny: open", "" },
	{ { "explain", GOOD, "--open", "/w/f", "--access", "read,fly" }, 2, "", "read,fly" },
	{ { "explain", GOOD, "--open", "/w/f", "--access", "" }, 2, "", "--access ''" },
	{ { "explain", GOOD, "--open", "/w/a/.env" }, 0, "**/.env (secrets)", "" },
	{ { "explain", GOOD, "--open", "/w/./x/..y//z" }, 0, "sees /w/x/..y/z\n", "" },
	{ { "explain", GOOD, "--open", "/w/nothere/../z" }, 2, "", "'..'" },
	{ { "explain", GOOD, "--open", "" }, 2, "", "empty" },
	{ { "explain", GOOD, "--open", "link" }, 0, "/real/file\n", "" },
	{ { "explain", GOOD, "--open", "/a\nb" }, 0, "open /a\\nb for read", "" },
	{ { "explain", GOOD, "--exec", "/w/tool" },
	  0,
	  "deny: exec /w/tool\n  files deny: default deny of files",
	  "" },
	{ { "explain", GOOD }, 2, "", "nothing asked" },
	{ { "explain", GOOD, "--open", "/a", "--exec", "/b" }, 2, "", "one act at a time" },
	{ { "explain", GOOD, GOOD, "--open", "/a" }, 2, "", "one policy at a time" },
	{ { "explain", "--open", "/a" }, 2, "", "no policy given" },
	{ { "explain", "broken.yaml", "--open", "/a" }, 1, "", "broken.yaml:3:1" },

	{ { "show", GOOD }, 0, "name        'good'", "" },
	{ { "show", "--states", GOOD }, 0, "(start, ", "" },
	{ { "show" }, 2, "", "no policy or image" },
	{ { "show", GOOD, GOOD }, 2, "", "at a time" },
	{ { "show", "--json", "--states", GOOD }, 2, "", "--states" },
	{ { "show", "broken.yaml" }, 1, "", "broken.yaml:3:1" },
	{ { "show", "--output", "/nosuch/x", GOOD }, 1, "", "cannot write '/nosuch/x'" },
	{ { "show", "--output", "/dev/full", GOOD }, 1, "", "No space left" },
};

static void expect_part(const char *stream, const char *text, const char *part, const char *name)
{
	if (part && (part[0] ? !strstr(text, part) : text[0] != '\0'))
		fail_msg("picket %s: %s should have '%s':\n%s", name, stream, part, text);
}

static void exit_codes_and_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const struct call *call = &calls[i];
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, call->args, NULL);
		char name[32];

		(void)snprintf(name, sizeof(name), "(call %zu)", i);
		if (outcome.code != call->code)
			fail_msg("%s: exit %d, not %d:\n%s%s", name, outcome.code, call->code,
				 outcome.out, outcome.err);
		expect_part("stdout", outcome.out, call->out, name);
		expect_part("stderr", outcome.err, call->err, name);
		assert_true(escape_is_utf8(outcome.err, strlen(outcome.err)));
	}
}

static void full_stdout_is_a_failure(void **state)
{
	static const char *const args[][ARGS_MAX] = {
		{ "help" },
		{ "--version" },
		{ "check", GOOD },
		{ "check", "--json", GOOD },
		{ "explain", GOOD, "--open", "/a" },
		{ "show", GOOD },
		{ "show", "--json", GOOD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, args[i], "/dev/full");

		assert_int_equal(outcome.code, 1);
		expect_part("stderr", outcome.err, "No space left on device", args[i][0]);
	}
}

static void an_image_file_shows_like_its_policy(void **state)
{
	static const char *const write[ARGS_MAX] = { "show", "-o", "good.image", GOOD };
	static const char *const image[ARGS_MAX] = { "show", "--states", "good.image" };
	static const char *const policy[ARGS_MAX] = { "show", "--states", GOOD };
	static const char *const odd[ARGS_MAX] = { "show", "--audit", "good.image" };
	CLEAN(outcome_reset) struct outcome written = run(NULL, write, NULL);
	CLEAN(outcome_reset) struct outcome of_image = run(NULL, image, NULL);
	CLEAN(outcome_reset) struct outcome of_policy = run(NULL, policy, NULL);
	CLEAN(outcome_reset) struct outcome refused = run(NULL, odd, NULL);

	(void)state;
	assert_int_equal(written.code, 0);
	assert_int_equal(of_image.code, 0);
	assert_string_equal(of_image.out, of_policy.out);
	assert_int_equal(refused.code, 2);
}

/* One bit changed anywhere, or the end missing: never shown, never a crash. */
static void a_damaged_image_is_refused(void **state)
{
	static const char *const write[ARGS_MAX] = { "show", "-o", "bad.image", GOOD };
	static const char *const args[ARGS_MAX] = { "show", "bad.image" };
	static const long places[] = { 8, 12, 20, 52, 100, 160, 412, 500, 700, 3000, 16383 };

	(void)state;
	for (size_t i = 0; i <= sizeof(places) / sizeof(places[0]); i++) {
		CLEAN(outcome_reset) struct outcome written = run(NULL, write, NULL);
		CLEAN(outcome_reset) struct outcome outcome = { 0 };
		CLEAN_FILE FILE *file = fopen("bad.image", "r+e");
		int byte;

		assert_int_equal(written.code, 0);
		assert_non_null(file);
		if (i == sizeof(places) / sizeof(places[0])) {
			assert_int_equal(truncate("bad.image", 16000), 0);
		} else {
			assert_int_equal(fseek(file, places[i], SEEK_SET), 0);
			byte = fgetc(file);
			assert_true(byte >= 0);
			assert_int_equal(fseek(file, places[i], SEEK_SET), 0);
			assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
		}
		assert_int_equal(fflush(file), 0);
		outcome = run(NULL, args, NULL);
		assert_int_equal(outcome.code, 1);
		expect_part("stderr", outcome.err, "not a valid image", "show");
		assert_string_equal(outcome.out, "");
	}
}

static void json_is_one_document(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *schema;
	} documents[] = {
		{ { "check", "--json", GOOD, "broken.yaml", "missing.yaml" }, "picket.check/1" },
		{ { "explain", "--json", GOOD, "--connect", "10.9.0.1:443" }, "picket.explain/1" },
		{ { "explain", "--json", GOOD, "--open", "/w/\xff\n" }, "picket.explain/1" },
		{ { "explain", "--json", GOOD, "--exec", "/bin/sh" }, "picket.explain/1" },
		{ { "show", "--json", GOOD }, "picket.show/1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, documents[i].args, NULL);
		json_error_t error;
		json_t *root = json_loads(outcome.out, JSON_REJECT_DUPLICATES, &error);

		if (!root)
			fail_msg("%s: %s\n%s", documents[i].args[0], error.text, outcome.out);
		assert_string_equal(json_string_value(json_object_get(root, "schema")),
				    documents[i].schema);
		json_decref(root);
	}
}

/* The lines of the first literal block behind @heading, or of all blocks up to the next section. */
static char *literal_blocks(const char *page, const char *heading, bool all)
{
	CLEAN_FREE char *rest = strdup(strstr(page, heading) + strlen(heading));
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	bool inside = false;
	char *save = NULL;

	assert_non_null(to);
	for (char *line = strtok_r(rest, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, ".Sh", 3) == 0)
			break;
		if (strncmp(line, ".Ed", 3) == 0 && inside && !all)
			break;
		if (strncmp(line, ".Bd", 3) == 0 || strncmp(line, ".Ed", 3) == 0)
			inside = line[1] == 'B';
		else if (inside)
			(void)fprintf(to, "%s\n", line);
	}
	assert_int_equal(fclose(to), 0);
	return text;
}

static char man_page_path[PATH_MAX];

static void man_page_examples_run(void **state)
{
	CLEAN_FREE char *page = read_file(man_page_path);
	CLEAN_FREE char *policy = literal_blocks(page, ".Sh POLICY", false);
	CLEAN_FREE char *lines = literal_blocks(page, ".Sh EXAMPLES", true);
	unsigned int count = 0;
	char *save = NULL;

	(void)state;
	write_file("example.yaml", policy);
	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *args[ARGS_MAX] = { 0 };
		CLEAN(outcome_reset) struct outcome outcome = { 0 };
		CLEAN_FREE char *shown = strdup(line);
		char *word_save = NULL;
		size_t used = 0;

		assert_int_equal(strncmp(line, "picket ", 7), 0);
		/* Confining a program is for the live tier. */
		if (strncmp(line, "picket run ", 11) == 0)
			continue;
		for (char *word = strtok_r(line + 7, " ", &word_save); word;
		     word = strtok_r(NULL, " ", &word_save))
			args[used++] = word;
		outcome = run(NULL, args, NULL);
		if (outcome.code != 0 || outcome.err[0])
			fail_msg("%s: exit %d: %s", shown, outcome.code, outcome.err);
		count++;
	}
	assert_true(count >= 5);
}

/* The program itself has the same table. */
static void the_program_has_all_commands(void **state)
{
	static const char *const help[ARGS_MAX] = { "help" };
	static const char *const names[] = {
		"run",	  "check",  "explain", "show",	 "doctor", "attach",   "detach",
		"ps",	  "tail",   "names",   "reload", "status", "requests", "approve",
		"refuse", "grants", "revoke",  "why",	 "top",	   "presets",
	};
	const char *binary = getenv("PICKET");
	CLEAN(outcome_reset) struct outcome outcome = { 0 };

	(void)state;
	if (!binary || access(binary, X_OK) < 0)
		skip();
	outcome = run(binary, help, NULL);
	assert_int_equal(outcome.code, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *const args[ARGS_MAX] = { "help", names[i] };
		CLEAN(outcome_reset) struct outcome own = run(binary, args, NULL);

		expect_part("stdout", outcome.out, names[i], "help");
		assert_int_equal(own.code, 0);
		expect_part("stdout", own.out, "usage: picket ", names[i]);
	}
}

static void nearest_names(void **state)
{
	static const char *const names[] = { "run", "check", "explain" };

	(void)state;
	assert_string_equal(cli_nearest("ceck", names, 3), "check");
	assert_string_equal(cli_nearest("explane", names, 3), "explain");
	assert_string_equal(cli_nearest("rn", names, 3), "run");
	assert_null(cli_nearest("", names, 3));
	assert_null(cli_nearest("tail", names, 3));
	assert_null(cli_nearest(
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", names,
		3));
}

static char folder[] = "/tmp/picket-cli-XXXXXX";

static int enter_folder(void **state)
{
	(void)state;
	if (!realpath(MAN_PAGE, man_page_path) || !mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	write_file(GOOD, good_policy);
	write_file("broken.yaml", "picket: 1\nname: broken\nfrobnicate: yes\n");
	write_file("failing.yaml", "picket: 1\n"
				   "name: failing\n"
				   "exec:\n"
				   "  default: allow\n"
				   "tests:\n"
				   "  - {exec: /bin/sh, expect: deny}\n");
	if (mkdir("real", 0700) < 0 || symlink("real/file", "link") < 0)
		return -1;
	write_file("real/file", "");
	return 0;
}

static int leave_folder(void **state)
{
	static const char *const names[] = {
		GOOD,	"broken.yaml", "failing.yaml",	"example.yaml", "good.image", "bad.image",
		"link", "real/file",   "example.image", "stdout.txt",	"stderr.txt",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	(void)rmdir("real");
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes_and_streams),
		cmocka_unit_test(full_stdout_is_a_failure),
		cmocka_unit_test(an_image_file_shows_like_its_policy),
		cmocka_unit_test(a_damaged_image_is_refused),
		cmocka_unit_test(json_is_one_document),
		cmocka_unit_test(man_page_examples_run),
		cmocka_unit_test(the_program_has_all_commands),
		cmocka_unit_test(nearest_names),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
