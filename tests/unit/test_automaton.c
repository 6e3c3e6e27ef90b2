/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path automaton: as small as it can be, the same before and after minimising, laid out as the
 * format's example says, and honest about what it cannot do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "builder.h"
#include "policy/automaton.h"
#include "policy/comb.h"
#include "policy/compile.h"
#include "policy/decide.h"
#include "policy/dump.h"

static struct policy *read_only(const char *const *globs)
{
	struct policy *policy = build_policy("automaton");

	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	for (size_t i = 0; globs[i]; i++)
		build_glob(policy, globs[i]);
	return policy;
}

/* The automaton of some globs, not minimised. */
static struct automaton build(struct policy *policy)
{
	struct automaton automaton = { 0 };
	struct numbered numbered = { 0 };
	struct sets sets = { 0 };
	struct nfa nfa = { 0 };
	struct diag_list diags = { 0 };
	uint32_t *active;

	assert_int_equal(numbered_make((const struct policy *const *)&policy, 1, &numbered, &diags),
			 0);
	assert_int_equal(sets_init(&sets, &numbered), 0);
	assert_int_equal(nfa_init(&nfa), 0);
	for (uint32_t i = 0; i < numbered.count; i++) {
		struct glob *glob = NULL;

		assert_int_equal(glob_parse(numbered.rules[i].pattern->glob, &glob, NULL), 0);
		assert_int_equal(nfa_add(&nfa, glob, i), 0);
		glob_free(&glob);
	}
	assert_int_equal(nfa_finish(&nfa), 0);
	active = calloc(nfa.node_count, sizeof(*active));
	assert_non_null(active);
	assert_int_equal(automaton_build(&automaton, &nfa, &sets, active), 0);
	free(active);
	nfa_reset(&nfa);
	sets_reset(&sets);
	numbered_reset(&numbered);
	return automaton;
}

static void is_minimal(void **state)
{
	static const struct {
		const char *globs[4];
		size_t states;
	} cases[] = {
		{ { NULL }, 1 }, /* dead */
		{ { "/" }, 3 }, /* start, "/", dead */
		{ { "/a*" }, 4 }, /* the example of picket/image.h */
		{ { "/a" }, 4 },
		{ { "**" }, 3 }, /* start, everything, dead */
		{ { "/a/**" }, 5 }, /* start, "/", "/a", below, dead */
		{ { "/{ax,bx}" }, 5 }, /* the x is shared */
		{ { "/{a,b}x" }, 5 },
		{ { "/a", "/b" }, 5 }, /* two rules, two ends */
		/* Two ends of one rule: one state. */
		{ { "/{a,b}" }, 4 },
		{ { "/*" }, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *policy = read_only(cases[i].globs);
		struct automaton automaton = build(policy);

		assert_int_equal(automaton_minimise(&automaton), 0);
		if (automaton.state_count != cases[i].states)
			fail_msg("case %zu: %zu states", i, automaton.state_count);
		automaton_reset(&automaton);
		policy_free(&policy);
	}
}

static uint32_t run(const struct automaton *automaton, const uint8_t *key, size_t length)
{
	uint32_t state = automaton->start;

	for (size_t i = 0; i < length; i++)
		state = automaton_next(automaton, state, automaton->class_of[key[i]]);
	return automaton->states[state].set;
}

static const char *const many[] = {
	"/usr/**",  "**/.env",	  "/home/*/.ssh/**", "/{a,b}/[c-e]*x",	       "**/*.pem",
	"/a?/**/b", "/opt/*/bin", "/a/b/c/d/**",     "/w/{src,doc}/**/*.[ch]", "**/.git/hooks/**",
	"/w/*ab*",  NULL,
};

static void minimising_keeps_the_language(void **state)
{
	static const char alphabet[] = "/abcdex.env/usr.pem/.git/hooks";
	struct policy *policy = read_only(many);
	struct automaton whole = build(policy);
	struct automaton small = build(policy);
	unsigned int random = 1;
	uint8_t key[24];

	(void)state;
	assert_int_equal(automaton_minimise(&small), 0);
	assert_true(small.state_count < whole.state_count);
	for (int i = 0; i < 200000; i++) {
		for (size_t j = 0; j < sizeof(key); j++) {
			random = random * 1103515245 + 12345;
			key[j] = (uint8_t)alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
		}
		key[0] = '/';
		assert_int_equal(run(&whole, key, 1 + (random >> 20) % 23),
				 run(&small, key, 1 + (random >> 20) % 23));
	}
	automaton_reset(&whole);
	automaton_reset(&small);
	policy_free(&policy);
}

/* No two states of a minimal automaton agree in set and successors. */
static void minimised_states_differ(void **state)
{
	struct policy *policy = read_only(many);
	struct automaton a = build(policy);

	(void)state;
	assert_int_equal(automaton_minimise(&a), 0);
	for (uint32_t i = 0; i < a.state_count; i++) {
		for (uint32_t j = i + 1; j < a.state_count; j++) {
			bool same = a.states[i].set == a.states[j].set;

			for (uint32_t c = 0; c < a.classes && same; c++)
				same = automaton_next(&a, i, c) == automaton_next(&a, j, c);
			assert_false(same);
		}
	}
	automaton_reset(&a);
	policy_free(&policy);
}

static void packs_every_transition(void **state)
{
	const uint32_t base = 52;
	struct policy *policy = read_only(many);
	struct automaton a = build(policy);
	struct comb comb = { .base = base, .classes = a.classes };
	uint32_t *slot_of;
	uint32_t *queue;
	uint32_t queued = 0;

	(void)state;
	assert_int_equal(comb_pack(&comb, &a, 0), 0);
	slot_of = calloc(a.state_count, sizeof(*slot_of));
	queue = calloc(a.state_count, sizeof(*queue));
	assert_non_null(slot_of);
	assert_non_null(queue);
	slot_of[a.start] = comb.start[0];
	queue[queued++] = a.start;
	for (uint32_t i = 0; i < queued; i++) {
		const struct pk_slot *head = comb.slots + (slot_of[queue[i]] - base);

		assert_int_equal(head[0].check, PK_SLOT_HEAD);
		assert_int_equal(head[1].check, PK_SLOT_HEAD);
		assert_int_equal(head[1].next, a.states[queue[i]].set);
		for (uint32_t c = 0; c < a.classes; c++) {
			const struct pk_slot *slot = &head[PK_CLASS_FIRST + c];
			uint32_t target = automaton_next(&a, queue[i], c);
			uint32_t got = slot->check == slot_of[queue[i]] ? slot->next : head->next;

			if (!slot_of[target]) {
				slot_of[target] = got;
				queue[queued++] = target;
			}
			assert_int_equal(got, slot_of[target]);
		}
	}
	assert_int_equal(queued, a.state_count);
	free(slot_of);
	free(queue);
	comb_reset(&comb);
	automaton_reset(&a);
	policy_free(&policy);
}

static void same_below_is_proven_by_states(void **state)
{
	static const char *const globs[] = { "/w/**", NULL };
	struct policy *policy = read_only(globs);
	struct policy_image image;

	(void)state;
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_FILES);
	build_glob(policy, "/w/x/secret");
	build_glob(policy, "**/.git/**");
	image = build_image(&policy, 1);
	assert_true(image_same_below(&image, "/w/a", "/w/b"));
	assert_true(image_same_below(&image, "/w/a/b", "/w/c"));
	assert_true(image_same_below(&image, "/u", "/v/w"));
	assert_false(image_same_below(&image, "/w/a", "/v"));
	/* Below x a file is named. */
	assert_false(image_same_below(&image, "/w/a", "/w/x"));
	assert_false(image_same_below(&image, "/w/a", "/w/.git"));
	assert_true(image_same_below(&image, "/v/.git", "/v/.git/hooks"));
	assert_false(image_same_below(&image, "/", "/w"));
	assert_true(image_same_below(&image, "/", "/"));
	image_reset(&image);
	policy_free(&policy);
}

static void names_the_globs_of_an_explosion(void **state)
{
	struct policy *policy = build_policy("explosion");
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	char glob[32];

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_FILES);
	build_glob(policy, "/usr/share/**");
	for (int i = 0; i < 24; i++) {
		sprintf(glob, "**/*%c%c*", 'a' + i, 'b' + i);
		build_glob(policy, glob);
	}
	assert_int_equal(policy_compile((const struct policy *const *)&policy, 1, NULL, &image,
					&diags),
			 -22);
	assert_null(image.bytes);
	assert_true(diags.count >= 2);
	assert_non_null(strstr(diags.items[0].message, "more than 1048576 states"));
	for (size_t i = 1; i < diags.count; i++) {
		assert_non_null(strstr(diags.items[i].message, "**/*"));
		assert_string_equal(diags.items[i].file, "explosion.yaml");
		assert_int_equal(diags.items[i].line, 1);
		assert_true(diags.items[i].column > 1);
	}
	diag_list_reset(&diags);
	policy_free(&policy);
}

static void refuses_too_many_byte_classes(void **state)
{
	struct policy *policy = build_policy("bytes");
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_FILES);
	for (int byte = 1; byte < 256; byte++) {
		char glob[] = { '/', '\\', (char)byte, '\0' };

		if (byte != '/' && byte != '.')
			build_glob(policy, glob);
	}
	build_glob(policy, "/.x");
	assert_int_equal(policy_compile((const struct policy *const *)&policy, 1, NULL, &image,
					&diags),
			 -22);
	assert_non_null(strstr(diags.items[0].message, "more than 254 bytes"));
	diag_list_reset(&diags);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_minimal),
		cmocka_unit_test(minimising_keeps_the_language),
		cmocka_unit_test(minimised_states_differ),
		cmocka_unit_test(packs_every_transition),
		cmocka_unit_test(same_below_is_proven_by_states),
		cmocka_unit_test(names_the_globs_of_an_explosion),
		cmocka_unit_test(refuses_too_many_byte_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
