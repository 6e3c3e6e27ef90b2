/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on other processes: looking into them, tracing, signals, their priorities and limits.
 */
#include "attack.h"

#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Where every victim has a page that can be written. */
#define VICTIM_PAGE 0x10000000UL

static int act_attach(char **a)
{
	return ptrace(PTRACE_ATTACH, (pid_t)number(a[0]), 0, 0) ? -1 : 0;
}

static int act_seize(char **a)
{
	return ptrace(PTRACE_SEIZE, (pid_t)number(a[0]), 0, 0) ? -1 : 0;
}

/* A process of our own, traced: what debuggers and tests do all day. */
static int act_trace_child(char **a)
{
	int status;
	pid_t child = fork();

	(void)a;
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(errno);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		return -1;
	if (WIFEXITED(status))
		return fail(WEXITSTATUS(status));
	return ptrace(PTRACE_CONT, child, 0, 0) ? -1 : 0;
}

static int act_vm_read(char **a)
{
	char bytes[8];
	struct iovec to = { bytes, sizeof(bytes) }, from = { (void *)VICTIM_PAGE, sizeof(bytes) };

	return process_vm_readv((pid_t)number(a[0]), &to, 1, &from, 1, 0) < 0 ? -1 : 0;
}

static int act_vm_write(char **a)
{
	char bytes[8] = { 0 };
	struct iovec from = { bytes, sizeof(bytes) }, to = { (void *)VICTIM_PAGE, sizeof(bytes) };

	return process_vm_writev((pid_t)number(a[0]), &from, 1, &to, 1, 0) < 0 ? -1 : 0;
}

/* proc PID FILE FLAGS: open /proc/PID/FILE and read a byte, or with flags other than 0 write one. */
static int act_proc(char **a)
{
	char path[PATH_MAX], byte = 0;
	int flags = (int)number(a[2]), fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", a[0], a[1]);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!strcmp(a[1], "mem") && lseek(fd, (off_t)VICTIM_PAGE, SEEK_SET) < 0)
		return -1;
	if ((flags & O_ACCMODE) == O_RDONLY)
		return read(fd, &byte, 1) < 0 ? -1 : 0;
	return write(fd, &byte, 1) < 0 ? -1 : 0;
}

static int act_proc_put(char **a)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", a[0], a[1]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : write(fd, a[2], strlen(a[2])) < 0 ? -1 : 0;
}

static int act_proc_link(char **a)
{
	char path[PATH_MAX], to[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%s/%s", a[0], a[1]);
	return readlink(path, to, sizeof(to)) < 0 ? -1 : 0;
}

static int act_kcmp(char **a)
{
	return syscall(SYS_kcmp, getpid(), (pid_t)number(a[0]), 0, 0, 0) < 0 ? -1 : 0;
}

static int act_pidfd_mem(char **a)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number(a[0]), 0);
	struct iovec range = { (void *)VICTIM_PAGE, 4096 };

	if (pidfd < 0)
		return -1;
	return syscall(SYS_process_madvise, pidfd, &range, 1UL, 20 /* cold */, 0U) < 0 ? -1 : 0;
}

static int act_kill(char **a)
{
	return kill((pid_t)number(a[0]), (int)number(a[1]));
}

static int act_tgkill(char **a)
{
	pid_t pid = (pid_t)number(a[0]);

	return (int)syscall(SYS_tgkill, pid, pid, (int)number(a[1]));
}

static int act_pidfd_kill(char **a)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number(a[0]), 0);

	return pidfd < 0 ? -1 :
			   (int)syscall(SYS_pidfd_send_signal, pidfd, (int)number(a[1]), NULL, 0);
}

static int act_queue(char **a)
{
	return sigqueue((pid_t)number(a[0]), (int)number(a[1]), (union sigval){ 0 });
}

static int own_child(int sig)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	if (kill(child, sig))
		return -1;
	return waitpid(child, &status, 0) == child && WIFSIGNALED(status) ? 0 : -1;
}

static int act_kill_child(char **a)
{
	return own_child((int)number(a[0]));
}

/* Signals that the kernel sends for us: "ok" when the victim is gone by them, else "alive". */
static int delivered(const char *pid)
{
	char path[64], state[4096] = { 0 };
	int fd;
	ssize_t n;

	usleep(300000);
	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, state, sizeof(state) - 1);
	close(fd);
	return n <= 0 || strstr(state, ") Z ") ? 0 : say("alive");
}

/* A signal to everybody it may reach. */
static int act_kill_all(char **a)
{
	(void)signal(SIGUSR2, SIG_IGN);
	return kill(-1, SIGUSR2) ? -1 : delivered(a[0]);
}

/* The owner of a socket's signals is the victim; data arrives. */
static int act_setown(char **a)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    fcntl(pair[0], F_SETOWN, (int)number(a[0])) || fcntl(pair[0], F_SETSIG, SIGKILL) ||
	    fcntl(pair[0], F_SETFL, O_ASYNC) || write(pair[1], "x", 1) != 1)
		return -1;
	return delivered(a[0]);
}

static int act_fiosetown(char **a)
{
	int pair[2], pid = (int)number(a[0]);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    ioctl(pair[0], 0x8901 /* FIOSETOWN */, &pid) || fcntl(pair[0], F_SETFL, O_ASYNC) ||
	    write(pair[1], "x", 1) != 1)
		return -1;
	return delivered(a[0]);
}

/* A lease on a file: its break is signalled to the owner. */
static int act_lease(char **a)
{
	int fd = open(a[1], O_RDONLY | O_CLOEXEC);
	pid_t child;

	if (fd < 0 || fcntl(fd, F_SETSIG, SIGKILL) || fcntl(fd, F_SETLEASE, F_RDLCK) ||
	    fcntl(fd, F_SETOWN, (int)number(a[0])))
		return -1;
	child = fork();
	if (child == 0)
		_exit(opened(open(a[1], O_WRONLY | O_NONBLOCK)) ? 1 : 0);
	return delivered(a[0]);
}

static int act_prlimit(char **a)
{
	struct rlimit limit = { 64, 64 };

	return prlimit((pid_t)number(a[0]), RLIMIT_NOFILE, &limit, NULL);
}

static int act_prlimit_get(char **a)
{
	struct rlimit limit;

	return prlimit((pid_t)number(a[0]), RLIMIT_NOFILE, NULL, &limit);
}

static int act_affinity(char **a)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity((pid_t)number(a[0]), sizeof(set), &set);
}

static int act_scheduler(char **a)
{
	struct sched_param param = { 0 };

	return sched_setscheduler((pid_t)number(a[0]), SCHED_IDLE, &param);
}

static int act_nice(char **a)
{
	return setpriority(PRIO_PROCESS, (id_t)number(a[0]), 19);
}

static int act_ionice(char **a)
{
	return (int)syscall(SYS_ioprio_set, 1, (pid_t)number(a[0]), 3 << 13);
}

/* Move its pages to the node where they are: nothing moves, but somebody else's are asked for. */
static int act_migrate(char **a)
{
	unsigned long nodes = 1;

	return syscall(SYS_migrate_pages, (pid_t)number(a[0]), 2UL, &nodes, &nodes) < 0 ? -1 : 0;
}

static int act_own_priority(char **a)
{
	(void)a;
	return setpriority(PRIO_PROCESS, 0, 5);
}

/* traced-run PATH WORD...: a child that is traced from before its execve. */
static int act_traced_run(char **a)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		execv(a[0], a);
		_exit(126);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		(void)ptrace(PTRACE_CONT, child, 0, 0);
	return 1;
}

/* A child that runs PATH with one word and says "ready"; its pid. */
static pid_t start_child(char **a)
{
	char *argv[] = { a[0], a[1], NULL }, byte;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv(a[0], argv);
		_exit(126);
	}
	close(ends[1]);
	return read(ends[0], &byte, 1) == 1 ? child : (pid_t)fail(EPROTO);
}

static int act_attach_child(char **a)
{
	pid_t child = start_child(a);
	int error = child < 0 || ptrace(PTRACE_ATTACH, child, 0, 0) ? errno : 0;

	if (child > 0)
		kill(child, SIGKILL);
	return error ? fail(error) : 0;
}

static int act_mem_child(char **a)
{
	char pid[16];
	char *args[] = { pid };
	pid_t child = start_child(a);
	int error;

	snprintf(pid, sizeof(pid), "%d", child);
	error = child < 0 || act_vm_write(args) ? errno : 0;
	if (child > 0)
		kill(child, SIGKILL);
	return error ? fail(error) : 0;
}

static const struct act acts[] = {
	{ "traced-run", -1, act_traced_run },
	{ "attach-child", 2, act_attach_child },
	{ "mem-child", 2, act_mem_child },
	{ "attach", 1, act_attach },
	{ "seize", 1, act_seize },
	{ "trace-child", 0, act_trace_child },
	{ "vm-read", 1, act_vm_read },
	{ "vm-write", 1, act_vm_write },
	{ "proc", 3, act_proc },
	{ "proc-put", 3, act_proc_put },
	{ "proc-link", 2, act_proc_link },
	{ "kcmp", 1, act_kcmp },
	{ "pidfd-mem", 1, act_pidfd_mem },
	{ "kill", 2, act_kill },
	{ "tgkill", 2, act_tgkill },
	{ "pidfd-kill", 2, act_pidfd_kill },
	{ "queue", 2, act_queue },
	{ "kill-all", 1, act_kill_all },
	{ "kill-child", 1, act_kill_child },
	{ "setown", 1, act_setown },
	{ "fiosetown", 1, act_fiosetown },
	{ "lease", 2, act_lease },
	{ "prlimit", 1, act_prlimit },
	{ "prlimit-get", 1, act_prlimit_get },
	{ "affinity", 1, act_affinity },
	{ "scheduler", 1, act_scheduler },
	{ "nice", 1, act_nice },
	{ "ionice", 1, act_ionice },
	{ "migrate", 1, act_migrate },
	{ "own-priority", 0, act_own_priority },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
