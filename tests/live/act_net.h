/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The acts of act.c that use sockets. Included there and nowhere else.
 */
#ifndef PICKET_ACT_NET_H
#define PICKET_ACT_NET_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t address_of(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(port));
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)atoi(port));
		return sizeof(*in6);
	}
	fprintf(stderr, "act: '%s' is not an address\n", text);
	exit(2);
}

static int connect_with(char **a, int type)
{
	struct sockaddr_storage to;
	socklen_t length = address_of(a[0], a[1], &to);
	int fd = socket(to.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	return connect(fd, (struct sockaddr *)&to, length);
}

static int act_tcp(char **a)
{
	return connect_with(a, SOCK_STREAM);
}

static int act_udp_connect(char **a)
{
	return connect_with(a, SOCK_DGRAM);
}

static int act_udp_send(char **a)
{
	struct sockaddr_storage to;
	socklen_t length = address_of(a[0], a[1], &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, length) < 0 ? -1 : 0;
}

/* "Unspecified" as the family of a destination: IPv4 takes it for IPv4. */
static int act_udp_unspec(char **a)
{
	struct sockaddr_storage to;
	socklen_t length = address_of(a[0], a[1], &to);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	to.ss_family = AF_UNSPEC;
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, length) < 0 ? -1 : 0;
}

/* Connect where it is allowed, dissolve, connect elsewhere. */
static int act_udp_reconnect(char **a)
{
	struct sockaddr_storage first, second;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	socklen_t length = address_of(a[0], a[1], &first);
	int fd = socket(first.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&first, length) ||
	    connect(fd, &none, sizeof(none)))
		return -1;
	length = address_of(a[2], a[1], &second);
	return connect(fd, (struct sockaddr *)&second, length);
}

/* Several destinations in one call; the answer is for the last. */
static int act_udp_many(char **a)
{
	struct sockaddr_storage to[2];
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct mmsghdr m[2] = { 0 };
	int fd, sent;

	for (int i = 0; i < 2; i++) {
		m[i].msg_hdr.msg_namelen = address_of(a[i ? 2 : 0], a[1], &to[i]);
		m[i].msg_hdr.msg_name = &to[i];
		m[i].msg_hdr.msg_iov = &iov;
		m[i].msg_hdr.msg_iovlen = 1;
	}
	fd = socket(to[0].ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	sent = sendmmsg(fd, m, 2, 0);
	if (sent == 1)
		return sendmmsg(fd, m + 1, 1, 0) == 1 ? 0 : -1;
	return sent == 2 ? 0 : -1;
}

static int act_fastopen(char **a)
{
	struct sockaddr_storage to;
	socklen_t length = address_of(a[0], a[1], &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	return sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, length) < 0 ? -1 : 0;
}

static int act_socket(char **a)
{
	int fd = socket(atoi(a[0]), atoi(a[1]) | SOCK_CLOEXEC, atoi(a[2]));

	return fd < 0 ? -1 : close(fd);
}

static int unix_address(const char *path, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(out->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(out->sun_path, path);
	return 0;
}

static int unix_connect(const char *path, int type)
{
	struct sockaddr_un to;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || unix_address(path, &to))
		return -1;
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int act_unix_stream(char **a)
{
	return unix_connect(a[0], SOCK_STREAM);
}

static int act_unix_send(char **a)
{
	struct sockaddr_un to;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || unix_address(a[0], &to))
		return -1;
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : 0;
}

/* Connect to an abstract name. */
static int act_abstract(char **a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = strlen(a[0]);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || length >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path + 1, a[0], length);
	return connect(fd, (struct sockaddr *)&to,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
}

static int act_unix_bind(char **a)
{
	struct sockaddr_un at;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || unix_address(a[0], &at))
		return -1;
	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

#endif
