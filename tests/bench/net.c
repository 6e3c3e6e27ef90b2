/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net: what a client pays on loopback, in nanoseconds an operation, on standard output.
 *
 *   net tcp COUNT    socket, connect, close
 *   net udp COUNT    sendto of an unconnected socket, so that every one is judged
 *   net bulk COUNT   COUNT times 64 KiB over one TCP connection, sent and read
 *
 * Its own other end, in the same process; what that costs (accept, recv) is not in the time. It
 * works in batches: the clock is read twice a batch, and no queue ever fills.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define WARM_UP 4 /* batches before the clock counts */

static void die(const char *what)
{
	fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t))
		die("clock");
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The end that receives, on a free port of loopback. */
static int open_server(int type, struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)&address, &length))
		die("cannot bind on loopback");
	if (type == SOCK_STREAM && listen(fd, 2 * BATCH))
		die("cannot listen");
	*ret_address = address;
	return fd;
}

/* Closed by a reset: thousands of connections leave no port behind in TIME_WAIT. */
static void connect_once(const struct sockaddr_in *to)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("cannot connect");
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) || close(fd))
		die("cannot close");
}

static long long tcp_batch(int server, const struct sockaddr_in *to)
{
	long long start = now(), took;

	for (int i = 0; i < BATCH; i++)
		connect_once(to);
	took = now() - start;
	for (int i = 0; i < BATCH; i++) {
		int fd = accept(server, NULL, NULL);

		if (fd < 0 || close(fd))
			die("cannot accept");
	}
	return took;
}

static long long udp_batch(int server, int client, const struct sockaddr_in *to)
{
	long long start = now(), took;
	char text[16] = "datagram";

	for (int i = 0; i < BATCH; i++)
		if (sendto(client, text, sizeof(text), 0, (const struct sockaddr *)to,
			   sizeof(*to)) != sizeof(text))
			die("cannot send");
	took = now() - start;
	for (int i = 0; i < BATCH; i++)
		if (recv(server, text, sizeof(text), 0) != sizeof(text))
			die("cannot receive");
	return took;
}

/* One connection, both ends in *@ret_fds. */
static void connect_pair(int server, const struct sockaddr_in *to, int ret_fds[2])
{
	ret_fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ret_fds[0] < 0 || connect(ret_fds[0], (const struct sockaddr *)to, sizeof(*to)))
		die("cannot connect");
	ret_fds[1] = accept(server, NULL, NULL);
	if (ret_fds[1] < 0)
		die("cannot accept");
}

/* Both ends are in the time: a slow sender and a slow reader slow down a download alike. */
static long long bulk_batch(const int fds[2])
{
	static char bytes[64 << 10];
	long long start = now();

	for (int i = 0; i < BATCH; i++) {
		if (send(fds[0], bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			die("cannot send");
		if (recv(fds[1], bytes, sizeof(bytes), MSG_WAITALL) != (ssize_t)sizeof(bytes))
			die("cannot receive");
	}
	return now() - start;
}

int main(int argc, char **argv)
{
	const char *mode = argc == 3 ? argv[1] : "";
	const long batches = argc == 3 ? atol(argv[2]) / BATCH : 0;
	const int udp = !strcmp(mode, "udp"), bulk = !strcmp(mode, "bulk");
	struct sockaddr_in address;
	int server, client = -1, pair[2] = { -1, -1 };
	long long total = 0;

	if (batches < 1 || (!udp && !bulk && strcmp(mode, "tcp"))) {
		fprintf(stderr, "usage: net tcp|udp|bulk COUNT (%d or more)\n", BATCH);
		return 2;
	}
	server = open_server(udp ? SOCK_DGRAM : SOCK_STREAM, &address);
	if (udp)
		client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bulk)
		connect_pair(server, &address, pair);
	for (long n = -WARM_UP; n < batches; n++) {
		long long took = bulk ? bulk_batch(pair) :
				 udp  ? udp_batch(server, client, &address) :
					tcp_batch(server, &address);

		total += n < 0 ? 0 : took;
	}
	printf("%.1f\n", (double)total / (double)(batches * BATCH));
	return 0;
}
