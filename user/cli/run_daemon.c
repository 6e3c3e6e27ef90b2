/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order: the agent is made, then the child, which waits; picketd moves it into the agent; then it
 * runs. Whatever fails before that, nothing has run. From then on nothing that happens to picketd
 * ends the command.
 */
#include "cli/run_daemon.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/run_failure.h"
#include "cli/run_filter.h"
#include "cli/run_output.h"
#include "cli/run_tally.h"
#include "engine/watch.h"
#include "note/note.h"

/* How often it is tried to reach a picketd that went away, and how long at the end. */
#define RETRY_MS 250
#define LAST_TRY_MS 10000

/* Everything such a run owns. */
struct run {
	const struct run_options *options;
	struct run_output output;
	struct control control;
	struct signals signals;
	struct spawn child;
	struct seccomp_filter filter;
	struct diag_list diags;
	struct run_tally tally;
	char *agent; /* id; NULL = none yet */
	bool told; /* that picketd is gone */
};

static void run_reset(struct run *run)
{
	run_output_reset(&run->output);
	control_close(&run->control);
	spawn_reset(&run->child);
	seccomp_filter_reset(&run->filter);
	signals_reset(&run->signals);
	diag_list_reset(&run->diags);
	mem_free_ptr(&run->agent);
}

static void tell_reloaded(struct run *run, const json_t *params)
{
	CLEAN_FREE char *line = NULL;

	if (asprintf(&line, "picket: the policy was replaced: %.16s -> %.16s\n",
		     daemon_text(params, "old"), daemon_text(params, "new")) >= 0)
		run_output_text(&run->output, line);
}

static void take_event(void *context, const char *method, json_t *params)
{
	struct run *run = context;
	const json_t *event = json_object_get(params, "event");
	CLEAN_FREE char *line = NULL;

	if (strcmp(method, "reloaded") == 0)
		tell_reloaded(run, params);
	if (strcmp(method, "event") != 0)
		return;
	run_tally_add(&run->tally, event);
	run_output_text(&run->output, daemon_text(params, "text"));
	if (!event || !run->options->events)
		return;
	line = json_dumps(event, JSON_COMPACT);
	run_output_json(&run->output, line);
}

/* Does the run take part in the agent's events? */
static bool wants_events(const struct run_options *options)
{
	return !options->quiet || options->events;
}

static json_t *start_params(const struct run_options *options)
{
	const char *policy = options->policy_args.path;
	CLEAN_FREE char *path = run_options_is_name(options) ? NULL : realpath(policy, NULL);
	CLEAN_FREE char *cwd = getcwd(NULL, 0);

	/* A folder that was removed has no name; a policy that asks for CWD is told so. */
	return json_pack("{s:s, s:b, s:o, s:s, s:b, s:b}", "policy", path ? path : policy, "audit",
			 options->policy_args.audit, "set", daemon_variables(&options->policy_args),
			 "cwd", cwd && *cwd == '/' ? cwd : "/", "events",
			 !options->quiet || options->events, "colour",
			 cli_use_colour(STDERR_FILENO));
}

/* Where the command finds what is its own; a path of somebody else's run is none of its. */
static int tell_path(const char *variable, const char *path)
{
	return (*path ? setenv(variable, path, 1) : unsetenv(variable)) ? -errno : 0;
}

/* Make the agent. Returns CLI_OK or the exit code after printing. */
static int start_agent(struct run *run)
{
	json_t *result = NULL;
	const char *filter;
	int code = daemon_call("run", &run->control, "agent.start", start_params(run->options),
			       &result);
	int r;

	if (code)
		return code;
	/* Warnings about the policy. */
	(void)fputs(daemon_text(result, "warnings"), stderr);
	run->agent = strdup(daemon_text(result, "agent"));
	filter = daemon_text(result, "filter");
	r = run->agent && *run->agent ? run_filter_decode(filter, &run->filter) : -EPROTO;
	if (r == 0)
		r = tell_path(RUN_DAEMON_FEED, daemon_text(result, "denials"));
	if (r == 0)
		r = tell_path(NOTE_VARIABLE, daemon_text(result, "notes"));
	json_decref(result);
	if (r == 0)
		return CLI_OK;
	errno = -r;
	return cli_error("run", "picketd gave an answer that is of no use: %m");
}

/* A spawn_request's join: the child waits, whoever it is by number. */
static int join_agent(void *context, const struct spawn *child)
{
	struct run *run = context;
	CLEAN(control_answer_reset) struct control_answer answer = { 0 };
	const int fds[] = { child->pidfd, child->listener };
	json_t *params = json_pack("{s:s}", "agent", run->agent);
	int r = -ENOMEM;

	if (params)
		r = control_call(&run->control, "agent.join", params, fds,
				 child->listener >= 0 ? 2 : 1, DAEMON_ANSWER_MS, &answer,
				 &run->diags);
	json_decref(params);
	if (r || answer.result)
		return r;
	(void)diag_add(&run->diags, DIAG_ERROR, NULL, "picketd did not confine the command: %s",
		       answer.message ? answer.message : "it does not say why");
	return -ECANCELED;
}

static int start_command(struct run *run)
{
	const struct spawn_request request = {
		.argv = run->options->argv,
		.cgroup_fd = -1,
		.join = join_agent,
		.context = run,
		.signals = &run->signals,
		.filter = &run->filter,
		.keep_fds = run->options->keep_fds,
	};
	int r;

	/* Orphans of the tree come to us, who reap them, instead of an init that may not. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = spawn_start(&request, &run->child, &run->diags);
	/* picketd answers; when it is gone the kernel refuses in its place. */
	mem_close_fd(&run->child.listener);
	return r;
}

/* Connect again and take part in the agent's events. Returns 0 or -errno, without a word. */
static int reconnect(struct run *run)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(control_answer_reset) struct control_answer answer = { 0 };
	json_t *params;
	int r = control_connect(NULL, &run->control, &diags);

	if (r)
		return r;
	run->control.notified = take_event;
	run->control.context = run;
	if (!wants_events(run->options))
		return 0;
	params = json_pack("{s:s, s:b, s:b}", "agent", run->agent, "text", 1, "colour",
			   cli_use_colour(STDERR_FILENO));
	r = params ? control_call(&run->control, "events.subscribe", params, NULL, 0,
				  DAEMON_ANSWER_MS, &answer, &diags) :
		     -ENOMEM;
	json_decref(params);
	if (r)
		control_close(&run->control);
	return r;
}

static void lose_daemon(struct run *run)
{
	control_close(&run->control);
	if (!run->told)
		(void)cli_error("run",
				"the connection to picketd broke: the command goes on, confined "
				"as before, and what is denied is not shown until picketd is back");
	run->told = true;
}

/* One round: events, signals. Returns 1 when the command has ended, 0, or -errno. */
static int attend_once(struct run *run, int *ret_wait_status)
{
	struct pollfd fds[] = {
		{ .fd = run->signals.fd, .events = POLLIN },
		{ .fd = run->control.fd, .events = POLLIN },
	};
	int n = poll(fds, 2, run->control.fd >= 0 ? -1 : RETRY_MS);

	if (n < 0 && errno != EINTR)
		return -errno;
	if (run->control.fd < 0 && n == 0)
		(void)reconnect(run);
	/* Also when nothing came: a call may have left lines that came behind its answer. */
	if (run->control.fd >= 0 && control_read(&run->control) < 0)
		lose_daemon(run);
	return watch_signals(&run->signals, &run->child, ret_wait_status);
}

static int attend(struct run *run, int *ret_wait_status)
{
	int r = control_read(&run->control);

	if (r < 0)
		lose_daemon(run);
	do {
		r = attend_once(run, ret_wait_status);
	} while (r == 0);
	return r < 0 ? r : 0;
}

static long now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/* One try of insist(), by a new connection when there is none. */
static int try_call(struct run *run, const char *method, json_t *params,
		    struct control_answer *ret_answer)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = run->control.fd >= 0 ? 0 : reconnect(run);

	if (r == 0)
		r = control_call(&run->control, method, params, NULL, 0, DAEMON_ANSWER_MS,
				 ret_answer, &diags);
	if (r)
		control_close(&run->control);
	return r;
}

/*
 * Call @method about our agent until there is an answer, or no hope of one, or somebody asks us to
 * end. Returns 0 with an answer or -errno.
 */
static int insist(struct run *run, const char *method, struct control_answer *ret_answer)
{
	struct pollfd signals = { .fd = run->signals.fd, .events = POLLIN };
	long end = now_ms() + LAST_TRY_MS;
	json_t *params = json_pack("{s:s}", "agent", run->agent);
	int r = params ? try_call(run, method, params, ret_answer) : -ENOMEM;

	while (params && r && now_ms() < end) {
		(void)poll(&signals, 1, RETRY_MS);
		if (signals.fd >= 0 && signals_end_requested(&run->signals))
			break;
		r = try_call(run, method, params, ret_answer);
	}
	json_decref(params);
	return r;
}

static void show_names(struct run *run)
{
	CLEAN(control_answer_reset) struct control_answer answer = { 0 };
	const json_t *name;
	size_t i;
	int r = insist(run, "agent.names", &answer);

	if (r || !answer.result) {
		(void)cli_error("run", "cannot read which addresses names stood for: %s",
				r ? strerror(-r) : answer.message);
		return;
	}
	run_output_text(&run->output, daemon_text(answer.result, "text"));
	json_array_foreach(json_object_get(answer.result, "names"), i, name) {
		CLEAN_FREE char *line = json_dumps(name, JSON_COMPACT);

		run_output_json(&run->output, line);
	}
}

/* What was told against what was decided. */
static void show_tally(struct run *run, const json_t *counts)
{
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *line = NULL;

	if (!wants_events(run->options))
		return;
	run_tally_close(&run->tally, counts);
	text = run_tally_text(&run->tally);
	if (text)
		run_output_text(&run->output, text);
	line = run_tally_line(&run->tally, run->agent);
	run_output_json(&run->output, line);
}

/* End the agent and show the summary. Returns CLI_OK, or CLI_FAILED after printing. */
static int stop_agent(struct run *run)
{
	CLEAN(control_answer_reset) struct control_answer answer = { 0 };
	int r = insist(run, "agent.stop", &answer);

	if (r)
		return cli_error("run",
				 "picketd is not back: what is left of agent '%s' stays "
				 "confined and is removed when picketd starts",
				 run->agent);
	if (!answer.result)
		return cli_error("run", "picketd cannot end agent '%s': %s", run->agent,
				 answer.message ? answer.message : "it does not say why");
	run_output_text(&run->output, daemon_text(answer.result, "summary"));
	show_tally(run, json_object_get(answer.result, "counts"));
	return CLI_OK;
}

static int failed(struct run *run, int r)
{
	if (!diag_has_errors(&run->diags))
		(void)diag_add(&run->diags, DIAG_ERROR, NULL, "%s", strerror(-r));
	return CLI_FAILED;
}

static int run_command(struct run *run)
{
	struct spawn_failure failure;
	int wait_status = 0;
	int r = start_command(run);

	if (r == 0)
		r = attend(run, &wait_status);
	if (r)
		return failed(run, r);
	if (spawn_failed(&run->child, &failure))
		return run_failure_explain(run->options, run->filter.count > 0, &failure,
					   &run->diags);
	return spawn_exit_code(wait_status);
}

/* From here on there is an agent to end. */
static int run_agent(struct run *run)
{
	int end_signal = signals_end_requested(&run->signals);
	int code = end_signal ? 128 + end_signal : run_command(run);
	int ended;

	cli_print_diags(&run->diags);
	if (run->options->names)
		show_names(run);
	ended = stop_agent(run);
	/* Not waiting: who exec'ed us may have left us children that are none of ours. */
	while (run->child.pid && waitpid(-1, NULL, WNOHANG) > 0)
		;
	run_output_losses(&run->output);
	return ended && code == 0 ? ended : code;
}

static int open_output(struct run *run)
{
	int r;

	run->output.quiet = run->options->quiet;
	r = run_output_open(&run->output, run->options->events);
	if (r == 0)
		return CLI_OK;
	errno = -r;
	return cli_error("run", "cannot open '%s' for events: %m", run->options->events);
}

/* What only the engine of a run of its own can do. CLI_OK or an exit code after printing. */
static int check_options(const struct run_options *options)
{
	if (options->user_name)
		return cli_usage(
			"run",
			"picketd confines a run as the user who calls: call it as that user "
			"('sudo -u %s picket run ...'), or give --embedded with --user",
			options->user_name);
	if (options->tier_given)
		return cli_usage("run", "the tier of picketd is the one that it was started with "
					"('picket daemon --tier'): leave --tier away, or give "
					"--embedded with it");
	return CLI_OK;
}

static int carry(struct run *run)
{
	int code = check_options(run->options);
	int r;

	if (code == CLI_OK)
		code = open_output(run);
	if (code)
		return code;
	run->control.notified = take_event;
	run->control.context = run;
	/* A signal that ends us here ends the agent too: its owner is gone. */
	code = start_agent(run);
	if (code)
		return code;
	r = signals_take(&run->signals);
	if (r) {
		errno = -r;
		return cli_error("run", "cannot take over signals: %m");
	}
	return run_agent(run);
}

bool run_daemon(const struct run_options *options, bool must, int *ret_exit)
{
	CLEAN(run_reset)
	struct run run = {
		.options = options,
		.output = RUN_OUTPUT_NONE,
		.control = CONTROL_NONE,
		.signals = SIGNALS_NONE,
		.child = SPAWN_NONE,
	};
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = control_connect(NULL, &run.control, &diags);
	bool missing = r == -ENOENT || r == -ECONNREFUSED;

	if (missing && !must)
		return false;
	if (missing) {
		*ret_exit = daemon_is_missing("run");
	} else if (r) {
		if (!diag_has_errors(&diags))
			(void)cli_error("run", "cannot talk to picketd: %s", strerror(-r));
		cli_print_diags(&diags);
		*ret_exit = CLI_FAILED;
	} else {
		*ret_exit = carry(&run);
	}
	return true;
}
