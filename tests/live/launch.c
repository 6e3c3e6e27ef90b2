/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launch: start programs in every way there is, and do a few things as a program that rules name.
 * Steps run one after another; the first that fails ends with its errno's name and status 1.
 *
 *   launch STEP...
 *     as FILE [WORD]...        execve with exactly these words as argv, none at all if there are none
 *     at FILE [WORD]...        execveat below the folder of FILE
 *     fd FILE [WORD]...        execveat of a descriptor; procfd: execve of its name in /proc
 *     memfd FILE [WORD]...     of a copy in memory
 *     trace FILE [WORD]...     in a child that is traced
 *     long FILE N BYTES [WORD]... LAST   N words of BYTES bytes before the last one
 *     race FILE ROUNDS WORD OTHER        argv[1] is rewritten between the two by a thread all the
 *                              while; status 0: some program was OTHER, 3: none was
 *     read FILE, map FILE, thread-map FILE, memfd-map, mprotect FILE, tcp PORT, fork
 *
 * Called as "fake" it only looks at its first argument: status 7 when that is "push".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX (1 << 20)

extern char **environ;

static int exec_at(char **a)
{
	char *folder = strdup(a[0]), *name = strdup(a[0]);
	int fd;

	if (!folder || !name)
		return -1;
	fd = open(dirname(folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return (int)syscall(SYS_execveat, fd, basename(name), a + 1, environ, 0);
}

static int exec_fd(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return (int)syscall(SYS_execveat, fd, "", a + 1, environ, AT_EMPTY_PATH);
}

static int exec_procfd(char **a)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", open(a[0], O_RDONLY));
	return execve(name, a + 1, environ);
}

static int memory_copy(const char *path)
{
	int to = memfd_create("copy", 0), from = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[65536];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return -1;
	return n ? -1 : to;
}

static int exec_memfd(char **a)
{
	int fd = memory_copy(a[0]);

	return (int)syscall(SYS_execveat, fd, "", a + 1, environ, AT_EMPTY_PATH);
}

/* Returns only when the child could not be run at all. */
static int exec_traced(char **a)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)execve(a[0], a + 1, environ);
		_exit(126);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		(void)ptrace(PTRACE_CONT, pid, NULL,
			     (void *)(long)(WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status)));
	exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* FILE N BYTES WORD... LAST */
static int exec_long(char **a)
{
	int count = atoi(a[1]), given = 0, n = 0;
	size_t bytes = (size_t)atol(a[2]);
	char **words = calloc(WORDS_MAX, sizeof(*words)), *filler = malloc(bytes + 1);

	if (!words || !filler || count > WORDS_MAX / 2)
		return -1;
	memset(filler, 'x', bytes);
	filler[bytes] = 0;
	while (a[3 + given])
		given++;
	for (int i = 0; i < given - 1; i++)
		words[n++] = a[3 + i];
	for (int i = 0; i < count; i++)
		words[n++] = filler;
	words[n++] = a[3 + given - 1];
	return execve(a[0], words, environ);
}

struct flip {
	const char *words[2];
	char at[64];
	volatile bool stop;
};

static void *flip_words(void *arg)
{
	struct flip *flip = arg;

	for (unsigned i = 0; !flip->stop; i++)
		(void)snprintf(flip->at, sizeof(flip->at), "%s", flip->words[i & 1]);
	return NULL;
}

/* FILE ROUNDS WORD OTHER: the child shares this memory until its execve is through. */
static int race(char **a)
{
	static struct flip flip;
	char *words[] = { a[0], flip.at, NULL };
	static int seen;
	int rounds = atoi(a[1]);
	pthread_t thread;

	flip.words[0] = a[2];
	flip.words[1] = a[3];
	if (pthread_create(&thread, NULL, flip_words, &flip))
		return -1;
	for (int i = 0; i < rounds; i++) {
		int status = 0;
		/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): the sharing is the test */
		pid_t pid = vfork();

		if (pid == 0) {
			(void)execve(a[0], words, environ);
			_exit(126);
		}
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 7)
			seen++;
	}
	flip.stop = true;
	(void)pthread_join(thread, NULL);
	exit(seen ? 0 : 3);
}

static int step_read(char **a)
{
	char byte;
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 || read(fd, &byte, 1) < 0 || close(fd) ? -1 : 0;
}

static int map_fd(int fd, int prot)
{
	return mmap(NULL, 4096, prot, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0;
}

static int step_map(char **a)
{
	return map_fd(open(a[0], O_RDONLY | O_CLOEXEC), PROT_READ | PROT_EXEC);
}

static void *thread_map(void *arg)
{
	return step_map(arg) ? arg : NULL;
}

static int step_thread_map(char **a)
{
	void *failed = NULL;
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_map, a) || pthread_join(thread, &failed))
		return -1;
	return failed ? -1 : 0;
}

static int step_memfd_map(char **a)
{
	(void)a;
	return map_fd(memory_copy("/proc/self/exe"), PROT_READ | PROT_EXEC);
}

static int step_mprotect(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	return map == MAP_FAILED ? -1 : mprotect(map, 4096, PROT_READ | PROT_EXEC);
}

/* Refused by the other side counts as reached. */
static int step_tcp(char **a)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(a[0]));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != ECONNREFUSED)
		return -1;
	return close(fd);
}

/* What follows is done by a child. */
static int step_fork(char **a)
{
	int status = 0;
	pid_t pid = fork();

	(void)a;
	if (pid == 0)
		return 0;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

static int step_as(char **a)
{
	return execve(a[0], a + 1, environ);
}

static const struct {
	const char *name;
	int args; /* -1: all that follow */
	int (*run)(char **a);
} steps[] = {
	/* clang-format off */
	{ "as", -1, step_as },
	{ "at", -1, exec_at },
	{ "fd", -1, exec_fd },
	{ "procfd", -1, exec_procfd },
	{ "memfd", -1, exec_memfd },
	{ "trace", -1, exec_traced },
	{ "long", -1, exec_long },
	{ "race", -1, race },
	{ "read", 1, step_read },
	{ "map", 1, step_map },
	{ "thread-map", 1, step_thread_map },
	{ "memfd-map", 0, step_memfd_map },
	{ "mprotect", 1, step_mprotect },
	{ "tcp", 1, step_tcp },
	{ "fork", 0, step_fork },
	/* clang-format on */
};

/* Run the step that @a starts with; returns how many words it took. */
static int run_step(char **a)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].name, a[0]) != 0)
			continue;
		if (steps[i].run(a + 1)) {
			printf("%s %s\n", a[0], strerrorname_np(errno));
			exit(1);
		}
		return 1 + steps[i].args;
	}
	fprintf(stderr, "launch: no step '%s'\n", a[0]);
	exit(2);
}

int main(int argc, char **argv)
{
	const char *name = argc ? strrchr(argv[0], '/') : NULL;

	name = name ? name + 1 : (argc ? argv[0] : "");
	if (strcmp(name, "fake") == 0 || argc < 2)
		return argc > 1 && strcmp(argv[1], "push") == 0 ? 7 : 0;
	for (int at = 1; at < argc;)
		at += run_step(argv + at);
	return 0;
}
