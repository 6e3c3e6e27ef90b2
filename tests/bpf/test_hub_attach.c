/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cgroups of others that become agents with all that runs in them, whoever opens the hub, and are free
 * again afterwards: connections, labels, system calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "engine/cgroup.h"
#include "hub_world.h"

/** A cgroup of somebody else with a process in it that does what it is told. */
struct guest {
	int outer; /* test-hub */
	int inner; /* test-hub/service */
	int deep; /* test-hub/service/part */
	pid_t pid;
	int orders; /* letters to it */
	int answers; /* bytes: errno, 0 = success */
	int peer; /* its connection's other end */
};

static void obey(const struct guest *guest, int old)
{
	char order;

	while (read(guest->orders, &order, 1) == 1) {
		CLEAN_FD int file = -1;
		int r = 0;

		if (order == 'c')
			r = hub_world_connect();
		else if (order == 's')
			r = send(old, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
		else if (order == 'p')
			r = personality(0xffffffff) < 0 ? -errno : 0;
		else if (order == 'f')
			file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
		if (order == 'f' && file < 0)
			r = -errno;
		order = (char)-r;
		(void)!write(guest->answers, &order, 1);
	}
	_exit(0);
}

static int ask(const struct guest *guest, char order)
{
	char answer = 0;

	assert_int_equal(write(guest->orders, &order, 1), 1);
	assert_int_equal(read(guest->answers, &answer, 1), 1);
	return -answer;
}

/* Does what it sends on its old connection arrive? */
static bool is_heard(const struct guest *guest)
{
	struct pollfd event = { .fd = guest->peer, .events = POLLIN };
	char bytes[16];

	(void)ask(guest, 's');
	return poll(&event, 1, 300) == 1 && read(guest->peer, bytes, sizeof(bytes)) > 0;
}

static void start_guest(struct guest *guest)
{
	CLEAN_FD int root =
		open(hub_world.features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int orders[2], answers[2];
	char letter;
	int old;

	assert_int_equal(cgroup_create(root, "test-hub", &guest->outer), 0);
	assert_int_equal(cgroup_create(guest->outer, "service", &guest->inner), 0);
	assert_int_equal(cgroup_create(guest->inner, "part", &guest->deep), 0);
	assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	guest->pid = fork();
	assert_true(guest->pid >= 0);
	if (guest->pid == 0) {
		guest->orders = hub_world_keep(orders[0], FD_KEPT);
		guest->answers = hub_world_keep(answers[1], FD_KEPT + 1);
		hub_world_leave();
		(void)!read(guest->orders, &letter, 1);
		old = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(old, (struct sockaddr *)&hub_world.address, sizeof(hub_world.address)))
			_exit(1);
		obey(guest, old);
	}
	(void)close(orders[0]);
	(void)close(answers[1]);
	guest->orders = orders[1];
	guest->answers = answers[0];
	/* Connections of other tests wait there, closed. */
	while ((old = accept(hub_world.listener, NULL, NULL)) >= 0)
		(void)close(old);
	assert_int_equal(cgroup_join(guest->deep, guest->pid), 0);
	assert_int_equal(write(guest->orders, "x", 1), 1);
	assert_int_equal(ask(guest, 'n'), 0);
	guest->peer = accept(hub_world.listener, NULL, NULL);
	assert_true(guest->peer >= 0);
	assert_true(is_heard(guest));
}

static void end_guest(struct guest *guest)
{
	CLEAN_FD int root =
		open(hub_world.features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)kill(guest->pid, SIGKILL);
	(void)waitpid(guest->pid, NULL, 0);
	mem_close_fd(&guest->orders);
	mem_close_fd(&guest->answers);
	mem_close_fd(&guest->peer);
	mem_close_fd(&guest->outer);
	mem_close_fd(&guest->inner);
	mem_close_fd(&guest->deep);
	assert_int_equal(cgroup_remove_tree(root, "test-hub"), 0);
}

static int attach(struct hub *hub, int cgroup, const struct policy_image *image,
		  struct hub_agent *agent)
{
	return hub_agent_attach(hub, cgroup, image, NULL, 0, agent, &hub_world.diags);
}

static void attached_cgroup_is_judged_and_freed(void **state)
{
	struct hub_agent agent = { 0 };
	struct guest guest;
	char name[32];
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	start_guest(&guest);
	assert_int_equal(ask(&guest, 'c'), 0);
	hub_world_expect(attach(&hub, guest.inner, &hub_world.deny, &agent), 0);
	assert_false(agent.own);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	assert_false(is_heard(&guest));
	assert_int_equal(hub_agent_kill(&hub, &agent), -EOPNOTSUPP);
	assert_int_equal(hub_agent_join(&hub, &agent, guest.pid), -EOPNOTSUPP);
	/* As an agent it is found by whoever takes over, with the programs of his build. */
	hub_agent_name(agent.slot, name);
	hub_close(&hub);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	hub_world_upgrade(&hub);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	assert_int_not_equal(hub_world_programs(&hub, name), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &hub_world.allow, &hub_world.diags), 0);
	assert_int_equal(ask(&guest, 'c'), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &hub_world.deny, &hub_world.diags), 0);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	hub_world_drop(&hub, &agent);
	assert_int_equal(ask(&guest, 'c'), 0);
	assert_true(is_heard(&guest));
	assert_int_equal(faccessat(hub.pins, name, F_OK, 0), -1);
	/* And again, in another slot. */
	hub_world_expect(attach(&hub, guest.deep, &hub_world.deny, &agent), 0);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	hub_world_drop(&hub, &agent);
	assert_int_equal(ask(&guest, 'c'), 0);
	end_guest(&guest);
	hub_world_return(&hub);
}

static void expect_no_agent(struct hub *hub, int cgroup, int expected)
{
	struct hub_agent agent = { 0 };

	hub_world_expect(attach(hub, cgroup, &hub_world.deny, &agent), expected);
}

static void agents_are_not_inside_each_other(void **state)
{
	CLEAN_FD int root =
		open(hub_world.features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hub_agent attached = { 0 };
	struct hub_agent own = { 0 };
	CLEAN_FD int cgroup = -1;
	CLEAN_FD int picket = -1;
	struct guest guest;
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	start_guest(&guest);
	hub_world_make(&hub, &hub_world.deny, &own);
	hub_world_expect(attach(&hub, guest.inner, &hub_world.deny, &attached), 0);
	expect_no_agent(&hub, guest.outer, -EEXIST);
	expect_no_agent(&hub, guest.inner, -EEXIST);
	expect_no_agent(&hub, guest.deep, -EEXIST);
	cgroup = hub_agent_cgroup(&hub, &own);
	assert_true(cgroup >= 0);
	expect_no_agent(&hub, cgroup, -EEXIST);
	expect_no_agent(&hub, hub.cgroups, -EEXIST);
	picket = openat(hub.cgroups, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect_no_agent(&hub, picket, -EEXIST);
	expect_no_agent(&hub, root, -EEXIST);
	expect_no_agent(&hub, hub.pins, -EINVAL);
	hub_world_drop(&hub, &attached);
	/* This process. */
	assert_int_equal(cgroup_join(guest.outer, 0), 0);
	expect_no_agent(&hub, guest.outer, -EINVAL);
	assert_int_equal(cgroup_join(root, 0), 0);
	hub_world_drop(&hub, &own);
	end_guest(&guest);
	hub_world_return(&hub);
}

/* The cgroup of an agent is removed by whose it is. */
static void attached_cgroup_may_go(void **state)
{
	struct hub_agent agent = { 0 };
	struct guest guest;
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	start_guest(&guest);
	hub_world_expect(attach(&hub, guest.inner, &hub_world.deny, &agent), 0);
	end_guest(&guest);
	assert_int_equal(hub_agent_cgroup(&hub, &agent), -ESTALE);
	hub_world_drop(&hub, &agent);
	start_guest(&guest);
	hub_world_expect(attach(&hub, guest.inner, &hub_world.deny, &agent), 0);
	end_guest(&guest);
	hub_close(&hub);
	hub_world_take(&hub);
	hub_world_return(&hub);
}

/* Attaching that was cut short was promised to nobody; the cgroup is free again. */
static void half_attached_is_freed(void **state)
{
	struct hub_agent agent = { 0 };
	struct guest guest;
	char path[300];
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	start_guest(&guest);
	hub_world_expect(attach(&hub, guest.inner, &hub_world.deny, &agent), 0);
	(void)snprintf(path, sizeof(path), "%s/agent-%u/link_pk_connect4", hub.pin_path,
		       agent.slot);
	assert_int_equal(unlink(path), 0);
	hub_close(&hub);
	hub_world_take(&hub);
	assert_int_equal(ask(&guest, 'c'), 0);
	assert_true(is_heard(&guest));
	end_guest(&guest);
	hub_world_return(&hub);
}

/* System calls of processes that no filter can be put on. */
static void refused_calls_of_attached_kill(void **state)
{
	struct policy_image image = { 0 };
	struct hub_agent agent = { 0 };
	struct guest guest;
	int status = 0;
	struct hub hub;

	(void)state;
	hub_world_compile("picket: 1\n"
			  "name: calls\n"
			  "process: {profile: 'off'}\n"
			  "syscalls: {deny: [personality, getpriority]}\n",
			  &image);
	hub_world_take(&hub);
	start_guest(&guest);
	/* Freed, it may call what it likes; also after another build took over. */
	hub_world_expect(attach(&hub, guest.inner, &image, &agent), 0);
	hub_world_drop(&hub, &agent);
	assert_int_equal(ask(&guest, 'p'), 0);
	hub_world_expect(attach(&hub, guest.inner, &image, &agent), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &hub_world.allow, &hub_world.diags), 0);
	assert_int_equal(ask(&guest, 'p'), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &image, &hub_world.diags), 0);
	hub_close(&hub);
	hub_world_upgrade(&hub);
	assert_int_equal(write(guest.orders, "p", 1), 1);
	assert_int_equal(waitpid(guest.pid, &status, 0), guest.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	hub_world_drop(&hub, &agent);
	end_guest(&guest);
	hub_world_return(&hub);
	image_reset(&image);
}

/* Hooks know tasks by labels: given at once, taken back at once. */
static void labels_are_given_and_taken_back(void **state)
{
	struct policy_image image = { 0 };
	struct hub_agent agent = { 0 };
	struct guest guest;
	struct hub hub;

	(void)state;
	hub_world_compile("picket: 1\n"
			  "name: files\n"
			  "process: {profile: 'off'}\n"
			  "files: {default: deny}\n",
			  &image);
	hub_world_take(&hub);
	start_guest(&guest);
	assert_int_equal(ask(&guest, 'f'), 0);
	if (hub.tier == PK_TIER_NETWORK) {
		hub_world_expect(attach(&hub, guest.inner, &image, &agent), -ENOTSUP);
	} else {
		hub_world_expect(attach(&hub, guest.inner, &image, &agent), 0);
		assert_int_equal(ask(&guest, 'f'), -EACCES);
		/* Out of the cgroup it stays what it is. */
		assert_int_equal(cgroup_join(guest.outer, guest.pid), 0);
		assert_int_equal(ask(&guest, 'f'), -EACCES);
		hub_world_drop(&hub, &agent);
		assert_int_equal(ask(&guest, 'f'), 0);
	}
	end_guest(&guest);
	hub_world_return(&hub);
	image_reset(&image);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attached_cgroup_is_judged_and_freed),
		cmocka_unit_test(agents_are_not_inside_each_other),
		cmocka_unit_test(attached_cgroup_may_go),
		cmocka_unit_test(half_attached_is_freed),
		cmocka_unit_test(refused_calls_of_attached_kill),
		cmocka_unit_test(labels_are_given_and_taken_back),
	};

	return cmocka_run_group_tests(tests, hub_world_start, hub_world_end);
}

/* An argument is a pattern of tests to be run: "killed*". */
int main(int argc, char **argv)
{
	return hub_world_main(argc, argv, run);
}
