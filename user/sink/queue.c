/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each line is in one place at a time, and in one column of the account. Knows nothing of processes.
 */
#include "sink/queue.h"

#include <errno.h>
#include <stdlib.h>

/* What an item costs besides its text. */
#define ITEM_BYTES (sizeof(struct sink_item) + sizeof(struct sink_line) + 32)

/* Lines that are read from the disk at once. */
#define READ_BACK 64

/* --- Lists ---------------------------------------------------------------------------------------- */

static void list_init(struct sink_list *list)
{
	list->head = NULL;
	list->tail = &list->head;
}

static void list_append(struct sink_list *list, struct sink_item *item)
{
	item->next = NULL;
	*list->tail = item;
	list->tail = &item->next;
}

static struct sink_item *list_pop(struct sink_list *list)
{
	struct sink_item *item = list->head;

	if (!item)
		return NULL;
	list->head = item->next;
	if (!list->head)
		list->tail = &list->head;
	return item;
}

/* Put all of @from before all of @to. */
static void list_prepend(struct sink_list *to, struct sink_list *from)
{
	if (!from->head)
		return;
	*from->tail = to->head;
	if (!to->head)
		to->tail = from->tail;
	to->head = from->head;
	list_init(from);
}

/* --- Items ---------------------------------------------------------------------------------------- */

static size_t cost(const struct sink_line *line)
{
	return line->length + ITEM_BYTES;
}

static bool is_kept(enum sink_class class)
{
	return class == SINK_DECISION || class == SINK_RECORD;
}

static void count_lost(struct sink_queue *queue, const struct sink_line *line, bool on_disk)
{
	queue->counts.lost[line->class]++;
	if (queue->lost)
		queue->lost(queue->context, line, on_disk);
}

static void free_item(struct sink_queue *queue, struct sink_item *item)
{
	queue->bytes -= cost(item->line);
	queue->counts.queued[item->line->class]--;
	sink_line_drop(&item->line);
	free(item);
}

static int put(struct sink_queue *queue, struct sink_line *line, spool_place place)
{
	struct sink_item *item = calloc(1, sizeof(*item));

	if (!item)
		return -ENOMEM;
	item->line = sink_line_use(line);
	item->order = ++queue->order;
	item->place = place;
	list_append(is_kept(line->class) ? &queue->kept : &queue->shed, item);
	queue->bytes += cost(line);
	queue->counts.queued[line->class]++;
	return 0;
}

static bool fits(const struct sink_queue *queue, const struct sink_line *line)
{
	return queue->bytes + cost(line) <= queue->limit;
}

static void make_room(struct sink_queue *queue, const struct sink_line *line)
{
	while (!fits(queue, line) && queue->shed.head) {
		struct sink_item *item = list_pop(&queue->shed);

		count_lost(queue, item->line, false);
		free_item(queue, item);
	}
}

/* --- Opening -------------------------------------------------------------------------------------- */

void sink_queue_open(struct sink_queue *queue, size_t limit, struct spool *spool,
		     const __u64 waiting[SINK__CLASSES])
{
	*queue = (struct sink_queue){ .limit = limit, .spool = *spool };
	*spool = (struct spool)SPOOL_NONE;
	list_init(&queue->kept);
	list_init(&queue->shed);
	list_init(&queue->taken);
	for (int class = 0; class < SINK__CLASSES; class ++) {
		queue->counts.offered[class] = queue->counts.spooled[class] = waiting[class];
		queue->behind = queue->behind || waiting[class];
	}
}

/* --- Coming --------------------------------------------------------------------------------------- */

static void add_kept(struct sink_queue *queue, struct sink_line *line)
{
	bool spooled = queue->spool.folder >= 0 && spool_add(&queue->spool, line) == 0;
	spool_place place = spooled ? spool_end(&queue->spool) : 0;

	/* Behind what is on disk alone. What the disk does not take goes before it, rather than nowhere. */
	if (spooled && queue->behind) {
		queue->counts.spooled[line->class]++;
		return;
	}
	make_room(queue, line);
	if (fits(queue, line) && put(queue, line, place) == 0) {
		if (spooled)
			spool_skip(&queue->spool);
	} else if (spooled) {
		queue->behind = true;
		queue->counts.spooled[line->class]++;
	} else {
		count_lost(queue, line, queue->spool.folder >= 0);
	}
}

void sink_queue_add(struct sink_queue *queue, struct sink_line *line)
{
	queue->counts.offered[line->class]++;
	if (is_kept(line->class))
		add_kept(queue, line);
	else if (!fits(queue, line) || put(queue, line, 0))
		count_lost(queue, line, false);
}

/* --- Going ---------------------------------------------------------------------------------------- */

/* What the disk does not give back is gone. */
static void give_up_spool(struct sink_queue *queue)
{
	for (int class = 0; class < SINK__CLASSES; class ++) {
		queue->counts.lost[class] += queue->counts.spooled[class];
		queue->counts.spooled[class] = 0;
	}
	spool_skip(&queue->spool);
	queue->behind = false;
}

/* A few at a time, once those before are on their way: they displace activity, not memory. */
static void read_back(struct sink_queue *queue)
{
	for (int i = 0; i < READ_BACK && queue->behind; i++) {
		struct sink_line *line = NULL;
		int r = spool_read(&queue->spool, &line);

		if (r == -ENOMEM)
			return;
		if (r) {
			give_up_spool(queue);
			return;
		}
		make_room(queue, line);
		r = put(queue, line, queue->spool.read);
		queue->counts.spooled[line->class]--;
		if (r)
			count_lost(queue, line, true);
		sink_line_drop(&line);
		queue->behind = queue->spool.read != spool_end(&queue->spool);
	}
}

static struct sink_list *next_list(struct sink_queue *queue)
{
	const struct sink_item *kept = queue->kept.head;
	const struct sink_item *shed = queue->shed.head;

	if (kept && (!shed || kept->order < shed->order))
		return &queue->kept;
	return &queue->shed;
}

struct sink_item *sink_queue_next(struct sink_queue *queue)
{
	if (queue->behind && !queue->kept.head)
		read_back(queue);
	return next_list(queue)->head;
}

void sink_queue_take(struct sink_queue *queue)
{
	struct sink_item *item = list_pop(next_list(queue));

	item->number = ++queue->number;
	list_append(&queue->taken, item);
}

void sink_queue_refuse(struct sink_queue *queue)
{
	struct sink_item *item = list_pop(next_list(queue));

	count_lost(queue, item->line, false);
	free_item(queue, item);
}

void sink_queue_done(struct sink_queue *queue, __u64 number, bool delivered)
{
	spool_place place = 0;

	while (queue->taken.head && queue->taken.head->number <= number) {
		struct sink_item *item = list_pop(&queue->taken);

		if (item->place)
			place = item->place;
		if (delivered)
			queue->counts.sent[item->line->class]++;
		else
			count_lost(queue, item->line, false);
		free_item(queue, item);
	}
	if (place)
		spool_done(&queue->spool, place);
}

void sink_queue_return(struct sink_queue *queue)
{
	struct sink_list kept;
	struct sink_list shed;
	struct sink_item *item;

	list_init(&kept);
	list_init(&shed);
	while ((item = list_pop(&queue->taken))) {
		item->number = 0;
		list_append(is_kept(item->line->class) ? &kept : &shed, item);
	}
	list_prepend(&queue->kept, &kept);
	list_prepend(&queue->shed, &shed);
}

__u64 sink_queue_waiting(const struct sink_queue *queue)
{
	__u64 waiting = 0;

	for (int class = 0; class < SINK__CLASSES; class ++)
		waiting += queue->counts.queued[class] + queue->counts.spooled[class];
	return waiting;
}

static void free_list(struct sink_queue *queue, struct sink_list *list)
{
	struct sink_item *item;

	while ((item = list_pop(list)))
		free_item(queue, item);
}

void sink_queue_close(struct sink_queue *queue)
{
	free_list(queue, &queue->taken);
	free_list(queue, &queue->kept);
	free_list(queue, &queue->shed);
	spool_close(&queue->spool);
}
