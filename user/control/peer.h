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
	PEER_NESTED, /* of one that may have agents of its own: start those, join them, end them */
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
	enum peer_role role; /* the first two are found by whoever knows agents */
};

/** An empty value. */
#define PEER_NONE                                                                                  \
	{                                                                                          \
		.pidfd = -1                                                                        \
	}

/** The groups that give roles. */
#define PEER_GROUP_OBSERVER "picket"
#define PEER_GROUP_OPERATOR "picket-admin"

/** No such group here. */
#define PEER_NO_GROUP ((gid_t)-1)

/** Their numbers. Read now and then and not for each peer: the database may be slow to answer. */
struct peer_groups {
	gid_t observe; /* or PEER_NO_GROUP */
	gid_t operate; /* or PEER_NO_GROUP */
};

/** Look them up. */
void peer_groups_read(struct peer_groups *ret_groups);

/**
 * Identify the peer of the connected socket @fd. Returns 0 (caller resets), -ESRCH when its process
 * cannot be seen from here (another pid namespace), or another -errno.
 */
int peer_identify(int fd, const struct peer_groups *groups, struct peer *ret_peer);

/**
 * True while the process that connected has not ended. What was read of /proc by its number is its
 * own when it is still alive afterwards.
 */
bool peer_is_alive(const struct peer *peer);

/** True when @gid is the peer's group or one of its supplementary ones. */
bool peer_in_group(const struct peer *peer, gid_t gid);

/** False for root, whom the limits of a user do not hold for; a process of an agent is never root. */
bool peer_is_limited(const struct peer *peer);

/** Name of a role: "nobody". */
const char *peer_role_name(enum peer_role role);

/** Free what it owns and make it empty. */
void peer_reset(struct peer *peer);

#endif
