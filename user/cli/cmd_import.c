/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket import`: a policy of another program as one of picket. What comes out has been loaded and its tests
 * have passed before anybody sees it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "import/import.h"
#include "policy/compile.h"
#include "policy/image.h"
#include "policy/load.h"
#include "policy/policy_tests.h"

static const char help[] =
	"usage: picket import FORMAT FILE [options]\n"
	"\n"
	"Print the policy that FILE, of another program, comes to here.\n"
	"\n"
	"FORMAT is one of\n"
	"  codex           config.toml or requirements.toml of Codex: permissions, network, rules\n"
	"  codex-rules     a file of prefix_rule(...)\n"
	"  claude          settings.json of Claude Code (the key sandbox), or of srt\n"
	"  harden-runner   a GitHub workflow with the step harden-runner\n"
	"  systemd         a service unit: its sandboxing keys\n"
	"  openshell       a policy of OpenShell\n"
	"\n"
	"  -o, --output OUT   write to OUT, which may not exist, and not to standard output\n"
	"      --pick NAME    the profile (codex) or job (harden-runner) that is meant\n"
	"      --lossy        what has no meaning here is a warning and a comment, not an error\n"
	"\n"
	"Exit status: 0: imported; 1: not; 2: usage.\n";

/** What is imported. */
struct importing {
	struct import_request request;
	const char *output;
};

/* Does the policy load, and do its tests pass? What is wrong then is wrong with the import. */
static int check_policy(const char *text, struct diag_list *diags)
{
	static const struct policy_variable builtins[] = { { "HOME", "/home/u" },
							   { "USER", "u" },
							   { "CWD", "/srv/project" } };
	static const struct policy_context context = { .builtins = builtins, .builtin_count = 3 };
	static const struct policy_host host = {
		.resolver_count = 1, .resolvers = { { [10] = 0xff, 0xff, 127, 0, 0, 1 } }
	};
	static const struct compile_options options = { .host = &host };
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct policy *policy = NULL;
	size_t passed = 0;
	int r = policy_load_text("imported.yaml", text, strlen(text), &context, &policy, diags);

	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, &options, &image,
				   diags);
	if (r == 0)
		r = policy_tests_run(policy, &image, &passed, diags);
	policy_free(&policy);
	return r;
}

static int put(const char *output, const char *text)
{
	CLEAN_FD int fd = -1;
	size_t size = strlen(text);

	if (!output)
		return fputs(text, stdout) < 0 ? cli_error("import", "cannot write: %m") : CLI_OK;
	fd = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return cli_error("import", "cannot make '%s': %m", output);
	if (write(fd, text, size) != (ssize_t)size)
		return cli_error("import", "cannot write '%s': %m", output);
	return CLI_OK;
}

static int import_source(struct importing *importing, const struct source *source)
{
	CLEAN(diag_list_reset) struct diag_list found = { 0 };
	CLEAN(diag_list_reset) struct diag_list wrong = { 0 };
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int r;

	if (!to)
		return cli_error("import", "out of memory");
	importing->request.text = source->text;
	importing->request.length = source->length;
	r = import_policy(&importing->request, to, &found);
	if (text_close(to, &text) < 0 && r == 0)
		r = -ENOMEM;
	cli_print_diags(&found);
	if (r < 0)
		return found.count ? CLI_FAILED : cli_error("import", "%s", strerror(-r));
	r = check_policy(text, &wrong);
	if (r < 0) {
		cli_print_diags(&wrong);
		return cli_error("import", "what '%s' says makes no valid policy here",
				 importing->request.name);
	}
	return put(importing->output, text);
}

static int import_file_named(struct importing *importing, const char *path)
{
	CLEAN(source_reset) struct source source = { 0 };
	struct source_identity identity;
	CLEAN_FREE char *why = NULL;
	int r = source_read(path, SOURCE_MAIN, &source, &identity, &why);

	if (r < 0)
		return cli_error("import", "cannot read '%s': %s", path, why ? why : strerror(-r));
	importing->request.name = path;
	return import_source(importing, &source);
}

enum option_id { OPTION_PICK = 256, OPTION_LOSSY };

int cmd_import(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "pick", required_argument, NULL, OPTION_PICK },
		{ "lossy", no_argument, NULL, OPTION_LOSSY },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct importing importing = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "ho:", options, NULL)) >= 0) {
		if (option == 'h')
			return cli_help(help);
		if (option == 'o')
			importing.output = optarg;
		else if (option == OPTION_PICK)
			importing.request.pick = optarg;
		else if (option == OPTION_LOSSY)
			importing.request.lossy = true;
		else
			return cli_usage("import", NULL);
	}
	if (optind + 2 != argc)
		return cli_usage("import", "name a format and a file");
	importing.request.format = argv[optind];
	if (!import_has_format(importing.request.format))
		return cli_usage("import", "unknown format '%s': one of %s",
				 importing.request.format, import_formats());
	return import_file_named(&importing, argv[optind + 1]);
}
