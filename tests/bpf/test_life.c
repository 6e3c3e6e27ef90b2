/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told of the lives of an agent's processes: real processes do what processes do, and the records in
 * the ring are compared with what the kernel says elsewhere. What nobody's processes do is the control.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "life_world.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK PK_LIFE_VARIABLES_MAX

/** What the children of a test do. */
struct plan {
	char **words; /* of the program that they become */
	char **variables;
	int way; /* how they end: a status, or minus a signal */
	pthread_barrier_t together;
};

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what tests have */
static struct plan plan;

/* --- order and identity ------------------------------------------------------------------------- */

static unsigned long long start_of(pid_t pid)
{
	unsigned long long start = 0;
	char path[64], line[1024] = "";
	const char *at;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file && fgets(line, sizeof(line), file)) {
		at = strrchr(line, ')');
		/* Behind the name: state is the 3rd field, the start the 22nd. */
		for (int field = 2; at && field < 22; field++)
			at = strchr(at + 1, ' ');
		start = at ? strtoull(at, NULL, 10) : 0;
	}
	if (file)
		(void)fclose(file);
	return start;
}

static void fork_exec_exit(void)
{
	char *const argv[] = { "true", NULL };
	char *const none[] = { NULL };
	int go[2];
	pid_t child;
	char byte;

	if (pipe(go))
		_exit(1);
	child = fork();
	if (child == 0) {
		(void)close(go[1]);
		(void)!read(go[0], &byte, 1);
		(void)execve(LIFE_PROGRAM, argv, none);
		_exit(127);
	}
	life_world.facts->child = child;
	life_world.facts->start = start_of(child);
	(void)close(go[1]);
	(void)waitpid(child, &life_world.facts->status, 0);
	_exit(7);
}

static void lives_are_told_in_order(void **state)
{
	const struct life_record *made, *ran, *where, *ended, *maker;
	pid_t pid;

	(void)state;
	pid = life_world_watch(fork_exec_exit);
	made = life_world_find(life_world.facts->child, PK_LIFE_FORK);
	ran = life_world_find(life_world.facts->child, PK_LIFE_PROGRAM);
	where = life_world_find(life_world.facts->child, PK_LIFE_CONTEXT);
	ended = life_world_find(life_world.facts->child, PK_LIFE_EXIT);
	maker = life_world_find(pid, PK_LIFE_EXIT);
	assert_int_equal(life_world.count, 5);
	assert_true(made < ran && ran < where && where < ended && ended < maker);
	assert_true(made->head.time_ns <= ran->head.time_ns &&
		    ran->head.time_ns <= ended->head.time_ns);
	assert_int_equal(ended->head.status, life_world.facts->status);
	assert_int_equal(maker->head.status, 7 << 8);
	assert_int_equal(maker->head.parent_tgid, getpid());
	for (size_t i = 0; i < life_world.count; i++)
		assert_int_equal(life_world.records[i].head.cgroup, life_world.agent.cgroup);
}

static void ids_are_those_of_proc(void **state)
{
	const struct life_record *made, *ran, *ended;
	const unsigned long long tick = 1000000000ULL / (unsigned long long)sysconf(_SC_CLK_TCK);
	pid_t pid;

	(void)state;
	pid = life_world_watch(fork_exec_exit);
	made = life_world_find(life_world.facts->child, PK_LIFE_FORK);
	ran = life_world_find(life_world.facts->child, PK_LIFE_PROGRAM);
	ended = life_world_find(life_world.facts->child, PK_LIFE_EXIT);
	assert_int_equal(made->head.start_ns / tick, life_world.facts->start);
	assert_true(ran->head.start_ns == made->head.start_ns &&
		    ended->head.start_ns == made->head.start_ns);
	assert_int_equal(made->head.parent_tgid, pid);
	assert_int_equal(made->head.parent_start_ns,
			 life_world_find(pid, PK_LIFE_EXIT)->head.start_ns);
	assert_string_equal((const char *)ran->head.comm, "true");
	assert_int_equal(ran->head.uid, getuid());
	assert_int_equal(ran->head.gid, getgid());
}

static void nobodys_lives_are_not_told(void **state)
{
	int status = 0;

	(void)state;
	(void)life_world_do(false, fork_exec_exit, &status);
	life_world_drain();
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(life_world.count, 0);
}

/* --- words ---------------------------------------------------------------------------------------- */

static void become(void)
{
	(void)execve(LIFE_PROGRAM, plan.words, plan.variables);
	_exit(127);
}

static void words_are_exact(void **state)
{
	char *words[] = { "a name", "", "-x=1\n2", "\xff\x80 \"'", NULL };
	char *none[] = { NULL };
	static const char bytes[] = "a name\0\0-x=1\n2\0\xff\x80 \"'";
	const struct life_record *ran;
	pid_t pid;

	(void)state;
	plan.words = words;
	plan.variables = none;
	pid = life_world_watch(become);
	ran = life_world_find(pid, PK_LIFE_PROGRAM);
	assert_int_equal(ran->head.words, 4);
	assert_int_equal(ran->head.flags, 0);
	life_world_expect_text(ran, life_world.program);
	life_world_expect_bytes(ran, bytes, sizeof(bytes));
}

/* With @length bytes of words in all, "true" and NULs included. */
static const struct life_record *words_of(size_t length)
{
	static char word[2 * PK_LIFE_WORDS_MAX];
	char *words[] = { "true", word, NULL };
	char *none[] = { NULL };

	memset(word, 'x', sizeof(word));
	word[length - 6] = '\0';
	plan.words = words;
	plan.variables = none;
	return life_world_find(life_world_watch(become), PK_LIFE_PROGRAM);
}

static void long_words_are_cut(void **state)
{
	const struct life_record *ran = words_of(PK_LIFE_WORDS_MAX);
	const char *last;

	(void)state;
	assert_int_equal(ran->head.flags, 0);
	assert_int_equal(ran->head.text2_length, PK_LIFE_WORDS_MAX);
	last = ran->text + ran->head.text_length + PK_LIFE_WORDS_MAX - 1;
	assert_int_equal(*last, '\0');
	ran = words_of(PK_LIFE_WORDS_MAX + 1);
	assert_int_equal(ran->head.flags, PK_LIFE_WORDS_CUT);
	assert_int_equal(ran->head.text2_length, PK_LIFE_WORDS_MAX);
	assert_int_equal(ran->head.words, 2);
	last = ran->text + ran->head.text_length + PK_LIFE_WORDS_MAX - 1;
	assert_int_equal(*last, 'x');
}

/* --- directory and variables ---------------------------------------------------------------------- */

static void become_elsewhere(void)
{
	if (chdir("/tmp/a place"))
		_exit(126);
	become();
}

static const struct life_record *context_of(char **variables)
{
	static char *words[] = { "true", NULL };

	plan.words = words;
	plan.variables = variables;
	return life_world_find(life_world_watch(become_elsewhere), PK_LIFE_CONTEXT);
}

static void directory_is_told(void **state)
{
	char *none[] = { NULL };
	const struct life_record *where;

	(void)state;
	(void)mkdir("/tmp/a place", 0755);
	where = context_of(none);
	life_world_expect_text(where, "/tmp/a place");
	life_world_expect_bytes(where, "", 0);
	assert_int_equal(where->head.flags, 0);
	assert_int_equal(where->head.words, 0);
}

static void only_our_variables_are_told(void **state)
{
	static char secret[3 * CHUNK] = "SECRET=";
	static char fake[CHUNK + 32];
	char *variables[] = { "PATH=/bin",
			      secret,
			      fake,
			      "PICKET_A=1",
			      "MY_PICKET_B=2",
			      "PICKET=3",
			      "TRACEPARENTX=4",
			      "",
			      "TRACEPARENT=00-1-2-01",
			      "TRACEPARENT",
			      "PICKET_",
			      "picket_c=5",
			      NULL };
	static const char told[] = "PICKET_A=1\0TRACEPARENT=00-1-2-01\0PICKET_";
	const struct life_record *where;

	(void)state;
	memset(secret + 7, 's', sizeof(secret) - 8);
	/* Of a string read in pieces, one begins like a variable of ours. */
	memset(fake, 'f', sizeof(fake));
	(void)snprintf(fake + CHUNK, 32, "PICKET_FAKE=1");
	where = context_of(variables);
	assert_int_equal(where->head.words, 3);
	assert_int_equal(where->head.flags, 0);
	life_world_expect_bytes(where, told, sizeof(told));
}

static void too_many_variables_are_cut(void **state)
{
	static char whole[PK_LIFE_VARIABLES_MAX] = "PICKET_W=";
	static char longer[PK_LIFE_VARIABLES_MAX + 2] = "PICKET_L=";
	char *fits[] = { "A=1", whole, "B=1", NULL };
	char *two[] = { whole, "PICKET_X=1", NULL };
	char *one[] = { longer, NULL };
	const struct life_record *where;

	(void)state;
	memset(whole + 9, 'w', sizeof(whole) - 10);
	memset(longer + 9, 'l', sizeof(longer) - 10);
	where = context_of(fits);
	assert_int_equal(where->head.flags, 0);
	life_world_expect_bytes(where, whole, sizeof(whole));
	where = context_of(two);
	assert_int_equal(where->head.flags, PK_LIFE_WORDS_CUT);
	assert_int_equal(where->head.words, 2);
	life_world_expect_bytes(where, whole, sizeof(whole));
	where = context_of(one);
	assert_int_equal(where->head.flags, PK_LIFE_WORDS_CUT);
	life_world_expect_bytes(where, longer, PK_LIFE_VARIABLES_MAX);
}

static void long_environments_are_cut(void **state)
{
	static char *variables[5002];
	const struct life_record *where;

	(void)state;
	for (size_t i = 0; i < 5000; i++)
		variables[i] = "A=1";
	variables[0] = "PICKET_FIRST=1";
	variables[5000] = "PICKET_LAST=1";
	where = context_of(variables);
	assert_int_equal(where->head.flags, PK_LIFE_WORDS_CUT);
	life_world_expect_bytes(where, "PICKET_FIRST=1", sizeof("PICKET_FIRST=1"));
}

/* --- threads, other ways to begin and to end ------------------------------------------------------ */

static void *idle(void *unused)
{
	return unused;
}

static void *exec_here(void *unused)
{
	become();
	return unused;
}

static void threads_then_exec(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		if (pthread_create(&thread, NULL, idle, NULL) || pthread_join(thread, NULL))
			_exit(1);
	}
	if (pthread_create(&thread, NULL, exec_here, NULL) == 0)
		(void)pthread_join(thread, NULL);
	_exit(1);
}

static void threads_are_not_told(void **state)
{
	char *words[] = { "true", NULL };
	char *none[] = { NULL };
	const struct life_record *ran;
	pid_t pid;

	(void)state;
	plan.words = words;
	plan.variables = none;
	pid = life_world_watch(threads_then_exec);
	assert_int_equal(life_world.count, 3);
	ran = life_world_find(pid, PK_LIFE_PROGRAM);
	assert_true(life_world_find(pid, PK_LIFE_CONTEXT) == ran + 1);
	assert_int_equal(life_world_find(pid, PK_LIFE_EXIT)->head.status, 0);
	assert_int_equal(life_world_find(pid, PK_LIFE_EXIT)->head.start_ns, ran->head.start_ns);
}

static void spawn(void)
{
	char *argv[] = { "spawned", NULL };
	char *none[] = { NULL };

	if (posix_spawn(&life_world.facts->child, LIFE_PROGRAM, NULL, NULL, argv, none))
		_exit(1);
	(void)waitpid(life_world.facts->child, &life_world.facts->status, 0);
}

static void spawned_processes_are_told(void **state)
{
	static const char word[] = "spawned";

	(void)state;
	(void)life_world_watch(spawn);
	assert_true(life_world_find(life_world.facts->child, PK_LIFE_FORK) <
		    life_world_find(life_world.facts->child, PK_LIFE_PROGRAM));
	life_world_expect_bytes(life_world_find(life_world.facts->child, PK_LIFE_PROGRAM), word,
				sizeof(word));
	assert_int_equal(life_world_find(life_world.facts->child, PK_LIFE_EXIT)->head.status,
			 life_world.facts->status);
}

static void end(void)
{
	const struct rlimit no_core = { 0 };
	pid_t child;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	child = fork();
	if (child == 0) {
		if (plan.way < 0) {
			/* The test program has a handler of its own for some. */
			(void)signal(-plan.way, SIG_DFL);
			(void)raise(-plan.way);
		}
		_exit(plan.way);
	}
	life_world.facts->child = child;
	(void)waitpid(child, &life_world.facts->status, 0);
}

static void ends_are_those_of_wait(void **state)
{
	const int ways[] = { 0, 3, 255, -SIGKILL, -SIGTERM, -SIGSEGV };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		plan.way = ways[i];
		(void)life_world_watch(end);
		assert_int_equal(
			life_world_find(life_world.facts->child, PK_LIFE_EXIT)->head.status,
			life_world.facts->status);
	}
}

static void *end_thread(void *unused)
{
	(void)pthread_barrier_wait(&plan.together);
	(void)syscall(SYS_exit, 0);
	return unused;
}

/* All threads of a process end at once, each alone. */
static void many_ends(void)
{
	pthread_t thread;
	pid_t pid;

	for (int i = 0; i < 100; i++) {
		pid = fork();
		if (pid == 0) {
			(void)pthread_barrier_init(&plan.together, NULL, 4);
			for (int j = 0; j < 3; j++)
				(void)pthread_create(&thread, NULL, end_thread, NULL);
			(void)end_thread(NULL);
		}
		(void)waitpid(pid, NULL, 0);
	}
}

static void each_end_is_told_once(void **state)
{
	(void)state;
	(void)life_world_watch(many_ends);
	assert_int_equal(life_world_count(PK_LIFE_FORK), 100);
	assert_int_equal(life_world_count(PK_LIFE_EXIT), 101);
}

/* --- loss ----------------------------------------------------------------------------------------- */

#define MANY 300

static void fill(void)
{
	for (int i = 0; i < MANY; i++) {
		pid_t pid = fork();

		if (pid == 0)
			become();
		(void)waitpid(pid, NULL, 0);
	}
}

static void losses_are_counted_exactly(void **state)
{
	static char word[PK_LIFE_WORDS_MAX];
	char *words[] = { "true", word, NULL };
	char *none[] = { NULL };
	__u64 before, after;
	int status = 0;

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	plan.words = words;
	plan.variables = none;
	before = life_world_lost();
	(void)life_world_do(true, fill, &status);
	after = life_world_lost();
	assert_int_equal(status, 0);
	life_world_drain();
	assert_true(after > before);
	/* Four of each child, and the end of the one that made them. */
	assert_int_equal(life_world.count + (after - before), 4 * MANY + 1);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_are_told_in_order),
		cmocka_unit_test(ids_are_those_of_proc),
		cmocka_unit_test(nobodys_lives_are_not_told),
		cmocka_unit_test(words_are_exact),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(directory_is_told),
		cmocka_unit_test(only_our_variables_are_told),
		cmocka_unit_test(too_many_variables_are_cut),
		cmocka_unit_test(long_environments_are_cut),
		cmocka_unit_test(threads_are_not_told),
		cmocka_unit_test(spawned_processes_are_told),
		cmocka_unit_test(ends_are_those_of_wait),
		cmocka_unit_test(each_end_is_told_once),
		cmocka_unit_test(losses_are_counted_exactly),
	};

	return cmocka_run_group_tests(tests, life_world_start, life_world_end);
}

int main(int argc, char **argv)
{
	return hub_world_hooks_main(argc, argv, "life", run);
}
