/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which acts wait for their answer, and which are refused until they have one: unix sockets, switches of the
 * process section, io_uring. Each is done by somebody who is asked about it, approved, and done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "ask_kinds.h"
#include "ask_world.h"
#include "engine/hub_asks.h"
#include "hub_world.h"

/* A call may ask more than one question, and the kernel may ask one of them more than once. */
#define QUESTIONS_MAX 3

/* The act alone, done by nobody's process. */
static int without_picket(const struct ask_kind *kind)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(kind->run());
	return ask_await(pid, false);
}

/* The last event says that somebody is asked, and whether the act waits for him. */
static void assert_asked(const struct ask_kind *kind, __u32 reason)
{
	ask_read_events();
	assert_int_equal(ask_world.last.verdict, PK_VERDICT_ASK);
	assert_int_equal(ask_world.last.reason, reason);
	assert_int_equal(ask_world.last.error, kind->held ? 0 : kind->refused);
	assert_true(ask_world.last.ask[0] && ask_world.last.ask[1]);
	assert_int_equal(ask_holds(), kind->held ? 1 : 0);
}

static void answer(__u32 verdict)
{
	struct pk_grant grant = ask_grant(verdict, PK_GRANT_UNLIMITED);

	ask_put(&grant);
}

static void waits(const struct ask_kind *kind)
{
	const __u32 verdicts[] = { PK_VERDICT_ALLOW, PK_VERDICT_DENY };

	for (int i = 0; i < 2; i++) {
		pid_t pid;

		ask_make_files();
		if (kind->mounts)
			ask_kinds_mount();
		pid = ask_start(kind->run);
		assert_int_equal(ask_await(pid, true), ASK_STOPPED);
		assert_asked(kind, PK_REASON_HELD);
		/* In vain. */
		assert_int_equal(kill(pid, SIGCONT), 0);
		assert_int_equal(ask_await(pid, true), ASK_STOPPED);
		answer(verdicts[i]);
		ask_go_on();
		assert_int_equal(ask_await(pid, true), i == 0 ? kind->done : kind->refused);
		ask_read_events();
		assert_int_equal(ask_world.last.reason,
				 i == 0 ? PK_REASON_GRANTED : PK_REASON_REFUSED);
		ask_forget();
	}
}

/* Never held: an event tells that it could not be, and nothing happened; approved it succeeds. */
static void is_refused(const struct ask_kind *kind)
{
	const __u32 reason = ask_has_hooks() ? PK_REASON_UNHELD : PK_REASON_PENDING;
	int result = kind->refused;

	ask_make_files();
	for (int i = 0; i < QUESTIONS_MAX && result == kind->refused; i++) {
		result = ask_await(ask_start(kind->run), true);
		if (i == 0 || result == kind->refused) {
			assert_int_equal(result, kind->refused);
			assert_asked(kind, reason);
			answer(PK_VERDICT_ALLOW);
		}
	}
	assert_int_equal(result, kind->done);
	ask_forget();
	assert_int_equal(ask_await(ask_start(kind->run), true), kind->refused);
	ask_read_events();
}

static void use(const char *text)
{
	struct policy_image image = { 0 };

	hub_world_compile(text, &image);
	hub_world_expect(
		hub_agent_replace(&ask_world.hub, &ask_world.agent, &image, &hub_world.diags), 0);
	image_reset(&ask_world.image);
	ask_world.image = image;
}

static void every_kind(bool held, bool mounts)
{
	for (size_t i = 0; i < ask_kind_count; i++) {
		const struct ask_kind *kind = &ask_kinds[i];

		if (kind->held != held || kind->mounts != mounts ||
		    (!kind->network && !ask_has_hooks()))
			continue;
		print_message("# %s\n", kind->name);
		if (!mounts) {
			ask_make_files();
			assert_int_equal(without_picket(kind), kind->done);
		}
		if (held)
			waits(kind);
		else
			is_refused(kind);
	}
}

static void acts_that_can_wait_do(void **state)
{
	(void)state;
	every_kind(true, false);
}

static void acts_that_cannot_are_refused(void **state)
{
	(void)state;
	every_kind(false, false);
}

static void mounts_wait(void **state)
{
	(void)state;
	if (!ask_has_hooks())
		return;
	use(ask_kinds_mounts);
	every_kind(true, true);
	every_kind(false, true);
	use(ask_kinds_policy);
}

static int start(void **state)
{
	int r = ask_world_start(state, ask_kinds_policy, ASK_EGRESS_POLICY);

	if (r == 0)
		ask_kinds_make();
	return r;
}

static int finish(void **state)
{
	ask_kinds_clear();
	return ask_world_end(state);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acts_that_can_wait_do),
		cmocka_unit_test(acts_that_cannot_are_refused),
		cmocka_unit_test(mounts_wait),
	};

	return cmocka_run_group_tests(tests, start, finish);
}

int main(void)
{
	return hub_world_run(run);
}
