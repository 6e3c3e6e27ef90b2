/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket log` and `picket report` over a store: what they print, where, and with which status.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "commands.h"
#include "stored.h"

#define SECOND 1000000000LL

static char folder[64];
static int home = -1;

static int make_folder(void **state)
{
	struct store *store;

	(void)state;
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strcpy(folder, "/tmp/picket-log-XXXXXX");
	if (home < 0 || !mkdtemp(folder) || chdir(folder))
		return -1;
	store = stored_open("events.db", STORE_WRITE);
	stored_add(store, stored_agent("start", 0));
	for (int i = 0; i < 20; i++) {
		stored_add(store,
			   stored_denial(i % 2 ? "/srv/odd" : "/srv/\x1b[31meven", i * SECOND));
		stored_add(store, stored_connection("example.org", "192.0.2.7", i * SECOND + 1));
	}
	assert_int_equal(store_flush(store), 0);
	store_close(&store);
	return 0;
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	if (fchdir(home))
		return -1;
	mem_close_fd(&home);
	return system(command);
}

static struct outcome picket(const char *const *args)
{
	return run(NULL, args, NULL);
}

#define PICKET(...) picket((const char *const[]){ __VA_ARGS__, NULL })
#define LOG(...) PICKET("log", "--store", "events.db", __VA_ARGS__)

static size_t lines_of(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void expect(struct outcome outcome, int code, size_t lines, const char *first)
{
	if (outcome.code != code || lines_of(outcome.out) != lines ||
	    !strstr(outcome.out, first ? first : ""))
		fail_msg("%d, %zu lines: %s%s", outcome.code, lines_of(outcome.out), outcome.out,
			 outcome.err);
	outcome_reset(&outcome);
}

static void filters_and_orders(void **state)
{
	struct outcome outcome;

	(void)state;
	expect(LOG("--kind", "decision"), 0, 20, "DENIED open");
	expect(LOG("--verdict", "deny", "--path", "/srv/odd"), 0, 10, "/srv/odd");
	expect(LOG("--agent", STORED_NAME), 0, 41, "DENIED open /srv/odd");
	expect(LOG("--host", "*.org", "--limit", "3"), 0, 3, "example.org");
	expect(LOG("--agent", "nobody"), 0, 0, NULL);
	expect(LOG("--kind", "decision", "--since", "2026-11-22T12:00:18Z"), 0, 2, "/srv/odd");
	expect(LOG("--wide", "--limit", "1", "--verdict", "deny"), 0, 1, STORED_AGENT);
	outcome = LOG("--json", "--reverse", "--kind", "decision", "--limit", "2");
	expect(outcome, 0, 2, "{\"schema\":\"picket.event/1\",\"time\":\"2026-11-22T12:00:19.");
}

/* No byte of an event steers the terminal. */
static void nothing_steers_the_terminal(void **state)
{
	struct outcome outcome = LOG("--verdict", "deny");

	(void)state;
	assert_non_null(strstr(outcome.out, "\\x1b[31meven"));
	assert_null(strchr(outcome.out, '\x1b'));
	outcome_reset(&outcome);
}

static void failures_are_told(void **state)
{
	struct outcome outcome = PICKET("log", "--store", "none.db");

	(void)state;
	assert_int_equal(outcome.code, 1);
	assert_string_equal(outcome.out, "");
	assert_non_null(strstr(outcome.err, "there is no store at 'none.db'"));
	assert_non_null(strstr(outcome.err, "hint: "));
	outcome_reset(&outcome);
	write_file("text.db", "this is no database at all, but it is longer than the head of one "
			      "so that nobody takes it for an empty file of that kind\n");
	outcome = PICKET("report", "--store", "text.db", "--agent", "a");
	assert_int_equal(outcome.code, 1);
	assert_non_null(strstr(outcome.err, "'text.db' is no store of picket, or a damaged one"));
	outcome_reset(&outcome);
}

/* Bounded so that most of what there is must leave. */
static void what_was_pruned_is_told(void **state)
{
	const struct store_limits limits = { .bytes = 4096 };
	struct store *store = stored_open("events.db", STORE_WRITE);
	struct outcome outcome;

	(void)state;
	store_limit(store, &limits);
	assert_int_equal(store_flush(store), 0);
	store_close(&store);
	outcome = LOG("--since", "2026-11-22T12:00:00Z", "--kind", "activity");
	assert_int_equal(outcome.code, 0);
	assert_string_equal(outcome.out, "");
	assert_non_null(strstr(outcome.err, "20 activity and 0 other records up to "
					    "2026-11-22T12:00:19.000000001Z were pruned"));
	outcome_reset(&outcome);
	expect(LOG("--kind", "decision"), 0, 20, "DENIED");
}

static void a_report_is_a_file(void **state)
{
	struct outcome outcome = PICKET("report", "--store", "events.db", "--agent", STORED_NAME,
					"-o", "report.html");
	CLEAN_FREE char *report = read_file("report.html");
	struct stat st;

	(void)state;
	expect(outcome, 0, 0, NULL);
	assert_non_null(strstr(report, "<b>20</b>denied"));
	assert_non_null(strstr(report, "</html>\n"));
	assert_int_equal(stat("report.html", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	outcome = PICKET("report", "--store", "events.db", "--agent", STORED_NAME, "-o",
			 "report.html");
	assert_int_equal(outcome.code, 1);
	assert_non_null(strstr(outcome.err, "cannot make 'report.html': File exists"));
	outcome_reset(&outcome);
	outcome = PICKET("report", "--store", "events.db", "--agent", "nobody", "-o", "no.html");
	assert_int_equal(outcome.code, 1);
	assert_non_null(strstr(outcome.err, "the store has nothing of an agent 'nobody'"));
	assert_int_not_equal(access("no.html", F_OK), 0);
	outcome_reset(&outcome);
	outcome = PICKET("report", "--store", "events.db", "--agent", STORED_AGENT, "--since",
			 "2026-11-22T12:00:10Z", "--until", "2026-11-22T12:00:12Z");
	assert_int_equal(outcome.code, 0);
	assert_non_null(strstr(outcome.out, "<b>2</b>denied"));
	outcome_reset(&outcome);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(filters_and_orders), CASE(nothing_steers_the_terminal),
		CASE(failures_are_told),  CASE(what_was_pruned_is_told),
		CASE(a_report_is_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
