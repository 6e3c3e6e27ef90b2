/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket sign`: say with a key that a policy, with all that it includes, is the one that is meant.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/policy_options.h"
#include "sign/manifest.h"

static const char help[] =
	"usage: picket sign --key KEY [options] POLICY\n"
	"\n"
	"Sign POLICY and all that it includes: makes POLICY.sig. The policy must pass its own tests.\n"
	"\n"
	"      --key KEY          the private key, as made by `picket keygen`\n"
	"      --serial N         the serial, 1 or more; default: one more than that of POLICY.sig, or 1\n" POLICY_HELP_SET
		POLICY_HELP_USER "\n"
	"Exit status: 0: signed; 1: not signed; 2: usage.\n";

/** What is signed, with what. */
struct signing {
	struct policy_args args;
	const char *key;
	unsigned long long serial; /* 0: the next one */
	char *output; /* owned: POLICY.sig */
};

static void signing_reset(struct signing *signing)
{
	policy_args_reset(&signing->args);
	free(signing->output);
}

/* The serial after that of the signature that is there. */
static int next_serial(struct signing *signing)
{
	CLEAN(manifest_reset) struct manifest manifest = { 0 };
	CLEAN_FREE char *why = NULL;
	int r = manifest_read(signing->output, &manifest, &why);

	signing->serial = 1;
	if (r == -ENOENT)
		return CLI_OK;
	if (r < 0)
		return cli_error("sign", "%s: say which serial comes next with --serial",
				 why ? why : strerror(-r));
	if (manifest.serial + 1 == 0)
		return cli_error("sign", "'%s' has the highest serial there is", signing->output);
	signing->serial = manifest.serial + 1;
	return CLI_OK;
}

/* Put @text in the place of what is at @path, whole or not at all. */
static int replace(const char *path, const char *text)
{
	CLEAN_FREE char *spare = NULL;
	CLEAN_FD int fd = -1;
	size_t size = strlen(text);

	if (asprintf(&spare, "%s.new", path) < 0) {
		spare = NULL;
		return cli_error("sign", "out of memory");
	}
	fd = open(spare, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return cli_error("sign", "cannot make '%s': %m", spare);
	if (write(fd, text, size) == (ssize_t)size && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
	    rename(spare, path) == 0)
		return CLI_OK;
	(void)cli_error("sign", "cannot write '%s': %m", path);
	(void)unlink(spare);
	return CLI_FAILED;
}

/* A policy that passed everything: what has been read is what is signed. */
static int sign(const struct signing *signing, const struct policy *policy)
{
	CLEAN(sign_key_reset) struct sign_key key = { 0 };
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *why = NULL;
	int code;
	int r = sign_key_read_private(signing->key, &key, &why);

	if (r < 0)
		return cli_error("sign", "%s", why ? why : strerror(-r));
	r = manifest_sign(policy, &key, signing->serial, &text);
	if (r == -EINVAL)
		return cli_error("sign", "a name of a file has control characters in it");
	if (r < 0)
		return cli_error("sign", "cannot sign: %s", strerror(-r));
	code = replace(signing->output, text);
	if (code != CLI_OK)
		return code;
	escape_write(stdout, signing->output, strlen(signing->output), 0);
	(void)printf(": serial %llu, %zu file%s, key %s\n", signing->serial, policy->read_count,
		     policy->read_count == 1 ? "" : "s", key.id);
	return CLI_OK;
}

static int sign_policy(struct signing *signing)
{
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int code = CLI_OK;
	int r;

	if (asprintf(&signing->output, "%s.sig", signing->args.path) < 0) {
		signing->output = NULL;
		return cli_error("sign", "out of memory");
	}
	/* The layers above have their own word when the policy is loaded. */
	signing->args.no_managed = true;
	r = policy_args_compile(&signing->args, &policy, &diags);
	cli_print_diags(&diags);
	if (r < 0)
		return diags.count ? CLI_FAILED : cli_error("sign", "%s", strerror(-r));
	if (signing->serial == 0)
		code = next_serial(signing);
	return code == CLI_OK ? sign(signing, policy.policy) : code;
}

static bool take_serial(struct signing *signing, const char *text)
{
	char *end = NULL;

	errno = 0;
	signing->serial = strtoull(text, &end, 10);
	return *text >= '1' && *text <= '9' && errno == 0 && *end == '\0';
}

enum option_id { OPTION_KEY = 256, OPTION_SERIAL };

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct signing *signing = context;

	if (option == OPTION_KEY)
		signing->key = optarg;
	else if (!take_serial(signing, optarg))
		return cli_usage("sign", "'%s' is not a serial: a number from 1 on", optarg);
	return CLI_OK;
}

int cmd_sign(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, OPTION_KEY },
		{ "serial", required_argument, NULL, OPTION_SERIAL },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(signing_reset) struct signing signing = { 0 };
	const struct policy_options all = {
		.command = "sign",
		.help = help,
		.own = options,
		.take = take_option,
		.context = &signing,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER,
		.args = &signing.args,
		.count = 1,
	};
	int code;

	if (!policy_options_parse(&all, argc, argv, &code))
		return code;
	if (!signing.key)
		return cli_usage("sign", "with which key? Name it with --key");
	if (optind + 1 != argc)
		return cli_usage("sign", "name one policy to sign");
	signing.args.path = argv[optind];
	return sign_policy(&signing);
}
