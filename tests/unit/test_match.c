/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict's truth tables, written out: strictness, access bits, ports, protocols, defaults,
 * absent sections, layers, broken images. Expectations are literal, not computed.
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
#include "policy/compile.h"
#include "policy/decide.h"

#define A PK_VERDICT_ALLOW
#define K PK_VERDICT_ASK
#define D PK_VERDICT_DENY
#define R PK_ACCESS_READ
#define W PK_ACCESS_WRITE
#define FILES PK_SECTION_FILES
#define EGRESS PK_SECTION_EGRESS

static struct pk_result path(struct policy *const *layers, size_t count, uint8_t access,
			     const char *key)
{
	struct policy_image image = build_image(layers, count);
	struct pk_result result;

	assert_int_equal(decide_path(&image, FILES, access, key, &result), 0);
	image_reset(&image);
	return result;
}

static struct pk_result address(struct policy *const *layers, size_t count, uint8_t access,
				const char *key, uint16_t port)
{
	struct policy_image image = build_image(layers, count);
	struct pk_result result;
	uint8_t bytes[16];

	build_address(key, bytes);
	assert_int_equal(decide_address(&image, bytes, port, access, &result), 0);
	image_reset(&image);
	return result;
}

static struct policy *files(enum pk_verdict otherwise)
{
	struct policy *policy = build_policy("files");

	build_section(policy, FILES, otherwise);
	return policy;
}

static void rule(struct policy *policy, enum pk_verdict verdict, uint8_t access, const char *glob)
{
	build_rule(policy, FILES, verdict, access);
	build_glob(policy, glob);
}

static void expect(struct pk_result got, enum pk_verdict verdict, enum pk_reason reason,
		   uint32_t number)
{
	assert_int_equal(got.verdict, verdict);
	assert_int_equal(got.reason, reason);
	assert_int_equal(got.rule, number);
}

#define DEFAULT(layer, section) (PK_RULE_DEFAULT | (layer) << 8 | (section))

static void strictest_rule_wins(void **state)
{
	/* Three rules match the path in this order; the default is the fourth. */
	static const struct {
		enum pk_verdict rules[3];
		enum pk_verdict otherwise;
		enum pk_verdict verdict;
		uint32_t rule;
	} table[] = {
		{ { A, A, A }, D, A, 0 }, { { A, K, A }, D, K, 1 }, { { A, K, D }, A, D, 2 },
		{ { D, A, K }, A, D, 0 }, { { K, D, D }, A, D, 1 }, { { K, A, K }, A, K, 0 },
		{ { A, A, K }, D, K, 2 }, { { D, D, D }, A, D, 0 }, { { A, D, A }, K, D, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct policy *policy = files(table[i].otherwise);

		rule(policy, table[i].rules[0], R, "/a/**");
		rule(policy, table[i].rules[1], R, "**/b");
		rule(policy, table[i].rules[2], R, "/*/b");
		expect(path(&policy, 1, R, "/a/b"), table[i].verdict, PK_REASON_RULE,
		       table[i].rule);
		expect(path(&policy, 1, R, "/c/d"), table[i].otherwise, PK_REASON_DEFAULT,
		       DEFAULT(0U, FILES));
		policy_free(&policy);
	}
}

static void every_access_bit_must_be_allowed(void **state)
{
	struct policy *policy = files(D);

	(void)state;
	rule(policy, A, R, "/a");
	rule(policy, A, R, "/b");
	rule(policy, A, W, "/b");
	rule(policy, K, W, "/c");
	rule(policy, A, R | W, "/d");
	rule(policy, D, W, "/d");
	expect(path(&policy, 1, R, "/a"), A, PK_REASON_RULE, 0);
	expect(path(&policy, 1, W, "/a"), D, PK_REASON_DEFAULT, DEFAULT(0U, FILES));
	expect(path(&policy, 1, R | W, "/a"), D, PK_REASON_DEFAULT, DEFAULT(0U, FILES));
	expect(path(&policy, 1, R | W, "/b"), A, PK_REASON_RULE, 1);
	expect(path(&policy, 1, R | W, "/c"), D, PK_REASON_DEFAULT, DEFAULT(0U, FILES));
	expect(path(&policy, 1, R, "/d"), A, PK_REASON_RULE, 4);
	expect(path(&policy, 1, R | W, "/d"), D, PK_REASON_RULE, 5);
	policy_free(&policy);
}

static void absent_section_is_not_judged(void **state)
{
	struct policy *policy = build_policy("none");

	(void)state;
	expect(path(&policy, 1, R, "/a"), A, PK_REASON_UNJUDGED, PK_RULE_NONE);
	expect(address(&policy, 1, PK_ACCESS_TCP, "1.2.3.4", 80), A, PK_REASON_UNJUDGED,
	       PK_RULE_NONE);
	build_section(policy, EGRESS, D);
	expect(path(&policy, 1, R, "/a"), A, PK_REASON_UNJUDGED, PK_RULE_NONE);
	expect(address(&policy, 1, PK_ACCESS_TCP, "1.2.3.4", 80), D, PK_REASON_DEFAULT,
	       DEFAULT(0U, EGRESS));
	policy_free(&policy);
}

static void sections_do_not_mix(void **state)
{
	struct policy *policy = files(D);
	struct policy_image image;
	struct pk_result result;

	(void)state;
	build_section(policy, PK_SECTION_EXEC, D);
	build_rule(policy, PK_SECTION_EXEC, A, PK_ACCESS_RUN);
	build_glob(policy, "/bin/**");
	rule(policy, A, PK_ACCESS_EXEC, "/opt/**");
	build_rule(policy, PK_SECTION_EXEC, A, PK_ACCESS_RUN);
	build_glob(policy, "/opt/x");
	expect(path(&policy, 1, R, "/bin/sh"), D, PK_REASON_DEFAULT, DEFAULT(0U, FILES));
	image = build_image(&policy, 1);
	/* A program runs when both sections say so. */
	assert_int_equal(decide_exec(&image, "/bin/sh", &result), 0);
	expect(result, D, PK_REASON_DEFAULT, DEFAULT(0U, FILES));
	assert_int_equal(decide_exec(&image, "/opt/y", &result), 0);
	expect(result, D, PK_REASON_DEFAULT, DEFAULT(0U, PK_SECTION_EXEC));
	assert_int_equal(decide_exec(&image, "/opt/x", &result), 0);
	expect(result, A, PK_REASON_RULE, 2);
	image_reset(&image);
	policy_free(&policy);
}

/* The upper layer, the lower layer, and what both together say about a path both have rules on. */
static void layers_only_narrow(void **state)
{
	static const enum pk_verdict all[] = { A, K, D };

	(void)state;
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 3; j++) {
			struct policy *layers[] = { files(A), files(A) };
			enum pk_verdict strictest = i > j ? all[i] : all[j];

			rule(layers[0], all[i], R, "/a");
			rule(layers[1], all[j], R, "/a");
			/* Of equal verdicts the upper layer is named. */
			expect(path(layers, 2, R, "/a"), strictest, PK_REASON_RULE, j > i);
			policy_free(&layers[0]);
			policy_free(&layers[1]);
		}
	}
}

static void layers_decide_by_their_own_defaults(void **state)
{
	struct policy *layers[] = { files(A), files(D), build_policy("empty") };

	(void)state;
	rule(layers[0], D, R, "/secret");
	rule(layers[1], A, R, "/w/**");
	/* Only layer 1 has no rule: its default. */
	expect(path(layers, 3, R, "/x"), D, PK_REASON_DEFAULT, DEFAULT(1U, FILES));
	expect(path(layers, 3, R, "/w/x"), A, PK_REASON_RULE, 1);
	expect(path(layers, 3, R, "/secret"), D, PK_REASON_RULE, 0);
	expect(path(layers, 2, R | W, "/w/x"), D, PK_REASON_DEFAULT, DEFAULT(1U, FILES));
	/* Layers 0 and 2 alone: only layer 0 judges. */
	expect(path((struct policy *[]){ layers[0], layers[2] }, 2, R, "/x"), A, PK_REASON_DEFAULT,
	       DEFAULT(0U, FILES));
	for (int i = 0; i < 3; i++)
		policy_free(&layers[i]);
}

static void one_layer_covers_one_bit(void **state)
{
	struct policy *layers[] = { files(A), files(D) };

	(void)state;
	/* The example of picket/match.h: each layer's rule leaves a bit to its own default. */
	rule(layers[0], A, R, "/w/**");
	rule(layers[1], A, W, "/w/**");
	expect(path(layers, 2, R | W, "/w/a"), D, PK_REASON_DEFAULT, DEFAULT(1U, FILES));
	expect(path(layers, 2, W, "/w/a"), A, PK_REASON_RULE, 1);
	policy_free(&layers[0]);
	policy_free(&layers[1]);
}

static void eight_layers_fit(void **state)
{
	struct policy *layers[PK_LAYERS_MAX];

	(void)state;
	for (int i = 0; i < PK_LAYERS_MAX; i++) {
		layers[i] = files(i == PK_LAYERS_MAX - 1 ? D : A);
		rule(layers[i], A, R, "/a");
	}
	expect(path(layers, PK_LAYERS_MAX, R, "/a"), A, PK_REASON_RULE, 0);
	expect(path(layers, PK_LAYERS_MAX, W, "/a"), D, PK_REASON_DEFAULT, DEFAULT(7U, FILES));
	for (int i = 0; i < PK_LAYERS_MAX; i++)
		policy_free(&layers[i]);
}

static void ports_and_protocols(void **state)
{
	struct policy *policy = build_policy("egress");

	(void)state;
	build_section(policy, EGRESS, D);
	build_rule(policy, EGRESS, A, PK_ACCESS_TCP);
	build_range(policy, "10.0.0.0/8");
	build_ports(policy, 443, 443);
	build_ports(policy, 8000, 8100);
	build_rule(policy, EGRESS, A, PK_ACCESS_EGRESS);
	build_range(policy, "10.1.0.0/16");
	build_ports(policy, 53, 53);
	expect(address(&policy, 1, PK_ACCESS_TCP, "10.0.0.1", 443), A, PK_REASON_RULE, 0);
	expect(address(&policy, 1, PK_ACCESS_UDP, "10.0.0.1", 443), D, PK_REASON_DEFAULT,
	       DEFAULT(0U, EGRESS));
	expect(address(&policy, 1, PK_ACCESS_TCP, "10.0.0.1", 442), D, PK_REASON_DEFAULT,
	       DEFAULT(0U, EGRESS));
	expect(address(&policy, 1, PK_ACCESS_TCP, "10.0.0.1", 8000), A, PK_REASON_RULE, 0);
	expect(address(&policy, 1, PK_ACCESS_TCP, "10.0.0.1", 8100), A, PK_REASON_RULE, 0);
	expect(address(&policy, 1, PK_ACCESS_TCP, "10.0.0.1", 8101), D, PK_REASON_DEFAULT,
	       DEFAULT(0U, EGRESS));
	expect(address(&policy, 1, PK_ACCESS_UDP, "10.1.0.1", 53), A, PK_REASON_RULE, 1);
	expect(address(&policy, 1, PK_ACCESS_EGRESS, "10.1.0.1", 443), D, PK_REASON_DEFAULT,
	       DEFAULT(0U, EGRESS));
	policy_free(&policy);
}

static void unspecified_is_loopback(void **state)
{
	struct policy *policy = build_policy("egress");

	(void)state;
	build_section(policy, EGRESS, D);
	build_rule(policy, EGRESS, A, PK_ACCESS_TCP);
	build_range(policy, "127.0.0.1");
	build_range(policy, "::1");
	expect(address(&policy, 1, PK_ACCESS_TCP, "0.0.0.0", 1), A, PK_REASON_RULE, 0);
	expect(address(&policy, 1, PK_ACCESS_TCP, "::", 1), A, PK_REASON_RULE, 1);
	expect(address(&policy, 1, PK_ACCESS_TCP, "127.0.0.2", 1), D, PK_REASON_DEFAULT,
	       DEFAULT(0U, EGRESS));
	policy_free(&policy);
}

static void over_long_paths_are_denied(void **state)
{
	struct policy *policy = files(A);
	struct policy_image image = build_image(&policy, 1);
	char *key = malloc(PK_PATH_MAX + 2);
	struct pk_result result;

	(void)state;
	assert_non_null(key);
	memset(key, 'a', PK_PATH_MAX + 1);
	key[0] = '/';
	key[PK_PATH_MAX + 1] = '\0';
	assert_int_equal(decide_path(&image, FILES, R, key, &result), -36);
	expect(result, D, PK_REASON_PATH_LONG, PK_RULE_NONE);
	key[PK_PATH_MAX] = '\0';
	assert_int_equal(decide_path(&image, FILES, R, key, &result), 0);
	expect(result, A, PK_REASON_DEFAULT, DEFAULT(0U, FILES));
	free(key);
	image_reset(&image);
	policy_free(&policy);
}

/* Images that never passed validation: the matcher itself must deny and not run away. */
static void broken_images_deny(void **state)
{
	struct policy *policy = files(A);
	struct policy_image image;
	struct pk_image *head;
	struct pk_result result;
	uint8_t bytes[16] = { 0 };

	(void)state;
	rule(policy, A, R, "/a");
	build_section(policy, EGRESS, A);
	image = build_image(&policy, 1);
	head = (struct pk_image *)(void *)image.bytes;
	head->path_start[0] = 0x0fffffff;
	assert_int_equal(decide_path(&image, FILES, R, "/a", &result), -5);
	expect(result, D, PK_REASON_IMAGE, PK_RULE_NONE);
	head->span_count = 0;
	assert_int_equal(decide_address(&image, bytes, 1, PK_ACCESS_TCP, &result), -5);
	expect(result, D, PK_REASON_IMAGE, PK_RULE_NONE);
	assert_int_equal(decide_path(&image, PK_SECTION__MAX, R, "/", &result), -5);
	assert_int_equal(result.verdict, D);
	image_reset(&image);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strictest_rule_wins),
		cmocka_unit_test(every_access_bit_must_be_allowed),
		cmocka_unit_test(absent_section_is_not_judged),
		cmocka_unit_test(sections_do_not_mix),
		cmocka_unit_test(layers_only_narrow),
		cmocka_unit_test(layers_decide_by_their_own_defaults),
		cmocka_unit_test(one_layer_covers_one_bit),
		cmocka_unit_test(eight_layers_fit),
		cmocka_unit_test(ports_and_protocols),
		cmocka_unit_test(unspecified_is_loopback),
		cmocka_unit_test(over_long_paths_are_denied),
		cmocka_unit_test(broken_images_deny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
