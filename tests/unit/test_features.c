/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine/features: what is read out of version strings and LSM lists, which tier follows from which
 * steps, and what is said when there is none. The steps themselves are tried in the bpf tier.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "engine/features.h"
#include "engine/loader.h"
#include "engine/session.h"

static void parses_releases(void **state)
{
	static const struct {
		const char *release;
		unsigned int major;
		unsigned int minor;
	} good[] = {
		{ "6.1.0-56-cloud-amd64", 6, 1 },
		{ "6.18.44-fc-v669", 6, 18 },
		{ "7.2", 7, 2 },
		{ "10.0-rc1+", 10, 0 },
	};
	static const char *const bad[] = { "", "6", "6.", ".1", "linux", "x6.1" };
	unsigned int major;
	unsigned int minor;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(features_parse_release(good[i].release, &major, &minor), 0);
		assert_int_equal(major, good[i].major);
		assert_int_equal(minor, good[i].minor);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(features_parse_release(bad[i], &major, &minor), -EINVAL);
}

static void finds_in_lists(void **state)
{
	(void)state;
	assert_true(features_list_has("lockdown,capability,landlock,bpf", "bpf"));
	assert_true(features_list_has("bpf", "bpf"));
	assert_true(features_list_has("bpf,yama\n", "bpf"));
	assert_true(features_list_has("yama,bpf\n", "bpf"));
	assert_false(features_list_has("", "bpf"));
	assert_false(features_list_has("bpfx,xbpf,bp", "bpf"));
	assert_false(features_list_has("yama,landlock\n", "bpf"));
}

/* All steps fine, but those of @failed. */
static struct features made(unsigned int failed)
{
	struct features f = { .tier = -1 };

	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		f.items[i].name = "step";
		f.items[i].state = failed & (1U << i) ? FEATURE_FAILED : FEATURE_OK;
		f.items[i].text = strdup(failed & (1U << i) ? "it is broken" : "fine");
		f.items[i].remedy = failed & (1U << i) ? strdup("mend it") : NULL;
	}
	f.tier = features_find_tier(&f, PK_TIER_LSM);
	return f;
}

static void chooses_tiers(void **state)
{
	static const struct {
		unsigned int failed;
		int tier;
	} cases[] = {
		{ 0, PK_TIER_LSM },
		{ 1U << FEATURE_LSM_LIST, PK_TIER_LSM },
		{ 1U << FEATURE_LSM_HOOK, PK_TIER_MODIFY_RETURN },
		{ 1U << FEATURE_MODIFY_RETURN, PK_TIER_LSM },
		{ 1U << FEATURE_LSM_HOOK | 1U << FEATURE_MODIFY_RETURN, PK_TIER_NETWORK },
		{ 1U << FEATURE_TASK_STORAGE, PK_TIER_NETWORK },
		{ 1U << FEATURE_MIGRATION, PK_TIER_NETWORK },
		{ 1U << FEATURE_BTF, PK_TIER_NETWORK },
		{ 1U << FEATURE_CGROUP_SOCK, -1 },
		{ 1U << FEATURE_CGROUP_SKB, -1 },
		{ 1U << FEATURE_SOCKET_STORAGE, -1 },
		{ 1U << FEATURE_SOCKET_END, PK_TIER_LSM },
		{ 1U << FEATURE_CGROUP, -1 },
		{ 1U << FEATURE_BPFFS, -1 },
		{ 1U << FEATURE_PRIVILEGES, -1 },
		{ 1U << FEATURE_KERNEL, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEAN(features_reset) struct features f = made(cases[i].failed);

		assert_int_equal(f.tier, cases[i].tier);
	}
}

static void limits_tiers(void **state)
{
	CLEAN(features_reset) struct features f = made(0);

	(void)state;
	assert_int_equal(features_find_tier(&f, PK_TIER_NETWORK), PK_TIER_NETWORK);
	assert_int_equal(features_find_tier(&f, PK_TIER_MODIFY_RETURN), PK_TIER_MODIFY_RETURN);
}

static void explains(void **state)
{
	CLEAN(features_reset) struct features none = made(1U << FEATURE_PRIVILEGES);
	CLEAN(features_reset)
	struct features weak = made(1U << FEATURE_LSM_HOOK | 1U << FEATURE_MODIFY_RETURN);
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	(void)state;
	assert_int_equal(features_explain(&weak, PK_TIER_NETWORK, NULL, &diags), 0);
	assert_int_equal(diags.count, 0);
	assert_int_equal(features_explain(&none, PK_TIER_NETWORK, NULL, &diags), -EPERM);
	assert_int_equal(features_explain(&weak, PK_TIER_LSM, "no way", &diags), -ENOTSUP);
	assert_int_equal(diags.count, 2);
	assert_string_equal(diags.items[1].message, "no way: it is broken");
	assert_string_equal(diags.items[1].hint, "mend it");
}

static int choose(unsigned int failed, enum pk_tier limit, enum pk_section section,
		  enum pk_tier *ret_tier)
{
	CLEAN(features_reset) struct features f = made(failed);
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct pk_image head = { 0 };
	struct policy_image image = { .bytes = (__u8 *)&head, .size = sizeof(head) };
	int r;

	if (section == PK_SECTION_SUBJECT)
		head.subjects = 1;
	else
		head.defaults[section].present = 0xf;
	if (section == PK_SECTION_PROCESS)
		head.guards.deny = 1;
	r = session_choose_tier(&f, &image, limit, ret_tier, &diags);

	assert_int_equal(diag_has_errors(&diags), r != 0);
	return r;
}

static void refuses_what_the_tier_cannot(void **state)
{
	unsigned int no_hooks = 1U << FEATURE_LSM_HOOK | 1U << FEATURE_MODIFY_RETURN;
	enum pk_tier tier = PK_TIER__MAX;

	(void)state;
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_FILES, &tier), -ENOTSUP);
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_EXEC, &tier), -ENOTSUP);
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_UNIX, &tier), -ENOTSUP);
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_PROCESS, &tier), -ENOTSUP);
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_SOCKETS, &tier), -ENOTSUP);
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_SUBJECT, &tier), -ENOTSUP);
	assert_int_equal(choose(0, PK_TIER_NETWORK, PK_SECTION_FILES, &tier), -ENOTSUP);
	assert_int_equal(tier, PK_TIER__MAX);
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_EGRESS, &tier), 0);
	assert_int_equal(tier, PK_TIER_NETWORK);
	assert_int_equal(choose(no_hooks, PK_TIER_LSM, PK_SECTION_LISTEN, &tier), 0);
	assert_int_equal(choose(0, PK_TIER_MODIFY_RETURN, PK_SECTION_FILES, &tier), 0);
	assert_int_equal(tier, PK_TIER_MODIFY_RETURN);
	assert_int_equal(choose(1U << FEATURE_PRIVILEGES, PK_TIER_LSM, PK_SECTION_EGRESS, &tier),
			 -EPERM);
}

static void names_security_functions(void **state)
{
	char name[32];

	(void)state;
	assert_int_equal(loader_security_function("file_open", name, sizeof(name)), 0);
	assert_string_equal(name, "security_file_open");
	assert_int_equal(loader_security_function("bprm_check_security", name, sizeof(name)), 0);
	assert_string_equal(name, "security_bprm_check");
	assert_int_equal(loader_security_function("file_open", name, 18), -ENAMETOOLONG);
	assert_int_equal(loader_security_function("file_open", name, 19), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_releases),
		cmocka_unit_test(finds_in_lists),
		cmocka_unit_test(chooses_tiers),
		cmocka_unit_test(limits_tiers),
		cmocka_unit_test(explains),
		cmocka_unit_test(refuses_what_the_tier_cannot),
		cmocka_unit_test(names_security_functions),
	};

	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
