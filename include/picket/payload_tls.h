/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Inside of payload.h: a ClientHello, and the records it comes in.
 */
#ifndef PICKET_PAYLOAD_TLS_H
#define PICKET_PAYLOAD_TLS_H

#include <picket/payload_state.h>

/* What comes next in the handshake message. */
static PK_INLINE void pk_tls_expect(struct pk_payload *p, __u32 phase, __u32 skip, __u32 need)
{
	if (skip + need > p->body) {
		pk_payload_stop(p, PK_PAYLOAD_BAD);
		return;
	}
	p->phase = phase;
	p->skip = skip;
	p->need = need;
	p->value = 0;
}

/* Behind @skip bytes more: an extension, or the end. */
static PK_INLINE void pk_tls_extension(struct pk_payload *p, __u32 skip)
{
	if (p->body != skip)
		pk_tls_expect(p, PK_TLS_EXTENSION, skip, 4);
	else if (p->flags & PK_SAW_NAME)
		pk_payload_stop(p, PK_PAYLOAD_NAMED);
	else
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
}

/* The header of an extension was read. */
static PK_INLINE void pk_tls_open_extension(struct pk_payload *p)
{
	__u32 size = p->value & 0xffff, other = p->value >> 16;
	__u32 nameless = !other && (!size || (p->flags & PK_SAW_EXTENSION));

	if (size > p->body || (!other && !nameless && size < 5)) {
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	} else if (other) {
		pk_tls_extension(p, size);
	} else if (nameless) {
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	} else {
		p->flags |= PK_SAW_EXTENSION;
		p->extension = size;
		pk_tls_expect(p, PK_TLS_LIST, 0, 2);
	}
}

/* Kind and length of the first name were read. */
static PK_INLINE void pk_tls_open_name(struct pk_payload *p)
{
	__u32 size = p->value & 0xffff, room = p->extension - 5;

	if (size > room) {
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	} else if (p->value >> 16 || !size || size != room) {
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	} else {
		pk_name_start(p);
		pk_tls_expect(p, PK_TLS_NAME, 0, size);
	}
}

static PK_INLINE void pk_tls_close_name(struct pk_payload *p)
{
	if (pk_name_end(p))
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	else
		pk_tls_extension(p, 0);
}

/* The message's kind and length were read. */
static PK_INLINE void pk_tls_open_hello(struct pk_payload *p)
{
	p->body = p->value & 0xffffff;
	if (p->value >> 24 != 1 || p->body > PK_PAYLOAD_MAX)
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	else
		pk_tls_expect(p, PK_TLS_SESSION, 34, 1);
}

/* A field was read: what does it say about the next one? */
static PK_INLINE void pk_tls_field(struct pk_payload *p)
{
	__u32 value = p->value;

	if (p->phase == PK_TLS_EXTENSION) {
		pk_tls_open_extension(p);
	} else if (p->phase == PK_TLS_NAME) {
		pk_tls_close_name(p);
	} else if (p->phase == PK_TLS_HEAD) {
		pk_tls_open_hello(p);
	} else if (p->phase == PK_TLS_SESSION && value <= 32) {
		pk_tls_expect(p, PK_TLS_SUITES, value, 2);
	} else if (p->phase == PK_TLS_SUITES) {
		pk_tls_expect(p, PK_TLS_COMPRESSION, value, 1);
	} else if (p->phase == PK_TLS_COMPRESSION && value == p->body) {
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	} else if (p->phase == PK_TLS_COMPRESSION) {
		pk_tls_expect(p, PK_TLS_EXTENSIONS, value, 2);
	} else if (p->phase == PK_TLS_EXTENSIONS && value == p->body) {
		pk_tls_extension(p, 0);
	} else if (p->phase == PK_TLS_LIST && value == p->extension - 2) {
		pk_tls_expect(p, PK_TLS_ENTRY, 0, 3);
	} else if (p->phase == PK_TLS_ENTRY) {
		pk_tls_open_name(p);
	} else {
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	}
}

/* A byte of a record's header: handshake, version 3.x, length 1 to 16384. */
static PK_INLINE void pk_tls_header(struct pk_payload *p, __u32 byte)
{
	__u32 at = p->header, bad = 0;

	p->header = at + 1;
	if (at == 0) {
		bad = byte != 0x16;
	} else if (at == 1) {
		bad = byte != 3;
	} else if (at == 3) {
		p->size = byte;
	} else if (at == 4) {
		p->record = p->size << 8 | byte;
		p->header = 0;
		bad = !p->record || p->record > 16384;
	}
	if (bad)
		pk_payload_stop(p, PK_PAYLOAD_BAD);
}

/* Bytes of the handshake message, of which there are @room; returns how many were taken. */
static PK_INLINE __u32 pk_tls_take(struct pk_payload *p, __u32 byte, __u32 room)
{
	__u32 count = 1;

	if (p->skip) {
		count = p->skip < p->record ? p->skip : p->record;
		if (count > room)
			count = room;
		p->skip -= count;
	} else {
		p->need--;
		p->value = p->value << 8 | byte;
	}
	p->record -= count;
	p->body -= count;
	if (p->phase == PK_TLS_NAME) {
		pk_name_byte(p, byte);
		if (p->flags & PK_NAME_WRONG)
			pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	}
	if (!p->need && p->state == PK_PAYLOAD_MORE)
		pk_tls_field(p);
	return count;
}

#endif
