/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: acts that wait for an approver. Events bring them, answers end them: of people, of a
 * program, of the policy's local file, or of time. Every answer goes the same way: to the record, to
 * the state, to the kernel, to those who wait, and to those who watch.
 */
#ifndef PICKET_DAEMON_ASKS_H
#define PICKET_DAEMON_ASKS_H

#include <time.h>

#include "control/server.h"
#include "daemon/ask_hook.h"
#include "daemon/grants.h"
#include "daemon/loop.h"
#include "daemon/registry.h"
#include "telemetry/event.h"
#include "telemetry/request_id.h"

struct daemon;

/** Open requests of one agent; bytes of text of all requests, and of one agent's. */
#define ASKS_OF_AGENT 64
#define ASKS_TEXT_MAX (1U << 20)
#define ASKS_TEXT_OF_AGENT (ASKS_TEXT_MAX / 4)
/** Processes that a request shows, and users that may have asked before nobody can approve. */
#define ASK_PROCESSES_MAX 8
#define ASK_USERS_MAX 16
/** Approvers that a rule can want. */
#define ASK_VOTES_MAX 8
/** Seconds that a refusal holds, and that a grant for once waits to be used. */
#define ASK_REFUSAL_SECONDS 10
#define ASK_ONCE_SECONDS 60
/** Most bytes of a reason. */
#define ASK_REASON_MAX 256U
/** Longest that `for` can be. */
#define ASK_SECONDS_MAX 2592000

/** For how much an approval is, the narrowest first. */
enum ask_mode { ASK_ONCE, ASK_FOR, ASK_AGENT, ASK_ALWAYS, ASK__MODES };

/** Approvers that are no users. */
#define ASK_UID_HOOK ((uid_t)-1)
#define ASK_UID_FILE ((uid_t)-2)

/** Somebody's answer. */
struct ask_vote {
	uid_t uid;
	enum ask_mode mode;
	unsigned int seconds; /* ASK_FOR */
	json_t *doc; /* owned: {who, uid?, mode, at, seconds?, reason?} */
};

/** A process that asked. */
struct ask_process {
	struct ask_request *request;
	struct loop_source life; /* its pidfd, of those that are held */
	__u32 tgid;
	__u64 start_ns;
	json_t *doc; /* owned */
	size_t text; /* bytes that it counts for */
};

/** One act of one agent. */
struct ask_request {
	struct ask_request *next;
	struct asks *asks;
	struct pk_ask_key key;
	char id[REQUEST_ID_SIZE];
	__u32 rule;
	__u64 image;
	json_t *act; /* owned */
	size_t text; /* bytes that it counts for */
	bool held; /* somebody was stopped by it */
	__u64 count;
	time_t since;
	time_t last;
	__u64 expires_ns; /* CLOCK_BOOTTIME */
	__u64 told_ns; /* when it was last told of */
	unsigned int timeout;
	unsigned int approvers;
	struct ask_vote votes[ASK_VOTES_MAX];
	size_t vote_count;
	uid_t users[ASK_USERS_MAX];
	size_t user_count;
	bool crowded; /* more users than that */
	struct ask_process *processes[ASK_PROCESSES_MAX]; /* owned; the oldest first */
	size_t process_count;
	enum ask_hook_state hook;
	__u64 serial; /* another one for each question that it was: what a program is asked */
	struct pk_event sought; /* of a command whose exact words are still looked for */
	__u64 words_ns; /* CLOCK_BOOTTIME: when they are next; 0 = not any more */
	__u64 words_wait_ns;
};

/** A client that watches. */
struct ask_watcher {
	const struct client *client;
	__u32 slot; /* 0 = all that it may see */
};

/** All of it. */
struct asks {
	struct daemon *daemon; /* borrowed */
	struct ask_request *requests; /* owned, the oldest first */
	size_t text;
	struct grants grants;
	struct ask_hooks hooks;
	struct loop_source timer; /* the next end of anything */
	struct ask_watcher *watchers; /* owned */
	size_t watcher_count;
	__u64 overflowed; /* refused for want of room */
	__u64 serial; /* of the last question */
};

/** An empty value. */
#define ASKS_NONE                                                                                  \
	{                                                                                          \
		.timer = LOOP_SOURCE_NONE                                                          \
	}

/** An answer that ends a request. */
struct ask_answer {
	__u32 verdict; /* allow or deny */
	enum ask_mode mode;
	unsigned int seconds;
	const char *what; /* in the record: "approved", "refused", ... */
	const json_t *by; /* borrowed; who refused, or NULL */
};

/** Begin: from now on acts wait. Returns 0 or -errno. */
int asks_open(struct daemon *daemon);

/** Take over what holds, @saved (borrowed, may be NULL) being what asks_encode() made; all who wait ask anew. */
int asks_adopt(struct asks *asks, const json_t *saved);

/** What is kept over restarts. NULL: no memory. */
json_t *asks_encode(const struct asks *asks);

/** Take an event of @entry into account. */
void asks_take(struct asks *asks, struct agent_entry *entry, const struct event *event);

/** @entry is judged by another image than @before from now on. */
void asks_reloaded(struct asks *asks, const struct agent_entry *entry,
		   const struct policy_image *before);

/** The agent in @slot is no more. */
void asks_forget_agent(struct asks *asks, __u32 slot);

/** Look at what nothing tells of: threads that wait without a request ask anew. */
void asks_check(struct asks *asks);

/** Tell @watcher's client from now on. Returns 0 or -ENOMEM. */
int asks_watch(struct asks *asks, const struct ask_watcher *watcher);

/** A client is gone. */
void asks_forget_client(struct asks *asks, const struct client *client);

/** Let go; what waits goes on waiting. */
void asks_close(struct asks *asks);

/* --- Answers: ask_answer.c ------------------------------------------------------------------------ */

/** "once", "for", "agent", "always". */
const char *ask_mode_name(enum ask_mode mode);

/** The mode of that name, or ASK__MODES. */
enum ask_mode ask_mode_find(const char *name);

/**
 * Add @vote (its doc is taken over), in place of an earlier one of the same user; if they are as many as
 * the rule wants, the act is granted. Returns 1: granted, @request is gone, *@ret_grant (caller frees) is
 * the grant; 0: others are missing; or -errno with an error, nothing having changed.
 */
int ask_vote(struct ask_request *request, struct ask_vote *vote, json_t **ret_grant,
	     struct diag_list *diags);

/** Refuse. As ask_vote(), but for 0. */
int ask_refuse(struct ask_request *request, const struct ask_answer *answer, json_t **ret_grant,
	       struct diag_list *diags);

/**
 * Take a grant back: @what in the record. Returns 0, or -errno of the record; it is taken
 * back all the same. The state is the caller's to save.
 */
int ask_revoke(struct asks *asks, struct grant *grant, const char *what, const json_t *by);

/** The time of a grant is over: that is on the record, and it is forgotten. */
void ask_lapse(struct asks *asks, struct grant *grant);

/** Who did something: the object of an approver. NULL: no memory. */
json_t *ask_by(uid_t uid, const char *who, const struct ask_vote *vote, const char *reason);

/* --- Requests: ask_request.c ---------------------------------------------------------------------- */

/** Threads that wait. */
struct ask_hold {
	__u32 tid;
	struct pk_hold hold;
};

/** A look at all of them; free(items). */
struct ask_holds {
	struct ask_hold *items; /* owned */
	size_t count;
};

/** Look. What memory has no room for is left out. */
void ask_holds_read(const struct hub *hub, struct ask_holds *ret_holds);
/** Free. */
void ask_holds_reset(struct ask_holds *holds);
/** How many wait for @key. */
size_t ask_holds_count(const struct ask_holds *holds, const struct pk_ask_key *key);
/** Let all go on that wait for @key. */
void ask_continue(struct hub *hub, const struct pk_ask_key *key);

/** A new one about @event, not yet in the list; NULL: no memory. */
struct ask_request *ask_request_new(struct asks *asks, const struct agent_entry *entry,
				    const struct event *event);

/** One more try: @event. */
void ask_request_try(struct ask_request *request, const struct agent_entry *entry,
		     const struct event *event);

/** The object that is told of it; @state as in user/control/README.md. NULL: no memory. */
json_t *ask_request_describe(const struct ask_request *request, const struct ask_holds *holds,
			     const char *state);

/** Look again for the words of its command. True when that is over: found, or given up. */
bool ask_request_find_words(struct ask_request *request);

/** The open request, or NULL. */
struct ask_request *ask_request_find(const struct asks *asks, const struct pk_ask_key *key);

/** Take it out of the list and free it. */
void ask_request_remove(struct ask_request *request);

/** Forget who approved so far. */
void ask_request_drop_votes(struct ask_request *request);

/** Tell watchers of @request in @state; @by: who refused, or NULL; @grant: its answer, or NULL. */
void ask_tell(struct ask_request *request, const char *state, const json_t *by,
	      const struct grant *grant);

/** Tell watchers of a grant. */
void ask_tell_grant(const struct asks *asks, const struct grant *grant, const char *what);

/** It ends without an answer: whoever waits asks anew. */
void ask_request_end(struct ask_request *request, const char *state);

/** Let the timer fire at the next end of anything. */
void asks_arm(struct asks *asks);

/** Is there room for the requests of the agent in @slot, and @more bytes of text? */
bool asks_have_room(const struct asks *asks, __u32 slot, size_t more);

/** The agent in @slot, or NULL. */
struct agent_entry *asks_agent(const struct asks *asks, __u32 slot);

#endif
