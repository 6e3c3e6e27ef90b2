/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine/destroy against this kernel: a connected socket is told by addresses, ports and cookie as the
 * kernel programs tell it, and its program gets ECONNABORTED; another socket's cookie ends nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/mem.h"
#include "engine/destroy.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A connection over loopback. */
struct pair {
	int listener;
	int client;
	int server;
	struct pk_event event; /* of the client's socket */
};

/* Guests have the kernel without its modules. */
static bool is_missing(void)
{
	struct destroyer destroyer = DESTROYER_NONE;
	int r = destroy_prove(&destroyer);

	destroyer_reset(&destroyer);
	return r == -ENOENT || r == -EOPNOTSUPP;
}

/* The end of a socket as records have it: port, and the address mapped if it is IPv4. */
static __u16 endpoint(const union address *a, __u8 ret_address[16])
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->any.sa_family == AF_INET6) {
		memcpy(ret_address, &a->v6.sin6_addr, 16);
		return ntohs(a->v6.sin6_port);
	}
	memcpy(ret_address, mapped, sizeof(mapped));
	memcpy(ret_address + 12, &a->v4.sin_addr, 4);
	return ntohs(a->v4.sin_port);
}

static void tell(struct pair *pair)
{
	struct pk_event *event = &pair->event;
	socklen_t length = sizeof(event->cookie);
	union address here, there;
	socklen_t size = sizeof(here);

	*event = (struct pk_event){
		.op = PK_OP_NAME,
		.verdict = PK_VERDICT_DENY,
		.protocol = IPPROTO_TCP,
	};
	assert_int_equal(getsockname(pair->client, &here.any, &size), 0);
	size = sizeof(there);
	assert_int_equal(getpeername(pair->client, &there.any, &size), 0);
	assert_int_equal(getsockopt(pair->client, SOL_SOCKET, SO_COOKIE, &event->cookie, &length),
			 0);
	event->family = here.any.sa_family;
	event->local_port = endpoint(&here, event->local);
	event->port = endpoint(&there, event->address);
}

static void connect_pair(int family, bool mapped, struct pair *pair)
{
	union address to = { .any.sa_family = family };
	socklen_t length = sizeof(to);

	if (family == AF_INET)
		to.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		to.v6.sin6_addr = in6addr_loopback;
	pair->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(pair->listener >= 0);
	assert_int_equal(bind(pair->listener, &to.any, length), 0);
	assert_int_equal(listen(pair->listener, 1), 0);
	assert_int_equal(getsockname(pair->listener, &to.any, &length), 0);
	if (mapped) {
		in_port_t port = to.v4.sin_port;

		to.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port };
		to.v6.sin6_addr.s6_addr[10] = 0xff;
		to.v6.sin6_addr.s6_addr[11] = 0xff;
		to.v6.sin6_addr.s6_addr[12] = 127;
		to.v6.sin6_addr.s6_addr[15] = 1;
		length = sizeof(to.v6);
	}
	pair->client = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(pair->client >= 0);
	assert_int_equal(connect(pair->client, &to.any, length), 0);
	pair->server = accept(pair->listener, NULL, NULL);
	assert_true(pair->server >= 0);
	tell(pair);
}

static void close_pair(struct pair *pair)
{
	mem_close_fd(&pair->listener);
	mem_close_fd(&pair->client);
	mem_close_fd(&pair->server);
}

/* The other end's reset may come a moment later. */
static void expect_end(int fd, int error)
{
	struct timeval patience = { .tv_sec = 60 };
	char byte;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, error);
}

static void ends(int family, bool mapped)
{
	struct destroyer destroyer = DESTROYER_NONE;
	struct pair pair;

	connect_pair(family, mapped, &pair);
	assert_true(destroy_is_wanted(&pair.event));
	assert_int_equal(destroy_socket(&destroyer, &pair.event), 0);
	expect_end(pair.client, ECONNABORTED);
	expect_end(pair.server, ECONNRESET);
	/* It is gone: that is no failure. */
	assert_int_equal(destroy_socket(&destroyer, &pair.event), 0);
	assert_int_equal(destroyer.failed, 0);
	close_pair(&pair);
	destroyer_reset(&destroyer);
}

static void ends_ipv4(void **state)
{
	(void)state;
	ends(AF_INET, false);
}

static void ends_ipv6(void **state)
{
	(void)state;
	ends(AF_INET6, false);
}

static void ends_mapped(void **state)
{
	(void)state;
	ends(AF_INET, true);
}

static void spares_another_cookie(void **state)
{
	struct destroyer destroyer = DESTROYER_NONE;
	struct pair pair;
	char byte;

	(void)state;
	connect_pair(AF_INET, false, &pair);
	pair.event.cookie++;
	assert_int_not_equal(destroy_socket(&destroyer, &pair.event), -EPERM);
	assert_int_equal(recv(pair.client, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(send(pair.client, "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(pair.server, &byte, 1, 0), 1);
	close_pair(&pair);
	destroyer_reset(&destroyer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_ipv4),
		cmocka_unit_test(ends_ipv6),
		cmocka_unit_test(ends_mapped),
		cmocka_unit_test(spares_another_cookie),
	};

	if (is_missing()) {
		(void)puts("1..1\nok 1 - destroy # SKIP this kernel cannot end sockets");
		return 0;
	}
	return cmocka_run_group_tests_name("destroy", tests, NULL, NULL);
}
