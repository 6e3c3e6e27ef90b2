/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acts: what one act costs a program, in nanoseconds of the machine's clock. Guests whose clock counts
 * instructions give the same numbers every time.
 *
 *   acts prepare DIR      make the files that are opened and built
 *   acts run DIR          a line `NAME NANOSECONDS` for each act
 *   acts build DIR        such a line for make and gcc
 *   acts work DIR         each act a few times, and a mark behind it: `NAME COUNT`, a byte is waited for
 *   acts profile DIR      as `run`, with such marks instead; the count of a run that is not to count is 0
 *   acts nothing          what fork+exec starts
 *   acts wait             say `ready`, and wait for the end of standard input
 *
 * Statically linked: under a policy it needs no file but itself and DIR.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Repeats of a cheap act, and of one that starts a program, when they are timed. */
#define TIMES 2000
#define STARTS 40
/* So much fewer of them are enough to see what each program of the kernel's costs. */
#define FEWER 20
/* Files that are opened once each: in one folder, and each in folders of its own. */
#define SIBLINGS 1000
#define STRANGERS 200
#define DEPTHS 16
/* What is built. */
#define SOURCES 4

static int times = TIMES;
static int starts = STARTS;

static void die(const char *what)
{
	fprintf(stderr, "acts: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t))
		die("clock");
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void write_file(const char *path, const char *text)
{
	const ssize_t length = (ssize_t)strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, (size_t)length) != length || close(fd))
		die(path);
}

static void make_file(const char *path)
{
	write_file(path, "text\n");
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die(path);
}

/* Folders below the current one, so deep that a file in them has @depth components; in @path. */
static void deep(char path[static PATH_MAX], const char *top, int depth, int make)
{
	size_t length = (size_t)snprintf(path, PATH_MAX, "%s", top);

	for (int i = 1; i < depth; i++) {
		if (make)
			make_folder(path);
		length += (size_t)snprintf(path + length, PATH_MAX - length, "/d%d", i);
	}
	if (make)
		make_folder(path);
	(void)snprintf(path + length, PATH_MAX - length, "/file");
}

static void prepare_build(void)
{
	char path[32];

	make_folder("build");
	write_file("build/Makefile", "all:\n"
				     "\trm -f *.o p\n"
				     "\tfor n in 0 1 2 3; do gcc -O1 -c s$$n.c; done\n"
				     "\tgcc -o p s?.o && ./p\n");
	for (int i = 0; i < SOURCES; i++) {
		(void)snprintf(path, sizeof(path), "build/s%d.c", i);
		write_file(path,
			   i ? "#include <stdio.h>\n#include <string.h>\n"
			       "static size_t f(const char *s) { return strlen(s); }\n"
			       "__attribute__((weak)) int g(void) { return (int)f(\"x\"); }\n" :
			       "#include <stdlib.h>\nint main(void) { return atoi(\"0\"); }\n");
	}
}

static void prepare(void)
{
	char path[PATH_MAX];
	char top[32];

	for (int depth = 2; depth <= DEPTHS; depth *= 2) {
		(void)snprintf(top, sizeof(top), "deep%d", depth);
		deep(path, top, depth, 1);
		make_file(path);
	}
	make_folder("siblings");
	for (int i = 0; i < SIBLINGS; i++) {
		(void)snprintf(path, sizeof(path), "siblings/%d", i);
		make_file(path);
	}
	for (int i = 0; i < STRANGERS; i++) {
		(void)snprintf(top, sizeof(top), "stranger%d", i);
		deep(path, top, 8, 1);
		make_file(path);
	}
	make_folder("made");
	make_file("made/name");
	prepare_build();
}

static void open_close(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || close(fd))
		die(path);
}

static void act_open(int depth)
{
	char top[32];
	char path[PATH_MAX];

	(void)snprintf(top, sizeof(top), "deep%d", depth);
	deep(path, top, depth, 0);
	for (int i = 0; i < times; i++)
		open_close(path);
}

/* The number of a file goes up by one with every round: each is opened once. */
static void act_sibling(int round)
{
	char path[64];

	for (int i = 0; i < SIBLINGS / 2; i++) {
		(void)snprintf(path, sizeof(path), "siblings/%d", i + round * (SIBLINGS / 2));
		open_close(path);
	}
}

static void act_stranger(int round)
{
	char top[32];
	char path[PATH_MAX];

	for (int i = 0; i < STRANGERS / 2; i++) {
		(void)snprintf(top, sizeof(top), "stranger%d", i + round * (STRANGERS / 2));
		deep(path, top, 8, 0);
		open_close(path);
	}
}

static void act_stat(int depth)
{
	struct stat st;
	char top[32];
	char path[PATH_MAX];

	(void)snprintf(top, sizeof(top), "deep%d", depth);
	deep(path, top, depth, 0);
	for (int i = 0; i < times; i++) {
		if (stat(path, &st))
			die(path);
	}
}

static void act_create(int round)
{
	char path[32];

	for (int i = 0; i < times / 2; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "made/%d.%d", round, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || close(fd) || unlink(path))
			die(path);
	}
}

static void act_rename(int round)
{
	(void)round;
	for (int i = 0; i < times / 2; i++) {
		if (rename("made/name", "made/other") || rename("made/other", "made/name"))
			die("rename");
	}
}

static void act_map(int depth)
{
	char top[32];
	char path[PATH_MAX];
	int fd;

	(void)snprintf(top, sizeof(top), "deep%d", depth);
	deep(path, top, depth, 0);
	fd = open(path, O_RDONLY);
	for (int i = 0; fd >= 0 && i < times; i++) {
		void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

		if (at == MAP_FAILED || munmap(at, 4096))
			die("mmap");
	}
	if (fd < 0 || close(fd))
		die(path);
}

static void start_program(const char *program, char **words)
{
	int status;
	pid_t pid;

	errno = posix_spawnp(&pid, program, NULL, NULL, words, environ);
	if (errno || waitpid(pid, &status, 0) != pid || status)
		die(program);
}

static void act_start(int round)
{
	char name[] = "acts";
	char what[] = "nothing";
	char *words[] = { name, what, NULL };

	(void)round;
	for (int i = 0; i < starts; i++)
		start_program("/proc/self/exe", words);
}

/* Closed by a reset: no port is left behind. */
static void act_connect(int round)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(to);
	int in = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)round;
	if (in < 0 || bind(in, (struct sockaddr *)&to, length) || listen(in, 1) ||
	    getsockname(in, (struct sockaddr *)&to, &length))
		die("sockets");
	for (int i = 0; i < times / 2; i++) {
		int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int peer = -1;

		if (out >= 0 && !connect(out, (struct sockaddr *)&to, length))
			peer = accept(in, NULL, NULL);
		if (peer < 0 || setsockopt(out, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) ||
		    close(out) || close(peer))
			die("connect");
	}
	(void)close(in);
}

static void act_send(int round)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(to);
	int in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[64] = "";

	(void)round;
	if (in < 0 || out < 0 || bind(in, (struct sockaddr *)&to, length) ||
	    getsockname(in, (struct sockaddr *)&to, &length))
		die("sockets");
	for (int i = 0; i < times; i++) {
		if (sendto(out, text, sizeof(text), 0, (struct sockaddr *)&to, length) < 0 ||
		    recv(in, text, sizeof(text), 0) < 0)
			die("sendto");
	}
	(void)close(in);
	(void)close(out);
}

static const struct act {
	const char *name;
	void (*run)(
		int argument); /* two times; the argument is `argument`, or the round when that is 0 */
	int argument;
	int count; /* of acts in one run */
	int first; /* the first run counts, too: nothing may be known before */
} acts[] = {
	{ "open+close,depth-2", act_open, 2, TIMES, 0 },
	{ "open+close,depth-8", act_open, 8, TIMES, 0 },
	{ "open+close,depth-16", act_open, 16, TIMES, 0 },
	{ "open+close,new-file", act_sibling, 0, SIBLINGS / 2, 0 },
	{ "open+close,new-folders", act_stranger, 0, STRANGERS / 2, 1 },
	{ "stat,depth-8", act_stat, 8, TIMES, 0 },
	{ "create+unlink", act_create, 0, TIMES / 2, 0 },
	{ "rename,twice", act_rename, 0, TIMES / 2, 0 },
	{ "mmap+munmap,depth-8", act_map, 8, TIMES, 0 },
	{ "fork+exec", act_start, 0, STARTS, 0 },
	{ "UDP-send+receive", act_send, 0, TIMES, 0 },
	{ "TCP-connect+accept", act_connect, 0, TIMES / 2, 0 },
};

static void run(void)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		const struct act *act = &acts[i];
		long long total = 0;

		for (int round = 0; round < 2; round++) {
			long long start = now();

			act->run(act->argument ? act->argument : round);
			if (round || act->first)
				total += now() - start;
		}
		printf("%s %lld\n", act->name, total / (act->count * (act->first ? 2 : 1)));
	}
}

static void build(void)
{
	char name[] = "make";
	char option[] = "-s";
	char *words[] = { name, option, NULL };
	long long start = 0;

	if (chdir("build"))
		die("build");
	for (int round = 0; round < 2; round++) {
		start = now();
		start_program("make", words);
	}
	printf("gcc-build %lld\n", now() - start);
}

/* Whoever measures looks at its counters before it answers. */
static void mark(const char *name, int count)
{
	char byte;

	printf("%s %d\n", name, count);
	if (fflush(stdout) || read(STDIN_FILENO, &byte, 1) != 1)
		die("nobody answers to a mark");
}

static void work(void)
{
	times = TIMES / FEWER;
	starts = STARTS / FEWER;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		acts[i].run(acts[i].argument);
		mark(acts[i].name, 0);
	}
}

static void profile(void)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		const struct act *act = &acts[i];

		for (int round = 0; round < 2; round++) {
			act->run(act->argument ? act->argument : round);
			if (!round && !act->first)
				mark(act->name, 0);
		}
		mark(act->name, act->first ? 2 * act->count : act->count);
	}
}

static int wait_for_end(void)
{
	char byte;

	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

static void (*mode_of(const char *word))(void)
{
	static const struct {
		const char *word;
		void (*run)(void);
	} modes[] = { { "prepare", prepare },
		      { "run", run },
		      { "build", build },
		      { "work", work },
		      { "profile", profile } };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(word, modes[i].word) == 0)
			return modes[i].run;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (argc == 2 && strcmp(argv[1], "wait") == 0)
		return wait_for_end();
	if (argc != 3 || !mode_of(argv[1])) {
		fprintf(stderr, "usage: acts prepare|run|build|work|profile DIR\n");
		return 2;
	}
	if (chdir(argv[2]))
		die(argv[2]);
	mode_of(argv[1])();
	return 0;
}
