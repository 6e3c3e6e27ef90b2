/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket run` with the engine in this process (engine/session.h), and the choice between that and
 * picketd (run_daemon.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "policy/policy_args.h"
#include "cli/run_daemon.h"
#include "cli/run_failure.h"
#include "cli/run_learn.h"
#include "cli/run_options.h"
#include "cli/run_output.h"
#include "engine/features.h"
#include "engine/session.h"
#include "engine/spawn.h"
#include "policy/asks.h"

/* Everything a run owns. */
struct run {
	struct run_options options;
	struct cli_policy policy;
	struct features features;
	struct spawn_user user;
	struct run_output output;
	struct session session;
	struct run_learn learn;
	struct diag_list diags;
	enum pk_tier tier; /* the choice */
	bool ran; /* the command did */
};

static void run_reset(struct run *run)
{
	run_output_reset(&run->output);
	run_learn_reset(&run->learn);
	spawn_user_reset(&run->user);
	cli_policy_reset(&run->policy);
	run_options_reset(&run->options);
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

/* Answers are given through picketd, and this engine is nobody's but ours. */
static void warn_asks(struct run *run)
{
	const struct policy_image *image = &run->policy.image;

	if (!asks_image(image) || image_head(image)->flags & PK_IMAGE_AUDIT)
		return;
	diag_hint(diag_add(&run->diags, DIAG_WARNING, NULL,
			   "nobody can approve without picketd: what rules ask about is refused"),
		  "start it by 'picket run --daemon', with picketd running");
}

static int read_policy(struct run *run)
{
	int r = 0;

	if (run->options.user_name)
		r = spawn_user_find(run->options.user_name, &run->user, &run->diags);
	if (r == 0)
		r = policy_args_identity(&run->options.policy_args, run->options.user_name);
	run->options.policy_args.accept = true;
	if (r == 0)
		r = policy_args_compile(&run->options.policy_args, &run->policy, &run->diags);
	if (r == 0)
		warn_asks(run);
	if (r == 0)
		say(run);
	return r;
}

static int choose_tier(struct run *run)
{
	int r = run->options.learn ? 0 : features_probe(run->options.tier, &run->features);

	if (r)
		return r;
	return session_choose_tier(&run->features, &run->policy.image, run->options.tier,
				   &run->tier, &run->diags);
}

static int open_session(struct run *run)
{
	struct session_options options = {
		.features = &run->features,
		.tier = run->tier,
		.image = &run->policy.image,
		.files = run->policy.files,
		/* The policy of a recording is in memory, where nobody reaches it. */
		.file_count = run->options.learn ? 0 : run->policy.file_count,
		.keep_fds = run->options.keep_fds,
		.recording = run->options.learn,
		.record = run_output_record,
		.context = &run->output,
	};
	int r;

	run->output.context = (struct event_context){
		.image = &run->policy.image,
		.main_file = run->options.policy_args.path,
		.clock_offset_ns = event_clock_offset(),
		.colour = cli_use_colour(STDERR_FILENO),
	};
	r = session_open(&run->session, &options, &run->diags);
	run->output.context.agent = run->session.place.name;
	return r;
}

static int run_command(struct run *run)
{
	struct spawn_failure failure;
	int wait_status = 0;
	int r;

	/* Warnings about dead runs, before the command says anything. */
	say(run);
	r = session_run(&run->session, run->options.argv,
			run->options.user_name ? &run->user : NULL, &wait_status, &run->diags);

	if (r)
		return failed(run, r);
	if (spawn_failed(&run->session.child, &failure))
		return run_failure_explain(&run->options, run->session.filter.count > 0, &failure,
					   &run->diags);
	run->ran = true;
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
	if (run->options.names && run->session.live)
		show_names(run);
	r = session_close(&run->session, counts, &run->diags);
	say(run);
	run_output_finish(&run->output, counts);
	if (run->options.learn && run->ran)
		r = run_learn_finish(&run->options, &run->output, counts);
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

/* What is recorded depends on what the kernel shows. */
static int prepare_learning(struct run *run)
{
	int r;

	if (!run->options.learn)
		return 0;
	run->options.quiet = true;
	r = features_probe(run->options.tier, &run->features);
	if (r)
		return r;
	r = features_find_tier(&run->features, run->options.tier);
	if (r < 0)
		return features_explain(&run->features, PK_TIER_NETWORK, NULL, &run->diags);
	run->tier = (enum pk_tier)r;
	return run_learn_prepare(&run->learn, &run->options, run->tier, &run->diags);
}

static int run_ourselves(struct run *run)
{
	int r = prepare_learning(run);

	if (r == 0)
		r = read_policy(run);
	if (r == 0)
		r = choose_tier(run);
	if (r)
		return failed(run, r);
	run->output.quiet = run->options.quiet;
	r = run_output_open(&run->output, run->options.events);
	if (r) {
		errno = -r;
		return cli_error("run", "cannot open '%s' for events: %m", run->options.events);
	}
	if (run->options.learn)
		run_learn_begin(&run->options, run->tier, &run->output);
	return run_session(run);
}

/* What only the engine in our own process does is not asked of picketd unless it is told to be. */
static bool asks_daemon(const struct run_options *options)
{
	if (options->learn)
		return false;
	if (options->by != RUN_BY_CHOICE)
		return options->by == RUN_BY_DAEMON;
	if (run_options_is_name(options))
		return true;
	return geteuid() != 0 && !options->user_name && !options->tier_given;
}

/* Returns true with *@ret_exit set when the run is done. */
static bool run_by_daemon(struct run *run, int *ret_exit)
{
	const struct run_options *options = &run->options;
	bool must = options->by == RUN_BY_DAEMON;

	if (!asks_daemon(options))
		return false;
	/* A file that was meant is found here too, unless there is a daemon to ask. */
	if (!must && run_options_is_name(options))
		must = access(options->policy_args.path, F_OK) != 0;
	return run_daemon(options, must, ret_exit);
}

int cmd_run(int argc, char **argv)
{
	CLEAN(run_reset)
	struct run run = {
		.options.tier = PK_TIER__MAX - 1,
		.features.tier = -1,
		.output = RUN_OUTPUT_NONE,
		.session = SESSION_NONE,
		.learn = RUN_LEARN_NONE,
	};
	int code = CLI_OK;
	int r;

	if (run_options_parse(&run.options, argc, argv, &code))
		return code;
	r = hold_standard_fds();
	if (r)
		return failed(&run, r);
	if (run_by_daemon(&run, &code))
		return code;
	/* Only picketd writes such a file; one that is named here is of an agent around us. */
	if (unsetenv(RUN_DAEMON_FEED))
		return failed(&run, -errno);
	return run_ourselves(&run);
}
