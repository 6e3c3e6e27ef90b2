/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts of somebody who is to wait until he is approved and would rather not: he has himself continued, changes
 * what he asked for while he waits, and does once approved acts twice. Run by tests/live/approvals.d/attacks.py.
 */
#include "attack.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PARALLEL 8

/* The first word in the file. */
static int say_content(int fd)
{
	char text[64] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	return say(text);
}

static int open_and_say(const char *path)
{
	return say_content(open(path, O_RDONLY));
}

/* --- continued over and over ------------------------------------------------------------------- */

static void *storm(void *unused)
{
	for (;;)
		(void)kill(getpid(), SIGCONT);
	return unused;
}

static int act_storm_thread(char **a)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, storm, NULL))
		return -1;
	return open_and_say(a[0]);
}

static int act_storm_process(char **a)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		while (getppid() == parent)
			(void)kill(parent, SIGCONT);
		_exit(0);
	}
	r = open_and_say(a[0]);
	(void)kill(pid, SIGKILL);
	return r;
}

/* --- another object than the one that was asked for -------------------------------------------- */

/* The letter of the process's state; 'Z' too when it is gone. */
static char state_of(pid_t pid)
{
	char path[64], text[512] = "";
	const char *end;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		return 'Z';
	(void)close(fd);
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 'Z';
}

/* A child that waits until its parent does. False: in the parent. */
static int is_child_of_waiting(void)
{
	pid_t parent = getpid();

	if (fork())
		return 0;
	while (getppid() == parent && state_of(parent) != 'T')
		(void)usleep(1000);
	return 1;
}

/* The words of the call are in memory that somebody else writes. */
static int act_memory(char **a)
{
	char *path =
		mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (path == MAP_FAILED)
		return -1;
	(void)snprintf(path, PATH_MAX, "%s", a[0]);
	if (is_child_of_waiting()) {
		(void)snprintf(path, PATH_MAX, "%s", a[1]);
		_exit(0);
	}
	return open_and_say(path);
}

/* The path leads to another file meanwhile: FIRST SECOND LINK. */
static int act_link(char **a)
{
	char next[PATH_MAX];

	(void)snprintf(next, sizeof(next), "%s.next", a[2]);
	(void)unlink(a[2]);
	if (symlink(a[0], a[2]) || symlink(a[1], next))
		return -1;
	if (is_child_of_waiting())
		_exit(rename(next, a[2]) ? 1 : 0);
	return open_and_say(a[2]);
}

/* --- once is once ------------------------------------------------------------------------------ */

/*
 * One waits; the others act the moment that it is let go. How many may. Who sees it tells the rest: another
 * may be faster than the first, which then waits again, and who looked away would wait for that.
 */
static int act_parallel(char **a)
{
	volatile char *go =
		mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t first = fork();
	int status, count = 0;
	char text[16];

	if (go == MAP_FAILED)
		return -1;
	if (first == 0)
		_exit(open(a[0], O_RDONLY) < 0);
	for (int i = 1; i < PARALLEL; i++) {
		if (fork())
			continue;
		while (!*go && !strchr("TZ", state_of(first)))
			(void)usleep(1000);
		while (!*go && state_of(first) == 'T')
			;
		*go = 1;
		_exit(open(a[0], O_RDONLY) < 0);
	}
	while (wait(&status) > 0)
		count += status == 0;
	(void)snprintf(text, sizeof(text), "%d", count);
	return say(text);
}

/* --- a program whose command line waits -------------------------------------------------------- */

/* Its first acts: children, another program, a file. */
static int act_push(char **a)
{
	(void)a;
	for (int i = 0; i < PARALLEL; i++) {
		if (fork() == 0)
			break;
	}
	execl("/bin/echo", "echo", "escaped", (char *)NULL);
	return say("ran");
}

static const struct act acts[] = {
	{ "storm-thread", 1, act_storm_thread },
	{ "storm-process", 1, act_storm_process },
	{ "memory", 2, act_memory },
	{ "link", 3, act_link },
	{ "parallel", 1, act_parallel },
	{ "push", -1, act_push },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
