/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The first bytes of a connection, byte by byte as they are sent: is it TLS or HTTP/1, and which server
 * does it name? Pure like match.h: the same lines are compiled into the BPF programs, the tests and
 * the fuzzers. The state lives between packets, so it does not matter how the sender cuts them, nor
 * how a ClientHello is cut into TLS records. The includer defines PK_INLINE and PK_LOOP as for match.h;
 * without them there are the types only.
 *
 *   TLS    first byte 0x16: a ClientHello; the name is that of extension server_name (type 0). Of a
 *          hello with an encrypted one inside it is the outer name. No such extension, an empty or a
 *          second one, or a name that is no host name: PK_PAYLOAD_NAMELESS. A hello of SSL 2.0's form
 *          for a later version has no name either. First bytes of other TLS records, which some servers
 *          pass over: PK_PAYLOAD_BAD
 *   HTTP   a first line "METHOD target HTTP/1.0" or "HTTP/1.1": the name in the target when it has one
 *          (CONNECT name:port, GET http://name/), else that of the Host header, without the
 *          port. Both and different, two Host headers, none: PK_PAYLOAD_NAMELESS. An address instead
 *          of a name is no name. "PRI * HTTP/2.0" hides its name: PK_PAYLOAD_NAMELESS. A first line
 *          with "HTTP/" in it that is not so, and headers that servers read in different ways (folded,
 *          blanks before the colon, bare CR, control bytes): PK_PAYLOAD_BAD
 *   other  anything else: PK_PAYLOAD_OTHER as soon as that is certain, which for text is the end of
 *          the first line
 *
 * Letters are folded, one dot at the end of a name is dropped. A host name is labels of 1 to
 * PK_LABEL_MAX letters, digits, '-' and '_', PK_HOST_MAX in all, the last not of digits only.
 */
#ifndef PICKET_PAYLOAD_H
#define PICKET_PAYLOAD_H

#ifndef __BPF__
#include <linux/types.h>
#endif
#include <picket/abi.h>
#include <picket/limits.h>

/** What is known so far. */
enum pk_payload_state {
	PK_PAYLOAD_MORE, /* not enough bytes yet */
	PK_PAYLOAD_NAMED, /* payload.name */
	PK_PAYLOAD_NAMELESS, /* TLS or HTTP that does not say one name */
	PK_PAYLOAD_OTHER,
	PK_PAYLOAD_BAD, /* malformed, or no end in PK_PAYLOAD_MAX bytes */
};

/** The reader. All zero before the first byte. Its inner fields are payload.h's own. */
struct pk_payload {
	__u32 state; /* enum pk_payload_state */
	__u32 protocol; /* enum pk_protocol */
	__u32 seen; /* bytes read */
	__u32 at; /* offset of the next one in the bytes at hand */
	__u32 phase; /* enum pk_payload_phase */
	__u32 flags; /* PK_SAW_* */
	__u32 skip; /* TLS: bytes to pass over before the field at hand */
	__u32 need; /* bytes of the field still to come */
	__u32 value; /* the field as a number */
	__u32 record; /* bytes left of the TLS record */
	__u32 header; /* bytes read of the next one's header */
	__u32 size; /* the first half of its length */
	__u32 body; /* bytes left of the handshake message */
	__u32 extension; /* bytes of the server_name extension */
	__u32 word; /* HTTP: progress in a word looked for */
	__u32 like; /* progress in "http/" */
	__u32 label; /* bytes of the name's label at hand */
	__u32 said; /* bytes of the name read, or compared with `name` */
	__u32 length; /* of `name` */
	__u32 _pad;
	__u8 name[PK_HOST_BUFFER]; /* lower case, dotted, no dot at the end */
};

#endif

#include <picket/host.h>

#if defined(PK_LOOP) && !defined(PICKET_PAYLOAD_FUNCTIONS)
#define PICKET_PAYLOAD_FUNCTIONS

#include <picket/payload_http.h>
#include <picket/payload_state.h>
#include <picket/payload_tls.h>

static PK_INLINE void pk_payload_first(struct pk_payload *p, __u32 byte)
{
	if (byte == '\r' || byte == '\n') {
		/* Empty lines before a request, which servers pass over. */
		p->flags = PK_SAW_BREAK;
		return;
	}
	p->phase = PK_LINE_METHOD;
	if (p->flags & PK_SAW_BREAK) {
		/* TLS does not begin so: HTTP or something else. */
		p->need = 0;
	} else if (byte == 0x16) {
		p->protocol = PK_PROTOCOL_TLS;
		p->phase = PK_TLS_HEAD;
		p->header = 1;
		p->body = 4;
		p->need = 4;
		return;
	} else if (byte >= 0x14 && byte <= 0x18) {
		p->protocol = PK_PROTOCOL_TLS;
		pk_payload_stop(p, PK_PAYLOAD_BAD);
		return;
	} else if (byte >= 0x80) {
		p->phase = PK_PHASE_OLD;
		p->need = 3;
		return;
	}
	pk_http_first(p, byte);
}

/* The four bytes of SSL 2.0's form: length, length, kind 1, version 3. */
static PK_INLINE void pk_payload_old(struct pk_payload *p, __u32 byte)
{
	p->need--;
	if (p->need == 2)
		return;
	if (byte != (p->need ? 1 : 3)) {
		p->protocol = PK_PROTOCOL_OTHER;
		pk_payload_stop(p, PK_PAYLOAD_OTHER);
	} else if (!p->need) {
		p->protocol = PK_PROTOCOL_TLS;
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	}
}

struct pk_feed {
	struct pk_payload *payload;
	const __u8 *bytes;
	__u32 length;
	__u32 _pad;
};

static long pk_payload_step(__u32 index, void *arg)
{
	const struct pk_feed *f = arg;
	struct pk_payload *p = f->payload;
	__u32 at = p->at, seen = p->seen, count = 1, byte, room;

	(void)index;
	if (at >= f->length || p->state != PK_PAYLOAD_MORE)
		return 1;
	byte = f->bytes[at & (PK_CHUNK - 1)];
	room = f->length - at;
	if (room > PK_PAYLOAD_MAX - seen)
		room = PK_PAYLOAD_MAX - seen;
	if (p->phase >= PK_HEADER_START)
		pk_http_header(p, byte);
	else if (p->phase >= PK_LINE_METHOD)
		pk_http_first(p, byte);
	else if (p->phase == PK_PHASE_START)
		pk_payload_first(p, byte);
	else if (p->phase == PK_PHASE_OLD)
		pk_payload_old(p, byte);
	else if (p->record)
		count = pk_tls_take(p, byte, room);
	else
		pk_tls_header(p, byte);
	p->at = at + count;
	p->seen = seen + count;
	if (p->seen >= PK_PAYLOAD_MAX && p->state == PK_PAYLOAD_MORE)
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	return 0;
}

/**
 * Read the next @length bytes of the connection, of a buffer of PK_CHUNK bytes. Returns p->state; once
 * it is not PK_PAYLOAD_MORE nothing is read any more.
 */
static PK_INLINE int pk_payload_feed(struct pk_payload *p, const __u8 *bytes, __u32 length)
{
	struct pk_feed f = { .payload = p, .bytes = bytes, .length = length };

	p->at = 0;
	if (length > PK_CHUNK && p->state == PK_PAYLOAD_MORE)
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	PK_LOOP(PK_CHUNK, pk_payload_step, &f);
	return (int)p->state;
}

#endif
