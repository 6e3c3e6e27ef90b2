/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's word alone counts: who a process was when it connected. Nothing that a peer sends is
 * asked here.
 */
#include "control/peer.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* Linux 6.5; the C library's headers may be older. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* Most bytes of a group's entry that are read: groups can have many members. */
#define GROUP_ENTRY_MAX (1U << 20)

/* The number of a group, or PEER_NO_GROUP when there is none or its entry cannot be read. */
static gid_t group_number(const char *name)
{
	for (size_t size = 4096; size <= GROUP_ENTRY_MAX; size *= 4) {
		CLEAN_FREE char *buffer = malloc(size);
		struct group *found = NULL;
		struct group group;
		int r = buffer ? getgrnam_r(name, &group, buffer, size, &found) : ENOMEM;

		if (r == ERANGE || r == EINTR)
			continue;
		return r == 0 && found ? group.gr_gid : PEER_NO_GROUP;
	}
	return PEER_NO_GROUP;
}

void peer_groups_read(struct peer_groups *ret_groups)
{
	ret_groups->observe = group_number(PEER_GROUP_OBSERVER);
	ret_groups->operate = group_number(PEER_GROUP_OPERATOR);
}

static int read_groups(int fd, struct peer *peer)
{
	socklen_t size = 0;

	/* Asked for nothing, the kernel tells how much there is; they cannot change any more. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || size == 0)
		return 0;
	if (errno != ERANGE)
		return -errno;
	peer->groups = malloc(size);
	if (!peer->groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size))
		return -errno;
	peer->group_count = size / sizeof(*peer->groups);
	return 0;
}

/* A handle of the process that connected, or -1 when it has ended. */
static int open_process(int fd, pid_t pid)
{
	socklen_t size = sizeof(int);
	int pidfd = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
		return pidfd;
	/* Any other error: it has ended, and by now its number may be another process's. */
	if (errno != ENOPROTOOPT)
		return -1;
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool peer_is_alive(const struct peer *peer)
{
	struct pollfd wait = { .fd = peer->pidfd, .events = POLLIN };

	return peer->pidfd >= 0 && poll(&wait, 1, 0) == 0;
}

bool peer_in_group(const struct peer *peer, gid_t gid)
{
	if (gid == PEER_NO_GROUP)
		return false;
	if (peer->gid == gid)
		return true;
	for (size_t i = 0; i < peer->group_count; i++) {
		if (peer->groups[i] == gid)
			return true;
	}
	return false;
}

static enum peer_role role_of(const struct peer *peer, const struct peer_groups *groups)
{
	if (peer->uid == 0 || peer_in_group(peer, groups->operate))
		return PEER_OPERATOR;
	return peer_in_group(peer, groups->observe) ? PEER_OBSERVER : PEER_NOBODY;
}

int peer_identify(int fd, const struct peer_groups *groups, struct peer *ret_peer)
{
	CLEAN(peer_reset) struct peer peer = PEER_NONE;
	struct ucred cred;
	socklen_t size = sizeof(cred);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return -errno;
	/* Zero: a process of a pid namespace that cannot be seen from here. */
	if (cred.pid <= 0)
		return -ESRCH;
	peer.pid = cred.pid;
	peer.uid = cred.uid;
	peer.gid = cred.gid;
	r = read_groups(fd, &peer);
	if (r)
		return r;
	peer.pidfd = open_process(fd, cred.pid);
	peer.role = role_of(&peer, groups);
	*ret_peer = peer;
	peer = (struct peer)PEER_NONE;
	return 0;
}

bool peer_is_limited(const struct peer *peer)
{
	return peer->uid != 0 || peer->role < PEER_NOBODY;
}

const char *peer_role_name(enum peer_role role)
{
	static const char *const names[] = { "confined", "nested", "nobody", "observer",
					     "operator" };

	_Static_assert(sizeof(names) / sizeof(*names) == PEER__ROLES, "a name each");
	return role < PEER__ROLES ? names[role] : "unknown";
}

void peer_reset(struct peer *peer)
{
	mem_close_fd(&peer->pidfd);
	free(peer->groups);
	*peer = (struct peer)PEER_NONE;
}
