/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the store share: its connection, statements that are kept, errors.
 */
#ifndef PICKET_STORE_STORE_PARTS_H
#define PICKET_STORE_STORE_PARTS_H

#include <sqlite3.h>

#include "store/store.h"

/** Statements that are prepared once. */
enum store_statement {
	STORE_INSERT_EVENT,
	STORE_INSERT_PROCESS, /* what an event says of its own process */
	STORE_INSERT_ANCESTOR, /* what one says of an ancestor: fills gaps only */
	STORE_END_PROCESS,
	STORE_INSERT_AGENT,
	STORE_PRUNE_AGE,
	STORE_PRUNE_BULK,
	STORE_PRUNE_ANY,
	STORE__STATEMENTS
};

/** Slots for what was written of processes lately, by hash. */
#define STORE_KNOWN 4096

/** One of them: the same is not written again. */
struct store_known {
	__u64 hash; /* of all that would be written */
	__s64 seen_ns;
};

/** An open store; owns all that it points to. */
struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STORE__STATEMENTS];
	char *path;
	bool writes;
	struct store_limits limits;
	bool begun; /* a transaction is open */
	size_t pending;
	__s64 begun_ns; /* CLOCK_MONOTONIC */
	struct store_known *known; /* STORE_KNOWN */
	char error[256];
};

/** Free a local statement. */
static inline void store_finalize(sqlite3_stmt **statement)
{
	(void)sqlite3_finalize(*statement);
	*statement = NULL;
}

/** Keep what SQLite says of the last failure; returns the -errno that fits @code. */
int store_fail(struct store *store, int code);

/** Run @sql. Returns 0 or -errno. */
int store_run(struct store *store, const char *sql);

/** The kept statement, ready to be bound; NULL after store_fail(). */
sqlite3_stmt *store_statement(struct store *store, enum store_statement which);

/** Step a statement that gives no row, and make it ready again. Returns 0 or -errno. */
int store_step(struct store *store, sqlite3_stmt *statement);

/** Prepare @sql for one use; caller finalizes. Returns 0 or -errno. */
int store_prepare(struct store *store, const char *sql, sqlite3_stmt **ret_statement);

/** The one number that @sql gives; 0 when it gives none. Returns 0 or -errno. */
int store_number(struct store *store, const char *sql, __s64 *ret_number);

/** Bind @text for the time of the statement; NULL and "": NULL. */
void store_bind_text(sqlite3_stmt *statement, int at, const char *text);

/** One step of pruning, inside of a transaction. Returns 0 or -errno. */
int store_prune(struct store *store);

/** Add what @event says of processes and agents. Returns 0 or -errno. */
int store_add_processes(struct store *store, const json_t *event, __s64 time_ns);
int store_add_agent(struct store *store, const json_t *event, __s64 time_ns);

#endif
