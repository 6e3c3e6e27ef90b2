/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on the first bytes of a connection: greetings of TLS, HTTP and others, for any name, cut in
 * every way. "ok" means that the peer got and returned all of it. How else bytes get into a socket:
 * stream.c.
 */
#include "greeting.h"

/* say ADDRESS PORT KIND NAME */
static int act_say(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int fd = open_to(a);

	return fd < 0 ? missed() : converse(fd, &b, b.length);
}

/* cut ADDRESS PORT KIND NAME BYTES */
static int act_cut(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int fd = open_to(a);

	return fd < 0 ? missed() : converse(fd, &b, (size_t)number(a[4]));
}

/* then ADDRESS PORT KIND NAME KIND NAME: one greeting, and when it was heard another. */
static int act_then(char **a)
{
	struct bytes first = made(a[2], a[3]), second = made(a[4], a[5]);
	int fd = open_to(a), r;

	if (fd < 0)
		return missed();
	r = converse(fd, &first, first.length);
	return r ? r : converse(fd, &second, second.length);
}

/* In the first packet, the one that opens the connection. */
static int act_first_packet(char **a)
{
	struct bytes b = made(a[2], a[3]);
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM);

	if (fd < 0 || sendto(fd, b.at, b.length, MSG_FASTOPEN, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, b.length);
}

/* urgent ADDRESS PORT KIND NAME AT: the byte there is urgent, and the peer reads the rest without. */
static int act_urgent(char **a)
{
	struct bytes b = made(a[2], a[3]);
	size_t at = (size_t)number(a[4]);
	int fd = open_to(a);

	if (fd < 0 || send(fd, b.at, at, MSG_NOSIGNAL) < 0 ||
	    send(fd, b.at + at, 1, MSG_OOB | MSG_NOSIGNAL) < 0 ||
	    send(fd, b.at + at + 1, b.length - at - 1, MSG_NOSIGNAL) < 0)
		return missed();
	return hear(fd, b.length - 1);
}

/* connect, dissolve, connect to the same again: nothing of the first check may stay. */
static int act_again(char **a)
{
	struct bytes good = made(a[2], a[3]), bad = made(a[4], a[5]);
	struct place to = place_of(a[0], a[1]);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = open_to(a), r;

	if (fd < 0)
		return missed();
	r = converse(fd, &good, good.length);
	if (r)
		return r;
	if (connect(fd, &none, sizeof(none)) || connect(fd, raw(&to), to.length))
		return missed();
	return converse(fd, &bad, bad.length);
}

/* repair ADDRESS PORT: the queue of a socket rewritten, as for moving it to another host. */
static int act_repair(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM), on = 1;

	return fd < 0 ? -1 : setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
}

static const struct act acts[] = {
	{ "say", 4, act_say },	     { "cut", 5, act_cut },
	{ "then", 6, act_then },     { "first-packet", 4, act_first_packet },
	{ "urgent", 5, act_urgent }, { "again", 6, act_again },
	{ "repair", 2, act_repair },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
