/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of approvals share: a hub with one agent, processes of it that act and wait, and the answers
 * to what they are asked about.
 */
#ifndef PICKET_TESTS_ASK_WORLD_H
#define PICKET_TESTS_ASK_WORLD_H

#include <picket/abi.h>
#include <picket/ask.h>
#include <stdbool.h>
#include <sys/types.h>

#include "ask_acts.h"
#include "engine/hub.h"

struct ring_buffer;

/** What ask_await() says of a process that is stopped: no errno. */
#define ASK_STOPPED 1000

/** Where there are no hooks: every destination is asked about. */
#define ASK_EGRESS_POLICY                                                                          \
	"picket: 1\n"                                                                              \
	"name: ask\n"                                                                              \
	"process: {profile: 'off'}\n"                                                              \
	"egress: {default: ask}\n"

/** What a test has. */
struct ask_world {
	struct hub hub;
	struct hub_agent agent;
	struct policy_image image;
	struct ring_buffer *ring;
	struct pk_event last; /* the last event of the agent, or size 0 */
	unsigned long count; /* events of the agent */
};

/** The one of a test program. */
extern struct ask_world ask_world;

/** Open the hub with an agent of the policy (@hooked, or @network where there are no hooks), and clear away. */
int ask_world_start(void **state, const char *hooked, const char *network);
int ask_world_end(void **state);

/** Do hooks hold what is asked about? */
bool ask_has_hooks(void);

/** Take what came into `last` and `count`. */
void ask_read_events(void);

/** What every act finds: ASK_FOLDER with a file, and without what acts make. */
void ask_make_files(void);

/** A process of the agent (another one: _in) that calls @run and ends with its result. */
pid_t ask_start(int (*run)(void));
pid_t ask_start_in(const struct hub_agent *agent, int (*run)(void));

/** Wait for it: its end (an errno, or minus a signal) or, @stops, ASK_STOPPED. */
int ask_await(pid_t pid, bool stops);

/** The key of the last event; an answer for it, with id 7, for its rule and the agent's image; put it. */
struct pk_ask_key ask_key(void);
struct pk_grant ask_grant(__u32 verdict, __s64 uses);
void ask_put(const struct pk_grant *grant);

/** Uses that are left of the answer to the last event. */
__s64 ask_uses_left(void);

/** Delete all answers. */
void ask_forget(void);

/** How many threads wait; let them go on, as an approver does. */
int ask_holds(void);
void ask_go_on(void);

/** Start the act up to where it waits; where there are no hooks it is refused at first, and there is none: -1. */
pid_t ask_until_held(const struct ask_act *act);

/** Let it go on, or (@pid -1) do it again; its result as ask_await() has it. */
int ask_answered(const struct ask_act *act, pid_t pid, bool stops);

/** Kill what still waits. */
void ask_kill(pid_t pid);

#endif
