/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One engine for all agents: they are made, judged and removed; its process is killed and another
 * takes over while nothing that is denied succeeds; what is damaged is refused and left alone; what
 * was cut short is cleared away. Runs in the tier that this host offers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <picket.skel.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "engine/cgroup.h"
#include "engine/publish.h"
#include "engine/stale.h"
#include "hub_world.h"

/* Agents at a time, and how often they are made and removed; in a guest. */
#define MANY 200
#define MANY_EMULATED 40
#define ROUNDS 3

static void agents_are_made_judged_and_removed(void **state)
{
	struct hub hub;
	struct hub_agent one = { 0 };
	struct hub_agent two = { 0 };

	(void)state;
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &one);
	hub_world_make(&hub, &hub_world.allow, &two);
	assert_int_not_equal(one.slot, two.slot);
	assert_int_equal(hub_world_connect_as(&hub, NULL), 0);
	assert_int_equal(hub_world_connect_as(&hub, &one), -EPERM);
	assert_int_equal(hub_world_connect_as(&hub, &two), 0);
	assert_int_equal(hub_world_denied(&hub, &one), 1);
	assert_int_equal(hub_world_denied(&hub, &two), 0);
	hub_world_expect(hub_agent_replace(&hub, &one, &hub_world.allow, &hub_world.diags), 0);
	assert_int_equal(hub_world_connect_as(&hub, &one), 0);
	hub_world_expect(hub_destroy(&hub, &hub_world.diags), -EBUSY);
	hub_world_drop(&hub, &one);
	hub_world_drop(&hub, &two);
	hub_world_return(&hub);
}

static void agent_with_processes_is_not_removed(void **state)
{
	struct hub_hammer hammer;
	struct hub_agent agent = { 0 };
	int status = 0;
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_world_expect(hub_agent_remove(&hub, &agent, &hub_world.diags), -EBUSY);
	hub_hammer_go(&hammer);
	hub_hammer_wait(&hammer, 10);
	assert_int_equal(hub_agent_kill(&hub, &agent), 0);
	assert_int_equal(waitpid(hammer.pid, &status, 0), hammer.pid);
	assert_true(WIFSIGNALED(status));
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
}

static void there_is_one_hub(void **state)
{
	struct hub hub;
	struct hub other = HUB_NONE;

	(void)state;
	hub_world_take(&hub);
	hub_world_expect(hub_open(&hub_world.features, PK_TIER_LSM, &other, &hub_world.diags),
			 -EBUSY);
	hub_world_return(&hub);
}

/* What embedded runs clear away is not the hub's. */
static void stale_runs_are_something_else(void **state)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	struct hub_agent agent = { 0 };
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	hub_world_expect(place_lock(&hub.roots, &lock, &hub_world.diags), 0);
	hub_world_expect(stale_clean(&hub.roots, &lock, &hub_world.diags), 0);
	place_unlock(&hub.roots, &lock);
	assert_int_equal(hub_world_connect_as(&hub, &agent), -EPERM);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
}

/* A process that takes the hub, puts @hammer into an agent of its, and waits to be killed. */
static pid_t start_owner(struct hub_hammer *hammer)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct hub_agent agent = { 0 };
		struct hub hub;

		if (hammer)
			mem_close_fd(&hammer->go);
		hub_world_take(&hub);
		if (hammer) {
			hub_world_make(&hub, &hub_world.deny, &agent);
			assert_int_equal(hub_agent_join(&hub, &agent, hammer->pid), 0);
		}
		(void)!write(ready[1], "x", 1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static int take_agent(void *context, const struct hub_agent *agent)
{
	struct hub_agent *first = context;

	assert_int_equal(first->slot, 0);
	*first = *agent;
	return 0;
}

static void kill_owner(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void killed_hub_goes_on(void **state)
{
	struct hub_agent agent = { 0 };
	struct hub_hammer hammer;
	struct hub hub;
	pid_t owner;

	(void)state;
	hub_world_take(&hub);
	hub_world_return(&hub);
	hub_hammer_start(&hammer);
	owner = start_owner(&hammer);
	hub_hammer_go(&hammer);
	hub_hammer_wait(&hammer, 100);
	kill_owner(owner);
	hub_hammer_wait(&hammer, 100);
	for (int i = 0; i < 5; i++) {
		owner = start_owner(NULL);
		hub_hammer_wait(&hammer, 20);
		kill_owner(owner);
	}
	hub_world_take(&hub);
	assert_int_equal(hub_agents(&hub, take_agent, &agent), 0);
	assert_true(agent.slot && agent.own);
	hub_hammer_wait(&hammer, 100);
	hub_hammer_stop(&hammer);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(hammer.strokes->other, 0);
	assert_int_equal(hub_world_denied(&hub, &agent), hammer.strokes->denied);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
}

/* The image that judges the agent, as it is in the kernel. */
static void image_is_read_back(void **state)
{
	struct policy_image image = { 0 };
	struct hub_agent agent = { 0 };
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	hub_close(&hub);
	hub_world_take(&hub);
	assert_int_equal(hub_agent_image(&hub, &agent, &image), 0);
	assert_int_equal(image.size, hub_world.deny.size);
	assert_memory_equal(image.bytes, hub_world.deny.bytes, image.size);
	image_reset(&image);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
}

/* What processes leave that were killed between two steps. */
static void half_made_agents_are_cleared_away(void **state)
{
	struct hub_agent agent = { 0 };
	CLEAN_FD int early = -1;
	const __u32 slots[] = { 78, 79 };
	int images;
	char name[32];
	struct hub hub;
	__u32 id = 0;

	(void)state;
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	hub_agent_name(agent.slot, name);
	assert_int_equal(unlinkat(hub.cgroups, name, AT_REMOVEDIR), 0);
	assert_int_equal(cgroup_create(hub.cgroups, "agent-78", &early), 0);
	images = bpf_map__fd(hub.loader.skel->maps.pk_images);
	for (size_t i = 0; i < 2; i++)
		hub_world_expect(publish_image(images, slots[i], &hub_world.deny, &hub_world.diags),
				 0);
	assert_int_equal(mkdirat(hub.pins, "agent-79", 0700), 0);
	hub_close(&hub);
	hub_world_take(&hub);
	agent = (struct hub_agent){ 0 };
	assert_int_equal(hub_agents(&hub, take_agent, &agent), 0);
	assert_int_equal(agent.slot, 0);
	assert_int_equal(faccessat(hub.cgroups, "agent-78", F_OK, 0), -1);
	assert_int_equal(faccessat(hub.pins, "agent-79", F_OK, 0), -1);
	images = bpf_map__fd(hub.loader.skel->maps.pk_images);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(bpf_map_lookup_elem(images, &slots[i], &id), -ENOENT);
	hub_world_return(&hub);
}

/* A set-up that was cut short is done again. */
static void half_made_hub_is_made_again(void **state)
{
	char path[256];
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	(void)snprintf(path, sizeof(path), "%s/abi-%d", hub.pin_path, PK_ABI_VERSION);
	assert_int_equal(rmdir(path), 0);
	hub_close(&hub);
	hub_world_open(&hub, NULL, HUB_NEW);
	hub_world_return(&hub);
}

/** Paths of a hub that is closed. */
struct pins {
	char root[200];
	char set[256];
};

static void note_pins(const struct hub *hub, struct pins *pins)
{
	(void)snprintf(pins->root, sizeof(pins->root), "%s", hub->pin_path);
	(void)snprintf(pins->set, sizeof(pins->set), "%s/links-%s", hub->pin_path, hub->build);
}

/* The hub cannot be opened, and the agent goes on being judged. */
static void expect_refused(int cgroup, int expected)
{
	struct hub hub = HUB_NONE;
	int status = 0;
	pid_t pid;

	hub_world_expect(hub_open(&hub_world.features, PK_TIER_LSM, &hub, &hub_world.diags),
			 expected);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cgroup_join(cgroup, 0) ? 1 : -hub_world_connect());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), EPERM);
}

static void move(const char *folder, const char *from, const char *to)
{
	char old[512];
	char new[512];

	(void)snprintf(old, sizeof(old), "%s/%s", folder, from);
	(void)snprintf(new, sizeof(new), "%s/%s", folder, to);
	assert_int_equal(rename(old, new), 0);
}

static void damaged_links_are_refused(const struct pins *pins, int cgroup)
{
	/* One is missing: its program goes on, held by the other name. */
	move(pins->set, "link_pk_connect6", "pk_connect6");
	expect_refused(cgroup, -EBADF);
	move(pins->set, "pk_connect6", "link_pk_connect6");
	/* Two are exchanged. */
	move(pins->set, "link_pk_connect6", "x");
	move(pins->set, "link_pk_sendmsg6", "link_pk_connect6");
	move(pins->set, "x", "link_pk_sendmsg6");
	expect_refused(cgroup, -EBADF);
	move(pins->set, "link_pk_connect6", "x");
	move(pins->set, "link_pk_sendmsg6", "link_pk_connect6");
	move(pins->set, "x", "link_pk_sendmsg6");
	/* A map in the place of a link. */
	move(pins->set, "link_pk_connect6", "x");
	move(pins->set, "map_rodata", "link_pk_connect6");
	expect_refused(cgroup, -EBADF);
	move(pins->set, "link_pk_connect6", "map_rodata");
	move(pins->set, "x", "link_pk_connect6");
}

static void damaged_maps_are_refused(const struct pins *pins, int cgroup)
{
	char path[512];

	move(pins->root, "map_pk_own", "map_x");
	expect_refused(cgroup, -EBADF);
	move(pins->root, "map_pk_agents", "map_pk_own");
	move(pins->root, "map_x", "map_pk_agents");
	expect_refused(cgroup, -EBADF);
	move(pins->root, "map_pk_agents", "map_x");
	move(pins->root, "map_pk_own", "map_pk_agents");
	(void)snprintf(path, sizeof(path), "%s/map_pk_own", pins->root);
	assert_int_equal(symlink("map_x", path), 0);
	expect_refused(cgroup, -EBADF);
	assert_int_equal(unlink(path), 0);
	move(pins->root, "map_x", "map_pk_own");
}

static void odd_folders_are_refused(const struct pins *pins, int cgroup)
{
	char marker[32];

	(void)snprintf(marker, sizeof(marker), "abi-%d", PK_ABI_VERSION);
	move(pins->root, marker, "abi-99");
	expect_refused(cgroup, -EPROTONOSUPPORT);
	move(pins->root, "abi-99", marker);
	assert_int_equal(chmod(pins->root, 0755), 0);
	expect_refused(cgroup, -EBADF);
	assert_int_equal(chmod(pins->root, 0700), 0);
	assert_int_equal(chown(pins->root, 1, 1), 0);
	expect_refused(cgroup, -EBADF);
	assert_int_equal(chown(pins->root, 0, 0), 0);
	move(pins->root, "map_pk_own", "something");
	expect_refused(cgroup, -EBADF);
	move(pins->root, "something", "map_pk_own");
}

static void what_is_damaged_is_left_alone(void **state)
{
	struct hub_agent agent = { 0 };
	CLEAN_FD int cgroup = -1;
	struct pins pins = { 0 };
	struct hub hub;

	(void)state;
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	cgroup = hub_agent_cgroup(&hub, &agent);
	assert_true(cgroup >= 0);
	note_pins(&hub, &pins);
	hub_close(&hub);
	damaged_links_are_refused(&pins, cgroup);
	damaged_maps_are_refused(&pins, cgroup);
	odd_folders_are_refused(&pins, cgroup);
	/* All is where it was: it is taken over. */
	hub_world_take(&hub);
	assert_int_equal(hub_world_connect_as(&hub, &agent), -EPERM);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
}

/* Without processes that it judges, it can be removed. */
static void what_is_damaged_can_be_removed(void **state)
{
	struct hub_agent agent = { 0 };
	struct hub_hammer hammer;
	struct pins pins = { 0 };
	struct hub hub;

	(void)state;
	hub_hammer_start(&hammer);
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	note_pins(&hub, &pins);
	hub_world_expect(hub_wipe(&hub_world.features, &hub_world.diags), -EBUSY);
	hub_close(&hub);
	move(pins.root, "map_pk_own", "something");
	move(pins.set, "link_pk_connect6", "pk_connect6");
	hub_world_expect(hub_wipe(&hub_world.features, &hub_world.diags), -EBUSY);
	hub_hammer_wait(&hammer, 10);
	hub_hammer_stop(&hammer);
	assert_int_equal(hammer.strokes->succeeded, 0);
	hub_world_expect(hub_wipe(&hub_world.features, &hub_world.diags), 0);
	hub_world.is_there = false;
	assert_false(hub_world_is_there(hub_world.features.bpffs));
	assert_false(hub_world_is_there(hub_world.features.cgroup_root));
}

static int count_entry(void *context, const char *name)
{
	(void)name;
	++*(size_t *)context;
	return 0;
}

/* Folders, cgroups and descriptors that there are. */
static size_t count_things(const struct hub *hub)
{
	size_t count = 0;

	assert_int_equal(hub_each_entry(hub->pins, ".", count_entry, &count), 0);
	assert_int_equal(hub_each_entry(hub->cgroups, ".", count_entry, &count), 0);
	assert_int_equal(hub_each_entry(AT_FDCWD, "/proc/self/fd", count_entry, &count), 0);
	return count;
}

/* Pages of memory of our own. */
static long resident(void)
{
	CLEAN_FILE FILE *file = fopen("/proc/self/statm", "re");
	char line[128];
	char *end = NULL;

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	(void)strtol(line, &end, 10);
	return strtol(end, NULL, 10);
}

/* Make and remove @many agents; the ids of their images are left in @ids. */
static void make_many(struct hub *hub, int many, __u32 ids[MANY])
{
	static struct hub_agent agents[MANY];
	int images = bpf_map__fd(hub->loader.skel->maps.pk_images);

	for (int i = 0; i < many; i++) {
		hub_world_make(hub, i % 2 ? &hub_world.deny : &hub_world.allow, &agents[i]);
		assert_int_equal(bpf_map_lookup_elem(images, &agents[i].slot, &ids[i]), 0);
	}
	for (int i = 0; i < many; i += 20)
		assert_int_equal(hub_world_connect_as(hub, &agents[i + i / 20 % 2]),
				 i / 20 % 2 ? -EPERM : 0);
	for (int i = 0; i < many; i++)
		hub_world_drop(hub, &agents[i]);
}

/* Wait until the kernel let go of the map. */
static bool is_gone(__u32 id)
{
	for (int i = 0; i < 1000; i++) {
		CLEAN_FD int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			return errno == ENOENT;
		hub_world_sleep(10);
	}
	return false;
}

static void many_agents_leave_nothing(void **state)
{
	const int many = hub_world_times(MANY, MANY_EMULATED);
	__u32 ids[MANY];
	size_t things;
	struct hub hub;
	long pages;

	(void)state;
	hub_world_take(&hub);
	make_many(&hub, many, ids);
	things = count_things(&hub);
	pages = resident();
	for (int i = 0; i < ROUNDS; i++)
		make_many(&hub, many, ids);
	assert_int_equal(count_things(&hub), things);
	assert_true(resident() <= pages + 64);
	for (int i = 0; i < many; i++)
		assert_true(is_gone(ids[i]));
	hub_world_return(&hub);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_are_made_judged_and_removed),
		cmocka_unit_test(agent_with_processes_is_not_removed),
		cmocka_unit_test(there_is_one_hub),
		cmocka_unit_test(stale_runs_are_something_else),
		cmocka_unit_test(killed_hub_goes_on),
		cmocka_unit_test(image_is_read_back),
		cmocka_unit_test(half_made_agents_are_cleared_away),
		cmocka_unit_test(half_made_hub_is_made_again),
		cmocka_unit_test(what_is_damaged_is_left_alone),
		cmocka_unit_test(what_is_damaged_can_be_removed),
		cmocka_unit_test(many_agents_leave_nothing),
	};

	return cmocka_run_group_tests(tests, hub_world_start, hub_world_end);
}

/* An argument is a pattern of tests to be run: "killed*". */
int main(int argc, char **argv)
{
	return hub_world_main(argc, argv, run);
}
