/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections `process` and `syscalls`: what ends up in the model. What is printed about faults is
 * in tests/cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "policies.h"
#include "policy/capabilities.h"
#include "policy/syscalls.h"
#include "telemetry/names.h"

static void test_syscalls(void **state)
{
	struct policy *p = policy_text_load(
		"t.yaml", "picket: 1\nsyscalls:\n  deny: [mount, '@swap', '@mount']\n");
	const struct policy_rule *rule = p->rules;
	size_t mounts = 0;

	(void)state;
	assert_int_equal(p->rule_count, 1);
	assert_true(p->sections[PK_SECTION_SYSCALLS].present);
	assert_int_equal(rule->section, PK_SECTION_SYSCALLS);
	assert_int_equal(rule->verdict, PK_VERDICT_DENY);
	assert_string_equal(rule->patterns[0].source, "mount");
	assert_string_equal(rule->patterns[1].source, "swapoff");
	assert_string_equal(rule->patterns[2].source, "swapon");
	/* The place of a group's members is the group's. */
	assert_int_equal(rule->patterns[2].pos.column, 17);
	for (size_t i = 0; i < rule->pattern_count; i++) {
		assert_null(rule->patterns[i].glob);
		mounts += strcmp(rule->patterns[i].source, "mount") == 0;
	}
	assert_int_equal(mounts, 1);
	policy_free(&p);
}

/* Every group can be written: its members are known, and groups in it exist. */
static void test_syscall_groups(void **state)
{
	size_t count = 0;
	const struct syscall_group *groups = syscalls_groups(&count);

	(void)state;
	assert_true(count > 5);
	for (size_t i = 0; i < count; i++) {
		CLEAN_FREE char *text = NULL;
		struct policy *p;

		assert_true(i == 0 || strcmp(groups[i - 1].name, groups[i].name) < 0);
		assert_true(asprintf(&text, "picket: 1\nsyscalls: {deny: '%s'}\n", groups[i].name) >
			    0);
		p = policy_text_load("t.yaml", text);
		assert_true(p->rules[0].pattern_count >= 2);
		policy_free(&p);
	}
}

#define BIT(guard) (1U << (guard))
#define STRICT_BITS ((BIT(PK_GUARD__MAX) - 1) & ~BIT(PK_GUARD_WRITABLE_EXEC))
#define STANDARD_BITS                                                                              \
	(STRICT_BITS & ~(BIT(PK_GUARD_PERF) | BIT(PK_GUARD_KEYRINGS) | BIT(PK_GUARD_MEMFD_EXEC) |  \
			 BIT(PK_GUARD_MPROTECT_EXEC) | BIT(PK_GUARD_NAMESPACES)))

/* Who may use perf may use the capability that the kernel asks root for. */
#define REFUSED_WITH_PERF (capabilities_refused & ~(1ULL << CAP_PERFMON))

/* The policy with @section refuses the switches @deny and the capabilities @capabilities. */
static struct policy *assert_guards(const char *section, __u32 deny, __u64 capabilities)
{
	CLEAN_FREE char *text = NULL;
	struct policy *p;
	__u32 found = 0;

	assert_true(asprintf(&text, "picket: 1\nfiles: {}\n%s\n", section) > 0);
	p = policy_text_load("t.yaml", text);
	for (unsigned int i = 0; i < PK_GUARD__MAX; i++)
		found |= p->process.guards[i].verdict == PK_VERDICT_DENY ? BIT(i) : 0;
	assert_int_equal(found, deny);
	assert_int_equal(p->process.capabilities, capabilities);
	return p;
}

static void test_profiles(void **state)
{
	struct policy *p = assert_guards("", STRICT_BITS, capabilities_refused);

	(void)state;
	assert_false(p->process.present);
	for (int i = 0; i < PK_GUARD__MAX; i++)
		assert_null(p->process.guards[i].source);
	policy_free(&p);
	p = assert_guards("process: {}", STRICT_BITS, capabilities_refused);
	assert_true(p->process.present);
	assert_null(p->process.guards[0].source);
	policy_free(&p);
	p = assert_guards("process: {profile: strict}", STRICT_BITS, capabilities_refused);
	for (int i = 0; i < PK_GUARD__MAX; i++) {
		assert_string_equal(p->process.guards[i].source, "profile: strict");
		assert_int_equal(p->process.guards[i].pos.line, 3);
		assert_int_equal(p->process.guards[i].pos.column, 20);
	}
	policy_free(&p);
	p = assert_guards("process: {profile: standard}", STANDARD_BITS, REFUSED_WITH_PERF);
	policy_free(&p);
	p = assert_guards("process: {profile: off}", 0, 0);
	policy_free(&p);
}

/* Each switch by its own word, which is the one that events have. */
static void test_switches(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < PK_GUARD__MAX; i++) {
		CLEAN_FREE char *text = NULL;
		CLEAN_FREE char *source = NULL;
		struct policy *p;

		assert_true(asprintf(&text, "process: {%s: deny, profile: off}", names_guard(i)) >
			    0);
		assert_true(asprintf(&source, "%s: deny", names_guard(i)) > 0);
		p = assert_guards(text, BIT(i), i == PK_GUARD_CAPABILITIES ? REFUSED_WITH_PERF : 0);
		assert_string_equal(p->process.guards[i].source, source);
		assert_string_equal(p->process.guards[!i].source, "profile: off");
		policy_free(&p);
		free(text);
		text = NULL;
		assert_true(asprintf(&text, "process: {%s: allow}", names_guard(i)) > 0);
		p = assert_guards(text, STRICT_BITS & ~BIT(i),
				  i == PK_GUARD_CAPABILITIES ? 0 :
				  i == PK_GUARD_PERF	     ? REFUSED_WITH_PERF :
							       capabilities_refused);
		policy_free(&p);
	}
}

/* A switch that asks is not one that refuses; its words are its own. */
static void test_asking_switches(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < PK_GUARD__MAX; i++) {
		CLEAN_FREE char *text = NULL;
		CLEAN_FREE char *source = NULL;
		struct policy *p;

		if (i == PK_GUARD_CAPABILITIES)
			continue;
		assert_true(asprintf(&text, "process: {%s: ask}", names_guard(i)) > 0);
		assert_true(asprintf(&source, "%s: ask", names_guard(i)) > 0);
		p = assert_guards(text, STRICT_BITS & ~BIT(i),
				  i == PK_GUARD_PERF ? REFUSED_WITH_PERF : capabilities_refused);
		assert_int_equal(p->process.guards[i].verdict, PK_VERDICT_ASK);
		assert_string_equal(p->process.guards[i].source, source);
		policy_free(&p);
	}
}

static void test_capabilities(void **state)
{
	struct policy *p = assert_guards("process: {capabilities: [kill, cap_bpf]}", STRICT_BITS,
					 ~((1ULL << CAP_KILL) | (1ULL << CAP_BPF)));

	(void)state;
	assert_string_equal(p->process.guards[PK_GUARD_CAPABILITIES].source,
			    "capabilities: [kill, cap_bpf]");
	policy_free(&p);
	p = assert_guards("process: {profile: off, capabilities: []}", BIT(PK_GUARD_CAPABILITIES),
			  ~0ULL);
	policy_free(&p);
	for (unsigned int i = 0; i < CAPABILITIES_COUNT; i++) {
		unsigned int number = CAPABILITIES_COUNT;

		assert_true(capabilities_find(capabilities_name(i), &number));
		assert_int_equal(number, i);
	}
	assert_int_equal(CAPABILITIES_COUNT, CAP_LAST_CAP + 1);
	assert_null(capabilities_name(CAPABILITIES_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syscalls),	cmocka_unit_test(test_syscall_groups),
		cmocka_unit_test(test_profiles),	cmocka_unit_test(test_switches),
		cmocka_unit_test(test_asking_switches), cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests_name("policy guards", tests, NULL, NULL);
}
