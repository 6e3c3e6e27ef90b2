/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store: what was added is found, and only that; a writer that is killed loses at most what it
 * had not flushed; bounds hold, noise leaves before decisions; readers are not in the way; files that
 * are not ours are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "stored.h"
#include "telemetry/moment.h"

#define SECOND 1000000000LL

static char folder[64];
static char path[80];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/picket-store-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/events.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

/* What a query gave. */
struct found {
	size_t count;
	char first[64], last[64]; /* `path` or `host` */
	size_t stop_at; /* 0: never */
};

static int find(void *context, const json_t *event, const char *line)
{
	struct found *found = context;
	const char *name = json_string_value(json_object_get(event, "path"));

	assert_non_null(strstr(line, "picket.event/1"));
	if (!name)
		name = json_string_value(json_object_get(event, "host"));
	if (found->count++ == 0)
		(void)snprintf(found->first, sizeof(found->first), "%s", name ? name : "");
	(void)snprintf(found->last, sizeof(found->last), "%s", name ? name : "");
	return found->stop_at && found->count == found->stop_at ? 7 : 0;
}

static struct found ask(struct store *store, const struct store_query *query)
{
	struct found found = { 0 };

	assert_int_equal(store_query(store, query, find, &found), 0);
	return found;
}

static size_t count_all(struct store *store)
{
	struct event_filter filter = { 0 };

	return ask(store, &(struct store_query){ .filter = &filter }).count;
}

static struct store *filled(int denials)
{
	struct store *store = stored_open(path, STORE_WRITE);

	stored_add(store, stored_agent("start", 0));
	for (int i = 0; i < denials; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "/srv/%d", i);
		stored_add(store, stored_denial(name, i * SECOND));
		stored_add(store, stored_connection("example.org", "192.0.2.7", i * SECOND + 1));
	}
	assert_int_equal(store_flush(store), 0);
	return store;
}

/* --- Asking --------------------------------------------------------------------------------------- */

static const struct {
	const char *option[4];
	size_t count;
} questions[] = {
	{ { NULL }, 41 },
	{ { "kind", "decision" }, 20 },
	{ { "kind", "decision", "kind", "agent" }, 21 },
	{ { "kind", "activity", "verdict", "deny" }, 0 },
	{ { "verdict", "deny" }, 20 },
	{ { "verdict", "allow" }, 20 },
	{ { "agent", STORED_AGENT }, 41 },
	{ { "agent", STORED_NAME }, 41 },
	{ { "agent", "nobody" }, 0 },
	{ { "agent", "nobody", "agent", STORED_NAME }, 41 },
	{ { "process", "cat" }, 20 },
	{ { "process", "curl", "process", "cat" }, 40 },
	{ { "process", "4121" }, 40 },
	{ { "process", "4121-81232000000" }, 40 },
	{ { "process", "4100-71232000000" }, 40 },
	{ { "process", "4100" }, 0 },
	{ { "process", "bash" }, 0 },
	{ { "host", "example.org" }, 20 },
	{ { "host", "EXAMPLE.*" }, 20 },
	{ { "host", "*.org" }, 20 },
	{ { "host", "*.example.org" }, 0 },
	{ { "host", "**.example.org" }, 20 },
	{ { "host", "192.0.2.*" }, 20 },
	{ { "host", "192.0.2.8" }, 0 },
	{ { "path", "/srv/7" }, 1 },
	{ { "path", "/srv/?" }, 10 },
	{ { "path", "/srv/**" }, 20 },
	{ { "path", "**/1{0,1}" }, 2 },
	{ { "path", "/srv" }, 0 },
	{ { "rule", "default files" }, 20 },
	{ { "rule", "default" }, 40 },
	{ { "rule", "no such text" }, 0 },
	{ { "since", "2026-11-22T12:00:15Z" }, 10 },
	{ { "until", "2026-11-22T12:00:15Z" }, 31 },
	{ { "since", "2026-11-22T12:00:05Z", "until", "2026-11-22T12:00:06Z" }, 2 },
	{ { "since", "2026-11-22T12:00:05.000000001Z", "until", "2026-11-22T13:00:06+01:00" }, 1 },
};

static void set_option(struct event_filter *filter, const char *name, const char *value)
{
	static const struct option options[] = { FILTER_OPTIONS, { NULL, 0, NULL, 0 } };
	CLEAN_FREE char *why = NULL;
	size_t i = 0;

	while (options[i].name && strcmp(options[i].name, name) != 0)
		i++;
	assert_non_null(options[i].name);
	assert_int_equal(filter_parse_option(filter, options[i].val, value, &why), 0);
}

static void questions_are_answered(void **state)
{
	CLEAN(store_close) struct store *store = filled(20);

	(void)state;
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		CLEAN(filter_reset) struct event_filter filter = { 0 };
		struct store_query query = { .filter = &filter };
		struct found found;

		for (size_t o = 0; o < 4 && questions[i].option[o]; o += 2)
			set_option(&filter, questions[i].option[o], questions[i].option[o + 1]);
		found = ask(store, &query);
		if (found.count != questions[i].count)
			fail_msg("question %zu (%s %s): %zu", i,
				 questions[i].option[0] ? questions[i].option[0] : "",
				 questions[i].option[1] ? questions[i].option[1] : "", found.count);
		query.limit = 1000;
		assert_int_equal(ask(store, &query).count, questions[i].count);
		query.newest_first = true;
		assert_int_equal(ask(store, &query).count, questions[i].count);
	}
}

static void order_and_limit(void **state)
{
	CLEAN(store_close) struct store *store = filled(1500);
	CLEAN(filter_reset) struct event_filter filter = { 0 };
	struct store_query query = { .filter = &filter };
	struct found found = { .stop_at = 3 };

	(void)state;
	set_option(&filter, "kind", "decision");
	assert_int_equal(ask(store, &query).count, 1500);
	assert_string_equal(ask(store, &query).first, "/srv/0");
	assert_string_equal(ask(store, &query).last, "/srv/1499");
	query.limit = 10;
	assert_int_equal(ask(store, &query).count, 10);
	assert_string_equal(ask(store, &query).first, "/srv/1490");
	assert_string_equal(ask(store, &query).last, "/srv/1499");
	query.newest_first = true;
	assert_string_equal(ask(store, &query).first, "/srv/1499");
	assert_string_equal(ask(store, &query).last, "/srv/1490");
	query.limit = 0;
	assert_string_equal(ask(store, &query).last, "/srv/0");
	assert_int_equal(store_query(store, &query, find, &found), 7);
	assert_int_equal(found.count, 3);
}

/* A path that the terminal must not see is found by its bytes. */
static void odd_paths_are_found(void **state)
{
	CLEAN(store_close) struct store *store = stored_open(path, STORE_WRITE);
	static const char *const globs[] = { "/srv/a\nb", "/srv/\xff?", "/srv/\\\\x",
					     "/srv/'; DROP TABLE events; --" };

	(void)state;
	stored_add(store, stored_denial("/srv/a\nb", 0));
	stored_add(store, stored_denial("/srv/\xff\xfe", 1));
	stored_add(store, stored_denial("/srv/\\x", 2));
	stored_add(store, stored_denial("/srv/'; DROP TABLE events; --", 3));
	assert_int_equal(store_flush(store), 0);
	for (size_t i = 0; i < 4; i++) {
		CLEAN(filter_reset) struct event_filter filter = { 0 };

		set_option(&filter, "path", globs[i]);
		assert_int_equal(ask(store, &(struct store_query){ .filter = &filter }).count, 1);
	}
	assert_int_equal(count_all(store), 4);
}

/* --- Processes and agents ------------------------------------------------------------------------- */

struct people {
	size_t count;
	char last[40], parent[40], status[40], exe[40];
	__s64 end_ns;
};

static int meet(void *context, const struct store_process *process)
{
	struct people *people = context;

	people->count++;
	(void)snprintf(people->last, sizeof(people->last), "%s", process->id);
	(void)snprintf(people->parent, sizeof(people->parent), "%s",
		       process->parent ? process->parent : "");
	(void)snprintf(people->status, sizeof(people->status), "%s",
		       process->status ? process->status : "");
	(void)snprintf(people->exe, sizeof(people->exe), "%s", process->exe ? process->exe : "");
	people->end_ns = process->end_ns;
	return 0;
}

static void processes_are_gathered(void **state)
{
	CLEAN(store_close) struct store *store = stored_open(path, STORE_WRITE);
	struct event_filter always = { 0 };
	struct event_filter later = { .since_ns = STORED_BEGIN_NS + 5 * SECOND };
	struct people people = { 0 };

	(void)state;
	stored_add(store, stored_life("fork", 20, 10, NULL, SECOND));
	stored_add(store, stored_life("program", 20, 10, "/usr/bin/git", 2 * SECOND));
	stored_add(store, stored_life("program", 20, 10, "/usr/bin/git", 2 * SECOND));
	stored_add(store, stored_life("exit", 20, 10, "/usr/bin/git", 3 * SECOND));
	stored_add(store, stored_denial("/x", 6 * SECOND));
	assert_int_equal(store_processes(store, STORED_AGENT, &always, meet, &people), 0);
	/* The ancestor 10 was not seen as one of the agent's. */
	assert_int_equal(people.count, 2);
	people = (struct people){ 0 };
	assert_int_equal(store_processes(store, STORED_AGENT, &later, meet, &people), 0);
	assert_int_equal(people.count, 1);
	assert_string_equal(people.last, "4121-81232000000");
	assert_int_equal(store_process(store, "20-20000000000", meet, &people), 0);
	assert_string_equal(people.parent, "10-10000000000");
	assert_string_equal(people.exe, "/usr/bin/git");
	assert_string_equal(people.status, "{\"code\":0}");
	assert_int_equal(people.end_ns, STORED_BEGIN_NS + 3 * SECOND);
	people.count = 0;
	assert_int_equal(store_process(store, "10-10000000000", meet, &people), 0);
	assert_int_equal(people.count, 1);
}

/* --- Crashes -------------------------------------------------------------------------------------- */

/* Tells the parent how many are flushed for good, until it is killed. */
static void write_until_killed(int to)
{
	struct store *store = stored_open(path, STORE_WRITE);
	__u32 flushed = 0;

	for (int i = 0;; i++) {
		json_t *event = stored_denial("/srv/x", i);

		if (store_add(store, event))
			_exit(3);
		json_decref(event);
		if (i % 7 != 6)
			continue;
		if (store_flush(store))
			_exit(4);
		flushed = (__u32)i + 1;
		if (write(to, &flushed, sizeof(flushed)) != sizeof(flushed))
			_exit(5);
	}
}

static void a_killed_writer_loses_nothing_flushed(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct store *store;
		__u32 flushed = 0;
		size_t found;
		int pipes[2];
		int status;
		pid_t pid;

		(void)unlink(path);
		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			write_until_killed(pipes[1]);
		close(pipes[1]);
		for (int i = 0; i < 20 + round; i++)
			assert_int_equal(read(pipes[0], &flushed, sizeof(flushed)),
					 sizeof(flushed));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(pipes[0], &flushed, sizeof(flushed)) == sizeof(flushed))
			;
		close(pipes[0]);
		store = stored_open(path, STORE_READ);
		found = count_all(store);
		store_close(&store);
		assert_in_range(found, flushed, flushed + 7);
		store = stored_open(path, STORE_WRITE);
		stored_add(store, stored_denial("/srv/after", 0));
		assert_int_equal(store_flush(store), 0);
		assert_int_equal(count_all(store), found + 1);
		store_close(&store);
	}
}

/* What is not flushed is seen by nobody; a reader in the middle of a query stops no writer. */
static int add_while_reading(void *context, const json_t *event, const char *line)
{
	struct store **stores = context;

	(void)event;
	(void)line;
	stored_add(stores[0], stored_denial("/srv/new", -SECOND));
	assert_int_equal(store_flush(stores[0]), 0);
	return 0;
}

static void readers_and_the_writer(void **state)
{
	struct store *writer = filled(10);
	struct store *reader = stored_open(path, STORE_READ);
	struct event_filter filter = { 0 };
	struct store_query query = { .filter = &filter };

	(void)state;
	stored_add(writer, stored_denial("/srv/pending", 0));
	assert_int_equal(store_pending(writer), 1);
	assert_int_equal(count_all(reader), 21);
	assert_int_equal(store_flush(writer), 0);
	assert_int_equal(store_pending(writer), 0);
	assert_int_equal(count_all(reader), 22);
	assert_int_equal(store_query(reader, &query, add_while_reading, &writer), 0);
	assert_int_equal(count_all(reader), 44);
	assert_true(store_add(reader, json_object_get(NULL, "x")) == -EINVAL);
	store_close(&reader);
	store_close(&writer);
}

/* A batch is committed by itself, by number and by time. */
static void batches_are_committed(void **state)
{
	struct store *writer = stored_open(path, STORE_WRITE);
	struct store *reader = stored_open(path, STORE_READ);
	int i;

	(void)state;
	stored_add(writer, stored_denial("/a", 0));
	usleep(250000);
	stored_add(writer, stored_denial("/b", 0));
	assert_int_equal(store_pending(writer), 0);
	assert_int_equal(count_all(reader), 2);
	for (i = 0; i < 10 * STORE_BATCH; i++) {
		stored_add(writer, stored_denial("/c", 0));
		if (store_pending(writer) == 0)
			break;
	}
	assert_in_range(i, 0, STORE_BATCH);
	store_close(&reader);
	store_close(&writer);
}

/* --- Bounds --------------------------------------------------------------------------------------- */

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(name, &st) ? 0 : st.st_size;
}

static void size_is_bounded(void **state)
{
	const struct store_limits limits = { .bytes = 1U << 20 };
	struct store *store = stored_open(path, STORE_WRITE);
	CLEAN(filter_reset) struct event_filter filter = { 0 };
	struct store_facts facts;
	size_t added = 0;

	(void)state;
	store_limit(store, &limits);
	stored_add(store, stored_agent("start", 0));
	for (int i = 0; i < 50; i++)
		stored_add(store, stored_denial("/srv/early", i));
	for (; added < 12000; added++)
		stored_add(store, stored_connection("example.org", "192.0.2.7",
						    SECOND + (__s64)added * 1000));
	assert_int_equal(store_flush(store), 0);
	assert_int_equal(store_look(store, &facts), 0);
	assert_in_range(facts.bytes, 1, limits.bytes * 5 / 4);
	assert_in_range(size_of(path), 1, limits.bytes * 3);
	assert_in_range(facts.events, 100, 4000);
	assert_int_equal(facts.events + facts.pruned_bulk, added + 51);
	/* The noise came later and left first. */
	assert_int_equal(facts.pruned_records, 0);
	assert_true(facts.pruned_until_ns > STORED_BEGIN_NS);
	set_option(&filter, "verdict", "deny");
	assert_int_equal(ask(store, &(struct store_query){ .filter = &filter }).count, 50);
	/* When there are only records, they are bounded too. */
	for (int i = 0; i < 6000; i++)
		stored_add(store, stored_denial("/srv/late", 100 * SECOND + i));
	for (int i = 0; i < 10; i++)
		assert_int_equal(store_flush(store), 0);
	assert_int_equal(store_look(store, &facts), 0);
	assert_in_range(facts.bytes, 1, limits.bytes);
	assert_true(facts.pruned_records > 0);
	assert_int_equal(facts.events + facts.pruned_bulk + facts.pruned_records,
			 added + 51 + 6000);
	store_close(&store);
}

/* 500 events, one every 10 seconds, of which the newest is 8010 seconds old. */
static void age_is_bounded(void **state)
{
	const struct store_limits limits = { .age_ns = 10000 * SECOND };
	struct store *store = stored_open(path, STORE_WRITE);
	__s64 newest = moment_now() - STORED_BEGIN_NS - 8010 * SECOND;
	struct store_facts facts;

	(void)state;
	store_limit(store, &limits);
	for (int i = 499; i >= 0; i--)
		stored_add(store, stored_denial("/srv/x", newest - 10 * i * SECOND));
	assert_int_equal(store_flush(store), 0);
	assert_int_equal(store_look(store, &facts), 0);
	assert_in_range(facts.events, 190, 199);
	assert_int_equal(facts.events + facts.pruned_records, 500);
	store_close(&store);
}

/* --- Files of others ------------------------------------------------------------------------------ */

static void refused(unsigned int flags, int error, const char *part)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct store *store = NULL;

	assert_int_equal(store_open(path, flags, &store, &diags), error);
	assert_null(store);
	assert_int_equal(diags.count, 1);
	if (!strstr(diags.items[0].message, part))
		fail_msg("%s", diags.items[0].message);
}

static void put(const char *bytes, size_t size)
{
	CLEAN_FILE FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
}

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void shell(const char *format, ...)
{
	char command[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static void foreign_files_are_refused(void **state)
{
	static char noise[8192];

	(void)state;
	refused(STORE_READ, -ENOENT, "there is no store at '");
	memset(noise, 'x', sizeof(noise));
	put(noise, sizeof(noise));
	refused(STORE_READ, -EUCLEAN, "is no store of picket, or a damaged one");
	refused(STORE_WRITE, -EUCLEAN, "is no store of picket, or a damaged one");
	assert_int_equal(size_of(path), sizeof(noise));
	put("", 0);
	refused(STORE_READ, -EINVAL, "is a database of another program");
	(void)unlink(path);
	shell("sqlite3 '%s' 'CREATE TABLE notes(x)'", path);
	refused(STORE_WRITE, -EINVAL, "is a database of another program");
	(void)unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	refused(STORE_WRITE, -ELOOP, "cannot open the store");
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refused(STORE_READ, -EINVAL, "is no regular file");
	assert_int_equal(rmdir(path), 0);
}

static void other_versions_and_damage(void **state)
{
	struct store *store = filled(200);
	struct event_filter filter = { 0 };
	struct store_query query = { .filter = &filter };
	struct found found = { 0 };
	CLEAN_FD int fd = -1;
	char noise[4096];

	(void)state;
	store_close(&store);
	shell("sqlite3 '%s' 'PRAGMA user_version = 2'", path);
	refused(STORE_READ, -EPROTONOSUPPORT, "has version 2, and this picket knows 1");
	shell("sqlite3 '%s' 'PRAGMA user_version = 1'", path);
	/* Pages in the middle: found when they are read, and said. */
	memset(noise, 0x5a, sizeof(noise));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (off_t at = 8 * 4096; at < size_of(path); at += 4096)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
	store = stored_open(path, STORE_READ);
	assert_int_equal(store_query(store, &query, find, &found), -EUCLEAN);
	assert_non_null(strstr(store_error(store), "malformed"));
	store_close(&store);
}

static void the_file_is_private(void **state)
{
	struct store *store = filled(1);
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store_close(&store);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(questions_are_answered),
		CASE(order_and_limit),
		CASE(odd_paths_are_found),
		CASE(processes_are_gathered),
		CASE(a_killed_writer_loses_nothing_flushed),
		CASE(readers_and_the_writer),
		CASE(batches_are_committed),
		CASE(size_is_bounded),
		CASE(age_is_bounded),
		CASE(foreign_files_are_refused),
		CASE(other_versions_and_damage),
		CASE(the_file_is_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
