/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children are plain forks that wait at a pipe until they are where they belong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hub_world.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <picket.skel.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "policy/compile.h"
#include "policy/load.h"

#define WAIT_MS 60000

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what tests have */
struct hub_world hub_world;

void hub_world_compile(const char *text, struct policy_image *ret_image)
{
	const struct policy_context context = { 0 };
	struct policy *policy = NULL;
	int r = policy_load_text("hub", text, strlen(text), &context, &policy, &hub_world.diags);

	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, NULL, ret_image,
				   &hub_world.diags);
	hub_world_expect(r, 0);
	policy_free(&policy);
}

/* A cgroup of our own is the root, and nothing is pinned. */
static int enter(const struct features *features, int cgroup)
{
	if (cgroup_join(cgroup, 0) || unshare(CLONE_NEWNS | CLONE_NEWCGROUP) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2(features->cgroup_root, MNT_DETACH) ||
	    mount("cgroup2", features->cgroup_root, "cgroup2", 0, NULL) ||
	    mount("bpf", features->bpffs, "bpf", 0, "mode=700"))
		return -errno;
	return 0;
}

static int run_in(const struct features *features, int cgroup, int (*run)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (enter(features, cgroup)) {
			perror("cannot make a world of our own");
			_exit(1);
		}
		exit(run());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int hub_world_run(int (*run)(void))
{
	struct features features;
	CLEAN_FD int root = -1;
	CLEAN_FD int cgroup = -1;
	char name[32];
	int status = 1;

	(void)snprintf(name, sizeof(name), "test-hub-%d", (int)getpid());
	if (features_probe(PK_TIER_NETWORK, &features) == 0 && features.cgroup_root &&
	    features.bpffs) {
		root = open(features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (root >= 0 && cgroup_create(root, name, &cgroup) == 0)
			status = run_in(&features, cgroup, run);
	}
	if (cgroup >= 0) {
		(void)cgroup_kill(cgroup);
		(void)cgroup_wait_empty(cgroup, 5000);
		(void)cgroup_remove_tree(root, name);
	}
	features_reset(&features);
	return status;
}

int hub_world_main(int argc, char **argv, int (*run)(void))
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return hub_world_run(run);
}

bool hub_world_has_hooks(void)
{
	struct features features = { .tier = -1 };
	bool has = features_probe(PK_TIER_LSM, &features) == 0 &&
		   features.tier >= (int)PK_TIER_MODIFY_RETURN;

	features_reset(&features);
	return has;
}

int hub_world_hooks_main(int argc, char **argv, const char *name, int (*run)(void))
{
	if (hub_world_has_hooks())
		return hub_world_main(argc, argv, run);
	printf("1..1\nok 1 - %s # SKIP the network tier has no such hooks\n", name);
	return 0;
}

int hub_world_start(void **state)
{
	socklen_t length = sizeof(hub_world.address);

	(void)state;
	assert_int_equal(features_probe(PK_TIER_LSM, &hub_world.features), 0);
	assert_false(hub_world_is_there(hub_world.features.bpffs));
	hub_world_compile("picket: 1\n"
			  "name: deny\n"
			  "process: {profile: 'off'}\n"
			  "egress: {default: deny}\n",
			  &hub_world.deny);
	hub_world_compile("picket: 1\n"
			  "name: allow\n"
			  "process: {profile: 'off'}\n"
			  "egress: {default: allow}\n",
			  &hub_world.allow);
	hub_world.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	hub_world.address.sin_family = AF_INET;
	hub_world.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(hub_world.listener, (struct sockaddr *)&hub_world.address, length),
			 0);
	assert_int_equal(listen(hub_world.listener, 1024), 0);
	assert_int_equal(
		getsockname(hub_world.listener, (struct sockaddr *)&hub_world.address, &length), 0);
	return 0;
}

/* What the last test left to nobody. Nothing of it may stay. */
static void remove_what_is_there(void)
{
	struct hub hub;

	hub_world_take(&hub);
	hub_world_destroy(&hub);
}

int hub_world_end(void **state)
{
	(void)state;
	if (hub_world.is_there)
		remove_what_is_there();
	mem_close_fd(&hub_world.listener);
	image_reset(&hub_world.deny);
	image_reset(&hub_world.allow);
	features_reset(&hub_world.features);
	diag_list_reset(&hub_world.diags);
	return 0;
}

void hub_world_expect(int r, int expected)
{
	if (r != expected)
		diag_print(&hub_world.diags, stderr);
	assert_int_equal(r, expected);
	diag_list_reset(&hub_world.diags);
}

void hub_world_open(struct hub *hub, const struct hub_build *build, enum hub_origin origin)
{
	*hub = (struct hub)HUB_NONE;
	if (build)
		hub_world_expect(hub_open_as(&hub_world.features, PK_TIER_LSM, build, hub,
					     &hub_world.diags),
				 0);
	else
		hub_world_expect(hub_open(&hub_world.features, PK_TIER_LSM, hub, &hub_world.diags),
				 0);
	assert_int_equal(hub->origin, origin);
	hub_world.is_there = true;
	hub_world.build = build;
}

void hub_world_take(struct hub *hub)
{
	hub_world_open(hub, hub_world.build, hub_world.is_there ? HUB_ADOPTED : HUB_NEW);
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void hub_world_upgrade(struct hub *hub)
{
	long start = now_ms();

	hub_world_open(hub, hub_world.build ? NULL : &hub_world_other, HUB_UPGRADED);
	hub_world.upgrade_ms = now_ms() - start;
}

static int count_agent(void *context, const struct hub_agent *agent)
{
	(void)agent;
	++*(size_t *)context;
	return 0;
}

void hub_world_return(struct hub *hub)
{
	size_t left = 0;

	assert_int_equal(hub_agents(hub, count_agent, &left), 0);
	assert_int_equal(left, 0);
	hub_close(hub);
}

int hub_world_connect(void)
{
	CLEAN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct linger hard = { .l_onoff = 1 };

	if (fd < 0)
		return -errno;
	/* Closed without a trace: connections by the thousand. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	return connect(fd, (struct sockaddr *)&hub_world.address, sizeof(hub_world.address)) ?
		       -errno :
		       0;
}

int hub_world_connect_as(struct hub *hub, const struct hub_agent *agent)
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
		_exit(-hub_world_connect());
	}
	(void)close(go[0]);
	if (agent)
		assert_int_equal(hub_agent_join(hub, agent, pid), 0);
	(void)close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

__u64 hub_world_denied(const struct hub *hub, const struct hub_agent *agent)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };

	assert_int_equal(agent_counts(&hub->loader, agent->slot, counts), 0);
	return counts[PK_COUNT_DENIED];
}

int hub_world_keep(int fd, int number)
{
	if (dup2(fd, number) != number)
		_exit(1);
	return number;
}

void hub_world_leave(void)
{
	(void)close_range(STDERR_FILENO + 1, FD_KEPT - 1, 0);
}

static void strike(struct hub_strokes *strokes)
{
	while (!strokes->stop) {
		int r = hub_world_connect();

		if (r == 0)
			strokes->succeeded++;
		else if (r == -EPERM)
			strokes->denied++;
		else
			strokes->other++;
	}
}

void hub_hammer_start(struct hub_hammer *hammer)
{
	int go[2];
	char byte;

	hammer->strokes = mmap(NULL, sizeof(*hammer->strokes), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(hammer->strokes != MAP_FAILED);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	hammer->pid = fork();
	assert_true(hammer->pid >= 0);
	if (hammer->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		go[0] = hub_world_keep(go[0], FD_KEPT);
		hub_world_leave();
		(void)!read(go[0], &byte, 1);
		strike(hammer->strokes);
		_exit(0);
	}
	(void)close(go[0]);
	hammer->go = go[1];
}

void hub_hammer_go(struct hub_hammer *hammer)
{
	mem_close_fd(&hammer->go);
}

void hub_hammer_wait(const struct hub_hammer *hammer, unsigned long more)
{
	unsigned long enough = hammer->strokes->denied + more;

	for (int i = 0; i < WAIT_MS && hammer->strokes->denied < enough; i++)
		hub_world_sleep(1);
	assert_true(hammer->strokes->denied >= enough);
}

void hub_hammer_stop(struct hub_hammer *hammer)
{
	int status = 0;

	hammer->strokes->stop = 1;
	mem_close_fd(&hammer->go);
	assert_int_equal(waitpid(hammer->pid, &status, 0), hammer->pid);
	assert_int_equal(status, 0);
}

int hub_world_times(int times, int emulated)
{
	return access("/picket-vm", F_OK) == 0 ? emulated : times;
}

bool hub_world_is_there(const char *root)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/picket/daemon", root);
	return access(path, F_OK) == 0;
}

void hub_world_sleep(unsigned int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L };

	(void)nanosleep(&pause, NULL);
}

void hub_world_destroy(struct hub *hub)
{
	hub_world_expect(hub_destroy(hub, &hub_world.diags), 0);
	hub_world.is_there = false;
	hub_world.build = NULL;
	assert_false(hub_world_is_there(hub_world.features.bpffs));
	assert_false(hub_world_is_there(hub_world.features.cgroup_root));
}

void hub_world_make(struct hub *hub, const struct policy_image *image, struct hub_agent *agent)
{
	hub_world_expect(hub_agent_create(hub, image, NULL, 0, agent, &hub_world.diags), 0);
}

void hub_world_drop(struct hub *hub, struct hub_agent *agent)
{
	if (agent->own)
		hub_world_expect(hub_agent_kill(hub, agent), 0);
	hub_world_expect(hub_agent_remove(hub, agent, &hub_world.diags), 0);
}

static void be_other(struct picket_bpf *skel, void *unused)
{
	(void)unused;
	skel->rodata->pk_cache_check = 1;
}

const struct hub_build hub_world_other = { .name = "0123456789abcdef", .prepare = be_other };

static int sum_programs(void *context, const char *name, int fd, const struct bpf_link_info *info)
{
	(void)name;
	assert_true(fd >= 0);
	*(unsigned long *)context += info->prog_id;
	return 0;
}

unsigned long hub_world_programs(const struct hub *hub, const char *folder)
{
	unsigned long sum = 0;

	assert_int_equal(hub_each_link(hub, folder, sum_programs, &sum), 0);
	return sum;
}
