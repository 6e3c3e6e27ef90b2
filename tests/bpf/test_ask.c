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

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <picket.skel.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "ask_acts.h"
#include "base/mem.h"
#include "engine/agent.h"
#include "engine/hub_asks.h"
#include "hub_world.h"

#define TIMES 20
#define TIMES_EMULATED 5

/** What the tests have. */
static struct {
	struct hub hub;
	struct hub_agent agent;
	struct policy_image image;
	struct ring_buffer *ring;
	struct pk_event last; /* the last event of the agent, or size 0 */
	unsigned long count; /* events of the agent */
} scene;

static int take_event(void *context, void *bytes, size_t size)
{
	const struct pk_event *event = bytes;

	(void)context;
	if (size < sizeof(*event) || event->agent != scene.agent.slot)
		return 0;
	scene.last = *event;
	scene.count++;
	return 0;
}

static void read_events(void)
{
	assert_true(ring_buffer__consume(scene.ring) >= 0);
}

static bool has_hooks(void)
{
	return scene.hub.tier != PK_TIER_NETWORK;
}

/* --- processes --------------------------------------------------------------------------------- */

static void copy_program(const char *path)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "cp /bin/sleep %s && chmod 755 %s", path, path);
	assert_int_equal(system(command), 0);
}

/* What every act finds: a file, and nothing else but the programs. */
static void make_files(void)
{
	CLEAN_FD int fd = -1;

	(void)unlink(ASK_FOLDER "/new");
	(void)unlink(ASK_FOLDER "/other");
	(void)rmdir(ASK_FOLDER "/folder");
	fd = open(ASK_FOLDER "/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
}

static void make_programs(void)
{
	assert_int_equal(system("rm -rf " ASK_FOLDER " && mkdir -p " ASK_FOLDER), 0);
	copy_program(ASK_FOLDER "/program");
	copy_program(ASK_FOLDER "/command");
}

/* A process of the agent that waits for the pipe, acts and ends with the result. */
static pid_t start_act(int (*run)(void))
{
	int go[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(go[1]);
		go[0] = hub_world_keep(go[0], FD_KEPT);
		hub_world_leave();
		(void)!read(go[0], &byte, 1);
		_exit(run());
	}
	(void)close(go[0]);
	assert_int_equal(hub_agent_join(&scene.hub, &scene.agent, pid), 0);
	(void)close(go[1]);
	return pid;
}

/* Wait for the process: its end (errno or minus signal) or, @stops, that it is stopped: 1000. */
static int await(pid_t pid, bool stops)
{
	int status = 0;

	for (int i = 0; i < 20000; i++) {
		pid_t got = waitpid(pid, &status, WNOHANG | (stops ? WUNTRACED : 0));

		assert_true(got >= 0);
		if (got == pid && WIFSTOPPED(status))
			return 1000;
		if (got == pid)
			return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
		hub_world_sleep(1);
	}
	fail_msg("neither stopped nor ended");
	return -1;
}

static struct pk_ask_key key_of_last(void)
{
	struct pk_ask_key key = { .agent = scene.agent.slot };

	memcpy(key.hash, scene.last.ask, sizeof(key.hash));
	return key;
}

static struct pk_grant grant_of_last(__u32 verdict, __s64 uses)
{
	struct pk_grant grant = { .verdict = verdict, .uses = uses, .id = 7 };

	grant.rule = scene.last.rule;
	memcpy(&grant.image, image_head(&scene.image)->digest, sizeof(grant.image));
	return grant;
}

static void put(const struct pk_grant *grant)
{
	const struct pk_ask_key key = key_of_last();

	assert_int_equal(hub_grant_put(&scene.hub, &key, grant), 0);
}

static int drop_any(void *context, const struct pk_ask_key *key, const struct pk_grant *grant)
{
	(void)context;
	(void)grant;
	return hub_grant_delete(&scene.hub, key);
}

static int count_any(void *context, __u32 tid, const struct pk_hold *hold)
{
	(void)tid;
	(void)hold;
	(*(int *)context)++;
	return 0;
}

static int continue_any(void *context, __u32 tid, const struct pk_hold *hold)
{
	(void)context;
	return hub_hold_continue(&scene.hub, tid, hold);
}

static int holds(void)
{
	int count = 0;

	assert_int_equal(hub_holds(&scene.hub, count_any, &count), 0);
	return count;
}

static void go_on(void)
{
	assert_int_equal(hub_holds(&scene.hub, continue_any, NULL), 0);
}

static void forget_grants(void)
{
	assert_int_equal(hub_grants(&scene.hub, drop_any, NULL), 0);
}

static __s64 uses_left(void)
{
	const struct pk_ask_key key = key_of_last();
	struct pk_grant grant = { 0 };

	assert_int_equal(hub_grant_get(&scene.hub, &key, &grant), 0);
	return grant.uses;
}

/* Start the act up to where it waits, or (no hooks) is refused at first. */
static pid_t ask(const struct ask_act *act)
{
	unsigned long before;
	pid_t pid;

	make_files();
	read_events();
	before = scene.count;
	pid = start_act(act->run);
	if (has_hooks()) {
		assert_int_equal(await(pid, true), 1000);
	} else {
		assert_int_equal(await(pid, false), act->refused);
		pid = -1;
	}
	read_events();
	assert_int_equal(scene.count, before + 1);
	assert_int_equal(scene.last.verdict, PK_VERDICT_ASK);
	assert_int_equal(scene.last.reason, has_hooks() ? PK_REASON_HELD : PK_REASON_PENDING);
	assert_int_equal(scene.last.error, has_hooks() ? 0 : act->refused);
	assert_true(scene.last.ask[0] && scene.last.ask[1]);
	assert_int_equal(holds(), has_hooks() ? 1 : 0);
	return pid;
}

/* Let it go on, or do it again; its result. */
static int answered(const struct ask_act *act, pid_t pid, bool stops)
{
	if (pid > 0)
		go_on();
	else
		pid = start_act(act->run);
	return await(pid, stops);
}

/* End what still waits. */
static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(await(pid, false), -SIGKILL);
	assert_int_equal(holds(), 0);
}

/* --- tests ------------------------------------------------------------------------------------- */

static void granted_once(const struct ask_act *act)
{
	struct pk_grant grant;
	pid_t pid = ask(act);

	grant = grant_of_last(PK_VERDICT_ALLOW, 1);
	put(&grant);
	assert_int_equal(answered(act, pid, true), 0);
	read_events();
	assert_int_equal(scene.last.reason, PK_REASON_GRANTED);
	assert_int_equal(scene.last.verdict, PK_VERDICT_ALLOW);
	assert_int_equal(scene.last.grant, 7);
	assert_int_equal(uses_left(), 0);
	assert_int_equal(holds(), 0);
	/* It is used up. */
	end(ask(act));
	forget_grants();
}

static void refused(const struct ask_act *act)
{
	struct pk_grant grant;
	pid_t pid = ask(act);

	grant = grant_of_last(PK_VERDICT_DENY, PK_GRANT_UNLIMITED);
	put(&grant);
	assert_int_equal(answered(act, pid, true), act->refused);
	read_events();
	assert_int_equal(scene.last.reason, PK_REASON_REFUSED);
	assert_int_equal(scene.last.verdict, PK_VERDICT_DENY);
	assert_int_equal(holds(), 0);
	forget_grants();
}

/* Answers that are none: it waits on, or is refused again. */
static void worthless(const struct ask_act *act)
{
	const int answers = hub_world_times(4, act->run == ask_acts[0].run ? 4 : 1);

	for (int i = 0; i < answers; i++) {
		pid_t pid = ask(act);
		struct pk_grant grant = grant_of_last(PK_VERDICT_ALLOW, 1);

		if (i == 0)
			grant.expires_ns = 1;
		else if (i == 1)
			grant.rule ^= 1;
		else if (i == 2)
			grant.image ^= 1;
		else
			grant.uses = 0;
		put(&grant);
		assert_int_equal(answered(act, pid, true), has_hooks() ? 1000 : act->refused);
		end(pid);
		forget_grants();
	}
}

/* Whoever else continues it finds it stopped again, without a word. */
static void continued_in_vain(const struct ask_act *act)
{
	unsigned long before;
	pid_t pid;

	if (!has_hooks())
		return;
	pid = ask(act);
	before = scene.count;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kill(pid, SIGCONT), 0);
		assert_int_equal(await(pid, true), 1000);
	}
	read_events();
	assert_int_equal(scene.count, before);
	assert_int_equal(holds(), 1);
	end(pid);
}

static void every_act(void (*test)(const struct ask_act *))
{
	for (size_t i = 0; i < ask_act_count; i++) {
		if (!ask_acts[i].network && !has_hooks())
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
	pid_t pid;

	(void)state;
	if (!has_hooks())
		return;
	make_files();
	pid = start_act(ask_act_vfork);
	for (int i = 0; i < 20000 && holds() == 0; i++)
		hub_world_sleep(1);
	assert_int_equal(holds(), 1);
	read_events();
	assert_int_equal(scene.last.reason, PK_REASON_HELD);
	grant = grant_of_last(PK_VERDICT_ALLOW, 1);
	put(&grant);
	go_on();
	assert_int_equal(await(pid, false), 0);
	forget_grants();
}

/* A rule that denies stands above every answer. */
static void denial_beats_grant(void **state)
{
	const struct ask_act *act = &ask_acts[0];
	struct pk_grant grant;
	pid_t pid;

	(void)state;
	pid = ask(act);
	grant = grant_of_last(PK_VERDICT_ALLOW, PK_GRANT_UNLIMITED);
	put(&grant);
	hub_world_expect(
		hub_agent_replace(&scene.hub, &scene.agent, &hub_world.deny, &hub_world.diags), 0);
	assert_int_equal(answered(act, pid, true), EPERM);
	hub_world_expect(
		hub_agent_replace(&scene.hub, &scene.agent, &scene.image, &hub_world.diags), 0);
	forget_grants();
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
		pid_t pid = ask(&ask_acts[0]);
		struct pk_grant grant = grant_of_last(PK_VERDICT_ALLOW, 1);
		__u64 start = now_ns();

		put(&grant);
		assert_int_equal(answered(&ask_acts[0], pid, false), 0);
		times[i] = now_ns() - start;
		forget_grants();
	}
	qsort(times, (size_t)count, sizeof(times[0]), by_size);
	print_message("# answer to end of the call: p50 %llu us, p99 %llu us\n",
		      (unsigned long long)times[count / 2] / 1000,
		      (unsigned long long)times[count - 1] / 1000);
}

static int start(void **state)
{
	int r = hub_world_start(state);

	if (r)
		return r;
	hub_world_open(&scene.hub, NULL, HUB_NEW);
	hub_world_compile(has_hooks() ? "picket: 1\n"
					"name: ask\n"
					"process: {profile: 'off', namespaces: ask}\n"
					"egress: {default: ask}\n"
					"files:\n"
					"  default: allow\n"
					"  rules: [{ask: '" ASK_FOLDER "/**', access: write}]\n"
					"exec:\n"
					"  default: allow\n"
					"  rules: [{ask: '" ASK_FOLDER "/program'},\n"
					"          {ask: '" ASK_FOLDER "/command 0'}]\n" :
					"picket: 1\n"
					"name: ask\n"
					"process: {profile: 'off'}\n"
					"egress: {default: ask}\n",
			  &scene.image);
	hub_world_make(&scene.hub, &scene.image, &scene.agent);
	assert_int_equal(hub_asks_begin(&scene.hub), 0);
	make_programs();
	scene.ring = ring_buffer__new(bpf_map__fd(scene.hub.loader.skel->maps.pk_decisions),
				      take_event, NULL, NULL);
	assert_non_null(scene.ring);
	return 0;
}

static int finish(void **state)
{
	hub_world_drop(&scene.hub, &scene.agent);
	ring_buffer__free(scene.ring);
	hub_world_destroy(&scene.hub);
	image_reset(&scene.image);
	assert_int_equal(system("rm -rf " ASK_FOLDER), 0);
	return hub_world_end(state);
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

	return cmocka_run_group_tests(tests, start, finish);
}

int main(void)
{
	return hub_world_run(run);
}
