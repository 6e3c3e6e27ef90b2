/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy text to model: what ends up in the model, and how variables change patterns. What
 * is printed about faults is in tests/cases, what has to do with files in test_policy_files.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/exec_words.h"
#include "policy/load.h"
#include "policy/presets.h"

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/srv/w/" },
	{ "ROOT", "/" },
	{ "STRANGE", "/a*b/[c]/{d,e}/f?\\g" },
	{ "EMPTY", "" },
	{ "DOTS", "/a/../b" },
	{ "CONTROL", "/a\nb" },
};

static char *resolve(const char *path)
{
	return realpath(path, NULL);
}

static const struct policy_context plain_context = {
	.builtins = builtins,
	.builtin_count = sizeof(builtins) / sizeof(*builtins),
};

static const struct policy_context links_context = {
	.builtins = builtins,
	.builtin_count = sizeof(builtins) / sizeof(*builtins),
	.resolve = resolve,
};

static struct policy *load_in(const struct policy_context *context, const char *text,
			      struct diag_list *diags)
{
	struct policy *policy = NULL;
	int r = policy_load_text("t.yaml", text, strlen(text), context, &policy, diags);

	assert_int_equal(r == 0, policy != NULL);
	assert_int_equal(r < 0, diag_has_errors(diags));
	return policy;
}

/* Load @text, which must be without fault. */
static struct policy *load(const char *text)
{
	struct diag_list diags = { 0 };
	struct policy *policy = load_in(&plain_context, text, &diags);

	if (!policy)
		diag_print(&diags, stderr);
	assert_non_null(policy);
	diag_list_reset(&diags);
	return policy;
}

/* Load @text, which must have a fault whose message has @part in it. */
static void refuse(const char *text, const char *part)
{
	struct diag_list diags = { 0 };

	assert_null(load_in(&plain_context, text, &diags));
	assert_true(diags.count > 0);
	if (!strstr(diags.items[0].message, part))
		fail_msg("%s: '%s' is not in '%s'", text, part, diags.items[0].message);
	diag_list_reset(&diags);
}

static const char everything[] =
	"picket: 1\n"
	"name: all\n"
	"description: d\n"
	"mode: audit\n"
	"vars: {net: 10.0.0.0/8}\n"
	"egress:\n"
	"  default: allow\n"
	"  rules:\n"
	"    - {allow: \"${net}:443\", id: one, reason: why, protocol: tcp}\n"
	"    - {deny: [\"@loopback\", \"::1\"]}\n"
	"exec:\n"
	"  rules:\n"
	"    - {deny: /usr/bin/su}\n"
	"report: {activity: [exec, read], rate: 50/s}\n"
	"tests:\n"
	"  - {connect: \"10.0.0.1:53\", protocol: udp, expect: deny}\n"
	"  - {open: /x, access: [write, exec], expect: allow}\n"
	"  - {exec: \"${HOME}/x\", expect: deny}\n";

static void test_header(void **state)
{
	struct policy *p = load(everything);

	(void)state;
	assert_string_equal(p->name, "all");
	assert_string_equal(p->description, "d");
	assert_true(p->audit);
	assert_int_equal(p->activity, PK_ACTIVITY_EXEC | PK_ACTIVITY_READ);
	assert_int_equal(p->rate, 50);
	assert_int_equal(p->file_count, 1);
	assert_string_equal(p->files[0], "t.yaml");
	assert_true(p->sections[PK_SECTION_EGRESS].present);
	assert_int_equal(p->sections[PK_SECTION_EGRESS].default_verdict, PK_VERDICT_ALLOW);
	assert_false(p->sections[PK_SECTION_FILES].present);
	assert_int_equal(p->sections[PK_SECTION_FILES].default_verdict, PK_VERDICT_DENY);
	assert_true(p->sections[PK_SECTION_EXEC].present);
	assert_int_equal(p->sections[PK_SECTION_EXEC].default_verdict, PK_VERDICT_DENY);
	policy_free(&p);
	assert_null(p);
	policy_free(&p);
}

static void test_rules(void **state)
{
	struct policy *p = load(everything);
	const struct policy_rule *rule = p->rules;

	(void)state;
	assert_int_equal(p->rule_count, 3);
	assert_int_equal(rule->section, PK_SECTION_EGRESS);
	assert_int_equal(rule->verdict, PK_VERDICT_ALLOW);
	assert_int_equal(rule->access, PK_ACCESS_TCP);
	assert_string_equal(rule->id, "one");
	assert_string_equal(rule->reason, "why");
	assert_int_equal(rule->pattern_count, 1);
	assert_string_equal(rule->patterns[0].source, "${net}:443");
	assert_null(rule->patterns[0].glob);
	assert_int_equal(rule->patterns[0].range_count, 1);
	assert_int_equal(rule->patterns[0].ports[0].low, 443);
	assert_int_equal(rule->patterns[0].pos.line, 9);
	assert_int_equal(rule->patterns[0].pos.column, 15);
	assert_ptr_equal(rule->patterns[0].pos.file, p->files[0]);
	rule++;
	assert_int_equal(rule->verdict, PK_VERDICT_DENY);
	assert_int_equal(rule->access, PK_ACCESS_EGRESS);
	assert_int_equal(rule->pattern_count, 2);
	assert_int_equal(rule->patterns[0].range_count, 2);
	assert_null(rule->id);
	rule++;
	assert_int_equal(rule->section, PK_SECTION_EXEC);
	assert_int_equal(rule->access, PK_ACCESS_RUN);
	assert_string_equal(rule->patterns[0].glob, "/usr/bin/su");
	policy_free(&p);
}

static void test_inline_tests(void **state)
{
	struct policy *p = load(everything);

	(void)state;
	assert_int_equal(p->test_count, 3);
	assert_int_equal(p->tests[0].kind, POLICY_TEST_CONNECT);
	assert_int_equal(p->tests[0].port, 53);
	assert_int_equal(p->tests[0].access, PK_ACCESS_UDP);
	assert_int_equal(p->tests[0].address.low[12], 10);
	assert_int_equal(p->tests[0].expect, PK_VERDICT_DENY);
	assert_int_equal(p->tests[1].access, PK_ACCESS_WRITE | PK_ACCESS_EXEC);
	assert_int_equal(p->tests[1].expect, PK_VERDICT_ALLOW);
	assert_int_equal(p->tests[2].kind, POLICY_TEST_EXEC);
	assert_string_equal(p->tests[2].target, "/home/u/x");
	policy_free(&p);
}

static void test_access(void **state)
{
	struct policy *p = load("picket: 1\nfiles:\n  rules:\n"
				"    - {deny: /a}\n"
				"    - {deny: /a, access: connect}\n"
				"    - {allow: /a, access: [read, write]}\n"
				"    - {allow: /a, access: all}\n");

	(void)state;
	assert_int_equal(p->rules[0].access, PK_ACCESS_FILES);
	assert_int_equal(p->rules[1].access, PK_ACCESS_CONNECT);
	assert_int_equal(p->rules[2].access, PK_ACCESS_READ | PK_ACCESS_WRITE);
	assert_int_equal(p->rules[3].access, PK_ACCESS_FILES);
	policy_free(&p);
}

/* A rule of exec that denies, or allows, @pattern: its words joined by '|', its glob or "". */
static void assert_words(const char *verdict, const char *pattern, const char *words,
			 const char *glob)
{
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *joined = NULL;
	const struct policy_pattern *made;
	struct policy *p;
	size_t size = 0;
	FILE *to = open_memstream(&joined, &size);

	assert_non_null(to);
	assert_true(asprintf(&text,
			     "picket: 1\nvars: {v: 'a b{', d: '...'}\n"
			     "exec: {rules: [{%s: '%s'}]}\n",
			     verdict, pattern) > 0);
	p = load(text);
	made = &p->rules[0].patterns[0];
	for (size_t i = 0; i < made->word_count; i++)
		(void)fprintf(to, "%s%s", i ? "|" : "", made->words[i]);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(joined, words);
	assert_string_equal(made->glob ? made->glob : "", glob);
	assert_string_equal(made->source, pattern);
	policy_free(&p);
}

static void test_commands(void **state)
{
	(void)state;
	/* A path is itself, a name is that name anywhere. */
	assert_words("deny", "/usr/bin/su", "/usr/bin/su", "/usr/bin/su");
	assert_words("deny", "**/su", "**/su", "**/su");
	assert_words("deny", "su", "**/su", "**/su");
	assert_words("deny", "{su,sudo}", "**/{su,sudo}", "**/{su,sudo}");
	assert_words("deny", "python3*", "**/python3*", "**/python3*");
	assert_words("deny", "*", "**/*", "**/*");
	assert_words("deny", "**", "**", "**");
	/* Words: only a denial by arguments leaves the program alone. */
	assert_words("deny", "  git   push ", "**/git|push", "");
	assert_words("allow", "git push", "**/git|push", "**/git");
	assert_words("deny", "/usr/bin/git push", "/usr/bin/git|push", "");
	assert_words("deny", "a\\ b c\\ \\ d \\*", "**/a\\ b|c\\ \\ d|\\*", "");
	assert_words("deny", "docker ... --privileged", "**/docker|...|--privileged", "");
	/* The rest is open, so that saying so changes nothing. */
	assert_words("deny", "git push ...", "**/git|push", "");
	assert_words("deny", "git ...", "**/git", "**/git");
	assert_words("deny", "git \\...", "**/git|\\...", "");
	/* A value is one word's plain bytes, whatever is in it. */
	assert_words("deny", "echo ${v}x", "**/echo|a\\ b\\{x", "");
	assert_words("deny", "${v}", "**/a\\ b\\{", "**/a\\ b\\{");
	assert_words("deny", "echo ${d}", "**/echo|\\...", "");
	/* A bracket ends with its word. */
	assert_words("deny", "${HOME}/x [!a]${d}", "/home/u/x|[!a]\\...", "");
}

static void assert_split(const char *text, const char *expected)
{
	CLEAN(exec_words_free) char **words = NULL;
	CLEAN_FREE char *joined = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&joined, &size);
	int count = exec_words_split(text, &words);

	assert_non_null(to);
	assert_true(count >= 0);
	for (int i = 0; i < count; i++)
		(void)fprintf(to, "%s|", words[i]);
	assert_null(words[count]);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(joined, expected);
}

static void test_split(void **state)
{
	(void)state;
	assert_split("", "");
	assert_split("   ", "");
	assert_split("git", "git|");
	assert_split(" git  push ", "git|push|");
	assert_split("a\\ b \\\\ c\\", "a b|\\|c\\|");
	assert_split("[x ... *", "[x|...|*|");
}

static void test_by(void **state)
{
	struct policy *p = load("picket: 1\nvars: {v: /a b}\n"
				"egress: {rules: [{allow: '@any', by: /usr/bin/git}]}\n"
				"files: {rules: [{deny: /a, by: ['**/git', '${v}/x']},"
				" {deny: /a}]}\n"
				"exec: {rules: [{deny: ld, by: '/usr/bin/{a,b}'}]}\n"
				"unix: {rules: [{allow: x, by: '/opt/x\\ y'}]}\n"
				"tests:\n"
				"  - {run: git push, by: '${HOME}/x', expect: deny}\n"
				"  - {unix: '@x', expect: deny}\n");

	(void)state;
	assert_int_equal(p->rules[0].by_count, 1);
	assert_string_equal(p->rules[0].by[0], "/usr/bin/git");
	assert_int_equal(p->rules[1].by_count, 2);
	assert_string_equal(p->rules[1].by[0], "**/git");
	assert_string_equal(p->rules[1].by[1], "/a\\ b/x");
	assert_int_equal(p->rules[2].by_count, 0);
	assert_null(p->rules[2].by);
	assert_string_equal(p->rules[3].by[0], "/usr/bin/{a,b}");
	assert_string_equal(p->rules[4].by[0], "/opt/x\\ y");
	assert_int_equal(p->tests[0].kind, POLICY_TEST_RUN);
	assert_string_equal(p->tests[0].target, "git push");
	assert_string_equal(p->tests[0].by, "/home/u/x");
	assert_int_equal(p->tests[1].kind, POLICY_TEST_UNIX);
	assert_string_equal(p->tests[1].target, "x");
	assert_null(p->tests[1].by);
	policy_free(&p);
}

static void test_unix(void **state)
{
	struct policy *p = load("picket: 1\nunix:\n  default: allow\n  rules:\n"
				"    - {deny: ['@a*', b/c, '**/tmp/x', '**', '${USER}'], id: n}\n");
	const struct policy_pattern *patterns = p->rules[0].patterns;

	(void)state;
	assert_true(p->sections[PK_SECTION_UNIX].present);
	assert_int_equal(p->sections[PK_SECTION_UNIX].default_verdict, PK_VERDICT_ALLOW);
	assert_int_equal(p->rules[0].section, PK_SECTION_UNIX);
	assert_int_equal(p->rules[0].access, PK_ACCESS_ABSTRACT);
	assert_string_equal(patterns[0].glob, "/a*");
	assert_string_equal(patterns[0].source, "@a*");
	assert_string_equal(patterns[1].glob, "/b/c");
	assert_string_equal(patterns[2].glob, "/**/tmp/x");
	assert_string_equal(patterns[3].glob, "/**");
	assert_string_equal(patterns[4].glob, "/u");
	assert_int_equal(patterns[0].word_count, 0);
	policy_free(&p);
}

static void test_names(void **state)
{
	static const struct {
		const char *file;
		const char *name;
	} rows[] = { { "/etc/a/my-policy.yaml", "my-policy" },
		     { "x.yml", "x" },
		     { "y", "y" },
		     { "a b.yaml", "policy" },
		     { ".yaml", "policy" },
		     { "/dev/fd/63", "63" },
		     { "a.b.yaml", "policy" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct diag_list diags = { 0 };
		struct policy *p = NULL;

		assert_int_equal(policy_load_text(rows[i].file, "picket: 1", 9, &plain_context, &p,
						  &diags),
				 0);
		assert_string_equal(p->name, rows[i].name);
		policy_free(&p);
		diag_list_reset(&diags);
	}
}

/* A rule of files that denies @pattern; its glob must be @glob. */
static void assert_glob(const char *vars, const char *pattern, const char *glob)
{
	CLEAN_FREE char *text = NULL;
	struct policy *p;

	assert_true(asprintf(&text, "picket: 1\nvars: {%s}\nfiles: {rules: [{deny: '%s'}]}\n", vars,
			     pattern) > 0);
	p = load(text);
	assert_string_equal(p->rules[0].patterns[0].glob, glob);
	assert_string_equal(p->rules[0].patterns[0].source, pattern);
	policy_free(&p);
}

static void test_variables(void **state)
{
	(void)state;
	assert_glob("", "${HOME}/.ssh/**", "/home/u/.ssh/**");
	assert_glob("", "${CWD}/x", "/srv/w/x");
	assert_glob("", "/home/${USER}x/${USER}", "/home/ux/u");
	assert_glob("a: \"${HOME}/a\", b: \"${a}/b/\"", "${b}/c", "/home/u/a/b/c");
	/* The root in front of a path is not doubled, and alone it is itself. */
	assert_glob("", "${ROOT}/x", "/x");
	assert_glob("", "${ROOT}", "/");
	assert_glob("", "${ROOT}x", "/x");
	/* Dollar signs. */
	assert_glob("", "/$$HOME/$$$$/\\$x", "/$HOME/$$/\\$x");
	assert_glob("", "/[$x]/y", "/[$x]/y");
	/* What a value holds is no pattern, wherever it came from. */
	assert_glob("", "${STRANGE}/*", "/a\\*b/\\[c\\]/\\{d\\,e\\}/f\\?\\\\g/*");
	assert_glob("v: \"x{y,z}*\"", "/{${v},w}", "/{x\\{y\\,z\\}\\*,w}");
	assert_glob("v: \"${STRANGE}\"", "${v}", "/a\\*b/\\[c\\]/\\{d\\,e\\}/f\\?\\\\g");
	/* ... and it is not expanded again. */
	assert_glob("v: \"$${HOME}\"", "/${v}", "/$\\{HOME\\}");
}

static void test_variable_faults(void **state)
{
	static const struct {
		const char *text;
		const char *part;
	} rows[] = {
		{ "picket: 1\nfiles: {rules: [{deny: \"${EMPTY}/x\"}]}", "is empty" },
		{ "picket: 1\nfiles: {rules: [{deny: \"${DOTS}/x\"}]}", "'..'" },
		{ "picket: 1\nfiles: {rules: [{deny: \"${CONTROL}\"}]}", "control character" },
		{ "picket: 1\nfiles: {rules: [{deny: \"${USER}\"}]}", "begins with" },
		{ "picket: 1\nfiles: {rules: [{deny: \"/a${HOME}/../b\"}]}", "'..'" },
		{ "picket: 1\nfiles: {rules: [{deny: \"/[${USER}]\"}]}", "class" },
		{ "picket: 1\nvars: {a: .}\n", "'.'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		refuse(rows[i].text, rows[i].part);
}

static void test_overrides(void **state)
{
	static const char text[] = "picket: 1\nvars: {a: /x, b: \"${a}/y\"}\n"
				   "files: {rules: [{deny: \"${b}/z\"}]}\n";
	const struct policy_variable set[] = { { "a", "/new*/" }, { "a", "/later$/" } };
	struct policy_context context = plain_context;
	struct diag_list diags = { 0 };
	struct policy *p;

	(void)state;
	context.overrides = set;
	context.override_count = 1;
	p = load_in(&context, text, &diags);
	assert_string_equal(p->rules[0].patterns[0].glob, "/new\\*/y/z");
	policy_free(&p);
	context.override_count = 2;
	p = load_in(&context, text, &diags);
	assert_string_equal(p->rules[0].patterns[0].glob, "/later$/y/z");
	policy_free(&p);
	diag_list_reset(&diags);
}

static void test_presets(void **state)
{
	(void)state;
	assert_true(policy_preset_count > 0);
	for (size_t i = 0; i < policy_preset_count; i++) {
		CLEAN_FREE char *text = NULL;
		struct diag_list diags = { 0 };
		struct policy *p;

		assert_int_equal(strlen(policy_presets[i].text), policy_presets[i].length);
		assert_true(asprintf(&text, "picket: 1\ninclude: presets/%s\n",
				     policy_presets[i].name) > 0);
		p = load_in(&links_context, text, &diags);
		if (!p || diags.count > 0)
			diag_print(&diags, stderr);
		assert_non_null(p);
		assert_int_equal(diags.count, 0);
		assert_true(p->rule_count > 0);
		policy_free(&p);
		diag_list_reset(&diags);
	}
	refuse("picket: 1\ninclude: other.yaml\n", "no file can be included here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_inline_tests),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_variable_faults),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_by),
		cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests_name("policy load", tests, NULL, NULL);
}
