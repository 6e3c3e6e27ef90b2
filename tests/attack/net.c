/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on destinations: TCP and UDP by all the calls that name one. "ok" means that the peer was
 * heard.
 */
#include "net.h"

#include <netinet/udp.h>
#include <sys/uio.h>

static int act_tcp(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM);

	return fd < 0 || connect(fd, raw(&to), to.length) ? missed() : word(fd);
}

static int act_udp_connect(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_DGRAM);

	return fd < 0 || connect(fd, raw(&to), to.length) ? missed() : word(fd);
}

static int act_udp_send(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_DGRAM);

	if (fd < 0 || sendto(fd, "attack", 6, 0, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, 6);
}

/* Sent where nobody sends back: to all, to a group. */
static int act_udp_shout(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_DGRAM), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)))
		return -1;
	return sendto(fd, "attack", 6, 0, raw(&to), to.length) < 0 ? -1 : 0;
}

/* "Unspecified" as the family of a destination: IPv4 takes it for IPv4. */
static int act_udp_unspec(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_DGRAM);

	to.at.ss_family = AF_UNSPEC;
	if (fd < 0 || sendto(fd, "attack", 6, 0, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, 6);
}

/* udp-sendmsg CONNECTED OTHER PORT: a connected socket, a message with another name. */
static int act_udp_sendmsg(char **a)
{
	struct place first = place_of(a[0], a[2]), to = place_of(a[1], a[2]);
	struct iovec iov = { "attack", 6 };
	struct msghdr m = {
		.msg_name = &to.at, .msg_namelen = to.length, .msg_iov = &iov, .msg_iovlen = 1
	};
	int fd = socket_to(&first, SOCK_DGRAM);

	if (fd < 0 || connect(fd, raw(&first), first.length))
		return -1;
	return sendmsg(fd, &m, 0) < 0 ? -1 : 0;
}

/* reconnect TYPE FIRST SECOND PORT: connect, dissolve, connect elsewhere. */
static int act_reconnect(char **a)
{
	struct place first = place_of(a[1], a[3]), second = place_of(a[2], a[3]);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = socket_to(&first, (int)number(a[0]));

	if (fd < 0 || connect(fd, raw(&first), first.length) || word(fd))
		return fail(EPROTO);
	if (connect(fd, &none, sizeof(none)) || connect(fd, raw(&second), second.length))
		return missed();
	return word(fd);
}

/* udp-many FIRST SECOND PORT: both in one call, three times each; the answer is for the second. */
static int act_udp_many(char **a)
{
	struct place to[2] = { place_of(a[0], a[2]), place_of(a[1], a[2]) };
	struct iovec iov = { "attack", 6 };
	struct mmsghdr m[6] = { 0 };
	int fd = socket_to(&to[0], SOCK_DGRAM), sent;

	for (int i = 0; i < 6; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_name = &to[i >= 3].at,
						.msg_namelen = to[i >= 3].length,
						.msg_iov = &iov,
						.msg_iovlen = 1 };
	sent = fd < 0 ? -1 : sendmmsg(fd, m, 6, 0);
	if (sent < 3)
		return sent < 0 ? -1 : say("few");
	/* The kernel tells of an error in the next call. */
	return sent == 6 || sendmmsg(fd, m + sent, 1, 0) == 1 ? hear(fd, 36) : -1;
}

/* udp-gso HOW ADDRESS PORT: one call, many packets: the size by option, or with the message. */
static int act_udp_gso(char **a)
{
	struct place to = place_of(a[1], a[2]);
	int fd = socket_to(&to, SOCK_DGRAM), size = 100;
	uint16_t segment = 100;
	char bytes[1000] = { 0 };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
	} u = { .header = { .cmsg_len = CMSG_LEN(sizeof(segment)),
			    .cmsg_level = SOL_UDP,
			    .cmsg_type = UDP_SEGMENT } };
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr m = {
		.msg_name = &to.at, .msg_namelen = to.length, .msg_iov = &iov, .msg_iovlen = 1
	};

	if (fd < 0)
		return -1;
	if (!strcmp(a[0], "message")) {
		memcpy(CMSG_DATA(&u.header), &segment, sizeof(segment));
		m.msg_control = &u;
		m.msg_controllen = sizeof(u);
	} else if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size))) {
		return -1;
	}
	return sendmsg(fd, &m, 0) < 0 ? -1 : hear(fd, sizeof(bytes));
}

/*
 * udp-cork FIRST SECOND PORT: parts of one datagram; the second part has another name, which the
 * kernel does not look at.
 */
static int act_udp_cork(char **a)
{
	struct place first = place_of(a[0], a[2]), second = place_of(a[1], a[2]), from;
	int fd = socket_to(&first, SOCK_DGRAM);
	char bytes[16];

	if (fd < 0 || sendto(fd, "att", 3, MSG_MORE, raw(&first), first.length) < 0 ||
	    sendto(fd, "ack", 3, 0, raw(&second), second.length) < 0)
		return -1;
	from.length = sizeof(from.at);
	if (recvfrom(fd, bytes, sizeof(bytes), 0, raw(&from), &from.length) < 0)
		return missed();
	return memcmp(&from.at, &first.at, first.length) ? say("elsewhere") : 0;
}

static int act_fastopen(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM);

	if (fd < 0 || sendto(fd, "attack", 6, MSG_FASTOPEN, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, 6);
}

/* connect() only notes the destination; the SYN goes with the first data. */
static int act_fastopen_connect(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) ||
	    connect(fd, raw(&to), to.length))
		return missed();
	return word(fd);
}

/* A connect that a signal or a second call finishes. */
static int act_nonblock(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM | SOCK_NONBLOCK);

	if (fd < 0 || (connect(fd, raw(&to), to.length) && errno != EINPROGRESS))
		return -1;
	for (int i = 0; i < WAIT_MS / 10; i++, usleep(10000))
		if (!connect(fd, raw(&to), to.length) || errno == EISCONN)
			return fcntl(fd, F_SETFL, 0) ? -1 : word(fd);
	return missed();
}

/* addrform FIRST SECOND PORT: an IPv6 socket, connected to an IPv4 address, becomes an IPv4 one. */
static int act_addrform(char **a)
{
	char mapped[64];
	struct place first, to = place_of(a[1], a[2]);
	int fd, family = AF_INET;
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	snprintf(mapped, sizeof(mapped), "::ffff:%s", a[0]);
	first = place_of(mapped, a[2]);
	fd = socket_to(&first, SOCK_DGRAM);
	if (fd < 0 || connect(fd, raw(&first), first.length) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof(family)) ||
	    connect(fd, &none, sizeof(none)))
		return -1;
	if (sendto(fd, "attack", 6, 0, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, 6);
}

/* options HEX ADDRESS PORT: IP options ({sr} in the table: a source route) on a datagram. */
static size_t bytes_of(const char *hex, uint8_t *out, size_t size)
{
	size_t count = 0;
	char pair[3] = { 0 };

	for (; hex[0] && hex[1] && count < size; hex += 2) {
		pair[0] = hex[0];
		pair[1] = hex[1];
		out[count++] = (uint8_t)strtol(pair, NULL, 16);
	}
	return count;
}

static int act_options(char **a)
{
	uint8_t bytes[40];
	socklen_t count = (socklen_t)bytes_of(a[0], bytes, sizeof(bytes));
	struct place to = place_of(a[1], a[2]);
	int fd = socket_to(&to, SOCK_DGRAM);

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_OPTIONS, bytes, count))
		return -1;
	return sendto(fd, "attack", 6, 0, raw(&to), to.length) < 0 ? -1 : 0;
}

/* The same, told with one message. */
static int act_options_message(char **a)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(40)];
	} u = { 0 };
	struct place to = place_of(a[1], a[2]);
	struct iovec iov = { "attack", 6 };
	struct msghdr m = {
		.msg_name = &to.at, .msg_namelen = to.length, .msg_iov = &iov, .msg_iovlen = 1
	};
	int fd = socket_to(&to, SOCK_DGRAM);
	size_t count = bytes_of(a[0], CMSG_DATA(&u.header), 40);

	u.header.cmsg_level = IPPROTO_IP;
	u.header.cmsg_type = IP_RETOPTS;
	u.header.cmsg_len = CMSG_LEN(count);
	m.msg_control = &u;
	m.msg_controllen = CMSG_SPACE(count);
	return fd < 0 || sendmsg(fd, &m, 0) < 0 ? -1 : 0;
}

/* header OPTION HEX ADDRESS PORT: an IPv6 extension header on a datagram. */
static int act_header(char **a)
{
	uint8_t bytes[64];
	socklen_t count = (socklen_t)bytes_of(a[1], bytes, sizeof(bytes));
	struct place to = place_of(a[2], a[3]);
	int fd = socket_to(&to, SOCK_DGRAM);

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, (int)number(a[0]), bytes, count))
		return -1;
	return sendto(fd, "attack", 6, 0, raw(&to), to.length) < 0 ? -1 : 0;
}

/* A datagram in fragments, which carry their destination each. */
static int act_fragments(char **a)
{
	static char bytes[6000];
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_DGRAM);

	if (fd < 0 || sendto(fd, bytes, sizeof(bytes), 0, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, sizeof(bytes));
}

/* An echo request of a socket that needs no privilege. */
static int act_ping(char **a)
{
	struct place to = place_of(a[0], "0");
	int v6 = to.at.ss_family == AF_INET6;
	uint8_t echo[8] = { v6 ? 128 : 8 };
	int fd = patient(socket(to.at.ss_family, SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP));

	if (fd < 0 || sendto(fd, echo, sizeof(echo), 0, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, sizeof(echo));
}

static const struct act acts[] = {
	{ "tcp", 2, act_tcp },
	{ "udp-connect", 2, act_udp_connect },
	{ "udp-send", 2, act_udp_send },
	{ "udp-shout", 2, act_udp_shout },
	{ "udp-unspec", 2, act_udp_unspec },
	{ "udp-sendmsg", 3, act_udp_sendmsg },
	{ "udp-many", 3, act_udp_many },
	{ "udp-gso", 3, act_udp_gso },
	{ "udp-cork", 3, act_udp_cork },
	{ "reconnect", 4, act_reconnect },
	{ "fastopen", 2, act_fastopen },
	{ "fastopen-connect", 2, act_fastopen_connect },
	{ "nonblock", 2, act_nonblock },
	{ "addrform", 3, act_addrform },
	{ "options", 3, act_options },
	{ "options-message", 3, act_options_message },
	{ "header", 4, act_header },
	{ "fragments", 2, act_fragments },
	{ "ping", 1, act_ping },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
