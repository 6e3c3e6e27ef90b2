/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk: what a client pays to talk to real servers elsewhere, in nanoseconds of its CPU time an act.
 *
 *   talk dns COUNT RESOLVER NAME       ask for the name's IPv4 address, over one UDP socket
 *   talk http COUNT RESOLVER NAME      connect, a small request, its answer, close
 *   talk upload COUNT RESOLVER NAME    64 KiB sent as a request of one connection, its answer
 *
 * A number is printed for each line that is read, so that several can take turns. The name is resolved
 * again before each, not counted. Addresses of answers are used as they come: the resolver is the
 * bench's own.
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

#define WARM_UP 8
#define BODY (64 << 10)
/* Seconds until a server counts as gone. */
#define PATIENCE 60

struct talk {
	int resolver; /* a connected UDP socket */
	struct sockaddr_in server;
	int kept; /* the connection of uploads */
	unsigned char question[300];
	size_t question_length;
	char request[512];
	size_t request_length;
};

static void die(const char *what)
{
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		die("clock");
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int connect_to(int type, const struct sockaddr_in *to)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("cannot connect");
	return fd;
}

/* A question for an A record: RFC 1035, 4.1. */
static void write_question(struct talk *talk, const char *name)
{
	const unsigned char head[12] = { 0x12, 0x34, 0x01, 0x00, 0x00, 0x01 };
	const unsigned char tail[5] = { 0, 0, 1, 0, 1 };
	size_t at = sizeof(head);

	memcpy(talk->question, head, sizeof(head));
	while (*name) {
		const size_t label = strcspn(name, ".");

		if (!label || label > 63 || at + label + sizeof(tail) >= sizeof(talk->question))
			die("not a name");
		talk->question[at++] = (unsigned char)label;
		memcpy(talk->question + at, name, label);
		at += label;
		name += label + (name[label] == '.');
	}
	memcpy(talk->question + at, tail, sizeof(tail));
	talk->question_length = at + sizeof(tail);
}

/* One question and its answer, whose last four bytes are the address that it ends with. */
static void ask(struct talk *talk)
{
	unsigned char answer[512];
	ssize_t length;

	if (send(talk->resolver, talk->question, talk->question_length, 0) < 0)
		die("cannot ask");
	length = recv(talk->resolver, answer, sizeof(answer), 0);
	if (length < (ssize_t)talk->question_length + 16 || answer[3] & 0x0f || !answer[7])
		die("no answer");
	memcpy(&talk->server.sin_addr, answer + length - 4, 4);
}

static void send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			die("cannot send");
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* Until the end of the short text that the server answers with. */
static void read_answer(int fd)
{
	char answer[2048];
	size_t length = 0;

	do {
		ssize_t more = recv(fd, answer + length, sizeof(answer) - 1 - length, 0);

		if (more <= 0)
			die("no answer");
		length += (size_t)more;
		answer[length] = '\0';
	} while (!strstr(answer, "\r\n\r\npage of ") || answer[length - 1] != '\n');
	if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0)
		die("a refusal");
}

static void request_once(struct talk *talk)
{
	/* By a reset: no port is left behind. */
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int fd = connect_to(SOCK_STREAM, &talk->server);

	send_all(fd, talk->request, talk->request_length);
	read_answer(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) || close(fd))
		die("cannot close");
}

static void upload(struct talk *talk)
{
	static char body[BODY];

	if (talk->kept < 0)
		talk->kept = connect_to(SOCK_STREAM, &talk->server);
	send_all(talk->kept, talk->request, talk->request_length);
	send_all(talk->kept, body, sizeof(body));
	read_answer(talk->kept);
}

static void measure(struct talk *talk, void (*act)(struct talk *talk), long count)
{
	char line[16];

	while (fgets(line, sizeof(line), stdin)) {
		long long start;

		ask(talk);
		/* The server ends a connection after a number of requests. */
		if (talk->kept >= 0 && close(talk->kept))
			die("cannot close");
		talk->kept = -1;
		for (int i = 0; i < WARM_UP; i++)
			act(talk);
		start = now();
		for (long i = 0; i < count; i++)
			act(talk);
		printf("%.1f\n", (double)(now() - start) / (double)count);
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc == 5 ? argv[1] : "";
	const long count = argc == 5 ? atol(argv[2]) : 0;
	const int dns = !strcmp(mode, "dns"), http = !strcmp(mode, "http");
	struct talk talk = { .kept = -1,
			     .server = { .sin_family = AF_INET, .sin_port = htons(53) } };

	if (count < 1 || (!dns && !http && strcmp(mode, "upload") != 0) ||
	    inet_pton(AF_INET, argv[3], &talk.server.sin_addr) != 1) {
		fprintf(stderr, "usage: talk dns|http|upload COUNT RESOLVER NAME\n");
		return 2;
	}
	talk.resolver = connect_to(SOCK_DGRAM, &talk.server);
	talk.server.sin_port = htons(80);
	write_question(&talk, argv[4]);
	talk.request_length =
		(size_t)snprintf(talk.request, sizeof(talk.request),
				 "%s / HTTP/1.1\r\nHost: %.253s\r\nContent-Length: %d\r\n\r\n",
				 dns || http ? "GET" : "POST", argv[4], dns || http ? 0 : BODY);
	measure(&talk, dns ? ask : http ? request_once : upload, count);
	return 0;
}
