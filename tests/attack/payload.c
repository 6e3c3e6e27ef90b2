/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on the first bytes of a connection: greetings of TLS, HTTP and others, for any name, cut in
 * every way. "ok" means that the peer got and returned all of it.
 */
#include "net.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

#define SIZE 32768

struct bytes {
	uint8_t at[SIZE];
	size_t length;
};

static void put(struct bytes *b, const void *bytes, size_t count)
{
	if (b->length + count > SIZE)
		exit(2);
	memcpy(b->at + b->length, bytes, count);
	b->length += count;
}

static void put_number(struct bytes *b, size_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		put(b, &byte, 1);
	}
}

static void put_server_name(struct bytes *b, const char *name)
{
	size_t length = strlen(name);

	put_number(b, 0, 2);
	put_number(b, length + 5, 2);
	put_number(b, length + 3, 2);
	put_number(b, 0, 1);
	put_number(b, length, 2);
	put(b, name, length);
}

/* An extension of no meaning that is as long as a key share of the new kind. */
static void put_filler(struct bytes *b, size_t count)
{
	static const uint8_t zero[4096];

	put_number(b, 51, 2);
	put_number(b, count, 2);
	put(b, zero, count);
}

/* The body of a hello: names are none, one or two. */
static struct bytes hello_body(const char *first, const char *second, size_t filler)
{
	static const uint8_t random[32] = { 1 };
	struct bytes b = { 0 }, list = { 0 };

	put_number(&b, 0x0303, 2);
	put(&b, random, 32);
	put_number(&b, 0, 1);
	put_number(&b, 2, 2);
	put_number(&b, 0x1301, 2);
	put_number(&b, 1, 1);
	put_number(&b, 0, 1);
	if (filler)
		put_filler(&list, filler);
	if (first)
		put_server_name(&list, first);
	if (second)
		put_server_name(&list, second);
	put_filler(&list, 2);
	put_number(&b, list.length, 2);
	put(&b, list.at, list.length);
	return b;
}

/* A hello in TLS records of @record bytes each. */
static struct bytes hello(const char *first, const char *second, size_t filler, size_t record)
{
	struct bytes body = hello_body(first, second, filler), message = { 0 }, out = { 0 };

	put_number(&message, 1, 1);
	put_number(&message, body.length, 3);
	put(&message, body.at, body.length);
	for (size_t at = 0; at < message.length; at += record) {
		size_t part = message.length - at < record ? message.length - at : record;

		put_number(&out, 0x160301, 3);
		put_number(&out, part, 2);
		put(&out, message.at + at, part);
	}
	return out;
}

/* The greeting of SSL 2, as old programs send it to find out what the other side can. */
static struct bytes hello_v2(void)
{
	struct bytes b = { 0 };

	put_number(&b, 0x802e, 2);
	put_number(&b, 1, 1);
	put_number(&b, 0x0301, 2);
	put_number(&b, 3, 2);
	put_number(&b, 0, 2);
	put_number(&b, 32, 2);
	put_number(&b, 0x00002f, 3);
	for (int i = 0; i < 4; i++)
		put_number(&b, 0x0102030405060708, 8);
	put_number(&b, 0, 2);
	return b;
}

/* Text of the table: "^" is the end of a line, "+" a blank. */
static struct bytes text(const char *word)
{
	struct bytes b = { 0 };

	for (; *word; word++)
		put(&b, *word == '^' ? "\r\n" : *word == '+' ? " " : word, *word == '^' ? 2 : 1);
	return b;
}

static struct bytes made(const char *kind, const char *name)
{
	struct bytes junk = { .at = { 'x' }, .length = 1 }, b;
	char second[256];
	size_t n = strcspn(name, ",");

	snprintf(second, sizeof(second), "%.*s", (int)n, name);
	if (!strcmp(kind, "tls"))
		return hello(name, NULL, 0, SIZE);
	if (!strcmp(kind, "tls-none"))
		return hello(NULL, NULL, 0, SIZE);
	if (!strcmp(kind, "tls-two"))
		return hello(second, name + n + 1, 0, SIZE);
	if (!strcmp(kind, "tls-late"))
		return hello(name, NULL, 3500, SIZE);
	if (!strcmp(kind, "tls-records"))
		return hello(name, NULL, 0, 7);
	if (!strcmp(kind, "sslv2"))
		return hello_v2();
	if (!strcmp(kind, "tls-garbage")) {
		b = hello(name, NULL, 0, SIZE);
		put(&junk, b.at, b.length);
		return junk;
	}
	return text(name);
}

static int open_to(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		return -1;
	return connect(fd, raw(&to), to.length) ? -1 : fd;
}

/* Cut in parts of so many bytes, each a packet: the next goes when the peer has had the last. */
static int converse(int fd, const struct bytes *b, size_t part)
{
	size_t n;
	int r;

	for (size_t at = 0; at < b->length; at += n) {
		n = b->length - at < part ? b->length - at : part;
		if (send(fd, b->at + at, n, MSG_NOSIGNAL) != (ssize_t)n)
			return missed();
		r = hear(fd, n);
		if (r)
			return r;
	}
	return 0;
}

/* say ADDRESS PORT KIND NAME */
static int act_say(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int fd = open_to(a);

	return fd < 0 ? missed() : converse(fd, &b, b.length);
}

/* cut ADDRESS PORT KIND NAME BYTES */
static int act_cut(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int fd = open_to(a);

	return fd < 0 ? missed() : converse(fd, &b, (size_t)number(a[4]));
}

/* then ADDRESS PORT KIND NAME KIND NAME: one greeting, and when it was heard another. */
static int act_then(char **a)
{
	struct bytes first = made(a[2], a[3]), second = made(a[4], a[5]);
	int fd = open_to(a), r;

	if (fd < 0)
		return missed();
	r = converse(fd, &first, first.length);
	return r ? r : converse(fd, &second, second.length);
}

/* In the first packet, the one that opens the connection. */
static int act_first_packet(char **a)
{
	struct bytes b = made(a[2], a[3]);
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM);

	if (fd < 0 || sendto(fd, b.at, b.length, MSG_FASTOPEN, raw(&to), to.length) < 0)
		return missed();
	return hear(fd, b.length);
}

/* urgent ADDRESS PORT KIND NAME AT: the byte there is urgent, and the peer reads the rest without. */
static int act_urgent(char **a)
{
	struct bytes b = made(a[2], a[3]);
	size_t at = (size_t)number(a[4]);
	int fd = open_to(a);

	if (fd < 0 || send(fd, b.at, at, MSG_NOSIGNAL) < 0 ||
	    send(fd, b.at + at, 1, MSG_OOB | MSG_NOSIGNAL) < 0 ||
	    send(fd, b.at + at + 1, b.length - at - 1, MSG_NOSIGNAL) < 0)
		return missed();
	return hear(fd, b.length - 1);
}

/* Out of a file, which reaches the socket by other ways than send does. */
static int act_from_file(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int file = memfd_create("greeting", MFD_CLOEXEC), fd = open_to(a);
	off_t at = 0;

	if (fd < 0 || file < 0 || write(file, b.at, b.length) != (ssize_t)b.length)
		return missed();
	if (sendfile(fd, file, &at, b.length) < 0)
		return missed();
	return hear(fd, b.length);
}

/* Send @good out of a file and change the file to @bad at once: 0 when the peer saw that. */
static int swap_once(char **a, const struct bytes *good, const struct bytes *bad)
{
	struct bytes seen = { 0 };
	int file = memfd_create("greeting", MFD_CLOEXEC), fd = open_to(a);
	off_t at = 0;
	ssize_t n;

	if (fd < 0 || file < 0 || write(file, good->at, good->length) != (ssize_t)good->length)
		return missed();
	n = sendfile(fd, file, &at, good->length);
	if (n < 0 || pwrite(file, bad->at, bad->length, 0) < 0)
		return missed();
	for (; seen.length < good->length; seen.length += (size_t)n) {
		n = recv(fd, seen.at + seen.length, SIZE - seen.length, 0);
		if (n <= 0)
			return n < 0 ? missed() : say("closed");
	}
	close(fd);
	close(file);
	return memcmp(seen.at, bad->at, bad->length) ? 2 : 0;
}

/*
 * swap ADDRESS PORT KIND NAME OTHER: the peer reads a page of a file when it comes to it, which may be
 * after it was checked. Names of one length. "ok" when the peer saw the other name once.
 */
static int act_swap(char **a)
{
	struct bytes good = made(a[2], a[3]), bad = made(a[2], a[4]);
	int r = 2;

	for (int i = 0; i < 300 && r == 2; i++)
		r = swap_once(a, &good, &bad);
	return r == 2 ? say("lost") : r;
}

/* connect, dissolve, connect to the same again: nothing of the first check may stay. */
static int act_again(char **a)
{
	struct bytes good = made(a[2], a[3]), bad = made(a[4], a[5]);
	struct place to = place_of(a[0], a[1]);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = open_to(a), r;

	if (fd < 0)
		return missed();
	r = converse(fd, &good, good.length);
	if (r)
		return r;
	if (connect(fd, &none, sizeof(none)) || connect(fd, raw(&to), to.length))
		return missed();
	return converse(fd, &bad, bad.length);
}

/* repair ADDRESS PORT: the queue of a socket rewritten, as for moving it to another host. */
static int act_repair(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM), on = 1;

	return fd < 0 ? -1 : setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
}

static const struct act acts[] = {
	{ "say", 4, act_say },	     { "cut", 5, act_cut },
	{ "then", 6, act_then },     { "first-packet", 4, act_first_packet },
	{ "urgent", 5, act_urgent }, { "from-file", 4, act_from_file },
	{ "swap", 5, act_swap },     { "again", 6, act_again },
	{ "repair", 2, act_repair },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
