/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon: what its parts share, and its life from opening to the end of its loop. One thread,
 * nothing waits. Its end changes nothing of what is enforced.
 */
#ifndef PICKET_DAEMON_DAEMON_H
#define PICKET_DAEMON_DAEMON_H

#include "daemon/asks.h"
#include "daemon/events.h"
#include "daemon/lives.h"
#include "daemon/ledger.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/policies.h"
#include "daemon/protect.h"
#include "daemon/receiver.h"
#include "daemon/registry.h"
#include "daemon/reload.h"
#include "daemon/sinks.h"
#include "daemon/telemetry.h"
#include "engine/features.h"
#include "engine/hub.h"

struct ring_buffer;

/** The name of the socket in the run folder. */
#define DAEMON_SOCKET_NAME "control.sock"

/** What it is told. All borrowed. */
struct daemon_options {
	const char *socket; /* NULL: DAEMON_SOCKET_NAME in the run folder */
	const char *config;
	const char *run_dir;
	const char *lib_dir; /* of the record of grants */
	enum pk_tier tier; /* at most */
	void (*say)(const char *text); /* a line for the log, without newline */
};

/** How a proof of enforcement went. */
struct daemon_proof {
	time_t at;
	time_t due; /* the next one; CLOCK_MONOTONIC */
	int result; /* 0 or -errno */
	char *text; /* owned; findings, or NULL */
};

/** Everything. */
struct daemon {
	struct daemon_options options;
	struct features features;
	struct hub hub;
	struct server *server;
	struct registry registry;
	struct events events;
	struct lives lives;
	struct feeds feeds;
	struct notes notes;
	struct receiver receiver;
	struct asks asks;
	struct ledger ledger;
	struct policies policies;
	struct reload reload;
	struct telemetry telemetry;
	struct sinks *sinks; /* owned */
	struct daemon_proof proof;
	struct metrics metrics;
	struct ring_buffer *decisions;
	int epoll;
	int run_fd; /* the run folder */
	struct protect protect;
	int state_error; /* of the last save, 0 or -errno */
	unsigned int timed; /* clients that want to know how long decisions take */
	time_t since;
	struct loop_source signals;
	struct loop_source
		records; /* decisions: the ring's own descriptor is not ours to close: a copy */
	struct loop_source activity; /* the same */
	struct loop_source clients; /* the server's, likewise */
	struct loop_source watchdog;
	struct loop_source health;
	bool end; /* asked to */
};

/** An empty value; large: not for the stack. */
#define DAEMON_NONE                                                                                \
	{                                                                                          \
		.hub = HUB_NONE, .features.tier = -1, .epoll = -1, .run_fd = -1,                   \
		.signals = LOOP_SOURCE_NONE, .records = LOOP_SOURCE_NONE,                          \
		.activity = LOOP_SOURCE_NONE, .clients = LOOP_SOURCE_NONE,                         \
		.watchdog = LOOP_SOURCE_NONE, .health = LOOP_SOURCE_NONE, .feeds = FEEDS_NONE,     \
		.notes = NOTES_NONE, .asks = ASKS_NONE, .ledger = LEDGER_NONE,                     \
		.reload = RELOAD_NONE, .telemetry = TELEMETRY_NONE                                 \
	}

/**
 * Take over or set up the engine and its agents, and listen. Returns 0, or -errno with an error in
 * @diags (-ENOTSUP: this kernel cannot). In every case the caller closes.
 */
int daemon_open(struct daemon *daemon, const struct daemon_options *options,
		struct diag_list *diags);

/** Serve until a signal asks to end. Returns 0 or -errno with an error. */
int daemon_run(struct daemon *daemon, struct diag_list *diags);

/** Let go of everything; agents stay confined. */
void daemon_close(struct daemon *daemon);

/** Remove the engine, which must have no agents, and what is in the run folder. 0 or -errno. */
int daemon_remove(const struct daemon_options *options, struct diag_list *diags);

/** Write a line to the log. */
void daemon_say(const struct daemon *daemon, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Write findings to the log. */
void daemon_say_diags(const struct daemon *daemon, const struct diag_list *diags);

/** The text of findings as diag_print() writes it, malloc'ed; NULL: none, or no memory. */
char *daemon_diags_text(const struct diag_list *diags);

/** Hand out all records that wait. */
void daemon_take_records(struct daemon *daemon);

/** Write the state file; a failure is remembered, said once, and tried again. */
void daemon_save(struct daemon *daemon);

/** Prove enforcement again and remember how it went. */
void daemon_prove(struct daemon *daemon);

/** True when the process @pid is an agent's, the daemon's own or a `picket run`'s; or if unknown. */
bool daemon_confines(const struct daemon *daemon, pid_t pid);

#endif
