/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is at the other end of a unix socket, as the kernel tells, and what it may ask for.
 */
#ifndef PICKET_CONTROL_PEER_H
#define PICKET_CONTROL_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/** What a peer may do; each role may do what those before it may. */
enum peer_role {
	PEER_CONFINED, /* a process of an agent: nothing */
	PEER_NOBODY, /* start agents by policies that it may use, look after its own */
	PEER_OBSERVER, /* group `picket`: see everything */
	PEER_OPERATOR, /* group `picket-admin`, and root: change everything */
	PEER__ROLES
};

/** A peer at the time it connected. peer_reset() frees. */
struct peer {
	pid_t pid;
	int pidfd; /* of that process; -1 = the kernel is too old and it has ended */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* owned; supplementary groups (SO_PEERGROUPS) */
	size_t group_count;
	enum peer_role role; /* PEER_CONFINED is found by whoever knows agents */
};

/** The groups that give roles. */
#define PEER_GROUP_OBSERVER "picket"
#define PEER_GROUP_OPERATOR "picket-admin"

/** Identify the peer of the connected socket @fd. Returns 0 (caller resets) or -errno. */
int peer_identify(int fd, struct peer *ret_peer);

/** True when @gid is the peer's group or one of its supplementary ones. */
bool peer_in_group(const struct peer *peer, gid_t gid);

/** Name of a role: "nobody". */
const char *peer_role_name(enum peer_role role);

/** Free what it owns and make it empty. */
void peer_reset(struct peer *peer);

#endif
