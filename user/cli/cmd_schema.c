/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket schema`: the language as editors read it, and the records as readers of them do.
 */
#include <getopt.h>
#include <string.h>

#include "author/schema_text.h"
#include "cli/cli.h"
#include "cli/json_out.h"
#include "telemetry/event_schema.h"

static const char help[] =
	"usage: picket schema [events]\n"
	"\n"
	"Print the policy language as a JSON Schema (draft 2020-12). An editor that has it completes keys\n"
	"and words, shows what each means, and marks what is unknown or of the wrong type while it is\n"
	"written. Where the editor speaks to yaml-language-server, the first line of a policy names it:\n"
	"\n"
	"    picket schema >.picket-schema.json\n"
	"    # yaml-language-server: $schema=.picket-schema.json\n"
	"\n"
	"What a schema cannot say (patterns, addresses, what goes together) `picket check` says.\n"
	"\n"
	"With 'events', print instead the schema of picket's records, picket.event/1: of each kind the keys\n"
	"in their order, which are always there, what they mean and the words that they can be.\n";

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
	if (optind == argc)
		return json_out_print("schema", schema_text_policy());
	if (strcmp(argv[optind], "events") != 0)
		return cli_usage("schema",
				 "'%s' is no schema: it is 'events', or nothing for policies",
				 argv[optind]);
	if (optind + 1 < argc)
		return cli_usage("schema", "'%s' is too much: one schema is printed at a time",
				 argv[optind + 1]);
	return json_out_print("schema", event_schema());
}
