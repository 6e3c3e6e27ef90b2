/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket replay`: what a policy, or a change of one, would have meant for what happened.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "author/replay.h"
#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/policy_options.h"
#include "cli/recordings.h"
#include "policy/policy_args.h"
#include "telemetry/names.h"

static const char help[] =
	"usage: picket replay EVENTS... -p POLICY [-p POLICY]\n"
	"\n"
	"Judge recorded events (`picket run --learn` or --events) by POLICY and tell which decisions\n"
	"would be other ones: with two policies, by the second instead of the first; with one, than\n"
	"what came of them when they were recorded. EVENTS may be - for standard input.\n"
	"\n"
	"  -p, --policy POLICY    a policy; twice: the one before and the one after\n"
	"      --fail-on WHAT     changed (the default), opened, closed or nothing\n"
	"      --lossy            take recordings from which events are missing\n" POLICY_HELP_SET
		POLICY_HELP_USER POLICY_HELP_LAYERS
	"      --json             one JSON document on stdout\n"
	"\n"
	"Exit status: 0: no such change; 1: there is one, or it failed; 2: usage.\n";

/* What a replay fails on. */
enum fail_on { FAIL_ON_CHANGED, FAIL_ON_OPENED, FAIL_ON_CLOSED, FAIL_ON_NOTHING, FAIL_ON__MAX };

static const char *const fail_words[] = { "changed", "opened", "closed", "nothing" };

struct replay_command {
	struct policy_args args; /* of both policies */
	const char *paths[2];
	struct cli_policy policies[2];
	struct recording recording;
	struct replay replay;
	enum fail_on fail_on;
	int count; /* policies */
	bool lossy;
	bool json;
};

static void command_reset(struct replay_command *command)
{
	replay_reset(&command->replay);
	recording_reset(&command->recording);
	cli_policy_reset(&command->policies[0]);
	cli_policy_reset(&command->policies[1]);
	policy_args_reset(&command->args);
}

static const struct policy_image *after_image(const struct replay_command *command)
{
	return &command->policies[command->count - 1].image;
}

static int compile_policies(struct replay_command *command)
{
	for (int i = 0; i < command->count; i++) {
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		int r;

		command->args.path = command->paths[i];
		r = policy_args_compile(&command->args, &command->policies[i], &diags);
		if (r < 0 && !diag_has_errors(&diags))
			(void)diag_add(&diags, DIAG_ERROR, NULL, "cannot read '%s': %s",
				       command->paths[i], strerror(-r));
		cli_print_diags(&diags);
		if (r < 0)
			return CLI_FAILED;
	}
	return CLI_OK;
}

/* Who decides now: a rule and its place, a default, or what the act is. */
static void print_decider(const struct policy_image *image, const struct pk_result *result)
{
	const struct pk_rule *rule =
		result->reason == PK_REASON_DEFAULT ? NULL : image_rule(image, result->rule);

	if (rule)
		(void)printf("%s \"%s\" at %s:%u", names_verdict(rule->verdict),
			     image_string(image, rule->text), image_string(image, rule->file),
			     rule->line);
	else if (result->reason == PK_REASON_DEFAULT)
		(void)printf("default of %s", names_section(result->rule & 0xff));
	else
		(void)printf("%s", names_reason_sentence(result->reason));
}

static void print_change(const struct replay_command *command, const struct replay_change *change)
{
	const struct seen *seen = &change->act->seen;
	char access[NAMES_ACCESS_SIZE] = "";

	if (change->section != PK_SECTION_PROCESS)
		(void)names_access(change->section, change->access, ",", access);
	(void)printf("  %-7s %-11s %s\n          %llu time%s", names_section(change->section),
		     access, change->text, (unsigned long long)change->count,
		     change->count == 1 ? "" : "s");
	for (size_t i = 0; i < seen->program_count && i < OBSERVATION_PROGRAMS; i++) {
		CLEAN_FREE char *name =
			escape_string(seen->programs[i], strlen(seen->programs[i]), 0);

		(void)printf("%s %s", i ? "," : ", by", name ? name : "?");
	}
	(void)printf("; now ");
	print_decider(after_image(command), &change->after);
	(void)putchar('\n');
}

static void print_summary(const struct replay *replay, enum pk_verdict verdict, const char *verb)
{
	const char *separator = " ";
	size_t count = replay_count(replay, verdict, PK_SECTION__MAX);

	(void)printf("this %s", verb);
	for (enum pk_section section = 0; section < PK_SECTION__MAX && count; section++) {
		size_t of = replay_count(replay, verdict, section);
		const char *what = section == PK_SECTION_EGRESS ? "destination" :
				   section == PK_SECTION_FILES	? "file" :
				   section == PK_SECTION_EXEC	? "command" :
								  "other act";

		if (of)
			(void)printf("%s%zu %s%s", separator, of, what, of == 1 ? "" : "s");
		separator = of ? ", " : separator;
	}
	(void)printf("%s\n", count ? "" : " nothing");
}

static void print_text(const struct replay_command *command)
{
	static const char *const titles[] = { "allowed now", "asked about now", "denied now" };
	const struct replay *replay = &command->replay;
	__u32 last = PK_VERDICT_DENY + 1;

	for (size_t i = 0; i < replay->count; i++) {
		const struct replay_change *change = &replay->changes[i];

		if (change->after.verdict != last)
			(void)printf("%s:\n", titles[change->after.verdict]);
		last = change->after.verdict;
		print_change(command, change);
	}
	print_summary(replay, PK_VERDICT_ALLOW, "opens");
	if (replay_count(replay, PK_VERDICT_ASK, PK_SECTION__MAX))
		print_summary(replay, PK_VERDICT_ASK, "asks about");
	print_summary(replay, PK_VERDICT_DENY, "closes");
	(void)printf("%llu of %llu acts as before", (unsigned long long)replay->same,
		     (unsigned long long)command->recording.acts_seen);
	if (replay->fixed)
		(void)printf(", %llu that no rule decides", (unsigned long long)replay->fixed);
	(void)putchar('\n');
}

static json_t *json_result(const struct policy_image *image, const struct pk_result *result)
{
	json_t *object = json_pack("{s:s, s:s}", "verdict", names_verdict(result->verdict),
				   "reason", names_reason(result->reason));

	if (image && result->reason != PK_REASON_DEFAULT && image_rule(image, result->rule))
		(void)json_object_set_new(object, "rule", json_out_rule(image, result->rule));
	return object;
}

static json_t *json_change(const struct replay_command *command, const struct replay_change *change)
{
	const struct policy_image *before = command->count > 1 ? &command->policies[0].image : NULL;
	const struct seen *seen = &change->act->seen;
	json_t *programs = json_array();
	json_t *object = json_pack("{s:s, s:o, s:o, s:I, s:s, s:s, s:o, s:o, s:o}", "section",
				   names_section(change->section), "access",
				   change->section == PK_SECTION_PROCESS ?
					   json_array() :
					   json_out_access(change->section, change->access),
				   "object", json_string(change->text), "count",
				   (json_int_t)change->count, "first", seen->first, "last",
				   seen->last, "programs", programs, "before",
				   json_result(before, &change->before), "after",
				   json_result(after_image(command), &change->after));

	for (size_t i = 0; i < seen->program_count && i < OBSERVATION_PROGRAMS; i++)
		(void)json_array_append_new(programs, json_out_text(seen->programs[i]));
	return object;
}

static int print_json(const struct replay_command *command)
{
	const struct replay *replay = &command->replay;
	json_t *changes = json_array();

	for (size_t i = 0; i < replay->count; i++)
		(void)json_array_append_new(changes, json_change(command, &replay->changes[i]));
	return json_out_print(
		"replay",
		json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "schema",
			  "picket.replay/1", "acts", (json_int_t)command->recording.acts_seen,
			  "lost", (json_int_t)command->recording.lost, "same",
			  (json_int_t)replay->same, "fixed", (json_int_t)replay->fixed, "opened",
			  (json_int_t)replay_count(replay, PK_VERDICT_ALLOW, PK_SECTION__MAX),
			  "asked",
			  (json_int_t)replay_count(replay, PK_VERDICT_ASK, PK_SECTION__MAX),
			  "closed",
			  (json_int_t)replay_count(replay, PK_VERDICT_DENY, PK_SECTION__MAX),
			  "changes", changes));
}

static int exit_code(const struct replay_command *command)
{
	const struct replay *replay = &command->replay;
	bool bad = false;

	if (command->fail_on == FAIL_ON_CHANGED)
		bad = replay->count > 0;
	else if (command->fail_on == FAIL_ON_OPENED)
		bad = replay_count(replay, PK_VERDICT_ALLOW, PK_SECTION__MAX) > 0;
	else if (command->fail_on == FAIL_ON_CLOSED)
		bad = replay_count(replay, PK_VERDICT_DENY, PK_SECTION__MAX) > 0;
	return bad ? CLI_FAILED : CLI_OK;
}

static int run(struct replay_command *command, char *const *files, int count)
{
	const struct policy_image *before = command->count > 1 ? &command->policies[0].image : NULL;
	int code = compile_policies(command);

	if (code == CLI_OK)
		code = recordings_read("replay", files, count, command->lossy, &command->recording);
	if (code != CLI_OK)
		return code;
	if (replay_run(&command->recording, before, after_image(command), &command->replay) < 0)
		return cli_error("replay", "out of memory");
	if (command->json)
		code = print_json(command);
	else
		print_text(command);
	return code == CLI_OK ? exit_code(command) : code;
}

enum option_id { OPTION_FAIL_ON = 256, OPTION_LOSSY };

static int take_fail_on(struct replay_command *command, const char *word)
{
	for (int i = 0; i < FAIL_ON__MAX; i++) {
		if (strcmp(fail_words[i], word) == 0) {
			command->fail_on = (enum fail_on)i;
			return CLI_OK;
		}
	}
	return cli_usage("replay", "--fail-on '%s' is not changed, opened, closed or nothing",
			 word);
}

static int take_policy(struct replay_command *command, const char *path)
{
	if (command->count == 2)
		return cli_usage(
			"replay",
			"more than two policies: the one before and the one after are compared");
	command->paths[command->count++] = path;
	return CLI_OK;
}

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct replay_command *command = context;

	switch (option) {
	case 'p':
		return take_policy(command, optarg);
	case OPTION_FAIL_ON:
		return take_fail_on(command, optarg);
	default:
		command->lossy = true;
		return CLI_OK;
	}
}

int cmd_replay(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "fail-on", required_argument, NULL, OPTION_FAIL_ON },
		{ "lossy", no_argument, NULL, OPTION_LOSSY },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(command_reset) struct replay_command command = { .recording.by_program = true };
	const struct policy_options all = {
		.command = "replay",
		.help = help,
		.letters = "p:",
		.own = options,
		.take = take_option,
		.context = &command,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER | POLICY_OPTION_LAYERS |
			  POLICY_OPTION_JSON,
		.args = &command.args,
		.count = 1,
		.json = &command.json,
	};
	int code;

	if (!policy_options_parse(&all, argc, argv, &code))
		return code;
	if (!command.count)
		return cli_usage("replay", "no policy: give one or two with -p POLICY");
	if (optind >= argc)
		return cli_usage("replay",
				 "no recorded events: write 'picket replay EVENTS -p POLICY'");
	return run(&command, argv + optind, argc - optind);
}
