/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program of a policy that requests are told (`approvals.hook`). It is not trusted with anything
 * but its answer: it runs as nobody, alone, for a moment.
 */
#ifndef PICKET_DAEMON_ASK_HOOK_H
#define PICKET_DAEMON_ASK_HOOK_H

#include <jansson.h>
#include <sys/types.h>

#include <picket/ask.h>

#include "daemon/loop.h"

struct asks;
struct ask_request;

/** Programs at a time, of one agent at a time, their time, bytes that they may say. */
#define ASK_HOOKS_MAX 8
#define ASK_HOOKS_OF_AGENT 4
#define ASK_HOOK_MS 10000
#define ASK_HOOK_BYTES 65536U
/** The account that they run as, on every Linux. */
#define ASK_HOOK_ID 65534

/** How far it is with a request. */
enum ask_hook_state { ASK_HOOK_NONE, ASK_HOOK_RUNNING, ASK_HOOK_DONE };

/** A program that runs. */
struct ask_hook {
	struct asks *asks;
	struct pk_ask_key key; /* of the request */
	__u64 serial; /* its question */
	pid_t pid; /* 0 = none */
	struct loop_source life; /* pidfd */
	struct loop_source output;
	struct loop_source timer;
	int cgroup;
	char *text; /* owned; what it said */
	size_t length;
};

/** All that run. */
struct ask_hooks {
	struct ask_hook running[ASK_HOOKS_MAX];
};

/** What a program answered. */
struct ask_hook_answer {
	enum { ASK_HOOK_SAYS_NONE, ASK_HOOK_APPROVES, ASK_HOOK_REFUSES } verdict;
	int mode; /* enum ask_mode */
	unsigned int seconds;
	char *reason; /* owned, or NULL */
};

/** Read an answer. Returns 0 (caller frees reason) or -EINVAL with *@ret_why (constant). */
int ask_hook_parse(const char *text, size_t length, struct ask_hook_answer *ret_answer,
		   const char **ret_why);

/** Nothing runs yet. */
void ask_hooks_open(struct asks *asks);

/** Start programs for requests whose turn it is. */
void ask_hooks_work(struct asks *asks);

/** End all. */
void ask_hooks_close(struct asks *asks);

#endif
