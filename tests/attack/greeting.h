/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Greetings of TLS, HTTP and others, for any name, and the word with a peer that sends all of it back.
 */
#ifndef TESTS_ATTACK_GREETING_H
#define TESTS_ATTACK_GREETING_H

#include "net.h"

#define SIZE 32768

/** A message being put together. */
struct bytes {
	uint8_t at[SIZE];
	size_t length;
};

static inline void put(struct bytes *b, const void *bytes, size_t count)
{
	if (b->length + count > SIZE)
		exit(2);
	memcpy(b->at + b->length, bytes, count);
	b->length += count;
}

static inline void put_number(struct bytes *b, size_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		put(b, &byte, 1);
	}
}

static inline void put_server_name(struct bytes *b, const char *name)
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
static inline void put_filler(struct bytes *b, size_t count)
{
	static const uint8_t zero[4096];

	put_number(b, 51, 2);
	put_number(b, count, 2);
	put(b, zero, count);
}

/* The body of a hello: names are none, one or two. */
static inline struct bytes hello_body(const char *first, const char *second, size_t filler)
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

/** A hello in TLS records of @record bytes each. */
static inline struct bytes hello(const char *first, const char *second, size_t filler,
				 size_t record)
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
static inline struct bytes hello_v2(void)
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

/** Text of the table: "^" is the end of a line, "+" a blank. */
static inline struct bytes text(const char *word)
{
	struct bytes b = { 0 };

	for (; *word; word++)
		put(&b, *word == '^' ? "\r\n" : *word == '+' ? " " : word, *word == '^' ? 2 : 1);
	return b;
}

/** The greeting of a kind for a name: what the table writes. */
static inline struct bytes made(const char *kind, const char *name)
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

/** A connection to "ADDRESS PORT" whose packets are not held back, or -1. */
static inline int open_to(char **a)
{
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		return -1;
	return connect(fd, raw(&to), to.length) ? -1 : fd;
}

/** Cut in parts of so many bytes, each a packet: the next goes when the peer has had the last. */
static inline int converse(int fd, const struct bytes *b, size_t part)
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

#endif
