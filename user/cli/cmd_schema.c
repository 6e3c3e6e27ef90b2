/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket schema`: the language as editors read it.
 */
#include <getopt.h>

#include "author/schema_text.h"
#include "cli/cli.h"
#include "cli/json_out.h"

static const char help[] =
	"usage: picket schema\n"
	"\n"
	"Print the policy language as a JSON Schema (draft 2020-12). An editor that has it completes keys\n"
	"and words, shows what each means, and marks what is unknown or of the wrong type while it is\n"
	"written. Where the editor speaks to yaml-language-server, the first line of a policy names it:\n"
	"\n"
	"    picket schema >.picket-schema.json\n"
	"    # yaml-language-server: $schema=.picket-schema.json\n"
	"\n"
	"What a schema cannot say (patterns, addresses, what goes together) `picket check` says.\n";

int cmd_schema(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option = getopt_long(argc, argv, "h", options, NULL);

	if (option == 'h')
		return cli_help(help);
	if (option != -1)
		return cli_usage("schema", NULL);
	if (optind < argc)
		return cli_usage("schema", "'%s' is too much: it takes nothing", argv[optind]);
	return json_out_print("schema", schema_text_policy());
}
