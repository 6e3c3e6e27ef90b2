/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket keygen`: a pair of keys to sign policies with.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "sign/key.h"

static const char help[] =
	"usage: picket keygen -o NAME\n"
	"\n"
	"Make an Ed25519 key: NAME, which signs (mode 0600), and NAME.pub, which verifies.\n"
	"Neither may exist.\n"
	"\n"
	"  -o, --output NAME   the file of the private key\n"
	"\n"
	"Prints the name of the key, as signatures have it.\n"
	"Exit status: 0: made; 1: not made; 2: usage.\n";

static int make(const char *path)
{
	CLEAN(sign_key_reset) struct sign_key key = { 0 };
	CLEAN_FREE char *why = NULL;

	if (sign_key_make(&key) < 0)
		return cli_error("keygen", "cannot make a key");
	if (sign_key_write(&key, path, &why) < 0)
		return cli_error("keygen", "%s", why ? why : "out of memory");
	(void)printf("%s ", key.id);
	escape_write(stdout, path, strlen(path), 0);
	(void)printf(".pub\n");
	return CLI_OK;
}

int cmd_keygen(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "ho:", options, NULL)) >= 0) {
		if (option == 'h')
			return cli_help(help);
		if (option != 'o')
			return cli_usage("keygen", NULL);
		path = optarg;
	}
	if (optind < argc)
		return cli_usage("keygen", "'%s' is too much", argv[optind]);
	if (!path || !*path)
		return cli_usage("keygen", "where to? Name the key with -o");
	return make(path);
}
