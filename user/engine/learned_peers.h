/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses that the network namespaces of some processes have connections to, as /proc shows them.
 */
#ifndef PICKET_ENGINE_LEARNED_PEERS_H
#define PICKET_ENGINE_LEARNED_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/** Addresses, sorted (IPv4 mapped). learned_peers_reset() frees. Zero-initialise. */
struct learned_peers {
	__u8 (*items)[16]; /* owned */
	size_t count;
};

/**
 * Read them for the processes in the cgroup open as @cgroup and below; -1: there are none. Returns 0 or
 * -errno; what could be read by then is there.
 */
int learned_peers_read(int cgroup, struct learned_peers *ret_peers);

/** Add the remote ends in a text as /proc/net/tcp, tcp6, udp and udp6 have it. Returns 0 or -ENOMEM. */
int learned_peers_parse(const char *text, struct learned_peers *peers);

/** Is @address among them? They must be as learned_peers_read() left them. */
bool learned_peers_has(const struct learned_peers *peers, const __u8 address[static 16]);

/** Free what it owns and make it empty. */
void learned_peers_reset(struct learned_peers *peers);

#endif
