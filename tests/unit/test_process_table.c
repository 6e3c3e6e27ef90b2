/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of processes: who made whom, what is inherited and what is claimed, pids that recur, room that
 * ends, and what /proc says of real processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "lives.h"
#include "process/container.h"
#include "process/context.h"
#include "process/repair.h"
#include "process/table.h"

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
/* Numbers that no process has: over PID_MAX_LIMIT. */
#define PID(n) (5000000U + (n))
#define START(n) (1000000000ULL * (n))

static struct process_table *open_table(size_t processes, size_t bytes)
{
	const struct process_limits limits = { .processes = processes, .bytes = bytes };
	struct process_table *table = NULL;

	assert_int_equal(process_table_new(&limits, &table), 0);
	return table;
}

static struct process *take(struct process_table *table, const struct raw_life *raw)
{
	struct life life = raw_life_decode(raw);
	struct process *process = NULL;

	assert_int_equal(process_table_take(table, &life, &process), 0);
	return process;
}

static struct process *fork_of(struct process_table *table, __u32 parent, __u32 child)
{
	struct raw_life raw;

	raw_life(&raw, PK_LIFE_FORK, PID(child), START(child));
	raw.head.parent_tgid = PID(parent);
	raw.head.parent_start_ns = START(parent);
	return take(table, &raw);
}

static struct process *program(struct process_table *table, __u32 pid, const char *exe)
{
	struct raw_life raw;
	char words[64];
	int size = snprintf(words, sizeof(words), "%s%c-x%c", exe, 0, 0);

	raw_life(&raw, PK_LIFE_PROGRAM, PID(pid), START(pid));
	raw_life_texts(&raw, exe, words, (size_t)size, 2);
	return take(table, &raw);
}

static struct process *context(struct process_table *table, __u32 pid, const char *variables,
			       size_t size, __u32 count)
{
	struct raw_life raw;

	raw_life(&raw, PK_LIFE_CONTEXT, PID(pid), START(pid));
	raw_life_texts(&raw, "/srv", variables, size, count);
	return take(table, &raw);
}

#define CONTEXT(table, pid, text, count) context(table, pid, text, sizeof(text) - 1, count)

static struct process *ended(struct process_table *table, __u32 pid)
{
	struct raw_life raw;

	raw_life(&raw, PK_LIFE_EXIT, PID(pid), START(pid));
	return take(table, &raw);
}

static void assert_text(struct event_path is, const char *text)
{
	if (is.length != strlen(text) || (is.length && memcmp(is.bytes, text, is.length) != 0))
		fail_msg("'%.*s' is not '%s'", (int)is.length, is.bytes ? is.bytes : "", text);
}

/* --- Chains --------------------------------------------------------------------------------------- */

static void chain_after_the_ends(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process_view view;
	struct process *process;

	(void)state;
	(void)program(table, 1, "/bin/sh");
	(void)CONTEXT(table, 1, "", 0);
	(void)fork_of(table, 1, 2);
	(void)program(table, 2, "/usr/bin/python3");
	process = fork_of(table, 2, 3);
	/* A child without a program of its own runs its parent's. */
	process_table_view(table, process, 0, &view);
	assert_text(view.exe, "/usr/bin/python3");
	(void)program(table, 3, "/bin/cat");
	(void)ended(table, 2);
	(void)ended(table, 1);
	process = process_table_find(table, PID(3), START(3));
	assert_non_null(process);
	process_table_view(table, process, 0, &view);
	assert_text(view.exe, "/bin/cat");
	assert_memory_equal(view.words.bytes, "/bin/cat\0-x", 12);
	assert_text(view.cwd, "/srv");
	assert_false(view.incomplete);
	/* And the one who made the first: not known but by its number. */
	assert_int_equal(view.chain_count, 3);
	assert_int_equal(view.chain[0].pid, PID(2));
	assert_text(view.chain[0].exe, "/usr/bin/python3");
	assert_text(view.chain[1].exe, "/bin/sh");
	assert_true(view.chain[2].incomplete);
	assert_true(view.chain_cut);
	process_table_free(&table);
}

static void long_chain_is_cut(void **state)
{
	struct process_table *table = open_table(256, 1 << 20);
	struct process_view view;

	(void)state;
	(void)program(table, 1, "/bin/sh");
	for (__u32 i = 1; i < 20; i++)
		(void)fork_of(table, i, i + 1);
	process_table_view(table, process_table_find(table, PID(20), START(20)), 0, &view);
	assert_int_equal(view.chain_count, PROCESS_CHAIN_MAX);
	assert_int_equal(view.chain[15].pid, PID(4));
	assert_true(view.chain_cut);
	process_table_free(&table);
}

static void numbers_recur(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process *first = program(table, 1, "/bin/one");
	struct raw_life raw;
	struct process *second;

	(void)state;
	(void)ended(table, 1);
	raw_life(&raw, PK_LIFE_PROGRAM, PID(1), START(9));
	raw_life_texts(&raw, "/bin/two", "two", 4, 1);
	second = take(table, &raw);
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(process_table_find(table, PID(1), START(1)), first);
	assert_ptr_equal(process_table_find(table, PID(1), START(9)), second);
	assert_null(process_table_find(table, PID(1), START(5)));
	assert_int_equal(first->ended_ns != 0, 1);
	assert_int_equal(second->ended_ns, 0);
	process_table_free(&table);
}

/* A decision is told after the program that the process went on with. */
static void program_of_the_time(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process *process = program(table, 1, "/bin/sh");
	__u64 before = process->program_ns;
	struct process_view view;
	struct raw_life raw;

	(void)state;
	raw_life(&raw, PK_LIFE_PROGRAM, PID(1), START(1));
	raw.head.time_ns = before + 1000;
	raw_life_texts(&raw, "/bin/cat", "cat", 4, 1);
	process = take(table, &raw);
	process_table_view(table, process, before + 999, &view);
	assert_text(view.exe, "/bin/sh");
	assert_false(view.incomplete);
	process_table_view(table, process, before + 1000, &view);
	assert_text(view.exe, "/bin/cat");
	process_table_free(&table);
}

static void event_after_the_end(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process_facts facts = { .tgid = PID(1), .start_ns = START(1), .agent = 1 };
	struct process *process;

	(void)state;
	(void)program(table, 1, "/bin/sh");
	(void)ended(table, 1);
	process = process_table_see(table, &facts);
	assert_non_null(process);
	assert_non_null(process->program.exe);
	assert_false(process->incomplete);
	facts.start_ns = 0;
	assert_null(process_table_see(table, &facts));
	/* Of one that is not known, and gone, there is what the record says. */
	facts = (struct process_facts){
		.tgid = PID(7), .start_ns = START(7), .agent = 1, .comm = "seven"
	};
	process = process_table_see(table, &facts);
	assert_true(process->incomplete);
	assert_string_equal(process->comm, "seven");
	process_table_free(&table);
}

/* --- Context -------------------------------------------------------------------------------------- */

static void tags_and_claims(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process_view view;
	struct process *process;

	(void)state;
	process_table_root(table, 1, PID(1));
	(void)program(table, 1, "/bin/sh");
	(void)CONTEXT(table, 1,
		      "TRACEPARENT=" TRACE
		      "\0PICKET_SESSION=s-1\0PICKET_TAG_TEAM=red\0PICKET_DENIALS=/x\0",
		      4);
	process = fork_of(table, 1, 2);
	process_table_view(table, process, 0, &view);
	assert_text(view.traceparent, TRACE);
	assert_int_equal(view.tags.count, 2);
	assert_text(view.tags.list[0].name, "PICKET_SESSION");
	assert_text(view.tags.list[0].value, "s-1");
	assert_int_equal(view.claimed.count, 0);
	assert_null(view.tool.by);
	/* What it sets itself is a claim; what it leaves out stays as it was. */
	(void)program(table, 2, "/usr/bin/env");
	process = CONTEXT(
		table, 2,
		"TRACEPARENT=00-0-0-0\0PICKET_SESSION=s-2\0PICKET_TOOL=Bash\0PICKET_CALL_ID=c7\0",
		4);
	process_table_view(table, process, 0, &view);
	assert_text(view.traceparent, TRACE);
	assert_int_equal(view.tags.count, 2);
	assert_int_equal(view.claimed.count, 1);
	assert_text(view.claimed.list[0].value, "s-2");
	assert_string_equal(view.tool.by, "environment");
	assert_text(view.tool.name, "Bash");
	assert_text(view.tool.call_id, "c7");
	assert_true(view.tool.claimed);
	process_table_free(&table);
}

static void nobody_else_is_trusted(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process_view view;
	struct process *process;

	(void)state;
	/* No first process is known, or it is another one, or the agent was taken over. */
	(void)program(table, 1, "/bin/sh");
	process = CONTEXT(table, 1, "PICKET_SESSION=s-1\0", 1);
	process_table_view(table, process, 0, &view);
	assert_int_equal(view.tags.count, 0);
	assert_int_equal(view.claimed.count, 1);
	process_table_root(table, 1, PID(2));
	assert_int_equal(process_table_trust(table, 1, NULL, 0), 0);
	(void)program(table, 2, "/bin/sh");
	process = CONTEXT(table, 2, "PICKET_SESSION=s-1\0", 1);
	process_table_view(table, process, 0, &view);
	assert_int_equal(view.tags.count, 0);
	process_table_free(&table);
}

static void traces(void **state)
{
	static const char *const bad[] = {
		"",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
	};

	(void)state;
	assert_true(context_trace_valid(TRACE, strlen(TRACE)));
	assert_true(context_trace_valid("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
					57));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (context_trace_valid(bad[i], strlen(bad[i])))
			fail_msg("valid: %s", bad[i]);
	}
}

static void tool_calls_are_inherited(void **state)
{
	static const struct tool_call_facts facts = { .name = "Bash",
						      .call_id = "c1",
						      .claimed = true };
	struct process_table *table = open_table(64, 1 << 20);
	struct tool_call *call = call_new(&facts);
	struct process *process = program(table, 1, "/bin/sh");
	size_t before = process_table_counts(table).bytes;
	struct process_view view;

	(void)state;
	assert_int_equal(call_stack_push(&process->calls, call), 0);
	process_table_called(table, process);
	assert_true(process_table_counts(table).bytes > before);
	process = fork_of(table, 1, 2);
	process_table_view(table, process, 0, &view);
	assert_text(view.tool.name, "Bash");
	assert_string_equal(view.tool.by, "note");
	process = process_table_find(table, PID(1), START(1));
	assert_int_equal(call_stack_end(&process->calls, "c1", NULL, NULL), 0);
	process_table_called(table, process);
	process_table_view(table, process, 0, &view);
	assert_null(view.tool.by);
	process_table_view(table, process_table_find(table, PID(2), START(2)), 0, &view);
	assert_text(view.tool.call_id, "c1");
	call_unref(&call);
	process_table_free(&table);
}

/* --- Room ----------------------------------------------------------------------------------------- */

static void a_million_forks(void **state)
{
	struct process_table *table = open_table(4096, 4 << 20);
	struct process_counts counts;

	(void)state;
	(void)program(table, 1, "/bin/sh");
	for (__u32 i = 2; i < 1000002; i++) {
		(void)fork_of(table, 1, i);
		if (i % 3)
			(void)ended(table, i);
	}
	counts = process_table_counts(table);
	assert_true(counts.processes <= 4096);
	assert_true(counts.bytes <= 4 << 20);
	assert_true(counts.evicted > 900000);
	process_table_free(&table);
}

static void bytes_are_bounded(void **state)
{
	struct process_table *table = open_table(4096, 256 << 10);
	struct raw_life raw;
	char words[4000];

	(void)state;
	memset(words, 'w', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	for (__u32 i = 1; i < 1000; i++) {
		raw_life(&raw, PK_LIFE_PROGRAM, PID(i), START(i));
		words[0] = (char)('a' + i % 26);
		raw_life_texts(&raw, "/bin/long", words, sizeof(words), 1);
		(void)take(table, &raw);
		assert_true(process_table_counts(table).bytes <= 256 << 10);
	}
	assert_true(process_table_counts(table).evicted > 900);
	process_table_free(&table);
}

/* Ended ones go first; an agent that fills the table does so at its own cost. */
static void who_goes_first(void **state)
{
	struct process_table *table = open_table(32, 1 << 20);
	struct raw_life raw;
	struct process_view view;

	(void)state;
	raw_life(&raw, PK_LIFE_PROGRAM, PID(900), START(900));
	raw.head.agent = 2;
	raw_life_texts(&raw, "/bin/other", "o", 2, 1);
	(void)take(table, &raw);
	(void)program(table, 1, "/bin/sh");
	(void)fork_of(table, 1, 2);
	(void)fork_of(table, 1, 3);
	(void)ended(table, 3);
	for (__u32 i = 10; i < 23; i++)
		(void)fork_of(table, 1, i);
	assert_null(process_table_find(table, PID(3), START(3)));
	assert_non_null(process_table_find(table, PID(2), START(2)));
	for (__u32 i = 30; i < 200; i++)
		(void)fork_of(table, i == 30 ? 1 : i - 1, i);
	assert_non_null(process_table_find(table, PID(900), START(900)));
	process_table_view(table, process_table_find(table, PID(199), START(199)), 0, &view);
	assert_true(view.chain_cut);
	assert_true(process_table_counts(table).processes <= 32);
	process_table_free(&table);
}

static void ends_are_forgotten(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	__u64 end;

	(void)state;
	(void)program(table, 1, "/bin/sh");
	(void)fork_of(table, 1, 2);
	end = ended(table, 2)->ended_ns;
	process_table_age(table, end + PROCESS_KEPT_NS);
	assert_non_null(process_table_find(table, PID(2), START(2)));
	process_table_age(table, end + PROCESS_KEPT_NS + START(1));
	assert_null(process_table_find(table, PID(2), START(2)));
	assert_non_null(process_table_find(table, PID(1), START(1)));
	process_table_forget(table, 1);
	assert_null(process_table_find(table, PID(1), START(1)));
	process_table_free(&table);
}

/* --- /proc ---------------------------------------------------------------------------------------- */

/* A child of ours that runs `sleep` with a variable, until it is killed. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)chdir("/usr");
		(void)execle("/bin/sleep", "sleep", "60", NULL,
			     (char *[]){ "A=b", "PICKET_SESSION=s-9", "PICKET_DENIALS=/x", NULL });
		_exit(1);
	}
	assert_true(pid > 0);
	/* Until it has its program. */
	for (int i = 0; i < 500; i++) {
		CLEAN(repaired_reset) struct repaired now = { 0 };

		if (repair_read(pid, &now) == 0 && now.words.length == sizeof("sleep\00060"))
			break;
		(void)usleep(10000);
	}
	return pid;
}

static void stop_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void repaired_from_proc(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	pid_t pid = start_child();
	struct process_facts facts = { .tgid = (__u32)pid, .agent = 1 };
	struct process_view view;
	struct process *process;
	__u64 ticks = 0;

	(void)state;
	assert_int_equal(repair_ticks(pid, &ticks), 0);
	facts.start_ns = ticks * REPAIR_TICK_NS + 1234;
	facts.parent_tgid = (__u32)getpid();
	assert_int_equal(repair_ticks(getpid(), &ticks), 0);
	facts.parent_start_ns = ticks * REPAIR_TICK_NS + 99;
	process = process_table_see(table, &facts);
	assert_non_null(process);
	process_table_view(table, process, 0, &view);
	assert_true(view.incomplete);
	assert_memory_equal(view.words.bytes, "sleep\00060", 9);
	assert_text(view.cwd, "/usr");
	assert_true(view.exe.length > 0);
	assert_int_equal(view.claimed.count, 1);
	assert_text(view.claimed.list[0].value, "s-9");
	assert_true(view.chain_count >= 1);
	assert_int_equal(view.chain[0].pid, getpid());
	assert_true(view.chain[0].exe.length > 0);
	/* The same by its number alone. */
	assert_ptr_equal(process_table_now(table, (__u32)pid, 1), process);
	stop_child(pid);
	assert_null(process_table_now(table, (__u32)pid, 1));
	process_table_free(&table);
}

static void another_with_that_number(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process_facts facts = { .tgid = (__u32)getpid(), .agent = 1 };
	const struct process *process;
	__u64 ticks = 0;

	(void)state;
	assert_int_equal(repair_ticks(getpid(), &ticks), 0);
	facts.start_ns = (ticks - 2) * REPAIR_TICK_NS;
	process = process_table_see(table, &facts);
	assert_non_null(process);
	assert_null(process->program.exe);
	assert_true(process->incomplete);
	facts.start_ns = (ticks + 1) * REPAIR_TICK_NS;
	process = process_table_see(table, &facts);
	assert_non_null(process->program.exe);
	process_table_free(&table);
}

static void lost_records(void **state)
{
	struct process_table *table = open_table(64, 1 << 20);
	struct process_facts facts = { .tgid = (__u32)getpid(), .agent = 1 };
	struct process *process;
	struct raw_life raw;
	__u64 ticks = 0;

	(void)state;
	assert_int_equal(repair_ticks(getpid(), &ticks), 0);
	raw_life(&raw, PK_LIFE_PROGRAM, (__u32)getpid(), ticks * REPAIR_TICK_NS);
	raw_life_texts(&raw, "/bin/before", "b", 2, 1);
	process = take(table, &raw);
	facts.start_ns = process->start_ns;
	assert_false(process->incomplete);
	process_table_suspect(table, 1);
	process = process_table_see(table, &facts);
	assert_true(process->incomplete);
	assert_false(shared_is(process->program.exe, "/bin/before", 11));
	/* A child whose parent's record was lost has one from its own. */
	process = fork_of(table, 500, 501);
	assert_non_null(process->parent);
	assert_true(process->incomplete);
	process_table_free(&table);
}

static void containers(void **state)
{
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const char *const rows[][2] = {
		{ "/", "" },
		{ "/system.slice/docker-" ID ".scope", ID },
		{ "/docker/" ID, ID },
		{ "/machine.slice/libpod-" ID ".scope/container", ID },
		{ "/kubepods/besteffort/podx/" ID, ID },
		{ "/lxc.payload.web/init.scope", "web" },
		{ "/machine.slice/machine-web.scope", "web" },
		{ "/user.slice/user-0.slice", "" },
		{ "/docker/" ID "0", "" },
	};
	char container[CONTAINER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(container_of_path(rows[i][0], container), rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_after_the_ends),
		cmocka_unit_test(long_chain_is_cut),
		cmocka_unit_test(numbers_recur),
		cmocka_unit_test(program_of_the_time),
		cmocka_unit_test(event_after_the_end),
		cmocka_unit_test(tags_and_claims),
		cmocka_unit_test(nobody_else_is_trusted),
		cmocka_unit_test(traces),
		cmocka_unit_test(tool_calls_are_inherited),
		cmocka_unit_test(a_million_forks),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(who_goes_first),
		cmocka_unit_test(ends_are_forgotten),
		cmocka_unit_test(repaired_from_proc),
		cmocka_unit_test(another_with_that_number),
		cmocka_unit_test(lost_records),
		cmocka_unit_test(containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
