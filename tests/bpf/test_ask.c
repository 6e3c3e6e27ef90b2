/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts that rules ask about: held, continued by others in vain, granted once, refused, expired, granted for
 * something else. Real calls of real processes. Where there are no hooks only destinations are asked about,
 * and refused until granted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ask_world.h"
#include "engine/hub_asks.h"
#include "hub_world.h"

#define TIMES 20
#define TIMES_EMULATED 5

static void granted_once(const struct ask_act *act)
{
	struct pk_grant grant;
	pid_t pid = ask_until_held(act);

	grant = ask_grant(PK_VERDICT_ALLOW, 1);
	ask_put(&grant);
	assert_int_equal(ask_answered(act, pid, true), 0);
	ask_read_events();
	assert_int_equal(ask_world.last.reason, PK_REASON_GRANTED);
	assert_int_equal(ask_world.last.verdict, PK_VERDICT_ALLOW);
	assert_int_equal(ask_world.last.grant, 7);
	assert_int_equal(ask_uses_left(), 0);
	assert_int_equal(ask_holds(), 0);
	/* It is used up. */
	ask_kill(ask_until_held(act));
	ask_forget();
}

static void refused(const struct ask_act *act)
{
	struct pk_grant grant;
	pid_t pid = ask_until_held(act);

	grant = ask_grant(PK_VERDICT_DENY, PK_GRANT_UNLIMITED);
	ask_put(&grant);
	assert_int_equal(ask_answered(act, pid, true), act->refused);
	ask_read_events();
	assert_int_equal(ask_world.last.reason, PK_REASON_REFUSED);
	assert_int_equal(ask_world.last.verdict, PK_VERDICT_DENY);
	assert_int_equal(ask_holds(), 0);
	ask_forget();
}

/* Answers that are none: it waits on, or is refused again. */
static void worthless(const struct ask_act *act)
{
	const int answers = hub_world_times(4, act->run == ask_acts[0].run ? 4 : 1);

	for (int i = 0; i < answers; i++) {
		pid_t pid = ask_until_held(act);
		struct pk_grant grant = ask_grant(PK_VERDICT_ALLOW, 1);

		if (i == 0)
			grant.expires_ns = 1;
		else if (i == 1)
			grant.rule ^= 1;
		else if (i == 2)
			grant.image ^= 1;
		else
			grant.uses = 0;
		ask_put(&grant);
		assert_int_equal(ask_answered(act, pid, true),
				 ask_has_hooks() ? ASK_STOPPED : act->refused);
		ask_kill(pid);
		ask_forget();
	}
}

/* Whoever else continues it finds it stopped again, without a word. */
static void continued_in_vain(const struct ask_act *act)
{
	unsigned long before;
	pid_t pid;

	if (!ask_has_hooks())
		return;
	pid = ask_until_held(act);
	before = ask_world.count;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kill(pid, SIGCONT), 0);
		assert_int_equal(ask_await(pid, true), ASK_STOPPED);
	}
	ask_read_events();
	assert_int_equal(ask_world.count, before);
	assert_int_equal(ask_holds(), 1);
	ask_kill(pid);
}

static void every_act(void (*test)(const struct ask_act *))
{
	for (size_t i = 0; i < ask_act_count; i++) {
		if (!ask_acts[i].network && !ask_has_hooks())
			continue;
		print_message("# %s\n", ask_acts[i].name);
		test(&ask_acts[i]);
	}
}

static void grant_lets_one_act_pass(void **state)
{
	(void)state;
	every_act(granted_once);
}

static void refusal_is_the_errno(void **state)
{
	(void)state;
	every_act(refused);
}

static void other_answers_are_none(void **state)
{
	(void)state;
	every_act(worthless);
}

static void nobody_else_continues_it(void **state)
{
	(void)state;
	every_act(continued_in_vain);
}

/* The child waits; its parent is in vfork() meanwhile. */
static void vfork_child_waits(void **state)
{
	struct pk_grant grant;
	unsigned long before;
	pid_t pid;

	(void)state;
	if (!ask_has_hooks())
		return;
	ask_make_files();
	ask_read_events();
	before = ask_world.count;
	pid = ask_start(ask_act_vfork);
	/* The event is written after the hold is there. */
	for (int i = 0; i < 20000 && ask_world.count == before; i++) {
		hub_world_sleep(1);
		ask_read_events();
	}
	assert_int_equal(ask_holds(), 1);
	assert_int_equal(ask_world.last.reason, PK_REASON_HELD);
	grant = ask_grant(PK_VERDICT_ALLOW, 1);
	ask_put(&grant);
	ask_go_on();
	assert_int_equal(ask_await(pid, false), 0);
	ask_forget();
}

/* A rule that denies stands above every answer. */
static void denial_beats_grant(void **state)
{
	const struct ask_act *act = &ask_acts[0];
	struct pk_grant grant;
	pid_t pid;

	(void)state;
	pid = ask_until_held(act);
	grant = ask_grant(PK_VERDICT_ALLOW, PK_GRANT_UNLIMITED);
	ask_put(&grant);
	hub_world_expect(hub_agent_replace(&ask_world.hub, &ask_world.agent, &hub_world.deny,
					   &hub_world.diags),
			 0);
	assert_int_equal(ask_answered(act, pid, true), EPERM);
	hub_world_expect(hub_agent_replace(&ask_world.hub, &ask_world.agent, &ask_world.image,
					   &hub_world.diags),
			 0);
	ask_forget();
}

static __u64 now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const __u64 x = *(const __u64 *)a;
	const __u64 y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

/* From the answer to the end of the process that waited for it: said, not judged. */
static void time_is_told(void **state)
{
	const int count = hub_world_times(TIMES, TIMES_EMULATED);
	__u64 times[TIMES] = { 0 };

	(void)state;
	for (int i = 0; i < count; i++) {
		pid_t pid = ask_until_held(&ask_acts[0]);
		struct pk_grant grant = ask_grant(PK_VERDICT_ALLOW, 1);
		__u64 start = now_ns();

		ask_put(&grant);
		assert_int_equal(ask_answered(&ask_acts[0], pid, false), 0);
		times[i] = now_ns() - start;
		ask_forget();
	}
	qsort(times, (size_t)count, sizeof(times[0]), by_size);
	print_message("# answer to end of the call: p50 %llu us, p99 %llu us\n",
		      (unsigned long long)times[count / 2] / ASK_STOPPED,
		      (unsigned long long)times[count - 1] / ASK_STOPPED);
}

static int start(void **state)
{
	return ask_world_start(state,
			       "picket: 1\n"
			       "name: ask\n"
			       "process: {profile: 'off', namespaces: ask}\n"
			       "egress: {default: ask}\n"
			       "files:\n"
			       "  default: allow\n"
			       "  rules: [{ask: '" ASK_FOLDER "/**', access: write}]\n"
			       "exec:\n"
			       "  default: allow\n"
			       "  rules: [{ask: '" ASK_FOLDER "/program'},\n"
			       "          {ask: '" ASK_FOLDER "/command 0'}]\n",
			       ASK_EGRESS_POLICY);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grant_lets_one_act_pass),
		cmocka_unit_test(refusal_is_the_errno),
		cmocka_unit_test(other_answers_are_none),
		cmocka_unit_test(nobody_else_continues_it),
		cmocka_unit_test(vfork_child_waits),
		cmocka_unit_test(denial_beats_grant),
		cmocka_unit_test(time_is_told),
	};

	return cmocka_run_group_tests(tests, start, ask_world_end);
}

int main(void)
{
	return hub_world_run(run);
}
