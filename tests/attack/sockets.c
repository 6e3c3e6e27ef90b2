/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on sockets: kinds of them, what netlink takes, and those that somebody outside opened. Sockets
 * are got from the sender of scene.py, inherited, or taken out of another process.
 */
#include "net.h"
#include "ring.h"

#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/inet_diag.h>
#include <sys/sendfile.h>
#include <sys/un.h>

/* socket FAMILY TYPE PROTOCOL */
static int act_socket(char **a)
{
	return opened(
		socket((int)number(a[0]), (int)number(a[1]) | SOCK_CLOEXEC, (int)number(a[2])));
}

/*
 * Of every family but those that rules may name, as every type; "ok" with the first that could be
 * made. Without picket that is the one tried first: the kernel looks for a module for each other one.
 */
static int act_others(char **a)
{
	static const int types[] = { SOCK_RAW, SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET };
	int family, fd;

	(void)a;
	for (int number = 0; number <= AF_MAX + 4; number++) {
		family = number ? number : AF_PACKET;
		if (family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
		    family == AF_NETLINK)
			continue;
		for (size_t i = 0; i < COUNT(types); i++) {
			fd = socket(family, types[i] | SOCK_CLOEXEC, 0);
			if (fd >= 0)
				return close(fd);
		}
	}
	return fail(EPERM);
}

static int act_pair(char **a)
{
	int pair[2];

	return socketpair((int)number(a[0]), (int)number(a[1]) | SOCK_CLOEXEC, 0, pair);
}

/* Send a netlink message and hear the first one that comes back: its error, if it is one. */
static int ask_kernel(int protocol, void *message, size_t length)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	int fd = patient(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
	union {
		struct nlmsghdr header;
		char bytes[16384];
	} u;
	const struct nlmsgerr *error = NLMSG_DATA(&u.header);

	if (fd < 0 || sendto(fd, message, length, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -1;
	if (recv(fd, &u, sizeof(u), 0) < 0)
		return missed();
	if (u.header.nlmsg_type == NLMSG_ERROR && error->error)
		return fail(-error->error);
	return 0;
}

struct route_message {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ifaddrmsg address;
		struct ifinfomsg link;
	};
	uint8_t attribute[20];
};

/* route TYPE FLAGS: a message about routes, addresses or links. */
static int act_route(char **a)
{
	struct route_message m = { .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
					       .nlmsg_type = (uint16_t)number(a[0]),
					       .nlmsg_flags = (uint16_t)number(a[1]) } };

	m.route.rtm_family = AF_INET;
	/* Of a route to be deleted: that there is none, and not the one that leads out. */
	m.route.rtm_dst_len = m.header.nlmsg_type == RTM_DELROUTE ? 31 : 0;
	return ask_kernel(NETLINK_ROUTE, &m, m.header.nlmsg_len);
}

/* Give the loopback device an address: who has it can play the host that has. */
static int act_new_address(char **a)
{
	struct route_message m = { .header = { .nlmsg_type = RTM_NEWADDR,
					       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
							      NLM_F_CREATE } };

	uint8_t *attribute = (uint8_t *)&m + NLMSG_LENGTH(sizeof(struct ifaddrmsg));
	const int v6 = strchr(a[0], ':') != NULL;
	const struct nlattr head = { .nla_len = v6 ? 20 : 8, .nla_type = IFA_LOCAL };

	m.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)) + (v6 ? 20 : 8);
	m.address = (struct ifaddrmsg){ .ifa_family = v6 ? AF_INET6 : AF_INET,
					.ifa_prefixlen = v6 ? 128 : 32,
					.ifa_index = 1 };
	inet_pton(v6 ? AF_INET6 : AF_INET, a[0], attribute + sizeof(head));
	memcpy(attribute, &head, sizeof(head));
	return ask_kernel(NETLINK_ROUTE, &m, m.header.nlmsg_len);
}

/* Two messages in one send: a question first, what is not allowed behind it. */
static int act_route_two(char **a)
{
	struct {
		struct nlmsghdr first;
		struct rtmsg first_body;
		struct nlmsghdr second;
		struct rtmsg second_body;
	} m = { .first = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			   .nlmsg_type = RTM_GETROUTE,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.second = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			    .nlmsg_type = RTM_DELROUTE,
			    .nlmsg_flags = NLM_F_REQUEST } };

	(void)a;
	m.first_body.rtm_family = m.second_body.rtm_family = AF_INET;
	m.second_body.rtm_dst_len = 31;
	return ask_kernel(NETLINK_ROUTE, &m, sizeof(m));
}

/* diag TYPE: other people's sockets listed (20) or ended (21). */
static int act_diag(char **a)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} m = { .header = { .nlmsg_len = sizeof(m),
			    .nlmsg_type = (uint16_t)number(a[0]),
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = AF_INET,
			     .sdiag_protocol = IPPROTO_TCP,
			     .idiag_states = 0xffffffff } };

	return ask_kernel(NETLINK_SOCK_DIAG, &m, sizeof(m));
}

static int connect_unix(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, strlen(path));
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -1 : fd;
}

/* A socket of the sender outside, connected to ADDRESS PORT or bound there: HOW is tcp, udp, listen. */
static int receive(char **a)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	char request[256], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};
	int to = connect_unix(a[0]), fd;
	int n = snprintf(request, sizeof(request), "%s %s %s\n", a[1], a[2], a[3]);
	struct cmsghdr *header;

	if (to < 0 || write(to, request, (size_t)n) != n || recvmsg(to, &m, MSG_CMSG_CLOEXEC) < 0)
		return -1;
	header = CMSG_FIRSTHDR(&m);
	if (!header || header->cmsg_len != CMSG_LEN(sizeof(int)))
		return fail(ENODATA);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static int act_receive(char **a)
{
	int fd = receive(a);

	return fd < 0 ? -1 : word(patient(fd));
}

static int by_ring(int fd)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SEND, .fd = fd, .len = 6 };
	struct ring r;

	sqe.addr = (unsigned long)"attack";
	return open_ring(&r, 0) || submit(&r, &sqe) < 0 ? -1 : 0;
}

/* use HOW FD: an inherited socket that is connected to somebody. */
static int use(const char *how, int fd)
{
	int file, ends[2];
	struct iovec iov = { "attack", 6 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (patient(fd) < 0)
		return -1;
	if (!strcmp(how, "send"))
		return word(fd);
	if (!strcmp(how, "write"))
		return write(fd, "attack", 6) < 0 ? -1 : hear(fd, 6);
	if (!strcmp(how, "sendmsg"))
		return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -1 : hear(fd, 6);
	if (!strcmp(how, "ring"))
		return by_ring(fd) ? -1 : hear(fd, 6);
	if (!strcmp(how, "sendfile")) {
		file = memfd_create("data", MFD_CLOEXEC);
		if (file < 0 || write(file, "attack", 6) != 6)
			return -1;
		return sendfile(fd, file, &(off_t){ 0 }, 6) < 0 ? -1 : hear(fd, 6);
	}
	if (pipe2(ends, O_CLOEXEC) || write(ends[1], "attack", 6) != 6)
		return -1;
	return splice(ends[0], NULL, fd, NULL, 6, 0) < 0 ? -1 : hear(fd, 6);
}

static int act_use(char **a)
{
	return use(a[0], (int)number(a[1]));
}

/* connect FD ADDRESS PORT: an inherited one sent elsewhere. */
static int act_connect(char **a)
{
	struct place to = place_of(a[1], a[2]);
	int fd = (int)number(a[0]);

	return patient(fd) < 0 || connect(fd, raw(&to), to.length) ? missed() : word(fd);
}

/* getfd PID FD */
static int act_getfd(char **a)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number(a[0]), 0);
	int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, (int)number(a[1]), 0);

	return fd < 0 ? -1 : word(patient(fd));
}

static const struct act acts[] = {
	{ "socket", 3, act_socket },
	{ "others", 0, act_others },
	{ "pair", 2, act_pair },
	{ "route", 2, act_route },
	{ "new-address", 1, act_new_address },
	{ "route-two", 0, act_route_two },
	{ "diag", 1, act_diag },
	{ "receive", 4, act_receive },
	{ "use", 2, act_use },
	{ "connect", 3, act_connect },
	{ "getfd", 2, act_getfd },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
