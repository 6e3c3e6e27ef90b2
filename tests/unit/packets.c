/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets read by picket/dns.h and picket/payload.h, and by the reference.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "policy/matcher.h"
#include "reference.h"

#include <picket/dns.h>
#include <picket/payload.h>

static const char *const errors[] = { "good", "form", "type", "loop" };
static const char *const states[] = { "more", "named", "nameless", "other", "bad" };
static const char *const protocols[] = { "?", "tls", "http", "-" };

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static int parse_line(char *line, struct packet *p)
{
	char *at = line;
	const char *kind = strsep(&at, "|"), *name = strsep(&at, "|"), *expect = strsep(&at, "|");

	if (!at || strlen(at) / 2 > PACKET_MAX || strlen(expect) >= PACKET_TEXT)
		return -1;
	p->kind = *kind;
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->expect, sizeof(p->expect), "%s", expect);
	for (p->length = 0; at[0] > ' ' && at[1] > ' '; at += 2)
		p->bytes[p->length++] = (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
	return 0;
}

int packets_load(void (*each)(const struct packet *packet))
{
	const char *path = getenv("PICKET_PACKETS");
	FILE *from = fopen(path ? path : "tests/bpf/packets.txt", "re");
	static struct packet packet;
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	if (!from)
		return -1;
	while (count >= 0 && getline(&line, &size, from) > 0) {
		if (*line == '#' || *line == '\n')
			continue;
		if (parse_line(line, &packet)) {
			count = -1;
		} else {
			each(&packet);
			count++;
		}
	}
	free(line);
	fclose(from);
	return count;
}

static const struct packet_pieces whole = { .step = PK_CHUNK };

/* What is behind a message must not matter. */
static const __u8 *in_buffer(const uint8_t *bytes, size_t length)
{
	static __u8 buffer[PK_DNS_MAX];

	memset(buffer, 0xc0, sizeof(buffer));
	memcpy(buffer, bytes, length < sizeof(buffer) ? length : sizeof(buffer));
	return buffer;
}

static void __attribute__((format(printf, 2, 3))) say(char *text, const char *format, ...)
{
	size_t length = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + length, PACKET_TEXT - length, format, arguments);
	va_end(arguments);
}

static void say_question(int error, const struct pk_dns_question *q, char *text)
{
	say(text, "%s", errors[error]);
	if (!error || error == PK_DNS_TYPE)
		say(text, " %u %.*s", q->type, (int)q->name.length, q->name.text);
}

static void say_record(const struct pk_dns_walk *w, char *text)
{
	uint32_t words[] = { htonl((uint32_t)(w->address_hi >> 32)), htonl((uint32_t)w->address_hi),
			     htonl((uint32_t)(w->address_lo >> 32)),
			     htonl((uint32_t)w->address_lo) };
	char address[INET6_ADDRSTRLEN];

	if (w->what == PK_DNS_ALIAS)
		say(text, ", alias %.*s", (int)w->name.length, w->name.text);
	if (w->what == PK_DNS_ADDRESS)
		say(text, ", %s %u", inet_ntop(AF_INET6, words, address, sizeof(address)), w->ttl);
}

static void read_answer(const __u8 *message, __u32 length, char *text)
{
	static struct pk_dns_question q;
	static struct pk_dns_walk w;
	int error = pk_dns_read_answer(message, length, PACKETS_SEED, &q, &w);

	say_question(error, &q, text);
	while (!error) {
		error = pk_dns_next(message, length, PACKETS_SEED, &w);
		if (error)
			say(text, ", %s", errors[error]);
		if (w.what == PK_DNS_END)
			break;
		say_record(&w, text);
	}
}

static void feed(struct pk_payload *p, const uint8_t *bytes, size_t length,
		 const struct packet_pieces *pieces)
{
	size_t at = 0, room = 0;
	__u8 *chunk = NULL;

	memset(p, 0, sizeof(*p));
	while (at < length) {
		size_t size = length - at < pieces->step ? length - at : pieces->step;

		if (pieces->cut > at && size > pieces->cut - at)
			size = pieces->cut - at;
		/* Exactly as long as it says: what lies behind must not be read. */
		if (size != room) {
			free(chunk);
			chunk = malloc(size);
			room = size;
		}
		memcpy(chunk, bytes + at, size);
		pk_payload_feed(p, chunk, (__u32)size);
		at += size;
	}
	free(chunk);
}

void packet_text(char kind, const uint8_t *bytes, size_t length, const struct packet_pieces *pieces,
		 char *ret)
{
	static struct pk_dns_question q;
	static struct pk_payload p;

	*ret = '\0';
	if (kind == 'q') {
		say_question(pk_dns_read_question(in_buffer(bytes, length), (__u32)length,
						  PACKETS_SEED, &q),
			     &q, ret);
	} else if (kind == 'a') {
		read_answer(in_buffer(bytes, length), (__u32)length, ret);
	} else {
		feed(&p, bytes, length, pieces ? pieces : &whole);
		say(ret, "%s %s", protocols[p.protocol], states[p.state]);
		if (p.state == PK_PAYLOAD_NAMED)
			say(ret, " %.*s", (int)p.length, p.name);
	}
}

static const char *question_differs(const __u8 *message, __u32 length)
{
	static struct reference_question want;
	static struct pk_dns_question got;
	int error = pk_dns_read_question(message, length, PACKETS_SEED, &got);

	if (error != reference_question(message, length, &want))
		return "question: error";
	if (error && error != PK_DNS_TYPE)
		return NULL;
	if (got.id != want.id || got.type != want.type)
		return "question: type";
	if (got.name.length != strlen(want.name) ||
	    memcmp(got.name.text, want.name, got.name.length) != 0)
		return "question: name";
	if (got.name.hash != pk_host_hash(got.name.text, got.name.length, PACKETS_SEED))
		return "question: hash";
	return NULL;
}

static const char *record_differs(const struct pk_dns_walk *got,
				  const struct reference_record *want)
{
	if ((int)got->what != want->what || got->ttl != want->ttl)
		return "answer: record";
	if (want->what == PK_DNS_ALIAS) {
		if (got->name.length != strlen(want->alias) ||
		    memcmp(got->name.text, want->alias, got->name.length) != 0)
			return "answer: alias";
		return NULL;
	}
	for (int i = 0; i < 8; i++) {
		if ((__u8)(got->address_hi >> (56 - 8 * i)) != want->address[i] ||
		    (__u8)(got->address_lo >> (56 - 8 * i)) != want->address[8 + i])
			return "answer: address";
	}
	return NULL;
}

static const char *answer_differs(const __u8 *message, __u32 length)
{
	static struct reference_answer want;
	static struct pk_dns_question q;
	static struct pk_dns_walk w;
	int wanted = reference_answer(message, length, &want);
	int error = pk_dns_read_answer(message, length, PACKETS_SEED, &q, &w);
	const char *differs = NULL;
	size_t count = 0;

	while (!error && !differs) {
		error = pk_dns_next(message, length, PACKETS_SEED, &w);
		if (w.what == PK_DNS_END)
			break;
		if (w.what == PK_DNS_OTHER)
			continue;
		if (count == want.count)
			return "answer: more records";
		differs = record_differs(&w, &want.records[count++]);
	}
	if (differs)
		return differs;
	if (error != wanted)
		return "answer: error";
	/* A reference that finds hints to be broken may have found good ones before. */
	return error || count == want.count ? NULL : "answer: fewer records";
}

static const char *payload_differs(const uint8_t *bytes, size_t length)
{
	static struct pk_payload p;
	char name[REFERENCE_NAME];
	int want = reference_payload(bytes, length, name), got;

	feed(&p, bytes, length, &whole);
	got = (int)p.state;
	if (got == PK_PAYLOAD_NAMED &&
	    (p.length != strlen(name) || memcmp(p.name, name, p.length) != 0))
		return "payload: name";
	if (got == want || (want == PK_PAYLOAD_BAD && got == PK_PAYLOAD_NAMELESS))
		return NULL;
	return want == PK_PAYLOAD_MORE && got != PK_PAYLOAD_NAMED ? NULL : "payload: state";
}

const char *packet_differs(char kind, const uint8_t *bytes, size_t length)
{
	if (kind == 'q')
		return question_differs(in_buffer(bytes, length), (__u32)length);
	if (kind == 'a')
		return answer_differs(in_buffer(bytes, length), (__u32)length);
	return payload_differs(bytes, length);
}
