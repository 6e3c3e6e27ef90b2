/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records are missing, by their numbers. Rows come in the order in which they were stored: nearly that
 * of the numbers, but what a sink had on its spool comes late, also behind the start of the next picketd,
 * whose numbers begin anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_parts.h"

/* Places that are kept at once; the numbers of further ones are counted and not filled any more. */
#define OPEN_MAX 4096

/* A scan under way. */
struct scan {
	struct store_gaps *gaps;
	struct store_gap *open; /* OPEN_MAX */
	size_t count;
	__u64 newest; /* greatest number of this run of picketd; 0: none yet */
	__s64 newest_ns; /* its time */
	__s64 begun_ns; /* this run's start; 0: not in the period */
};

/* The places that nothing fills any more: the run they are of has ended, or all was seen. */
static void settle(struct scan *scan)
{
	struct store_gaps *gaps = scan->gaps;

	for (size_t i = 0; i < scan->count; i++) {
		if (gaps->shown < STORE_GAPS_SHOWN)
			gaps->first[gaps->shown++] = scan->open[i];
		gaps->places++;
		gaps->missing += scan->open[i].last - scan->open[i].first + 1;
	}
	scan->count = 0;
}

static void open_place(struct scan *scan, __u64 number, __s64 time)
{
	const struct store_gap gap = {
		.first = scan->newest + 1,
		.last = number - 1,
		.before_ns = scan->newest_ns,
		.behind_ns = time,
	};

	if (scan->count < OPEN_MAX) {
		scan->open[scan->count++] = gap;
		return;
	}
	scan->gaps->places++;
	scan->gaps->missing += gap.last - gap.first + 1;
}

/* One that was missing has come late. */
static void fill(struct scan *scan, __u64 number)
{
	for (size_t i = scan->count; i > 0; i--) {
		struct store_gap *gap = &scan->open[i - 1];
		struct store_gap rest = *gap;

		if (number < gap->first || number > gap->last)
			continue;
		rest.first = number + 1;
		gap->last = number - 1;
		if (gap->first <= gap->last && rest.first <= rest.last && scan->count < OPEN_MAX) {
			scan->open[scan->count++] = rest;
		} else if (gap->first > gap->last && rest.first <= rest.last) {
			*gap = rest;
		} else if (gap->first > gap->last) {
			memmove(gap, gap + 1, (scan->count - i) * sizeof(*gap));
			scan->count--;
		}
		return;
	}
}

static void see(struct scan *scan, __u64 number, __s64 time, bool start)
{
	if (start && time > scan->begun_ns) {
		settle(scan);
		scan->begun_ns = time;
		scan->newest = number;
		scan->newest_ns = time;
		scan->gaps->runs++;
		return;
	}
	if (!scan->newest) {
		scan->newest = number;
	} else if (number <= scan->newest) {
		fill(scan, number);
		return;
	} else if (number > scan->newest + 1) {
		/* From before this run, and not the next of it: one of the last run, from a spool. */
		if (time < scan->begun_ns)
			return;
		open_place(scan, number, time);
	}
	scan->newest = number;
	scan->newest_ns = time;
}

static int scan_rows(struct store *store, const struct event_filter *period, struct scan *scan)
{
	static const char sql[] = "SELECT seq, time, kind = 'daemon' AND op = 'start' FROM events"
				  " WHERE seq > 0 AND time > ?1 AND (?2 = 0 OR time >= ?2)"
				  " AND (?3 = 0 OR time < ?3) ORDER BY id";
	CLEAN(store_finalize) sqlite3_stmt *statement = NULL;
	int r = store_prepare(store, sql, &statement);
	int code;

	if (r)
		return r;
	(void)sqlite3_bind_int64(statement, 1, scan->gaps->pruned_ns);
	(void)sqlite3_bind_int64(statement, 2, period->since_ns);
	(void)sqlite3_bind_int64(statement, 3, period->until_ns);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		see(scan, (__u64)sqlite3_column_int64(statement, 0),
		    sqlite3_column_int64(statement, 1), sqlite3_column_int(statement, 2) != 0);
		scan->gaps->numbered++;
	}
	return code == SQLITE_DONE ? 0 : store_fail(store, code);
}

int store_find_gaps(struct store *store, const struct event_filter *period,
		    struct store_gaps *ret_gaps)
{
	struct scan scan = { .gaps = ret_gaps };
	int r;

	*ret_gaps = (struct store_gaps){ 0 };
	r = store_number(store, "SELECT value FROM meta WHERE key = 'pruned_until'",
			 &ret_gaps->pruned_ns);
	if (r)
		return r;
	scan.open = calloc(OPEN_MAX, sizeof(*scan.open));
	if (!scan.open)
		return -ENOMEM;
	r = scan_rows(store, period, &scan);
	settle(&scan);
	free(scan.open);
	return r;
}
