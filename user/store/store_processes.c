/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What events say of processes and agents, gathered in a row each. Most events say what is known
 * already: that is found by a hash and not written.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_parts.h"
#include "telemetry/moment.h"

/* What is known is said again after so long, for `seen`: pruning spares what is in use. */
#define SEEN_AGAIN_NS (3600LL * 1000000000LL)

static const char *text(const json_t *from, const char *key)
{
	return json_string_value(json_object_get(from, key));
}

/* FNV-1a. The end of each text counts, so that "ab","c" is not "a","bc". */
static __u64 mix(__u64 hash, const char *word)
{
	for (; word && *word; word++)
		hash = (hash ^ (unsigned char)*word) * 0x100000001b3ULL;
	return (hash ^ 0xff) * 0x100000001b3ULL;
}

/* Was exactly this written lately? Else it is from now on. */
static bool is_known(struct store *store, __u64 hash, __s64 time_ns)
{
	struct store_known *slot = &store->known[hash % STORE_KNOWN];

	if (slot->hash == hash && time_ns < slot->seen_ns + SEEN_AGAIN_NS)
		return true;
	*slot = (struct store_known){ hash, time_ns };
	return false;
}

static void bind_number(sqlite3_stmt *statement, int at, const json_t *number)
{
	if (json_is_integer(number))
		(void)sqlite3_bind_int64(statement, at, json_integer_value(number));
}

static void bind_start(sqlite3_stmt *statement, int at, const json_t *process)
{
	const char *start = text(process, "start");
	__s64 ns;

	if (start && moment_parse(start, 0, &ns) == 0)
		(void)sqlite3_bind_int64(statement, at, ns);
}

static __u64 hash_process(const json_t *process, const char *parent, const char *agent)
{
	static const char *const keys[] = { "id", "comm", "exe", "cwd", "container" };
	const json_t *argv = json_object_get(process, "argv");
	__u64 hash = mix(mix(0xcbf29ce484222325ULL, parent), agent);
	const json_t *word;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		hash = mix(hash, text(process, keys[i]));
	json_array_foreach(argv, i, word)
		hash = mix(hash, json_string_value(word));
	return hash + json_is_true(json_object_get(process, "incomplete"));
}

static int insert_process(struct store *store, const json_t *process, const char *parent,
			  const char *agent, __s64 time_ns)
{
	sqlite3_stmt *statement = store_statement(store, STORE_INSERT_PROCESS);
	const json_t *argv = json_object_get(process, "argv");
	CLEAN_FREE char *words = argv ? json_dumps(argv, JSON_COMPACT) : NULL;

	if (!statement)
		return -EIO;
	store_bind_text(statement, 1, text(process, "id"));
	store_bind_text(statement, 2, parent);
	bind_number(statement, 3, json_object_get(process, "pid"));
	bind_number(statement, 4, json_object_get(process, "uid"));
	store_bind_text(statement, 5, agent);
	store_bind_text(statement, 6, text(process, "comm"));
	store_bind_text(statement, 7, text(process, "exe"));
	store_bind_text(statement, 8, words);
	store_bind_text(statement, 9, text(process, "cwd"));
	store_bind_text(statement, 10, text(process, "container"));
	bind_start(statement, 11, process);
	(void)sqlite3_bind_int(statement, 12, json_is_true(json_object_get(process, "incomplete")));
	(void)sqlite3_bind_int64(statement, 13, time_ns);
	return store_step(store, statement);
}

static int add_ancestor(struct store *store, const json_t *process, const char *parent,
			__s64 time_ns)
{
	__u64 hash = hash_process(process, parent, "\1");
	sqlite3_stmt *statement;

	if (!text(process, "id") || is_known(store, hash, time_ns))
		return 0;
	statement = store_statement(store, STORE_INSERT_ANCESTOR);
	if (!statement)
		return -EIO;
	store_bind_text(statement, 1, text(process, "id"));
	store_bind_text(statement, 2, parent);
	bind_number(statement, 3, json_object_get(process, "pid"));
	store_bind_text(statement, 4, text(process, "comm"));
	store_bind_text(statement, 5, text(process, "exe"));
	bind_start(statement, 6, process);
	(void)sqlite3_bind_int(statement, 7, json_is_true(json_object_get(process, "incomplete")));
	(void)sqlite3_bind_int64(statement, 8, time_ns);
	return store_step(store, statement);
}

static int add_chain(struct store *store, const json_t *event, __s64 time_ns)
{
	const json_t *chain = json_object_get(event, "chain");
	const json_t *process;
	size_t i;
	int r = 0;

	if (!chain)
		return add_ancestor(store, json_object_get(event, "parent"), NULL, time_ns);
	json_array_foreach(chain, i, process) {
		if (!r)
			r = add_ancestor(store, process, text(json_array_get(chain, i + 1), "id"),
					 time_ns);
	}
	return r;
}

static int end_process(struct store *store, const json_t *event, __s64 time_ns)
{
	sqlite3_stmt *statement = store_statement(store, STORE_END_PROCESS);
	const json_t *status = json_object_get(event, "status");
	CLEAN_FREE char *words = status ? json_dumps(status, JSON_COMPACT) : NULL;

	if (!statement)
		return -EIO;
	store_bind_text(statement, 1, text(json_object_get(event, "process"), "id"));
	(void)sqlite3_bind_int64(statement, 2, time_ns);
	store_bind_text(statement, 3, words);
	return store_step(store, statement);
}

int store_add_processes(struct store *store, const json_t *event, __s64 time_ns)
{
	const json_t *process = json_object_get(event, "process");
	const char *parent = text(json_object_get(event, "parent"), "id");
	const char *agent = text(event, "agent");
	const char *kind = text(event, "kind");
	const char *op = text(event, "op");
	int r = 0;

	if (!text(process, "id"))
		return 0;
	if (!parent)
		parent = text(json_array_get(json_object_get(event, "chain"), 0), "id");
	if (!is_known(store, hash_process(process, parent, agent), time_ns))
		r = insert_process(store, process, parent, agent, time_ns);
	if (!r)
		r = add_chain(store, event, time_ns);
	if (!r && kind && op && strcmp(kind, "life") == 0 && strcmp(op, "exit") == 0)
		r = end_process(store, event, time_ns);
	return r;
}

int store_add_agent(struct store *store, const json_t *event, __s64 time_ns)
{
	static const char *const keys[] = { "agent", "name", "policy", "digest", "mode" };
	const char *kind = text(event, "kind");
	const char *op = text(event, "op");
	sqlite3_stmt *statement;
	bool starts;

	if (!kind || strcmp(kind, "agent") != 0 || !text(event, "agent") || !op)
		return 0;
	statement = store_statement(store, STORE_INSERT_AGENT);
	if (!statement)
		return -EIO;
	starts = strcmp(op, "start") == 0 || strcmp(op, "attach") == 0;
	for (int i = 0; i < 5; i++)
		store_bind_text(statement, i + 1, text(event, keys[i]));
	bind_number(statement, 6, json_object_get(event, "uid"));
	(void)sqlite3_bind_int64(statement, starts ? 7 : 8, time_ns);
	(void)sqlite3_bind_int64(statement, 9, time_ns);
	return store_step(store, statement);
}
