/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows about processes and agents, one after the other.
 */
#include <errno.h>

#include "base/mem.h"
#include "store/store_parts.h"

#define PROCESS_COLUMNS                                                                            \
	"id, parent, agent, comm, exe, argv, cwd, status, pid, coalesce(uid, -1), start, \"end\"," \
	" incomplete"

static const char *text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

static int give_process(sqlite3_stmt *statement, store_visit_process visit, void *context)
{
	struct store_process process = {
		.id = text(statement, 0),
		.parent = text(statement, 1),
		.agent = text(statement, 2),
		.comm = text(statement, 3),
		.exe = text(statement, 4),
		.argv = text(statement, 5),
		.cwd = text(statement, 6),
		.status = text(statement, 7),
		.pid = sqlite3_column_int64(statement, 8),
		.uid = sqlite3_column_int64(statement, 9),
		.start_ns = sqlite3_column_int64(statement, 10),
		.end_ns = sqlite3_column_int64(statement, 11),
		.incomplete = sqlite3_column_int(statement, 12) != 0,
	};

	return visit(context, &process);
}

static int give_processes(struct store *store, sqlite3_stmt *statement, store_visit_process visit,
			  void *context)
{
	int code = SQLITE_DONE;
	int r = 0;

	while (!r && (code = sqlite3_step(statement)) == SQLITE_ROW)
		r = give_process(statement, visit, context);
	return r || code == SQLITE_DONE || code == SQLITE_ROW ? r : store_fail(store, code);
}

int store_processes(struct store *store, const char *agent, const struct event_filter *period,
		    store_visit_process visit, void *context)
{
	static const char sql[] = "SELECT " PROCESS_COLUMNS " FROM processes WHERE agent = ?1"
				  " AND (?2 = 0 OR max(seen, coalesce(\"end\", seen)) >= ?2)"
				  " AND (?3 = 0 OR coalesce(start, 0) < ?3) ORDER BY start, pid";
	CLEAN(store_finalize) sqlite3_stmt *statement = NULL;
	int r = store_prepare(store, sql, &statement);

	if (r)
		return r;
	store_bind_text(statement, 1, agent);
	(void)sqlite3_bind_int64(statement, 2, period->since_ns);
	(void)sqlite3_bind_int64(statement, 3, period->until_ns);
	return give_processes(store, statement, visit, context);
}

int store_process(struct store *store, const char *id, store_visit_process visit, void *context)
{
	static const char sql[] = "SELECT " PROCESS_COLUMNS " FROM processes WHERE id = ?1";
	CLEAN(store_finalize) sqlite3_stmt *statement = NULL;
	int r = store_prepare(store, sql, &statement);

	if (r)
		return r;
	store_bind_text(statement, 1, id);
	return give_processes(store, statement, visit, context);
}

int store_agents(struct store *store, const char *name, store_visit_agent visit, void *context)
{
	static const char sql[] = "SELECT id, name, policy, digest, mode, coalesce(uid, -1), start,"
				  " \"end\" FROM agents WHERE id = ?1 OR name = ?1"
				  " ORDER BY start, id";
	CLEAN(store_finalize) sqlite3_stmt *statement = NULL;
	int r = store_prepare(store, sql, &statement);
	int code = SQLITE_DONE;

	if (r)
		return r;
	store_bind_text(statement, 1, name);
	while (!r && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct store_agent agent = {
			.id = text(statement, 0),
			.name = text(statement, 1),
			.policy = text(statement, 2),
			.digest = text(statement, 3),
			.mode = text(statement, 4),
			.uid = sqlite3_column_int64(statement, 5),
			.start_ns = sqlite3_column_int64(statement, 6),
			.end_ns = sqlite3_column_int64(statement, 7),
		};

		r = visit(context, &agent);
	}
	return r || code == SQLITE_DONE || code == SQLITE_ROW ? r : store_fail(store, code);
}
