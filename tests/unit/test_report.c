/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Incident reports: what is in them, that no name an agent chose is anything but text (report_judge.py parses
 * them as XML and as HTML), that nothing in a period is said, and that time and size are bounded.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "report/report.h"
#include "report/tally.h"
#include "stored.h"

#define SECOND 1000000000LL

static char folder[64];
static char path[80];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/picket-report-XXXXXX");
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

static char *report_of(struct store *store, const struct report_question *question)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int r;

	assert_non_null(to);
	assert_int_equal(store_flush(store), 0);
	r = report_write(store, question, to, &diags);
	assert_int_equal(fclose(to), 0);
	if (r)
		fail_msg("report_write: %d: %s", r, diags.count ? diags.items[0].message : "");
	return text;
}

/* The judge finds nothing; @text is shown as text. */
static void judge(const char *report, const char *text)
{
	char file[96];
	FILE *to;
	int status;
	pid_t pid;

	(void)snprintf(file, sizeof(file), "%s/report.html", folder);
	to = fopen(file, "we");
	assert_non_null(to);
	assert_true(fputs(report, to) >= 0);
	assert_int_equal(fclose(to), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("python3", "python3", "tests/unit/report_judge.py", file, text,
		       (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("report_judge.py: status %d", status);
}

static void has(const char *report, const char *text)
{
	if (!strstr(report, text))
		fail_msg("the report has no '%s'", text);
}

static json_t *with(json_t *event, const char *key, json_t *value)
{
	assert_int_equal(json_object_set_new(event, key, value), 0);
	return event;
}

/* A denial with all that a rule says, by a process of the tree. */
static json_t *ruled(const char *file, __s64 offset)
{
	json_t *event = stored_denial(file, offset);

	(void)json_object_del(event, "default");
	(void)with(event, "rule",
		   json_pack("{s:i, s:s, s:s, s:i, s:s, s:s, s:s}", "number", 3, "verdict", "deny",
			     "file", "/etc/picket/a.yaml", "line", 12, "text", "**/.env", "id",
			     "secrets", "reason", "no keys"));
	return with(event, "suggest", json_pack("[s]", "- {allow: \"/srv/.env\"}"));
}

static void what_happened_is_told(void **state)
{
	const struct report_question question = { .agent = STORED_NAME };
	struct store *store = stored_open(path, STORE_WRITE);
	CLEAN_FREE char *report = NULL;
	json_t *event;

	(void)state;
	stored_add(store, stored_agent("start", 0));
	stored_add(store, stored_life("program", 4100, 10, "/usr/bin/node", 1));
	stored_add(store,
		   with(stored_life("note", 4100, 10, NULL, SECOND), "kind", json_string("note")));
	event = with(stored_life("tool-start", 4100, 10, NULL, SECOND), "kind",
		     json_string("note"));
	stored_add(store,
		   with(event, "tool", json_pack("{s:s, s:s}", "name", "Bash", "call_id", "c1")));
	stored_add(store, ruled("/srv/.env", 2 * SECOND));
	stored_add(store, ruled("/srv/b/.env", 3 * SECOND));
	stored_add(store, with(stored_denial("/etc/shadow", 4 * SECOND), "folded",
			       json_pack("{s:i}", "count", 1200)));
	stored_add(store, with(stored_denial("/would/be", 4 * SECOND), "audit", json_true()));
	stored_add(store, stored_connection("example.org", "192.0.2.7", 5 * SECOND));
	event = stored_agent("lost", 6 * SECOND);
	(void)with(event, "kind", json_string("loss"));
	(void)with(event, "class", json_string("activity"));
	(void)with(event, "where", json_string("kernel"));
	stored_add(store, with(event, "count", json_integer(1834)));
	stored_add(store, stored_life("exit", 4100, 10, "/usr/bin/node", 7 * SECOND));
	report = report_of(store, &question);
	judge(report, "node");
	has(report, "<b>1,203</b>denied");
	has(report, "<b>1</b>allowed and told");
	has(report, "1 of the denied acts were in audit mode");
	has(report, "/etc/picket/agent.yaml");
	has(report, "3f5a9c1e77");
	has(report, "<code>deny **/.env</code>");
	has(report, "/etc/picket/a.yaml:12");
	has(report, "no keys");
	has(report, "would allow it: <code>- {allow: &quot;/srv/.env&quot;}</code>");
	has(report, "<code>default of files</code>");
	has(report, "2026-11-22 12:00:02.000");
	has(report, "<td><code>example.org</code></td><td><code>192.0.2.7 443 tcp</code></td>");
	has(report, "<code>/srv/b/.env</code>");
	has(report, "1,834 of class <code>activity</code>");
	has(report, ">Bash");
	has(report, "exit 0");
	has(report, "1,203 denied");
	assert_null(strstr(report, "No loss"));
	store_close(&store);
}

/* Names that would like to be more than names. */
static const char *const evil[] = {
	"/tmp/<script>alert(1)</script>",
	"/tmp/</code></td></table><img src=x onerror=alert(1)>",
	"/tmp/\"'><svg onload=alert(1)>&lt;&#60;",
	"/tmp/]]><!-- -->--><![CDATA[",
	"/tmp/\x1b[2J\x1b]0;title\x07\x08\x7f\r\n",
	"/tmp/\xe2\x80\xaegnp.exe\xe2\x80\xac",
	"/tmp/\xe2\x80\x8b\xef\xbb\xbf\xef\xbf\xbe\xc2\x85\xc2\xad",
	"/tmp/\xff\xfe\xc0\xaf\xed\xa0\x80",
	"/tmp/%s%n%1000000d{{7*7}}${x}",
	"/tmp/\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d a\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
};

static void evil_names_are_text(void **state)
{
	const struct report_question question = { .agent = STORED_AGENT };
	struct store *store = stored_open(path, STORE_WRITE);
	CLEAN_FREE char *report = NULL;
	char longest[3000];

	(void)state;
	memset(longest, 'W', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	stored_add(store, stored_denial(longest, 0));
	for (size_t i = 0; i < sizeof(evil) / sizeof(*evil); i++) {
		json_t *event = stored_denial(evil[i], (__s64)i);
		const char *text = json_string_value(json_object_get(event, "path"));
		json_t *process = json_object_get(event, "process");
		char id[24];

		(void)snprintf(id, sizeof(id), "%zu-1", i + 1);
		(void)with(process, "id", json_string(id));
		(void)with(process, "exe", json_string(text));
		(void)with(process, "comm", json_string(text));
		(void)with(process, "argv", json_pack("[s, s]", text, text));
		(void)with(event, "suggest", json_pack("[s]", text));
		(void)with(event, "rule",
			   json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "text", text, "verdict",
				     "deny", "file", text, "line", 1, "id", text, "reason", text));
		(void)with(event, "host", json_string(text));
		(void)with(event, "section", json_string(i % 2 ? "egress" : "files"));
		stored_add(store, event);
	}
	report = report_of(store, &question);
	judge(report, evil[0]);
	judge(report, evil[1]);
	has(report, "\\x1b[2J");
	has(report, "\\xe2\\x80\\xaegnp.exe");
	has(report, "\xe2\x80\xa6");
	assert_true(strlen(report) < 200000);
	store_close(&store);
}

static void an_empty_period_is_said(void **state)
{
	struct report_question question = {
		.agent = STORED_NAME,
		.since_ns = STORED_BEGIN_NS + 5 * SECOND,
		.until_ns = STORED_BEGIN_NS + 6 * SECOND,
	};
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct store *store = stored_open(path, STORE_WRITE);
	CLEAN_FREE char *report = NULL;

	(void)state;
	stored_add(store, stored_agent("start", 0));
	stored_add(store, stored_denial("/srv/before", 4 * SECOND));
	stored_add(store, stored_denial("/srv/behind", 6 * SECOND));
	report = report_of(store, &question);
	judge(report, "There is no event in this period.");
	judge(report, "Nothing was denied.");
	assert_null(strstr(report, "/srv/"));
	question.agent = "nobody";
	assert_int_equal(report_write(store, &question, stderr, &diags), -ENOENT);
	assert_string_equal(diags.items[0].message, "the store has nothing of an agent 'nobody'");
	store_close(&store);
}

/* 10,000 events of 2,000 processes, of which some were refused something. */
static void much_is_bounded(void **state)
{
	const struct report_question question = { .agent = STORED_AGENT };
	struct store *store = stored_open(path, STORE_WRITE);
	CLEAN_FREE char *report = NULL;
	json_t *denial = stored_denial("/srv/x", 0);
	json_t *life = stored_life("program", 2, 1, "/usr/bin/cc1", 0);
	clock_t begin;
	char text[40];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		json_t *event = i % 5 ? life : denial;
		json_t *process = json_object_get(event, "process");

		(void)snprintf(text, sizeof(text), "2026-11-22T12:%02d:%02d.%06dZ", i / 200,
			       i / 4 % 60, i % 4);
		(void)with(event, "time", json_string(text));
		(void)snprintf(text, sizeof(text), "%d-%d", i / 5 + 10, i / 5);
		(void)with(process, "id", json_string(text));
		(void)snprintf(text, sizeof(text), "/srv/%d/%d", i % 700, i);
		(void)with(event, "path", json_string(text));
		assert_int_equal(store_add(store, event), 0);
	}
	json_decref(denial);
	json_decref(life);
	begin = clock();
	report = report_of(store, &question);
	/* The sanitizers take most of it. */
	assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
	assert_true(strlen(report) < 400000);
	judge(report, "\xc3\x97 1,988");
	has(report, "<b>2,000</b>denied");
	has(report, "1,900 more paths are not shown");
	has(report, "1,700 more are in the store");
	store_close(&store);
}

/* More keys than a tally keeps are counted together; the ones that it has go on. */
static void a_tally_is_bounded(void **state)
{
	CLEAN(tally_reset) struct tally tally = { 0 };
	char key[16];

	(void)state;
	for (int i = 0; i < TALLY_MAX + 7; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(tally_add(&tally, key, TALLY_DENIED, 2, i + 1) != NULL,
				 i < TALLY_MAX);
	}
	assert_non_null(tally_add(&tally, "5", TALLY_ASKED, 1, 1));
	assert_int_equal(tally.count, TALLY_MAX);
	assert_int_equal(tally.left_out, 14);
	assert_int_equal(tally_find(&tally, "5")->count[TALLY_ASKED], 1);
	assert_null(tally_find(&tally, "20000"));
}

/* Add a record number @seq; a start of picketd when @op is "start" and @kind "daemon". */
static void add_number(struct store *store, const char *kind, json_int_t seq, __s64 offset)
{
	json_t *event = strcmp(kind, "daemon") == 0 ? stored_agent("start", offset) :
						      stored_denial("/srv/x", offset);

	if (strcmp(kind, "daemon") == 0) {
		(void)json_object_del(event, "agent");
		(void)with(event, "kind", json_string(kind));
	}
	stored_add(store, with(event, "seq", json_integer(seq)));
}

/* What is missing by its number: of each run of picketd, whatever comes late. */
static void gaps_are_told(void **state)
{
	const struct report_question question = { .agent = STORED_AGENT };
	struct store *store = stored_open(path, STORE_WRITE);
	CLEAN_FREE char *whole = NULL;
	CLEAN_FREE char *report = NULL;

	(void)state;
	add_number(store, "daemon", 1, 0);
	for (int i = 2; i < 10; i++)
		add_number(store, "decision", i, i * SECOND);
	whole = report_of(store, &question);
	has(whole, "The numbers of the 9 records of this period, of all agents, have no gap.");
	/* 10 to 12 do not come, 14 comes late, 15 twice; 18 is missing. */
	add_number(store, "decision", 13, 13 * SECOND);
	add_number(store, "decision", 15, 15 * SECOND);
	add_number(store, "decision", 14, 14 * SECOND);
	add_number(store, "decision", 15, 15 * SECOND);
	add_number(store, "decision", 16, 16 * SECOND);
	add_number(store, "decision", 17, 17 * SECOND);
	add_number(store, "decision", 19, 19 * SECOND);
	/* The next picketd counts anew; one record of the last one comes from a spool. */
	add_number(store, "daemon", 1, 60 * SECOND);
	add_number(store, "decision", 2, 50 * SECOND);
	add_number(store, "decision", 20, 20 * SECOND);
	add_number(store, "decision", 3, 61 * SECOND);
	add_number(store, "decision", 5, 62 * SECOND);
	report = report_of(store, &question);
	has(report, "5 are not in this store");
	has(report, "3 records, numbers 10 to 12, between 2026-11-22 12:00:09.000 and");
	has(report, "1 record, number 18, between");
	has(report, "1 record, number 4, between");
	assert_null(strstr(report, "have no gap"));
	store_close(&store);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_happened_is_told),   CASE(evil_names_are_text),
		CASE(an_empty_period_is_said), CASE(much_is_bounded),
		CASE(gaps_are_told),	       cmocka_unit_test(a_tally_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
