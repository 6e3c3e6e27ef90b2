/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One confined run from set-up to teardown: the order of steps, and that each of them is undone in
 * whatever way the run ends. What is shown of it is the caller's business.
 */
#ifndef PICKET_ENGINE_SESSION_H
#define PICKET_ENGINE_SESSION_H

#include <stdbool.h>

#include "base/diag.h"
#include "engine/agent.h"
#include "engine/destroy.h"
#include "engine/features.h"
#include "engine/learned.h"
#include "engine/loader.h"
#include "engine/place.h"
#include "engine/signals.h"
#include "engine/spawn.h"
#include "policy/image.h"

struct ring_buffer;

/** Called for every event record of the agent, as the ring buffer gave it. */
typedef void (*session_record_fn)(void *context, const void *bytes, size_t size);

/** What a session is about. All borrowed, for as long as the session is open. */
struct session_options {
	const struct features *features;
	enum pk_tier tier; /* at most what features offer */
	const struct policy_image *image;
	char *const *files; /* of the policy: protected from every agent */
	size_t file_count;
	bool keep_fds; /* the command inherits all our descriptors */
	bool recording; /* every act is an event: more room for them */
	session_record_fn record;
	void *context; /* first argument of record */
};

/** An open session. session_close() ends it. */
struct session {
	struct session_options options;
	struct place_roots roots;
	struct place place;
	struct loader loader;
	struct agent agent;
	struct signals signals;
	struct ring_buffer *rings; /* NULL = none */
	struct spawn child;
	struct seccomp_filter filter; /* of system calls; may be empty */
	struct destroyer destroyer; /* ends refused connections */
	__u32 self; /* our tgid as kernel programs see it; 0 = not known yet */
	unsigned int batch; /* records handed out in a row */
	bool live; /* records are the agent's from now on */
	int end_signal; /* asked us to end before the command ran, or 0 */
};

/** An empty value. */
#define SESSION_NONE                                                                               \
	{                                                                                          \
		.place = PLACE_NONE, .signals = SIGNALS_NONE, .child = SPAWN_NONE,                 \
		.destroyer = DESTROYER_NONE                                                        \
	}

/** The key of the policy that needs hooks, which tier 'network' has not, or NULL. */
const char *session_needs_hooks(const struct policy_image *image);

/**
 * Choose the tier for @image: the strongest that @features offer, but none over @limit. Returns 0;
 * -ENOTSUP (kernel) or -EPERM (privileges) with an error when there is none or when it is weaker
 * than the policy needs.
 */
int session_choose_tier(const struct features *features, const struct policy_image *image,
			enum pk_tier limit, enum pk_tier *ret_tier, struct diag_list *diags);

/**
 * Set up everything up to the point where a program can be started: takes over the signals, clears
 * away dead runs (a warning each), creates the cgroup, loads, attaches, pins, proves, publishes.
 * Returns 0, -EINTR when a signal asked to end (@session->end_signal), -ENOTSUP when the kernel
 * cannot, or another -errno; an error in @diags, except for -EINTR. In every case the caller closes
 * @session with session_close(), which must be empty at first.
 */
int session_open(struct session *session, const struct session_options *options,
		 struct diag_list *diags);

/**
 * Start a program in the agent's cgroup and attend to it until it ends: records, signals, its end.
 * Stores the status of wait(2). Returns 0 or -errno with an error.
 */
int session_run(struct session *session, char *const *argv, const struct spawn_user *user,
		int *ret_wait_status, struct diag_list *diags);

/** Read what the agent has learned so far of the addresses of names. Returns 0 or -errno. */
int session_learned(const struct session *session, struct learned_table *ret_table);

/**
 * Kill what is left of the agent, hand out the last records, store the agent's counters in
 * *@ret_counts (may be NULL), and remove everything. Accepts a session in any state. Returns 0 or
 * -errno with an error, after which the next start clears away what could not be removed.
 */
int session_close(struct session *session, __u64 *ret_counts, struct diag_list *diags);

#endif
