/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Inside of payload.h: where the reader is, and how it reads a name.
 */
#ifndef PICKET_PAYLOAD_STATE_H
#define PICKET_PAYLOAD_STATE_H

#include <picket/payload.h>

/* What comes next. The order counts: pk_payload_byte(). */
enum pk_payload_phase {
	PK_PHASE_START,
	PK_PHASE_OLD, /* perhaps a hello of SSL 2.0's form */
	PK_TLS_HEAD, /* of the handshake message */
	PK_TLS_SESSION,
	PK_TLS_SUITES,
	PK_TLS_COMPRESSION,
	PK_TLS_EXTENSIONS,
	PK_TLS_EXTENSION,
	PK_TLS_LIST,
	PK_TLS_ENTRY,
	PK_TLS_NAME,
	PK_LINE_METHOD, /* the first line of HTTP */
	PK_LINE_TARGET,
	PK_LINE_SCHEME,
	PK_LINE_SLASHES,
	PK_LINE_HOST,
	PK_LINE_PORT,
	PK_LINE_PATH,
	PK_LINE_VERSION,
	PK_LINE_ODD, /* no such line: is it like one? */
	PK_HEADER_START, /* its headers */
	PK_HEADER_FIELD,
	PK_HEADER_VALUE,
	PK_HEADER_CR,
	PK_HEADER_END, /* CR of the empty line */
	PK_HEADER_HOST,
	PK_HEADER_NAME,
	PK_HEADER_PORT,
	PK_HEADER_BLANK,
};

#define PK_SAW_EXTENSION 1U /* a server_name */
#define PK_SAW_NAME 2U /* `name` is one */
#define PK_SAW_NO_NAME 4U /* the first line has something else instead of a name */
#define PK_SAW_HOST 8U /* a Host header */
#define PK_SAW_LIKE 16U /* "http/" in the first line */
#define PK_SAW_BREAK 32U /* an empty line before the first one */
#define PK_NAME_DOT 64U /* a dot that is the name's when a label follows */
#define PK_NAME_LETTER 128U /* the label is not of digits only */
#define PK_NAME_WRONG 256U

/* Words as numbers, first letter lowest: BPF programs have no good place for strings. */
#define PK_WORD_CONNECT 0x005443454e4e4f43ULL
#define PK_WORD_VERSION 0x002e312f50545448ULL /* HTTP/1. */
#define PK_WORD_HTTP 0x0000002f70747468ULL /* http/ */
#define PK_WORD_HOST 0x0000000074736f68ULL
#define PK_WORD_DEAD 255U

static PK_INLINE void pk_payload_stop(struct pk_payload *p, __u32 state)
{
	p->state = state;
	if (state != PK_PAYLOAD_NAMED)
		p->length = 0;
}

static PK_INLINE void pk_name_start(struct pk_payload *p)
{
	p->said = 0;
	p->label = 0;
	p->flags &= ~(PK_NAME_DOT | PK_NAME_LETTER | PK_NAME_WRONG);
}

/* A byte of the name as it is kept: written, or compared with the name that was there before. */
static PK_INLINE void pk_name_keep(struct pk_payload *p, __u32 byte)
{
	__u32 at = p->said;

	p->said = at + 1;
	if (at < PK_HOST_MAX && !(p->flags & PK_SAW_NAME))
		p->name[at & (PK_HOST_BUFFER - 1)] = (__u8)byte;
	else if (at >= PK_HOST_MAX || p->name[at & (PK_HOST_BUFFER - 1)] != byte)
		p->flags |= PK_NAME_WRONG;
}

static PK_INLINE void pk_name_byte(struct pk_payload *p, __u32 byte)
{
	__u32 kept = pk_host_byte(byte);

	if (byte == '.' && p->label) {
		p->label = 0;
		p->flags |= PK_NAME_DOT;
		return;
	}
	if (!kept || p->label >= PK_LABEL_MAX) {
		p->flags |= PK_NAME_WRONG;
		return;
	}
	if (p->flags & PK_NAME_DOT) {
		p->flags &= ~(PK_NAME_DOT | PK_NAME_LETTER);
		pk_name_keep(p, '.');
	}
	if (kept - '0' >= 10)
		p->flags |= PK_NAME_LETTER;
	p->label++;
	pk_name_keep(p, kept);
}

/* The name has ended. Returns 0 when it is one, and the one that was there before if any. */
static PK_INLINE int pk_name_end(struct pk_payload *p)
{
	if ((p->flags & PK_NAME_WRONG) || !(p->flags & PK_NAME_LETTER))
		return 1;
	if ((p->flags & PK_SAW_NAME) && p->said != p->length)
		return 1;
	p->flags |= PK_SAW_NAME;
	p->length = p->said;
	return 0;
}

#endif
