/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table with one place for each hash: what comes to a taken place ends the one that was there, whose
 * record is then earlier, not less exact.
 */
#include "sink/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

/** An act that is remembered. */
struct act {
	char *key; /* owned; NULL = the place is free */
	size_t key_length;
	char *line; /* owned; of its first record */
	__u64 first_ns; /* of the first act */
	__u64 repeat_ns; /* of the first repeat */
	__u64 last_ns;
	__u64 count; /* of repeats */
};

struct fold {
	fold_emit emit;
	void *context;
	size_t used;
	struct act acts[FOLD_SLOTS];
};

struct fold *fold_new(fold_emit emit, void *context)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (fold) {
		fold->emit = emit;
		fold->context = context;
	}
	return fold;
}

/* --- Keys ----------------------------------------------------------------------------------------- */

/** All that makes two acts the same; the paths follow. */
struct key {
	struct pk_event head;
};

static struct key head_of(const struct event *event)
{
	struct key key = { .head = event->head };

	key.head.time_ns = 0;
	key.head.tid = 0;
	/* Another socket to the same place is the same act. */
	key.head.cookie = 0;
	if (event_has_local(event))
		key.head.local_port = 0;
	return key;
}

/* FNV-1a: nobody gains by a collision but an earlier record. */
static __u64 hash_of(__u64 hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 0x100000001b3ULL;
	return hash;
}

static struct act *find_place(struct fold *fold, const struct key *key, const struct event *event)
{
	__u64 hash = hash_of(0xcbf29ce484222325ULL, key, sizeof(*key));

	hash = hash_of(hash, event->path.bytes, event->path.length);
	hash = hash_of(hash, event->path2.bytes, event->path2.length);
	return &fold->acts[(hash ^ hash >> 32) % FOLD_SLOTS];
}

static bool is_same(const struct act *act, const struct key *key, const struct event *event)
{
	size_t path = event->path.length;
	size_t path2 = event->path2.length;

	if (!act->key || act->key_length != sizeof(*key) + path + path2)
		return false;
	return memcmp(act->key, key, sizeof(*key)) == 0 &&
	       (!path || memcmp(act->key + sizeof(*key), event->path.bytes, path) == 0) &&
	       (!path2 || memcmp(act->key + sizeof(*key) + path, event->path2.bytes, path2) == 0);
}

static char *copy_key(const struct key *key, const struct event *event)
{
	char *copy = malloc(sizeof(*key) + event->path.length + event->path2.length);

	if (!copy)
		return NULL;
	memcpy(copy, key, sizeof(*key));
	if (event->path.length)
		memcpy(copy + sizeof(*key), event->path.bytes, event->path.length);
	if (event->path2.length)
		memcpy(copy + sizeof(*key) + event->path.length, event->path2.bytes,
		       event->path2.length);
	return copy;
}

/* --- Records -------------------------------------------------------------------------------------- */

static void time_text(__u64 ns, char text[40])
{
	struct timespec time = event_time(ns, event_clock_offset());
	struct tm parts;
	char seconds[24];

	(void)gmtime_r(&time.tv_sec, &parts);
	(void)strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(text, 40, "%s.%09ldZ", seconds, time.tv_nsec);
}

/* Where the last key of a record, its number, begins; or else its end. */
static size_t before_number(const char *line)
{
	const char *found = NULL;

	for (const char *at = line; (at = strstr(at, ",\"seq\":")); at++)
		found = at;
	return found ? (size_t)(found - line) : strlen(line) - 1;
}

/* The line of the first act, with what there was of it since. */
static void hand_out(const struct fold *fold, const struct act *act)
{
	CLEAN_FREE char *text = NULL;
	char first[40];
	char last[40];

	time_text(act->repeat_ns, first);
	time_text(act->last_ns, last);
	if (asprintf(&text, "%.*s,\"folded\":{\"count\":%llu,\"first\":\"%s\",\"last\":\"%s\"}",
		     (int)before_number(act->line), act->line, (unsigned long long)act->count,
		     first, last) < 0)
		text = NULL;
	fold->emit(fold->context, text);
}

static void forget(struct fold *fold, struct act *act)
{
	if (!act->key)
		return;
	if (act->count)
		hand_out(fold, act);
	free(act->key);
	free(act->line);
	*act = (struct act){ 0 };
	fold->used--;
}

/* --- Acts ----------------------------------------------------------------------------------------- */

bool fold_repeats(struct fold *fold, const struct event *event)
{
	const struct key key = head_of(event);
	struct act *act = find_place(fold, &key, event);

	if (!is_same(act, &key, event))
		return false;
	/* Records of two processors may come out of their order. */
	if (event->head.time_ns > act->first_ns + FOLD_NS) {
		forget(fold, act);
		return false;
	}
	if (!act->count++)
		act->repeat_ns = event->head.time_ns;
	act->last_ns = event->head.time_ns;
	return true;
}

void fold_remember(struct fold *fold, const struct event *event, const char *line, size_t length)
{
	const struct key key = head_of(event);
	struct act *act = find_place(fold, &key, event);
	char *copy = copy_key(&key, event);
	char *text = strndup(line, length);

	forget(fold, act);
	if (!copy || !text) {
		free(copy);
		free(text);
		return;
	}
	*act = (struct act){
		.key = copy,
		.key_length = sizeof(key) + event->path.length + event->path2.length,
		.line = text,
		.first_ns = event->head.time_ns,
	};
	fold->used++;
}

bool fold_expire(struct fold *fold, __u64 now_ns)
{
	for (size_t i = 0; i < FOLD_SLOTS && fold->used; i++) {
		if (fold->acts[i].key && now_ns > fold->acts[i].first_ns + FOLD_NS)
			forget(fold, &fold->acts[i]);
	}
	return fold->used > 0;
}

void fold_free(struct fold **fold)
{
	for (size_t i = 0; *fold && i < FOLD_SLOTS; i++)
		forget(*fold, &(*fold)->acts[i]);
	free(*fold);
	*fold = NULL;
}
