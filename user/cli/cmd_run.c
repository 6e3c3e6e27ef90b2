/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket run`: the options, and what is printed. The run itself is engine/session.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/policy_args.h"
#include "cli/run_output.h"
#include "engine/features.h"
#include "engine/session.h"
#include "engine/spawn.h"
#include "telemetry/names.h"

static const char help[] =
	"usage: picket run -p POLICY [options] [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"Run COMMAND and everything it starts under POLICY. Denials are shown on stderr as they\n"
	"happen, with a summary at the end. What is left of the process tree when COMMAND ends is\n"
	"killed.\n"
	"\n"
	"  -p, --policy FILE      the policy\n"
	"      --audit            report what would be denied, block nothing\n"
	"      --user USER        run COMMAND as this user (name or number)\n"
	"      --events FILE      append each event as a line of JSON; - is stdout\n"
	"      --set NAME=VALUE   set a variable of the policy; may be repeated\n"
	"      --names            show at the end which addresses names stood for\n"
	"      --quiet            no denials and no summary on stderr\n"
	"      --keep-fds         pass every open descriptor to COMMAND, not only 0 to 2 and pipes\n"
	"      --tier TIER        use at most this tier: lsm, modify-return or network\n"
	"\n"
	"Exit status: that of COMMAND (128+N when signal N ended it); 127: COMMAND not found;\n"
	"126: it cannot be run; 1: something failed; 2: usage; 3: this kernel cannot enforce POLICY.\n";

/* Everything a run owns. */
struct run {
	struct policy_args policy_args;
	struct cli_policy policy;
	struct features features;
	struct spawn_user user;
	struct run_output output;
	struct session session;
	struct diag_list diags;
	const char *user_name; /* --user, or NULL */
	const char *events;
	bool keep_fds; /* --keep-fds */
	bool names; /* --names */
	enum pk_tier tier; /* limit, then the choice */
	char *const *argv;
};

static void run_reset(struct run *run)
{
	run_output_reset(&run->output);
	spawn_user_reset(&run->user);
	cli_policy_reset(&run->policy);
	policy_args_reset(&run->policy_args);
	features_reset(&run->features);
	diag_list_reset(&run->diags);
}

/* Print what there is to say, once. */
static void say(struct run *run)
{
	cli_print_diags(&run->diags);
	diag_list_reset(&run->diags);
}

/* The exit code for a failed step; one without a finding of its own gets the error's text. */
static int failed(struct run *run, int r)
{
	if (!diag_has_errors(&run->diags))
		(void)diag_add(&run->diags, DIAG_ERROR, NULL, "%s", strerror(-r));
	say(run);
	return r == -ENOTSUP ? CLI_KERNEL : CLI_FAILED;
}

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
	OPTION_TIER
};

/* Returns 0, or -1 with *@ret_exit set. */
static int take_option(struct run *run, int option, int *ret_exit)
{
	switch (option) {
	case 'p':
		run->policy_args.path = optarg;
		return 0;
	case OPTION_AUDIT:
		run->policy_args.audit = true;
		return 0;
	case OPTION_USER:
		run->user_name = optarg;
		return 0;
	case OPTION_EVENTS:
		run->events = optarg;
		return 0;
	case OPTION_NAMES:
		run->names = true;
		return 0;
	case OPTION_QUIET:
		run->output.quiet = true;
		return 0;
	case OPTION_KEEP_FDS:
		run->keep_fds = true;
		return 0;
	case OPTION_SET:
		if (policy_args_set(&run->policy_args, optarg) == 0)
			return 0;
		*ret_exit = cli_usage("run", "--set '%s' is not NAME=VALUE", optarg);
		return -1;
	case OPTION_TIER:
		if (parse_tier(optarg, &run->tier) == 0)
			return 0;
		*ret_exit = cli_usage("run", "unknown tier '%s'", optarg);
		return -1;
	case 'h':
		*ret_exit = cli_help(help);
		return -1;
	default:
		*ret_exit = cli_usage("run", NULL);
		return -1;
	}
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct run *run, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "audit", no_argument, NULL, OPTION_AUDIT },
		{ "user", required_argument, NULL, OPTION_USER },
		{ "events", required_argument, NULL, OPTION_EVENTS },
		{ "set", required_argument, NULL, OPTION_SET },
		{ "names", no_argument, NULL, OPTION_NAMES },
		{ "quiet", no_argument, NULL, OPTION_QUIET },
		{ "keep-fds", no_argument, NULL, OPTION_KEEP_FDS },
		{ "tier", required_argument, NULL, OPTION_TIER },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	/* "+": the first word that is no option is the command; its own options are not ours. */
	while ((option = getopt_long(argc, argv, "+p:h", options, NULL)) >= 0) {
		if (take_option(run, option, ret_exit))
			return -1;
	}
	run->argv = argv + optind;
	if (!run->policy_args.path)
		*ret_exit = cli_usage("run", "no policy: give one with -p POLICY");
	else if (optind >= argc)
		*ret_exit = cli_usage("run", "no command to run");
	else
		return 0;
	return -1;
}

static int read_policy(struct run *run)
{
	int r = 0;

	if (run->user_name)
		r = spawn_user_find(run->user_name, &run->user, &run->diags);
	if (r == 0)
		r = policy_args_identity(&run->policy_args, run->user_name);
	if (r == 0)
		r = policy_args_compile(&run->policy_args, &run->policy, &run->diags);
	if (r == 0)
		say(run);
	return r;
}

static int choose_tier(struct run *run)
{
	int r = features_probe(run->tier, &run->features);

	if (r)
		return r;
	return session_choose_tier(&run->features, &run->policy.image, run->tier, &run->tier,
				   &run->diags);
}

static int open_session(struct run *run)
{
	struct session_options options = {
		.features = &run->features,
		.tier = run->tier,
		.image = &run->policy.image,
		.files = run->policy.policy->files,
		.file_count = run->policy.policy->file_count,
		.keep_fds = run->keep_fds,
		.record = run_output_record,
		.context = &run->output,
	};
	int r;

	run->output.context = (struct event_context){
		.image = &run->policy.image,
		.main_file = run->policy_args.path,
		.clock_offset_ns = event_clock_offset(),
		.colour = cli_use_colour(STDERR_FILENO),
	};
	r = session_open(&run->session, &options, &run->diags);
	run->output.context.agent = run->session.place.name;
	return r;
}

static const char *exec_hint(const struct run *run, int error)
{
	if (error == EACCES)
		return "the file is not executable, or the policy denies running it";
	if (error == EPERM && run->session.filter.count > 0)
		return "the policy's section 'syscalls' may refuse execve, which every start needs";
	return "check the file";
}

/* What failed between the fork and the command, which is none of the command's doing. */
static int prepare_failed(struct run *run, const struct spawn_failure *failure)
{
	static const char *const what[] = {
		[SPAWN_STAGE_FDS] = "close descriptors for the command",
		[SPAWN_STAGE_FILTER] = "filter the system calls of the command",
		[SPAWN_STAGE_JOIN] = "confine the command",
	};

	diag_hint(diag_add(&run->diags, DIAG_ERROR, NULL, "cannot %s: %s", what[failure->stage],
			   strerror(failure->error)),
		  "nothing was started; run 'picket doctor'");
	return SPAWN_EXIT_CANNOT;
}

/* Why the command did not start, as a shell would say it. */
static int start_failed(struct run *run, const struct spawn_failure *failure)
{
	if (failure->stage >= SPAWN_STAGE_FDS && failure->stage <= SPAWN_STAGE_JOIN)
		return prepare_failed(run, failure);
	if (failure->stage == SPAWN_STAGE_USER) {
		diag_hint(diag_add(&run->diags, DIAG_ERROR, NULL, "cannot become user '%s': %s",
				   run->user_name, strerror(failure->error)),
			  "run picket as root");
		return SPAWN_EXIT_CANNOT;
	}
	if (failure->error == ENOENT) {
		diag_hint(diag_add(&run->diags, DIAG_ERROR, NULL, "command '%s' not found",
				   run->argv[0]),
			  "check the name and PATH, or an interpreter that it names");
		return SPAWN_EXIT_NOT_FOUND;
	}
	diag_hint(diag_add(&run->diags, DIAG_ERROR, NULL, "cannot run '%s': %s", run->argv[0],
			   strerror(failure->error)),
		  "%s", exec_hint(run, failure->error));
	return SPAWN_EXIT_CANNOT;
}

static int run_command(struct run *run)
{
	struct spawn_failure failure;
	int wait_status = 0;
	int r;

	/* Warnings about dead runs, before the command says anything. */
	say(run);
	r = session_run(&run->session, run->argv, run->user_name ? &run->user : NULL, &wait_status,
			&run->diags);

	if (r)
		return failed(run, r);
	if (spawn_failed(&run->session.child, &failure))
		return start_failed(run, &failure);
	return spawn_exit_code(wait_status);
}

/* While the maps are there; what is left of the tree may still learn. */
static void show_names(struct run *run)
{
	CLEAN(learned_table_reset) struct learned_table table = { 0 };
	int r = session_learned(&run->session, &table);

	if (r == 0)
		run_output_names(&run->output, &table);
	else
		(void)diag_add(&run->diags, DIAG_WARNING, NULL,
			       "cannot read which addresses names stood for: %s", strerror(-r));
}

/* From here on there is something to tear down. */
static int run_session(struct run *run)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };
	int r = open_session(run);
	int code;

	if (r == -EINTR)
		code = 128 + run->session.end_signal;
	else if (r)
		code = failed(run, r);
	else
		code = run_command(run);
	if (run->names && run->session.live)
		show_names(run);
	r = session_close(&run->session, counts, &run->diags);
	say(run);
	run_output_finish(&run->output, counts);
	return r && code == 0 ? CLI_FAILED : code;
}

/*
 * Keep the numbers of closed standard descriptors from being given to what we open: writing a line
 * would hit it. Ours cannot be used, so writing still fails; the command finds them closed.
 */
static int hold_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", mode | O_CLOEXEC) != fd)
			return -EBADF;
	}
	return 0;
}

int cmd_run(int argc, char **argv)
{
	CLEAN(run_reset)
	struct run run = {
		.features.tier = -1,
		.output = RUN_OUTPUT_NONE,
		.session = SESSION_NONE,
		.tier = PK_TIER__MAX - 1,
	};
	int code = CLI_OK;
	int r;

	if (parse(&run, argc, argv, &code))
		return code;
	r = hold_standard_fds();
	if (r == 0)
		r = read_policy(&run);
	if (r == 0)
		r = choose_tier(&run);
	if (r)
		return failed(&run, r);
	r = run_output_open(&run.output, run.events);
	if (r) {
		errno = -r;
		return cli_error("run", "cannot open '%s' for events: %m", run.events);
	}
	return run_session(&run);
}
