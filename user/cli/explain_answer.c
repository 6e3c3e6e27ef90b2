/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Showing what decides and what lost. Which rule wins is the matcher's affair; here is only told
 * why the others did not.
 */
#include "cli/explain_answer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/explain_flip.h"
#include "cli/explain_network.h"
#include "cli/json_out.h"
#include "policy/asks.h"
#include "policy/decide.h"
#include "telemetry/names.h"

static bool is_command(const struct explain_part *part)
{
	return part->section == PK_SECTION_EXEC && part->access == PK_ACCESS_COMMAND;
}

static int fill_part(struct explain_answer *answer, struct explain_part *part,
		     const struct policy_image *image)
{
	const struct pk_query query = {
		.section = part->section,
		.access = part->access,
		.port = answer->port,
		.subjects = answer->subjects,
	};

	if (part->section == PK_SECTION_EGRESS || part->section == PK_SECTION_LISTEN ||
	    part->section == PK_SECTION_ACCEPT)
		return explain_network_fill(answer, part, &query, image);
	if (part->section == PK_SECTION_UNIX)
		return explain_abstract(image, answer->target, answer->subjects,
					&part->explanation);
	if (is_command(part))
		return explain_command(image, answer->seen, answer->argv, answer->subjects,
				       &part->explanation);
	return explain_path_query(image, answer->seen, &query, &part->explanation);
}

int explain_answer_fill(struct explain_answer *answer, const struct policy_image *image)
{
	int r = answer->by ? decide_subjects(image, answer->by, &answer->subjects) : 0;

	/* Where no rule looks at command lines there is no second look. */
	if (answer->argv && !image_head(image)->argv_start && answer->count == 3)
		answer->count--;
	for (size_t i = 0; i < answer->count && r >= 0; i++)
		r = fill_part(answer, &answer->parts[i], image);
	return r;
}

void explain_answer_reset(struct explain_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		explanation_reset(&answer->parts[i].explanation);
	answer->count = 0;
	free(TAKE_PTR(answer->host));
}

__u32 explain_answer_verdict(const struct explain_answer *answer)
{
	__u32 verdict = answer->question.verdict;

	for (size_t i = 0; i < answer->count; i++) {
		if (answer->parts[i].explanation.result.verdict > verdict)
			verdict = answer->parts[i].explanation.result.verdict;
	}
	return verdict;
}

static void put(const char *text)
{
	escape_write(stdout, text, strlen(text), 0);
}

/* `deny at FILE:LINE:COLUMN: PATTERN (id) "reason"` */
static void put_rule(const struct policy_image *image, __u32 number)
{
	const struct pk_rule *rule = image_rule(image, number);

	if (!rule) {
		(void)printf("number %u", number);
		return;
	}
	(void)printf("%s at ", names_verdict(rule->verdict));
	put(image_string(image, rule->file));
	(void)printf(":%u:%u: ", rule->line, rule->column);
	put(image_string(image, rule->text));
	if (rule->id) {
		(void)fputs(" (", stdout);
		put(image_string(image, rule->id));
		(void)putchar(')');
	}
	if (rule->reason) {
		(void)fputs(" \"", stdout);
		put(image_string(image, rule->reason));
		(void)putchar('"');
	}
}

/* `default deny of files`, with its layer when there are several. */
static void put_default(const struct policy_image *image, __u32 reference, __u32 verdict)
{
	(void)printf("default %s of %s", names_verdict(verdict), names_section(reference & 0xff));
	if (image_head(image)->layers > 1)
		(void)printf(" in layer %u", ((reference & ~PK_RULE_DEFAULT) >> 8) + 1);
}

static bool has_rules(const struct explanation *explanation)
{
	for (size_t i = 0; i < explanation->count; i++) {
		if (!(explanation->voices[i].rule & PK_RULE_DEFAULT))
			return true;
	}
	return false;
}

void explain_answer_put(const struct policy_image *image, const struct pk_result *result)
{
	if (result->reason == PK_REASON_RULE) {
		(void)fputs("rule ", stdout);
		put_rule(image, result->rule);
	} else if (result->reason == PK_REASON_DEFAULT) {
		put_default(image, result->rule, result->verdict);
	} else {
		(void)fputs(names_reason_sentence(result->reason), stdout);
	}
}

/* Does some layer have the section? */
static bool is_judged(const struct explain_part *part, const struct policy_image *image)
{
	return image_head(image)->defaults[part->section].present;
}

__u32 explain_answer_layer(const struct pk_result *result, const struct policy_image *image)
{
	const struct pk_rule *rule = image_rule(image, result->rule);

	if (result->reason == PK_REASON_UNJUDGED || result->rule == PK_RULE_NONE)
		return PK_LAYERS_MAX;
	return rule ? rule->layer : (result->rule & ~PK_RULE_DEFAULT) >> 8 & (PK_LAYERS_MAX - 1);
}

/* Of several layers the one that decided: whose words one has to talk about. */
static void print_layer(const struct explain_answer *answer, const struct explain_part *part,
			const struct policy_image *image)
{
	__u32 layer = explain_answer_layer(&part->explanation.result, image);

	if (image_head(image)->layers < 2 || layer == PK_LAYERS_MAX || !answer->layers[layer])
		return;
	(void)printf("    decided by layer %u of %u: ", layer + 1, image_head(image)->layers);
	put(answer->layers[layer]);
	(void)putchar('\n');
}

static void print_decider(const struct explain_part *part, const struct policy_image *image)
{
	const struct pk_result *result = &part->explanation.result;

	if (result->reason == PK_REASON_UNJUDGED && !is_judged(part, image))
		(void)printf("the policy has no section '%s'", names_section(part->section));
	else
		explain_answer_put(image, result);
	if (result->reason == PK_REASON_DEFAULT)
		(void)fputs(has_rules(&part->explanation) ? ": no rule covers all of it" :
							    ": no rule matches",
			    stdout);
	(void)putchar('\n');
}

/* Why a voice does not decide; NULL: it does. */
static const char *why_lost(const struct explanation *explanation,
			    const struct explain_voice *voice)
{
	const struct pk_result *result = &explanation->result;

	if (voice->rule == result->rule)
		return NULL;
	if (voice->verdict == result->verdict)
		return "comes later";
	if (result->reason == PK_REASON_DEFAULT)
		return "does not cover all that is asked for";
	return "is less strict";
}

static void print_others(const struct explain_part *part, const struct policy_image *image)
{
	char access[NAMES_ACCESS_SIZE];

	for (size_t i = 0; i < part->explanation.count; i++) {
		const struct explain_voice *voice = &part->explanation.voices[i];
		const char *why = why_lost(&part->explanation, voice);

		if (!why)
			continue;
		(void)printf("    also matches, but %s: ", why);
		if (voice->rule & PK_RULE_DEFAULT)
			put_default(image, voice->rule, voice->verdict);
		else
			put_rule(image, voice->rule);
		(void)printf(" [%s]\n", names_access(part->section, voice->access, ", ", access));
	}
}

/* The approvers of the strictest part: of its rule, or of all defaults. */
static __u32 approvers_of(const struct explain_answer *answer, const struct policy_image *image)
{
	__u32 approvers = image_head(image)->ask_approvers;

	for (size_t i = 0; i < answer->count; i++) {
		const struct pk_result *result = &answer->parts[i].explanation.result;
		const struct pk_rule *rule = image_rule(image, result->rule);

		if (rule && result->verdict == PK_VERDICT_ASK &&
		    pk_rule_approvers(rule) > approvers)
			approvers = pk_rule_approvers(rule);
	}
	return approvers;
}

/* Acts of section listen have nobody to approve them. */
static bool is_approvable(const struct explain_answer *answer)
{
	return explain_answer_verdict(answer) == PK_VERDICT_ASK &&
	       strcmp(answer->act, "listen") != 0;
}

static void print_approval(const struct explain_answer *answer, const struct policy_image *image)
{
	const struct pk_image *head = image_head(image);
	const __u32 approvers = approvers_of(answer, image);
	char time[ASKS_TIME_SIZE];

	if (!is_approvable(answer))
		return;
	(void)printf("note: under picketd it %s %u %s approve%s it, for %s at most\n",
		     head->flags & PK_IMAGE_HOLD ? "waits until" : "is refused until", approvers,
		     approvers == 1 ? "person" : "people", approvers == 1 ? "s" : "",
		     asks_time(head->ask_timeout, time));
}

int explain_answer_print(const struct explain_answer *answer, const struct policy_image *image)
{
	char access[NAMES_ACCESS_SIZE];

	(void)printf("%s: %s ", names_verdict(explain_answer_verdict(answer)), answer->act);
	put(answer->target);
	if (strcmp(answer->act, "open") == 0 || strcmp(answer->act, "connect") == 0 ||
	    strcmp(answer->act, "listen") == 0)
		(void)printf(" for %s", names_access(answer->parts[0].section,
						     answer->parts[0].access, ", ", access));
	(void)putchar('\n');
	if (answer->seen && strcmp(answer->seen, answer->target) != 0) {
		(void)fputs("note: the kernel sees ", stdout);
		put(answer->seen);
		(void)putchar('\n');
	}
	if (answer->by) {
		(void)fputs(answer->subjects ? "note: asked by " :
					       "note: no rule with 'by' is for ",
			    stdout);
		put(answer->by);
		(void)putchar('\n');
	}
	if (image_head(image)->flags & PK_IMAGE_AUDIT)
		(void)puts("note: the policy is in audit mode: nothing is blocked");
	print_approval(answer, image);
	for (size_t i = 0; i < answer->count; i++) {
		const struct explain_part *part = &answer->parts[i];

		(void)fputs("  ", stdout);
		if (answer->count > 1)
			(void)printf("%s%s %s: ", names_section(part->section),
				     is_command(part) ? " (command)" : "",
				     names_verdict(part->explanation.result.verdict));
		print_decider(part, image);
		print_layer(answer, part, image);
		print_others(part, image);
	}
	explain_network_print(answer, image);
	if (answer->change)
		explain_change_print(answer->change);
	return CLI_OK;
}

static json_t *default_object(__u32 reference)
{
	return json_pack("{s:s, s:I}", "section", names_section(reference & 0xff), "layer",
			 (json_int_t)((reference & ~PK_RULE_DEFAULT) >> 8));
}

void explain_answer_set(json_t *object, const struct policy_image *image, __u32 reference)
{
	if (reference & PK_RULE_DEFAULT)
		(void)json_object_set_new(object, "default", default_object(reference));
	else
		(void)json_object_set_new(object, "rule", json_out_rule(image, reference));
}

static json_t *voice_object(const struct explain_part *part, const struct explain_voice *voice,
			    const struct policy_image *image)
{
	json_t *object = json_pack("{s:s, s:o, s:s}", "verdict", names_verdict(voice->verdict),
				   "covers", json_out_access(part->section, voice->access), "why",
				   why_lost(&part->explanation, voice));

	explain_answer_set(object, image, voice->rule);
	return object;
}

static json_t *part_object(const struct explain_answer *answer, const struct explain_part *part,
			   const struct policy_image *image)
{
	__u32 layer = explain_answer_layer(&part->explanation.result, image);
	const struct pk_result *result = &part->explanation.result;
	json_t *others = json_array();
	json_t *object = json_pack("{s:s, s:o, s:s, s:s}", "section", names_section(part->section),
				   "access", json_out_access(part->section, part->access),
				   "verdict", names_verdict(result->verdict), "reason",
				   names_reason(result->reason));

	if (result->rule != PK_RULE_NONE)
		explain_answer_set(object, image, result->rule);
	if (layer < PK_LAYERS_MAX && answer->layers[layer])
		(void)json_object_set_new(object, "layer",
					  json_pack("{s:I, s:o}", "number", (json_int_t)layer,
						    "file", json_out_text(answer->layers[layer])));
	for (size_t i = 0; i < part->explanation.count; i++) {
		const struct explain_voice *voice = &part->explanation.voices[i];

		if (why_lost(&part->explanation, voice))
			(void)json_array_append_new(others, voice_object(part, voice, image));
	}
	(void)json_object_set_new(object, "others", others);
	return object;
}

int explain_answer_json(const struct explain_answer *answer, const struct policy_image *image)
{
	json_t *parts = json_array();
	json_t *root = json_pack("{s:s, s:o, s:s, s:o}", "schema", "picket.explain/1", "policy",
				 json_out_text(answer->policy), "act", answer->act, "target",
				 json_out_text(answer->target));

	if (answer->by)
		(void)json_object_set_new(root, "by", json_out_text(answer->by));
	if (answer->seen)
		(void)json_object_set_new(root, "seen", json_out_text(answer->seen));
	(void)json_object_set_new(root, "verdict",
				  json_string(names_verdict(explain_answer_verdict(answer))));
	(void)json_object_set_new(root, "audit",
				  json_boolean(image_head(image)->flags & PK_IMAGE_AUDIT));
	if (is_approvable(answer)) {
		json_t *approvals = json_out_approvals(image);

		(void)json_object_set_new(approvals, "approvers",
					  json_integer(approvers_of(answer, image)));
		(void)json_object_set_new(root, "approvals", approvals);
	}
	explain_network_json(answer, image, root);
	for (size_t i = 0; i < answer->count; i++)
		(void)json_array_append_new(parts, part_object(answer, &answer->parts[i], image));
	(void)json_object_set_new(root, "parts", parts);
	if (answer->change)
		(void)json_object_set_new(root, "flip", explain_change_json(answer->change));
	return json_out_print("explain", root);
}
