/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket check`: whether `picket run` would take each policy, and why not.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "author/warn.h"
#include "author/widen.h"
#include "base/escape.h"
#include "base/mem.h"
#include "cli/check_details.h"
#include "cli/check_sarif.h"
#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/policy_options.h"
#include "policy/access.h"
#include "policy/compile.h"
#include "policy/host_facts.h"
#include "sink/settings.h"

static const char help[] =
	"usage: picket check [options] POLICY...\n"
	"\n"
	"Read, compile and test each POLICY as `picket run` does.\n"
	"\n" POLICY_HELP_SET POLICY_HELP_USER POLICY_HELP_LAYERS
	"      --telemetry FILE   also a telemetry.yaml; then a POLICY is not needed\n"
	"      --strict           warnings are errors\n"
	"      --verbose          also rules by section, and what @groups stand for\n"
	"      --format FORMAT    text, json, or sarif (2.1.0, for code review), on stdout\n"
	"      --json             --format json\n"
	"\n"
	"A rule accepts a warning by naming it in its reason: 'tests run what they build,\n"
	"W-write-exec'.\n"
	"\n"
	"Exit status: 0: all are good; 1: errors; 2: usage.\n";

/** How findings are written. */
enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_SARIF };

struct check {
	struct policy_args args;
	enum check_format format;
	json_t *list; /* json: of policies; sarif: of results */
	uid_t user; /* whose rights the agent will have */
	const char *telemetry; /* a file to be checked too, or NULL */
	bool strict;
	bool verbose;
};

static void check_reset(struct check *check)
{
	policy_args_reset(&check->args);
	json_decref(check->list);
	check->list = NULL;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* Rules of section accept are parts of those of section listen. */
static size_t written_rules(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		count += policy->rules[i].section != PK_SECTION_ACCEPT;
	return count;
}

static void report_text(const struct check *check, const struct cli_policy *policy,
			const struct diag_list *diags)
{
	const char *path = check->args.path;
	size_t rules;
	char digest[65];

	cli_print_diags(diags);
	if (!policy->policy || diag_has_errors(diags))
		return;
	rules = written_rules(policy->policy);
	cli_policy_digest(&policy->image, digest);
	escape_write(stdout, path, strlen(path), 0);
	(void)printf(": ok (%zu rule%s, %zu test%s passed, ", rules, plural(rules),
		     policy->tests_passed, plural(policy->tests_passed));
	if (policy->managed.count)
		(void)printf("%zu managed layer%s above, ", policy->managed.count,
			     plural(policy->managed.count));
	(void)printf("image %s)\n", digest);
	check_registries(policy->policy);
	if (check->verbose)
		check_details(policy);
}

static void report_json(const struct check *check, const struct cli_policy *policy,
			const struct diag_list *diags)
{
	json_t *object = json_object();
	char digest[65];

	(void)json_object_set_new(object, "policy", json_out_text(check->args.path));
	(void)json_object_set_new(object, "ok", json_boolean(!diag_has_errors(diags)));
	if (policy->policy) {
		cli_policy_digest(&policy->image, digest);
		(void)json_object_set_new(object, "name", json_out_text(policy->policy->name));
		(void)json_object_set_new(object, "rules",
					  json_integer((json_int_t)written_rules(policy->policy)));
		(void)json_object_set_new(object, "tests",
					  json_integer((json_int_t)policy->tests_passed));
		(void)json_object_set_new(object, "image", json_string(digest));
		(void)json_object_set_new(object, "usable_by", json_out_usable_by(policy->policy));
		(void)json_object_set_new(object, "nested", json_out_nested(policy->policy));
		(void)json_object_set_new(object, "approvals", json_out_approvals(&policy->image));
		(void)json_object_set_new(object, "managed", json_out_managed(&policy->managed));
		(void)json_object_set_new(object, "registries",
					  check_registries_json(policy->policy));
	}
	(void)json_object_set_new(object, "findings", json_out_diags(diags));
	if (diags->dropped > 0)
		(void)json_object_set_new(object, "findings_dropped",
					  json_integer((json_int_t)diags->dropped));
	(void)json_array_append_new(check->list, object);
}

/*
 * Warnings are about the policy by itself: layers above it are not its author's to write. What they
 * refuse of it anyway is an error.
 */
static int add_warnings(const struct check *check, const struct cli_policy *policy,
			struct diag_list *diags)
{
	const struct warn_world world = { .path = getenv("PATH"), .user = check->user };
	const struct policy *alone[] = { policy->policy };
	CLEAN(host_facts_reset) struct policy_host host = { 0 };
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct compile_options options = { .host = &host };
	int r;

	policy_access_check(policy->policy, diags);
	if (!policy->managed.count)
		return warn_policy(policy->policy, &policy->image, &world, diags);
	r = widen_find(&policy->image, diags);
	if (r == 0)
		r = host_facts_read(HOST_FACTS_RESOLV_CONF, &host);
	if (r == 0)
		r = policy_compile(alone, 1, &options, &image, diags);
	return r < 0 ? r : warn_policy(policy->policy, &image, &world, diags);
}

static void make_strict(struct diag_list *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		diags->items[i].severity = DIAG_ERROR;
}

static void report(const struct check *check, const struct cli_policy *policy,
		   const struct diag_list *diags)
{
	switch (check->format) {
	case CHECK_JSON:
		report_json(check, policy, diags);
		break;
	case CHECK_SARIF:
		check_sarif_add(check->list, check->args.path, diags);
		break;
	default:
		report_text(check, policy, diags);
		break;
	}
}

/* Check one policy; true when it is good. */
static bool check_one(struct check *check, const char *path)
{
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r;

	check->args.path = path;
	r = policy_args_compile(&check->args, &policy, &diags);
	if (r == 0)
		r = add_warnings(check, &policy, &diags);
	if (r < 0 && !diag_has_errors(&diags))
		(void)diag_add(&diags, DIAG_ERROR, NULL, "cannot check '%s': %s", path,
			       strerror(-r));
	if (check->strict)
		make_strict(&diags);
	report(check, &policy, &diags);
	return r == 0 && !diag_has_errors(&diags);
}

/* As picketd reads it, but for whose file it is. */
static bool check_telemetry(struct check *check)
{
	CLEAN(telemetry_settings_reset)
	struct telemetry_settings settings = TELEMETRY_SETTINGS_NONE;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	const struct cli_policy none = { 0 };
	int r = telemetry_settings_read(check->telemetry, false, 0, &settings, &diags);

	check->args.path = check->telemetry;
	if (r < 0 && !diag_has_errors(&diags))
		(void)diag_add(&diags, DIAG_ERROR, NULL, "cannot check '%s': %s", check->telemetry,
			       strerror(-r));
	report(check, &none, &diags);
	if (r == 0 && check->format == CHECK_TEXT) {
		escape_write(stdout, check->telemetry, strlen(check->telemetry), 0);
		(void)printf(": ok (%zu sink%s)\n", settings.sink_count,
			     plural(settings.sink_count));
	}
	return r == 0;
}

static int check_all(struct check *check, int count, char **paths)
{
	int code = CLI_OK;
	int printed = CLI_OK;

	if (check->format != CHECK_TEXT)
		check->list = json_array();
	if (check->telemetry && !check_telemetry(check))
		code = CLI_FAILED;
	for (int i = 0; i < count; i++) {
		if (!check_one(check, paths[i]))
			code = CLI_FAILED;
	}
	if (check->format == CHECK_JSON)
		printed =
			json_out_print("check", json_pack("{s:s, s:O}", "schema", "picket.check/1",
							  "policies", check->list));
	else if (check->format == CHECK_SARIF)
		printed = json_out_print("check", check_sarif(check->list));
	return printed == CLI_OK ? code : printed;
}

enum option_id {
	OPTION_STRICT = 256,
	OPTION_TELEMETRY,
	OPTION_VERBOSE,
	OPTION_FORMAT,
	OPTION_JSON
};

static int take_format(struct check *check, const char *word)
{
	static const char *const words[] = {
		[CHECK_TEXT] = "text", [CHECK_JSON] = "json", [CHECK_SARIF] = "sarif"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		check->format = (enum check_format)i;
		return CLI_OK;
	}
	return cli_usage("check", "--format is text, json or sarif, not '%s'", word);
}

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct check *check = context;

	switch (option) {
	case OPTION_VERBOSE:
		check->verbose = true;
		return CLI_OK;
	case OPTION_TELEMETRY:
		check->telemetry = optarg;
		return CLI_OK;
	case OPTION_STRICT:
		check->strict = true;
		return CLI_OK;
	case OPTION_JSON:
		check->format = CHECK_JSON;
		return CLI_OK;
	default:
		return take_format(check, optarg);
	}
}

int cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "telemetry", required_argument, NULL, OPTION_TELEMETRY },
		{ "strict", no_argument, NULL, OPTION_STRICT },
		{ "verbose", no_argument, NULL, OPTION_VERBOSE },
		{ "format", required_argument, NULL, OPTION_FORMAT },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(check_reset) struct check check = { .user = getuid() };
	const struct policy_options command = {
		.command = "check",
		.help = help,
		.own = options,
		.take = take_option,
		.context = &check,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER | POLICY_OPTION_LAYERS,
		.args = &check.args,
		.count = 1,
	};
	const struct passwd *entry;
	int code;

	if (!policy_options_parse(&command, argc, argv, &code))
		return code;
	entry = check.args.user ? getpwnam(check.args.user) : NULL;
	if (entry)
		check.user = entry->pw_uid;
	if (optind >= argc && !check.telemetry)
		return cli_usage("check", "no policy to check: write 'picket check POLICY...'");
	return check_all(&check, argc - optind, argv + optind);
}
