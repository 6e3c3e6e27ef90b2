/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The first bytes of a connection, byte by byte as they are sent: is it TLS or HTTP/1, and which server
 * does it name? Pure like match.h: the same lines are compiled into the BPF programs, the tests and
 * the fuzzers. The state lives between packets, so it does not matter how the sender cuts them, nor
 * how a ClientHello is cut into TLS records.
 *
 *   TLS    first byte 0x16: a ClientHello; the name is that of extension server_name (type 0). Of a
 *          hello with an encrypted one inside it is the outer name. No such extension, an empty or a
 *          second one, or a name that is no host name: PK_PAYLOAD_NAMELESS
 *   HTTP   a first line that ends in " HTTP/1.0" or " HTTP/1.1": the name in the line itself when it
 *          has one (CONNECT name:port, GET http://name/), else that of the Host header, without the
 *          port. Both and different, two Host headers, none: PK_PAYLOAD_NAMELESS. An address instead
 *          of a name is no name. "PRI * HTTP/2.0" hides its name: PK_PAYLOAD_NAMELESS
 *   other  anything else: PK_PAYLOAD_OTHER as soon as that is certain
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
	__u32 seen; /* bytes fed */
	__u32 phase;
	__u32 need; /* bytes of the field at hand still to come */
	__u32 value; /* the field as a number */
	__u32 record; /* bytes left of the TLS record */
	__u32 body; /* of the handshake message */
	__u32 extensions; /* of all extensions */
	__u32 extension; /* of the one at hand */
	__u32 kind; /* its type */
	__u32 flags;
	__u32 length; /* of the name */
	__u32 line; /* HTTP: bytes of the line at hand */
	__u32 word; /* HTTP: progress in a word looked for */
	__u32 _pad;
	__u8 name[PK_HOST_BUFFER]; /* lower case, dotted, no dot at the end */
};

/*
 * To be provided here:
 *
 *   int pk_payload_feed(struct pk_payload *p, const __u8 *bytes, __u32 length)
 *       @length <= PK_CHUNK bytes of a buffer of PK_CHUNK (every index masked); returns p->state.
 *       Once it is not PK_PAYLOAD_MORE nothing is read any more
 */

#endif
