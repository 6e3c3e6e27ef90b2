/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exact words of a command that is asked about: from the event's text, from the process, or not at
 * all. That the kernel hashes as ask_words_hash() does is shown by tests/live/approvals held.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "daemon/ask_words.h"
#include "daemon/proc.h"
#include "events.h"

#define SEED 0x0123456789abcdefULL
#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define WORDS(text)                                                                                \
	(struct ask_words)                                                                         \
	{                                                                                          \
		.bytes = (char *)(text), .length = sizeof(text)                                    \
	}

/* The hash of @words of @path in @event. */
static void ask(struct event *event, const char *path, struct ask_words words)
{
	words.path = (char *)path;
	words.path_length = strlen(path);
	ask_words_hash(SEED, &words, event->head.ask);
}

static struct event event_of(struct raw_event *raw, const char *path, const char *text)
{
	raw_event_command(raw, path, text, strlen(text));
	raw->head.tgid = 0;
	return raw_event_decode(raw);
}

static void every_byte_counts(void **state)
{
	static const struct {
		const char *path;
		struct ask_words words;
	} rows[] = {
		{ "/bin/a", { .bytes = (char *)"a\0b", .length = 4 } },
		{ "/bin/a", { .bytes = (char *)"a b", .length = 4 } },
		{ "/bin/a", { .bytes = (char *)"a\0b", .length = 3 } },
		{ "/bin/b", { .bytes = (char *)"a\0b", .length = 4 } },
		{ "/bin/a\0", { .bytes = (char *)"a\0\0b", .length = 5 } },
		{ "", { .bytes = (char *)"a\0b", .length = 4 } },
		{ "/bin/a", { .bytes = (char *)"", .length = 1 } },
		{ "/bin/a", { .bytes = (char *)"a longer text than a word of it", .length = 32 } },
		{ "/bin/a", { .bytes = (char *)"a longer text than a word of xx", .length = 32 } },
	};
	struct event events[COUNT(rows)] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ask(&events[i], rows[i].path, rows[i].words);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(events[i].head.ask, events[k].head.ask, 16);
	}
}

static void words_without_blanks_need_no_process(void **state)
{
	CLEAN(ask_words_reset) struct ask_words words = { 0 };
	struct raw_event raw;
	struct event event = event_of(&raw, "/usr/bin/git", "git push origin");
	struct event whole;

	(void)state;
	ask(&event, "/usr/bin/git", WORDS("git\0push\0origin"));
	assert_int_equal(ask_words_find(SEED, &event, &words), 0);
	assert_true(words.verified);
	assert_int_equal(words.length, sizeof("git\0push\0origin"));
	assert_memory_equal(words.bytes, "git\0push\0origin", words.length);
	whole = ask_words_event(&event, &words);
	assert_int_equal(whole.path2.length, words.length);
	assert_int_equal(whole.path.length, strlen("/usr/bin/git"));
}

static void other_words_are_not_taken(void **state)
{
	struct ask_words words = { 0 };
	struct raw_event raw;
	struct event event = event_of(&raw, "/usr/bin/git", "git push origin");

	(void)state;
	/* One of the blanks is in a word, and there is no process to tell. */
	ask(&event, "/usr/bin/git", WORDS("git\0push origin"));
	assert_int_equal(ask_words_find(SEED, &event, &words), -ENOENT);
	/* Another secret. */
	ask(&event, "/usr/bin/git", WORDS("git\0push\0origin"));
	assert_int_equal(ask_words_find(SEED + 1, &event, &words), -ENOENT);
	assert_null(words.bytes);
}

/* --- Of a process --------------------------------------------------------------------------------- */

static pid_t start(char *const *argv)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execv("/bin/sleep", argv);
		_exit(99);
	}
	/* Until it is that program. */
	for (int i = 0; i < 1000; i++) {
		char path[64];
		char text[64] = "";
		CLEAN_FD int fd = -1;

		(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strcmp(text, argv[0]) == 0)
			return pid;
		(void)usleep(1000);
	}
	fail_msg("the program does not start");
	return -1;
}

static void words_of_the_process(void **state)
{
	static const char line[] = "a name\0"
				   "12345";
	char *const argv[] = { (char *)"a name", (char *)"12345", NULL };
	CLEAN(ask_words_reset) struct ask_words words = { 0 };
	CLEAN_FREE char *program = realpath("/bin/sleep", NULL);
	struct raw_event raw;
	struct event event = event_of(&raw, "", "");
	pid_t pid = start(argv);
	__u64 ticks = 0;

	(void)state;
	assert_int_equal(proc_start(pid, &ticks), 0);
	event.head.tgid = (__u32)pid;
	event.head.start_ns = ticks * (1000000000ULL / (__u64)sysconf(_SC_CLK_TCK));
	/* As after a restart of picketd: there is no text, the process is all. */
	ask(&event, program, WORDS(line));
	assert_int_equal(ask_words_find(SEED, &event, &words), 0);
	assert_true(words.verified);
	assert_memory_equal(words.bytes, line, sizeof(line));
	assert_string_equal(strndupa(words.path, words.path_length), program);
	ask_words_reset(&words);
	/* The kernel asks about another line: what /proc says is told, and that it is no more than that. */
	ask(&event, program,
	    WORDS("a name\0"
		  "1234"));
	assert_int_equal(ask_words_find(SEED, &event, &words), 0);
	assert_false(words.verified);
	ask_words_reset(&words);
	/* The kernel's text is worth more than that. */
	event.path2 = (struct event_path){ .bytes = "a name 1234", .length = 11 };
	assert_int_equal(ask_words_find(SEED, &event, &words), -ENOENT);
	event.path2 = (struct event_path){ 0 };
	/* Somebody else by the same number. */
	event.head.start_ns += 5000000000ULL;
	assert_int_equal(ask_words_find(SEED, &event, &words), -ENOENT);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(words_without_blanks_need_no_process),
		cmocka_unit_test(other_words_are_not_taken),
		cmocka_unit_test(words_of_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
