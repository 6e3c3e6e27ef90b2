/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A control socket in a folder of its own, served by this process (a step at a time) or by a child,
 * and bare connections to it; or methods of a test's own at a place of its own.
 */
#ifndef PICKET_TESTS_SERVING_H
#define PICKET_TESTS_SERVING_H

#include <sys/types.h>

#include "control/server.h"

/** A server under test. */
struct serving {
	char folder[64];
	char path[96];
	struct server *server;
	struct server_options options;
	enum peer_role role; /* of all that connect, or PEER__ROLES: as the kernel tells */
	unsigned int role_asked;
	unsigned int gone; /* clients that gone() was called for */
	struct client *kept; /* that called `later` or `subscribe` last */
	json_t *kept_id; /* of a call of `later` not yet answered */
	int kept_fd; /* that `keep` took, or -1 */
	pid_t child;
};

/** Methods: echo, later, subscribe, keep, fail, large, nothing (nobody); look (observer); change (operator). */
void serving_start(struct serving *serving);
/** The same, served by a child until it is killed. */
void serving_start_child(struct serving *serving);
void serving_stop(struct serving *serving);

/** The setup and the teardown of a test whose state is a struct serving. */
int serving_set_up(void **state);
int serving_tear_down(void **state);
/** What the server has counted. */
struct server_counts serving_counts(const struct serving *serving);

/**
 * Serve @count methods, @rows, at @path by a child until serving_end(); returns when they answer. They are asked
 * by commands under test.
 */
pid_t serving_begin(const char *path, const struct method *rows, size_t count);
/** End that child at once. */
void serving_end(pid_t child);

/** Let the server work until nothing is left to do. */
void serving_work(struct serving *serving);
/** Let it work for @ms milliseconds. */
void serving_work_ms(struct serving *serving, unsigned int ms);

/** A connection that never blocks. */
int serving_connect(const struct serving *serving);
/** Send text, with descriptors. Returns what sendmsg() does. */
ssize_t serving_send(int fd, const char *text, size_t length, const int *fds, size_t fd_count);
/** The descriptor that comes with one byte over @fd; waits for it. -1 = none came. */
int serving_take(int fd);
/** Send a line (its newline is added) and let the server work. */
void serving_say(struct serving *serving, int fd, const char *line);
/** Work and listen until @text has come, 10 seconds at most. Returns what has come. */
const char *serving_await(struct serving *serving, int fd, const char *text);
/** All that has come; "" = nothing; "EOF" is appended when the connection has ended. Static buffer. */
const char *serving_hear(int fd);
/** How often @text occurs in @in. */
size_t serving_count(const char *in, const char *text);
/** Run @body as user nobody in the groups given; its return value, or -1 when it died. */
int serving_as_nobody(const gid_t *groups, size_t count, int (*body)(struct serving *),
		      struct serving *serving);
/** Descriptors that this process has open. */
size_t serving_fds(void);

#endif
