/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket verify`: is a policy, with all that it includes, the one that somebody signed?
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/policy_options.h"
#include "sign/serials.h"

static const char help[] =
	"usage: picket verify --key PUB|--keys FOLDER [options] POLICY\n"
	"\n"
	"Is POLICY.sig a signature over POLICY and all that it includes?\n"
	"\n"
	"      --key PUB          a public key that may have signed; may be repeated\n"
	"      --keys FOLDER      every FOLDER/*.pub may have signed\n"
	"      --accept           record the serial as accepted (root), and begin the record if it is\n"
	"                         not there: " SERIALS_FILE "\n" POLICY_HELP_SET POLICY_HELP_USER
	"\n"
	"Exit status: 0: it is; 1: it is not; 2: usage.\n";

/** What is verified, by which keys. */
struct verifying {
	struct policy_args args;
	struct sign_key *keys; /* owned */
	size_t count;
	bool accept;
};

static void verifying_reset(struct verifying *verifying)
{
	for (size_t i = 0; i < verifying->count; i++)
		sign_key_reset(&verifying->keys[i]);
	free(verifying->keys);
	policy_args_reset(&verifying->args);
}

static int add_key(struct verifying *verifying, const char *path)
{
	CLEAN_FREE char *why = NULL;
	struct sign_key *grown =
		reallocarray(verifying->keys, verifying->count + 1, sizeof(*grown));

	if (!grown)
		return cli_error("verify", "out of memory");
	verifying->keys = grown;
	if (sign_key_read_public(path, &grown[verifying->count], &why) < 0)
		return cli_error("verify", "%s", why ? why : "out of memory");
	verifying->count++;
	return CLI_OK;
}

static bool is_public(const char *name)
{
	size_t length = strlen(name);

	return *name != '.' && length > 4 && strcmp(name + length - 4, ".pub") == 0;
}

static int add_folder(struct verifying *verifying, const char *folder)
{
	DIR *dir = opendir(folder);
	int code = CLI_OK;

	if (!dir)
		return cli_error("verify", "cannot read the folder '%s': %m", folder);
	for (struct dirent *entry = readdir(dir); entry && code == CLI_OK; entry = readdir(dir)) {
		CLEAN_FREE char *path = NULL;

		if (!is_public(entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
			path = NULL;
			code = cli_error("verify", "out of memory");
		} else {
			code = add_key(verifying, path);
		}
	}
	(void)closedir(dir);
	if (code == CLI_OK && verifying->count == 0)
		return cli_error("verify", "there is no key '*.pub' in '%s'", folder);
	return code;
}

/* Make the serial of @manifest one that has been accepted. */
static int accept_serial(const struct manifest *manifest)
{
	CLEAN_FREE char *why = NULL;
	const char *hint = NULL;
	int r = serials_check(SERIALS_FILE, 0, SERIALS_BEGIN, manifest, &why, &hint);

	if (r < 0)
		return cli_error("verify", "%s%s%s", why ? why : strerror(-r), hint ? ": " : "",
				 hint ? hint : "");
	return CLI_OK;
}

static int verify(const struct verifying *verifying, const struct policy *policy)
{
	const char *path = verifying->args.path;
	CLEAN(manifest_reset) struct manifest manifest = { 0 };
	CLEAN_FREE char *signature = NULL;
	CLEAN_FREE char *why = NULL;
	int code = CLI_OK;
	int r;

	if (asprintf(&signature, "%s.sig", path) < 0) {
		signature = NULL;
		return cli_error("verify", "out of memory");
	}
	r = manifest_read(signature, &manifest, &why);
	if (r == 0)
		r = manifest_verify(&manifest, policy, verifying->keys, verifying->count, &why);
	if (r < 0)
		return cli_error("verify", "'%s' is not accepted: %s", path,
				 why ? why : strerror(-r));
	if (verifying->accept)
		code = accept_serial(&manifest);
	if (code != CLI_OK)
		return code;
	escape_write(stdout, path, strlen(path), 0);
	(void)printf(": signed, serial %llu, %zu file%s, key %s\n",
		     (unsigned long long)manifest.serial, policy->read_count,
		     policy->read_count == 1 ? "" : "s", manifest.key);
	return CLI_OK;
}

static int verify_policy(struct verifying *verifying)
{
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r;

	verifying->args.no_managed = true;
	r = policy_args_compile(&verifying->args, &policy, &diags);
	cli_print_diags(&diags);
	if (r < 0)
		return diags.count ? CLI_FAILED : cli_error("verify", "%s", strerror(-r));
	return verify(verifying, policy.policy);
}

enum option_id { OPTION_KEY = 256, OPTION_KEYS, OPTION_ACCEPT };

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct verifying *verifying = context;

	switch (option) {
	case OPTION_KEY:
		return add_key(verifying, optarg);
	case OPTION_KEYS:
		return add_folder(verifying, optarg);
	default:
		verifying->accept = true;
		return CLI_OK;
	}
}

int cmd_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, OPTION_KEY },
		{ "keys", required_argument, NULL, OPTION_KEYS },
		{ "accept", no_argument, NULL, OPTION_ACCEPT },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(verifying_reset) struct verifying verifying = { 0 };
	const struct policy_options all = {
		.command = "verify",
		.help = help,
		.own = options,
		.take = take_option,
		.context = &verifying,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER,
		.args = &verifying.args,
		.count = 1,
	};
	int code;

	if (!policy_options_parse(&all, argc, argv, &code))
		return code;
	if (verifying.count == 0)
		return cli_usage("verify",
				 "by which key? Name it with --key, or a folder with --keys");
	if (optind + 1 != argc)
		return cli_usage("verify", "name one policy to verify");
	verifying.args.path = argv[optind];
	return verify_policy(&verifying);
}
