/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket explain`: one act, its verdict, the rule that decides, and the rules that matched and
 * lost. The options are here; the answer is put together and printed by explain_answer.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/explain_flip.h"
#include "cli/explain_network.h"
#include "cli/policy_options.h"
#include "cli/real_path.h"
#include "policy/exec_words.h"

static const char help[] =
	"usage: picket explain POLICY --connect ADDRESS:PORT [--name NAME] [--protocol PROTO]\n"
	"       picket explain POLICY --connect NAME:PORT [--protocol PROTO]\n"
	"       picket explain POLICY --listen ADDRESS:PORT [--from ADDR] [--protocol PROTO]\n"
	"       picket explain POLICY --open PATH [--access LIST]\n"
	"       picket explain POLICY --exec PATH\n"
	"       picket explain POLICY --run COMMAND\n"
	"       picket explain POLICY --unix NAME\n"
	"       picket explain POLICY --process\n"
	"\n"
	"Say what POLICY decides about one act, by which rule of which layer, which rules matched and\n"
	"lost, and what smallest change would give the other verdict.\n"
	"\n"
	"      --connect TO:PORT  connect or send to it: an address (IPv6 in brackets) or host name\n"
	"      --name NAME        the address is one that a resolver answered with for NAME\n"
	"      --listen AT:PORT   bind to it and wait for connections\n"
	"      --from ADDR        one comes from there\n"
	"      --protocol PROTO   tcp (the default), udp, or of --connect ADDRESS icmp\n"
	"      --open PATH        use a file\n"
	"      --access LIST      read (the default), write, exec, connect, or all; with commas\n"
	"      --exec PATH        start a program\n"
	"      --run COMMAND      start a program with arguments: words between blanks, one that\n"
	"                         has a blank with a backslash before it; a program without a\n"
	"                         path is the one in /usr/bin\n"
	"      --unix NAME        connect or send to an abstract unix socket\n"
	"      --process          the switches of process and the calls of syscalls, and who decides\n"
	"      --by PROGRAM       the act is this program's: counts for rules with 'by'\n" POLICY_HELP_SET
		POLICY_HELP_USER POLICY_HELP_LAYERS
	"      --json             the answer as one JSON document\n"
	"\n"
	"Exit status: 0: answered, whatever the verdict is; 1: the policy is not valid; 2: usage.\n";

enum option_id {
	OPTION_CONNECT = 256,
	OPTION_PROTOCOL,
	OPTION_NAME,
	OPTION_LISTEN,
	OPTION_FROM,
	OPTION_OPEN,
	OPTION_ACCESS,
	OPTION_EXEC,
	OPTION_RUN,
	OPTION_UNIX,
	OPTION_PROCESS,
	OPTION_BY
};

/* What the command line says. */
struct explain {
	struct policy_args args;
	const char *act; /* "connect", "listen", "open", ...; NULL: none yet */
	const char *target; /* the act's argument */
	const char *by; /* the program that acts, as given */
	struct explain_network network;
	const char *access;
	char *path; /* owned: resolved target */
	char *program; /* owned: resolved `by` */
	char **words; /* owned: of run */
	struct explain_change change; /* what would give the other verdict */
	bool json;
};

static void explain_reset(struct explain *explain)
{
	policy_args_reset(&explain->args);
	free(TAKE_PTR(explain->path));
	free(TAKE_PTR(explain->program));
	exec_words_free(&explain->words);
	explain_change_reset(&explain->change);
}

static int take_act(struct explain *explain, const char *act)
{
	if (explain->act)
		return cli_usage(
			"explain",
			"one act at a time: --%s and --%s are two; ask one after the other",
			explain->act, act);
	explain->act = act;
	explain->target = optarg;
	return CLI_OK;
}

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct explain *explain = context;

	switch (option) {
	case OPTION_CONNECT:
		return take_act(explain, "connect");
	case OPTION_LISTEN:
		return take_act(explain, "listen");
	case OPTION_OPEN:
		return take_act(explain, "open");
	case OPTION_EXEC:
		return take_act(explain, "exec");
	case OPTION_RUN:
		return take_act(explain, "run");
	case OPTION_UNIX:
		return take_act(explain, "unix");
	case OPTION_PROCESS:
		return take_act(explain, "process");
	case OPTION_BY:
		explain->by = optarg;
		return CLI_OK;
	case OPTION_PROTOCOL:
		explain->network.protocol = optarg;
		return CLI_OK;
	case OPTION_NAME:
		explain->network.name = optarg;
		return CLI_OK;
	case OPTION_FROM:
		explain->network.from = optarg;
		return CLI_OK;
	default:
		explain->access = optarg;
		return CLI_OK;
	}
}

/* The bits of a comma list of access names; 0 for one that is not valid. */
static __u8 parse_access(const char *list)
{
	static const struct {
		const char *name;
		__u8 bits;
	} words[] = {
		{ "read", PK_ACCESS_READ }, { "write", PK_ACCESS_WRITE },
		{ "exec", PK_ACCESS_EXEC }, { "connect", PK_ACCESS_CONNECT },
		{ "all", PK_ACCESS_FILES },
	};
	__u8 access = 0;

	while (true) {
		size_t length = strcspn(list, ",");
		__u8 bits = 0;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strlen(words[i].name) == length &&
			    strncmp(list, words[i].name, length) == 0)
				bits = words[i].bits;
		}
		if (!bits)
			return 0;
		access |= bits;
		list += length;
		if (!*list++)
			return access;
	}
}

static int ask_connect(struct explain *explain, struct explain_answer *answer)
{
	explain->network.target = explain->target;
	return explain_ask_connect(&explain->network, answer);
}

static int ask_listen(struct explain *explain, struct explain_answer *answer)
{
	explain->network.target = explain->target;
	return explain_ask_listen(&explain->network, answer);
}

static int resolve(const char *option, const char *given, char **ret_path)
{
	int r = real_path(given, ret_path);

	if (r == 0)
		return CLI_OK;
	if (r == -EINVAL)
		return cli_usage("explain",
				 "--%s '%s' cannot be resolved: it is empty, or has '..' behind "
				 "a part that does not exist",
				 option, given);
	errno = -r;
	return cli_error("explain", "cannot resolve '%s': %m", given);
}

static int resolve_target(struct explain *explain, struct explain_answer *answer)
{
	int code = resolve(explain->act, explain->target, &explain->path);

	answer->seen = explain->path;
	return code;
}

static int ask_open(struct explain *explain, struct explain_answer *answer)
{
	struct explain_part part = { .section = PK_SECTION_FILES, .access = PK_ACCESS_READ };

	if (explain->access)
		part.access = parse_access(explain->access);
	if (part.access == 0)
		return cli_usage(
			"explain",
			"--access '%s' is no list of read, write, exec, connect, all, with commas",
			explain->access);
	answer->parts[answer->count++] = part;
	return resolve_target(explain, answer);
}

static int ask_exec(struct explain *explain, struct explain_answer *answer)
{
	answer->parts[answer->count++] =
		(struct explain_part){ .section = PK_SECTION_FILES, .access = PK_ACCESS_EXEC };
	answer->parts[answer->count++] =
		(struct explain_part){ .section = PK_SECTION_EXEC, .access = PK_ACCESS_RUN };
	return resolve_target(explain, answer);
}

/* The program of a command, looked up like in the policy's own tests. */
static int ask_run(struct explain *explain, struct explain_answer *answer)
{
	CLEAN_FREE char *path = NULL;
	int count = exec_words_split(explain->target, &explain->words);
	int code;

	if (count < 0)
		return cli_error("explain", "out of memory");
	if (count == 0 || !*explain->words[0])
		return cli_usage("explain", "--run '%s' has no program: write --run 'git push'",
				 explain->target);
	if (asprintf(&path, "%s%s", strchr(explain->words[0], '/') ? "" : "/usr/bin/",
		     explain->words[0]) < 0) {
		path = NULL;
		return cli_error("explain", "out of memory");
	}
	code = resolve("run", path, &explain->path);
	answer->seen = explain->path;
	answer->argv = explain->words;
	answer->parts[answer->count++] =
		(struct explain_part){ .section = PK_SECTION_FILES, .access = PK_ACCESS_EXEC };
	answer->parts[answer->count++] =
		(struct explain_part){ .section = PK_SECTION_EXEC, .access = PK_ACCESS_RUN };
	answer->parts[answer->count++] =
		(struct explain_part){ .section = PK_SECTION_EXEC, .access = PK_ACCESS_COMMAND };
	return code;
}

static int ask_unix(struct explain *explain, struct explain_answer *answer)
{
	/* Policies may write the sign that tools show. */
	explain->target += *explain->target == '@';
	if (!*explain->target)
		return cli_usage("explain",
				 "--unix needs a name: write --unix NAME or --unix @NAME");
	answer->target = explain->target;
	answer->parts[answer->count++] =
		(struct explain_part){ .section = PK_SECTION_UNIX, .access = PK_ACCESS_ABSTRACT };
	return CLI_OK;
}

static int ask_process(struct explain *explain, struct explain_answer *answer)
{
	(void)answer;
	return explain->by ?
		       cli_usage("explain", "--by does not go with --process: its switches are the "
					    "same for all programs") :
		       CLI_OK;
}

static const struct {
	const char *act;
	const char *target; /* what it is asked about, for those who leave it out */
	int (*ask)(struct explain *explain, struct explain_answer *answer);
} acts[] = {
	{ "connect", "TO:PORT", ask_connect }, { "listen", "AT:PORT", ask_listen },
	{ "open", "PATH", ask_open },	       { "exec", "PATH", ask_exec },
	{ "run", "COMMAND", ask_run },	       { "unix", "NAME", ask_unix },
	{ "process", "", ask_process },
};

/* Words that stand where only the policy does: most likely acts without their dashes. */
static int refuse_operands(const struct explain *explain, int count, char **operands)
{
	for (int i = 0; i < count; i++) {
		for (size_t j = 0; j < sizeof(acts) / sizeof(*acts); j++) {
			const char *target = i + 1 < count && *acts[j].target ? operands[i + 1] :
										acts[j].target;

			if (strcmp(operands[i], acts[j].act) == 0)
				return cli_usage("explain",
						 "'%s' is an option: write 'picket explain %s "
						 "--%s%s%s'",
						 operands[i], i ? operands[0] : "POLICY",
						 operands[i], *target ? " " : "", target);
		}
	}
	if (explain->act && strcmp(explain->act, "run") == 0)
		return cli_usage("explain",
				 "one policy at a time, not %d: a command with blanks is one "
				 "argument, as in --run 'git push'",
				 count);
	return cli_usage("explain",
			 "one policy at a time, not %d: write 'picket explain POLICY --open PATH', "
			 "or another act",
			 count);
}

static bool is_act(const struct explain *explain, const char *act)
{
	return strcmp(explain->act, act) == 0;
}

/* Check that the options fit together and make the questions of them. */
static int ask(struct explain *explain, struct explain_answer *answer)
{
	int code = CLI_OK;

	if (!explain->act)
		return cli_usage("explain", "nothing asked: give --connect, --listen, --open, "
					    "--exec, --run, --unix or --process");
	if (explain->network.protocol && !is_act(explain, "connect") && !is_act(explain, "listen"))
		return cli_usage("explain", "--protocol goes with --connect and --listen only");
	if (explain->network.name && !is_act(explain, "connect"))
		return cli_usage("explain", "--name goes with --connect only");
	if (explain->network.from && !is_act(explain, "listen"))
		return cli_usage("explain", "--from goes with --listen only");
	if (explain->access && !is_act(explain, "open"))
		return cli_usage("explain", "--access goes with --open only");
	answer->act = explain->act;
	answer->target = explain->target;
	answer->policy = explain->args.path;
	if (explain->by)
		code = resolve("by", explain->by, &explain->program);
	answer->by = explain->program;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts) && code == CLI_OK; i++)
		if (is_act(explain, acts[i].act))
			code = acts[i].ask(explain, answer);
	return code;
}

/* Fill the answer, and find what would make it another one. */
static int fill(struct explain_answer *answer, const struct cli_policy *policy,
		struct explain_change *change)
{
	const struct policy *layers[PK_LAYERS_MAX];
	size_t count = explain_layers(policy, layers);
	int r = explain_answer_fill(answer, &policy->image);

	for (size_t i = 0; i < count; i++)
		answer->layers[i] = layers[i]->files[0];
	answer->change = change;
	return r ? r : explain_change_find(answer, policy, change);
}

static int explain_policy(struct explain *explain, struct explain_answer *answer)
{
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	int code = policy_options_compile("explain", &explain->args, &policy);
	int r;

	if (code != CLI_OK)
		return code;
	if (is_act(explain, "process"))
		return explain_process(explain->args.path, &policy.image, explain->json);
	r = fill(answer, &policy, &explain->change);
	if (r < 0) {
		errno = -r;
		return cli_error("explain", "cannot judge '%s': %m", explain->target);
	}
	if (explain->json)
		return explain_answer_json(answer, &policy.image);
	return explain_answer_print(answer, &policy.image);
}

int cmd_explain(int argc, char **argv)
{
	static const struct option options[] = {
		{ "connect", required_argument, NULL, OPTION_CONNECT },
		{ "protocol", required_argument, NULL, OPTION_PROTOCOL },
		{ "name", required_argument, NULL, OPTION_NAME },
		{ "listen", required_argument, NULL, OPTION_LISTEN },
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "open", required_argument, NULL, OPTION_OPEN },
		{ "access", required_argument, NULL, OPTION_ACCESS },
		{ "exec", required_argument, NULL, OPTION_EXEC },
		{ "run", required_argument, NULL, OPTION_RUN },
		{ "unix", required_argument, NULL, OPTION_UNIX },
		{ "process", no_argument, NULL, OPTION_PROCESS },
		{ "by", required_argument, NULL, OPTION_BY },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(explain_reset) struct explain explain = { 0 };
	CLEAN(explain_answer_reset) struct explain_answer answer = { 0 };
	const struct policy_options command = {
		.command = "explain",
		.help = help,
		.own = options,
		.take = take_option,
		.context = &explain,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER | POLICY_OPTION_LAYERS |
			  POLICY_OPTION_JSON,
		.args = &explain.args,
		.count = 1,
		.json = &explain.json,
	};
	int code;

	if (!policy_options_parse(&command, argc, argv, &code))
		return code;
	if (optind >= argc)
		return cli_usage("explain",
				 "no policy given: write 'picket explain POLICY --open PATH', or "
				 "another act");
	if (optind + 1 < argc)
		return refuse_operands(&explain, argc - optind, argv + optind);
	explain.args.path = argv[optind];
	code = ask(&explain, &answer);
	return code == CLI_OK ? explain_policy(&explain, &answer) : code;
}
