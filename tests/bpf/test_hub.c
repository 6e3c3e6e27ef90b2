/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One engine for all agents: they are made, judged and removed; its process is killed, another takes
 * over, another build replaces it, and meanwhile nothing that is denied ever succeeds. What is damaged
 * is refused and left alone. Runs in the tier that this host offers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <picket.skel.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "engine/hub.h"
#include "engine/hub_parts.h"
#include "policy/compile.h"
#include "policy/load.h"

static const char deny_policy[] = "picket: 1\n"
				  "name: deny\n"
				  "process: {profile: 'off'}\n"
				  "egress: {default: deny}\n";
static const char allow_policy[] = "picket: 1\n"
				   "name: allow\n"
				   "process: {profile: 'off'}\n"
				   "egress: {default: allow}\n";

/** What all tests use. */
struct fixture {
	struct features features;
	struct diag_list diags;
	struct policy_image deny;
	struct policy_image allow;
	int listener;
	struct sockaddr_in address; /* where it listens */
};

static struct fixture world;

static void compile(const char *text, struct policy_image *ret_image, struct diag_list *diags)
{
	const struct policy_context context = { 0 };
	struct policy *policy = NULL;
	int r = policy_load_text("hub", text, strlen(text), &context, &policy, diags);

	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, NULL, ret_image,
				   diags);
	if (r)
		diag_print(diags, stderr);
	assert_int_equal(r, 0);
	policy_free(&policy);
}

static int start_world(void **state)
{
	socklen_t length = sizeof(world.address);

	(void)state;
	assert_int_equal(features_probe(PK_TIER_LSM, &world.features), 0);
	compile(deny_policy, &world.deny, &world.diags);
	compile(allow_policy, &world.allow, &world.diags);
	world.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	world.address.sin_family = AF_INET;
	world.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(world.listener, (struct sockaddr *)&world.address, length), 0);
	assert_int_equal(listen(world.listener, 128), 0);
	assert_int_equal(getsockname(world.listener, (struct sockaddr *)&world.address, &length),
			 0);
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	mem_close_fd(&world.listener);
	image_reset(&world.deny);
	image_reset(&world.allow);
	features_reset(&world.features);
	diag_list_reset(&world.diags);
	return 0;
}

/* Fails the test with what was found. */
static void expect(int r, int expected)
{
	if (r != expected)
		diag_print(&world.diags, stderr);
	assert_int_equal(r, expected);
	diag_list_reset(&world.diags);
}

static void open_hub(struct hub *hub, enum hub_origin origin)
{
	*hub = (struct hub)HUB_NONE;
	expect(hub_open(&world.features, PK_TIER_LSM, hub, &world.diags), 0);
	assert_int_equal(hub->origin, origin);
}

/* Connect to our listener. 0 or -errno. */
static int try_connect(void)
{
	CLEAN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, (struct sockaddr *)&world.address, sizeof(world.address)) ? -errno : 0;
}

/* A child that connects once it is in the agent's cgroup; what it got. */
static int connect_as(struct hub *hub, const struct hub_agent *agent)
{
	int go[2];
	int status = 0;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(go[1]);
		(void)!read(go[0], &byte, 1);
		_exit(-try_connect());
	}
	(void)close(go[0]);
	if (agent)
		assert_int_equal(hub_agent_join(hub, agent, pid), 0);
	(void)close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static __u64 denied(const struct hub *hub, const struct hub_agent *agent)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };

	assert_int_equal(agent_counts(&hub->loader, agent->slot, counts), 0);
	return counts[PK_COUNT_DENIED];
}

static bool is_there(const char *root)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/picket/daemon", root);
	return access(path, F_OK) == 0;
}

static void agents_are_made_judged_and_removed(void **state)
{
	struct hub hub;
	struct hub_agent one = { 0 };
	struct hub_agent two = { 0 };

	(void)state;
	open_hub(&hub, HUB_NEW);
	expect(hub_agent_create(&hub, &world.deny, NULL, 0, &one, &world.diags), 0);
	expect(hub_agent_create(&hub, &world.allow, NULL, 0, &two, &world.diags), 0);
	assert_int_not_equal(one.slot, two.slot);
	assert_int_equal(connect_as(&hub, NULL), 0);
	assert_int_equal(connect_as(&hub, &one), -EPERM);
	assert_int_equal(connect_as(&hub, &two), 0);
	assert_int_equal(denied(&hub, &one), 1);
	assert_int_equal(denied(&hub, &two), 0);
	expect(hub_agent_replace(&hub, &one, &world.allow, &world.diags), 0);
	assert_int_equal(connect_as(&hub, &one), 0);
	expect(hub_destroy(&hub, &world.diags), -EBUSY);
	assert_int_equal(hub_agent_kill(&hub, &one), 0);
	expect(hub_agent_remove(&hub, &one, &world.diags), 0);
	expect(hub_agent_remove(&hub, &two, &world.diags), 0);
	expect(hub_destroy(&hub, &world.diags), 0);
	assert_false(is_there(world.features.bpffs));
	assert_false(is_there(world.features.cgroup_root));
}

static void closed_hub_goes_on_and_is_adopted(void **state)
{
	struct hub hub;
	struct hub_agent agent = { 0 };
	CLEAN_FD int cgroup = -1;

	(void)state;
	open_hub(&hub, HUB_NEW);
	expect(hub_agent_create(&hub, &world.deny, NULL, 0, &agent, &world.diags), 0);
	cgroup = hub_agent_cgroup(&hub, &agent);
	assert_true(cgroup >= 0);
	hub_close(&hub);
	open_hub(&hub, HUB_ADOPTED);
	assert_int_equal(connect_as(&hub, &agent), -EPERM);
	expect(hub_agent_remove(&hub, &agent, &world.diags), 0);
	expect(hub_destroy(&hub, &world.diags), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_are_made_judged_and_removed),
		cmocka_unit_test(closed_hub_goes_on_and_is_adopted),
	};

	return cmocka_run_group_tests(tests, start_world, end_world);
}
