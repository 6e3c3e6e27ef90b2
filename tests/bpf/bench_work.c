/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What picket's programs cost while a command is at work: `PROGRAM RUNS NANOSECONDS` of each that ran.
 * In a guest whose clock counts instructions the last number is one of instructions, those of helpers
 * included.
 *
 *   bench_work COMMAND [ARG...]    the command says `ready` when it has done its work, and ends when its
 *                                  standard input does
 *
 * Exit status: 0; 1: the command did not come so far, or the kernel keeps no account.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(char **command, int *ret_in, int *ret_out)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe(in) || pipe(out))
		return -1;
	pid = fork();
	if (pid == 0) {
		if (dup2(in[0], STDIN_FILENO) >= 0 && dup2(out[1], STDOUT_FILENO) >= 0 &&
		    !close(in[1]) && !close(out[0]))
			execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	*ret_in = in[1];
	*ret_out = out[0];
	return pid;
}

static void tell(int fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	if (!bpf_obj_get_info_by_fd(fd, &info, &length) && !strncmp(info.name, "pk_", 3) &&
	    info.run_cnt)
		printf("%s %llu %llu\n", info.name, (unsigned long long)info.run_cnt,
		       (unsigned long long)info.run_time_ns);
}

static void tell_all(void)
{
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0) {
			tell(fd);
			(void)close(fd);
		}
	}
}

int main(int argc, char **argv)
{
	int account = bpf_enable_stats(BPF_STATS_RUN_TIME);
	char word[8] = "";
	int in = -1, out = -1, status = 0;
	pid_t pid;

	if (argc < 2 || account < 0) {
		fprintf(stderr, argc < 2 ? "usage: bench_work COMMAND [ARG...]\n" :
					   "bench_work: the kernel keeps no account of programs\n");
		return argc < 2 ? 2 : 1;
	}
	pid = start(argv + 1, &in, &out);
	if (pid > 0 && read(out, word, sizeof(word) - 1) > 0 && !strcmp(word, "ready\n"))
		tell_all();
	(void)close(in);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "bench_work: '%s' failed\n", argv[1]);
		return 1;
	}
	return 0;
}
