/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One agent at a time; what it is asked about is read out of the ring of decisions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ask_world.h"

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

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/hub_asks.h"
#include "hub_world.h"

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what tests have */
struct ask_world ask_world;

static int take_event(void *context, void *bytes, size_t size)
{
	const struct pk_event *event = bytes;

	(void)context;
	if (size < sizeof(*event) || event->agent != ask_world.agent.slot)
		return 0;
	ask_world.last = *event;
	ask_world.count++;
	return 0;
}

void ask_read_events(void)
{
	assert_true(ring_buffer__consume(ask_world.ring) >= 0);
}

bool ask_has_hooks(void)
{
	return ask_world.hub.tier != PK_TIER_NETWORK;
}

/* --- processes --------------------------------------------------------------------------------- */

static void copy_program(const char *path)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "cp /bin/sleep %s && chmod 755 %s", path, path);
	assert_int_equal(system(command), 0);
}

void ask_make_files(void)
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

pid_t ask_start_in(const struct hub_agent *agent, int (*run)(void))
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
	assert_int_equal(hub_agent_join(&ask_world.hub, agent, pid), 0);
	(void)close(go[1]);
	return pid;
}

pid_t ask_start(int (*run)(void))
{
	return ask_start_in(&ask_world.agent, run);
}

int ask_await(pid_t pid, bool stops)
{
	int status = 0;

	for (int i = 0; i < 20000; i++) {
		pid_t got = waitpid(pid, &status, WNOHANG | (stops ? WUNTRACED : 0));

		assert_true(got >= 0);
		if (got == pid && WIFSTOPPED(status))
			return ASK_STOPPED;
		if (got == pid)
			return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
		hub_world_sleep(1);
	}
	fail_msg("neither stopped nor ended");
	return -1;
}

struct pk_ask_key ask_key(void)
{
	struct pk_ask_key key = { .agent = ask_world.agent.slot };

	memcpy(key.hash, ask_world.last.ask, sizeof(key.hash));
	return key;
}

struct pk_grant ask_grant(__u32 verdict, __s64 uses)
{
	struct pk_grant grant = { .verdict = verdict, .uses = uses, .id = 7 };

	grant.rule = ask_world.last.rule;
	memcpy(&grant.image, image_head(&ask_world.image)->digest, sizeof(grant.image));
	return grant;
}

void ask_put(const struct pk_grant *grant)
{
	const struct pk_ask_key key = ask_key();

	assert_int_equal(hub_grant_put(&ask_world.hub, &key, grant), 0);
}

static int drop_any(void *context, const struct pk_ask_key *key, const struct pk_grant *grant)
{
	(void)context;
	(void)grant;
	return hub_grant_delete(&ask_world.hub, key);
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
	int r = hub_hold_continue(&ask_world.hub, tid, hold);

	(void)context;
	/* Continued by somebody else, it saw its answer and ended. */
	return r == -ESRCH ? 0 : r;
}

int ask_holds(void)
{
	int count = 0;

	assert_int_equal(hub_holds(&ask_world.hub, count_any, &count), 0);
	return count;
}

void ask_go_on(void)
{
	assert_int_equal(hub_holds(&ask_world.hub, continue_any, NULL), 0);
}

void ask_forget(void)
{
	assert_int_equal(hub_grants(&ask_world.hub, drop_any, NULL), 0);
}

__s64 ask_uses_left(void)
{
	const struct pk_ask_key key = ask_key();
	struct pk_grant grant = { 0 };

	assert_int_equal(hub_grant_get(&ask_world.hub, &key, &grant), 0);
	return grant.uses;
}

pid_t ask_until_held(const struct ask_act *act)
{
	unsigned long before;
	pid_t pid;

	ask_make_files();
	ask_read_events();
	before = ask_world.count;
	pid = ask_start(act->run);
	if (ask_has_hooks()) {
		assert_int_equal(ask_await(pid, true), ASK_STOPPED);
	} else {
		assert_int_equal(ask_await(pid, false), act->refused);
		pid = -1;
	}
	ask_read_events();
	assert_int_equal(ask_world.count, before + 1);
	assert_int_equal(ask_world.last.verdict, PK_VERDICT_ASK);
	assert_int_equal(ask_world.last.reason,
			 ask_has_hooks() ? PK_REASON_HELD : PK_REASON_PENDING);
	assert_int_equal(ask_world.last.error, ask_has_hooks() ? 0 : act->refused);
	assert_true(ask_world.last.ask[0] && ask_world.last.ask[1]);
	assert_int_equal(ask_holds(), ask_has_hooks() ? 1 : 0);
	return pid;
}

int ask_answered(const struct ask_act *act, pid_t pid, bool stops)
{
	if (pid > 0)
		ask_go_on();
	else
		pid = ask_start(act->run);
	return ask_await(pid, stops);
}

void ask_kill(pid_t pid)
{
	if (pid <= 0)
		return;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(ask_await(pid, false), -SIGKILL);
	assert_int_equal(ask_holds(), 0);
}

int ask_world_start(void **state, const char *hooked, const char *network)
{
	int r = hub_world_start(state);

	if (r)
		return r;
	hub_world_open(&ask_world.hub, NULL, HUB_NEW);
	hub_world_compile(ask_has_hooks() ? hooked : network, &ask_world.image);
	hub_world_make(&ask_world.hub, &ask_world.image, &ask_world.agent);
	assert_int_equal(hub_asks_begin(&ask_world.hub), 0);
	make_programs();
	ask_world.ring = ring_buffer__new(bpf_map__fd(ask_world.hub.loader.skel->maps.pk_decisions),
					  take_event, NULL, NULL);
	assert_non_null(ask_world.ring);
	return 0;
}

int ask_world_end(void **state)
{
	hub_world_drop(&ask_world.hub, &ask_world.agent);
	ring_buffer__free(ask_world.ring);
	hub_world_destroy(&ask_world.hub);
	image_reset(&ask_world.image);
	assert_int_equal(system("rm -rf " ASK_FOLDER), 0);
	return hub_world_end(state);
}
