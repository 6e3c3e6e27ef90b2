/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket run` through picketd, and the commands about agents, against a server whose answers are
 * made up: nothing is confined here, all the rest is real. The server may be ended and come back.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/run_daemon.h"
#include "cli/run_filter.h"
#include "cli/run_tally.h"
#include "control/server.h"

#include "commands.h"
#include "serving.h"

#define SOCKET "socket"

/* One instruction: allow. */
static const char filter[] = "BgAAAAAA/38=";

static pid_t server_pid;

static struct json_t *note(const char *text)
{
	return json_pack("{s:s, s:{s:s, s:s, s:s}, s:s}", "agent", "a-1-test", "event", "schema",
			 "picket.event/1", "kind", "decision", "op", "connect", "text", text);
}

static void notify(struct client *client, const char *text)
{
	json_t *params = note(text);
	CLEAN_FREE char *line = control_notification_line("event", params);

	json_decref(params);
	(void)server_notify(client, line, strlen(line));
}

/* Policies here: `calls` has a filter, `refused` fails at joining, `none` is not there. */
static int do_start(void *context, struct call *call, struct control_answer *answer)
{
	const json_t *params = call->request->params;
	const char *policy = json_string_value(json_object_get(params, "policy"));

	(void)context;
	if (strcmp(policy, "none") == 0) {
		answer->code = CONTROL_MISSING;
		answer->message = strdup("there is no policy 'none'");
		answer->data = json_pack("{s:s}", "hint", "look around");
		return 0;
	}
	if (strcmp(policy, "kernel") == 0) {
		answer->code = CONTROL_KERNEL;
		answer->message = strdup("this kernel cannot");
		return 0;
	}
	answer->result = json_pack("{s:s+, s:s*}", "agent", "a-1-", policy, "filter",
				   strcmp(policy, "calls") == 0 ? filter : NULL);
	return 0;
}

static int do_join(void *context, struct call *call, struct control_answer *answer)
{
	const char *agent = json_string_value(json_object_get(call->request->params, "agent"));
	bool calls = strcmp(agent, "a-1-calls") == 0;

	(void)context;
	if (strcmp(agent, "a-1-refused") == 0 || call->fds[0] < 0 ||
	    pidfd_send_signal(call->fds[0], 0, NULL, 0) || calls != (call->fds[1] >= 0)) {
		answer->code = CONTROL_DENIED;
		answer->message = strdup("not yours");
		return 0;
	}
	notify(call->client, "a denial\n");
	answer->result = json_object();
	return 0;
}

static int do_stop(void *context, struct call *call, struct control_answer *answer)
{
	const char *agent = json_string_value(json_object_get(call->request->params, "agent"));

	(void)context;
	notify(call->client, "the last denial\n");
	answer->result = json_pack("{s:{s:i, s:i, s:i}, s:s}", "counts", "denied", 2, "granted",
				   strcmp(agent, "a-1-away") == 0 ? 4 : 0, "decision-lost",
				   strcmp(agent, "a-1-away") == 0 ? 1 : 0, "summary",
				   "the summary\n");
	return 0;
}

static int do_subscribe(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	notify(call->client, "seen again\n");
	answer->result = json_object();
	return 0;
}

static int do_names(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	answer->result = json_pack("{s:s, s:[{s:s}]}", "text", "the names\n", "names", "schema",
				   "picket.name/1");
	return 0;
}

static int do_list(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	answer->result = json_pack("{s:[{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i}]}", "agents",
				   "agent", "a-1-test", "name", "odd\033name", "policy", "work",
				   "mode", "enforce", "tasks", 3, "denied", 12345, "asked", 0,
				   "lost", 0, "since", 1700000000);
	return 0;
}

static int do_reload(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	answer->result = json_pack("{s:[{s:s, s:s, s:s, s:s}], s:[{s:s, s:s}]}", "reloaded",
				   "agent", "a-1-good", "old", "0123", "new", "4567", "diff",
				   "  + a rule\n", "failed", "agent", "a-2-bad", "findings",
				   "bad.yaml:3:1: error\n");
	return 0;
}

static int do_echo(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	answer->result =
		json_pack("{s:s, s:O}", "agent", "a-3-new", "counts", call->request->params);
	return 0;
}

static const struct method methods[] = {
	{ "agent.start", PEER_NOBODY, do_start },
	{ "agent.join", PEER_NOBODY, do_join },
	{ "agent.stop", PEER_NOBODY, do_stop },
	{ "agent.names", PEER_NOBODY, do_names },
	{ "agent.list", PEER_NOBODY, do_list },
	{ "events.subscribe", PEER_NOBODY, do_subscribe },
	{ "policy.reload", PEER_NOBODY, do_reload },
	{ "agent.attach", PEER_NOBODY, do_echo },
	{ "agent.detach", PEER_NOBODY, do_echo },
	{ "status", PEER_NOBODY, do_list },
};

static void start_server(void)
{
	server_pid = serving_begin(SOCKET, methods, sizeof(methods) / sizeof(*methods));
}

static void end_server(void)
{
	serving_end(server_pid);
}

static int count_words(const char *const *args)
{
	int count = 0;

	while (args[count])
		count++;
	return count;
}

/* What cmd_run() does for a run through picketd. */
static int run_words(int argc, char **argv)
{
	CLEAN(run_options_reset) struct run_options options = { 0 };
	int code = CLI_OK;

	if (run_options_parse(&options, argc, argv, &code))
		return code;
	if (!run_daemon(&options, options.by == RUN_BY_DAEMON, &code))
		return 77;
	return code;
}

static const struct cli_command commands[] = {
	{ "run", "", run_words },     { "ps", "", cmd_ps },	    { "status", "", cmd_status },
	{ "reload", "", cmd_reload }, { "attach", "", cmd_attach }, { "detach", "", cmd_detach },
	{ "names", "", cmd_names },   { "tail", "", cmd_tail },
};

static pid_t start(const char *const *args)
{
	char *argv[ARGS_MAX + 2] = { (char *)"picket" };
	int count = count_words(args);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	memcpy(argv + 1, args, (size_t)count * sizeof(*args));
	if (!freopen("stdout.txt", "w", stdout) || !freopen("stderr.txt", "w", stderr))
		_exit(99);
	/* As it is in a program that was started. */
	(void)setvbuf(stderr, NULL, _IONBF, 0);
	exit(cli_dispatch(commands, sizeof(commands) / sizeof(commands[0]), count + 1, argv));
}

static struct outcome finish(pid_t pid)
{
	struct outcome outcome = { 0 };
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
	outcome.out = read_file("stdout.txt");
	outcome.err = read_file("stderr.txt");
	return outcome;
}

/* One call and what it must give; NULL: whatever. */
struct expected {
	const char *args[ARGS_MAX];
	int code;
	const char *out;
	const char *err;
};

#define EVENT "{\"schema\":\"picket.event/1\",\"kind\":\"decision\",\"op\":\"connect\"}\n"

static const struct expected calls[] = {
	{ { "run", "-p", "work", "--", "true" }, 0, "", "a denial\nthe last denial\nthe summary\n" },
	{ { "run", "-p", "calls", "--", "echo", "word" }, 0, "word\n", NULL },
	{ { "run", "-p", "work", "--quiet", "--", "sh", "-c", "exit 7" }, 7, "", "" },
	{ { "run", "-p", "work", "--quiet", "--names", "--", "sh", "-c", "kill -9 $$" },
	  137,
	  "",
	  "" },
	{ { "run", "-p", "work", "--names", "--", "true" },
	  0,
	  "",
	  "a denial\nthe names\nthe last denial\nthe summary\n" },
	{ { "run", "-p", "work", "--quiet", "--", "./none" },
	  127,
	  "",
	  "error: command './none' not found\nhint: check the name and PATH, or an interpreter that it names\n" },
	{ { "run", "-p", "none", "--", "true" },
	  1,
	  "",
	  "picket run: there is no policy 'none'\nHint: look around\n" },
	{ { "run", "-p", "kernel", "--", "true" }, 3, "", "picket run: this kernel cannot\n" },
	{ { "run", "-p", "refused", "--quiet", "--", "touch", "ran" },
	  1,
	  "",
	  "error: picketd did not confine the command: not yours\n" },
	{ { "run", "-p", "work", "--user", "x", "--", "true" },
	  2,
	  "",
	  "picket run: picketd confines a run as the user who calls: call it as that user ('sudo -u x "
	  "picket run ...'), or give --embedded with --user\n"
	  "Hint: `picket help run` shows how it is used\n" },
	{ { "run", "-p", "work", "--tier", "lsm", "--", "true" },
	  2,
	  "",
	  "picket run: the tier of picketd is the one that it was started with ('picket daemon "
	  "--tier'): leave --tier away, or give --embedded with it\n"
	  "Hint: `picket help run` shows how it is used\n" },
	{ { "run", "-p", "work", "--quiet", "--events", "-", "--", "true" },
	  0,
	  EVENT EVENT
	  "{\"schema\":\"picket.tally/1\",\"agent\":\"a-1-work\",\"decided\":2,\"told\":2,"
	  "\"lost\":0,\"untold\":0}\n",
	  "" },
	{ { "run", "-p", "away", "--events", "-", "--", "true" },
	  0,
	  EVENT EVENT
	  "{\"schema\":\"picket.tally/1\",\"agent\":\"a-1-away\",\"decided\":6,\"told\":2,"
	  "\"lost\":1,\"untold\":3}\n",
	  "a denial\nthe last denial\nthe summary\n"
	  "picket: 3 decisions took effect but were not told: picketd was away, or nobody read them "
	  "in time\n" },
	{ { "ps" },
	  0,
	  "AGENT     NAME         POLICY  MODE     TASKS  DENIED  ASKED  LOST  SINCE       IN\na-1-test  odd\\x1bname  work    enforce      3   12345      0     0  2023-11-14  -\n",
	  "" },
	{ { "reload" },
	  1,
	  "a-1-good  0123 -> 4567\n  + a rule\n",
	  "bad.yaml:3:1: error\npicket reload: agent 'a-2-bad' keeps its old policy: the new one has errors\n" },
	{ { "detach", "a-3-x" }, 0, "agent                        a-3-x\n", "" },
	{ { "detach" }, 2, "", NULL },
	{ { "names", "a-3-x" }, 0, "the names\n", "" },
	{ { "names", "a", "b" }, 2, "", NULL },
	{ { "attach", "--pid", "12", "-p", "work" }, 0, "a-3-new\n", "" },
	{ { "attach", "--pid", "12x", "-p", "work" }, 2, "", NULL },
	{ { "attach", "--pid", "12", "--unit", "x", "-p", "work" }, 2, "", NULL },
	{ { "attach", "--pid", "12" }, 2, "", NULL },
	{ { "attach", "-p", "work" }, 2, "", NULL },
};

static void expect(const struct expected *wanted, const struct outcome *got)
{
	const char *word = wanted->args[1] && wanted->args[2] ? wanted->args[2] : "";

	if (got->code != wanted->code || (wanted->out && strcmp(got->out, wanted->out) != 0) ||
	    (wanted->err && strcmp(got->err, wanted->err) != 0))
		fail_msg("picket %s ... %s: exit %d, wanted %d\nout: %s\nerr: %s", wanted->args[0],
			 word, got->code, wanted->code, got->out, got->err);
}

static void commands_say_and_exit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		CLEAN(outcome_reset) struct outcome outcome = finish(start(calls[i].args));

		expect(&calls[i], &outcome);
	}
	assert_int_equal(access("ran", F_OK), -1);
}

static void without_picketd(void **state)
{
	static const struct expected without[] = {
		{ { "run", "-p", "work", "--", "true" }, 77, "", "" },
		{ { "run", "--daemon", "-p", "work", "--", "true" },
		  1,
		  "",
		  "picket run: picketd is not running: systemctl start picket, or picket run "
		  "--embedded\n" },
		{ { "ps" }, 1, "", "picket ps: picketd is not running: systemctl start picket\n" },
		{ { "tail" },
		  1,
		  "",
		  "picket tail: picketd is not running: systemctl start picket\n" },
	};

	(void)state;
	end_server();
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		CLEAN(outcome_reset) struct outcome outcome = finish(start(without[i].args));

		expect(&without[i], &outcome);
	}
	start_server();
}

static void wait_for_file(const char *path)
{
	for (int i = 0; i < 2000 && access(path, F_OK) < 0; i++)
		(void)usleep(10000);
	assert_int_equal(access(path, F_OK), 0);
}

/* @early: picketd is back before the command ends; else the run waits for it at the end. */
static void survive(bool early)
{
	static const struct expected wanted = {
		{ "run", "-p", "work", "--", "sh", "-c",
		  "touch begun; while ! test -e go; do sleep 0.02; done; exit 5" },
		5,
		"",
		"a denial\n"
		"picket run: the connection to picketd broke: the command goes on, confined as "
		"before, and what is denied is not shown until picketd is back\n"
		"seen again\nthe last denial\nthe summary\n",
	};
	pid_t pid = start(wanted.args);
	CLEAN(outcome_reset) struct outcome outcome = { 0 };

	wait_for_file("begun");
	end_server();
	(void)usleep(600000);
	if (!early)
		write_file("go", "");
	(void)usleep(300000);
	start_server();
	(void)usleep(600000);
	write_file("go", "");
	outcome = finish(pid);
	(void)unlink("begun");
	(void)unlink("go");
	expect(&wanted, &outcome);
}

static void a_command_survives_picketd(void **state)
{
	(void)state;
	survive(true);
	survive(false);
}

static void signals_reach_the_command(void **state)
{
	static const char *const args[ARGS_MAX] = {
		"run", "-p", "work", "--quiet",
		"--",  "sh", "-c",   "trap 'exit 9' TERM; touch begun; while :; do sleep 0.02; done"
	};
	pid_t pid = start(args);
	CLEAN(outcome_reset) struct outcome outcome = { 0 };

	(void)state;
	wait_for_file("begun");
	assert_int_equal(kill(pid, SIGTERM), 0);
	outcome = finish(pid);
	(void)unlink("begun");
	assert_int_equal(outcome.code, 9);
}

static void a_tally_adds_up(void **state)
{
	struct run_tally tally = { 0 };
	json_t *decision = json_pack("{s:s, s:s}", "kind", "decision", "op", "open");
	json_t *activity = json_pack("{s:s, s:s}", "kind", "activity", "op", "open");
	json_t *call = json_pack("{s:s, s:s}", "kind", "decision", "op", "syscall");
	json_t *counts = json_pack("{s:i, s:i, s:i, s:i, s:i}", "denied", 3, "asked", 2, "granted",
				   1, "decision-lost", 2, "activity-lost", 9);

	(void)state;
	assert_non_null(decision && activity && call && counts);
	run_tally_add(&tally, NULL);
	run_tally_add(&tally, activity);
	run_tally_add(&tally, call);
	assert_int_equal(tally.told, 0);
	for (int told = 1; told <= 5; told++) {
		CLEAN_FREE char *text = NULL;

		run_tally_add(&tally, decision);
		run_tally_close(&tally, counts);
		assert_int_equal(tally.decided, 6);
		assert_int_equal(tally.lost, 2);
		assert_int_equal(tally.untold, told < 4 ? 4 - told : 0);
		text = run_tally_text(&tally);
		assert_true((text != NULL) == (told < 4));
	}
	json_decref(decision);
	json_decref(activity);
	json_decref(call);
	json_decref(counts);
}

static void filters_are_decoded(void **state)
{
	static const char *const bad[] = { "A", "AAAA", "BgAAAAAA/3==", "!!!!!!!!!!!!",
					   "BgAAAAAA" };
	struct seccomp_filter got;

	(void)state;
	assert_int_equal(run_filter_decode("", &got), 0);
	assert_int_equal(got.count, 0);
	assert_int_equal(run_filter_decode(filter, &got), 0);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.code->code, 6);
	assert_int_equal(got.code->k, 0x7fff0000);
	seccomp_filter_reset(&got);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(run_filter_decode(bad[i], &got), -EPROTO);
}

static char folder[] = "/tmp/picket-run-XXXXXX";

static int enter(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) || setenv("PICKET_SOCKET", SOCKET, 1) ||
	    setenv("TZ", "UTC", 1))
		return -1;
	start_server();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	end_server();
	(void)unlink("stdout.txt");
	(void)unlink("stderr.txt");
	(void)unlink(SOCKET);
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tally_adds_up),
		cmocka_unit_test(filters_are_decoded),
		cmocka_unit_test(commands_say_and_exit),
		cmocka_unit_test(without_picketd),
		cmocka_unit_test(a_command_survives_picketd),
		cmocka_unit_test(signals_reach_the_command),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
