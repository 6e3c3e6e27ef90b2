/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Warnings: each kind at its exact place, and beside it what is nearly the same and is no fault; then
 * what a rule accepts, what is shown of a policy in a file, and that all that is shipped is without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "author/warn.h"
#include "base/mem.h"
#include "commands.h"
#include "policies.h"
#include "policy/compile.h"
#include "policy/load.h"
#include "policy/presets.h"

/* A policy, and the one warning that it must have; without a code: none. */
struct sample_case {
	const char *text;
	const char *code;
	unsigned int line, column;
	const char *part; /* of the message */
};

static void warnings_of(const char *name, const char *text, const struct warn_world *world,
			struct diag_list *diags)
{
	CLEAN(policy_free) struct policy *policy = policy_text_load(name, text);
	CLEAN(image_reset) struct policy_image image = { 0 };
	const struct policy *layers[] = { policy };
	struct compile_options options = { 0 };

	assert_int_equal(policy_compile(layers, 1, &options, &image, diags), 0);
	assert_int_equal(warn_policy(policy, &image, world, diags), 0);
}

static void check_case(const struct sample_case *c)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	warnings_of("t.yaml", c->text, NULL, &diags);
	if (diags.count != (c->code != NULL)) {
		diag_print(&diags, stderr);
		fail_msg("%zu findings about:\n%s", diags.count, c->text);
	}
	if (!c->code)
		return;
	assert_int_equal(diags.items[0].severity, DIAG_WARNING);
	assert_string_equal(diags.items[0].code, c->code);
	assert_string_equal(diags.items[0].file, "t.yaml");
	assert_non_null(diags.items[0].hint);
	if (diags.items[0].line != c->line || diags.items[0].column != c->column ||
	    !strstr(diags.items[0].message, c->part)) {
		diag_print(&diags, stderr);
		fail_msg("not at %u:%u with '%s'", c->line, c->column, c->part);
	}
}

#define EGRESS "picket: 1\negress:\n  default: deny\n  rules:\n"
#define FILES "picket: 1\nfiles:\n  default: deny\n  rules:\n"
#define EXEC "picket: 1\nexec:\n  default: allow\n  rules:\n"

static const struct sample_case dead_cases[] = {
	/* paths: by both automata together */
	{ FILES "    - {deny: \"**/.env\"}\n    - {allow: \"/w/.env\", access: read}\n",
	  "W-shadowed", 6, 15, "'allow: /w/.env' never decides anything: 'deny: **/.env' does" },
	{ FILES "    - {deny: \"**/.env\"}\n    - {allow: \"/w/.en?\", access: read}\n", NULL, 0, 0,
	  NULL },
	{ FILES
	  "    - {deny: \"/w/**\", access: write}\n    - {allow: \"/w/a\", access: [read, write]}\n",
	  NULL, 0, 0, NULL },
	{ FILES "    - {deny: \"/w/**\", access: [read, write]}\n"
		"    - {allow: [/a, /w/a], access: [read, write]}\n",
	  "W-shadowed", 6, 20, "'allow: /w/a'" },
	{ FILES
	  "    - {allow: \"/usr/**\", access: read}\n    - {allow: \"/usr/lib/**\", access: read}\n",
	  "W-redundant", 6, 15,
	  "'allow: /usr/lib/**' never decides anything: 'allow: /usr/**' does" },
	{ FILES "    - {allow: \"/usr/**\", access: read}\n"
		"    - {allow: \"/usr/lib/**\", access: [read, exec]}\n",
	  NULL, 0, 0, NULL },
	/* a narrow rule before a wide one is named by it, and keeps its id and reason */
	{ FILES
	  "    - {allow: \"/usr/lib/**\", access: read}\n    - {allow: \"/usr/**\", access: read}\n",
	  NULL, 0, 0, NULL },
	/* two patterns together leave nothing of a third */
	{ FILES
	  "    - {deny: [\"/w/[a-m]*\", \"/w/[!a-m]*\"]}\n    - {allow: \"/w/*\", access: read}\n",
	  "W-shadowed", 6, 15, "'allow: /w/*'" },
	{ FILES
	  "    - {deny: [\"/w/[a-m]*\", \"/w/[!a-n]*\"]}\n    - {allow: \"/w/*\", access: read}\n",
	  NULL, 0, 0, NULL },
	/* only for one program */
	{ FILES "    - {deny: \"/w/**\", by: /usr/bin/git}\n    - {allow: /w/a, access: read}\n",
	  NULL, 0, 0, NULL },
	{ FILES "    - {deny: \"/w/**\"}\n    - {allow: /w/a, access: read, by: /usr/bin/git}\n",
	  "W-shadowed", 6, 15, "'allow: /w/a'" },
	/* names, addresses, ports */
	{ EGRESS "    - {deny: \"**.example.org\"}\n    - {allow: \"a.example.org:443\"}\n",
	  "W-shadowed", 6, 15, "'deny: **.example.org' does" },
	{ EGRESS "    - {deny: \"*.example.org\"}\n    - {allow: \"example.org:443\"}\n", NULL, 0,
	  0, NULL },
	{ EGRESS "    - {allow: \"10.0.0.0/8\"}\n    - {allow: \"10.1.0.0/16:443\"}\n",
	  "W-redundant", 6, 15, "'allow: 10.0.0.0/8' does" },
	{ EGRESS "    - {allow: \"10.0.0.0/8:443\"}\n    - {allow: \"10.1.0.0/16:443-444\"}\n",
	  NULL, 0, 0, NULL },
	{ EGRESS "    - {deny: [\"10.0.0.0/8:1-99\", \"10.0.0.0/8:100-200\"]}\n"
		 "    - {allow: \"10.1.0.0/16:50-150\"}\n",
	  "W-shadowed", 6, 15, "'allow: 10.1.0.0/16:50-150'" },
	{ EGRESS "    - {deny: [\"10.0.0.0/8:1-99\", \"10.0.0.0/8:101-200\"]}\n"
		 "    - {allow: \"10.1.0.0/16:50-150\"}\n",
	  NULL, 0, 0, NULL },
	/* commands */
	{ EXEC "    - {deny: git, reason: W-argv}\n    - {ask: git push}\n", "W-shadowed", 6, 13,
	  "'ask: git push'" },
	{ EXEC "    - {ask: git}\n    - {deny: git push, reason: W-argv}\n", NULL, 0, 0, NULL },
	/* sockets */
	{ "picket: 1\nunix:\n  rules:\n    - {deny: \"@x*\"}\n    - {allow: \"@xy\"}\n",
	  "W-shadowed", 5, 15, "'allow: @xy'" },
	/* listen: the ports of others are others */
	{ "picket: 1\nlisten:\n  rules:\n    - {allow: \"127.0.0.0/8:1-9\"}\n"
	  "    - {allow: \"127.0.0.1:5\"}\n",
	  "W-redundant", 5, 15, "'allow: 127.0.0.1:5'" },
};

static const struct sample_case host_cases[] = {
	{ EGRESS "    - {allow: \"*\"}\n", "W-any-host", 5, 15, "'*' allows every host" },
	{ EGRESS "    - {ask: \"*\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {deny: \"*\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"@any:443\"}\n", "W-any-host", 5, 15, "every address" },
	{ EGRESS "    - {allow: \"0.0.0.0/0\"}\n", "W-any-host", 5, 15, "every address" },
	{ EGRESS "    - {allow: \"0.0.0.0/1\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"[::/0]:22\"}\n", "W-any-host", 5, 15, "every address" },
	{ EGRESS "    - {allow: \"[2000::/3]:22\"}\n", "W-any-host", 5, 15, "every address" },
	{ EGRESS "    - {allow: \"[2001::/16]:22\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"*.co.uk:443\"}\n", "W-public-suffix", 5, 15,
	  "'co.uk' is a public suffix" },
	{ EGRESS "    - {allow: \"**.co.uk\"}\n", "W-public-suffix", 5, 15, "'co.uk'" },
	{ EGRESS "    - {allow: [\"co.uk\", \"*.example.co.uk\"]}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"*.com\"}\n", "W-public-suffix", 5, 15, "'com'" },
	{ EGRESS "    - {allow: [a.github.io, \"*.github.io:443\"]}\n", "W-public-suffix", 5, 29,
	  "gives names below it to anybody" },
	{ EGRESS "    - {allow: [\"*.a.github.io\", \"*.xgithub.io\"]}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"*.cloudfront.net\"}\n", "W-public-suffix", 5, 15, "a customer" },
	{ EGRESS "    - {allow: \"d1.cloudfront.net\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"gist.github.com:443\"}\n", "W-shared-host", 5, 15,
	  "is 'gist.github.com': anybody can publish" },
	{ EGRESS "    - {allow: \"*.github.com:443\"}\n", "W-shared-host", 5, 15,
	  "includes 'gist.github.com'" },
	{ EGRESS "    - {allow: \"api.github.com:443\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"webhook.site\"}\n", "W-shared-host", 5, 15, "is 'webhook.site'" },
	{ EGRESS "    - {allow: \"x.webhook.site\"}\n", "W-shared-host", 5, 15, "belongs to" },
	{ EGRESS "    - {allow: \"mywebhook.site\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"pastebin.com\"}\n", "W-shared-host", 5, 15, "publish" },
	{ EGRESS "    - {deny: \"pastebin.com\"}\n", NULL, 0, 0, NULL },
	{ EGRESS "    - {allow: \"s3.amazonaws.com\"}\n", "W-shared-host", 5, 15, "storage" },
	{ EGRESS "    - {allow: \"mine.s3.amazonaws.com\"}\n", NULL, 0, 0, NULL },
};

static const struct sample_case file_cases[] = {
	{ "picket: 1\nfiles:\n  default: allow\n  rules:\n    - {deny: [/w/a, /w/b]}\n",
	  "W-deny-by-path", 5, 15, "'/w/a' is denied by its path" },
	{ FILES "    - {deny: [/w/a, /w/b]}\n", NULL, 0, 0, NULL },
	{ "picket: 1\nfiles:\n  default: allow\n  rules:\n    - {ask: /w/a, access: write}\n",
	  "W-deny-by-path", 5, 13, "'/w/a' is asked about by its path" },
	{ "picket: 1\ninclude: presets/secrets\nfiles:\n  default: allow\n", "W-deny-by-path", 4, 3,
	  "rules of presets deny by path" },
	{ FILES "    - {allow: [/a, \"/w/**\"], access: [read, write, exec]}\n", "W-write-exec", 5,
	  16, "what is written to '/a' can be run" },
	{ FILES
	  "    - {allow: \"/w/**\", access: [read, write]}\n    - {allow: \"/b/**\", access: exec}\n",
	  NULL, 0, 0, NULL },
	/* by two rules */
	{ FILES
	  "    - {allow: \"/w/**\", access: [read, write]}\n    - {allow: \"**\", access: exec}\n",
	  "W-write-exec", 5, 15, "'/w/**' can be run from there: '/w/x'" },
	/* programs inside of what is written: told once */
	{ FILES
	  "    - {allow: \"/w/**\", access: write}\n    - {allow: \"/w/b/*\", access: exec}\n",
	  "W-write-exec", 6, 15, "'/w/b/*' can be run from there: '/w/b/x" },
	{ FILES "    - {allow: \"/w/**\", access: write}\n    - {allow: \"/w/b/*\", access: exec}\n"
		"    - {deny: \"/w/b/**\", access: write}\n",
	  NULL, 0, 0, NULL },
	{ FILES "    - {allow: \"/w/**\", access: write}\n    - {allow: \"/w/**\", access: exec}\n",
	  "W-write-exec", 5, 15, "'/w/**'" },
	{ FILES "    - {allow: \"/w/**\", access: [read, write, exec]}\n"
		"exec:\n  default: deny\n  rules:\n    - {allow: \"/usr/bin/*\"}\n",
	  NULL, 0, 0, NULL },
};

static const struct sample_case command_cases[] = {
	{ EXEC "    - {deny: [sudo, wget]}\n", "W-argv", 5, 21, "'/usr/bin/busybox wget" },
	{ EXEC "    - {deny: [wget, busybox, \"python*\"]}\nfiles:\n  rules:\n"
	       "    - {allow: /w/a, access: write}\n",
	  NULL, 0, 0, NULL },
	{ EXEC "    - {deny: curl}\n", "W-argv", 5, 14, "'/usr/bin/python3 -c'" },
	{ EXEC "    - {deny: git push}\n", "W-argv", 5, 14,
	  "a copy of the program is not: '/tmp/x push" },
	{ EXEC "    - {ask: git push}\n", NULL, 0, 0, NULL },
	{ EXEC "    - {deny: sudo}\n", NULL, 0, 0, NULL },
	/* nothing that is written can be run */
	{ EXEC
	  "    - {deny: git push}\nfiles:\n  rules:\n    - {allow: \"/w/**\", access: write}\n",
	  NULL, 0, 0, NULL },
	/* an option in front of the subcommand, and both forms denied */
	{ "picket: 1\nexec:\n  default: deny\n  rules:\n    - {allow: /usr/bin/git}\n"
	  "    - {deny: git push}\n",
	  "W-argv", 6, 14, "the same behind an option is not: '/usr/bin/git --no-pager push" },
	{ "picket: 1\nexec:\n  default: deny\n  rules:\n    - {allow: /usr/bin/git}\n"
	  "    - {deny: [git push, git -* ... push]}\n",
	  NULL, 0, 0, NULL },
	{ "picket: 1\nexec:\n  default: deny\n  rules:\n    - {allow: /usr/bin/tool}\n"
	  "    - {deny: tool push}\n",
	  NULL, 0, 0, NULL },
};

static void check_cases(const struct sample_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_case(&cases[i]);
}

#define CASES(name)                                                                                \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		check_cases(name##_cases, sizeof(name##_cases) / sizeof(*name##_cases));           \
	}

CASES(dead)
CASES(host)
CASES(file)
CASES(command)

/* The name must be a word of its own. */
static void a_reason_accepts(void **state)
{
	static const struct sample_case cases[] = {
		{ EGRESS
		  "    - {allow: \"*\", reason: \"the whole web is the task, W-any-host\"}\n",
		  NULL, 0, 0, NULL },
		{ EGRESS "    - {allow: \"*\", reason: W-any-hosts}\n", "W-any-host", 5, 15,
		  "every" },
		{ EGRESS "    - {allow: \"*\", reason: W-any-host-x}\n", "W-any-host", 5, 15,
		  "every" },
		{ EGRESS "    - {allow: \"*\", reason: XW-any-host}\n", "W-any-host", 5, 15,
		  "every" },
		{ EGRESS "    - {allow: \"*\", reason: W-shared-host}\n", "W-any-host", 5, 15,
		  "every" },
	};

	(void)state;
	check_cases(cases, sizeof(cases) / sizeof(*cases));
}

/* A file that is included is narrowed and overlapped on purpose. */
static void includes_may_overlap(void **state)
{
	static const struct sample_case cases[] = {
		{ "picket: 1\ninclude: presets/forges\negress:\n  rules:\n    - {deny: github.com}\n",
		  NULL, 0, 0, NULL },
		{ "picket: 1\ninclude: presets/secrets\nfiles:\n  rules:\n"
		  "    - {allow: \"/w/.env\", access: read}\n",
		  "W-shadowed", 5, 15, "'allow: /w/.env' never" },
	};

	(void)state;
	check_cases(cases, sizeof(cases) / sizeof(*cases));
}

struct place {
	char folder[64];
};

static int enter(void **state)
{
	static struct place place;

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/test_warn.XXXXXX");
	*state = &place;
	return mkdtemp(place.folder) ? 0 : -1;
}

static int leave(void **state)
{
	const struct place *place = *state;
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", place->folder);
	return system(command); /* NOLINT(cert-env33-c): the folder is ours */
}

/* The policy's own file and a folder of PATH, by what this user may write there. */
static void the_agent_may_write(void **state)
{
	const struct place *place = *state;
	char path[128], text[512], folders[256];
	struct warn_world world = { .path = folders, .user = getuid() };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(diag_list_reset) struct diag_list denied = { 0 };
	CLEAN(diag_list_reset) struct diag_list others = { 0 };

	(void)snprintf(folders, sizeof(folders), "/usr/bin:%s::bin:%s/.:%s/more", place->folder,
		       place->folder, place->folder);
	(void)snprintf(path, sizeof(path), "%s/more", place->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/p.yaml", place->folder);
	(void)snprintf(text, sizeof(text),
		       FILES "    - {allow: \"%s/**\", access: [read, write]}\n", place->folder);
	write_file(path, text);
	warnings_of(path, text, &world, &diags);
	assert_int_equal(diags.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(diags.items[i].code, "W-agent-writable");
		assert_int_equal(diags.items[i].line, 5);
		assert_int_equal(diags.items[i].column, 15);
		assert_non_null(diags.items[i].excerpt);
		assert_int_equal(diags.items[i].length, strlen(place->folder) + 5);
	}
	assert_non_null(strstr(diags.items[0].message, "the policy itself"));
	/* Both folders in one, and the one that PATH has twice once. */
	assert_non_null(strstr(diags.items[1].message, "a folder of PATH"));
	assert_non_null(strstr(diags.items[1].message, ", and 1 more"));
	/* Somebody who may write neither. */
	world.user = 65533;
	warnings_of(path, text, &world, &others);
	assert_int_equal(others.count, 0);
	world.user = getuid();
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		       "    - {deny: [\"%s/p.yaml\", \"%s/x\", \"%s/more/x\"], access: write}\n",
		       place->folder, place->folder, place->folder);
	warnings_of(path, text, &world, &denied);
	assert_int_equal(denied.count, 0);
}

/* What is shipped has been looked at: it warns about nothing. */
static void what_is_shipped_is_clean(void **state)
{
	glob_t files = { 0 };

	(void)state;
	assert_int_equal(glob("policies/*/*.yaml", 0, NULL, &files), 0);
	assert_true(files.gl_pathc > policy_preset_count);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		CLEAN_FREE char *text = read_file(files.gl_pathv[i]);
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };

		warnings_of(files.gl_pathv[i], text, NULL, &diags);
		if (diags.count)
			diag_print(&diags, stderr);
		assert_int_equal(diags.count, 0);
	}
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dead),
		cmocka_unit_test(host),
		cmocka_unit_test(file),
		cmocka_unit_test(command),
		cmocka_unit_test(a_reason_accepts),
		cmocka_unit_test(includes_may_overlap),
		cmocka_unit_test_setup_teardown(the_agent_may_write, enter, leave),
		cmocka_unit_test(what_is_shipped_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
