/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far an answer reaches: it is for one act of one agent under one image; and what becomes of acts when no
 * more of them can wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <picket.skel.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask_world.h"
#include "base/mem.h"
#include "engine/hub_asks.h"
#include "hub_world.h"

/* No thread has such a number: they end at 4,194,304. */
#define NOBODY 0x40000000U

#define HOOKED_RULES                                                                               \
	"egress: {default: ask}\n"                                                                 \
	"files: {default: allow, rules: [{ask: '" ASK_FOLDER "/**', access: write}]}\n"

static const char hooked[] = "picket: 1\n"
			     "name: ask\n"
			     "process: {profile: 'off'}\n" HOOKED_RULES;
static const char hooked_else[] =
	"picket: 1\n"
	"name: else\n"
	"process: {profile: 'off'}\n"
	"exec: {default: allow, rules: [{deny: /nowhere}]}\n" HOOKED_RULES;
static const char network_else[] = "picket: 1\n"
				   "name: else\n"
				   "process: {profile: 'off'}\n"
				   "egress: {default: ask, rules: [{deny: '203.0.113.7:7'}]}\n";

/* The act that answers are for: open, or connect where nothing else is asked about. */
static const struct ask_act *first_act(void)
{
	return ask_has_hooks() ? &ask_acts[3] : &ask_acts[0];
}

/* The port behind the one that is listened on, to which nobody listens. */
static int act_other_port(void)
{
	CLEAN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = hub_world.address;

	address.sin_port = htons((in_port_t)(ntohs(address.sin_port) ^ 1));
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
}

/* A datagram to where a connection may go. */
static int act_other_protocol(void)
{
	return ask_acts[1].run();
}

/* Approve the first act as often as it is done, and see that it is. */
static void approve_first(void)
{
	pid_t pid = ask_until_held(first_act());
	struct pk_grant grant = ask_grant(PK_VERDICT_ALLOW, PK_GRANT_UNLIMITED);

	ask_put(&grant);
	assert_int_equal(ask_answered(first_act(), pid, false), 0);
	assert_int_equal(ask_await(ask_start(first_act()->run), true), 0);
}

/* It is asked about, whatever was approved before: it waits or is refused, and is not done. */
static void assert_asks(const struct hub_agent *agent, int (*run)(void), int refused)
{
	pid_t pid = ask_start_in(agent, run);
	bool held = ask_has_hooks();

	assert_int_equal(ask_await(pid, held), held ? ASK_STOPPED : refused);
	assert_int_equal(ask_holds(), held ? 1 : 0);
	if (held)
		ask_kill(pid);
}

static void other_objects_are_asked_about(void **state)
{
	(void)state;
	approve_first();
	if (ask_has_hooks()) {
		/* create: another file; unlink, chmod: the same one */
		assert_asks(&ask_world.agent, ask_acts[4].run, EACCES);
		assert_asks(&ask_world.agent, ask_acts[5].run, EACCES);
		assert_asks(&ask_world.agent, ask_acts[8].run, EACCES);
	} else {
		assert_asks(&ask_world.agent, act_other_port, EPERM);
		assert_asks(&ask_world.agent, act_other_protocol, EPERM);
	}
	assert_int_equal(ask_await(ask_start(first_act()->run), true), 0);
	ask_forget();
}

static void other_agents_are_asked(void **state)
{
	struct hub_agent other = { 0 };

	(void)state;
	approve_first();
	hub_world_make(&ask_world.hub, &ask_world.image, &other);
	assert_asks(&other, first_act()->run, first_act()->refused);
	hub_world_drop(&ask_world.hub, &other);
	assert_int_equal(ask_await(ask_start(first_act()->run), true), 0);
	ask_forget();
}

static void other_images_ask(void **state)
{
	struct policy_image other = { 0 };

	(void)state;
	approve_first();
	hub_world_compile(ask_has_hooks() ? hooked_else : network_else, &other);
	hub_world_expect(
		hub_agent_replace(&ask_world.hub, &ask_world.agent, &other, &hub_world.diags), 0);
	assert_asks(&ask_world.agent, first_act()->run, first_act()->refused);
	hub_world_expect(hub_agent_replace(&ask_world.hub, &ask_world.agent, &ask_world.image,
					   &hub_world.diags),
			 0);
	assert_int_equal(ask_await(ask_start(first_act()->run), true), 0);
	image_reset(&other);
	ask_forget();
}

static int held_map(void)
{
	return bpf_map__fd(ask_world.hub.loader.skel->maps.pk_held);
}

/* Entries of threads that there are not, until no further one goes in. */
static __u32 fill_held(void)
{
	const struct pk_hold nobody = { .rule = PK_RULE_NONE };
	__u32 count = 0;

	for (; count <= PK_HELD_MAX; count++) {
		__u32 tid = NOBODY + count;

		if (bpf_map_update_elem(held_map(), &tid, &nobody, BPF_ANY))
			break;
	}
	assert_int_equal(count, PK_HELD_MAX);
	return count;
}

/* No room for one more that waits: it is refused, an event says so, and nothing was done. */
static void too_many_wait(void **state)
{
	struct pk_grant grant;
	__u32 count, tid;
	pid_t pid;

	(void)state;
	if (!ask_has_hooks())
		return;
	count = fill_held();
	ask_make_files();
	ask_read_events();
	assert_int_equal(ask_await(ask_start(ask_acts[4].run), true), EACCES);
	assert_int_equal(access(ASK_FOLDER "/new", F_OK), -1);
	ask_read_events();
	assert_int_equal(ask_world.last.verdict, PK_VERDICT_ASK);
	assert_int_equal(ask_world.last.reason, PK_REASON_UNHELD);
	assert_int_equal(ask_world.last.error, EACCES);
	assert_int_equal(ask_holds(), count);
	/* It can be approved all the same. */
	grant = ask_grant(PK_VERDICT_ALLOW, 1);
	ask_put(&grant);
	assert_int_equal(ask_await(ask_start(ask_acts[4].run), true), 0);
	ask_forget();
	/* With room for one it waits. */
	tid = NOBODY;
	assert_int_equal(bpf_map_delete_elem(held_map(), &tid), 0);
	ask_make_files();
	pid = ask_start(ask_acts[4].run);
	assert_int_equal(ask_await(pid, true), ASK_STOPPED);
	for (__u32 i = 1; i < count; i++) {
		tid = NOBODY + i;
		assert_int_equal(bpf_map_delete_elem(held_map(), &tid), 0);
	}
	ask_kill(pid);
}

static int start(void **state)
{
	return ask_world_start(state, hooked, ASK_EGRESS_POLICY);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_objects_are_asked_about),
		cmocka_unit_test(other_agents_are_asked),
		cmocka_unit_test(other_images_ask),
		cmocka_unit_test(too_many_wait),
	};

	return cmocka_run_group_tests(tests, start, ask_world_end);
}

int main(void)
{
	return hub_world_run(run);
}
