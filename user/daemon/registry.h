/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agents that the daemon looks after, by slot. It is a list and no more: who makes, ends and
 * changes agents is told elsewhere.
 */
#ifndef PICKET_DAEMON_REGISTRY_H
#define PICKET_DAEMON_REGISTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "control/server.h"
#include "daemon/feed.h"
#include "daemon/loop.h"
#include "daemon/notes.h"
#include "engine/hub.h"
#include "metrics/tally.h"
#include "policy/image.h"
#include "telemetry/summary.h"

/** Bytes of an agent's id, "a-SLOT-12345678", its NUL included. */
#define AGENT_ID_SIZE 24
/** Most agents of one user who is not root. */
#define AGENTS_OF_USER 256
/** Most bytes of an agent's name. */
#define AGENT_NAME_MAX 64

/** Where an agent's processes are. */
enum agent_kind {
	AGENT_RUN, /* in a cgroup of its own: it ends with its owner */
	AGENT_ATTACHED, /* in a cgroup of somebody else: it ends by `agent.detach` */
	AGENT__KINDS
};

/** What is kept of an agent over restarts of the daemon; registry_reset_record() frees. */
struct agent_record {
	char id[AGENT_ID_SIZE];
	enum agent_kind kind;
	__u32 slot;
	__u64 cgroup; /* id */
	bool joined; /* a process was put into it */
	bool known; /* false: found in the kernel, and nothing is known of how it came to be */
	char *name; /* owned */
	char *policy; /* owned; name or absolute path, as asked for; NULL = not known */
	bool audit; /* asked for */
	json_t *set; /* owned; object of texts: variables, or NULL */
	char *cwd; /* owned; the caller's, or NULL */
	uid_t uid; /* of the owner */
	pid_t pid; /* the owner's process; 0 = none */
	__u64 start; /* when it started, in clock ticks since boot */
	time_t since;
	char parent[AGENT_ID_SIZE]; /* the agent around it, one of whose processes started it; or "" */
	const struct agent_record
		*around; /* that agent's, which is there as long as this one; or NULL */
	char *tags; /* owned; its launcher's variables, as daemon/tags.h keeps them; NULL = none are known */
	json_t *nested; /* owned; array of names: policies for agents of its own; NULL: none */
};

/** The end of an agent under way. */
struct agent_end {
	bool begun;
	bool nudged; /* the timer was set because an agent inside of it is gone */
	struct loop_source timer;
	struct client *client; /* who waits for it, or NULL */
	json_t *id; /* of its call; owned */
};

/** One agent. */
struct agent_entry {
	struct agent_record record;
	struct hub_agent hub;
	struct policy_image image; /* that judges */
	char digest[65];
	char *main_file; /* owned; path of the policy, or NULL */
	struct summary *summary;
	struct feed feed; /* of denials, for the agent itself */
	struct note_socket notes; /* what the agent says of its work */
	__u64 events; /* records of it that were taken */
	struct decision_tally decisions; /* of these */
	__u64 untold; /* events that its owner was too slow to be told */
	__u64 untold_allowed; /* of these, of acts that were allowed */
	struct loop_source owner; /* pidfd of the owner's process */
	struct loop_source listener; /* of refused system calls */
	struct loop_source cgroup; /* cgroup.events: watched while it ends or has no owner */
	struct agent_end end;
	void *daemon; /* whoever the sources call */
};

/** All of them. Zero-initialise. */
struct registry {
	struct agent_entry *slots[PK_AGENTS_MAX];
	size_t count;
};

/** "run", "attach". */
const char *registry_kind_name(enum agent_kind kind);

/** Write a new id for slot @slot to @id. Returns 0 or -errno: there are no random bits. */
int registry_make_id(__u32 slot, char id[AGENT_ID_SIZE]);

/** An empty entry without a slot (caller frees with registry_free_entry()), or NULL. */
struct agent_entry *registry_new_entry(void);

/** Put @entry in its slot, which is free. Takes it over. Returns 0, -EEXIST or -ERANGE. */
int registry_add(struct registry *registry, struct agent_entry *entry);

/** Take @entry out; the caller frees it. */
void registry_remove(struct registry *registry, struct agent_entry *entry);

/** The agent with this id, slot or cgroup, or NULL. */
struct agent_entry *registry_find(const struct registry *registry, const char *id);
struct agent_entry *registry_at(const struct registry *registry, __u32 slot);
struct agent_entry *registry_find_cgroup(const struct registry *registry, __u64 cgroup);

/** The first agent with a slot over @slot, or NULL: goes through all of them, from 0 on. */
struct agent_entry *registry_next(const struct registry *registry, __u32 slot);

/** How many agents belong to @uid. */
size_t registry_count_of(const struct registry *registry, uid_t uid);

/** Free what it owns; make it empty. Its sources must be out of the loop. */
void registry_reset_record(struct agent_record *record);
void registry_free_entry(struct agent_entry **entry);

#endif
