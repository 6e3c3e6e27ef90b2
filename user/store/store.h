/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local store of events: one SQLite file, which `picket log` and `picket report` ask.
 *
 * Why SQLite and not JSON Lines with an index: a batch of events, its index entries, what it says of
 * processes and the counters of what was pruned become visible together or not at all, also when the
 * writer is killed (WAL); readers are not in the writer's way; old rows leave one by one, where a
 * file of lines can only be cut; and whoever wants another question answered has the sqlite3 tools.
 * The line of JSON of each event is kept as it is, so no key is lost that has no column.
 *
 *   events     id, time (ns since the epoch), seq, kind, agent, op, verdict, section, host, address,
 *              port, path, path2, comm, exe, pid, process (id), rule (FILE:LINE: TEXT ID, "default
 *              SECTION"), json
 *   processes  id, parent (id), pid, uid, agent, comm, exe, argv (JSON), cwd, container, start, end,
 *              status (JSON), incomplete, seen: what all events said of them, ancestors too
 *   agents     id, name, policy, digest, mode, uid, start, end, seen
 *   meta       key, value: what was pruned
 *
 * It is bounded by age and by size. For size the oldest activity and lives of processes leave first,
 * and decisions and picketd's own records only when there is nothing else: an agent that makes noise
 * cannot push out what it was denied. What is pruned is counted.
 *
 * One process writes, any number read. Nothing here prints.
 */
#ifndef PICKET_STORE_STORE_H
#define PICKET_STORE_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "base/diag.h"
#include "telemetry/filter.h"

/** Where picketd keeps it. */
#define STORE_PATH "/var/lib/picket/events.db"
/** "pckt": PRAGMA application_id of the file. */
#define STORE_APPLICATION 0x70636b74
/** PRAGMA user_version: rises when a reader of before would be wrong. */
#define STORE_VERSION 1

/** Events of a transaction at most, and how long one is open at most, as far as events come. */
#define STORE_BATCH 1000
#define STORE_DELAY_NS 200000000LL

/** An open store. */
struct store;

/** How a store is opened. */
enum store_flags {
	STORE_READ = 0, /* it must exist */
	STORE_WRITE = 1, /* made when it does not exist, mode 0600 */
};

/** Bounds; 0: none. The file may be over `bytes` by what was added since the last flush. */
struct store_limits {
	__u64 bytes;
	__s64 age_ns;
};

/** What there is, and what was. */
struct store_facts {
	__u64 events;
	__u64 bytes; /* of the file in use */
	__s64 oldest_ns, newest_ns; /* 0: no event */
	__u64 pruned_bulk; /* activity and lives, since the file was made */
	__u64 pruned_records; /* decisions and all other kinds */
	__s64 pruned_until_ns; /* time of the newest event that was pruned; 0: none was */
};

/**
 * Open the store at @path. Stores it (caller closes with store_close()) and returns 0; or -errno with
 * a finding in @diags that says what is wrong and what to do: no such file, a file that is no store,
 * one of a newer picket, a damaged one (-EUCLEAN).
 */
int store_open(const char *path, unsigned int flags, struct store **ret_store,
	       struct diag_list *diags);

/** Bound it from the next flush on. */
void store_limit(struct store *store, const struct store_limits *limits);

/**
 * Add an event. It is kept for good when a flush has succeeded: store_flush(), or by itself every
 * STORE_BATCH events or STORE_DELAY_NS. Returns 0; -EINVAL: that is no event (nothing is changed);
 * or -errno of a flush or of writing, and then nothing since the last successful one is stored.
 */
int store_add(struct store *store, const json_t *event);

/** Events added since the last flush that succeeded: those that an error concerns. */
size_t store_pending(const struct store *store);

/** Commit what was added, then prune a step. Returns 0 or -errno, as store_add(). */
int store_flush(struct store *store);

/** Why the last call failed, for people; valid until the next one. */
const char *store_error(const struct store *store);

/** What is in it. Returns 0 or -errno. */
int store_look(struct store *store, struct store_facts *ret_facts);

/** Places with missing records that are told one by one. */
#define STORE_GAPS_SHOWN 20

/** Records number `first` to `last` are not there. */
struct store_gap {
	__u64 first, last;
	__s64 before_ns, behind_ns; /* times of the records around them */
};

/** What is missing among the records of a period, of all agents, by the numbers that picketd gives them. */
struct store_gaps {
	__u64 numbered; /* records that were looked at */
	__u64 runs; /* starts of picketd among them */
	__u64 missing;
	__u64 places;
	struct store_gap first[STORE_GAPS_SHOWN];
	size_t shown; /* of `first` */
	__s64 pruned_ns; /* what is older was pruned in part, and not looked at; 0: nothing was */
};

/** Look for gaps among the records of @period, of which the times count. Returns 0 or -errno. */
int store_find_gaps(struct store *store, const struct event_filter *period,
		    struct store_gaps *ret_gaps);

/** A question. */
struct store_query {
	const struct event_filter *filter; /* agents by name too */
	size_t limit; /* the newest so many; 0 = all */
	bool newest_first;
};

/**
 * Called with an event, oldest first unless asked otherwise, and its line (NUL-terminated, no
 * newline). No transaction is open: it may take its time. Anything but 0 ends the query.
 */
typedef int (*store_visit)(void *context, const json_t *event, const char *line);

/** Visit the events that are meant. Returns 0, what a visit returned, or -errno. */
int store_query(struct store *store, const struct store_query *query, store_visit visit,
		void *context);

/** A process as the store knows it; texts are NULL and times 0 when they are not known. */
struct store_process {
	const char *id;
	const char *parent; /* id */
	const char *agent;
	const char *comm;
	const char *exe;
	const char *argv; /* JSON */
	const char *cwd;
	const char *status; /* JSON: {code}, {signal, core} */
	__s64 pid;
	__s64 uid; /* -1: not known */
	__s64 start_ns, end_ns;
	bool incomplete;
};

/** Visits one; the texts live until it returns. Anything but 0 ends it. */
typedef int (*store_visit_process)(void *context, const struct store_process *process);

/**
 * Visit the processes that @agent (its id) had in the time of @period, by start. Returns 0, what a
 * visit returned, or -errno.
 */
int store_processes(struct store *store, const char *agent, const struct event_filter *period,
		    store_visit_process visit, void *context);

/** Visit the process @id if it is known. */
int store_process(struct store *store, const char *id, store_visit_process visit, void *context);

/** An agent as the store knows it; as struct store_process. */
struct store_agent {
	const char *id;
	const char *name;
	const char *policy;
	const char *digest;
	const char *mode;
	__s64 uid; /* -1: not known */
	__s64 start_ns, end_ns;
};

typedef int (*store_visit_agent)(void *context, const struct store_agent *agent);

/** Visit the agents that are called @name, or have that id; by start. As store_processes(). */
int store_agents(struct store *store, const char *name, store_visit_agent visit, void *context);

/** Flush and close *@store; accepts NULL; resets. */
void store_close(struct store **store);

#endif
