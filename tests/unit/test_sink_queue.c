/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits for a sink, in memory and on disk: whatever comes, goes, dies and comes back, the account
 * is exact, and no decision is lost before activity is.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dice.h"
#include "sink/queue.h"

#define MIB ((size_t)1 << 20)

/** What all tests share. */
struct world {
	char folder[32];
	int parent; /* the folder */
	__u64 told; /* of losses */
};

static struct world *world(void)
{
	static struct world shared = { "/tmp/picket-queue-XXXXXX", -1, 0 };

	return &shared;
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(world()->folder))
		return -1;
	world()->parent = open(world()->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return world()->parent < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
	char command[80];

	(void)state;
	mem_close_fd(&world()->parent);
	(void)snprintf(command, sizeof(command), "rm -rf %s", world()->folder);
	return system(command);
}

static void take_loss(void *context, const struct sink_line *line, bool on_disk)
{
	(void)context;
	(void)line;
	(void)on_disk;
	world()->told++;
}

static void open_queue(struct sink_queue *queue, size_t memory, const char *name, size_t disk)
{
	struct spool spool = SPOOL_NONE;
	__u64 waiting[SINK__CLASSES] = { 0 };

	if (name)
		assert_int_equal(spool_open(&spool, world()->parent, name, disk, waiting), 0);
	sink_queue_open(queue, memory, &spool, waiting);
	queue->lost = take_loss;
}

static void offer(struct sink_queue *queue, enum sink_class class, unsigned int number, size_t size)
{
	CLEAN_FREE char *text = calloc(1, size + 1);
	struct sink_line *line;

	memset(text, '.', size);
	(void)snprintf(text, size, "%u ", number);
	text[strlen(text)] = ' ';
	line = sink_line_new(class, text, size);
	assert_non_null(line);
	sink_queue_add(queue, line);
	sink_line_drop(&line);
}

static void check_account(const struct sink_queue *queue)
{
	const struct sink_counts *counts = &queue->counts;

	for (int class = 0; class < SINK__CLASSES; class ++)
		assert_int_equal(counts->sent[class] + counts->lost[class] + counts->queued[class] +
					 counts->spooled[class],
				 counts->offered[class]);
}

/* Take the next: its number, or -1. */
static int take(struct sink_queue *queue)
{
	const struct sink_item *item = sink_queue_next(queue);
	int number = item ? (int)strtol(item->line->text, NULL, 10) : -1;

	if (item)
		sink_queue_take(queue);
	return number;
}

static void order_is_kept(void **state)
{
	struct sink_queue queue;

	(void)state;
	open_queue(&queue, MIB, NULL, 0);
	for (unsigned int i = 0; i < 40; i++)
		offer(&queue, (enum sink_class)(i % SINK__CLASSES), i, 50);
	for (int i = 0; i < 40; i++)
		assert_int_equal(take(&queue), i);
	assert_int_equal(take(&queue), -1);
	sink_queue_done(&queue, 10, true);
	sink_queue_done(&queue, 12, false);
	assert_int_equal(sink_queue_waiting(&queue), 28);
	check_account(&queue);
	/* The process died: what it had not delivered comes again. */
	sink_queue_return(&queue);
	for (int i = 12; i < 40; i++)
		assert_int_equal(take(&queue), i);
	check_account(&queue);
	sink_queue_close(&queue);
	assert_int_equal(queue.bytes, 0);
}

static void activity_makes_room(void **state)
{
	struct sink_queue queue;

	(void)state;
	world()->told = 0;
	open_queue(&queue, 64 * 1024, NULL, 0);
	for (unsigned int i = 0; i < 1000; i++)
		offer(&queue, SINK_ACTIVITY, i, 500);
	assert_true(queue.counts.lost[SINK_ACTIVITY] > 800);
	for (unsigned int i = 0; i < 20; i++)
		offer(&queue, SINK_DECISION, i, 500);
	assert_int_equal(queue.counts.lost[SINK_DECISION], 0);
	assert_true(queue.bytes <= queue.limit);
	/* Without a disk and without activity to displace, it is full in the end, and says so. */
	for (unsigned int i = 0; i < 1000; i++)
		offer(&queue, SINK_DECISION, i, 500);
	assert_true(queue.counts.lost[SINK_DECISION] > 800);
	assert_int_equal(queue.counts.queued[SINK_ACTIVITY], 0);
	assert_int_equal(world()->told,
			 queue.counts.lost[SINK_ACTIVITY] + queue.counts.lost[SINK_DECISION]);
	check_account(&queue);
	sink_queue_close(&queue);
}

static void decisions_wait_on_disk(void **state)
{
	struct sink_queue queue;

	(void)state;
	open_queue(&queue, 64 * 1024, "disk", 8 * MIB);
	for (unsigned int i = 0; i < 3000; i++)
		offer(&queue, i % 2 ? SINK_RECORD : SINK_DECISION, i, 500);
	assert_true(queue.counts.spooled[SINK_DECISION] > 1000);
	check_account(&queue);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(take(&queue), i);
		if (i % 7 == 0)
			sink_queue_done(&queue, queue.number, true);
	}
	sink_queue_done(&queue, queue.number, true);
	assert_int_equal(queue.counts.sent[SINK_DECISION] + queue.counts.sent[SINK_RECORD], 3000);
	check_account(&queue);
	sink_queue_close(&queue);
}

/* As after kill -9: nothing was closed, and what was not told to be delivered is there again. */
static void what_was_not_delivered_is_there_again(void **state)
{
	struct sink_queue queue;
	struct sink_queue next;

	(void)state;
	open_queue(&queue, 64 * 1024, "again", 8 * MIB);
	for (unsigned int i = 0; i < 500; i++)
		offer(&queue, SINK_DECISION, i, 400);
	for (int i = 0; i < 300; i++)
		assert_int_equal(take(&queue), i);
	sink_queue_done(&queue, 200, true);
	open_queue(&next, 64 * 1024, "again", 8 * MIB);
	assert_int_equal(next.counts.spooled[SINK_DECISION], 300);
	assert_int_equal(next.counts.offered[SINK_DECISION], 300);
	for (int i = 200; i < 500; i++)
		assert_int_equal(take(&next), i);
	sink_queue_done(&next, 300, true);
	check_account(&next);
	sink_queue_close(&next);
	open_queue(&next, 64 * 1024, "again", 8 * MIB);
	assert_int_equal(sink_queue_waiting(&next), 0);
	sink_queue_close(&next);
	sink_queue_close(&queue);
}

/* The end of a file that a dying process, or a crashed machine, left. */
static void a_cut_line_is_none(void **state)
{
	struct sink_queue queue;
	char path[80];
	int fd;

	(void)state;
	open_queue(&queue, MIB, "cut", 8 * MIB);
	offer(&queue, SINK_DECISION, 0, 100);
	offer(&queue, SINK_DECISION, 1, 100);
	sink_queue_close(&queue);
	(void)snprintf(path, sizeof(path), "%s/cut/0000000001.lines", world()->folder);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "d{\"cut", 6), 6);
	assert_int_equal(close(fd), 0);
	open_queue(&queue, MIB, "cut", 8 * MIB);
	assert_int_equal(queue.counts.spooled[SINK_DECISION], 2);
	offer(&queue, SINK_DECISION, 2, 100);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(&queue), i);
	assert_int_equal(take(&queue), -1);
	sink_queue_close(&queue);
	/* A position that is none: all of it again. */
	(void)snprintf(path, sizeof(path), "%s/cut/position", world()->folder);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(close(fd), 0);
	open_queue(&queue, MIB, "cut", 8 * MIB);
	assert_int_equal(queue.counts.spooled[SINK_DECISION], 3);
	sink_queue_close(&queue);
}

static void a_full_spool_is_counted(void **state)
{
	struct sink_queue queue;

	(void)state;
	open_queue(&queue, 64 * 1024, "full", MIB);
	for (unsigned int i = 0; i < 5000; i++)
		offer(&queue, SINK_DECISION, i, 500);
	assert_true(queue.counts.lost[SINK_DECISION] > 2000);
	assert_int_equal(queue.spool.error, -ENOSPC);
	assert_true(queue.spool.bytes <= MIB);
	check_account(&queue);
	/* What there is arrives, and then there is room again. */
	while (take(&queue) >= 0)
		sink_queue_done(&queue, queue.number, true);
	check_account(&queue);
	assert_int_equal(queue.counts.sent[SINK_DECISION] + queue.counts.lost[SINK_DECISION], 5000);
	offer(&queue, SINK_DECISION, 7, 500);
	assert_int_equal(queue.spool.error, 0);
	assert_int_equal(take(&queue), 7);
	sink_queue_close(&queue);
}

static void too_large_ones_are_refused(void **state)
{
	struct sink_queue queue;

	(void)state;
	open_queue(&queue, MIB, "large", 8 * MIB);
	offer(&queue, SINK_DECISION, 0, 100);
	offer(&queue, SINK_DECISION, 1, 100);
	assert_int_equal(take(&queue), 0);
	assert_non_null(sink_queue_next(&queue));
	sink_queue_refuse(&queue);
	assert_int_equal(queue.counts.lost[SINK_DECISION], 1);
	assert_int_equal(queue.counts.sent[SINK_DECISION], 0);
	sink_queue_done(&queue, 1, true);
	check_account(&queue);
	sink_queue_close(&queue);
}

/* One step of any kind. */
static void step(struct sink_queue *queue, struct dice *dice, unsigned int *number)
{
	unsigned int what = dice_roll(dice, 100);

	if (what < 60)
		offer(queue, (enum sink_class)dice_roll(dice, SINK__CLASSES), (*number)++,
		      20 + dice_roll(dice, 3000));
	else if (what < 85)
		(void)take(queue);
	else if (what < 97 && queue->taken.head)
		sink_queue_done(queue, queue->taken.head->number + dice_roll(dice, 3),
				dice_roll(dice, 10) != 0);
	else if (what == 97)
		sink_queue_return(queue);
}

static void any_order_of_events_adds_up(void **state)
{
	struct dice dice = { .state = 7 };

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct sink_queue queue;
		unsigned int number = 0;
		char name[16];

		(void)snprintf(name, sizeof(name), "any%d", round);
		open_queue(&queue, 64 * 1024, round % 4 ? name : NULL, MIB);
		for (int i = 0; i < 2000; i++) {
			step(&queue, &dice, &number);
			check_account(&queue);
		}
		while (take(&queue) >= 0)
			sink_queue_done(&queue, queue.number, true);
		sink_queue_done(&queue, queue.number, true);
		assert_int_equal(sink_queue_waiting(&queue), 0);
		assert_int_equal(queue.bytes, 0);
		check_account(&queue);
		sink_queue_close(&queue);
	}
}

static void the_agent_is_found(void **state)
{
	static const struct {
		const char *text;
		const char *agent;
	} rows[] = {
		{ "{\"schema\":\"picket.event/1\",\"time\":\"t\",\"kind\":\"decision\",\"agent\":"
		  "\"a-1-00000000\",\"op\":\"x\"}",
		  "a-1-00000000" },
		{ "{\"schema\":\"picket.event/1\",\"time\":\"t\",\"kind\":\"daemon\",\"op\":"
		  "\"start\",\"agent\":\"no\"}",
		  NULL },
		{ "nothing", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink_line *line =
			sink_line_new(SINK_DECISION, rows[i].text, strlen(rows[i].text));
		size_t length = 0;
		const char *agent = sink_line_agent(line, &length);

		assert_int_equal(!!agent, !!rows[i].agent);
		if (agent)
			assert_memory_equal(agent, rows[i].agent, length);
		sink_line_drop(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(activity_makes_room),
		cmocka_unit_test(decisions_wait_on_disk),
		cmocka_unit_test(what_was_not_delivered_is_there_again),
		cmocka_unit_test(a_cut_line_is_none),
		cmocka_unit_test(a_full_spool_is_counted),
		cmocka_unit_test(too_large_ones_are_refused),
		cmocka_unit_test(any_order_of_events_adds_up),
		cmocka_unit_test(the_agent_is_found),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
