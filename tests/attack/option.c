/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts by options of sockets: another way out, another source, headers changed later, connections
 * that are taken over. "ok" means that the peer was heard.
 */
#include "greeting.h"

/* connected: where it leads, and whether one is heard there. */
static int speak_to(int fd, struct place *to)
{
	return fd < 0 || connect(fd, raw(to), to->length) ? missed() : word(fd);
}

/* device NAME ADDRESS PORT: by this device and no other. */
static int act_device(char **a)
{
	struct place to = place_of(a[1], a[2]);
	int fd = socket_to(&to, SOCK_STREAM);

	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, a[0], (socklen_t)strlen(a[0]) + 1))
		return -1;
	return speak_to(fd, &to);
}

/* mark NUMBER ADDRESS PORT: by what a firewall or a table of routes may make of the mark. */
static int act_mark(char **a)
{
	struct place to = place_of(a[1], a[2]);
	int fd = socket_to(&to, SOCK_STREAM), mark = (int)number(a[0]);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		return -1;
	return speak_to(fd, &to);
}

/* from SOURCE ADDRESS PORT: with the address of somebody else, who is not heard by us. */
static int act_from(char **a)
{
	struct place at = place_of(a[0], "0"), to = place_of(a[1], a[2]);
	int v6 = at.at.ss_family == AF_INET6, fd = socket_to(&at, SOCK_DGRAM);

	if (fd < 0 || set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_FREEBIND : IP_FREEBIND) ||
	    bind(fd, raw(&at), at.length))
		return -1;
	return sendto(fd, "attack", 6, 0, raw(&to), to.length) < 0 ? -1 : 0;
}

/* self ADDRESS: a socket connected to its own port. */
static int act_self(char **a)
{
	struct place at = place_of(a[0], "0");
	int fd = socket_to(&at, SOCK_STREAM);

	if (fd < 0 || bind(fd, raw(&at), at.length) || getsockname(fd, raw(&at), &at.length))
		return -1;
	return speak_to(fd, &at);
}

/* late LEVEL OPTION HEX ADDRESS PORT: a connection that was allowed, and other headers then. */
static int act_late(char **a)
{
	uint8_t bytes[64];
	socklen_t count = 0;
	struct place to = place_of(a[3], a[4]);
	int fd = socket_to(&to, SOCK_STREAM), r = speak_to(fd, &to);

	for (const char *hex = a[2]; hex[0] && hex[1] && count < sizeof(bytes); hex += 2) {
		char pair[3] = { hex[0], hex[1], 0 };

		bytes[count++] = (uint8_t)strtol(pair, NULL, 16);
	}
	if (r || setsockopt(fd, (int)number(a[0]), (int)number(a[1]), bytes, count))
		return r ? r : -1;
	return word(fd);
}

/* What a connection is made of, for the one that takes its place. */
struct state {
	struct place self;
	struct tcp_repair_window window;
	uint32_t sequence[2]; /* of what was received, of what was sent */
};

static const int queues[2] = { TCP_RECV_QUEUE, TCP_SEND_QUEUE };

/* The connection ends here without a word to the peer. */
static int take_apart(int fd, struct state *s)
{
	socklen_t size = sizeof(s->sequence[0]), window = sizeof(s->window);

	s->self.length = sizeof(s->self.at);
	if (getsockname(fd, raw(&s->self), &s->self.length) || set(fd, IPPROTO_TCP, TCP_REPAIR))
		return -1;
	for (int i = 0; i < 2; i++)
		if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queues[i], sizeof(int)) ||
		    getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &s->sequence[i], &size))
			return -1;
	if (getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &s->window, &window))
		return -1;
	return close(fd);
}

/* And goes on in another socket, which never sent a first packet. */
static int put_together(struct place *to, struct state *s)
{
	int fd = socket_to(to, SOCK_STREAM), off = TCP_REPAIR_OFF_NO_WP;

	if (fd < 0 || set(fd, IPPROTO_TCP, TCP_REPAIR) || set(fd, SOL_SOCKET, SO_REUSEADDR) ||
	    bind(fd, raw(&s->self), s->self.length))
		return -1;
	for (int i = 0; i < 2; i++)
		if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queues[i], sizeof(int)) ||
		    setsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &s->sequence[i], sizeof(uint32_t)))
			return -1;
	if (connect(fd, raw(to), to->length) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &s->window, sizeof(s->window)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)))
		return -1;
	return fd;
}

/* clone ADDRESS PORT KIND NAME: a connection put into another socket before it says a word. */
static int act_clone(char **a)
{
	struct bytes b = made(a[2], a[3]);
	struct place to = place_of(a[0], a[1]);
	struct state s;
	int fd = open_to(a);

	if (fd < 0 || take_apart(fd, &s))
		return missed();
	fd = put_together(&to, &s);
	return fd < 0 ? missed() : converse(fd, &b, b.length);
}

static const struct act acts[] = {
	{ "device", 3, act_device }, { "mark", 3, act_mark }, { "from", 3, act_from },
	{ "self", 1, act_self },     { "late", 5, act_late }, { "clone", 4, act_clone },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
