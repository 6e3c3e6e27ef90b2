/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket export`: what of a policy systemd or Landlock can say.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/policy_options.h"
#include "import/export.h"

static const char help[] =
	"usage: picket export systemd|landlock POLICY [options]\n"
	"\n"
	"Print what of POLICY another enforcement can say: a drop-in of a systemd service, or paths\n"
	"and TCP ports for Landlock, as JSON. What it cannot say is listed, and an error.\n"
	"\n"
	"      --lossy            print it all the same; the list is of warnings\n" POLICY_HELP_SET
		POLICY_HELP_USER "\n"
	"Exit status: 0: all of it is expressed, or --lossy; 1: not; 2: usage.\n";

/** What is exported. */
struct exporting {
	struct policy_args args;
	const char *format;
	bool lossy;
};

static void exporting_reset(struct exporting *exporting)
{
	policy_args_reset(&exporting->args);
}

static void add_findings(const struct exporting *exporting, const struct export_losses *losses,
			 struct diag_list *diags)
{
	for (size_t i = 0; i < losses->count; i++)
		(void)diag_add(diags, exporting->lossy ? DIAG_WARNING : DIAG_ERROR,
			       losses->items[i].pos.file ? &losses->items[i].pos : NULL,
			       "not expressed, which allows %s: %s",
			       losses->items[i].wider ? "more" : "less", losses->items[i].what);
}

static int print(const struct exporting *exporting, const struct policy *policy,
		 struct diag_list *diags)
{
	CLEAN(export_losses_reset) struct export_losses losses = { 0 };
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int r;

	if (!to)
		return cli_error("export", "out of memory");
	r = strcmp(exporting->format, "systemd") == 0 ? export_systemd(policy, to, &losses) :
							export_landlock(policy, to, &losses);
	if (text_close(to, &text) < 0 || r < 0)
		return cli_error("export", "out of memory");
	add_findings(exporting, &losses, diags);
	cli_print_diags(diags);
	if (losses.count && !exporting->lossy)
		return CLI_FAILED;
	return fputs(text, stdout) < 0 ? cli_error("export", "cannot write: %m") : CLI_OK;
}

static int export_policy(struct exporting *exporting)
{
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r;

	exporting->args.no_managed = true;
	r = policy_args_compile(&exporting->args, &policy, &diags);
	if (r == 0)
		return print(exporting, policy.policy, &diags);
	cli_print_diags(&diags);
	return diags.count ? CLI_FAILED : cli_error("export", "%s", strerror(-r));
}

enum option_id { OPTION_LOSSY = 256 };

/* The command's own option. */
static int take_lossy(void *context, int option)
{
	struct exporting *exporting = context;

	exporting->lossy = option == OPTION_LOSSY;
	return CLI_OK;
}

int cmd_export(int argc, char **argv)
{
	static const struct option options[] = {
		{ "lossy", no_argument, NULL, OPTION_LOSSY },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(exporting_reset) struct exporting exporting = { 0 };
	const struct policy_options all = {
		.command = "export",
		.help = help,
		.own = options,
		.take = take_lossy,
		.context = &exporting,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER,
		.args = &exporting.args,
		.count = 1,
	};
	int code;

	if (!policy_options_parse(&all, argc, argv, &code))
		return code;
	if (optind + 2 != argc)
		return cli_usage("export", "name a format and a policy");
	exporting.format = argv[optind];
	exporting.args.path = argv[optind + 1];
	if (strcmp(exporting.format, "systemd") != 0 && strcmp(exporting.format, "landlock") != 0)
		return cli_usage("export", "unknown format '%s': systemd or landlock",
				 exporting.format);
	return export_policy(&exporting);
}
