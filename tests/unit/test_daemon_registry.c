/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of agents, and what differs between two images.
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
#include "builder.h"
#include "daemon/diff.h"
#include "daemon/registry.h"

static int add(struct registry *registry, __u32 slot, uid_t uid)
{
	struct agent_entry *entry = registry_new_entry();
	int r;

	assert_non_null(entry);
	entry->record.slot = slot;
	entry->record.cgroup = 1000 + slot;
	entry->record.uid = uid;
	assert_int_equal(registry_make_id(slot, entry->record.id), 0);
	r = registry_add(registry, entry);
	if (r)
		registry_free_entry(&entry);
	return r;
}

static void clear(struct registry *registry)
{
	struct agent_entry *entry;

	while ((entry = registry_next(registry, 0))) {
		registry_remove(registry, entry);
		registry_free_entry(&entry);
	}
	assert_int_equal(registry->count, 0);
	free(registry);
}

static struct registry *make(void)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	assert_non_null(registry);
	return registry;
}

static void slots_are_used_once(void **state)
{
	struct registry *registry = make();

	(void)state;
	assert_int_equal(add(registry, 0, 1), -ERANGE);
	assert_int_equal(add(registry, PK_AGENTS_MAX, 1), -ERANGE);
	assert_int_equal(add(registry, 1, 1), 0);
	assert_int_equal(add(registry, 1, 2), -EEXIST);
	assert_int_equal(add(registry, PK_AGENTS_MAX - 1, 1), 0);
	assert_int_equal(registry->count, 2);
	assert_int_equal(registry_count_of(registry, 1), 2);
	assert_int_equal(registry_count_of(registry, 2), 0);
	clear(registry);
}

static void agents_are_found(void **state)
{
	struct registry *registry = make();
	struct agent_entry *entry;
	char id[AGENT_ID_SIZE];

	(void)state;
	assert_int_equal(add(registry, 7, 1), 0);
	assert_int_equal(add(registry, 9, 1), 0);
	entry = registry_at(registry, 9);
	assert_non_null(entry);
	assert_ptr_equal(registry_find(registry, entry->record.id), entry);
	assert_ptr_equal(registry_find_cgroup(registry, 1009), entry);
	assert_ptr_equal(registry_next(registry, 7), entry);
	assert_null(registry_next(registry, 9));
	assert_null(registry_at(registry, 8));
	assert_null(registry_at(registry, PK_AGENTS_MAX));
	assert_null(registry_find(registry, "a-9"));
	assert_null(registry_find(registry, ""));
	assert_null(registry_find_cgroup(registry, 9));
	memcpy(id, entry->record.id, sizeof(id));
	registry_remove(registry, entry);
	registry_free_entry(&entry);
	assert_null(registry_find(registry, id));
	clear(registry);
}

static void ids_are_never_the_same(void **state)
{
	char first[AGENT_ID_SIZE];
	char second[AGENT_ID_SIZE];

	(void)state;
	assert_int_equal(registry_make_id(PK_AGENTS_MAX - 1, first), 0);
	assert_int_equal(registry_make_id(PK_AGENTS_MAX - 1, second), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(strncmp(first, "a-4095-", 7), 0);
	assert_int_equal(strlen(first), 7 + 8);
}

static struct policy_image image_of(const char *const *globs, size_t count)
{
	struct policy *policy = build_policy("test");
	struct policy_image image;

	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	for (size_t i = 0; i < count; i++) {
		(void)build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
		(void)build_glob(policy, globs[i]);
	}
	image = build_image(&policy, 1);
	policy_free(&policy);
	return image;
}

static void differences_are_told(void **state)
{
	static const char *const before[] = { "/a", "/b", "/c" };
	static const char *const moved[] = { "/c", "/a", "/b" };
	static const char *const after[] = { "/a", "/c", "/d" };
	CLEAN(image_reset) struct policy_image one = image_of(before, 3);
	CLEAN(image_reset) struct policy_image same = image_of(moved, 3);
	CLEAN(image_reset) struct policy_image other = image_of(after, 3);
	CLEAN_FREE char *text = NULL;

	(void)state;
	assert_int_equal(diff_rules(&one, &same, &text), 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(diff_rules(&one, &other, &text), 0);
	assert_string_equal(text, "- allow files \"/b\" for read\n+ allow files \"/d\" for read\n");
	assert_true(diff_same_calls(&one, &other));
}

static struct policy_image image_asking(unsigned int approvers)
{
	struct policy *policy = build_policy("test");
	struct policy_image image;

	build_section(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW);
	(void)build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ASK, PK_ACCESS_READ);
	(void)build_glob(policy, "/a");
	policy->approvals.approvers = approvers;
	image = build_image(&policy, 1);
	policy_free(&policy);
	return image;
}

static void approvals_are_told(void **state)
{
	CLEAN(image_reset) struct policy_image one = image_asking(1);
	CLEAN(image_reset) struct policy_image two = image_asking(2);
	CLEAN_FREE char *text = NULL;

	(void)state;
	assert_int_equal(diff_rules(&one, &two, &text), 0);
	assert_non_null(strstr(text, "- approvals.approvers 1\n"));
	assert_non_null(strstr(text, "+ approvals.approvers 2\n"));
	assert_null(strstr(text, "on_ask"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_used_once),	  cmocka_unit_test(agents_are_found),
		cmocka_unit_test(ids_are_never_the_same), cmocka_unit_test(differences_are_told),
		cmocka_unit_test(approvals_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
