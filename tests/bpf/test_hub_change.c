/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes while agents run: their policies, and the programs that judge them. Processes hammer
 * meanwhile, and what is denied never succeeds.
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
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "hub_world.h"

/* How often a policy is exchanged under load. */
#define EXCHANGES 500
#define EXCHANGES_EMULATED 60
/* How often who reads records is killed. */
#define KILLS 200
#define KILLS_EMULATED 20
/* Moments of an upgrade at which its process is killed; in a guest. */
#define CUTS 8
#define CUTS_EMULATED 2

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
	const int exchanges = hub_world_times(EXCHANGES, EXCHANGES_EMULATED);
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
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	tally.agent = agent.slot;
	ring = ring_buffer__new(bpf_map__fd(hub.loader.skel->maps.pk_decisions), count_record,
				&tally, NULL);
	assert_non_null(ring);
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	for (int i = 0; i < exchanges; i++) {
		hub_world_expect(hub_agent_replace(&hub, &agent, i % 2 ? &hub_world.deny : &by_rule,
						   &hub_world.diags),
				 0);
		hub_hammer_wait(&hammer, 1);
		assert_true(ring_buffer__consume(ring) >= 0);
	}
	hub_hammer_stop(&hammer);
	assert_true(ring_buffer__consume(ring) >= 0);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(hammer.strokes->other, 0);
	assert_true(tally.reasons[PK_REASON_RULE] > (unsigned long)exchanges / 4);
	assert_true(tally.reasons[PK_REASON_DEFAULT] > (unsigned long)exchanges / 4);
	/* Every denial is accounted for: in the ring, or lost because nobody read it in time. */
	assert_int_equal(agent_counts(&hub.loader, agent.slot, counts), 0);
	assert_int_equal(counts[PK_COUNT_DENIED], hammer.strokes->denied);
	assert_int_equal(tally.reasons[PK_REASON_RULE] + tally.reasons[PK_REASON_DEFAULT] +
				 counts[PK_COUNT_DECISION_LOST],
			 hammer.strokes->denied);
	for (int i = 0; i < PK_REASON__MAX; i++)
		assert_true(tally.reasons[i] == 0 || i == PK_REASON_RULE || i == PK_REASON_DEFAULT);
	ring_buffer__free(ring);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
	image_reset(&by_rule);
}

/** What readers that are killed have taken; shared with them. */
struct taken {
	volatile unsigned long records;
	__u32 agent;
};

static int take_record(void *context, void *bytes, size_t size)
{
	const struct pk_event *event = bytes;
	struct taken *taken = context;

	if (size >= sizeof(*event) && event->agent == taken->agent)
		taken->records++;
	return 0;
}

static struct ring_buffer *read_decisions(const struct hub *hub, struct taken *taken)
{
	struct ring_buffer *ring = ring_buffer__new(
		bpf_map__fd(hub->loader.skel->maps.pk_decisions), take_record, taken, NULL);

	assert_non_null(ring);
	return ring;
}

/* A process that reads records until it is killed. */
static pid_t start_reader(const struct hub *hub, struct taken *taken)
{
	struct ring_buffer *ring;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	ring = read_decisions(hub, taken);
	for (;;)
		(void)ring_buffer__poll(ring, -1);
}

/*
 * Whoever reads goes on where the one before was killed: every denial was read or is counted as lost. What
 * one had in its hands when it was killed is read once more.
 */
static void killed_readers_lose_nothing(void **state)
{
	const int kills = hub_world_times(KILLS, KILLS_EMULATED);
	__u64 counts[PK_COUNT__MAX] = { 0 };
	struct hub_agent agent = { 0 };
	struct hub_hammer hammer;
	struct ring_buffer *ring;
	struct taken *taken;
	struct hub hub;
	__u64 found;

	(void)state;
	taken = mmap(NULL, sizeof(*taken), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_true(taken != MAP_FAILED);
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	taken->agent = agent.slot;
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	for (int i = 0; i < kills; i++) {
		pid_t pid = start_reader(&hub, taken);

		hub_hammer_wait(&hammer, 5);
		hub_world_sleep((unsigned int)i % 20);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	hub_hammer_stop(&hammer);
	assert_true(taken->records > 0);
	ring = read_decisions(&hub, taken);
	assert_true(ring_buffer__consume(ring) >= 0);
	ring_buffer__free(ring);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(agent_counts(&hub.loader, agent.slot, counts), 0);
	assert_int_equal(counts[PK_COUNT_DENIED], hammer.strokes->denied);
	found = taken->records + counts[PK_COUNT_DECISION_LOST];
	assert_in_range(found, hammer.strokes->denied,
			hammer.strokes->denied + (unsigned long)kills);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
	(void)munmap(taken, sizeof(*taken));
}

static int count_set(void *context, const char *name)
{
	if (strncmp(name, HUB_SET_PREFIX, strlen(HUB_SET_PREFIX)) == 0)
		++*(int *)context;
	return 0;
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
	return hub_world_programs(hub, set);
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
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	images = images_map(&hub);
	first = check_sets(&hub);
	assert_int_equal(hub_rodata(&hub, hub.build, "pk_host_seed", &seed), 0);
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	hub_hammer_wait(&hammer, 10);
	hub_close(&hub);
	hub_world_upgrade(&hub);
	assert_string_equal(hub.build, hub_world_other.name);
	assert_int_equal(images_map(&hub), images);
	second = check_sets(&hub);
	assert_int_not_equal(first, second);
	assert_int_equal(hub_rodata(&hub, hub.build, "pk_host_seed", &same), 0);
	assert_int_equal(seed, same);
	assert_int_equal(hub_rodata(&hub, hub.build, "pk_cache_check", &same), 0);
	assert_int_equal(same, 1);
	hub_hammer_wait(&hammer, 10);
	hub_close(&hub);
	hub_world_take(&hub);
	assert_int_equal(check_sets(&hub), second);
	hub_hammer_wait(&hammer, 10);
	hub_hammer_stop(&hammer);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(hammer.strokes->other, 0);
	assert_int_equal(hub_world_denied(&hub, &agent), hammer.strokes->denied);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
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
		(void)hub_open_as(&hub_world.features, PK_TIER_LSM, build, hub, &hub_world.diags);
	else
		(void)hub_open(&hub_world.features, PK_TIER_LSM, hub, &hub_world.diags);
	_exit(0);
}

static int count_trial(void *context, const char *name)
{
	if (strncmp(name, "run-", 4) == 0)
		++*(int *)context;
	return 0;
}

/* Places where programs were tried alone. */
static int count_trials(const struct hub *hub)
{
	int trials = 0;

	assert_int_equal(hub_each_entry(hub->cgroups, "..", count_trial, &trials), 0);
	assert_int_equal(hub_each_entry(hub->pins, "..", count_trial, &trials), 0);
	return trials;
}

/* Killed at any moment of an upgrade, whoever comes next finds a whole set. */
static void upgrade_cut_short_is_done_again(void **state)
{
	const int cuts = hub_world_times(CUTS, CUTS_EMULATED);
	struct hub_agent agent = { 0 };
	struct hub_hammer hammer;
	struct hub hub;
	long whole;

	(void)state;
	hub_world_take(&hub);
	hub_world_make(&hub, &hub_world.deny, &agent);
	hub_hammer_start(&hammer);
	assert_int_equal(hub_agent_join(&hub, &agent, hammer.pid), 0);
	hub_hammer_go(&hammer);
	hub_close(&hub);
	if (!hub_world.upgrade_ms) {
		hub_world_upgrade(&hub);
		hub_close(&hub);
	}
	whole = hub_world.upgrade_ms;
	for (long i = 0; i < cuts; i++) {
		pid_t pid = start_opening(&hub, i % 2 ? &hub_world_other : NULL);

		hub_world_sleep((unsigned int)(whole * (i + 1) / cuts));
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		hub_hammer_wait(&hammer, 5);
	}
	hub_world_expect(hub_open(&hub_world.features, PK_TIER_LSM, &hub, &hub_world.diags), 0);
	hub_world.build = NULL;
	(void)check_sets(&hub);
	assert_int_equal(count_trials(&hub), 0);
	hub_hammer_wait(&hammer, 10);
	hub_hammer_stop(&hammer);
	assert_int_equal(hammer.strokes->succeeded, 0);
	assert_int_equal(hammer.strokes->other, 0);
	hub_world_drop(&hub, &agent);
	hub_world_return(&hub);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchanged_policies_never_mix),
		cmocka_unit_test(killed_readers_lose_nothing),
		cmocka_unit_test(upgrade_leaves_no_gap),
		cmocka_unit_test(upgrade_cut_short_is_done_again),
	};

	return cmocka_run_group_tests(tests, hub_world_start, hub_world_end);
}

/* An argument is a pattern of tests to be run: "killed*". */
int main(int argc, char **argv)
{
	return hub_world_main(argc, argv, run);
}
