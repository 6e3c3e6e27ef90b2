/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket check` of 10,000 paths, 10,000 networks and 10,000 host names takes less than 200 MB and a bounded
 * number of instructions, whatever else the machine does. The built program is asked (PICKET): sanitizers
 * take memory of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define RULES 10000
#define MEMORY_MAX (200L << 20)
/* It takes 3.5e9, which is half a second where this was written. */
#define INSTRUCTIONS_MAX 7000000000LL
/* Where nothing counts them: ten times the second that is the goal. */
#define SECONDS_MAX 10

static char policy[] = "/tmp/picket-scale-XXXXXX";

static void write_paths(FILE *to)
{
	fprintf(to, "files:\n  rules:\n");
	for (int i = 0; i < RULES; i++) {
		const char *start = i % 10 == 7 ? "deny: \"**/secret" : "allow: \"/srv/t/p";
		const char *end = i % 10 == 7 ? ".key" :
				  i % 10 == 3 ? "/config.json" :
				  i % 10 == 9 ? "/*.{c,h}" :
						"/src/**";

		fprintf(to, "    - {%s%d%s\", access: [read]}\n", start, i, end);
	}
}

static void write_destinations(FILE *to)
{
	fprintf(to, "egress:\n  rules:\n");
	for (int i = 0; i < RULES; i++)
		fprintf(to, "    - {%s: \"%d.%d.%d.0/%d:443\"}\n", i % 10 == 7 ? "deny" : "allow",
			16 + (i >> 16), i >> 8 & 255, i & 255, 24 + i % 4);
	for (int i = 0; i < RULES; i++)
		fprintf(to, "    - {%s: \"%sapi%d.team%d.example.org:443\"}\n",
			i % 10 == 7 ? "deny" : "allow", i % 3 ? "" : "*.", i, i % 97);
}

static int write_policy(void **state)
{
	int fd = mkstemp(policy);
	CLEAN_FILE FILE *to = fd < 0 ? NULL : fdopen(fd, "w");

	(void)state;
	if (!to)
		return -1;
	fprintf(to, "picket: 1\n");
	write_destinations(to);
	write_paths(to);
	return 0;
}

static int remove_policy(void **state)
{
	(void)state;
	return unlink(policy);
}

/* A counter of the instructions that the next program of this process makes, or -1 where there is none. */
static int open_counter(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = 1,
		.inherit = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.enable_on_exec = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static void limit(int what, rlim_t most)
{
	const struct rlimit both = { most, most };

	(void)setrlimit(what, &both);
}

/* Check the policy by @binary within @memory bytes of address space; returns the status of wait4(). */
static int check(const char *binary, rlim_t memory, struct rusage *usage)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		limit(RLIMIT_AS, memory);
		limit(RLIMIT_CPU, SECONDS_MAX);
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(99);
		(void)execl(binary, "picket", "check", "--no-managed", policy, (char *)NULL);
		_exit(98);
	}
	assert_int_equal(wait4(pid, &status, 0, usage), pid);
	return status;
}

static const char *find_binary(void)
{
	const char *binary = getenv("PICKET");

	return binary && access(binary, X_OK) == 0 ? binary : NULL;
}

static void many_rules_take_little(void **state)
{
	const char *binary = find_binary();
	CLEAN_FD int counter = -1;
	struct rusage usage;
	long long instructions = 0;
	int status;

	(void)state;
	if (!binary)
		skip();
	counter = open_counter();
	status = check(binary, MEMORY_MAX, &usage);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(usage.ru_maxrss * 1024 < MEMORY_MAX);
	if (counter >= 0 && read(counter, &instructions, sizeof(instructions)) > 0)
		assert_true(instructions < INSTRUCTIONS_MAX);
	printf("# %ld KiB, %lld million instructions%s\n", usage.ru_maxrss, instructions / 1000000,
	       instructions ? "" : " (not counted here)");
}

/* The bound on memory holds what it says. */
static void less_is_too_little(void **state)
{
	const char *binary = find_binary();
	struct rusage usage;
	int status;

	(void)state;
	if (!binary)
		skip();
	status = check(binary, 24L << 20, &usage);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_rules_take_little),
		cmocka_unit_test(less_is_too_little),
	};

	return cmocka_run_group_tests(tests, write_policy, remove_policy);
}
