/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pruning, a bounded step at each flush: as it takes twice as much as a flush adds, it keeps up with
 * whatever comes. For the size it is taken in parts, until the rest fits: no more goes than has to. The pages
 * that are free go back to the file system in steps, too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_parts.h"
#include "telemetry/moment.h"

#define STEP (2 * STORE_BATCH)
#define PARTS 8
/* Pages that a step gives back. */
#define VACUUM "PRAGMA incremental_vacuum(4096)"
/* A process is kept for so long after the oldest event, so that one more event finds its chain. */
#define PROCESS_KEPT_NS (2LL * 3600 * 1000000000)

/* What a step took away. */
struct pruned {
	__s64 bulk, records, until_ns;
};

static void count_row(struct pruned *pruned, sqlite3_stmt *statement)
{
	const char *kind = (const char *)sqlite3_column_text(statement, 0);
	__s64 when = sqlite3_column_int64(statement, 1);

	if (kind && (strcmp(kind, "activity") == 0 || strcmp(kind, "life") == 0))
		pruned->bulk++;
	else
		pruned->records++;
	if (when > pruned->until_ns)
		pruned->until_ns = when;
}

static int run(struct store *store, enum store_statement which, __s64 before, struct pruned *pruned)
{
	sqlite3_stmt *statement = store_statement(store, which);
	int code;

	if (!statement)
		return -EIO;
	if (which == STORE_PRUNE_AGE)
		(void)sqlite3_bind_int64(statement, 1, before);
	(void)sqlite3_bind_int(statement, 2, which == STORE_PRUNE_AGE ? STEP : STEP / PARTS);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		count_row(pruned, statement);
	if (code == SQLITE_DONE)
		code = 0;
	else
		code = store_fail(store, code);
	(void)sqlite3_reset(statement);
	return code;
}

static int is_over(struct store *store, bool *ret_over)
{
	__s64 bytes = 0;
	int r = store_number(store,
			     "SELECT (page_count - freelist_count) * page_size FROM"
			     " pragma_page_count, pragma_freelist_count, pragma_page_size",
			     &bytes);

	*ret_over = store->limits.bytes && bytes > 0 && (__u64)bytes > store->limits.bytes;
	return r;
}

/* Noise first, and in a step that found some nothing else: the next one sees whether that was enough. */
static int prune_part(struct store *store, __s64 noise, struct pruned *pruned)
{
	int r = run(store, STORE_PRUNE_BULK, 0, pruned);

	return r || pruned->bulk > noise ? r : run(store, STORE_PRUNE_ANY, 0, pruned);
}

static int prune_size(struct store *store, struct pruned *pruned)
{
	__s64 noise = pruned->bulk;
	bool over = false;
	int r = is_over(store, &over);

	for (int i = 0; r == 0 && over && i < PARTS; i++) {
		r = prune_part(store, noise, pruned);
		if (r == 0)
			r = is_over(store, &over);
	}
	return r;
}

static int prune_events(struct store *store, struct pruned *pruned)
{
	int r = 0;

	if (store->limits.age_ns)
		r = run(store, STORE_PRUNE_AGE, moment_now() - store->limits.age_ns, pruned);
	return r ? r : prune_size(store, pruned);
}

/* Processes and agents that no event is about any more. */
static int prune_others(struct store *store)
{
	char sql[640];
	__s64 oldest = 0;
	int r = store_number(store, "SELECT coalesce(min(time), 0) FROM events", &oldest);

	if (r || oldest <= PROCESS_KEPT_NS)
		return r;
	oldest -= PROCESS_KEPT_NS;
	(void)snprintf(sql, sizeof(sql),
		       "DELETE FROM processes WHERE id IN (SELECT id FROM processes AS p"
		       " WHERE seen < %lld AND NOT EXISTS"
		       " (SELECT 1 FROM events WHERE process = p.id) LIMIT %d);"
		       "DELETE FROM agents WHERE id IN (SELECT id FROM agents AS a"
		       " WHERE seen < %lld AND \"end\" < %lld AND NOT EXISTS"
		       " (SELECT 1 FROM events WHERE agent = a.id) LIMIT %d)",
		       (long long)oldest, STEP, (long long)oldest, (long long)oldest, STEP);
	return store_run(store, sql);
}

static int count_pruned(struct store *store, const struct pruned *pruned)
{
	char sql[400];

	(void)snprintf(sql, sizeof(sql),
		       "UPDATE meta SET value = value + %lld WHERE key = 'pruned_bulk';"
		       "UPDATE meta SET value = value + %lld WHERE key = 'pruned_records';"
		       "UPDATE meta SET value = max(value, %lld) WHERE key = 'pruned_until'",
		       (long long)pruned->bulk, (long long)pruned->records,
		       (long long)pruned->until_ns);
	return store_run(store, sql);
}

static int prune_step(struct store *store)
{
	struct pruned pruned = { 0 };
	int r = prune_events(store, &pruned);

	if (r || pruned.bulk + pruned.records == 0)
		return r;
	r = count_pruned(store, &pruned);
	return r ? r : prune_others(store);
}

int store_prune(struct store *store)
{
	int r;

	if (!store->limits.bytes && !store->limits.age_ns)
		return 0;
	r = store_run(store, "BEGIN IMMEDIATE");
	if (r)
		return r;
	r = prune_step(store);
	if (r) {
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		return r;
	}
	r = store_run(store, "COMMIT");
	return r ? r : store_run(store, VACUUM);
}
