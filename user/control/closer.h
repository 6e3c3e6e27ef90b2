/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Getting rid of descriptors that came from others. close() can wait for whoever made the descriptor:
 * a TCP socket with SO_LINGER and a peer that does not read, a file of somebody's own FUSE server, or
 * a socket in whose queue one of these lies. A few threads do the waiting, so that the loop never does.
 */
#ifndef PICKET_CONTROL_CLOSER_H
#define PICKET_CONTROL_CLOSER_H

#include <stdbool.h>

/** Opaque. */
struct closer;

/** Descriptors that may wait before closer_is_full(). */
#define CLOSER_WAITING_MAX 1024

/** Make one. Returns 0 or -ENOMEM. */
int closer_new(struct closer **ret_closer);

/** Close @fd, of whatever kind, without waiting. Harmless kinds are closed at once. Accepts -1. */
void closer_take(struct closer *closer, int fd);

/** The same for a connected unix socket: both ends learn at once; what lies unread in it goes too. */
void closer_take_connection(struct closer *closer, int fd);

/** True when so many wait that no more should be taken in. */
bool closer_is_full(struct closer *closer);

/** Let the threads finish what can be finished, and free. Resets the pointer; accepts NULL. */
void closer_free(struct closer **closer);

#endif
