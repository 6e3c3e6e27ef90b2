/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of learning: what is never learned goes first, then each part takes what is its, then the
 * text is loaded like any other policy and every act is judged by it.
 */
#include "author/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "author/judge.h"
#include "author/learn_parts.h"
#include "base/mem.h"
#include "policy/compile.h"

/* The names are those that the clouds' own libraries ask. */
static const char *const judge_texts[] = {
	[LEARN_SECRETS] =
		"picket: 1\ninclude: presets/secrets\nfiles: {default: allow}\negress:\n"
		"  default: allow\n  rules:\n    - {deny: [\"@metadata\", metadata.google.internal, "
		"metadata.goog, instance-data.ec2.internal]}\n",
	[LEARN_BASE] = "picket: 1\ninclude: presets/linux-base\nfiles: {default: deny}\n",
	[LEARN_TOOLS] = "picket: 1\ninclude: [presets/linux-base, presets/dev-tools]\n"
			"files: {default: deny}\n",
	[LEARN_LOCAL] = "picket: 1\negress:\n  default: deny\n  rules:\n"
			"    - {allow: \"@loopback\"}\n"
			"listen:\n  default: deny\n  rules:\n"
			"    - {allow: \"@loopback:*\"}\n",
	[LEARN_INSIDE] = "picket: 1\negress:\n  default: deny\n  rules:\n"
			 "    - {allow: [\"@loopback\", \"@private\"]}\n",
};

static int compile_text(const struct learn *learn, const char *name, const char *text,
			struct policy_image *ret_image, struct diag_list *diags)
{
	const struct compile_options options = { .host = learn->context.host };
	struct policy *policy = NULL;
	int r = policy_load_text(name, text, strlen(text), &learn->context, &policy, diags);

	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, &options, ret_image,
				   diags);
	policy_free(&policy);
	return r;
}

bool learn_allows(const struct learn *learn, enum learn_judge judge, const struct observation *act)
{
	struct pk_result result;

	return judge_act(&learn->judges[judge], act, &result) && result.verdict == PK_VERDICT_ALLOW;
}

int learn_leave(struct learn *learn, const struct observation *act, const char *why)
{
	struct learn_result *result = learn->result;
	size_t index = (size_t)(act - learn->recording->items);
	struct learn_left *grown;

	if (learn->left[index])
		return 0;
	grown = reallocarray(result->left, result->left_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	result->left = grown;
	grown[result->left_count++] = (struct learn_left){ act, why };
	learn->left[index] = true;
	return 0;
}

/* What is never learned. */
static int sort_out(struct learn *learn, const struct observation *act)
{
	struct pk_result result;

	if (!judge_act(&learn->judges[LEARN_SECRETS], act, &result))
		return learn_leave(learn, act, "no rule of a policy can allow it");
	if (act->verdict != PK_VERDICT_ALLOW)
		return learn_leave(learn, act, "it was refused when it was recorded");
	if (act->section != PK_SECTION_PROCESS && result.verdict != PK_VERDICT_ALLOW &&
	    result.reason == PK_REASON_RULE)
		return learn_leave(learn, act, "secrets and metadata are never learned");
	return 0;
}

static int take_guard(struct learn *learn, const struct observation *act)
{
	learn->guards |= 1U << act->access;
	learn->capabilities |= act->capability;
	return 0;
}

static int take(struct learn *learn, const struct observation *act)
{
	switch (act->section) {
	case PK_SECTION_FILES:
	case PK_SECTION_EXEC:
		return learn_files(learn, act);
	case PK_SECTION_EGRESS:
	case PK_SECTION_LISTEN:
	case PK_SECTION_UNIX:
	case PK_SECTION_SOCKETS:
		return learn_network(learn, act);
	case PK_SECTION_PROCESS:
		return take_guard(learn, act);
	case PK_SECTION_SYSCALLS:
		/* What no policy names is not refused. */
		return 0;
	default:
		return learn_leave(learn, act, "no rule of a policy can allow it");
	}
}

typedef int (*act_step)(struct learn *learn, const struct observation *act);

/* One step for all acts that are not left out. */
static int for_each(struct learn *learn, act_step step)
{
	int r = 0;

	for (size_t i = 0; i < learn->recording->count && r == 0; i++) {
		if (!learn->left[i])
			r = step(learn, &learn->recording->items[i]);
	}
	return r;
}

/*
 * A recording with a head saw all that its tier sees, so what it has not seen is not to be; of other events only
 * those kinds are known that are there.
 */
static void choose_sections(struct learn *learn)
{
	const struct recording *recording = learn->recording;
	bool hooks = recording->tier && strcmp(recording->tier, "network") != 0;

	for (size_t i = 0; i < recording->count; i++)
		learn->sections[recording->items[i].section] = true;
	if (recording->tier)
		learn->sections[PK_SECTION_EGRESS] = learn->sections[PK_SECTION_LISTEN] = true;
	learn->sections[PK_SECTION_FILES] |= hooks || learn->sections[PK_SECTION_EXEC];
	learn->sections[PK_SECTION_EXEC] |= hooks;
	learn->sections[PK_SECTION_UNIX] |= hooks;
	learn->sections[PK_SECTION_PROCESS] |= hooks;
	learn->sections[PK_SECTION_SOCKETS] |= hooks;
}

/* The variables as they were for the agent. */
static void set_context(struct learn *learn, const struct policy_context *context)
{
	const struct recording *recording = learn->recording;

	learn->context = *context;
	learn->context.builtins = learn->builtins;
	learn->context.builtin_count = 0;
	for (size_t i = 0; i < context->builtin_count && i < 3; i++) {
		struct policy_variable builtin = context->builtins[i];

		if (recording->cwd && strcmp(builtin.name, "CWD") == 0)
			builtin.value = recording->cwd;
		if (recording->home && strcmp(builtin.name, "HOME") == 0)
			builtin.value = recording->home;
		learn->builtins[learn->context.builtin_count++] = builtin;
	}
}

static const char *builtin(const struct learn *learn, const char *name)
{
	for (size_t i = 0; i < learn->context.builtin_count; i++) {
		if (strcmp(learn->builtins[i].name, name) == 0)
			return learn->builtins[i].value;
	}
	return NULL;
}

static int prepare(struct learn *learn, struct diag_list *diags)
{
	int r = 0;

	learn->left = calloc(learn->recording->count + 1, sizeof(*learn->left));
	learn->paths = learn_paths_new(builtin(learn, "CWD"), builtin(learn, "HOME"));
	if (!learn->left || !learn->paths)
		return -ENOMEM;
	for (int i = 0; i < LEARN_JUDGES && r == 0; i++)
		r = compile_text(learn, "learn", judge_texts[i], &learn->judges[i], diags);
	return r;
}

/* Judge by the text; what it does not allow is left out, too. */
static int verify(struct learn *learn, struct diag_list *diags)
{
	CLEAN(image_reset) struct policy_image image = { 0 };
	int r = compile_text(learn, "learned", learn->result->text, &image, diags);

	for (size_t i = 0; i < learn->recording->count && r == 0; i++) {
		const struct observation *act = &learn->recording->items[i];
		struct pk_result result;

		if (!learn->left[i] &&
		    (!judge_act(&image, act, &result) || result.verdict != PK_VERDICT_ALLOW))
			r = learn_leave(learn, act, "no rule that was learned allows it");
	}
	return r;
}

static int write_text(struct learn *learn)
{
	free(learn->result->text);
	learn->result->text = learn_text(learn);
	learn->result->rules = learn->rules.count;
	return learn->result->text ? 0 : -ENOMEM;
}

static int run(struct learn *learn, struct diag_list *diags)
{
	size_t left;
	int r = prepare(learn, diags);

	if (r == 0)
		r = for_each(learn, sort_out);
	if (r)
		return r;
	choose_sections(learn);
	learn_presets(learn);
	r = for_each(learn, learn_files_made);
	if (r == 0)
		r = for_each(learn, take);
	if (r == 0)
		r = learn_paths_rules(learn->paths, &learn->rules);
	if (r == 0)
		r = learn_commands(learn);
	if (r == 0)
		r = learn_peers(learn);
	if (r)
		return r;
	learn_rules_finish(&learn->rules);
	r = write_text(learn);
	left = learn->result->left_count;
	if (r == 0)
		r = verify(learn, diags);
	return r == 0 && learn->result->left_count != left ? write_text(learn) : r;
}

static void learn_reset(struct learn *learn)
{
	for (int i = 0; i < LEARN_JUDGES; i++)
		image_reset(&learn->judges[i]);
	learn_paths_free(&learn->paths);
	learn_rules_reset(&learn->rules);
	mem_free_ptr(&learn->left);
}

int learn_policy(const struct recording *recording, const char *name,
		 const struct policy_context *context, struct learn_result *ret_result,
		 struct diag_list *diags)
{
	CLEAN(learn_result_reset) struct learn_result result = { 0 };
	CLEAN(learn_reset)
	struct learn learn = { .recording = recording, .name = name, .result = &result };
	int r;

	set_context(&learn, context);
	r = run(&learn, diags);
	if (r)
		return r;
	*ret_result = result;
	result = (struct learn_result){ 0 };
	return 0;
}

void learn_result_reset(struct learn_result *result)
{
	free(result->text);
	free(result->left);
	*result = (struct learn_result){ 0 };
}
