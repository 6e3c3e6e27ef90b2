/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What picket's programs cost while a command is at work: `ACT COUNT PROGRAM RUNS NANOSECONDS` of each that
 * ran since the mark before. In a guest whose clock counts instructions the last number is one of
 * instructions, those of helpers included.
 *
 *   bench_work COMMAND [ARG...]    the command says a mark, `ACT COUNT` and a newline, when it has done so
 *                                  many, and goes on when it is given a byte
 *
 * Exit status: 0; 1: the command failed or said no mark, or the kernel keeps no account.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* More programs than a machine has while it measures. */
#define PROGRAMS 512

struct account {
	__u32 id;
	__u64 runs;
	__u64 time;
};

static struct account accounts[PROGRAMS];
static int known;

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

/* NULL when there are too many. */
static struct account *account_of(__u32 id)
{
	for (int i = 0; i < known; i++) {
		if (accounts[i].id == id)
			return &accounts[i];
	}
	if (known == PROGRAMS)
		return NULL;
	accounts[known].id = id;
	return &accounts[known++];
}

static int tell(int fd, const char *mark)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);
	struct account *before;

	if (bpf_obj_get_info_by_fd(fd, &info, &length) || strncmp(info.name, "pk_", 3) != 0)
		return 0;
	before = account_of(info.id);
	if (!before) {
		fprintf(stderr, "bench_work: more than %d programs\n", PROGRAMS);
		return -1;
	}
	if (info.run_cnt > before->runs)
		printf("%s %s %llu %llu\n", mark, info.name,
		       (unsigned long long)(info.run_cnt - before->runs),
		       (unsigned long long)(info.run_time_ns - before->time));
	before->runs = info.run_cnt;
	before->time = info.run_time_ns;
	return 0;
}

static int tell_all(const char *mark)
{
	__u32 id = 0;
	int failed = 0;

	while (!failed && !bpf_prog_get_next_id(id, &id)) {
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0) {
			failed = tell(fd, mark);
			(void)close(fd);
		}
	}
	return failed;
}

/* Until the command says no more: how many marks it said, -1 when one could not be told about. */
static int follow(FILE *from, int to)
{
	char mark[128];
	int marks = 0;

	for (; fgets(mark, sizeof(mark), from); marks++) {
		mark[strcspn(mark, "\n")] = '\0';
		if (tell_all(mark) || write(to, "\n", 1) != 1)
			return -1;
	}
	return marks;
}

int main(int argc, char **argv)
{
	int account = bpf_enable_stats(BPF_STATS_RUN_TIME);
	int in = -1, out = -1, status = 0, marks = 0;
	FILE *from;
	pid_t pid;

	if (argc < 2 || account < 0) {
		fprintf(stderr, argc < 2 ? "usage: bench_work COMMAND [ARG...]\n" :
					   "bench_work: the kernel keeps no account of programs\n");
		return argc < 2 ? 2 : 1;
	}
	pid = start(argv + 1, &in, &out);
	from = pid > 0 ? fdopen(out, "r") : NULL;
	if (from)
		marks = follow(from, in);
	(void)close(in);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status || marks <= 0) {
		fprintf(stderr, "bench_work: '%s' failed\n", argv[1]);
		return 1;
	}
	return 0;
}
