/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes while agents run: their policies, the programs that judge them, and cgroups of others
 * that become agents and are free again. Processes hammer meanwhile, and what is denied never succeeds.
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
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "hub_world.h"

/* How often a policy is exchanged under load. */
#define EXCHANGES 500
/* Moments of an upgrade at which its process is killed. */
#define CUTS 8

static void destroy(struct hub *hub)
{
	hub_world_expect(hub_destroy(hub, &world.diags), 0);
	assert_false(hub_world_is_there(world.features.bpffs));
}

static void make(struct hub *hub, const struct policy_image *image, struct hub_agent *agent)
{
	hub_world_expect(hub_agent_create(hub, image, NULL, 0, agent, &world.diags), 0);
}

static void drop(struct hub *hub, struct hub_agent *agent)
{
	if (agent->own)
		hub_world_expect(hub_agent_kill(hub, agent), 0);
	hub_world_expect(hub_agent_remove(hub, agent, &world.diags), 0);
}

/** Records by their reasons. */
struct tally {
	__u32 agent;
	unsigned long reasons[PK_REASON__MAX];
};

static int count_record(void *context, void *bytes, size_t size)
{
	const struct pk_event *event = bytes;
	struct tally *tally = context;

	assert_true(size >= sizeof(*event));
	if (event->agent == HUB_CANARY_SLOT || event->agent != tally->agent)
		return 0;
	assert_true(event->reason < PK_REASON__MAX);
	tally->reasons[event->reason]++;
	return 0;
}

/*
 * Two policies that deny the same, one by its default and one by a rule: every denial is by one of them,
 * whole.
 */
static void exchanged_policies_never_mix(void **state)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };
	struct policy_image by_rule = { 0 };
	struct hub_agent agent = { 0 };
	struct tally tally = { 0 };
	struct hub_hammer hammer;
	struct ring_buffer *ring;
	struct hub hub;

	(void)state;
	hub_world_compile("picket: 1\n"
			  "name: rule\n"
			  "process: {profile: 'off'}\n"
			  "egress: {default: allow, rules: [{deny: '127.0.0.0/8'}]}\n",
			  &by_rule);
	hub_world_open(&hub, NULL, HUB_NEW);
	make(&hub, &world.deny, &agent);
	tally.agent = agent.slot;
	ring = ring_buffer__new(bpf_map__fd(hub.loader.skel->maps.pk_decisions), count_record,
				&tally, NULL);
	assert_non_null(ring);
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	for (int i = 0; i < EXCHANGES; i++) {
		hub_world_expect(hub_agent_replace(&hub, &agent, i % 2 ? &world.deny : &by_rule,
						   &world.diags),
				 0);
		hub_hammer_wait(&hammer, 1);
		assert_true(ring_buffer__consume(ring) >= 0);
	}
	hub_hammer_stop(&hammer);
	assert_true(ring_buffer__consume(ring) >= 0);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(hammer.strokes->other, 0);
	assert_true(tally.reasons[PK_REASON_RULE] > EXCHANGES / 4);
	assert_true(tally.reasons[PK_REASON_DEFAULT] > EXCHANGES / 4);
	/* Every denial is accounted for: in the ring, or lost because nobody read it in time. */
	assert_int_equal(agent_counts(&hub.loader, agent.slot, counts), 0);
	assert_int_equal(counts[PK_COUNT_DENIED], hammer.strokes->denied);
	assert_int_equal(tally.reasons[PK_REASON_RULE] + tally.reasons[PK_REASON_DEFAULT] +
				 counts[PK_COUNT_DECISION_LOST],
			 hammer.strokes->denied);
	for (int i = 0; i < PK_REASON__MAX; i++)
		assert_true(tally.reasons[i] == 0 || i == PK_REASON_RULE || i == PK_REASON_DEFAULT);
	ring_buffer__free(ring);
	drop(&hub, &agent);
	destroy(&hub);
	image_reset(&by_rule);
}

/* Another build has other programs: here, ones that check the directory cache. */
static void be_other(struct picket_bpf *skel, void *unused)
{
	(void)unused;
	skel->rodata->pk_cache_check = 1;
}

static const struct hub_build other_build = { .name = "0123456789abcdef", .prepare = be_other };

static int count_set(void *context, const char *name)
{
	if (strncmp(name, HUB_SET_PREFIX, strlen(HUB_SET_PREFIX)) == 0)
		++*(int *)context;
	return 0;
}

static int sum_programs(void *context, const char *name, int fd, const struct bpf_link_info *info)
{
	(void)name;
	assert_true(fd >= 0);
	*(unsigned long *)context += info->prog_id;
	return 0;
}

/* A number that tells the programs that are attached. */
static unsigned long programs_of(const struct hub *hub, const char *folder)
{
	unsigned long sum = 0;

	assert_int_equal(hub_each_link(hub, folder, sum_programs, &sum), 0);
	return sum;
}

static __u32 images_map(const struct hub *hub)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_map__fd(hub->loader.skel->maps.pk_images),
						&info, &size),
			 0);
	return info.id;
}

/* There is one set of links, of the build. Returns which programs. */
static unsigned long check_sets(const struct hub *hub)
{
	char set[32];
	int sets = 0;

	assert_int_equal(hub_each_entry(hub->pins, ".", count_set, &sets), 0);
	assert_int_equal(sets, 1);
	hub_set_name(hub->build, set);
	return programs_of(hub, set);
}

static void upgrade_leaves_no_gap(void **state)
{
	struct hub_agent agent = { 0 };
	struct hub_hammer hammer;
	unsigned long first, second;
	__u64 seed = 0, same = 0;
	struct hub hub;
	__u32 images;

	(void)state;
	hub_world_open(&hub, NULL, HUB_NEW);
	make(&hub, &world.deny, &agent);
	images = images_map(&hub);
	first = check_sets(&hub);
	assert_int_equal(hub_rodata(&hub, hub.build, "pk_host_seed", &seed), 0);
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	hub_hammer_wait(&hammer, 10);
	for (int i = 0; i < 2; i++) {
		hub_close(&hub);
		hub_world_open(&hub, &other_build, HUB_UPGRADED);
		assert_string_equal(hub.build, other_build.name);
		assert_int_equal(images_map(&hub), images);
		second = check_sets(&hub);
		assert_int_not_equal(first, second);
		assert_int_equal(hub_rodata(&hub, hub.build, "pk_host_seed", &same), 0);
		assert_int_equal(seed, same);
		assert_int_equal(hub_rodata(&hub, hub.build, "pk_cache_check", &same), 0);
		assert_int_equal(same, 1);
		hub_hammer_wait(&hammer, 10);
		hub_close(&hub);
		hub_world_open(&hub, &other_build, HUB_ADOPTED);
		hub_close(&hub);
		hub_world_open(&hub, NULL, HUB_UPGRADED);
		assert_int_not_equal(check_sets(&hub), second);
	}
	hub_hammer_wait(&hammer, 10);
	hub_hammer_stop(&hammer);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(hammer.strokes->other, 0);
	assert_int_equal(hub_world_denied(&hub, &agent), hammer.strokes->denied);
	drop(&hub, &agent);
	destroy(&hub);
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A process that opens the hub as the build, whatever comes of it. */
static pid_t start_opening(struct hub *hub, const struct hub_build *build)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	hub_world_leave();
	if (build)
		(void)hub_open_as(&world.features, PK_TIER_LSM, build, hub, &world.diags);
	else
		(void)hub_open(&world.features, PK_TIER_LSM, hub, &world.diags);
	_exit(0);
}

/* Killed at any moment of an upgrade, whoever comes next finds a whole set. */
static void upgrade_cut_short_is_done_again(void **state)
{
	struct hub_agent agent = { 0 };
	struct hub_hammer hammer;
	long start, whole;
	struct hub hub;

	(void)state;
	hub_world_open(&hub, NULL, HUB_NEW);
	make(&hub, &world.deny, &agent);
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	hub_close(&hub);
	start = now_ms();
	hub_world_open(&hub, &other_build, HUB_UPGRADED);
	whole = now_ms() - start;
	hub_close(&hub);
	for (long i = 0; i < CUTS; i++) {
		pid_t pid = start_opening(&hub, i % 2 ? &other_build : NULL);

		hub_world_sleep((unsigned int)(whole * (i + 1) / CUTS));
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		hub_hammer_wait(&hammer, 5);
	}
	hub_world_expect(hub_open(&world.features, PK_TIER_LSM, &hub, &world.diags), 0);
	(void)check_sets(&hub);
	hub_hammer_wait(&hammer, 10);
	hub_hammer_stop(&hammer);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(hammer.strokes->other, 0);
	drop(&hub, &agent);
	destroy(&hub);
}

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
	CLEAN_FD int root = open(world.features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
		if (connect(old, (struct sockaddr *)&world.address, sizeof(world.address)))
			_exit(1);
		obey(guest, old);
	}
	(void)close(orders[0]);
	(void)close(answers[1]);
	guest->orders = orders[1];
	guest->answers = answers[0];
	/* Connections of other tests wait there, closed. */
	while ((old = accept(world.listener, NULL, NULL)) >= 0)
		(void)close(old);
	assert_int_equal(cgroup_join(guest->deep, guest->pid), 0);
	assert_int_equal(write(guest->orders, "x", 1), 1);
	assert_int_equal(ask(guest, 'n'), 0);
	guest->peer = accept(world.listener, NULL, NULL);
	assert_true(guest->peer >= 0);
	assert_true(is_heard(guest));
}

static void end_guest(struct guest *guest)
{
	CLEAN_FD int root = open(world.features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

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
	return hub_agent_attach(hub, cgroup, image, NULL, 0, agent, &world.diags);
}

static void attached_cgroup_is_judged_and_freed(void **state)
{
	struct hub_agent agent = { 0 };
	struct guest guest;
	char name[32];
	struct hub hub;

	(void)state;
	hub_world_open(&hub, NULL, HUB_NEW);
	start_guest(&guest);
	assert_int_equal(ask(&guest, 'c'), 0);
	hub_world_expect(attach(&hub, guest.inner, &world.deny, &agent), 0);
	assert_false(agent.own);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	assert_false(is_heard(&guest));
	assert_int_equal(hub_agent_kill(&hub, &agent), -EOPNOTSUPP);
	assert_int_equal(hub_agent_join(&hub, &agent, guest.pid), -EOPNOTSUPP);
	/* As an agent it is found by whoever takes over, with the programs of his build. */
	hub_agent_name(agent.slot, name);
	hub_close(&hub);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	hub_world_open(&hub, &other_build, HUB_UPGRADED);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	assert_int_not_equal(programs_of(&hub, name), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &world.allow, &world.diags), 0);
	assert_int_equal(ask(&guest, 'c'), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &world.deny, &world.diags), 0);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	drop(&hub, &agent);
	assert_int_equal(ask(&guest, 'c'), 0);
	assert_true(is_heard(&guest));
	assert_int_equal(faccessat(hub.pins, name, F_OK, 0), -1);
	/* And again, in another slot. */
	hub_world_expect(attach(&hub, guest.deep, &world.deny, &agent), 0);
	assert_int_equal(ask(&guest, 'c'), -EPERM);
	drop(&hub, &agent);
	assert_int_equal(ask(&guest, 'c'), 0);
	end_guest(&guest);
	destroy(&hub);
}

static void expect_no_agent(struct hub *hub, int cgroup, int expected)
{
	struct hub_agent agent = { 0 };

	hub_world_expect(attach(hub, cgroup, &world.deny, &agent), expected);
}

static void agents_are_not_inside_each_other(void **state)
{
	CLEAN_FD int root = open(world.features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hub_agent attached = { 0 };
	struct hub_agent own = { 0 };
	CLEAN_FD int cgroup = -1;
	CLEAN_FD int picket = -1;
	struct guest guest;
	struct hub hub;

	(void)state;
	hub_world_open(&hub, NULL, HUB_NEW);
	start_guest(&guest);
	make(&hub, &world.deny, &own);
	hub_world_expect(attach(&hub, guest.inner, &world.deny, &attached), 0);
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
	drop(&hub, &attached);
	/* This process. */
	assert_int_equal(cgroup_join(guest.outer, 0), 0);
	expect_no_agent(&hub, guest.outer, -EINVAL);
	assert_int_equal(cgroup_join(root, 0), 0);
	drop(&hub, &own);
	end_guest(&guest);
	destroy(&hub);
}

/* The cgroup of an agent is removed by whose it is. */
static void attached_cgroup_may_go(void **state)
{
	struct hub_agent agent = { 0 };
	struct guest guest;
	struct hub hub;

	(void)state;
	hub_world_open(&hub, NULL, HUB_NEW);
	start_guest(&guest);
	hub_world_expect(attach(&hub, guest.inner, &world.deny, &agent), 0);
	end_guest(&guest);
	assert_int_equal(hub_agent_cgroup(&hub, &agent), -ESTALE);
	drop(&hub, &agent);
	start_guest(&guest);
	hub_world_expect(attach(&hub, guest.inner, &world.deny, &agent), 0);
	end_guest(&guest);
	hub_close(&hub);
	hub_world_open(&hub, NULL, HUB_ADOPTED);
	destroy(&hub);
}

/* Attaching that was cut short was promised to nobody; the cgroup is free again. */
static void half_attached_is_freed(void **state)
{
	struct hub_agent agent = { 0 };
	struct guest guest;
	char path[300];
	struct hub hub;

	(void)state;
	hub_world_open(&hub, NULL, HUB_NEW);
	start_guest(&guest);
	hub_world_expect(attach(&hub, guest.inner, &world.deny, &agent), 0);
	(void)snprintf(path, sizeof(path), "%s/agent-%u/link_pk_connect4", hub.pin_path,
		       agent.slot);
	assert_int_equal(unlink(path), 0);
	hub_close(&hub);
	hub_world_open(&hub, NULL, HUB_ADOPTED);
	assert_int_equal(ask(&guest, 'c'), 0);
	assert_true(is_heard(&guest));
	end_guest(&guest);
	destroy(&hub);
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
	hub_world_open(&hub, NULL, HUB_NEW);
	start_guest(&guest);
	/* Freed, it may call what it likes; also after another build took over. */
	hub_world_expect(attach(&hub, guest.inner, &image, &agent), 0);
	drop(&hub, &agent);
	assert_int_equal(ask(&guest, 'p'), 0);
	hub_world_expect(attach(&hub, guest.inner, &image, &agent), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &world.allow, &world.diags), 0);
	assert_int_equal(ask(&guest, 'p'), 0);
	hub_world_expect(hub_agent_replace(&hub, &agent, &image, &world.diags), 0);
	hub_close(&hub);
	hub_world_open(&hub, &other_build, HUB_UPGRADED);
	assert_int_equal(write(guest.orders, "p", 1), 1);
	assert_int_equal(waitpid(guest.pid, &status, 0), guest.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	drop(&hub, &agent);
	end_guest(&guest);
	destroy(&hub);
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
	hub_world_open(&hub, NULL, HUB_NEW);
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
		drop(&hub, &agent);
		assert_int_equal(ask(&guest, 'f'), 0);
	}
	end_guest(&guest);
	destroy(&hub);
	image_reset(&image);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchanged_policies_never_mix),
		cmocka_unit_test(upgrade_leaves_no_gap),
		cmocka_unit_test(upgrade_cut_short_is_done_again),
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
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return hub_world_run(run);
}
