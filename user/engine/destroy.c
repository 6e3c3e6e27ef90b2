/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOCK_DESTROY of sock_diag(7), which needs CAP_NET_ADMIN and a kernel with CONFIG_INET_DIAG_DESTROY.
 * The cookie makes sure that it is the very socket, whoever has its addresses by then.
 */
#include "engine/destroy.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

bool destroy_is_wanted(const struct pk_event *event)
{
	return event->cookie != 0 && !event->audit && event->verdict != PK_VERDICT_ALLOW &&
	       event->protocol == IPPROTO_TCP &&
	       (event->op == PK_OP_NAME || event->op == PK_OP_PACKET);
}

static bool is_mapped(const __u8 address[static 16])
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

void destroy_build(const struct pk_event *event, struct destroy_message *ret_message)
{
	bool v4 = is_mapped(event->address) && is_mapped(event->local);
	struct destroy_message message = {
		.head = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DESTROY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.request = {
			.sdiag_family = v4 ? AF_INET : AF_INET6,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0U,
			.id.idiag_sport = htons(event->local_port),
			.id.idiag_dport = htons(event->port),
			.id.idiag_cookie = { (__u32)event->cookie, (__u32)(event->cookie >> 32) },
		},
	};

	memcpy(message.request.id.idiag_src, event->local + (v4 ? 12 : 0), v4 ? 4 : 16);
	memcpy(message.request.id.idiag_dst, event->address + (v4 ? 12 : 0), v4 ? 4 : 16);
	*ret_message = message;
}

static int open_netlink(struct destroyer *destroyer)
{
	if (destroyer->fd < 0)
		destroyer->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	return destroyer->fd < 0 ? -errno : 0;
}

/* The kernel answers before the request's send returns, so nothing here can wait. */
static int ask(struct destroyer *destroyer, const struct pk_event *event)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		__u8 rest[sizeof(struct destroy_message)];
	} answer;
	struct destroy_message message;
	ssize_t size;
	int r = open_netlink(destroyer);

	if (r)
		return r;
	destroy_build(event, &message);
	if (send(destroyer->fd, &message, sizeof(message), MSG_NOSIGNAL) < 0)
		return -errno;
	size = recv(destroyer->fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (size < 0)
		return -errno;
	if ((size_t)size < sizeof(answer.head) + sizeof(answer.error) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

/* A listening socket of our own on loopback, told as the kernel programs would tell it. */
static int make_victim(struct pk_event *ret_event)
{
	CLEAN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct pk_event event = { .local[10] = 0xff, .local[11] = 0xff };
	socklen_t length = sizeof(address);
	socklen_t size = sizeof(event.cookie);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, length) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&address, &length) ||
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &event.cookie, &size))
		return -errno;
	memcpy(event.local + 12, &address.sin_addr, 4);
	memcpy(event.address, event.local, sizeof(event.address));
	event.local_port = ntohs(address.sin_port);
	*ret_event = event;
	return TAKE_FD(fd);
}

int destroy_prove(struct destroyer *destroyer)
{
	struct pk_event event = { 0 };
	CLEAN_FD int victim = make_victim(&event);
	int r = victim < 0 ? victim : ask(destroyer, &event);

	destroyer->proven = r == 0;
	return r;
}

int destroy_socket(struct destroyer *destroyer, const struct pk_event *event)
{
	int r = ask(destroyer, event);

	/* Not found is also what a kernel without the module says. */
	if (r == -ENOENT && (destroyer->proven || destroy_prove(destroyer) == 0))
		return 0;
	if (r == 0)
		destroyer->proven = true;
	else if (destroyer->failed++ == 0)
		destroyer->error = -r;
	return r;
}

const char *destroy_cause(int error)
{
	switch (-error) {
	case EPERM:
		return "picket may not: it needs CAP_NET_ADMIN";
	case ENOENT:
		return "the kernel has no module 'tcp_diag'";
	case EOPNOTSUPP:
		return "the kernel is built without CONFIG_INET_DIAG_DESTROY";
	default:
		return strerror(-error);
	}
}

void destroy_explain(const struct destroyer *destroyer, struct diag_list *diags)
{
	unsigned long long failed = destroyer->failed;

	if (failed)
		(void)diag_add(diags, DIAG_WARNING, NULL,
			       "%llu refused connection%s could not be ended at once (%s): nothing "
			       "left %s, but the program waits until it gives up",
			       failed, failed == 1 ? "" : "s", destroy_cause(-destroyer->error),
			       failed == 1 ? "it" : "them");
}

void destroyer_reset(struct destroyer *destroyer)
{
	mem_close_fd(&destroyer->fd);
	*destroyer = (struct destroyer)DESTROYER_NONE;
}
