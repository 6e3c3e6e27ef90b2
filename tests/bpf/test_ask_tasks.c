/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who else has a hand in a process that waits: a tracer, a shell that ends, its own children, another agent.
 * None of them lets it pass. Needs hooks; without them nothing waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask_world.h"
#include "base/mem.h"
#include "engine/hub_asks.h"
#include "hub_world.h"

#define TIMES 20
#define WAIT_MS 20000

/* What acts tell the test: they cannot return it. */
struct shared {
	volatile pid_t pid; /* who waits, where that is no child of the test */
	volatile int group_ended; /* a signal: SIGHUP came and was caught */
	volatile int stops; /* that the tracer saw */
};

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): shared memory */
static struct shared *shared;

static int act_create(void)
{
	return ask_acts[4].run();
}

static bool is_made(void)
{
	return access(ASK_FOLDER "/new", F_OK) == 0;
}

/* The letter of the process's state, 0: it is gone. */
static char state_of(pid_t pid)
{
	char path[64];
	char text[512] = "";
	const char *end;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	(void)!fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 0;
}

static void wait_for_state(pid_t pid, char state)
{
	for (int i = 0; i < WAIT_MS && state_of(pid) != state; i++)
		hub_world_sleep(1);
	assert_int_equal(state_of(pid), state);
}

/* A process of the agent that asks, and no event of another one. */
static pid_t begin(int (*run)(void))
{
	ask_make_files();
	ask_read_events();
	ask_world.last = (struct pk_event){ 0 };
	return ask_start(run);
}

/* Until one waits and has said so. */
static void wait_for_hold(void)
{
	for (int i = 0; i < WAIT_MS && ask_world.last.reason != PK_REASON_HELD; i++) {
		hub_world_sleep(1);
		ask_read_events();
	}
	assert_int_equal(ask_world.last.reason, PK_REASON_HELD);
	assert_int_equal(ask_holds(), 1);
}

static void approve(void)
{
	struct pk_grant grant = ask_grant(PK_VERDICT_ALLOW, 1);

	ask_put(&grant);
	ask_go_on();
}

/* --- a tracer ---------------------------------------------------------------------------------- */

/* The next stop of the traced child; minus its result when it ended. */
static int traced_stop(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		return -EIO;
	return WIFSTOPPED(status) ? WSTOPSIG(status) : -WEXITSTATUS(status);
}

/*
 * Traces a child that asks. The signal is swallowed, every other time passed on, and the stop of the group that
 * follows is left, too.
 */
static int act_tracer(void)
{
	pid_t pid = fork();
	int stop;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(EIO);
		_exit(act_create());
	}
	while ((stop = traced_stop(pid)) > 0) {
		if (stop != SIGSTOP && stop != SIGCONT)
			return EIO;
		shared->stops++;
		hub_world_sleep(1);
		if (ptrace(PTRACE_CONT, pid, NULL, shared->stops % 2 ? SIGSTOP : 0))
			return EIO;
	}
	return -stop;
}

/*
 * The tracer sees the stop and may leave it: the call is made again and asks again. It is undecided until it is
 * answered.
 */
static void tracer_cannot_let_it_pass(void **state)
{
	unsigned long before;
	pid_t pid;

	(void)state;
	if (!ask_has_hooks())
		return;
	ask_read_events();
	before = ask_world.count;
	shared->stops = 0;
	pid = begin(act_tracer);
	wait_for_hold();
	for (int i = 0; i < WAIT_MS && shared->stops < TIMES; i++)
		hub_world_sleep(1);
	assert_true(shared->stops >= TIMES);
	assert_false(is_made());
	assert_int_equal(ask_holds(), 1);
	ask_read_events();
	assert_int_equal(ask_world.count, before + 1);
	approve();
	assert_int_equal(ask_await(pid, false), 0);
	assert_true(is_made());
	assert_int_equal(ask_holds(), 0);
	ask_forget();
}

/* --- a shell that ends ------------------------------------------------------------------------- */

static void note_hangup(int number)
{
	shared->group_ended = number;
}

/*
 * A shell with jobs: its job has a group of its own and waits when the shell ends. The group is an orphan then,
 * and the kernel sends it SIGHUP and SIGCONT.
 */
static int shell(void (*hangup)(int))
{
	pid_t pid;

	if (setsid() < 0)
		return EIO;
	pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)signal(SIGHUP, hangup);
		shared->pid = getpid();
		_exit(act_create());
	}
	for (int i = 0; i < WAIT_MS && state_of(pid) != 'T'; i++)
		hub_world_sleep(1);
	return state_of(pid) == 'T' ? 0 : EIO;
}

static int act_shell(void)
{
	return shell(SIG_DFL);
}

static int act_shell_ignored(void)
{
	return shell(SIG_IGN);
}

static int act_shell_caught(void)
{
	return shell(note_hangup);
}

/* The job of a shell that ended; it is ours then. */
static pid_t orphan(int (*run)(void))
{
	shared->pid = 0;
	shared->group_ended = 0;
	assert_int_equal(ask_await(begin(run), false), 0);
	assert_true(shared->pid > 0);
	return shared->pid;
}

static void orphans_wait_on(void **state)
{
	int (*const runs[])(void) = { act_shell_ignored, act_shell_caught };
	unsigned long before;
	pid_t pid;

	(void)state;
	if (!ask_has_hooks())
		return;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	/* The control: the kernel does send it, and it kills who does not mind it. */
	pid = orphan(act_shell);
	assert_int_equal(ask_await(pid, false), -SIGHUP);
	assert_int_equal(ask_holds(), 0);
	for (int i = 0; i < 2; i++) {
		ask_read_events();
		before = ask_world.count;
		pid = orphan(runs[i]);
		/* Long enough for the kernel's SIGCONT to have come. */
		hub_world_sleep(200);
		wait_for_state(pid, 'T');
		wait_for_hold();
		assert_false(is_made());
		assert_int_equal(ask_world.count, before + 1);
		approve();
		assert_int_equal(ask_await(pid, false), 0);
		assert_true(is_made());
		assert_int_equal(shared->group_ended, i == 0 ? 0 : SIGHUP);
		ask_forget();
	}
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

/* --- the first process of a pid namespace ------------------------------------------------------ */

/* Signals of its own kind do not reach it; this one does. */
static int act_init(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	int status = 0;

	if (pid == 0)
		_exit(getpid() == 1 ? act_create() : EIO);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static void first_process_waits(void **state)
{
	pid_t pid;

	(void)state;
	if (!ask_has_hooks())
		return;
	pid = begin(act_init);
	wait_for_hold();
	hub_world_sleep(50);
	assert_false(is_made());
	assert_int_equal(ask_holds(), 1);
	approve();
	assert_int_equal(ask_await(pid, false), 0);
	assert_true(is_made());
	ask_forget();
}

/* --- its own agent ----------------------------------------------------------------------------- */

/* Continue the parent over and over. */
static void storm(void)
{
	pid_t parent = getppid();

	while (getppid() == parent)
		(void)kill(parent, SIGCONT);
	_exit(0);
}

static int act_under_storm(void)
{
	pid_t pid = fork();
	int result;

	if (pid == 0)
		storm();
	result = act_create();
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return result;
}

/* Continued over and over by its own child it waits; the child's SIGCONT lets it see the answer. */
static void own_children_continue_it_in_vain(void **state)
{
	const __u32 verdicts[] = { PK_VERDICT_ALLOW, PK_VERDICT_DENY };

	(void)state;
	if (!ask_has_hooks())
		return;
	for (int i = 0; i < 2; i++) {
		struct pk_grant grant;
		unsigned long before;
		pid_t pid;

		ask_read_events();
		before = ask_world.count;
		pid = begin(act_under_storm);
		wait_for_hold();
		hub_world_sleep(500);
		assert_false(is_made());
		assert_int_equal(ask_holds(), 1);
		ask_read_events();
		assert_int_equal(ask_world.count, before + 1);
		grant = ask_grant(verdicts[i], 1);
		ask_put(&grant);
		assert_int_equal(ask_await(pid, false), i == 0 ? 0 : EACCES);
		assert_int_equal(is_made(), i == 0);
		assert_int_equal(ask_holds(), 0);
		ask_forget();
	}
}

/* --- an agent of its agent --------------------------------------------------------------------- */

static int act_command(void)
{
	return ask_acts[10].run();
}

/* A program whose command line waits is put into an agent inside of its own: it is no answer. */
static void other_agents_do_not_free_it(void **state)
{
	struct hub_agent inner = { 0 };
	pid_t pid;

	(void)state;
	if (!ask_has_hooks())
		return;
	pid = begin(act_command);
	assert_int_equal(ask_await(pid, true), ASK_STOPPED);
	wait_for_hold();
	hub_world_make(&ask_world.hub, &hub_world.allow, &inner);
	assert_int_equal(hub_agent_join(&ask_world.hub, &inner, pid), 0);
	hub_world_expect(
		hub_agent_take(&ask_world.hub, &inner, ask_world.agent.slot, &hub_world.diags), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kill(pid, SIGCONT), 0);
		assert_int_equal(ask_await(pid, true), ASK_STOPPED);
	}
	assert_int_equal(ask_holds(), 1);
	approve();
	assert_int_equal(ask_await(pid, false), 0);
	hub_world_drop(&ask_world.hub, &inner);
	ask_forget();
}

static int start(void **state)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	return ask_world_start(state,
			       "picket: 1\n"
			       "name: tasks\n"
			       "process: {profile: 'off'}\n"
			       "files:\n"
			       "  default: allow\n"
			       "  rules: [{ask: '" ASK_FOLDER "/**', access: write}]\n"
			       "exec:\n"
			       "  default: allow\n"
			       "  rules: [{ask: '" ASK_FOLDER "/command 0'}]\n",
			       ASK_EGRESS_POLICY);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tracer_cannot_let_it_pass),
		cmocka_unit_test(orphans_wait_on),
		cmocka_unit_test(first_process_waits),
		cmocka_unit_test(own_children_continue_it_in_vain),
		cmocka_unit_test(other_agents_do_not_free_it),
	};

	return cmocka_run_group_tests(tests, start, ask_world_end);
}

int main(void)
{
	return hub_world_run(run);
}
