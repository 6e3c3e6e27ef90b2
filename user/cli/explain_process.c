/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket explain --process`: the switches of all layers as they came out, and the calls refused.
 */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "cli/cli.h"
#include "cli/explain_answer.h"
#include "cli/json_out.h"
#include "policy/capabilities.h"
#include "policy/decide.h"
#include "telemetry/names.h"

#define CAPABILITIES 64

static void print_speaker(const struct policy_image *image, __u32 reference)
{
	const struct pk_rule *rule = image_rule(image, reference);
	const char *file;
	const char *text;

	if (!rule) {
		(void)fputs("the default", stdout);
		if (image_head(image)->layers > 1)
			(void)printf(" in layer %u", ((reference & ~PK_RULE_DEFAULT) >> 8) + 1);
		return;
	}
	file = image_string(image, rule->file);
	text = image_string(image, rule->text);
	escape_write(stdout, text, strlen(text), 0);
	(void)fputs(" at ", stdout);
	escape_write(stdout, file, strlen(file), 0);
	(void)printf(":%u:%u", rule->line, rule->column);
}

static void print_capabilities(__u64 refused)
{
	const char *separator = "capabilities refused: ";

	for (unsigned int i = 0; i < CAPABILITIES; i++) {
		const char *name = refused >> i & 1 ? capabilities_name(i) : NULL;

		if (!name)
			continue;
		(void)printf("%s%s", separator, name);
		separator = ", ";
	}
	if (*separator == ',')
		(void)putchar('\n');
}

static bool is_call(const struct pk_rule *rule)
{
	return rule && rule->section == PK_SECTION_SYSCALLS;
}

/* The system calls that are refused: those of one place, as the members of a group are, in one line. */
static void print_calls(const struct policy_image *image)
{
	const struct pk_rule *last = NULL;
	const struct pk_rule *rule = image_rule(image, 0);

	for (__u32 i = 0; rule; rule = image_rule(image, ++i)) {
		const char *file = image_string(image, rule->file);

		if (!is_call(rule))
			continue;
		if (last && last->file == rule->file && last->line == rule->line &&
		    last->column == rule->column) {
			(void)fputs(", ", stdout);
		} else {
			(void)fputs(last ? "\ncalls refused at " : "calls refused at ", stdout);
			escape_write(stdout, file, strlen(file), 0);
			(void)printf(":%u:%u: ", rule->line, rule->column);
		}
		(void)fputs(image_string(image, rule->text), stdout);
		last = rule;
	}
	if (last)
		(void)putchar('\n');
}

static json_t *calls_json(const struct policy_image *image)
{
	json_t *calls = json_array();
	const struct pk_rule *rule = image_rule(image, 0);

	for (__u32 i = 0; rule; rule = image_rule(image, ++i))
		if (is_call(rule))
			(void)json_array_append_new(calls, json_out_rule(image, i));
	return calls;
}

static int print_json(const char *policy, const struct policy_image *image)
{
	const struct pk_image *head = image_head(image);
	json_t *guards = json_array();
	json_t *capabilities = json_array();
	json_t *root;

	for (__u32 i = 0; i < PK_GUARD__MAX; i++) {
		struct pk_result result = decide_guard(image, i);
		json_t *guard = json_pack("{s:s, s:s}", "name", names_guard(i), "verdict",
					  names_verdict(result.verdict));

		if (image_rule(image, result.rule))
			(void)json_object_set_new(guard, "rule", json_out_rule(image, result.rule));
		else
			(void)json_object_set_new(
				guard, "default",
				json_pack("{s:I}", "layer",
					  (json_int_t)((result.rule & ~PK_RULE_DEFAULT) >> 8)));
		(void)json_array_append_new(guards, guard);
	}
	for (unsigned int i = 0; i < CAPABILITIES; i++)
		if (head->guards.capabilities >> i & 1 && capabilities_name(i))
			(void)json_array_append_new(capabilities,
						    json_string(capabilities_name(i)));
	root = json_pack("{s:s, s:o, s:s, s:b, s:o, s:o, s:o}", "schema", "picket.explain/1",
			 "policy", json_out_text(policy), "act", "process", "audit",
			 (int)(head->flags & PK_IMAGE_AUDIT), "switches", guards, "capabilities",
			 capabilities, "calls", calls_json(image));
	return json_out_print("explain", root);
}

int explain_process(const char *policy, const struct policy_image *image, bool json)
{
	if (json)
		return print_json(policy, image);
	for (__u32 i = 0; i < PK_GUARD__MAX; i++) {
		struct pk_result result = decide_guard(image, i);

		(void)printf("%-14s  %-5s  ", names_guard(i), names_verdict(result.verdict));
		print_speaker(image, result.rule);
		(void)putchar('\n');
	}
	print_capabilities(image_head(image)->guards.capabilities);
	print_calls(image);
	if (image_head(image)->flags & PK_IMAGE_AUDIT)
		(void)puts("note: the policy is in audit mode: nothing is blocked");
	return CLI_OK;
}
