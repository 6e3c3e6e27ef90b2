/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on the way in: binding, listening, and peers that are asked (peers.py, an errand) to connect
 * or send from outside. "ok" means that somebody came and was spoken to.
 */
#include "net.h"

#include <poll.h>

/* Ask the errand runner at "ADDRESS" for "HOW SOURCE TO PORT"; the socket that will tell. */
static int send_errand(const char *runner, const char *how, char **a, const char *port)
{
	struct place to = place_of(runner, "7001");
	int fd = socket_to(&to, SOCK_STREAM);
	char text[256];
	int n = snprintf(text, sizeof(text), "%s %s %s %s\n", how, a[0], a[1], port);

	if (fd < 0 || connect(fd, raw(&to), to.length) || send(fd, text, (size_t)n, 0) != n)
		return -1;
	return fd;
}

static int server(const char *address, const char *port)
{
	struct place at = place_of(address, port);
	int fd = socket_to(&at, SOCK_STREAM), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, raw(&at), at.length) || listen(fd, 8))
		return -1;
	return fd;
}

/* bind TYPE ADDRESS PORT */
static int act_bind(char **a)
{
	struct place at = place_of(a[1], a[2]);
	int fd = socket_to(&at, (int)number(a[0]));

	return fd < 0 ? -1 : bind(fd, raw(&at), at.length);
}

static int act_listen(char **a)
{
	return opened(server(a[0], a[1]));
}

/* No bind: the kernel takes a port for it. */
static int act_listen_any(char **a)
{
	int fd = socket(number(a[0]) == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : listen(fd, 8);
}

/* Whoever came, spoken to until the errand runner says that it heard us. */
static int speak(int fd, int errand)
{
	char heard[64] = { 0 };
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = errand, .events = POLLIN } };
	int peer;

	if (poll(p, 2, WAIT_MS) <= 0)
		return say("nothing");
	if (p[0].revents) {
		peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (peer < 0 || send(peer, "stolen", 6, MSG_NOSIGNAL) < 0)
			return -1;
	}
	if (recv(errand, heard, sizeof(heard) - 1, 0) < 0)
		return missed();
	return strcmp(heard, "stolen") ? say(heard) : 0;
}

/* pull RUNNER SOURCE TO PORT BIND: listen at BIND; somebody connects from SOURCE to TO and reads. */
static int act_pull(char **a)
{
	int fd = server(a[4], a[3]);
	int errand = fd < 0 ? -1 : send_errand(a[0], "tcp", a + 1, a[3]);

	return errand < 0 ? -1 : speak(fd, errand);
}

/* take RUNNER SOURCE TO PORT BIND: the same with a datagram. */
static int act_take(char **a)
{
	struct place at = place_of(a[4], a[3]);
	int fd = socket_to(&at, SOCK_DGRAM), errand;

	if (fd < 0 || bind(fd, raw(&at), at.length))
		return -1;
	errand = send_errand(a[0], "udp", a + 1, a[3]);
	return errand < 0 ? -1 : hear(fd, 6);
}

/*
 * turn RUNNER SOURCE TO PORT BIND ADDRESS: what somebody outside connected is dissolved, and connects
 * out itself.
 */
static int act_turn(char **a)
{
	struct place out = place_of(a[5], "9000");
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = server(a[4], a[3]), peer;
	int errand = fd < 0 ? -1 : send_errand(a[0], "tcp", a + 1, a[3]);

	peer = errand < 0 ? -1 : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0 || connect(peer, &none, sizeof(none)))
		return missed();
	close(fd);
	return patient(peer) < 0 || connect(peer, raw(&out), out.length) ? missed() : word(peer);
}

/* unlisten BIND PORT ADDRESS HOW: a server that stops to be one, and sends its first data out. */
static int act_unlisten(char **a)
{
	struct place out = place_of(a[2], "9000");
	int fd = server(a[0], a[1]);

	if (fd < 0 || shutdown(fd, SHUT_RDWR))
		return -1;
	if (!strcmp(a[3], "connect"))
		return connect(fd, raw(&out), out.length) ? missed() : word(fd);
	if (sendto(fd, "attack", 6, MSG_FASTOPEN, raw(&out), out.length) < 0)
		return missed();
	return hear(fd, 6);
}

/* give RUNNER SOURCE TO PORT FD: an inherited listening socket: data is pulled out of it. */
static int act_give(char **a)
{
	int fd = (int)number(a[4]);
	int errand = send_errand(a[0], "tcp", a + 1, a[3]);

	return errand < 0 ? -1 : speak(fd, errand);
}

static const struct act acts[] = {
	{ "bind", 3, act_bind },
	{ "listen", 2, act_listen },
	{ "listen-any", 1, act_listen_any },
	{ "turn", 6, act_turn },
	{ "unlisten", 4, act_unlisten },
	{ "pull", 5, act_pull },
	{ "take", 5, act_take },
	{ "give", 5, act_give },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
