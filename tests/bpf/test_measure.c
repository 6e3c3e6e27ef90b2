/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs count besides verdicts: activity held back by report.rate, exactly; and how long
 * decisions take, only while somebody wants to know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hub_world.h"

#include <bpf/libbpf.h>
#include <picket.skel.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/agent.h"
#include "engine/latency.h"

#define PROCESSES 4
#define EACH 100
#define RATE 10

/** What the tests share. */
struct world {
	struct hub hub;
	struct policy_image reporting;
	struct hub_agent agent;
	struct ring_buffer *ring;
	unsigned long shown; /* records of activity */
};

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what tests have */
static struct world world = { .hub = HUB_NONE };

static int take(void *context, void *bytes, size_t size)
{
	const struct pk_event *event = bytes;

	(void)context;
	if (size >= sizeof(*event) && event->kind == PK_EVENT_ACTIVITY &&
	    event->agent == world.agent.slot)
		world.shown++;
	return 0;
}

static __u64 counted(enum pk_count which)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };

	assert_int_equal(agent_counts(&world.hub.loader, world.agent.slot, counts), 0);
	return counts[which];
}

static __u64 now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

/* The listener has room for some 1000 connections, also for those that are over. */
static void make_room(void)
{
	int fd;

	while ((fd = accept(hub_world.listener, NULL, NULL)) >= 0)
		(void)close(fd);
}

/* @processes of the agent connect @each times, all at once. Returns how long that took, in ns. */
static __u64 connect_often(int processes, int each)
{
	int go[2];
	int status = 0;
	char byte;
	pid_t pids[PROCESSES];
	__u64 start;

	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < processes; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			(void)close(go[1]);
			(void)!read(go[0], &byte, 1);
			for (int j = 0; j < each; j++)
				(void)hub_world_connect();
			_exit(0);
		}
		assert_int_equal(hub_agent_join(&world.hub, &world.agent, pids[i]), 0);
	}
	(void)close(go[0]);
	start = now_ns();
	(void)close(go[1]);
	for (int i = 0; i < processes; i++)
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
	start = now_ns() - start;
	make_room();
	return start;
}

static void held_back_records_are_counted_exactly(void **state)
{
	__u64 limited = counted(PK_COUNT_ACTIVITY_LIMITED);
	__u64 spent;

	(void)state;
	world.shown = 0;
	spent = connect_often(PROCESSES, EACH);
	assert_true(ring_buffer__consume(world.ring) >= 0);
	limited = counted(PK_COUNT_ACTIVITY_LIMITED) - limited;
	assert_int_equal(counted(PK_COUNT_ACTIVITY_LOST), 0);
	assert_int_equal(world.shown + limited, PROCESSES * EACH);
	/* A second's worth at once, then by and by. */
	assert_true(world.shown >= RATE);
	assert_true(world.shown <= RATE + spent * RATE / 1000000000ULL + 1);
}

struct seen {
	__u64 connects;
	__u64 all;
	int wrong; /* sums that do not fit to their buckets */
};

static int look(void *context, __u32 op, const struct pk_latency *latency)
{
	struct seen *seen = context;
	__u64 least = 0;
	__u64 most = 0;

	for (unsigned int i = 1; i < PK_LATENCY_BUCKETS; i++) {
		least += latency->buckets[i] << (i - 1);
		most += latency->buckets[i] << i;
	}
	seen->wrong += latency->sum_ns < least ||
		       (!latency->buckets[PK_LATENCY_BUCKETS - 1] && latency->sum_ns > most);
	seen->all += latency_count(latency);
	if (op == PK_OP_CONNECT)
		seen->connects += latency_count(latency);
	return 0;
}

static struct seen seen_now(void)
{
	struct seen seen = { 0 };

	assert_int_equal(latency_each(&world.hub, look, &seen), 0);
	assert_int_equal(seen.wrong, 0);
	return seen;
}

static void times_are_taken_while_wanted(void **state)
{
	struct seen before = seen_now();
	struct seen after;

	(void)state;
	(void)connect_often(1, EACH);
	after = seen_now();
	assert_int_equal(after.all, before.all);
	latency_sample(&world.hub, 1);
	(void)connect_often(1, EACH);
	latency_sample(&world.hub, 0);
	before = after;
	after = seen_now();
	assert_true(after.connects - before.connects >= EACH);
	before = after;
	(void)connect_often(1, EACH);
	after = seen_now();
	assert_int_equal(after.all, before.all);
	/* What `picket top` asks for is another thing. */
	assert_int_equal(counted(PK_COUNT_TIMED), 0);
}

static void a_sample_is_about_one_in_so_many(void **state)
{
	struct seen before = seen_now();
	struct seen after;
	__u64 each_time;

	(void)state;
	latency_sample(&world.hub, 1);
	(void)connect_often(1, EACH);
	after = seen_now();
	each_time = (after.connects - before.connects) / EACH;
	before = after;
	latency_sample(&world.hub, 4);
	(void)connect_often(PROCESSES, 2 * EACH);
	latency_sample(&world.hub, 0);
	after = seen_now();
	/* 200 expected of 800, or twice as many; eight deviations are 100. */
	assert_in_range(after.connects - before.connects, 100 * each_time, 300 * each_time);
}

static int start(void **state)
{
	(void)hub_world_start(state);
	hub_world_take(&world.hub);
	hub_world_compile("picket: 1\n"
			  "name: reporting\n"
			  "process: {profile: 'off'}\n"
			  "egress: {default: allow}\n"
			  "report: {activity: [connect], rate: 10/s}\n",
			  &world.reporting);
	hub_world_make(&world.hub, &world.reporting, &world.agent);
	world.ring = ring_buffer__new(bpf_map__fd(world.hub.loader.skel->maps.pk_activity), take,
				      NULL, NULL);
	return world.ring ? 0 : -1;
}

static int finish(void **state)
{
	ring_buffer__free(world.ring);
	hub_world_drop(&world.hub, &world.agent);
	hub_world_return(&world.hub);
	image_reset(&world.reporting);
	return hub_world_end(state);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_back_records_are_counted_exactly),
		cmocka_unit_test(times_are_taken_while_wanted),
		cmocka_unit_test(a_sample_is_about_one_in_so_many),
	};

	return cmocka_run_group_tests(tests, start, finish);
}

int main(int argc, char **argv)
{
	return hub_world_main(argc, argv, run);
}
