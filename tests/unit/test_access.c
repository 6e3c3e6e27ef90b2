/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may use a policy: names and numbers, the groups of the one who asks, names that nobody has. The
 * system's own root is the name that every system has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "policies.h"
#include "policy/access.h"

#define REST "files: {default: allow}\n"

static bool allows(const char *text, uid_t uid, const gid_t *gids, size_t count)
{
	struct policy *policy = policy_text_load("access.yaml", text);
	bool allowed = policy_access_allows(policy, uid, gids, count);

	policy_free(&policy);
	return allowed;
}

static void without_the_key_nobody_may(void **state)
{
	const gid_t gids[] = { 0, 1000 };

	(void)state;
	assert_false(allows("picket: 1\n" REST, 0, gids, 2));
	assert_false(allows("picket: 1\n" REST, 1000, gids, 2));
}

static void users_by_number_and_name(void **state)
{
	static const char text[] = "picket: 1\nusable_by: {users: [root, 4711, 4294967294]}\n" REST;
	const gid_t gids[] = { 0, 4711 };

	(void)state;
	assert_true(allows(text, 0, NULL, 0));
	assert_true(allows(text, 4711, NULL, 0));
	assert_true(allows(text, 4294967294U, NULL, 0));
	assert_false(allows(text, 4712, NULL, 0));
	/* A user's number is no group's. */
	assert_false(allows(text, 4712, gids, 2));
}

static void groups_by_number_and_name(void **state)
{
	static const char text[] = "picket: 1\nusable_by: {groups: [root, 4711]}\n" REST;
	const gid_t first[] = { 4711, 5 };
	const gid_t last[] = { 5, 6, 0 };
	const gid_t none[] = { 5, 6, 4712 };

	(void)state;
	assert_true(allows(text, 1000, first, 2));
	assert_true(allows(text, 1000, last, 3));
	assert_false(allows(text, 1000, none, 3));
	assert_false(allows(text, 1000, first, 0));
	assert_false(allows(text, 0, none, 3));
	assert_false(allows(text, 4711, none, 3));
}

/* "0" with a zero in front would be a second way to write it: it is refused when it is read. */
static void unknown_names_allow_nobody(void **state)
{
	static const char text[] = "picket: 1\n"
				   "usable_by:\n"
				   "  users: [no-such-user-here]\n"
				   "  groups: [no-such-group-here, root, 12]\n" REST;
	struct policy *policy = policy_text_load("access.yaml", text);
	const gid_t gids[] = { 4711 };
	struct diag_list diags = { 0 };

	(void)state;
	assert_false(policy_access_allows(policy, 0, gids, 1));
	assert_false(policy_access_allows(policy, (uid_t)-1, gids, 1));
	policy_access_check(policy, &diags);
	assert_int_equal(diags.count, 2);
	assert_int_equal(diags.items[0].severity, DIAG_WARNING);
	assert_string_equal(diags.items[0].message, "this system has no user 'no-such-user-here'");
	assert_int_equal(diags.items[0].line, 3);
	assert_int_equal(diags.items[0].column, 11);
	assert_string_equal(diags.items[1].message,
			    "this system has no group 'no-such-group-here'");
	diag_list_reset(&diags);
	policy_free(&policy);
}

static void is_written_for_people(void **state)
{
	static const struct {
		const char *key;
		const char *text;
	} rows[] = {
		{ "", "" },
		{ "usable_by: {users: ada}\n", "users ada" },
		{ "usable_by: {groups: [team, 12]}\n", "groups team, 12" },
		{ "usable_by: {users: [ada, 1000], groups: [team]}\n",
		  "users ada, 1000; groups team" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CLEAN_FREE char *text = NULL;
		CLEAN_FREE char *written = NULL;
		struct policy *policy;
		size_t size = 0;
		FILE *to = open_memstream(&written, &size);

		assert_non_null(to);
		assert_true(asprintf(&text, "picket: 1\n%s" REST, rows[i].key) > 0);
		policy = policy_text_load("access.yaml", text);
		policy_access_write(policy, to);
		assert_int_equal(fclose(to), 0);
		assert_string_equal(written, rows[i].text);
		policy_free(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_key_nobody_may),
		cmocka_unit_test(users_by_number_and_name),
		cmocka_unit_test(groups_by_number_and_name),
		cmocka_unit_test(unknown_names_allow_nobody),
		cmocka_unit_test(is_written_for_people),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
