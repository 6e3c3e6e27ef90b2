/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adding. Columns are for finding; what an event says is its line, kept whole.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "store/store_parts.h"
#include "telemetry/moment.h"

static const char *text(const json_t *from, const char *key)
{
	return json_string_value(json_object_get(from, key));
}

static void bind_number(sqlite3_stmt *statement, int at, const json_t *number)
{
	if (json_is_integer(number))
		(void)sqlite3_bind_int64(statement, at, json_integer_value(number));
	else
		(void)sqlite3_bind_null(statement, at);
}

/* An agent is a name, or a number when picketd has none for it. */
static void bind_agent(sqlite3_stmt *statement, int at, const json_t *event)
{
	const json_t *agent = json_object_get(event, "agent");

	if (json_is_integer(agent))
		(void)sqlite3_bind_int64(statement, at, json_integer_value(agent));
	else
		store_bind_text(statement, at, json_string_value(agent));
}

/* Whatever --rule may look for (telemetry/filter.c) is a part of this. malloc'ed; NULL: nothing. */
static char *rule_of(const json_t *event)
{
	const json_t *rule = json_object_get(event, "rule");
	const char *section = text(json_object_get(event, "default"), "section");
	const char *guard = text(event, "switch");
	const char *id = text(rule, "id");
	char *line = NULL;
	int n = 0;

	if (json_is_object(rule))
		n = asprintf(&line, "%s:%lld: %s%s%s%s%s", text(rule, "file") ?: "",
			     (long long)json_integer_value(json_object_get(rule, "line")),
			     text(rule, "text") ?: "", id ? " " : "", id ? id : "",
			     guard ? " " : "", guard ? guard : "");
	else if (section)
		n = asprintf(&line, "default %s%s%s", section, guard ? " " : "", guard ?: "");
	else if (guard)
		line = strdup(guard);
	return n < 0 ? NULL : line;
}

static void bind_event(sqlite3_stmt *statement, const json_t *event, __s64 time_ns)
{
	const json_t *process = json_object_get(event, "process");
	CLEAN_FREE char *rule = rule_of(event);

	(void)sqlite3_bind_int64(statement, 1, time_ns);
	bind_number(statement, 2, json_object_get(event, "seq"));
	store_bind_text(statement, 3, text(event, "kind"));
	bind_agent(statement, 4, event);
	store_bind_text(statement, 5, text(event, "op"));
	store_bind_text(statement, 6, text(event, "verdict"));
	store_bind_text(statement, 7, text(event, "section"));
	store_bind_text(statement, 8, text(event, "host"));
	store_bind_text(statement, 9, text(event, "address"));
	bind_number(statement, 10, json_object_get(event, "port"));
	store_bind_text(statement, 11, text(event, "path"));
	store_bind_text(statement, 12, text(event, "path2"));
	store_bind_text(statement, 13, text(process, "comm"));
	store_bind_text(statement, 14, text(process, "exe"));
	bind_number(statement, 15, json_object_get(process, "pid"));
	store_bind_text(statement, 16, text(process, "id"));
	store_bind_text(statement, 17, rule);
}

static int insert_event(struct store *store, const json_t *event, __s64 time_ns)
{
	sqlite3_stmt *statement = store_statement(store, STORE_INSERT_EVENT);
	CLEAN_FREE char *line = json_dumps(event, JSON_COMPACT);

	if (!statement)
		return -EIO;
	if (!line)
		return -ENOMEM;
	bind_event(statement, event, time_ns);
	(void)sqlite3_bind_text(statement, 18, line, -1, SQLITE_STATIC);
	return store_step(store, statement);
}

static __s64 monotonic_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int begin(struct store *store)
{
	int r = store->begun ? 0 : store_run(store, "BEGIN IMMEDIATE");

	if (r || store->begun)
		return r;
	store->begun = true;
	store->begun_ns = monotonic_ns();
	return 0;
}

/* What was written of processes in it is not there: forget that it was. */
static int give_up(struct store *store, int r)
{
	(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	memset(store->known, 0, STORE_KNOWN * sizeof(*store->known));
	store->begun = false;
	store->pending = 0;
	return r;
}

static int add(struct store *store, const json_t *event, __s64 time_ns)
{
	int r = begin(store);

	if (!r)
		r = insert_event(store, event, time_ns);
	if (!r)
		r = store_add_processes(store, event, time_ns);
	return r ? r : store_add_agent(store, event, time_ns);
}

int store_add(struct store *store, const json_t *event)
{
	const char *when = text(event, "time");
	__s64 time_ns;
	int r;

	if (!when || !text(event, "kind") || moment_parse(when, 0, &time_ns)) {
		(void)snprintf(store->error, sizeof(store->error),
			       "it has no time or no kind, so it is no event");
		return -EINVAL;
	}
	r = add(store, event, time_ns);
	if (r)
		return give_up(store, r);
	store->pending++;
	if (store->pending >= STORE_BATCH || monotonic_ns() - store->begun_ns >= STORE_DELAY_NS)
		return store_flush(store);
	return 0;
}

size_t store_pending(const struct store *store)
{
	return store->pending;
}

int store_flush(struct store *store)
{
	int r = 0;

	if (store->begun)
		r = store_run(store, "COMMIT");
	if (r)
		return give_up(store, r);
	store->begun = false;
	store->pending = 0;
	return store_prune(store);
}
