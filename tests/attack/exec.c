/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts that run code: programs under other names, in memory, by the loader, by mappings. A copy of
 * this program is also what they run: "hello" says ok.
 */
#include "attack.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int act_hello(char **a)
{
	(void)a;
	return 0;
}

static int hello(const char *path)
{
	char *argv[] = { (char *)path, "hello", NULL };

	return execv(path, argv);
}

static int act_run(char **a)
{
	return execv(a[0], a);
}

/* run-as NAME PATH WORD...: with that as argv[0]. */
static int act_run_as(char **a)
{
	char *path = a[1];

	a[1] = a[0];
	return execv(path, a + 1);
}

static int act_run_empty(char **a)
{
	char *argv[] = { NULL };

	return execve(a[0], argv, environ);
}

static int copy_into(int to, const char *path)
{
	char buffer[65536];
	int from = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (from < 0 || to < 0)
		return -1;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return -1;
	close(from);
	return n < 0 ? -1 : 0;
}

static int copy(const char *from, const char *to)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	return copy_into(fd, from) ? -1 : close(fd);
}

static int act_copy_run(char **a)
{
	return copy(a[0], a[1]) ? -1 : hello(a[1]);
}

static int act_link_run(char **a)
{
	return link(a[0], a[1]) ? -1 : hello(a[1]);
}

static int act_rename_run(char **a)
{
	return rename(a[0], a[1]) ? -1 : hello(a[1]);
}

static int memory_copy(const char *path)
{
	int fd = memfd_create("program", 0);

	return copy_into(fd, path) ? -1 : fd;
}

static int run_descriptor(int fd)
{
	char *argv[] = { "program", "hello", NULL };

	return (int)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
}

static int run_proc(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return hello(path);
}

static int act_memfd(char **a)
{
	int fd = memory_copy(a[0]);

	return fd < 0 ? -1 : run_descriptor(fd);
}

static int act_memfd_proc(char **a)
{
	int fd = memory_copy(a[0]);

	return fd < 0 ? -1 : run_proc(fd);
}

static int act_memfd_map(char **a)
{
	int fd = memory_copy(a[0]);
	void *map = fd < 0 ? MAP_FAILED :
			     mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	return map == MAP_FAILED ? -1 : 0;
}

static int act_fexecve(char **a)
{
	int fd = open(a[0], (int)number(a[1]) | O_CLOEXEC);

	return fd < 0 ? -1 : run_descriptor(fd);
}

static int act_proc_fd(char **a)
{
	int fd = open(a[0], O_PATH | O_CLOEXEC);

	return fd < 0 ? -1 : run_proc(fd);
}

/* A program that was removed while it was held open. */
static int act_deleted(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 || unlink(a[0]) ? -1 : run_descriptor(fd);
}

/* A nameless file in a folder. */
static int act_tmpfile(char **a)
{
	char path[64];
	int fd = open(a[0], O_TMPFILE | O_RDWR, 0755), again;

	if (copy_into(fd, a[1]))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY);
	close(fd);
	return again < 0 ? -1 : run_descriptor(again);
}

static int act_vfork(char **a)
{
	char *argv[] = { a[0], "hello", NULL };
	volatile int error = 0;
	int status;
	pid_t child = vfork();

	if (child == 0) {
		execv(a[0], argv);
		error = errno;
		_exit(0);
	}
	(void)waitpid(child, &status, 0);
	return error ? fail(error) : 1;
}

static int map_file(const char *path, int prot, int flags, int open_flags)
{
	int fd = open(path, open_flags | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, prot, flags, fd, 0);

	return map == MAP_FAILED ? -1 : 0;
}

static int act_map(char **a)
{
	return map_file(a[0], PROT_READ | PROT_EXEC, MAP_PRIVATE, O_RDONLY);
}

static int act_map_shared(char **a)
{
	return map_file(a[0], PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, O_RDWR);
}

static int act_mprotect(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	return map == MAP_FAILED ? -1 : mprotect(map, 4096, PROT_READ | PROT_EXEC);
}

/* A private mapping of a file that was written to: then it is executable. */
static int act_mprotect_dirty(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);
	char *map = fd < 0 ? MAP_FAILED :
			     mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	map[0] = 'x';
	return mprotect(map, 4096, PROT_READ | PROT_EXEC);
}

/* What every JIT compiler does: anonymous memory, written, executable. */
static int act_jit(char **a)
{
	static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 }; /* return 42 */
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*function)(void);

	(void)a;
	if (map == MAP_FAILED)
		return -1;
	memcpy(map, code, sizeof(code));
	if (mprotect(map, 4096, PROT_READ | PROT_EXEC))
		return -1;
	memcpy(&function, &map, sizeof(function));
	return function() == 42 ? 0 : fail(EPROTO);
}

/* The personality that makes every readable mapping executable. */
static int act_read_implies_exec(char **a)
{
	if (syscall(SYS_personality, 0x0400000UL) < 0)
		return -1;
	return map_file(a[0], PROT_READ, MAP_PRIVATE, O_RDONLY);
}

/* The program says what words it got, and nothing else: for the race below. */
static int act_words(char **a)
{
	return say(a[0]);
}

static volatile char racing_word[] = "pull";
static volatile int racing;

static void *swap_words(void *unused)
{
	(void)unused;
	while (racing) {
		racing_word[2] = 's';
		racing_word[3] = 'h';
		(void)sched_yield();
		racing_word[2] = 'l';
		racing_word[3] = 'l';
		(void)sched_yield();
	}
	return NULL;
}

/* One run of PATH with the word that another thread changes all the time: what it was told. */
static int run_told(const char *path, char *told, size_t size)
{
	char *argv[] = { (char *)path, "words", (char *)racing_word, NULL };
	int ends[2], status;
	ssize_t n;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	child = vfork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv(path, argv);
		_exit(126);
	}
	close(ends[1]);
	n = read(ends[0], told, size - 1);
	told[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	return waitpid(child, &status, 0) == child ? 0 : -1;
}

/* race PATH COUNT: "won" when the program ran with the word that no rule lets it have. */
static int act_race(char **a)
{
	char told[64];
	pthread_t thread;
	int won = 0, ran = 0;

	racing = 1;
	if (pthread_create(&thread, NULL, swap_words, NULL))
		return -1;
	for (long i = number(a[1]); i > 0; i--) {
		if (run_told(a[0], told, sizeof(told)))
			return -1;
		won += !strcmp(told, "push\n");
		ran += told[0] != '\0';
	}
	racing = 0;
	pthread_join(thread, NULL);
	return say(won ? "won" : ran ? "lost" : "never-ran");
}

/* long COUNT PATH WORD: COUNT words of 100 bytes, then WORD. */
static int act_long(char **a)
{
	long count = number(a[0]);
	char **argv = calloc((size_t)count + 4, sizeof(*argv)), *word = malloc(101);

	if (!argv || !word)
		return -1;
	memset(word, 'y', 100);
	word[100] = '\0';
	argv[0] = a[1];
	argv[1] = "hello";
	for (long i = 0; i < count; i++)
		argv[2 + i] = word;
	argv[2 + count] = a[2];
	return execv(a[1], argv);
}

/*
 * The file is replaced by another while it starts, many times, for a few seconds at most: "won" when
 * the other one ran.
 */
static int act_replace_race(char **a)
{
	time_t end = time(NULL) + 8;
	int won = 0, status;
	pid_t swapper = fork(), child;

	/* What survived this act would flood those after it. */
	if (swapper == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (swapper == 0)
		(void)syscall(SYS_renameat2, AT_FDCWD, a[0], AT_FDCWD, a[1], 2U);
	for (int i = 0; i < 300 && !won && time(NULL) < end; i++) {
		child = fork();
		if (child == 0) {
			execl(a[0], a[0], "status", NULL);
			_exit(126);
		}
		(void)waitpid(child, &status, 0);
		won = WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	kill(swapper, SIGKILL);
	return say(won ? "won" : "lost");
}

static const struct act acts[] = {
	{ "hello", -1, act_hello },
	{ "run", -1, act_run },
	{ "run-as", -1, act_run_as },
	{ "run-empty", 1, act_run_empty },
	{ "copy-run", 2, act_copy_run },
	{ "link-run", 2, act_link_run },
	{ "rename-run", 2, act_rename_run },
	{ "memfd", 1, act_memfd },
	{ "memfd-proc", 1, act_memfd_proc },
	{ "memfd-map", 1, act_memfd_map },
	{ "fexecve", 2, act_fexecve },
	{ "proc-fd", 1, act_proc_fd },
	{ "deleted", 1, act_deleted },
	{ "tmpfile", 2, act_tmpfile },
	{ "vfork", 1, act_vfork },
	{ "map", 1, act_map },
	{ "map-shared", 1, act_map_shared },
	{ "mprotect", 1, act_mprotect },
	{ "mprotect-dirty", 1, act_mprotect_dirty },
	{ "jit", 0, act_jit },
	{ "read-implies-exec", 1, act_read_implies_exec },
	{ "words", -1, act_words },
	{ "race", 2, act_race },
	{ "long", 3, act_long },
	{ "replace-race", 2, act_replace_race },
};

int main(int argc, char **argv)
{
	struct stat own;

	/* Which of two programs is this? The other one is a large file. */
	if (argc == 2 && !strcmp(argv[1], "status"))
		return !stat("/proc/self/exe", &own) && own.st_size > 4 << 20 ? 7 : 0;
	/* Started without any word, or by the kernel's handler of such files. */
	if (argc == 0 || !argv[0][0] || (argc > 1 && strstr(argv[1], ".attack")))
		return say("ok") > 0 ? 0 : 2;
	return attack_main(argc, argv, acts, COUNT(acts));
}
