/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked about in words, the rule that asks found again, and the local file: what is written is
 * read back and answers that act, asked by that rule, and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "daemon/ask_act.h"
#include "daemon/ask_book.h"
#include "events.h"
#include "policies.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define HEAD "picket: 1\nname: t\n"

static void free_json(json_t **json)
{
	json_decref(*json);
}

/* --- Rules ---------------------------------------------------------------------------------------- */

/* The only rule of the image that asks. */
static __u32 asking_rule(const struct policy_image *image)
{
	__u32 count = image_head(image)->part[PK_PART_RULES].size / sizeof(struct pk_rule);

	for (__u32 i = 0; i < count; i++) {
		if (image_rule(image, i)->verdict == PK_VERDICT_ASK)
			return i;
	}
	fail_msg("no rule asks");
	return PK_RULE_NONE;
}

static const struct {
	const char *name;
	const char *after;
	bool same;
} changes[] = {
	{ "nothing", "    - {ask: \"*:22\", reason: r}\n", true },
	{ "others before it", "    - allow: \"10.0.0.1:1\"\n    - {ask: \"*:22\", reason: r}\n",
	  true },
	{ "another reason", "    - {ask: \"*:22\", reason: other}\n", true },
	{ "another pattern", "    - {ask: \"*:23\", reason: r}\n", false },
	{ "it allows now", "    - {allow: \"*:22\", reason: r}\n    - ask: \"*:9\"\n", false },
	{ "it denies now", "    - {deny: \"*:22\", reason: r}\n    - ask: \"*:9\"\n", false },
	{ "another id", "    - {ask: \"*:22\", id: x}\n", false },
	{ "one more approver", "    - {ask: \"*:22\", approvers: 2}\n", false },
	{ "for one program only", "    - {ask: \"*:22\", by: /usr/bin/ssh}\n", false },
	{ "it is gone", "    - ask: \"*:9\"\n", false },
};

static struct policy_image compile(const char *rules)
{
	CLEAN_FREE char *text = NULL;

	assert_true(asprintf(&text,
			     HEAD "files: {default: deny}\negress:\n  default: deny\n  rules:\n%s",
			     rules) > 0);
	return policy_text_compile("t.yaml", text);
}

static void a_rule_is_the_same_when_it_says_the_same(void **state)
{
	struct policy_image before = compile("    - {ask: \"*:22\", reason: r}\n");

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct policy_image after = compile(changes[i].after);
		__u32 found = ask_find_rule(&before, asking_rule(&before), &after);

		if ((found != PK_RULE_NONE) != changes[i].same)
			fail_msg("%s: rule %x", changes[i].name, found);
		if (changes[i].same)
			assert_int_equal(found, asking_rule(&after));
		image_reset(&after);
	}
	image_reset(&before);
}

static void programs_of_a_rule_count_by_their_names(void **state)
{
	static const char *const texts[] = {
		"    - {ask: \"*:22\", by: [/usr/bin/ssh, /usr/bin/git]}\n",
		"    - {allow: \"10.0.0.1:1\", by: /bin/a}\n"
		"    - {ask: \"*:22\", by: [/usr/bin/git, /usr/bin/ssh]}\n",
		"    - {ask: \"*:22\", by: [/usr/bin/git, /usr/bin/ssh, /bin/a]}\n",
		"    - {ask: \"*:22\", by: [/usr/bin/git]}\n",
	};
	struct policy_image before = compile(texts[0]);

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct policy_image after = compile(texts[i]);
		__u32 found = ask_find_rule(&before, asking_rule(&before), &after);

		assert_int_equal(found, i < 2 ? asking_rule(&after) : PK_RULE_NONE);
		image_reset(&after);
	}
	image_reset(&before);
}

static void a_default_is_the_same_while_it_asks(void **state)
{
	static const char *const texts[] = {
		HEAD "egress:\n  default: ask\n",
		HEAD "egress:\n  default: ask\n  rules:\n    - allow: \"10.0.0.1:1\"\n",
		HEAD "egress:\n  default: deny\n",
		HEAD "approvals: {approvers: 2}\negress:\n  default: ask\n",
	};
	__u32 rule = PK_RULE_DEFAULT | PK_SECTION_EGRESS;
	struct policy_image before = policy_text_compile("t.yaml", texts[0]);

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct policy_image after = policy_text_compile("t.yaml", texts[i]);

		assert_int_equal(ask_find_rule(&before, rule, &after), i < 2 ? rule : PK_RULE_NONE);
		assert_int_equal(ask_approvers(&after, rule), i == 3 ? 2 : 1);
		image_reset(&after);
	}
	assert_int_equal(ask_timeout(&before), 300);
	image_reset(&before);
}

/* --- Acts ----------------------------------------------------------------------------------------- */

static json_t *act_of(const struct raw_event *raw, const struct policy_image *image)
{
	struct event event = raw_event_decode(raw);
	const struct event_context context = { .image = image };
	json_t *act = ask_act(&event, &context);

	assert_non_null(act);
	return act;
}

static const char *text(const json_t *act, const char *key)
{
	const char *value = json_string_value(json_object_get(act, key));

	return value ? value : "";
}

static void an_act_says_what_and_not_who(void **state)
{
	struct policy_image image = compile("    - {ask: \"*:22\", id: i, reason: r}\n");
	CLEAN(free_json) json_t *act = NULL;
	struct raw_event raw;

	(void)state;
	raw_event_host(&raw, PK_OP_CONNECT, "git.example", "192.0.2.7", 22);
	raw.head.verdict = PK_VERDICT_ASK;
	raw.head.rule = asking_rule(&image);
	raw.head.reason = PK_REASON_PENDING;
	act = act_of(&raw, &image);
	assert_string_equal(text(act, "op"), "connect");
	assert_string_equal(text(act, "section"), "egress");
	assert_string_equal(text(act, "host"), "git.example");
	assert_string_equal(text(act, "address"), "192.0.2.7");
	assert_string_equal(text(json_object_get(act, "rule"), "text"), "*:22");
	assert_string_equal(text(json_object_get(act, "rule"), "id"), "i");
	assert_null(json_object_get(json_object_get(act, "rule"), "number"));
	assert_null(json_object_get(act, "process"));
	assert_null(json_object_get(act, "time"));
	image_reset(&image);
}

static void words_of_a_command_are_a_list(void **state)
{
	static const char words[] = "git\0push\0a b\0\xff";
	CLEAN(free_json) json_t *act = NULL;
	CLEAN(free_json) json_t *name = NULL;
	struct raw_event raw;
	const char *why = NULL;

	(void)state;
	raw_event_command(&raw, "/usr/bin/git", words, sizeof(words));
	act = act_of(&raw, NULL);
	assert_int_equal(json_array_size(json_object_get(act, "argv")), 4);
	assert_string_equal(json_string_value(json_array_get(json_object_get(act, "argv"), 3)),
			    "\\xff");
	name = ask_book_name(act, &why);
	assert_int_equal(json_array_size(json_object_get(name, "object")), 5);
}

/* With blanks between, `git "push origin"` and `git push origin` look alike. */
static void words_that_are_not_exact_are_no_list(void **state)
{
	static const char words[] = "git push a b";
	CLEAN(free_json) json_t *act = NULL;
	struct raw_event raw;
	const char *why = NULL;

	(void)state;
	raw_event_command(&raw, "/usr/bin/git", words, sizeof(words) - 1);
	act = act_of(&raw, NULL);
	assert_null(json_object_get(act, "argv"));
	assert_non_null(json_object_get(act, "object"));
	assert_null(ask_book_name(act, &why));
	assert_string_equal(why, "the exact words of the command are not known");
}

/* --- The file ------------------------------------------------------------------------------------- */

static json_t *parse(const char *bytes, struct diag_list *diags)
{
	struct source source = { .name = "t.local.yaml", .text = bytes, .length = strlen(bytes) };
	json_t *book = source_check(&source, diags) ? NULL : ask_book_parse(&source, diags);

	source_reset(&source);
	return book;
}

static json_t *name_of(const char *path, const char *path2, const struct policy_image *image)
{
	CLEAN(free_json) json_t *act = NULL;
	struct raw_event raw;
	const char *why = NULL;
	json_t *name;

	raw_event_open(&raw, path);
	if (path2)
		raw.head.op = PK_OP_RENAME;
	raw_event_paths(&raw, path, path2);
	raw.head.rule = image ? asking_rule(image) : PK_RULE_DEFAULT | PK_SECTION_FILES;
	raw.head.verdict = PK_VERDICT_ASK;
	raw.head.reason = PK_REASON_PENDING;
	act = act_of(&raw, image);
	name = ask_book_name(act, &why);
	assert_non_null(name);
	return name;
}

static void what_is_written_is_read_back(void **state)
{
	static const struct {
		const char *path;
		const char *path2;
	} acts[] = {
		{ "/a", NULL },	       { "/a b\"c\\d", NULL }, { "/\xff\n: - #", NULL },
		{ "/a", "/b" },	       { "/a -> /b", NULL },   { "/\xe2\x80\xae/x", NULL },
		{ "/${HOME}*", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(acts); i++) {
		CLEAN(free_json) json_t *name = name_of(acts[i].path, acts[i].path2, NULL);
		CLEAN_FREE char *lines = ask_book_lines(name, 2, "alice", "why \"not\"");
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		CLEAN(free_json) json_t *book = NULL;
		CLEAN_FREE char *all = NULL;

		assert_true(asprintf(&all, "%sapproved:\n%s", ASK_BOOK_HEAD, lines) > 0);
		book = parse(all, &diags);
		if (!book)
			diag_print(&diags, stderr);
		assert_non_null(book);
		for (size_t k = 0; k < COUNT(acts); k++) {
			CLEAN(free_json) json_t *other = name_of(acts[k].path, acts[k].path2, NULL);

			assert_int_equal(ask_book_has(book, other, 1), i == k);
			assert_int_equal(ask_book_has(book, other, 2), i == k);
			assert_false(ask_book_has(book, other, 3));
		}
	}
}

static void another_rule_is_not_answered(void **state)
{
	static const char *const rules[] = { "/srv/**", "/srv/x" };
	struct policy_image images[2];
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(free_json) json_t *book = NULL;
	CLEAN_FREE char *lines = NULL;
	CLEAN_FREE char *all = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CLEAN_FREE char *policy = NULL;

		assert_true(asprintf(&policy, HEAD "files:\n  rules:\n    - ask: \"%s\"\n",
				     rules[i]) > 0);
		images[i] = policy_text_compile("t.yaml", policy);
	}
	for (size_t i = 0; i < 2; i++) {
		CLEAN(free_json) json_t *name = name_of("/srv/x", NULL, &images[i]);

		if (i == 0) {
			lines = ask_book_lines(name, 1, NULL, NULL);
			assert_true(asprintf(&all, "approved:\n%s", lines) > 0);
			book = parse(all, &diags);
		}
		assert_int_equal(ask_book_has(book, name, 1), i == 0);
	}
	image_reset(&images[0]);
	image_reset(&images[1]);
}

#define ACT "  - op: open\n    access: read\n    object: /a\n    rule: /a\n    approvers: 1\n"
static const struct {
	const char *text;
	int count; /* -1: refused */
} books[] = {
	{ "", 0 },
	{ "# nothing\n", 0 },
	{ "approved:\n" ACT, 1 },
	{ "approved:\n" ACT ACT, 2 },
	{ "approved: []\n", 0 },
	{ "approved: yes\n", -1 },
	{ "- a\n", -1 },
	{ "approved:\n" ACT "other: 1\n", -1 },
	{ "approved:\n" ACT "    more: 1\n", -1 },
	{ "approved:\n  - op: open\n    access: read\n    object: /a\n    rule: /a\n", -1 },
	{ "approved:\n  - op: open\n    access: read\n    object: {}\n    rule: /a\n    approvers: 1\n",
	  -1 },
	{ "approved:\n  - op: open\n    access: read\n    object: /a\n    rule: /a\n    approvers: 0\n",
	  -1 },
	{ "approved: &a\n" ACT, -1 },
	{ "approved:\n  - a\n", -1 },
};

static void other_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(books); i++) {
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		CLEAN(free_json) json_t *book = parse(books[i].text, &diags);
		int count = book ? (int)json_array_size(book) : -1;

		if (count != books[i].count)
			fail_msg("%s: %d", books[i].text, count);
		assert_int_equal(diag_has_errors(&diags), books[i].count < 0);
	}
}

static void a_diff_shows_what_is_added(void **state)
{
	static const struct {
		const char *before;
		const char *diff;
	} rows[] = {
		{ "", "--- /f\n+++ /f\n@@ -0,0 +1,2 @@\n+x\n+y\n" },
		{ "1\n", "--- /f\n+++ /f\n@@ -1,1 +1,3 @@\n 1\n+x\n+y\n" },
		{ "1\n2\n3\n4\n5\n", "--- /f\n+++ /f\n@@ -3,3 +3,5 @@\n 3\n 4\n 5\n+x\n+y\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEAN_FREE char *diff = ask_book_diff("/f", rows[i].before, "x\ny\n");

		assert_string_equal(diff, rows[i].diff);
	}
}

static void what_no_file_can_say_is_told(void **state)
{
	CLEAN(free_json) json_t *act = NULL;
	struct raw_event raw;
	const char *why = NULL;

	(void)state;
	raw_event_guard(&raw, PK_OP_PTRACE, PK_GUARD_PTRACE);
	raw.head.target = 17;
	act = act_of(&raw, NULL);
	assert_null(ask_book_name(act, &why));
	assert_non_null(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_the_same_when_it_says_the_same),
		cmocka_unit_test(programs_of_a_rule_count_by_their_names),
		cmocka_unit_test(a_default_is_the_same_while_it_asks),
		cmocka_unit_test(an_act_says_what_and_not_who),
		cmocka_unit_test(words_of_a_command_are_a_list),
		cmocka_unit_test(words_that_are_not_exact_are_no_list),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(another_rule_is_not_answered),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(a_diff_shows_what_is_added),
		cmocka_unit_test(what_no_file_can_say_is_told),
	};

	return cmocka_run_group_tests_name("ask_book", tests, NULL, NULL);
}
