/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost: run a program and say what it took: `NANOSECONDS PEAK_KIB STATUS CPU_NANOSECONDS` on standard
 * output, from the moment before it is started until it is reaped; CPU time with all that it reaped. The program's own output is thrown away,
 * its errors are not.
 *
 *   cost COMMAND [ARG...]
 *
 * In C and static because a child's peak memory includes what its parent held when it was made: an
 * interpreter as parent would be measured with it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t))
		abort();
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void become(char **command, int null)
{
	if (dup2(null, STDOUT_FILENO) >= 0)
		execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

static long long nanoseconds(struct timeval t)
{
	return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

int main(int argc, char **argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct rusage usage = { 0 };
	int status = 0;
	long long start;
	pid_t child;

	if (argc < 2 || null < 0) {
		fprintf(stderr, "usage: cost COMMAND [ARG...]\n");
		return 2;
	}
	start = now();
	child = fork();
	if (!child)
		become(argv + 1, null);
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("cost");
		return 1;
	}
	printf("%lld %ld %d %lld\n", now() - start, usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	       nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime));
	return 0;
}
