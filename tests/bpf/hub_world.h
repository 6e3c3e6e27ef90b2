/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the hub share: policies, a listening socket, processes that try to connect to it.
 */
#ifndef PICKET_TESTS_HUB_WORLD_H
#define PICKET_TESTS_HUB_WORLD_H

#include <netinet/in.h>

#include "engine/hub.h"
#include "engine/hub_parts.h"

/** The policies: all connections denied, or none. */
struct hub_world {
	bool is_there; /* a hub, of a test before this one */
	const struct hub_build *build; /* whose programs it has; NULL: ours */
	long upgrade_ms; /* how long the last upgrade took; 0: there was none */
	struct features features;
	struct diag_list diags;
	struct policy_image deny;
	struct policy_image allow;
	int listener;
	struct sockaddr_in address; /* where it listens */
};

/** A process that connects over and over; its results are in shared memory. */
struct hub_hammer {
	pid_t pid;
	int go; /* closed: it starts */
	struct hub_strokes {
		volatile unsigned long succeeded;
		volatile unsigned long denied; /* EPERM */
		volatile unsigned long other;
		volatile int stop;
	} * strokes;
};

/** The one world of a test program. */
extern struct hub_world hub_world;

/**
 * Call @run in a process with a cgroup tree and a bpf file system of its own, so that a daemon that
 * this host may have is not met. Returns its exit status.
 */
int hub_world_run(int (*run)(void));

/** The same as a main(): with an argument only the tests that it is a pattern of. */
int hub_world_main(int argc, char **argv, int (*run)(void));

/** The same for tests of hooks: where this host offers none, @name is skipped. */
int hub_world_hooks_main(int argc, char **argv, const char *name, int (*run)(void));

/** Set it up and clear it away: for cmocka. */
int hub_world_start(void **state);
int hub_world_end(void **state);

/** Compile a policy or fail. */
void hub_world_compile(const char *text, struct policy_image *ret_image);

/** Fail, with what was found, when @r is not @expected. Forgets what was found. */
void hub_world_expect(int r, int expected);

/** Open the hub as this build or (@build not NULL) another. */
void hub_world_open(struct hub *hub, const struct hub_build *build, enum hub_origin origin);

/*
 * Loading programs is what takes time, most of all where all is emulated: tests that do not need a hub of
 * their own use that of the test before.
 */

/** The hub that is there, taken over; or a new one. */
void hub_world_take(struct hub *hub);

/** Open what is there as the other build. */
void hub_world_upgrade(struct hub *hub);

/** Leave the hub to the next test. No agent may be left. */
void hub_world_return(struct hub *hub);

/** Connect to the listener. 0 or -errno. */
int hub_world_connect(void);

/** Have a child connect, after it joined the agent (NULL: none). 0 or -errno. */
int hub_world_connect_as(struct hub *hub, const struct hub_agent *agent);

/** The agent's counter of denials. */
__u64 hub_world_denied(const struct hub *hub, const struct hub_agent *agent);

/** Descriptors from here on are those that a child keeps. */
#define FD_KEPT 200

/** In a child: give the descriptor a number that is kept. */
int hub_world_keep(int fd, int number);

/** Then close all others but the standard ones: the hub's lock is on one. */
void hub_world_leave(void);

/** Remove the hub, of which nothing may be left. */
void hub_world_destroy(struct hub *hub);

/** Make an agent or fail. */
void hub_world_make(struct hub *hub, const struct policy_image *image, struct hub_agent *agent);

/** Kill what is in the agent (unless it is attached) and remove it. */
void hub_world_drop(struct hub *hub, struct hub_agent *agent);

/** Another build: its programs check the directory cache. */
extern const struct hub_build hub_world_other;

/** A number that tells the programs that are attached by the links in the folder. */
unsigned long hub_world_programs(const struct hub *hub, const char *folder);

/** Start a process that will connect over and over; hub_hammer_go() lets it. */
void hub_hammer_start(struct hub_hammer *hammer);
void hub_hammer_go(struct hub_hammer *hammer);

/** Wait until it was denied @more times more than now. */
void hub_hammer_wait(const struct hub_hammer *hammer, unsigned long more);

/** Stop it and wait for its end. */
void hub_hammer_stop(struct hub_hammer *hammer);

/** Does this host offer a tier with file and process hooks? */
bool hub_world_has_hooks(void);

/** Is `picket/daemon` there below @root? */
bool hub_world_is_there(const char *root);

/** How often something is done: @times, or @emulated where programs take 20 s to load. */
int hub_world_times(int times, int emulated);

/** Sleep. */
void hub_world_sleep(unsigned int ms);

#endif
