/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of an agent as a whole: the tool call that its telemetry tells of, and its launcher's
 * variables, also when another picketd takes it over.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "daemon/tags.h"
#include "lives.h"
#include "process/table.h"

#define AGENT 1
/* A number that no process has: over PID_MAX_LIMIT. */
#define PID 5000001U

static struct process_table *open_table(void)
{
	const struct process_limits limits = { .processes = 64, .bytes = 1 << 20 };
	struct process_table *table = NULL;

	assert_int_equal(process_table_new(&limits, &table), 0);
	return table;
}

/* The process begins a program with these variables, each ended by a NUL. */
static struct process *begin(struct process_table *table, const char *variables, size_t size,
			     __u32 count)
{
	static const char words[] = "sh";
	struct process *process = NULL;
	struct raw_life raw;
	struct life life;

	raw_life(&raw, PK_LIFE_PROGRAM, PID, 1000);
	raw_life_texts(&raw, "/bin/sh", words, sizeof(words), 1);
	life = raw_life_decode(&raw);
	assert_int_equal(process_table_take(table, &life, &process), 0);
	raw_life(&raw, PK_LIFE_CONTEXT, PID, 1000);
	raw_life_texts(&raw, "/srv", variables, size, count);
	life = raw_life_decode(&raw);
	assert_int_equal(process_table_take(table, &life, &process), 0);
	return process;
}

static void assert_text(struct event_path is, const char *text)
{
	if (is.length != strlen(text) || (is.length && memcmp(is.bytes, text, is.length) != 0))
		fail_msg("'%.*s' is not '%s'", (int)is.length, is.bytes ? is.bytes : "", text);
}

/* Its processes have the call, but under one that is nearer to them, and no longer than it lasts. */
static void a_call_of_telemetry(void **state)
{
	static const struct tool_call_facts exported = {
		.name = "Bash", .call_id = "c7", .until_ns = 1000, .by = CALL_OTLP, .claimed = true
	};
	static const struct tool_call_facts noted = { .name = "Edit", .call_id = "c8" };
	struct process_table *table = open_table();
	struct tool_call *all = call_new(&exported);
	struct tool_call *own = call_new(&noted);
	struct process *process = begin(table, "", 0, 0);
	struct process_view view;

	(void)state;
	assert_int_equal(process_table_call_end(table, AGENT, "c7", NULL), -ENOENT);
	assert_int_equal(process_table_call(table, AGENT, all), 0);
	process_table_view(table, process, 999, &view);
	assert_text(view.tool.call_id, "c7");
	assert_string_equal(view.tool.by, "otlp");
	assert_true(view.tool.claimed);
	process_table_view(table, process, 1000, &view);
	assert_null(view.tool.by);
	assert_int_equal(call_stack_push(&process->calls, own), 0);
	process_table_view(table, process, 999, &view);
	assert_text(view.tool.call_id, "c8");
	assert_int_equal(call_stack_end(&process->calls, "c8", NULL, NULL), 0);
	assert_int_equal(process_table_call_end(table, AGENT + 1, NULL, "Bash"), -ENOENT);
	assert_int_equal(process_table_call_end(table, AGENT, NULL, "Bash"), 0);
	process_table_view(table, process, 999, &view);
	assert_null(view.tool.by);
	call_unref(&all);
	call_unref(&own);
	process_table_free(&table);
}

/* The launcher's word is kept byte for byte; what a program says later is claimed, and a damaged record nothing. */
static void the_launchers_word(void **state)
{
	static const char launcher[] = "PICKET_SESSION=s-\xff\n1";
	static const char later[] = "PICKET_SESSION=forged\0PICKET_TASK=mine";
	struct agent_record record = { .slot = AGENT };
	struct process_table *table = open_table();
	struct process_view view;
	struct process *process;

	(void)state;
	assert_false(tags_keep(table, &record));
	process_table_root(table, AGENT, PID);
	(void)begin(table, launcher, sizeof(launcher), 1);
	assert_true(tags_keep(table, &record));
	assert_false(tags_keep(table, &record));
	process_table_free(&table);
	table = open_table();
	tags_trust(table, &record);
	process = begin(table, later, sizeof(later), 2);
	process_table_view(table, process, 0, &view);
	assert_int_equal(view.tags.count, 1);
	assert_text(view.tags.list[0].value, "s-\xff\n1");
	assert_int_equal(view.claimed.count, 2);
	record.tags[0] = 'X';
	tags_trust(table, &record);
	process_table_view(table, process, 0, &view);
	assert_int_equal(view.tags.count, 0);
	free(record.tags);
	process_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_of_telemetry),
		cmocka_unit_test(the_launchers_word),
	};

	return cmocka_run_group_tests_name("agent context", tests, NULL, NULL);
}
