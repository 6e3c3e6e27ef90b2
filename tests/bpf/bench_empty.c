/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run a program while programs that do nothing are attached (empty.bpf.c): the floor of tests/bench.
 *
 *   bench_empty COMMAND [ARG...]
 *
 * Exit status: the program's; 125: they cannot be attached.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <test_empty.skel.h>

int main(int argc, char **argv)
{
	struct test_empty_bpf *skel = test_empty_bpf__open_and_load();
	int status = 125 << 8;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: bench_empty COMMAND [ARG...]\n");
		return 2;
	}
	if (!skel || test_empty_bpf__attach(skel)) {
		fprintf(stderr, "bench_empty: this kernel does not attach LSM programs\n");
		test_empty_bpf__destroy(skel);
		return 125;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		perror("bench_empty");
	test_empty_bpf__destroy(skel);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
