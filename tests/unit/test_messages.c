/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every message of the policy language has an expectation with its position: a golden case
 * (tests/cases), or one here when it takes more files or bytes than a case has, or comes while the
 * policy is compiled. messages_judge.py sees to it that none is forgotten.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "commands.h"
#include "policy/compile.h"
#include "policy/front.h"
#include "policy/load.h"
#include "policy/managed.h"
#include "policy/policy_args.h"
#include "policy/policy_tests.h"
#include "sign/key.h"
#include "sign/manifest.h"
#include "sign/serials.h"

/** Where the tests run, and where they began. */
struct place {
	char folder[40];
	char home[4096];
};

static struct place *place(void)
{
	static struct place place = { "/tmp/picket-messages-XXXXXX", "" };

	return &place;
}

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/srv//x" },
};

/* Paths of /link lead elsewhere. */
static char *resolve(const char *path)
{
	char *result = NULL;

	if (strncmp(path, "/link", 5) != 0)
		return strdup(path);
	return asprintf(&result, "/real%s", path + 5) < 0 ? NULL : result;
}

static const struct policy_context context = { .builtins = builtins,
					       .builtin_count = 3,
					       .resolve = resolve };

/* What is found about the policy in the file @path or the text @text, its tests included; malloc'ed. */
static char *findings(const char *path, const char *text)
{
	const struct compile_options options = { 0 };
	CLEAN(policy_free) struct policy *policy = NULL;
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	const struct policy *layers[1];
	char *printed = NULL;
	size_t size = 0, passed = 0;
	FILE *to = open_memstream(&printed, &size);
	int r = path ? policy_load_file(path, &context, &policy, &diags) :
		       policy_load_text("p.yaml", text, strlen(text), &context, &policy, &diags);

	assert_non_null(to);
	layers[0] = policy;
	if (r == 0)
		r = policy_compile(layers, 1, &options, &image, &diags);
	if (r == 0)
		(void)policy_tests_run(policy, &image, &passed, &diags);
	diag_print(&diags, to);
	assert_int_equal(fclose(to), 0);
	diag_list_reset(&diags);
	return printed;
}

static void assert_found(const char *path, const char *text, const char *expected)
{
	CLEAN_FREE char *printed = findings(path, text);

	if (!strstr(printed, expected))
		fail_msg("not '%s' but:\n%.2000s", expected, printed);
}

static void test_texts(void **state)
{
	static const char *const rows[][2] = {
		{ "picket: 1\nfiles:\n  rules:\n    - {deny: \"${CWD}/x\"}\n",
		  "p.yaml:4:15: error: the value '/srv//x' of the variable 'CWD' has '//' in it" },
		{ "picket: 1\nfiles:\n  rules:\n    - {deny: /a}\n    - {deny: [/b, /a]}\n",
		  "p.yaml:5:19: error: '/a' can never decide anything: it repeats '/a' at line 4, "
		  "column 14" },
		{ "picket: 1\ninclude: x.yaml\n",
		  "p.yaml:2:10: error: no file can be included here" },
		{ "picket: 1\nexec: {default: allow}\ntests:\n  - {exec: /bin/a, expect: deny}\n",
		  "p.yaml:4:5: error: this test fails: exec '/bin/a' must give deny, and gives allow" },
		{ "picket: 1\nexec: {default: allow}\napprovals: {timeout: 1m}\n",
		  "p.yaml:3:12: warning: nothing in this policy asks, so that 'approvals' has no "
		  "effect" },
		{ "picket: 1\nfiles:\n  rules:\n    - {allow: /link/a, access: read}\n",
		  "p.yaml:4:15: warning: this path leads through a symbolic link: the kernel sees "
		  "'/real/a'" },
		{ "picket: 1\negress:\n  rules:\n    - {allow: \"@registries\"}\n",
		  "p.yaml:4:15: warning: '@registries' stands for nothing: no configuration names a "
		  "registry" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_found(NULL, rows[i][0], rows[i][1]);
}

/* As many lists of programs as there can be, and one more. */
static void test_programs(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\nfiles:\n  default: allow\nexec:\n  rules:\n", to);
	for (unsigned int i = 0; i <= 31; i++)
		(void)fprintf(to, "    - {allow: /a%u, by: /b%u}\n", i, i);
	assert_int_equal(fclose(to), 0);
	assert_found(
		NULL, text,
		"p.yaml:37:7: error: 'by' names yet another set of programs, 31 different ones "
		"are the most");
}

/* More ports of one address than a set of rules holds; the first ones are named. */
static void test_overlap(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\negress:\n  rules:\n", to);
	for (unsigned int i = 0; i < 200; i++)
		(void)fprintf(to, "    - {allow: \"192.0.2.1:%u\"}\n", 1000 + 2 * i);
	assert_int_equal(fclose(to), 0);
	assert_found(NULL, text,
		     "p.yaml:4:15: error: 200 rules and port ranges decide about one and the same "
		     "address, at most 128 may");
	assert_found(NULL, text, "p.yaml:5:15: error: '192.0.2.1:1002' is one of them");
}

/* Alternatives that lead elsewhere are added to a rule that denies, as many as a pattern may have. */
static void test_links(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\nfiles:\n  rules:\n    - {deny: \"/link/{", to);
	for (unsigned int i = 0; i < 600; i++)
		(void)fprintf(to, "%sd%u", i ? "," : "", i);
	(void)fputs("}/x\"}\n", to);
	assert_int_equal(fclose(to), 0);
	assert_found(
		NULL, text,
		"p.yaml:4:14: error: too many of its alternatives lead through symbolic links");
}

static void test_million(void **state)
{
	static const char head[] = "picket: 1\ntests:\n";
	const size_t count = 1000000;
	CLEAN_FREE char *text = malloc(sizeof(head) + count * 4);
	char *at = text;

	(void)state;
	assert_non_null(text);
	at = stpcpy(at, head);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, "- a\n");
	/* Five values come before: the map, two keys, the version, the list. */
	assert_found(NULL, text, "p.yaml:999998:3: error: the file has more than a million values");
}

static void write_numbered(const char *name, unsigned int number, const char *text)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "%s%u.yaml", name, number);
	write_file(path, text);
}

static void remove_numbered(const char *name, unsigned int count)
{
	char path[32];

	for (unsigned int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s%u.yaml", name, i);
		assert_int_equal(unlink(path), 0);
	}
}

static void test_deep(void **state)
{
	char text[64];

	(void)state;
	for (unsigned int i = 0; i <= POLICY_INCLUDE_DEPTH + 1; i++) {
		(void)snprintf(text, sizeof(text), "picket: 1\ninclude: d%u.yaml\n", i + 1);
		write_numbered("d", i, text);
	}
	assert_found("d0.yaml", "", "d16.yaml:2:10: error: includes are nested more than 16 deep");
	remove_numbered("d", POLICY_INCLUDE_DEPTH + 2);
}

static void test_many(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\ninclude:\n", to);
	for (unsigned int i = 0; i < POLICY_FILES_MAX; i++) {
		(void)fprintf(to, "  - m%u.yaml\n", i);
		write_numbered("m", i, "picket: 1\n");
	}
	assert_int_equal(fclose(to), 0);
	write_file("p.yaml", text);
	assert_found("p.yaml", "", "p.yaml:258:5: error: more than 256 files");
	remove_numbered("m", POLICY_FILES_MAX);
	assert_int_equal(unlink("p.yaml"), 0);
}

static void test_large(void **state)
{
	const size_t length = POLICY_FILE_MAX - 16;
	CLEAN_FREE char *text = malloc(length + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', length);
	memcpy(text, "picket: 1\n", 10);
	text[length] = '\0';
	for (unsigned int i = 0; i < 5; i++)
		write_numbered("l", i, text);
	write_file("p.yaml", "picket: 1\ninclude: [l0.yaml, l1.yaml, l2.yaml, l3.yaml, l4.yaml]\n");
	assert_found("p.yaml", "",
		     "p.yaml:2:47: error: with this file the policy has more than 32 MiB");
	remove_numbered("l", 5);
	assert_int_equal(unlink("p.yaml"), 0);
}

/* More agents around a policy than there can be layers. */
static void test_around(void **state)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	struct policy_args args[PK_LAYERS_MAX + 1] = { 0 };

	(void)state;
	write_file("p.yaml", "picket: 1\nexec: {default: allow}\n");
	for (size_t i = 0; i <= PK_LAYERS_MAX; i++) {
		args[i].path = "p.yaml";
		args[i].no_managed = true;
		args[i].around = i < PK_LAYERS_MAX ? &args[i + 1] : NULL;
	}
	assert_int_equal(policy_args_compile(&args[0], &policy, &diags), -EINVAL);
	assert_int_equal(unlink("p.yaml"), 0);
	policy_args_reset(&args[0]);
	assert_int_equal(diags.count, 1);
	assert_string_equal(diags.items[0].message,
			    "the policy would be one of more than 8 layers: managed ones, those of "
			    "the agents around it, and its own");
}

/* A folder that is a file. */
static void test_no_folder(void **state)
{
	const struct policy_context guarded = { .guarded = true, .owner = geteuid() };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct managed managed = { 0 };

	(void)state;
	write_file("m", "");
	assert_int_equal(managed_load("m", &context, &managed, &diags), -ENOTDIR);
	assert_string_equal(diags.items[0].message,
			    "cannot read the managed layers in 'm': Not a directory");
	diag_list_reset(&diags);
	assert_int_equal(managed_load("m", &guarded, &managed, &diags), -EPERM);
	assert_string_equal(diags.items[0].message,
			    "cannot read the managed layers in 'm': it is not a folder");
	assert_int_equal(unlink("m"), 0);
}

/* The record of serials is where no folder can be. */
static void test_serials(void **state)
{
	char text[] = "x";
	const struct manifest manifest = { .text = text, .size = 1 };
	const char *hint = NULL;
	char *why = NULL;

	(void)state;
	assert_int_equal(serials_check("/dev/null/x/serials", geteuid(), SERIALS_BEGIN, &manifest,
				       &why, &hint),
			 -ENOTDIR);
	assert_string_equal(why, "cannot make the folder '/dev/null/x': Not a directory");
	free(why);
	assert_int_equal(serials_check("/dev/null/serials", geteuid(), SERIALS_ACCEPT, &manifest,
				       &why, &hint),
			 -ENOTDIR);
	assert_string_equal(why, "cannot read the folder '/dev/null': Not a directory");
	free(why);
}

/* Sign p.yaml by a new key, whose public half a layer of the folder m asks for. */
static void make_signed(const char *key_path)
{
	CLEAN(sign_key_reset) struct sign_key key = { 0 };
	struct policy_args args = { .path = "p.yaml", .no_managed = true };
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *layer = NULL;
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *why = NULL;

	assert_int_equal(sign_key_make(&key), 0);
	assert_int_equal(sign_key_write(&key, key_path, &why), 0);
	assert_true(asprintf(&layer,
			     "picket: 1\nrequire_signature: %s.pub\nexec: {default: allow}\n",
			     key_path) > 0);
	assert_int_equal(mkdir("m", 0755), 0);
	write_file("m/a.yaml", layer);
	write_file("p.yaml", "picket: 1\nexec: {default: allow}\n");
	assert_int_equal(policy_args_compile(&args, &policy, &diags), 0);
	assert_int_equal(manifest_sign(policy.policy, &key, 7, &text), 0);
	write_file("p.yaml.sig", text);
	assert_int_equal(mkdir("state", 0700), 0);
	write_file("state/serials", "picket serials 1\n");
	policy_args_reset(&args);
}

/* The first finding when p.yaml is loaded; malloc'ed. */
static char *load_signed(bool draft, int *ret_result)
{
	struct policy_args args = {
		.path = "p.yaml", .managed = "m", .managed_draft = draft, .serials = "state/serials"
	};
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	*ret_result = policy_args_compile(&args, &policy, &diags);
	policy_args_reset(&args);
	return strdup(diags.count ? diags.items[0].message : "");
}

/* A layer of the machine believes only in keys that nobody else can change; only root sees the record. */
static void test_signed(void **state)
{
	static const char *const made[] = { "m/a.yaml",	     "p.yaml", "p.yaml.sig",
					    "state/serials", "k",      "k.pub" };
	CLEAN_FREE char *key = NULL;
	CLEAN_FREE char *public = NULL;
	CLEAN_FREE char *expected = NULL;
	CLEAN_FREE char *of_machine = NULL;
	CLEAN_FREE char *of_others = NULL;
	int result;

	(void)state;
	if (geteuid() != 0)
		skip(); /* such layers are root's, and only root can be somebody else */
	assert_true(asprintf(&key, "%s/k", place()->folder) > 0);
	assert_true(asprintf(&public, "%s.pub", key) > 0);
	make_signed(key);
	assert_int_equal(chmod(public, 0666), 0);
	of_machine = load_signed(false, &result);
	assert_int_equal(result, -EPERM);
	assert_true(asprintf(&expected,
			     "cannot read the key '%s' of 'require_signature': others than its "
			     "owner may write it (mode 0666)",
			     public) > 0);
	assert_string_equal(of_machine, expected);
	assert_int_equal(chmod(place()->folder, 0755), 0);
	assert_int_equal(seteuid(65534), 0);
	of_others = load_signed(true, &result);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(of_others, "only root can tell whether its serial 7 is the newest");
	assert_int_equal(result, 0);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		assert_int_equal(unlink(made[i]), 0);
	assert_int_equal(rmdir("m") || rmdir("state"), 0);
}

/* Run a judge of this folder. */
static void judge(const char *script, const char *meaning)
{
	CLEAN_FREE char *command = NULL;

	assert_true(asprintf(&command, "cd '%s' && python3 tests/unit/%s >/dev/null", place()->home,
			     script) > 0);
	if (system(command) != 0) /* NOLINT(cert-env33-c): words of our own */
		fail_msg("%s, see above", meaning);
}

static void test_all(void **state)
{
	(void)state;
	judge("messages_judge.py", "a message without an expectation");
}

static void test_run(void **state)
{
	const char *binary = getenv("PICKET");

	(void)state;
	if (!binary || access(binary, X_OK) < 0)
		skip();
	judge("messages_run.py", "the program says something else");
}

static int enter_folder(void **state)
{
	(void)state;
	return !getcwd(place()->home, sizeof(place()->home)) || !mkdtemp(place()->folder) ||
	       chdir(place()->folder);
}

static int leave_folder(void **state)
{
	(void)state;
	return chdir(place()->home) || rmdir(place()->folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_around),	cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_run),	cmocka_unit_test(test_all),
		cmocka_unit_test(test_serials), cmocka_unit_test(test_signed),
		cmocka_unit_test(test_texts),	cmocka_unit_test(test_programs),
		cmocka_unit_test(test_overlap), cmocka_unit_test(test_links),
		cmocka_unit_test(test_million), cmocka_unit_test(test_deep),
		cmocka_unit_test(test_many),	cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("messages", tests, enter_folder, leave_folder);
}
