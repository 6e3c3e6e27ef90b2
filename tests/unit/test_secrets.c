/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What redaction hides is nowhere: neither in the JSON of an event, nor in any other form of it, nor in the
 * lines for people, the lines that would allow it, feeds, the store, reports and answers. Each form shows
 * by the mark that it has the place where the secret was.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "daemon/answer_event.h"
#include "daemon/ask_act.h"
#include "daemon/feed.h"
#include "daemon/registry.h"
#include "event_forms.h"
#include "format/format.h"
#include "report/report.h"
#include "stored.h"
#include "telemetry/render.h"
#include "telemetry/shown.h"
#include "telemetry/suggest.h"
#include "telemetry/summary.h"

/* Below this every path is hidden, by the settings of the test. */
#define PRIVATE "/srv/private/"

/** An act with a secret in it. */
struct act {
	const char *secret;
	const char *path;
	const char *path2; /* of a rename; NULL: an open */
	const char *words; /* of a command, each ended by a NUL */
	size_t size;
};

#define WORDS(text) (text), sizeof(text) - 1

static const struct act acts[] = {
	{ "hunter2", "/usr/bin/mysql", NULL, WORDS("mysql\0-phunter2\0db\0") },
	{ "s3cr3t-value", "/usr/bin/curl", NULL, WORDS("curl\0--password\0s3cr3t-value\0") },
	{ "alice:pw0rd", "/usr/bin/git", NULL,
	  WORDS("git\0clone\0https://alice:pw0rd@git.example/x\0") },
	{ "q7f2c1", "/usr/bin/wget", NULL, WORDS("wget\0https://x.example/?token=q7f2c1\0") },
	{ "ghp_abcdefghij0123456789", "/bin/sh", NULL,
	  WORDS("sh\0-c\0GITHUB_TOKEN=ghp_abcdefghij0123456789 make\0") },
	{ "ghp_abcdefghij0123456789", "/tmp/ghp_abcdefghij0123456789", NULL, NULL, 0 },
	{ "acme.db", PRIVATE "acme.db", NULL, NULL, 0 },
	{ "AKIAABCDEFGHIJKLMNOP", "/tmp/a", "/tmp/AKIAABCDEFGHIJKLMNOP", NULL, 0 },
};

static char *private_paths[] = { (char *)PRIVATE "*" };
static const struct redact_settings hiding = {
	.defaults = true,
	.paths = private_paths,
	.paths_count = 1,
};
static const struct event_context context = { .agent = STORED_AGENT, .redact = &hiding };

static void make(const struct act *act, struct raw_event *raw)
{
	raw_event_open(raw, act->path);
	if (act->words) {
		raw_event_command(raw, act->path, act->words, act->size);
	} else if (act->path2) {
		raw->head.op = PK_OP_RENAME;
		raw_event_paths(raw, act->path, act->path2);
	}
}

/* The secret is not in @bytes, in hexadecimal neither; @marked: but the mark is. */
static void hides(const struct act *act, const char *what, const char *bytes, size_t length,
		  bool marked)
{
	char hex[80] = "";

	for (size_t i = 0; act->secret[i]; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)act->secret[i]);
	if (memmem(bytes, length, act->secret, strlen(act->secret)) ||
	    memmem(bytes, length, hex, strlen(hex)))
		fail_msg("%s of '%s' shows '%s': %.*s", what, act->path, act->secret, (int)length,
			 bytes);
	if (marked && !memmem(bytes, length, REDACT_MARK, strlen(REDACT_MARK)))
		fail_msg("%s of '%s' has no mark: %.*s", what, act->path, (int)length, bytes);
}

static void hides_text(const struct act *act, const char *what, const char *text, bool marked)
{
	hides(act, what, text, strlen(text), marked);
}

/* The control: the secret is in the event, and without redaction in its words. */
static void it_is_there(void **state)
{
	const struct event_context open = { .redact = &redact_nothing };

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		CLEAN_FREE char *line = NULL;
		struct raw_event raw;
		struct event event;

		make(&acts[i], &raw);
		event = raw_event_decode(&raw);
		assert_int_equal(render_event(&event, &open, &line), 0);
		assert_non_null(strstr(line, acts[i].secret));
	}
}

static void every_format(void **state)
{
	const struct format_machine machine = { .hostname = "h", .version = "1" };

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		struct raw_event raw;
		json_t *event;

		make(&acts[i], &raw);
		event = event_forms_parse(&raw, &context);
		for (enum format format = 0; format < FORMAT__MAX; format++) {
			CLEAN(format_text_reset) struct format_text text = { 0 };

			assert_int_equal(format_record(format, event, &machine, &text), 0);
			hides(&acts[i], format_name(format), text.bytes, text.length, true);
		}
		for (unsigned int flags = 0; flags < 8; flags++) {
			CLEAN_FREE char *line = NULL;

			assert_int_equal(format_line(event, flags, &line), 0);
			hides_text(&acts[i], "line", line, true);
		}
		json_decref(event);
	}
}

/* The line of `picket run` and of subscribers, and what would allow it. */
static void lines_for_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
		CLEAN_FREE char *line = NULL;
		CLEAN_FREE char *object = NULL;
		struct raw_event raw;
		struct event event;
		size_t hidden = 0;

		make(&acts[i], &raw);
		event = raw_event_decode(&raw);
		assert_int_equal(render_event(&event, &context, &line), 0);
		hides_text(&acts[i], "text", line, true);
		assert_int_equal(render_object(&event, &context, &object), 0);
		hides_text(&acts[i], "object", object, true);
		assert_int_equal(suggest_add(&list, &event, &context, 1), 0);
		assert_true(list.count > 0);
		for (size_t k = 0; k < list.count; k++) {
			CLEAN_FREE char *rule = NULL;

			hidden += list.items[k].hidden;
			assert_int_equal(suggest_line(&list.items[k], &rule),
					 list.items[k].hidden ? -EPERM : 0);
		}
		assert_int_equal(hidden, list.count);
	}
}

/* The end of a run: all of them in one summary, which says how often it has no line. */
static void a_summary(void **state)
{
	struct summary *summary = NULL;
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	assert_int_equal(summary_new(&summary), 0);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		struct raw_event raw;
		struct event event;

		make(&acts[i], &raw);
		event = raw_event_decode(&raw);
		summary_add(summary, &event);
	}
	assert_int_equal(summary_print(summary, &context, to), 0);
	assert_int_equal(fclose(to), 0);
	summary_free(&summary);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		hides_text(&acts[i], "summary", text, false);
	assert_non_null(strstr(text, "it would show what is hidden"));
}

static void a_feed(void **state)
{
	char folder[] = "/tmp/picket-secrets-XXXXXX";
	struct agent_entry *entry = registry_new_entry();
	struct feeds feeds = FEEDS_NONE;
	CLEAN_FREE char *text = NULL;
	json_t *lines;
	int fd;

	(void)state;
	assert_non_null(entry);
	assert_non_null(mkdtemp(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strcpy(entry->record.id, STORED_AGENT);
	feeds_open(&feeds, fd, -1);
	feed_open(&feeds, entry);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		struct raw_event raw;
		struct event event;

		make(&acts[i], &raw);
		event = raw_event_decode(&raw);
		feed_add(&feeds, entry, &event, &context, "{\"schema\":\"x\"}");
	}
	lines = feed_read(&entry->feed, 100);
	assert_int_equal(json_array_size(lines), sizeof(acts) / sizeof(*acts));
	text = json_dumps(lines, 0);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		hides_text(&acts[i], "feed", text, true);
	json_decref(lines);
	feed_remove(&feeds, entry);
	registry_free_entry(&entry);
	feeds_close(&feeds);
	feeds_remove(fd);
	(void)close(fd);
	assert_int_equal(rmdir(folder), 0);
}

/* The answer about an act: exact in the trail, because it is about no other; hidden in the event. */
static void an_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		CLEAN_FREE char *exact = NULL;
		CLEAN_FREE char *told = NULL;
		struct raw_event raw;
		struct event event;
		json_t *details;
		json_t *record;
		bool failed;

		make(&acts[i], &raw);
		event = raw_event_decode(&raw);
		details = json_pack("{s:{s:s, s:i}, s:o}", "by", "who", "alice", "uid", 1000,
				    "grant", ask_act(&event, &context));
		assert_non_null(details);
		exact = json_dumps(details, 0);
		assert_non_null(strstr(exact, acts[i].secret));
		record = answer_event(STORED_AGENT, "approved", details, &failed);
		assert_non_null(record);
		told = json_dumps(record, 0);
		hides_text(&acts[i], "answer", told, true);
		json_decref(record);
		json_decref(details);
	}
}

static int check_line(void *state, const json_t *event, const char *line)
{
	size_t *seen = state;

	(void)event;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		hides_text(&acts[i], "stored event", line, true);
	(*seen)++;
	return 0;
}

static void store_and_report(void **state)
{
	const struct report_question question = { .agent = STORED_AGENT };
	const struct event_filter all = { 0 };
	const struct store_query query = { .filter = &all };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	char path[] = "/tmp/picket-secrets-XXXXXX";
	CLEAN_FREE char *html = NULL;
	struct store *store;
	size_t size = 0;
	size_t seen = 0;
	FILE *to;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	(void)unlink(path);
	store = stored_open(path, STORE_WRITE);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		struct raw_event raw;

		make(&acts[i], &raw);
		stored_add(store, event_forms_parse(&raw, &context));
	}
	assert_int_equal(store_flush(store), 0);
	assert_int_equal(store_query(store, &query, check_line, &seen), 0);
	assert_int_equal(seen, sizeof(acts) / sizeof(*acts));
	to = open_memstream(&html, &size);
	assert_non_null(to);
	assert_int_equal(report_write(store, &question, to, &diags), 0);
	assert_int_equal(fclose(to), 0);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		hides_text(&acts[i], "report", html, true);
	store_close(&store);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_there),	    cmocka_unit_test(every_format),
		cmocka_unit_test(lines_for_people), cmocka_unit_test(a_summary),
		cmocka_unit_test(a_feed),	    cmocka_unit_test(an_answer),
		cmocka_unit_test(store_and_report),
	};

	return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
