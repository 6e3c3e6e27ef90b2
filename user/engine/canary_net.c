/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The acts of the canary that prove what is behind the judging of addresses: the programs that look at
 * packets, at local ports, at netlink. None of them can reach anybody, even where it succeeds.
 */
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/canary_acts.h"

static int result(long value)
{
	return value < 0 ? -errno : 0;
}

/*
 * A question that no rule allows, to the canary's resolver. The call's own hooks let it through, for its
 * destination is a resolver: only the program that looks at packets can refuse it.
 */
int canary_act_question(const struct canary_stage *stage, enum canary_side side)
{
	/* Number 1, recursion desired, one question: A of picket-canary.invalid. */
	static const char question[] = "\0\1\1\0\0\1\0\0\0\0\0\0"
				       "\15picket-canary\7invalid\0\0\1\0\1";
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PK_DNS_PORT),
		.sin_addr.s_addr = htonl(CANARY_RESOLVER),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	(void)stage;
	(void)side;
	if (fd < 0)
		return errno == EAFNOSUPPORT ? -EAFNOSUPPORT : -EIO;
	r = result(sendto(fd, question, sizeof(question) - 1, MSG_DONTWAIT,
			  (const struct sockaddr *)&to, sizeof(to)));
	/* A network namespace whose loopback is down has no packets to prove anything with. */
	return r == -ENETUNREACH ? -EAFNOSUPPORT : r;
}

/* At a port that is in use: it succeeds nowhere. */
int canary_act_bind(const struct canary_stage *stage, enum canary_side side)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = stage->ports[CANARY_TCP4],
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)side;
	if (fd < 0)
		return errno == EAFNOSUPPORT ? -EAFNOSUPPORT : -EIO;
	return result(bind(fd, (const struct sockaddr *)&at, sizeof(at)));
}

/* At a port that the kernel chooses, which no call names. */
int canary_act_listen(const struct canary_stage *stage, enum canary_side side)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)stage;
	(void)side;
	if (fd < 0)
		return errno == EAFNOSUPPORT ? -EAFNOSUPPORT : -EIO;
	return result(listen(fd, 1));
}

/* A change to a device that cannot exist. */
int canary_act_netlink(const struct canary_stage *stage, enum canary_side side)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} message = {
		.head = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = RTM_SETLINK,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.info.ifi_index = INT_MAX,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	(void)stage;
	(void)side;
	return fd < 0 ? -EIO : result(send(fd, &message, sizeof(message), MSG_DONTWAIT));
}
