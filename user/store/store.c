/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening: a file is taken only when it says itself that it is ours, of a version that we know.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/store_parts.h"

/* How long somebody else's lock is waited for. */
#define BUSY_MS 5000

#define NAME_OF(number) TEXT_OF(number)
#define TEXT_OF(number) #number

/*
 * What a new file gets. The indices end in the row's id: what is asked by one of them comes in order
 * of time without sorting.
 */
static const char schema[] =
	"PRAGMA auto_vacuum = INCREMENTAL;"
	"PRAGMA journal_mode = WAL;"
	"BEGIN IMMEDIATE;"
	"CREATE TABLE events(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, seq INTEGER,"
	" kind TEXT NOT NULL, agent TEXT, op TEXT, verdict TEXT, section TEXT, host TEXT,"
	" address TEXT, port INTEGER, path TEXT, path2 TEXT, comm TEXT, exe TEXT, pid INTEGER,"
	" process TEXT, rule TEXT, json TEXT NOT NULL);"
	"CREATE INDEX events_time ON events(time);"
	"CREATE INDEX events_agent ON events(agent, time);"
	"CREATE INDEX events_bulk ON events(time) WHERE kind IN ('activity', 'life');"
	"CREATE INDEX events_records ON events(time) WHERE kind NOT IN ('activity', 'life');"
	"CREATE INDEX events_verdict ON events(verdict, time) WHERE verdict <> 'allow';"
	"CREATE INDEX events_process ON events(process, time);"
	"CREATE INDEX events_comm ON events(comm, time);"
	"CREATE INDEX events_host ON events(host, time) WHERE host IS NOT NULL;"
	"CREATE INDEX events_path ON events(path, time) WHERE path IS NOT NULL;"
	"CREATE TABLE processes(id TEXT PRIMARY KEY, parent TEXT, pid INTEGER, uid INTEGER,"
	" agent TEXT, comm TEXT, exe TEXT, argv TEXT, cwd TEXT, container TEXT, start INTEGER,"
	" \"end\" INTEGER, status TEXT, incomplete INTEGER NOT NULL DEFAULT 0,"
	" seen INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX processes_agent ON processes(agent, start);"
	"CREATE INDEX processes_seen ON processes(seen);"
	"CREATE TABLE agents(id TEXT PRIMARY KEY, name TEXT, policy TEXT, digest TEXT, mode TEXT,"
	" uid INTEGER, start INTEGER, \"end\" INTEGER, seen INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('pruned_bulk', 0), ('pruned_records', 0), ('pruned_until', 0);"
	"PRAGMA application_id = " NAME_OF(STORE_APPLICATION) ";"
							      "PRAGMA user_version = " NAME_OF(
								      STORE_VERSION) ";"
										     "COMMIT;";

/* A file may be made by somebody else: nothing in it is run, and what is read is checked. */
static const char settings[] = "PRAGMA trusted_schema = OFF;"
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA mmap_size = 0;";

static const char write_settings[] = "PRAGMA synchronous = NORMAL;"
				     "PRAGMA journal_size_limit = 16777216;"
				     "PRAGMA cache_size = -8192;";

static const char *const sources[STORE__STATEMENTS] = {
	[STORE_INSERT_EVENT] =
		"INSERT INTO events(time, seq, kind, agent, op, verdict, section, host, address,"
		" port, path, path2, comm, exe, pid, process, rule, json)"
		" VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[STORE_INSERT_PROCESS] =
		"INSERT INTO processes(id, parent, pid, uid, agent, comm, exe, argv, cwd,"
		" container, start, incomplete, seen) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT(id) DO UPDATE SET parent = coalesce(excluded.parent, parent),"
		" uid = coalesce(excluded.uid, uid), agent = coalesce(excluded.agent, agent),"
		" comm = coalesce(excluded.comm, comm), exe = coalesce(excluded.exe, exe),"
		" argv = coalesce(excluded.argv, argv), cwd = coalesce(excluded.cwd, cwd),"
		" container = coalesce(excluded.container, container),"
		" start = coalesce(excluded.start, start),"
		" incomplete = max(excluded.incomplete, incomplete),"
		" seen = max(excluded.seen, seen)",
	[STORE_INSERT_ANCESTOR] =
		"INSERT INTO processes(id, parent, pid, comm, exe, start, incomplete, seen)"
		" VALUES (?,?,?,?,?,?,?,?)"
		" ON CONFLICT(id) DO UPDATE SET parent = coalesce(parent, excluded.parent),"
		" comm = coalesce(comm, excluded.comm), exe = coalesce(exe, excluded.exe),"
		" start = coalesce(start, excluded.start), seen = max(excluded.seen, seen)",
	[STORE_END_PROCESS] = "UPDATE processes SET \"end\" = ?2, status = ?3 WHERE id = ?1",
	[STORE_INSERT_AGENT] =
		"INSERT INTO agents(id, name, policy, digest, mode, uid, start, \"end\", seen)"
		" VALUES (?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT(id) DO UPDATE SET name = coalesce(excluded.name, name),"
		" policy = coalesce(excluded.policy, policy),"
		" digest = coalesce(excluded.digest, digest), mode = coalesce(excluded.mode, mode),"
		" uid = coalesce(excluded.uid, uid), start = coalesce(start, excluded.start),"
		" \"end\" = coalesce(excluded.\"end\", \"end\"), seen = max(excluded.seen, seen)",
	[STORE_PRUNE_AGE] = "DELETE FROM events WHERE id IN (SELECT id FROM events"
			    " WHERE time < ?1 ORDER BY time LIMIT ?2) RETURNING kind, time",
	[STORE_PRUNE_BULK] =
		"DELETE FROM events WHERE id IN (SELECT id FROM events WHERE"
		" kind IN ('activity', 'life') ORDER BY time LIMIT ?2) RETURNING kind, time",
	[STORE_PRUNE_ANY] = "DELETE FROM events WHERE id IN (SELECT id FROM events"
			    " ORDER BY time LIMIT ?2) RETURNING kind, time",
};

/* --- Errors and statements ------------------------------------------------------------------------ */

static int errno_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	default:
		return -EIO;
	}
}

int store_fail(struct store *store, int code)
{
	const char *why = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);

	(void)snprintf(store->error, sizeof(store->error), "%s", why);
	return errno_of(code);
}

const char *store_error(const struct store *store)
{
	return store->error;
}

int store_run(struct store *store, const char *sql)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : store_fail(store, code);
}

int store_prepare(struct store *store, const char *sql, sqlite3_stmt **ret_statement)
{
	int code = sqlite3_prepare_v2(store->db, sql, -1, ret_statement, NULL);

	return code == SQLITE_OK ? 0 : store_fail(store, code);
}

sqlite3_stmt *store_statement(struct store *store, enum store_statement which)
{
	sqlite3_stmt **kept = &store->statements[which];
	int code = SQLITE_OK;

	if (!*kept)
		code = sqlite3_prepare_v3(store->db, sources[which], -1, SQLITE_PREPARE_PERSISTENT,
					  kept, NULL);
	if (code != SQLITE_OK)
		(void)store_fail(store, code);
	return *kept;
}

int store_step(struct store *store, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	int r = code == SQLITE_DONE ? 0 : store_fail(store, code);

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return r;
}

int store_number(struct store *store, const char *sql, __s64 *ret_number)
{
	CLEAN(store_finalize) sqlite3_stmt *statement = NULL;
	int r = store_prepare(store, sql, &statement);
	int code;

	if (r)
		return r;
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return store_fail(store, code);
	*ret_number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	return 0;
}

void store_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text && *text)
		(void)sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
	else
		(void)sqlite3_bind_null(statement, at);
}

/* --- Opening -------------------------------------------------------------------------------------- */

/* The file as it should be before SQLite sees it: ours, and nobody else's to read. */
static int prepare_file(const char *path, unsigned int flags, struct diag_list *diags)
{
	int mode = flags & STORE_WRITE ? O_RDWR | O_CREAT : O_RDONLY;
	CLEAN_FD int fd = open(path, mode | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 && errno == ENOENT && !(flags & STORE_WRITE)) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "there is no store at '%s'", path),
			  "picketd keeps one when its telemetry.yaml has a sink of type store; "
			  "--store PATH names another");
		return -ENOENT;
	}
	if (fd < 0 || fstat(fd, &st)) {
		int r = -errno;

		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot open the store '%s': %s", path,
			       strerror(-r));
		return r;
	}
	if (S_ISREG(st.st_mode))
		return 0;
	(void)diag_add(diags, DIAG_ERROR, NULL, "the store '%s' is no regular file", path);
	return -EINVAL;
}

static int report(struct store *store, int r, struct diag_list *diags)
{
	struct diag *diag;

	if (r != -EUCLEAN) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot open the store '%s': %s",
			       store->path, store->error);
		return r;
	}
	diag = diag_add(diags, DIAG_ERROR, NULL, "'%s' is no store of picket, or a damaged one: %s",
			store->path, store->error);
	diag_hint(diag, "move it away; picketd begins a new one when it starts");
	return r;
}

/* Is it ours? A file without anything in it is a new one. */
static int check_file(struct store *store, bool *ret_new, struct diag_list *diags)
{
	__s64 application = 0;
	__s64 version = 0;
	__s64 tables = 0;
	int r = store_number(store, "PRAGMA application_id", &application);

	if (!r)
		r = store_number(store, "PRAGMA user_version", &version);
	if (!r)
		r = store_number(store, "SELECT count(*) FROM sqlite_master", &tables);
	if (r)
		return report(store, r, diags);
	*ret_new = application == 0 && version == 0 && tables == 0;
	if (*ret_new && store->writes)
		return 0;
	if (application != STORE_APPLICATION) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "'%s' is a database of another program, not a store of picket",
				   store->path),
			  "give the path of a file that is not there yet, or of a store");
		return -EINVAL;
	}
	if (version == STORE_VERSION)
		return 0;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "the store '%s' has version %lld, and this picket knows %d", store->path,
			   (long long)version, STORE_VERSION),
		  "use the picket that wrote it, or move it away");
	return -EPROTONOSUPPORT;
}

static int open_database(struct store *store, struct diag_list *diags)
{
	int flags = store->writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	bool is_new = false;
	int code = sqlite3_open_v2(store->path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	int r;

	if (code != SQLITE_OK)
		return report(store, store_fail(store, code), diags);
	(void)sqlite3_busy_timeout(store->db, BUSY_MS);
	(void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	r = store_run(store, settings);
	if (r)
		return report(store, r, diags);
	r = check_file(store, &is_new, diags);
	if (r || !store->writes)
		return r;
	r = is_new ? store_run(store, schema) : 0;
	if (!r)
		r = store_run(store, write_settings);
	return r ? report(store, r, diags) : 0;
}

int store_open(const char *path, unsigned int flags, struct store **ret_store,
	       struct diag_list *diags)
{
	CLEAN(store_close) struct store *store = calloc(1, sizeof(*store));
	int r;

	if (store) {
		store->path = strdup(path);
		store->known = calloc(STORE_KNOWN, sizeof(*store->known));
	}
	if (!store || !store->path || !store->known) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "out of memory");
		return -ENOMEM;
	}
	store->writes = flags & STORE_WRITE;
	r = prepare_file(path, flags, diags);
	if (!r)
		r = open_database(store, diags);
	if (!r)
		*ret_store = TAKE_PTR(store);
	return r;
}

void store_limit(struct store *store, const struct store_limits *limits)
{
	store->limits = *limits;
}

static int look_at_times(struct store *store, struct store_facts *facts)
{
	__s64 events = 0;
	int r = store_number(store, "SELECT count(*) FROM events", &events);

	if (!r)
		r = store_number(store, "SELECT min(time) FROM events", &facts->oldest_ns);
	if (!r)
		r = store_number(store, "SELECT max(time) FROM events", &facts->newest_ns);
	facts->events = (__u64)events;
	return r;
}

int store_look(struct store *store, struct store_facts *ret_facts)
{
	struct store_facts facts = { 0 };
	__s64 bytes = 0;
	__s64 bulk = 0;
	__s64 records = 0;
	int r = look_at_times(store, &facts);

	if (!r)
		r = store_number(store,
				 "SELECT (page_count - freelist_count) * page_size FROM"
				 " pragma_page_count, pragma_freelist_count, pragma_page_size",
				 &bytes);
	if (!r)
		r = store_number(store, "SELECT value FROM meta WHERE key = 'pruned_bulk'", &bulk);
	if (!r)
		r = store_number(store, "SELECT value FROM meta WHERE key = 'pruned_records'",
				 &records);
	if (!r)
		r = store_number(store, "SELECT value FROM meta WHERE key = 'pruned_until'",
				 &facts.pruned_until_ns);
	if (r)
		return r;
	facts.bytes = (__u64)bytes;
	facts.pruned_bulk = (__u64)bulk;
	facts.pruned_records = (__u64)records;
	*ret_facts = facts;
	return 0;
}

void store_close(struct store **store)
{
	struct store *old = *store;

	if (!old)
		return;
	*store = NULL;
	if (old->begun)
		(void)store_flush(old);
	for (size_t i = 0; i < STORE__STATEMENTS; i++)
		(void)sqlite3_finalize(old->statements[i]);
	(void)sqlite3_close(old->db);
	free(old->known);
	free(old->path);
	free(old);
}
