/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First payloads: recorded ones and hand-made ones, whole, cut at every byte, byte by byte, with every
 * byte changed. What is found is compared with literal texts and with the reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packets.h"
#include "policy/matcher.h"

#include <picket/payload.h>

struct text {
	const char *bytes;
	size_t length;
	const char *expect;
};

#define T(bytes, expect)                                                                           \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, expect                                                   \
	}
#define GET "GET / HTTP/1.1\r\n"
#define NAMED "http named a.test"
#define NO_NAME "http nameless"
#define BAD "http bad"
#define OTHER "- other"
#define L60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct text texts[] = {
	/* The Host header. */
	T(GET "Host: a.test\r\n\r\n", NAMED),
	T(GET "Host: A.Test.\r\n\r\n", NAMED),
	T(GET "host:a.test:8080 \t\r\n\r\n", NAMED),
	T(GET "hOST: \t a.test:\r\n\r\n", NAMED),
	T(GET "Accept: */*\r\nX-Host: b.test\r\nHosts: c\r\nHost: a.test\r\n\r\nHost: b.test",
	  NAMED),
	T("GET / HTTP/1.0\nHost: a.test\n\n", NAMED),
	T("\r\n\r\n\n" GET "Host: a.test\r\n\r\n", NAMED),
	T(GET "\r\n", NO_NAME),
	T(GET "Host:\r\n\r\n", NO_NAME),
	T(GET "Host: a.test\r\nHost: a.test\r\n\r\n", NO_NAME),
	T(GET "Host: a.test b.test\r\n\r\n", NO_NAME),
	T(GET "Host: a.test, b.test\r\n\r\n", NO_NAME),
	T(GET "Host: u@a.test\r\n\r\n", NO_NAME),
	T(GET "Host: a.test/b\r\n\r\n", NO_NAME),
	T(GET "Host: a.test:80:90\r\n\r\n", NO_NAME),
	T(GET "Host: a.test:http\r\n\r\n", NO_NAME),
	T(GET "Host: a..test\r\n\r\n", NO_NAME),
	T(GET "Host: .a.test\r\n\r\n", NO_NAME),
	T(GET "Host: a.test..\r\n\r\n", NO_NAME),
	T(GET "Host: .\r\n\r\n", NO_NAME),
	T(GET "Host: %61.test\r\n\r\n", NO_NAME),
	T(GET "Host: a\xc3\xa9.test\r\n\r\n", NO_NAME),
	T(GET "Host: a\0.test\r\n\r\n", NO_NAME),
	T(GET "Host: 192.0.2.1\r\n\r\n", NO_NAME),
	T(GET "Host: 192.0.2.1:80\r\n\r\n", NO_NAME),
	T(GET "Host: 3221225985\r\n\r\n", NO_NAME),
	T(GET "Host: [2001:db8::1]:80\r\n\r\n", NO_NAME),
	T(GET "Host: " L60 "aaa.test\r\n\r\n", "http named " L60 "aaa.test"),
	T(GET "Host: " L60 "aaaa.test\r\n\r\n", NO_NAME),
	/* Headers that servers read in different ways. */
	T(GET "Host : a.test\r\n\r\n", BAD),
	T(GET "Host\t: a.test\r\n\r\n", BAD),
	T(GET " Host: a.test\r\n\r\n", BAD),
	T(GET "X: y\r\n Host: a.test\r\n\r\n", BAD),
	T(GET "Host: a.test\r\n .evil.test\r\n\r\n", BAD),
	T(GET "Host: a.test\r\n\tx\r\n\r\n", BAD),
	T(GET "X: y\rHost: b.test\r\nHost: a.test\r\n\r\n", BAD),
	T(GET "Host: a.test\rHost: b.test\r\n\r\n", BAD),
	T(GET "Host: a.test\r\r\n\r\n", BAD),
	T(GET "X: \0\r\nHost: a.test\r\n\r\n", BAD),
	T(GET "X: \x1b\r\nHost: a.test\r\n\r\n", BAD),
	T(GET "nonsense\r\nHost: a.test\r\n\r\n", BAD),
	T(GET ": x\r\nHost: a.test\r\n\r\n", BAD),
	T(GET "Host\0: b.test\r\nHost: a.test\r\n\r\n", BAD),
	T(GET "Host: a.test\r\n\rx", BAD),
	/* The name in the first line. */
	T("GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n", NAMED),
	T("GET HTTPS://A.test:443?x HTTP/1.1\r\nHost: a.TEST.:80\r\n\r\n", NAMED),
	T("GET http://a.test HTTP/1.0\r\n\r\n", NAMED),
	T("GET x-y+z.1://a.test#f HTTP/1.1\r\n\r\n", NAMED),
	T("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", NAMED),
	T("CONNECT a.test HTTP/1.1\r\n\r\n", NAMED),
	T("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n", NAMED),
	T("GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n", NO_NAME),
	T("GET http://a.tes/x HTTP/1.1\r\nHost: a.test\r\n\r\n", NO_NAME),
	T("GET http://a.test/x HTTP/1.1\r\nHost: a.tes\r\n\r\n", NO_NAME),
	T("CONNECT b.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", NO_NAME),
	T("GET http://u@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", NO_NAME),
	T("GET http://192.0.2.1/ HTTP/1.1\r\nHost: a.test\r\n\r\n", NO_NAME),
	T("GET http:/// HTTP/1.1\r\nHost: a.test\r\n\r\n", NO_NAME),
	T("CONNECT [::1]:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", NO_NAME),
	T("GET a.test HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET http:/b.test HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("connect b.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET http:/b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET ?x HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	/* First lines that only some servers take. */
	T("GET  / HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET /  HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET / HTTP/1.1 \r\nHost: a.test\r\n\r\n", BAD),
	T("GET\t/\tHTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET\x1c/\x1cHTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T(" GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("G(T / HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET /\x01 HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET / HTTP/1.2\r\nHost: a.test\r\n\r\n", BAD),
	T("GET / HTTP/1.10\r\nHost: a.test\r\n\r\n", BAD),
	T("GET / HTTP/01.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET / http/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET / HTTP/3.0\r\nHost: a.test\r\n\r\n", BAD),
	T("GET / HTTP/1.1\r\r\nHost: a.test\r\n\r\n", BAD),
	T("GET /\rX HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET /a HTTP/1.1 HTTP/1.1\r\nHost: a.test\r\n\r\n", BAD),
	T("GET /hhttp/ HTTP/1.1\r\nHost: a.test\r\n\r\n", NAMED),
	T("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NO_NAME),
	/* Not HTTP. */
	T("GET /\r\n", OTHER),
	T("GET / HTTP\r\n", OTHER),
	T("SSH-2.0-OpenSSH_9.2\r\n", OTHER),
	T("EHLO a.test\r\n", OTHER),
	T("*1\r\n$4\r\nPING\r\n", OTHER),
	T("{\"id\":1}", OTHER),
	T("<stream:stream to='a.test'>", OTHER),
	T("\0\0\0\x08\x04\xd2\x16\x2f", OTHER),
	T("\x3a\0\0\0\0", OTHER),
	T("\x13"
	  "BitTorrent protocol",
	  OTHER),
	T("\xff\xf4", "? more"),
	T("\xff\xf4\x01\x02", OTHER),
	T("GET / HTTP/1.1", "? more"),
	/* TLS that is none yet, or none any more. */
	T("\x80\x2e\x01\x03\x01", "tls nameless"),
	T("\x80\x2e\x01\x00\x02", OTHER),
	T("\x80\x2e\x02", OTHER),
	T("\x14\x03\x01\0\1\1", "tls bad"),
	T("\x15\x03\x01\0\2\1\x70", "tls bad"),
	T("\x17\x03\x03\0\1", "tls bad"),
	T("\x16\x02\x01\0\1", "tls bad"),
	T("\x16\x03\x01\0\0", "tls bad"),
	T("\x16\x03\x01\x40\1", "tls bad"),
	T("\x16\x03\x01\x40\0", "tls more"),
	T("\x16\x03\x01\0\4\2\0\0\1", "tls bad"),
	T("\x16\x03\x01\0\4\1\0\0\x22", "tls bad"),
	T("\x16\x03\x01\0\4\1\1\0\0", "tls bad"),
};

static void expect_text(const char *what, const uint8_t *bytes, size_t length, const char *expect)
{
	const char *differs = packet_differs('p', bytes, length);
	char found[PACKET_TEXT];

	packet_text('p', bytes, length, NULL, found);
	if (strcmp(found, expect) != 0)
		fail_msg("'%s': '%s', not '%s'", what, found, expect);
	if (differs)
		fail_msg("'%s': not as the reference: %s", what, differs);
}

static void hand_made_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		expect_text(texts[i].bytes, (const uint8_t *)texts[i].bytes, texts[i].length,
			    texts[i].expect);
}

/* --- Hellos --------------------------------------------------------------------------------------- */

/* The part of a hello before its extensions: version, random, no session, a cipher, no compression. */
#define HELLO_HEAD 41
#define NAME(text) "\0\0" text
#define HOST_A "\0\x0b\0\x09\0\0\6a.test"
#define HELLO_MAX 24000

struct hello {
	const char *what;
	const char *extensions;
	size_t length;
	const char *expect;
};

#define H(what, extensions, expect)                                                                \
	{                                                                                          \
		what, extensions, sizeof(extensions) - 1, expect                                   \
	}

static const struct hello hellos[] = {
	H("name", NAME(HOST_A), "tls named a.test"),
	H("name behind another extension", "\0\x17\0\0\0\x2b\0\3\2\3\4" NAME(HOST_A),
	  "tls named a.test"),
	H("upper case, dot", NAME("\0\x0c\0\x0a\0\0\7A.teSt."), "tls named a.test"),
	H("no name", "\0\x17\0\0", "tls nameless"),
	H("twice", NAME(HOST_A) NAME(HOST_A), "tls nameless"),
	H("twice, something between", NAME(HOST_A) "\0\x17\0\0" NAME("\0\0"), "tls nameless"),
	H("empty extension", NAME("\0\0"), "tls nameless"),
	H("two names", NAME("\0\x14\0\x12\0\0\6a.test\0\0\6b.test"), "tls nameless"),
	H("another kind of name", NAME("\0\x0b\0\x09\1\0\6a.test"), "tls nameless"),
	H("empty name", NAME("\0\5\0\3\0\0\0"), "tls nameless"),
	H("two dots", NAME("\0\x0b\0\x09\0\0\6a..tes"), "tls nameless"),
	H("NUL", NAME("\0\x0b\0\x09\0\0\6a\0test"), "tls nameless"),
	H("newline", NAME("\0\x0b\0\x09\0\0\6a.tes\n"), "tls nameless"),
	H("address",
	  NAME("\0\x0e\0\x0c\0\0\x09"
	       "192.0.2.1"),
	  "tls nameless"),
	H("port",
	  NAME("\0\x0d\0\x0b\0\0\x08"
	       "a.test:1"),
	  "tls nameless"),
	H("list shorter than the extension", NAME("\0\x0c\0\x09\0\0\6a.test\0"), "tls bad"),
	H("name longer than the list", NAME("\0\x0b\0\x09\0\0\7a.test"), "tls bad"),
	H("name shorter than the list", NAME("\0\x0b\0\x09\0\0\5a.test"), "tls nameless"),
	H("extension too short", NAME("\0\4\0\2\0\0"), "tls bad"),
	H("extension over the end", NAME("\0\x0c\0\x0a\0\0\6a.test"), "tls bad"),
	H("half an extension", NAME(HOST_A) "\0\x17\0", "tls bad"),
	H("encrypted hello inside", "\xfe\x0d\0\4\0\1\2\3" NAME(HOST_A), "tls named a.test"),
};

static void put(uint8_t *to, const char *bytes, size_t length)
{
	memcpy(to, bytes, length);
}

/* The message with these extensions, and bytes of @filler before them when not 0. */
static size_t make_hello(uint8_t *to, const void *extensions, size_t length, size_t filler)
{
	size_t all = length + (filler ? filler + 4 : 0), body = HELLO_HEAD + 2 + all;
	uint8_t *at = to;

	memset(to, 0x5a, 4 + HELLO_HEAD);
	at[0] = 1;
	at[1] = (uint8_t)(body >> 16);
	at[2] = (uint8_t)(body >> 8);
	at[3] = (uint8_t)body;
	at[4] = at[5] = 3;
	put(at + 38, "\0\0\2\x13\1\1\0", 7);
	at += 4 + HELLO_HEAD;
	*at++ = (uint8_t)(all >> 8);
	*at++ = (uint8_t)all;
	if (filler) {
		put(at, "\0\x15", 2);
		at[2] = (uint8_t)(filler >> 8);
		at[3] = (uint8_t)filler;
		memset(at + 4, 0, filler);
		at += 4 + filler;
	}
	memcpy(at, extensions, length);
	return body + 4;
}

/* Put @length bytes of a message into records of @size bytes. */
static size_t make_records(uint8_t *to, const uint8_t *message, size_t length, size_t size)
{
	uint8_t *at = to;

	while (length) {
		size_t part = length < size ? length : size;

		put(at, "\x16\3\1", 3);
		at[3] = (uint8_t)(part >> 8);
		at[4] = (uint8_t)part;
		memcpy(at + 5, message, part);
		at += 5 + part;
		message += part;
		length -= part;
	}
	return (size_t)(at - to);
}

struct rooms {
	uint8_t message[HELLO_MAX];
	uint8_t records[6 * HELLO_MAX];
};

/* Too large for the stack, and for one test at a time. */
static struct rooms *rooms(void)
{
	static struct rooms both;

	return &both;
}

static void hand_made_hellos(void **state)
{
	uint8_t *message = rooms()->message, *records = rooms()->records;
	(void)state;
	for (size_t i = 0; i < sizeof(hellos) / sizeof(*hellos); i++) {
		const struct hello *h = &hellos[i];
		size_t length = make_hello(message, h->extensions, h->length, 0);
		static const size_t sizes[] = { 16384, 1, 2, 3, 50 };

		for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
			expect_text(h->what, records,
				    make_records(records, message, length, sizes[s]), h->expect);
		/* With more behind it: the hello alone counts. */
		length = make_records(records, message, length, 16384);
		put(records + length, "\x14\3\3\0\1\1", 6);
		expect_text(h->what, records, length + 6, h->expect);
	}
}

static void hello_without_extensions(void **state)
{
	uint8_t *message = rooms()->message, *records = rooms()->records;
	size_t length = make_hello(message, "", 0, 0);

	(void)state;
	message[3] -= 2;
	length = make_records(records, message, length - 2, 16384);
	expect_text("no extensions", records, length, "tls nameless");
	message[38] = 33;
	length = make_records(records, message, 64, 16384);
	expect_text("session of 33 bytes", records, length, "tls bad");
}

/* Something between the records of one hello. */
static void interrupted_hello(void **state)
{
	uint8_t *message = rooms()->message, *records = rooms()->records;
	size_t length = make_hello(message, hellos[0].extensions, hellos[0].length, 0);
	static const struct text between[] = {
		T("\x15\3\1\0\2\1\x70", "tls bad"),
		T("\x14\3\1\0\1\1", "tls bad"),
		T("\x16\3\1\0\0", "tls bad"),
		T("GET / HTTP/1.1", "tls bad"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(between) / sizeof(*between); i++) {
		size_t at = make_records(records, message, 20, 16384);

		memcpy(records + at, between[i].bytes, between[i].length);
		at += between[i].length;
		at += make_records(records + at, message + 20, length - 20, 16384);
		expect_text("interrupted", records, at, between[i].expect);
	}
}

/* Names around the longest, hellos around the largest. */
static void large_hellos(void **state)
{
	uint8_t *message = rooms()->message, *records = rooms()->records;
	uint8_t extension[300] = "\0\0";
	char expect[PACKET_TEXT];

	(void)state;
	for (uint8_t size = 250; size < 255; size++) {
		size_t length;

		memcpy(extension + 2, (uint8_t[]){ 0, 0, 0, 0, 0, 0, size }, 7);
		extension[2] = (uint8_t)((size + 5) >> 8);
		extension[3] = (uint8_t)(size + 5);
		extension[4] = (uint8_t)((size + 3) >> 8);
		extension[5] = (uint8_t)(size + 3);
		for (uint8_t i = 0; i < size; i++)
			extension[9 + i] = i % 40 == 39 ? '.' : 'a';
		length = make_hello(message, extension, 9U + size, 0);
		length = make_records(records, message, length, 16384);
		snprintf(expect, sizeof(expect), "tls named %.*s", (int)size, extension + 9);
		expect_text("long name", records, length,
			    size <= PK_HOST_MAX ? expect : "tls nameless");
	}
	for (size_t filler = 20000; filler < 20600; filler += 50) {
		size_t length = make_hello(message, hellos[0].extensions, hellos[0].length, filler);

		length = make_records(records, message, length, 16384);
		expect_text("large hello", records, length,
			    length <= PK_PAYLOAD_MAX ? "tls named a.test" : "tls bad");
	}
}

static void long_request(void **state)
{
	static uint8_t request[PK_PAYLOAD_MAX + 100];
	static const char start[] = GET "Cookie: ", end[] = "\r\nHost: a.test\r\n\r\n";

	(void)state;
	for (size_t size = PK_PAYLOAD_MAX - 60; size < PK_PAYLOAD_MAX; size++) {
		size_t length = sizeof(start) - 1 + size + sizeof(end) - 1;

		memset(request, 'x', sizeof(request));
		memcpy(request, start, sizeof(start) - 1);
		memcpy(request + sizeof(start) - 1 + size, end, sizeof(end) - 1);
		if (length > sizeof(request))
			break;
		expect_text("long request", request, length,
			    length <= PK_PAYLOAD_MAX ? NAMED : BAD);
	}
}

/* --- Cuts and changes ----------------------------------------------------------------------------- */

/* However it is cut, the finding is that of the whole. */
static void cut(const char *what, const uint8_t *bytes, size_t length)
{
	char whole[PACKET_TEXT], found[PACKET_TEXT];

	packet_text('p', bytes, length, NULL, whole);
	for (size_t at = 1; at < length; at++) {
		const char *differs = packet_differs('p', bytes, at);

		if (differs)
			fail_msg("%s, %zu bytes: %s", what, at, differs);
		packet_text('p', bytes, length, &(struct packet_pieces){ PK_CHUNK, at }, found);
		if (strcmp(found, whole) != 0)
			fail_msg("%s cut at %zu: '%s', not '%s'", what, at, found, whole);
		if (at > 16 && at % 64)
			continue;
		packet_text('p', bytes, length,
			    &(struct packet_pieces){ at > PK_CHUNK ? 1 : at, 0 }, found);
		if (strcmp(found, whole) != 0)
			fail_msg("%s in pieces of %zu: '%s', not '%s'", what, at, found, whole);
	}
}

/* Every byte in turn with other values: all of them in small payloads, or when PICKET_ALL is set. */
static void change(const char *what, const uint8_t *bytes, size_t length)
{
	uint8_t copy[PACKET_MAX];
	unsigned int step = length <= 200 || getenv("PICKET_ALL") ? 1 : 15;

	memcpy(copy, bytes, length);
	for (size_t at = 0; at < length; at++) {
		for (unsigned int value = step == 1 ? 0 : (unsigned int)at % step; value < 256;
		     value += step) {
			const char *differs;

			copy[at] = (uint8_t)value;
			differs = packet_differs('p', copy, length);
			if (differs)
				fail_msg("%s, byte %zu is %u: %s", what, at, value, differs);
		}
		copy[at] = bytes[at];
	}
}

static void check_recorded(const struct packet *p)
{
	if (p->kind == 'p')
		expect_text(p->name, p->bytes, p->length, p->expect);
}

static void cut_recorded(const struct packet *p)
{
	if (p->kind == 'p')
		cut(p->name, p->bytes, p->length);
}

static void change_recorded(const struct packet *p)
{
	if (p->kind == 'p')
		change(p->name, p->bytes, p->length);
}

static void recorded(void **state)
{
	(void)state;
	assert_true(packets_load(check_recorded) > 50);
}

static void cuts_change_nothing(void **state)
{
	uint8_t *message = rooms()->message, *records = rooms()->records;
	(void)state;
	packets_load(cut_recorded);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		cut(texts[i].bytes, (const uint8_t *)texts[i].bytes, texts[i].length);
	for (size_t i = 0; i < sizeof(hellos) / sizeof(*hellos); i++)
		cut(hellos[i].what, records,
		    make_records(records, message,
				 make_hello(message, hellos[i].extensions, hellos[i].length, 0),
				 30));
}

static void changes_as_reference(void **state)
{
	uint8_t *message = rooms()->message, *records = rooms()->records;
	(void)state;
	packets_load(change_recorded);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		change(texts[i].bytes, (const uint8_t *)texts[i].bytes, texts[i].length);
	for (size_t i = 0; i < sizeof(hellos) / sizeof(*hellos); i++)
		change(hellos[i].what, records,
		       make_records(records, message,
				    make_hello(message, hellos[i].extensions, hellos[i].length, 0),
				    30));
}

/* Once it is known nothing more is read; a chunk over the limit is refused. */
static void after_the_end(void **state)
{
	static __u8 chunk[PK_CHUNK] = "GET /\n";
	static struct pk_payload p;

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_int_equal(pk_payload_feed(&p, chunk, 0), PK_PAYLOAD_MORE);
	assert_int_equal(pk_payload_feed(&p, chunk, 6), PK_PAYLOAD_OTHER);
	assert_int_equal(p.seen, 6);
	assert_int_equal(pk_payload_feed(&p, chunk, PK_CHUNK + 1), PK_PAYLOAD_OTHER);
	assert_int_equal(p.seen, 6);
	memset(&p, 0, sizeof(p));
	assert_int_equal(pk_payload_feed(&p, chunk, PK_CHUNK + 1), PK_PAYLOAD_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hand_made_texts),
		cmocka_unit_test(hand_made_hellos),
		cmocka_unit_test(hello_without_extensions),
		cmocka_unit_test(interrupted_hello),
		cmocka_unit_test(large_hellos),
		cmocka_unit_test(long_request),
		cmocka_unit_test(recorded),
		cmocka_unit_test(cuts_change_nothing),
		cmocka_unit_test(changes_as_reference),
		cmocka_unit_test(after_the_end),
	};

	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
