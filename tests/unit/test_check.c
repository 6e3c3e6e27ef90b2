/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket check` as a tool of review: warnings with their line and caret, what --strict makes of them,
 * the SARIF log against the rules of its structure; and `picket presets`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands.h"
#include "policy/presets.h"

struct place {
	char folder[64];
	char *project; /* owned: where the program was started */
};

static const char wide[] = "picket: 1\n"
			   "egress:\n"
			   "  rules:\n"
			   "    - {allow: [\"*.co.uk:443\", a.example]} # \xc3\xa9\n"
			   "    - {deny: \"**.example.org\"}\n"
			   "    - {reason: \xc3\xa9, allow: 'x.example.org:443'}\n";

static const char wide_text[] =
	"wide.yaml:6:27: warning: 'allow: x.example.org:443' never decides anything: "
	"'deny: **.example.org' does [W-shadowed]\n"
	"    6 |     - {reason: \xc3\xa9, allow: 'x.example.org:443'}\n"
	"      |                          ^~~~~~~~~~~~~~~~~~~\n"
	"hint: wide.yaml:5:14 is stricter wherever both match, and the strictest rule wins: remove one "
	"of them, or make the stricter one narrower\n"
	"wide.yaml:4:16: warning: '*.co.uk:443' allows names of strangers: 'co.uk' is a public suffix, "
	"anybody can register names below it [W-public-suffix]\n"
	"    4 |     - {allow: [\"*.co.uk:443\", a.example]} # \xc3\xa9\n"
	"      |                ^~~~~~~~~~~~~\n"
	"hint: write the name that is meant in front of it: 'example.co.uk' or '*.example.co.uk'\n";

static int enter(void **state)
{
	static struct place place = { .folder = "/tmp/test_check.XXXXXX" };

	*state = &place;
	place.project = getcwd(NULL, 0);
	if (!place.project || !mkdtemp(place.folder) || chdir(place.folder) < 0)
		return -1;
	write_file("wide.yaml", wide);
	write_file("broken file.yaml", "picket: 1\nnosuch: 1\n");
	write_file("good.yaml", "picket: 1\negress:\n  default: deny\n");
	return 0;
}

static int leave(void **state)
{
	struct place *place = *state;
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", place->folder);
	if (chdir(place->project) < 0)
		return -1;
	free(place->project);
	return system(command); /* NOLINT(cert-env33-c): the folder is ours */
}

static void warnings_are_shown(void **state)
{
	static const char *const args[ARGS_MAX] = { "check", "--no-managed", "wide.yaml" };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);

	(void)state;
	assert_int_equal(outcome.code, 0);
	assert_string_equal(outcome.err, wide_text);
	assert_non_null(strstr(outcome.out, "wide.yaml: ok ("));
}

static void strict_refuses(void **state)
{
	static const char *const args[ARGS_MAX] = { "check", "--no-managed", "--strict",
						    "wide.yaml" };
	static const char *const good[ARGS_MAX] = { "check", "--no-managed", "--strict",
						    "good.yaml" };
	static const char *const json[ARGS_MAX] = { "check", "--no-managed", "--strict", "--json",
						    "wide.yaml" };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);
	CLEAN(outcome_reset) struct outcome clean = run(NULL, good, NULL);
	CLEAN(outcome_reset) struct outcome document = run(NULL, json, NULL);

	(void)state;
	assert_int_equal(outcome.code, 1);
	assert_string_equal(outcome.out, "");
	assert_non_null(strstr(outcome.err, "wide.yaml:6:27: error: "));
	assert_null(strstr(outcome.err, "warning"));
	assert_int_equal(clean.code, 0);
	assert_int_equal(document.code, 1);
	assert_non_null(strstr(document.out, "\"ok\": false"));
	assert_non_null(strstr(document.out, "\"code\": \"W-shadowed\""));
}

static void formats_are_known(void **state)
{
	static const char *const args[ARGS_MAX] = { "check", "--format", "xml", "good.yaml" };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);

	(void)state;
	assert_int_equal(outcome.code, 2);
	assert_non_null(strstr(outcome.err, "--format is text, json or sarif, not 'xml'"));
}

static const char *text_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

static json_int_t number_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* SARIF 2.1.0, 3.49 to 3.52: ids are unique, each rule says what it is. */
static const json_t *check_driver(const json_t *run_object)
{
	const json_t *driver = json_object_get(json_object_get(run_object, "tool"), "driver");
	const json_t *rules = json_object_get(driver, "rules");

	assert_true(*text_at(driver, "name"));
	assert_true(*text_at(driver, "version"));
	assert_true(json_is_array(rules));
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);

		assert_true(*text_at(json_object_get(rule, "shortDescription"), "text"));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(text_at(rule, "id"),
						text_at(json_array_get(rules, j), "id"));
	}
	return rules;
}

/* 3.27 (result), 3.28 (location), 3.29 (physical location), 3.30 (region); 3.4 (URIs). */
static void check_result(const json_t *result, const json_t *rules)
{
	const json_t *rule = json_array_get(rules, (size_t)number_at(result, "ruleIndex"));
	const json_t *locations = json_object_get(result, "locations");
	const char *level = text_at(result, "level");

	assert_string_equal(text_at(result, "ruleId"), text_at(rule, "id"));
	assert_true(strcmp(level, "error") == 0 || strcmp(level, "warning") == 0);
	assert_true(*text_at(json_object_get(result, "message"), "text"));
	assert_int_equal(json_array_size(locations), 1);
	for (size_t i = 0; i < json_array_size(locations); i++) {
		const json_t *physical =
			json_object_get(json_array_get(locations, i), "physicalLocation");
		const json_t *region = json_object_get(physical, "region");
		const char *uri = text_at(json_object_get(physical, "artifactLocation"), "uri");

		assert_true(*uri);
		assert_null(strpbrk(uri, " \\\"<>^`{|}"));
		if (!region)
			continue;
		assert_true(number_at(region, "startLine") >= 1);
		assert_true(number_at(region, "startColumn") >= 1);
		assert_true(number_at(region, "endColumn") > number_at(region, "startColumn"));
	}
}

static void the_log_is_sarif(void **state)
{
	static const char *const args[ARGS_MAX] = { "check",	 "--no-managed", "--format",
						    "sarif",	 "wide.yaml",	 "broken file.yaml",
						    "good.yaml", "missing.yaml" };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);
	json_t *root = json_loads(outcome.out, JSON_REJECT_DUPLICATES, NULL);
	const json_t *runs = json_object_get(root, "runs");
	const json_t *results = json_object_get(json_array_get(runs, 0), "results");
	const json_t *rules, *region;

	(void)state;
	assert_int_equal(outcome.code, 1);
	assert_non_null(root);
	assert_string_equal(text_at(root, "version"), "2.1.0");
	assert_non_null(strstr(text_at(root, "$schema"), "sarif-2.1.0"));
	assert_int_equal(json_array_size(runs), 1);
	assert_string_equal(text_at(json_array_get(runs, 0), "columnKind"), "unicodeCodePoints");
	rules = check_driver(json_array_get(runs, 0));
	assert_int_equal(json_array_size(results), 4);
	for (size_t i = 0; i < json_array_size(results); i++)
		check_result(json_array_get(results, i), rules);
	assert_string_equal(text_at(json_array_get(results, 0), "ruleId"), "W-shadowed");
	assert_string_equal(text_at(json_array_get(results, 2), "ruleId"), "E-policy");
	/* A character before it has two bytes: the column is one less than the text form's. */
	region = json_object_get(
		json_object_get(
			json_array_get(json_object_get(json_array_get(results, 0), "locations"), 0),
			"physicalLocation"),
		"region");
	assert_int_equal(number_at(region, "startLine"), 6);
	assert_int_equal(number_at(region, "startColumn"), 26);
	assert_int_equal(number_at(region, "endColumn"), 26 + 19);
	assert_non_null(strstr(outcome.out, "\"broken%20file.yaml\""));
	json_decref(root);
}

static void presets_are_listed(void **state)
{
	static const char *const args[ARGS_MAX] = { "presets" };
	static const char *const json[ARGS_MAX] = { "presets", "--json" };
	static const char *const wrong[ARGS_MAX] = { "presets", "nodes" };
	static const char *const two[ARGS_MAX] = { "presets", "c", "go" };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);
	CLEAN(outcome_reset) struct outcome document = run(NULL, json, NULL);
	CLEAN(outcome_reset) struct outcome unknown = run(NULL, wrong, NULL);
	CLEAN(outcome_reset) struct outcome many = run(NULL, two, NULL);
	json_t *root = json_loads(document.out, 0, NULL);
	const json_t *list = json_object_get(root, "presets");

	(void)state;
	assert_int_equal(json_array_size(list), policy_preset_count);
	for (size_t i = 0; i < policy_preset_count; i++) {
		const char *const one[ARGS_MAX] = { "presets", policy_presets[i].name };
		CLEAN(outcome_reset) struct outcome own = run(NULL, one, NULL);

		assert_non_null(strstr(outcome.out, policy_presets[i].name));
		assert_string_equal(own.out, policy_presets[i].text);
		/* Each says what it is for, what it is from, and when; and is tested. */
		assert_true(*text_at(json_array_get(list, i), "description"));
		assert_int_equal(strlen(text_at(json_array_get(list, i), "as_of")), 7);
		assert_non_null(strstr(policy_presets[i].text, "\ntests:\n"));
	}
	assert_int_equal(unknown.code, 1);
	assert_non_null(strstr(unknown.err, "there is no preset 'nodes': did you mean 'node'?"));
	assert_int_equal(many.code, 2);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warnings_are_shown), cmocka_unit_test(strict_refuses),
		cmocka_unit_test(formats_are_known),  cmocka_unit_test(the_log_is_sarif),
		cmocka_unit_test(presets_are_listed),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
