/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Inside of payload.h: the first line and the headers of an HTTP/1 request.
 */
#ifndef PICKET_PAYLOAD_HTTP_H
#define PICKET_PAYLOAD_HTTP_H

#include <picket/payload_state.h>

/* A byte that words of HTTP may have. */
static PK_INLINE int pk_http_token(__u32 byte)
{
	if (pk_host_byte(byte))
		return 1;
	return byte == '!' || (byte >= '#' && byte <= '\'') || byte == '*' || byte == '+' ||
	       byte == '.' || byte == '^' || byte == '`' || byte == '|' || byte == '~';
}

/* Progress in a word of @length letters after one byte more. */
static PK_INLINE __u32 pk_word_on(__u64 word, __u32 length, __u32 at, __u32 byte)
{
	if (at < length && (word >> (at * 8 & 63) & 0xff) == byte)
		return at + 1;
	return PK_WORD_DEAD;
}

/* Progress in "http/", anywhere in the line. */
static PK_INLINE void pk_http_like(struct pk_payload *p, __u32 byte)
{
	__u32 folded = byte == '/' ? byte : pk_host_byte(byte);
	__u32 on = pk_word_on(PK_WORD_HTTP, 5, p->like, folded);

	if (on == PK_WORD_DEAD)
		on = folded == 'h';
	if (on == 5)
		p->flags |= PK_SAW_LIKE;
	p->like = on;
}

/* The first line has ended. */
static PK_INLINE void pk_http_line(struct pk_payload *p)
{
	if (p->phase == PK_LINE_VERSION && (p->word == 8 || p->word == 9)) {
		p->protocol = PK_PROTOCOL_HTTP;
		p->phase = PK_HEADER_START;
		if (p->flags & PK_SAW_NO_NAME)
			pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	} else if (p->flags & PK_SAW_LIKE) {
		p->protocol = PK_PROTOCOL_HTTP;
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	} else {
		p->protocol = PK_PROTOCOL_OTHER;
		pk_payload_stop(p, PK_PAYLOAD_OTHER);
	}
}

static PK_INLINE void pk_http_method(struct pk_payload *p, __u32 byte)
{
	__u32 first = p->need == 0;

	p->need = 1;
	if (pk_http_token(byte)) {
		p->word = pk_word_on(PK_WORD_CONNECT, 7, p->word, byte);
	} else if (byte == ' ' && !first) {
		p->phase = p->word == 7 ? PK_LINE_HOST : PK_LINE_TARGET;
		pk_name_start(p);
	} else if ((first && byte > ' ') || byte < '\t' || (byte > '\r' && byte < 0x1c)) {
		/* Text begins otherwise; what some server takes for a blank is looked at further. */
		p->protocol = PK_PROTOCOL_OTHER;
		pk_payload_stop(p, PK_PAYLOAD_OTHER);
	} else {
		p->phase = PK_LINE_ODD;
	}
}

/* Where a byte of the target leads when it is none of those that are special there. */
static PK_INLINE __u32 pk_http_other(__u32 byte, __u32 phase)
{
	if (byte == ' ')
		return PK_LINE_VERSION;
	return byte > ' ' && byte != 0x7f ? phase : PK_LINE_ODD;
}

/* The start of a target: a path, or a URL up to its name. */
static PK_INLINE void pk_http_target(struct pk_payload *p, __u32 byte)
{
	__u32 letter = (byte | 0x20) - 'a' < 26, phase = PK_LINE_ODD;

	if (p->phase == PK_LINE_TARGET) {
		if (byte == '/' || byte == '*')
			phase = PK_LINE_PATH;
		else if (letter)
			phase = PK_LINE_SCHEME;
	} else if (p->phase == PK_LINE_SCHEME) {
		if (byte == ':')
			phase = PK_LINE_SLASHES;
		else if (letter || byte - '0' < 10 || byte == '+' || byte == '-' || byte == '.')
			phase = PK_LINE_SCHEME;
		p->need = 2;
	} else if (byte == '/') {
		p->need--;
		phase = p->need ? PK_LINE_SLASHES : PK_LINE_HOST;
	}
	p->phase = phase;
}

/* The name in a target, and its port. */
static PK_INLINE void pk_http_authority(struct pk_payload *p, __u32 byte)
{
	__u32 ends = byte == '/' || byte == '?' || byte == '#' || byte <= ' ' || byte == 0x7f;

	if (p->phase == PK_LINE_HOST) {
		if (!ends && byte != ':') {
			pk_name_byte(p, byte);
			return;
		}
		if (pk_name_end(p))
			p->flags |= PK_SAW_NO_NAME;
		if (byte == ':') {
			p->phase = PK_LINE_PORT;
			return;
		}
	} else if (!ends) {
		if (byte - '0' >= 10)
			p->flags |= PK_SAW_NO_NAME;
		return;
	}
	p->word = 0;
	p->phase = pk_http_other(byte, PK_LINE_PATH);
}

static PK_INLINE void pk_http_version(struct pk_payload *p, __u32 byte)
{
	__u32 word = p->word;

	if (word < 7)
		p->word = pk_word_on(PK_WORD_VERSION, 7, word, byte);
	else if ((word == 7 && (byte == '0' || byte == '1')) || (word == 8 && byte == '\r'))
		p->word = word + 1;
	else
		p->word = PK_WORD_DEAD;
	if (word == 5 && byte == '2') {
		p->protocol = PK_PROTOCOL_HTTP;
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	} else if (p->word == PK_WORD_DEAD) {
		p->phase = PK_LINE_ODD;
	}
}

static PK_INLINE void pk_http_first(struct pk_payload *p, __u32 byte)
{
	pk_http_like(p, byte);
	if (byte == '\n') {
		pk_http_line(p);
	} else if (p->phase == PK_LINE_METHOD) {
		pk_http_method(p, byte);
	} else if (p->phase <= PK_LINE_SLASHES) {
		pk_http_target(p, byte);
	} else if (p->phase <= PK_LINE_PORT) {
		pk_http_authority(p, byte);
	} else if (p->phase == PK_LINE_PATH) {
		p->word = 0;
		p->phase = pk_http_other(byte, PK_LINE_PATH);
	} else if (p->phase == PK_LINE_VERSION) {
		pk_http_version(p, byte);
	}
}

static PK_INLINE void pk_http_end(struct pk_payload *p)
{
	if (p->flags & PK_SAW_NAME)
		pk_payload_stop(p, PK_PAYLOAD_NAMED);
	else
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
}

/* A byte of a header's field name, or the first of a line. */
static PK_INLINE void pk_http_field(struct pk_payload *p, __u32 byte)
{
	__u32 start = p->phase == PK_HEADER_START;

	if (pk_http_token(byte)) {
		if (start)
			p->word = 0;
		p->word = pk_word_on(PK_WORD_HOST, 4, p->word, pk_host_byte(byte));
		p->phase = PK_HEADER_FIELD;
	} else if (start && byte == '\r') {
		p->phase = PK_HEADER_END;
	} else if (start && byte == '\n') {
		pk_http_end(p);
	} else if (start || byte != ':') {
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	} else if (p->word != 4) {
		p->phase = PK_HEADER_VALUE;
	} else if (p->flags & PK_SAW_HOST) {
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	} else {
		p->flags |= PK_SAW_HOST;
		p->phase = PK_HEADER_HOST;
		pk_name_start(p);
	}
}

/* A byte of the Host header's value. */
static PK_INLINE void pk_http_host(struct pk_payload *p, __u32 byte)
{
	__u32 blank = byte == ' ' || byte == '\t';
	__u32 ends = blank || byte == '\r' || byte == '\n';
	__u32 wrong = 0;

	if (p->phase == PK_HEADER_HOST) {
		if (blank)
			return;
		p->phase = PK_HEADER_NAME;
	}
	if (p->phase == PK_HEADER_NAME) {
		if (ends || byte == ':')
			wrong = pk_name_end(p) != 0;
		else
			pk_name_byte(p, byte);
		if (byte == ':')
			p->phase = PK_HEADER_PORT;
		wrong |= p->flags & PK_NAME_WRONG;
	} else if (!ends) {
		wrong = p->phase == PK_HEADER_BLANK || byte - '0' >= 10;
	}
	if (wrong)
		pk_payload_stop(p, PK_PAYLOAD_NAMELESS);
	else if (ends)
		p->phase = blank ? PK_HEADER_BLANK : byte == '\r' ? PK_HEADER_CR : PK_HEADER_START;
}

static PK_INLINE void pk_http_header(struct pk_payload *p, __u32 byte)
{
	if (p->phase >= PK_HEADER_HOST) {
		pk_http_host(p, byte);
	} else if (p->phase <= PK_HEADER_FIELD) {
		pk_http_field(p, byte);
	} else if (byte == '\n') {
		if (p->phase == PK_HEADER_END)
			pk_http_end(p);
		p->phase = PK_HEADER_START;
	} else if (p->phase == PK_HEADER_VALUE && byte == '\r') {
		p->phase = PK_HEADER_CR;
	} else if (p->phase != PK_HEADER_VALUE || (byte < ' ' && byte != '\t') || byte == 0x7f) {
		pk_payload_stop(p, PK_PAYLOAD_BAD);
	}
}

#endif
