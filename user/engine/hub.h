/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One engine for all agents of a host: its programs, maps and cgroups outlive the process, in the
 * bpf file system and the cgroup tree. A process that comes later takes over what is there; a newer
 * build puts its own programs beside the old ones before those go. At no time is there neither.
 *
 * Pins, all below BPFFS/picket/daemon (mode 0700, locked by the process that owns the hub):
 *   abi-V            marker; another version than PK_ABI_VERSION is refused, never touched
 *   map_NAME         every map, .bss and .rodata included
 *   links-BUILD/     a link for each program; BUILD: first 16 hex digits of the object's SHA-256
 *   agent-SLOT/      links of the cgroup programs of an agent whose cgroup is not the hub's
 * Cgroups of agents that the hub made are CGROUP2/picket/daemon/agent-SLOT. The cgroup programs are
 * attached once, to CGROUP2/picket/daemon.
 */
#ifndef PICKET_ENGINE_HUB_H
#define PICKET_ENGINE_HUB_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"
#include "engine/features.h"
#include "engine/loader.h"
#include "engine/place.h"
#include "policy/image.h"

/** The slot of the proof: records of this agent are nobody's business. */
#define HUB_CANARY_SLOT (PK_AGENTS_MAX - 1)

/** A build in hexadecimal digits, and a NUL. */
#define HUB_BUILD_SIZE 17

/** How an open hub came to be. */
enum hub_origin {
	HUB_NEW, /* nothing was there */
	HUB_ADOPTED, /* programs of this very build were attached already */
	HUB_UPGRADED, /* programs of another build were replaced; maps and agents are the same */
};

/** An open hub. hub_close() lets go of it. */
struct hub {
	struct loader loader; /* maps always; programs only when this process loaded them */
	enum hub_origin origin;
	enum pk_tier tier;
	int pins; /* BPFFS/picket/daemon, locked; -1 = none */
	int cgroups; /* CGROUP2/picket/daemon; -1 = none */
	char *pin_path;
	char *cgroup_path;
	struct place_roots roots; /* borrowed of the features that it was opened with */
	char build[HUB_BUILD_SIZE]; /* whose links decide */
};

/** An empty value. */
#define HUB_NONE                                                                                   \
	{                                                                                          \
		.pins = -1, .cgroups = -1                                                          \
	}

/** An agent of the hub. */
struct hub_agent {
	__u64 cgroup; /* id */
	__u32 slot; /* 0 = none */
	bool own; /* the hub made its cgroup, and removes it */
};

/**
 * Take over what is there or set up what is missing: at most @limit's tier of @features; every
 * enforcement is proven by the canary before this returns. What is there is checked first: owner
 * and mode of the folder, ABI version, types and sizes of maps, links' programs, digests of images.
 * Returns 0 (caller closes); -EBUSY when a living process owns it; -EPROTONOSUPPORT for another ABI
 * version; -EBADF when what is there is not ours or damaged; -ENOTSUP, -EPERM as session_open();
 * each with an error whose hint says what to do. On failure everything that was there is untouched.
 */
int hub_open(const struct features *features, enum pk_tier limit, struct hub *ret_hub,
	     struct diag_list *diags);

/** Let go: everything stays attached and goes on deciding. Accepts an empty hub; resets it. */
void hub_close(struct hub *hub);

/**
 * Remove everything: no agent may be left (-EBUSY with an error). Resets the hub in case of success.
 */
int hub_destroy(struct hub *hub, struct diag_list *diags);

/**
 * Remove what hub_open() refuses (-EBADF, -EPROTONOSUPPORT), whatever it is. No process may be left that
 * it judges: -EBUSY with an error that says where. Returns 0 or another -errno with an error.
 */
int hub_wipe(const struct features *features, struct diag_list *diags);

/**
 * A new agent in a cgroup of its own, judged by @image from its first process on. @files: of the
 * policy, protected from every agent, may be NULL. Returns 0 or -errno (-ENOSPC: PK_AGENTS_MAX
 * agents) with an error, nothing being left.
 */
int hub_agent_create(struct hub *hub, const struct policy_image *image, char *const *files,
		     size_t file_count, struct hub_agent *ret_agent, struct diag_list *diags);

/**
 * The processes that are in the cgroup open as @cgroup_fd, now and later, become an agent. Its live
 * tasks are labelled before this returns, existing sockets are judged at their next packet. -EEXIST
 * when it is an agent's, is inside one or around one. Otherwise as hub_agent_create().
 */
int hub_agent_attach(struct hub *hub, int cgroup_fd, const struct policy_image *image,
		     char *const *files, size_t file_count, struct hub_agent *ret_agent,
		     struct diag_list *diags);

/** Put the process @pid into the agent's own cgroup. Returns 0 or -errno. */
int hub_agent_join(struct hub *hub, const struct hub_agent *agent, pid_t pid);

/**
 * Tasks in the cgroup of @agent that carry the label of slot @from get its own: they came from the agent
 * around it. Returns 0 or -errno with an error.
 */
int hub_agent_take(struct hub *hub, const struct hub_agent *agent, __u32 from,
		   struct diag_list *diags);

/** Judge by @image from now on: one update, no decision sees half of each. 0 or -errno, an error. */
int hub_agent_replace(struct hub *hub, const struct hub_agent *agent,
		      const struct policy_image *image, struct diag_list *diags);

/**
 * Kill the agent's processes (of its own cgroup only) and wait for their end. Returns 0, -ETIMEDOUT,
 * or another -errno. An agent whose processes are attached ones is left alone: -EOPNOTSUPP.
 */
int hub_agent_kill(struct hub *hub, const struct hub_agent *agent);

/**
 * The agent ends: its processes (of an attached cgroup) are free; its own cgroup must be empty and is
 * removed; slot, image, learned addresses and counters are cleared before the slot is used again.
 * Returns 0 or -errno with an error.
 */
int hub_agent_remove(struct hub *hub, struct hub_agent *agent, struct diag_list *diags);

/** Called for each agent found in the kernel; nonzero stops and is returned. */
typedef int (*hub_agent_fn)(void *context, const struct hub_agent *agent);

/** What the kernel maps hold, in order of slots. Returns 0 or what @fn or reading returned. */
int hub_agents(const struct hub *hub, hub_agent_fn fn, void *context);

/**
 * Read the image that judges @agent back out of the kernel, validated. Returns 0 (caller frees with
 * policy_image_reset()) or -errno.
 */
int hub_agent_image(const struct hub *hub, const struct hub_agent *agent,
		    struct policy_image *ret_image);

/** Also protect these files of a policy from every agent, as hub_agent_create() does. */
int hub_protect(struct hub *hub, char *const *files, size_t file_count, struct diag_list *diags);

/** Open the agent's cgroup (caller closes). Returns the descriptor or -errno. */
int hub_agent_cgroup(const struct hub *hub, const struct hub_agent *agent);

/** Prove every kind of enforcement again. Returns 0 or -errno with an error. */
int hub_prove(struct hub *hub, struct diag_list *diags);

#endif
