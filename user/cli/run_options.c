/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only words: what they mean for a run is decided by who carries it.
 */
#include "cli/run_options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "telemetry/names.h"

static const char help[] =
	"usage: picket run -p POLICY [options] [--] COMMAND [ARGUMENT...]\n"
	"       picket run --learn [-o FILE] [options] [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"Run COMMAND and everything it starts under POLICY. Denials are shown on stderr as they\n"
	"happen, with a summary at the end. What is left of the process tree when COMMAND ends is\n"
	"killed.\n"
	"\n"
	"  -p, --policy POLICY    a file, or the name of a policy of picketd: no slash, no dot\n"
	"      --audit            report what would be denied, block nothing\n"
	"      --user USER        run COMMAND as this user (name or number)\n"
	"      --events FILE      append each event as a line of JSON; - is stdout\n"
	"      --set NAME=VALUE   set a variable of the policy; may be repeated\n"
	"      --names            show at the end which addresses names stood for\n"
	"      --quiet            no denials and no summary on stderr\n"
	"      --keep-fds         pass every open descriptor to COMMAND, not only 0 to 2 and pipes\n"
	"      --tier TIER        use at most this tier: lsm, modify-return or network\n"
	"      --daemon           through picketd, which needs no root\n"
	"      --learn            refuse nothing, record everything, and learn a policy from it\n"
	"  -o, --output FILE      the file for that policy (learned.yaml, which must be new)\n"
	"      --lossy            learn although events were lost\n"
	"      --embedded         not through picketd, which needs root\n"
	"\n"
	"Without --daemon and --embedded: through picketd when it runs and POLICY is a name or the\n"
	"caller is not root.\n"
	"\n"
	"Exit status: that of COMMAND (128+N when signal N ended it); 127: COMMAND not found;\n"
	"126: it cannot be run; 1: something failed; 2: usage; 3: this kernel cannot enforce POLICY.\n";

static int parse_tier(const char *name, enum pk_tier *ret_tier)
{
	for (__u32 tier = 0; tier < PK_TIER__MAX; tier++) {
		if (strcmp(name, names_tier(tier)) == 0) {
			*ret_tier = (enum pk_tier)tier;
			return 0;
		}
	}
	return -EINVAL;
}

enum option_id {
	OPTION_AUDIT = 256,
	OPTION_USER,
	OPTION_EVENTS,
	OPTION_SET,
	OPTION_NAMES,
	OPTION_QUIET,
	OPTION_KEEP_FDS,
	OPTION_TIER,
	OPTION_DAEMON,
	OPTION_EMBEDDED,
	OPTION_LEARN,
	OPTION_LOSSY
};

/* Returns 0, or -1 with *@ret_exit set. */
static int take_way(struct run_options *options, enum run_by way, int *ret_exit)
{
	if (options->by != RUN_BY_CHOICE && options->by != way) {
		*ret_exit = cli_usage("run", "--daemon and --embedded exclude each other");
		return -1;
	}
	options->by = way;
	return 0;
}

/* Returns 0, or -1 with *@ret_exit set. */
static int take_option(struct run_options *options, int option, int *ret_exit)
{
	switch (option) {
	case 'p':
		options->policy_args.path = optarg;
		return 0;
	case OPTION_AUDIT:
		options->policy_args.audit = true;
		return 0;
	case OPTION_USER:
		options->user_name = optarg;
		return 0;
	case OPTION_EVENTS:
		options->events = optarg;
		return 0;
	case OPTION_NAMES:
		options->names = true;
		return 0;
	case OPTION_QUIET:
		options->quiet = true;
		return 0;
	case OPTION_KEEP_FDS:
		options->keep_fds = true;
		return 0;
	case OPTION_SET:
		if (policy_args_set(&options->policy_args, optarg) == 0)
			return 0;
		*ret_exit = cli_usage("run", "--set '%s' is not NAME=VALUE", optarg);
		return -1;
	case OPTION_TIER:
		options->tier_given = true;
		if (parse_tier(optarg, &options->tier) == 0)
			return 0;
		*ret_exit = cli_usage("run", "--tier '%s' is none of lsm, modify-return, network",
				      optarg);
		return -1;
	case OPTION_DAEMON:
		return take_way(options, RUN_BY_DAEMON, ret_exit);
	case OPTION_EMBEDDED:
		return take_way(options, RUN_BY_OURSELVES, ret_exit);
	case OPTION_LEARN:
		options->learn = true;
		return 0;
	case OPTION_LOSSY:
		options->lossy = true;
		return 0;
	case 'o':
		options->learned = optarg;
		return 0;
	case 'h':
		*ret_exit = cli_help(help);
		return -1;
	default:
		*ret_exit = cli_usage("run", NULL);
		return -1;
	}
}

/* What goes together with --learn, and what only means something there. Returns 0 or -1. */
static int check_learn(const struct run_options *options, int *ret_exit)
{
	const char *other = options->policy_args.path			     ? "-p" :
			    options->policy_args.audit			     ? "--audit" :
			    options->policy_args.override_count		     ? "--set" :
			    options->by == RUN_BY_DAEMON		     ? "--daemon" :
			    options->events && !strcmp(options->events, "-") ? "--events -" :
									       NULL;

	if (options->learn && other)
		*ret_exit = cli_usage("run", "'%s' does not go together with --learn", other);
	else if (!options->learn && (options->learned || options->lossy))
		*ret_exit = cli_usage("run", "'%s' is for --learn",
				      options->learned ? "-o" : "--lossy");
	else
		return 0;
	return -1;
}

int run_options_parse(struct run_options *options, int argc, char **argv, int *ret_exit)
{
	static const struct option table[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "audit", no_argument, NULL, OPTION_AUDIT },
		{ "user", required_argument, NULL, OPTION_USER },
		{ "events", required_argument, NULL, OPTION_EVENTS },
		{ "set", required_argument, NULL, OPTION_SET },
		{ "names", no_argument, NULL, OPTION_NAMES },
		{ "quiet", no_argument, NULL, OPTION_QUIET },
		{ "keep-fds", no_argument, NULL, OPTION_KEEP_FDS },
		{ "tier", required_argument, NULL, OPTION_TIER },
		{ "daemon", no_argument, NULL, OPTION_DAEMON },
		{ "embedded", no_argument, NULL, OPTION_EMBEDDED },
		{ "learn", no_argument, NULL, OPTION_LEARN },
		{ "output", required_argument, NULL, 'o' },
		{ "lossy", no_argument, NULL, OPTION_LOSSY },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	/* "+": the first word that is no option is the command; its own options are not ours. */
	while ((option = getopt_long(argc, argv, "+p:o:h", table, NULL)) >= 0) {
		if (take_option(options, option, ret_exit))
			return -1;
	}
	options->argv = argv + optind;
	if (check_learn(options, ret_exit))
		return -1;
	if (!options->policy_args.path && !options->learn)
		*ret_exit = cli_usage("run", "no policy: give one with -p POLICY");
	else if (optind >= argc)
		*ret_exit = cli_usage("run", "no command to run");
	else
		return 0;
	return -1;
}

bool run_options_is_name(const struct run_options *options)
{
	return strcspn(options->policy_args.path, "/.") == strlen(options->policy_args.path);
}

void run_options_reset(struct run_options *options)
{
	policy_args_reset(&options->policy_args);
	*options = (struct run_options){ 0 };
}
