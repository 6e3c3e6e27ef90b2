/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel answers before the request's send returns, so nothing here can wait.
 */
#include "engine/socket_cgroup.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

/* More than one socket's answer has. */
#define ANSWER_SIZE 4096
/* Bytes of an attribute before its value. */
#define HEAD_SIZE sizeof(struct nlattr)

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 request;
};

/* Port and address of @from, for one end of the question. */
static void put_end(const struct sockaddr_storage *from, __be16 *port, __be32 address[4])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	*port = v4->sin_port;
	if (from->ss_family == AF_INET)
		memcpy(address, &v4->sin_addr, sizeof(v4->sin_addr));
	else
		memcpy(address, &v6->sin6_addr, sizeof(v6->sin6_addr));
}

/* About the other end: its source is our peer. */
static int make_question(int fd, struct question *question)
{
	struct sockaddr_storage here = { 0 };
	struct sockaddr_storage there = { 0 };
	socklen_t here_size = sizeof(here);
	socklen_t there_size = sizeof(there);

	if (getsockname(fd, (struct sockaddr *)&here, &here_size) ||
	    getpeername(fd, (struct sockaddr *)&there, &there_size))
		return -errno;
	if (here.ss_family != AF_INET && here.ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	*question = (struct question){
		.head = {
			.nlmsg_len = sizeof(*question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.request = {
			.sdiag_family = (__u8)here.ss_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0U,
			.id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
		},
	};
	put_end(&there, &question->request.id.idiag_sport, question->request.id.idiag_src);
	put_end(&here, &question->request.id.idiag_dport, question->request.id.idiag_dst);
	return 0;
}

/* The attribute in an answer of @size bytes. */
static int find_cgroup(const char *bytes, size_t size, __u64 *ret_cgroup)
{
	size_t at = NLMSG_SPACE(sizeof(struct inet_diag_msg));

	while (at + sizeof(struct nlattr) <= size) {
		struct nlattr attribute;

		memcpy(&attribute, bytes + at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > size - at)
			return -EPROTO;
		if ((attribute.nla_type & NLA_TYPE_MASK) == INET_DIAG_CGROUP_ID &&
		    attribute.nla_len == HEAD_SIZE + sizeof(*ret_cgroup)) {
			memcpy(ret_cgroup, bytes + at + HEAD_SIZE, sizeof(*ret_cgroup));
			return 0;
		}
		at += (attribute.nla_len + 3U) & ~3U;
	}
	return -ENODATA;
}

int socket_cgroup_of_peer(int fd, __u64 *ret_cgroup)
{
	CLEAN_FD int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
	struct question question;
	struct nlmsghdr head;
	ssize_t size;
	int r = netlink < 0 ? -errno : make_question(fd, &question);

	if (r)
		return r;
	if (send(netlink, &question, sizeof(question), MSG_NOSIGNAL) < 0)
		return -errno;
	size = recv(netlink, answer, sizeof(answer), MSG_DONTWAIT);
	if (size < (ssize_t)sizeof(head))
		return size < 0 ? -errno : -EPROTO;
	memcpy(&head, answer, sizeof(head));
	if (head.nlmsg_type == NLMSG_ERROR && (size_t)size >= sizeof(head) + sizeof(int)) {
		memcpy(&r, answer + NLMSG_HDRLEN, sizeof(r));
		return r < 0 ? r : -EPROTO;
	}
	if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > (size_t)size)
		return -EPROTO;
	return find_cgroup(answer, head.nlmsg_len, ret_cgroup);
}
