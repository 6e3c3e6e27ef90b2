/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket why`: the last denials with the rule behind each, and the line that would allow it. Inside an
 * agent they come from its feed, which is a file: nothing there may speak to picketd.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/denial.h"
#include "cli/json_out.h"
#include "cli/requests.h"

/* As picketd keeps them, and what it answers at most. */
#define LAST_MAX 1000

static const char help[] =
	"usage: picket why [--json] [N]\n"
	"       picket why [--json] AGENT [N]\n"
	"\n"
	"Tell the last N denials (1 unless given), the rule behind each and what would allow it:\n"
	"inside an agent its own, from the file that $PICKET_DENIALS names; else those of AGENT, from\n"
	"picketd.\n"
	"\n"
	"      --json   one JSON document\n"
	"\n"
	"Exit status: 0, also when nothing was denied; 1 when it cannot be told.\n";

/* The command line. */
struct why {
	const char *agent; /* NULL: the one that we are in */
	long last;
	bool json;
};

static bool is_number(const char *word)
{
	return *word && strspn(word, "0123456789") == strlen(word);
}

static int take_number(struct why *why, const char *word)
{
	why->last = is_number(word) && strlen(word) <= 4 ? strtol(word, NULL, 10) : 0;
	if (why->last >= 1 && why->last <= LAST_MAX)
		return CLI_OK;
	return cli_usage("why", "'%s' is no number of denials from 1 to %d", word, LAST_MAX);
}

static int take_operands(struct why *why, int argc, char **argv)
{
	if (optind < argc && !is_number(argv[optind]))
		why->agent = argv[optind++];
	if (argc - optind > 1)
		return cli_usage("why", "'%s' is one word too many", argv[optind + 1]);
	return optind < argc ? take_number(why, argv[optind]) : CLI_OK;
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct why *why, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option != 'j') {
			*ret_exit = option == 'h' ? cli_help(help) : cli_usage("why", NULL);
			return -1;
		}
		why->json = true;
	}
	*ret_exit = take_operands(why, argc, argv);
	return *ret_exit ? -1 : 0;
}

/* Add the denial of one line to @denials, which keeps the last ones; a line of another kind counts. */
static void take_line(const struct why *why, const char *line, json_t *denials, json_int_t *dropped)
{
	json_t *object = json_loads(line, 0, NULL);

	*dropped += daemon_number(object, "dropped");
	if (strcmp(daemon_text(object, "kind"), "decision") != 0) {
		json_decref(object);
		return;
	}
	(void)json_array_append_new(denials, object);
	if (json_array_size(denials) > (size_t)why->last)
		(void)json_array_remove(denials, 0);
}

static int read_feed(const struct why *why, const char *path, json_t **ret_result)
{
	CLEAN_FILE FILE *file = fopen(path, "re");
	json_t *denials = json_array();
	CLEAN_FREE char *line = NULL;
	json_int_t dropped = 0;
	size_t size = 0;

	/* No file: picketd makes it with the agent, and takes it away with it. */
	if (!file) {
		json_decref(denials);
		return cli_error("why", "cannot read '%s', which $PICKET_DENIALS names: %m", path);
	}
	while (denials && getline(&line, &size, file) > 0)
		take_line(why, line, denials, &dropped);
	if (ferror(file)) {
		json_decref(denials);
		return cli_error("why", "cannot read '%s': %m", path);
	}
	*ret_result = json_pack("{s:s, s:o, s:I}", "schema", "picket.denials/1", "denials", denials,
				"dropped", dropped);
	return *ret_result ? CLI_OK : cli_error("why", "out of memory");
}

static int get_denials(const struct why *why, json_t **ret_result)
{
	const char *path = getenv("PICKET_DENIALS");

	if (why->agent)
		return daemon_ask("why", "agent.denials",
				  json_pack("{s:s, s:I}", "agent", why->agent, "last",
					    (json_int_t)why->last),
				  ret_result);
	if (path && *path)
		return read_feed(why, path, ret_result);
	(void)cli_error("why",
			"this is not inside an agent of picketd: $PICKET_DENIALS is not set");
	(void)fputs("Hint: `picket why AGENT` asks picketd; `picket ps` lists agents\n", stderr);
	return CLI_FAILED;
}

static void print_denial(const json_t *denial)
{
	requests_print_lines(daemon_text(denial, "text"), "", stdout);
	denial_explain(denial, stdout);
}

static void print_denials(const json_t *result)
{
	const json_t *denials = json_object_get(result, "denials");
	json_int_t dropped = daemon_number(result, "dropped");
	const json_t *denial;
	size_t i;

	if (dropped > 0)
		(void)printf("(%lld older or lost denials are not kept)\n", (long long)dropped);
	json_array_foreach(denials, i, denial)
		print_denial(denial);
	if (json_array_size(denials) == 0)
		(void)puts("nothing was denied");
}

int cmd_why(int argc, char **argv)
{
	struct why why = { .last = 1 };
	json_t *result = NULL;
	int code;

	if (parse(&why, argc, argv, &code))
		return code;
	code = get_denials(&why, &result);
	if (code)
		return code;
	if (why.json)
		return json_out_print("why", result);
	print_denials(result);
	json_decref(result);
	return CLI_OK;
}
