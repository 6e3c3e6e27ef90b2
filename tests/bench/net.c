/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net: what a client pays on loopback, in nanoseconds of CPU time an operation. That is what a quiet
 * machine's clock would say: nothing waits here, loopback delivers within the call.
 *
 *   net serve              the other end: prints its port, ends with its standard input
 *   net tcp COUNT [PORT]   socket, connect, close
 *   net udp COUNT [PORT]   sendto of an unconnected socket, so that every one is judged
 *   net bulk COUNT         COUNT times 64 KiB over one TCP connection, sent and read
 *
 * A client prints two numbers for each line that it reads, so that several can take turns: its own time,
 * and that of the other end, which accepts and receives. Without PORT it is its own other end; a server
 * may run where no policy holds. It serves one client at a time and empties its queue when the client says
 * so, over a connection of its own. The clock is read twice a batch, and no queue ever fills.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define WARM_UP 4 /* batches before the clock counts */

/* What a client is connected to. */
struct peer {
	struct sockaddr_in tcp;
	struct sockaddr_in udp;
	int listener; /* own other end, or -1 */
	int receiver;
	int control; /* of a server elsewhere, or -1 */
};

/* What a server is told to drain. */
enum drain { DRAIN_TCP = 't', DRAIN_UDP = 'u' };

static void die(const char *what)
{
	fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		die("clock");
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The end that receives: @port of loopback, 0 for a free one. */
static int open_server(int type, in_port_t port, struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = port,
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

static int connect_to(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("cannot connect");
	return fd;
}

/* Accept or receive a batch; the time that took. */
static long long drain(enum drain what, int listener, int receiver)
{
	long long start = now();
	char text[16];

	for (int i = 0; i < BATCH; i++) {
		int fd = what == DRAIN_TCP ? accept(listener, NULL, NULL) : -1;

		if (what == DRAIN_TCP && (fd < 0 || close(fd)))
			die("cannot accept");
		if (what == DRAIN_UDP && recv(receiver, text, sizeof(text), 0) < 0)
			die("cannot receive");
	}
	return now() - start;
}

static long long drain_peer(const struct peer *peer, enum drain what)
{
	char order = (char)what;
	long long took;

	if (peer->control < 0)
		return drain(what, peer->listener, peer->receiver);
	if (write(peer->control, &order, 1) != 1 ||
	    read(peer->control, &took, sizeof(took)) != (ssize_t)sizeof(took))
		die("the server is gone");
	return took;
}

/* One client: each byte says what to drain. */
static void serve_client(int control, int listener, int receiver)
{
	char order;

	while (read(control, &order, 1) == 1) {
		long long took = drain((enum drain)order, listener, receiver);

		if (write(control, &took, sizeof(took)) != (ssize_t)sizeof(took))
			return;
	}
}

static int serve(void)
{
	struct sockaddr_in address;
	int listener = open_server(SOCK_STREAM, 0, &address);
	int receiver = open_server(SOCK_DGRAM, address.sin_port, &address);
	struct pollfd wait[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = listener, .events = POLLIN } };

	printf("%d\n", ntohs(address.sin_port));
	(void)fflush(stdout);
	while (poll(wait, 2, -1) > 0 && !wait[0].revents) {
		int control = accept(listener, NULL, NULL);

		if (control < 0)
			die("cannot accept");
		serve_client(control, listener, receiver);
		(void)close(control);
	}
	return 0;
}

/* Closed by a reset: thousands of connections leave no port behind in TIME_WAIT. */
static void connect_once(const struct sockaddr_in *to)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int fd = connect_to(to);

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) || close(fd))
		die("cannot close");
}

/* Time of both ends. */
struct took {
	long long client;
	long long server;
};

static struct took tcp_batch(const struct peer *peer, const int fds[2])
{
	long long start = now();
	struct took took;

	(void)fds;
	for (int i = 0; i < BATCH; i++)
		connect_once(&peer->tcp);
	took.client = now() - start;
	took.server = drain_peer(peer, DRAIN_TCP);
	return took;
}

static struct took udp_batch(const struct peer *peer, const int fds[2])
{
	long long start = now();
	struct took took;
	char text[16] = "datagram";

	for (int i = 0; i < BATCH; i++)
		if (sendto(fds[0], text, sizeof(text), 0, (const struct sockaddr *)&peer->udp,
			   sizeof(peer->udp)) != sizeof(text))
			die("cannot send");
	took.client = now() - start;
	took.server = drain_peer(peer, DRAIN_UDP);
	return took;
}

/* One time for both: a slow sender and a slow reader slow down a download alike. */
static struct took bulk_batch(const struct peer *peer, const int fds[2])
{
	static char bytes[64 << 10];
	long long start = now();

	(void)peer;
	for (int i = 0; i < BATCH; i++) {
		if (send(fds[0], bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			die("cannot send");
		if (recv(fds[1], bytes, sizeof(bytes), MSG_WAITALL) != (ssize_t)sizeof(bytes))
			die("cannot receive");
	}
	return (struct took){ .client = now() - start };
}

static struct peer find_peer(const char *port)
{
	struct peer peer = { .listener = -1, .receiver = -1, .control = -1 };

	if (!port) {
		peer.listener = open_server(SOCK_STREAM, 0, &peer.tcp);
		peer.receiver = open_server(SOCK_DGRAM, 0, &peer.udp);
		return peer;
	}
	peer.tcp = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_port = htons((in_port_t)atoi(port)),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	peer.udp = peer.tcp;
	peer.control = connect_to(&peer.tcp);
	return peer;
}

typedef struct took (*batch_fn)(const struct peer *peer, const int fds[2]);

static void measure(batch_fn batch, long batches, const struct peer *peer, const int fds[2])
{
	char line[16];

	while (fgets(line, sizeof(line), stdin)) {
		struct took total = { 0 };

		for (long n = -WARM_UP; n < batches; n++) {
			const struct took took = batch(peer, fds);

			total.client += n < 0 ? 0 : took.client;
			total.server += n < 0 ? 0 : took.server;
		}
		printf("%.1f %.1f\n", (double)total.client / (double)(batches * BATCH),
		       (double)total.server / (double)(batches * BATCH));
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	const long batches = argc > 2 ? atol(argv[2]) / BATCH : 0;
	const int udp = !strcmp(mode, "udp"), bulk = !strcmp(mode, "bulk");
	int fds[2] = { -1, -1 };
	struct peer peer;

	if (argc == 2 && !strcmp(mode, "serve"))
		return serve();
	if (batches < 1 || argc > 4 - bulk || (!udp && !bulk && strcmp(mode, "tcp"))) {
		fprintf(stderr,
			"usage: net serve | net tcp|udp COUNT [PORT] | net bulk COUNT "
			"(COUNT: %d or more)\n",
			BATCH);
		return 2;
	}
	peer = find_peer(argc == 4 ? argv[3] : NULL);
	if (udp)
		fds[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bulk) {
		fds[0] = connect_to(&peer.tcp);
		fds[1] = accept(peer.listener, NULL, NULL);
	}
	measure(bulk ? bulk_batch : udp ? udp_batch : tcp_batch, batches, &peer, fds);
	return 0;
}
