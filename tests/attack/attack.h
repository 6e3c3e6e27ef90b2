/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs of this folder share: a table of acts, and how an act says what it saw. Each
 * program is one theme and statically linked; an act judges nothing, attacks.txt does.
 */
#ifndef TESTS_ATTACK_H
#define TESTS_ATTACK_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/** One act: its name in attacks.txt, how many arguments it takes, and what does it. */
struct act {
	const char *name;
	int args; /* -1: any number */
	int (*run)(char **args); /* 0: ok; -1: the errno is the answer; 1: say() was the answer */
};

/** The answer of an act that has more to tell than an errno. */
static inline int say(const char *word)
{
	printf("%s\n", word);
	return fflush(stdout) ? -1 : 1;
}

/** The act failed with this errno. */
static inline int fail(int error)
{
	errno = error;
	return -1;
}

/** Close what an open gave; -1 stays -1. */
static inline int opened(int fd)
{
	return fd < 0 ? -1 : close(fd);
}

/** A number of a word: decimal, octal or hex. */
static inline long number(const char *word)
{
	return strtol(word, NULL, 0);
}

/** main() of every theme: run the act that argv names, print "ok", the errno's name, or its words. */
static inline int attack_main(int argc, char **argv, const struct act *acts, size_t count)
{
	const char *name;
	int r;

	for (size_t i = 0; argc > 1 && i < count; i++) {
		if (strcmp(acts[i].name, argv[1]) ||
		    (acts[i].args >= 0 && acts[i].args != argc - 2))
			continue;
		r = acts[i].run(argv + 2);
		name = strerrorname_np(errno);
		if (r <= 0)
			printf("%s\n", r ? (name ? name : "unknown-errno") : "ok");
		return fflush(stdout) ? 2 : 0;
	}
	fprintf(stderr, "attack: unknown act or wrong number of arguments: %s\n",
		argc > 1 ? argv[1] : "");
	return 2;
}

/** The number of elements of a table. */
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#endif
