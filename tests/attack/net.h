/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs about the network share: addresses, waiting, and the word with a peer. Peers
 * (peers.py) send back what they got.
 */
#ifndef TESTS_ATTACK_NET_H
#define TESTS_ATTACK_NET_H

#include "attack.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

/* How long to wait for what may never come; far more than a peer in a slow guest needs. */
#define WAIT_MS 2000

/** A destination. */
struct place {
	struct sockaddr_storage at;
	socklen_t length;
};

/** The place of an address and a port, as numbers; the program ends when it is none. */
static inline struct place place_of(const char *address, const char *port)
{
	struct place p = { 0 };
	char plain[64] = "";
	const char *scope = strchr(address, '%');
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&p.at;
	struct sockaddr_in *in = (struct sockaddr_in *)&p.at;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)number(port));
		p.length = sizeof(*in);
		return p;
	}
	/* A link-local one says its device. */
	memcpy(plain, address, strnlen(address, sizeof(plain) - 1));
	plain[strcspn(plain, "%")] = '\0';
	if (inet_pton(AF_INET6, plain, &in6->sin6_addr) == 1) {
		in6->sin6_scope_id = scope ? if_nametoindex(scope + 1) : 0;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)number(port));
		p.length = sizeof(*in6);
		return p;
	}
	fprintf(stderr, "attack: '%s' is not an address\n", address);
	exit(2);
}

static inline struct sockaddr *raw(struct place *p)
{
	return (struct sockaddr *)&p->at;
}

/** Sends and receives of this socket end by themselves, with EAGAIN. */
static inline int patient(int fd)
{
	struct timeval wait = { WAIT_MS / 1000, WAIT_MS % 1000 * 1000L };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)))
		return -1;
	return fd;
}

/** A socket of the place's family that waits for nothing too long. */
static inline int socket_to(const struct place *p, int type)
{
	return patient(socket(p->at.ss_family, type | SOCK_CLOEXEC, 0));
}

/** Switch an option of a socket on. */
static inline int set(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on));
}

/** The answer of an act whose last call failed: "nothing" when only time went by. */
static inline int missed(void)
{
	return errno == EAGAIN || errno == EINPROGRESS || errno == ETIMEDOUT ? say("nothing") : -1;
}

/** Receive what a peer sends back: @count bytes. 0, or the act's answer. */
static inline int hear(int fd, size_t count)
{
	static char bytes[65536];
	ssize_t n = 0;

	for (size_t got = 0; got < count; got += (size_t)n) {
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n <= 0)
			return n < 0 ? missed() : say("closed");
	}
	return 0;
}

/** Send a word on a connected socket and hear it again. 0, or the act's answer. */
static inline int word(int fd)
{
	return send(fd, "attack", 6, MSG_NOSIGNAL) < 0 ? missed() : hear(fd, 6);
}

#endif
