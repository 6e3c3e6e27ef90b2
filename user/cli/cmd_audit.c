/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket audit`: is the audit trail as picketd wrote it, what does it say, how far is it?
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/verify.h"
#include "base/escape.h"
#include "base/mem.h"
#include "cli/audit_show.h"
#include "cli/cli.h"
#include "telemetry/moment.h"

#define TRAIL "/var/lib/picket/" AUDIT_FOLDER

static const char help[] =
	"usage: picket audit verify [--key PUB]... [--anchor FILE]... [PATH]\n"
	"       picket audit show [--since TIME] [--what WHAT] [--agent AGENT] [--json] [PATH]\n"
	"       picket audit head [--json] [PATH]\n"
	"\n"
	"verify: is the audit trail as picketd wrote it? It finds what was changed, taken out, put in,\n"
	"moved or cut off, and says where. show: its records. head: its last record, to be kept\n"
	"elsewhere. PATH is the trail's folder (default " TRAIL "), or one\n"
	"segment of it.\n"
	"\n"
	"      --key PUB        a public key that signs checkpoints; may be repeated\n"
	"      --anchor FILE    heads that a sink kept: its records of kind audit-head, as JSON, syslog\n"
	"                       or OTLP in JSON; may be repeated. What was cut off behind them shows\n"
	"      --since TIME     records from then on: 2h (ago), 14:00, 2026-11-22 ...\n"
	"      --what WHAT      records of that kind: start, approved, reload ...\n"
	"      --agent AGENT    records of the agent with that id or name\n"
	"      --json           records as they are; the head as JSON\n"
	"\n"
	"Without --key signatures are not looked at. Without --anchor a cut is seen by the file 'head'\n"
	"in the folder, which whoever can cut the trail can change too.\n"
	"Exit status: 0: it is; 1: it is not, or cannot be read; 2: usage.\n";

enum act { ACT_VERIFY, ACT_SHOW, ACT_HEAD, ACT__MAX };

/** The command line. */
struct audit_command {
	enum act act;
	const char *path;
	struct sign_key *keys; /* owned */
	size_t key_count;
	struct anchors anchors;
	bool anchored;
	struct audit_show show;
	char since[MOMENT_TEXT_SIZE];
};

static void command_reset(struct audit_command *command)
{
	for (size_t i = 0; i < command->key_count; i++)
		sign_key_reset(&command->keys[i]);
	free(command->keys);
	anchors_reset(&command->anchors);
}

/* --- The command line ----------------------------------------------------------------------------- */

static int add_key(struct audit_command *command)
{
	CLEAN_FREE char *why = NULL;
	struct sign_key *grown =
		reallocarray(command->keys, command->key_count + 1, sizeof(*grown));

	if (!grown)
		return cli_error("audit", "out of memory");
	command->keys = grown;
	grown[command->key_count] = (struct sign_key){ 0 };
	if (sign_key_read_public(optarg, &grown[command->key_count], &why) < 0)
		return cli_error("audit", "%s", why ? why : "out of memory");
	command->key_count++;
	return CLI_OK;
}

/* One without an anchor would check nothing. */
static int add_anchors(struct audit_command *command)
{
	CLEAN_FILE FILE *file = fopen(optarg, "re");
	size_t before = command->anchors.count;
	int r = file ? anchors_read(file, &command->anchors) : -errno;

	if (r)
		return cli_error("audit", "cannot read the anchors in '%s': %s", optarg,
				 strerror(-r));
	if (command->anchors.count == before)
		return cli_error("audit",
				 "there is no record of kind 'audit-head' in '%s': nothing to "
				 "compare with",
				 optarg);
	command->anchored = true;
	return CLI_OK;
}

static int take_since(struct audit_command *command)
{
	__s64 when = 0;

	if (moment_parse(optarg, moment_now(), &when))
		return cli_usage("audit", "--since '%s' is no time: %s", optarg, MOMENT_FORMS);
	command->show.since = moment_text(when, command->since);
	return CLI_OK;
}

static int take_option(struct audit_command *command, int option)
{
	switch (option) {
	case 'k':
		return add_key(command);
	case 'a':
		return add_anchors(command);
	case 's':
		return take_since(command);
	case 'w':
		command->show.what = optarg;
		return CLI_OK;
	case 'g':
		command->show.agent = optarg;
		return CLI_OK;
	case 'j':
		command->show.json = true;
		return CLI_OK;
	default:
		return cli_usage("audit", NULL);
	}
}

static int take_words(struct audit_command *command, int argc, char **argv)
{
	static const char *const acts[] = { "verify", "show", "head" };
	unsigned int act = 0;

	if (optind >= argc)
		return cli_usage("audit", "what to do? verify, show or head");
	while (act < ACT__MAX && strcmp(argv[optind], acts[act]) != 0)
		act++;
	if (act == ACT__MAX)
		return cli_usage("audit", "'%s' is none of verify, show, head", argv[optind]);
	if (optind + 2 < argc)
		return cli_usage("audit", "'%s' is one word too many", argv[optind + 2]);
	command->act = (enum act)act;
	command->path = optind + 1 < argc ? argv[optind + 1] : TRAIL;
	if (act != ACT_VERIFY && (command->key_count || command->anchored))
		return cli_usage("audit", "--key and --anchor are for 'verify'");
	if (act != ACT_SHOW && (command->show.since || command->show.what || command->show.agent))
		return cli_usage("audit", "--since, --what and --agent are for 'show'");
	if (act == ACT_VERIFY && command->show.json)
		return cli_usage("audit", "--json is for 'show' and 'head'");
	return CLI_OK;
}

/* Returns true to go on; else *@ret_code is the exit code. */
static bool parse(struct audit_command *command, int argc, char **argv, int *ret_code)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "anchor", required_argument, NULL, 'a' },
		{ "since", required_argument, NULL, 's' },
		{ "what", required_argument, NULL, 'w' },
		{ "agent", required_argument, NULL, 'g' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_code = CLI_OK;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		*ret_code = option == 'h' ? cli_help(help) : take_option(command, option);
		if (option == 'h' || *ret_code)
			return false;
	}
	*ret_code = take_words(command, argc, argv);
	anchors_sort(&command->anchors);
	return *ret_code == CLI_OK;
}

/* --- verify --------------------------------------------------------------------------------------- */

static void put_safe(const char *text)
{
	escape_write(stdout, text, strlen(text), 0);
}

/* The answer, so it is data. */
static void print_fault(void *context, const struct verify_fault *fault)
{
	(void)context;
	put_safe(fault->file);
	if (fault->line)
		(void)printf(":%zu", fault->line);
	if (fault->seq)
		(void)printf(": seq %llu", (unsigned long long)fault->seq);
	(void)fputs(": ", stdout);
	put_safe(fault->what);
	(void)printf("\n  what to do: %s\n", fault->remedy);
}

static const char *plural(__u64 count)
{
	return count == 1 ? "" : "s";
}

static void print_signatures(const struct audit_command *command,
			     const struct verify_summary *summary)
{
	if (!command->key_count)
		(void)printf("signatures: not looked at; name the key by --key\n");
	else
		(void)printf("signatures: %llu of %llu checkpoint%s, up to record %llu; %llu "
			     "record%s behind it\n",
			     (unsigned long long)summary->signatures,
			     (unsigned long long)summary->checkpoints, plural(summary->checkpoints),
			     (unsigned long long)summary->signed_to,
			     (unsigned long long)(summary->last.seq - summary->signed_to),
			     plural(summary->last.seq - summary->signed_to));
}

static void print_end(const struct audit_command *command, const struct verify_summary *summary)
{
	if (command->anchored)
		(void)printf("end: %llu anchor%s met, %llu of records that were removed\n",
			     (unsigned long long)summary->anchors_good,
			     plural(summary->anchors_good),
			     (unsigned long long)summary->anchors_before);
	else if (summary->head_used)
		(void)printf("end: as the file '" AUDIT_HEAD_FILE
			     "' says, which whoever cuts the trail can change: compare with "
			     "--anchor\n");
	else
		(void)printf("end: not known: what was cut off behind is not seen without "
			     "--anchor\n");
}

static void print_summary(const struct audit_command *command, const struct verify_summary *summary)
{
	(void)printf("%llu record%s, %llu to %llu, in %zu segment%s; %llu checkpoint%s\n",
		     (unsigned long long)summary->records, plural(summary->records),
		     (unsigned long long)summary->first, (unsigned long long)summary->last.seq,
		     summary->segments, plural(summary->segments),
		     (unsigned long long)summary->checkpoints, plural(summary->checkpoints));
	if (summary->torn)
		(void)printf("torn: %llu line%s, as the trail says itself\n",
			     (unsigned long long)summary->torn, plural(summary->torn));
	if (!summary->whole)
		(void)printf("one segment: what is before and behind it was not looked at\n");
	print_signatures(command, summary);
	print_end(command, summary);
	if (summary->faults)
		(void)printf("BAD: %llu fault%s\n", (unsigned long long)summary->faults,
			     plural(summary->faults));
	else
		(void)printf("good\n");
}

static int fail_read(const struct audit_command *command, int error)
{
	if (error == -ENOENT)
		return cli_error("audit", "there is no audit trail in '%s'", command->path);
	return cli_error("audit", "cannot read the audit trail '%s': %s", command->path,
			 strerror(-error));
}

static int verify(const struct audit_command *command)
{
	const struct verify_options options = {
		.keys = command->keys,
		.key_count = command->key_count,
		.anchors = command->anchored ? &command->anchors : NULL,
		.fault = print_fault,
	};
	struct verify_summary summary = { 0 };
	int r = verify_trail(command->path, &options, &summary);

	if (r)
		return fail_read(command, r);
	print_summary(command, &summary);
	return summary.faults ? CLI_FAILED : CLI_OK;
}

/* --- show, head ----------------------------------------------------------------------------------- */

static void pass_over(void *context, const struct verify_fault *fault)
{
	(void)context;
	(void)fault;
}

static int show(struct audit_command *command)
{
	const struct verify_options options = {
		.fault = pass_over,
		.record = audit_show_record,
		.context = &command->show,
	};
	struct verify_summary summary = { 0 };
	int r = verify_trail(command->path, &options, &summary);

	if (r)
		return fail_read(command, r);
	if (summary.faults)
		return cli_error("audit",
				 "the trail is not as it was written: see 'picket audit verify'");
	return CLI_OK;
}

static int head(const struct audit_command *command)
{
	const struct verify_options options = { .fault = pass_over };
	struct verify_summary summary = { 0 };
	int r = verify_trail(command->path, &options, &summary);

	if (r)
		return fail_read(command, r);
	if (summary.faults)
		return cli_error("audit",
				 "the trail is not as it was written: see 'picket audit verify'");
	if (command->show.json)
		(void)printf("{\"kind\":\"audit-head\",\"number\":%llu,\"hash\":\"%s\"}\n",
			     (unsigned long long)summary.last.seq, summary.last.hash);
	else
		(void)printf("%llu %s\n", (unsigned long long)summary.last.seq, summary.last.hash);
	return CLI_OK;
}

int cmd_audit(int argc, char **argv)
{
	CLEAN(command_reset) struct audit_command command = { 0 };
	int code;

	if (!parse(&command, argc, argv, &code))
		return code;
	switch (command.act) {
	case ACT_VERIFY:
		return verify(&command);
	case ACT_SHOW:
		return show(&command);
	default:
		return head(&command);
	}
}
