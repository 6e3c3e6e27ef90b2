/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * DNS messages, as much of them as a decision needs: one plain question on the way out, addresses and
 * aliases on the way in. Pure like match.h: the same lines are compiled into the BPF programs, the
 * tests and the fuzzers. The includer defines PK_INLINE and PK_LOOP as for match.h.
 *
 * A message is a buffer of PK_DNS_MAX bytes (every index is masked) of which `length` are the
 * message's. Host names come out in lower case, dotted, without a dot at the end. Whatever is not
 * exactly as expected is an error; the caller drops the packet.
 *
 *   Question that passes: QR 0, opcode 0, one question of class IN, no answer and no authority record;
 *   additional records: none, or one EDNS record (root name, type 41) with at most PK_DNS_OPTIONS_MAX
 *   bytes of options; nothing behind. Name: labels of 1 to PK_LABEL_MAX bytes, letters, digits, '-'
 *   and '_', at most PK_HOST_MAX in all, never compressed. Type: A, AAAA, CNAME, HTTPS or SVCB.
 */
#ifndef PICKET_DNS_H
#define PICKET_DNS_H

#ifndef __BPF__
#include <linux/types.h>
#endif
#include <picket/limits.h>

/** Record types that may be asked for. */
#define PK_DNS_A 1
#define PK_DNS_CNAME 5
#define PK_DNS_AAAA 28
#define PK_DNS_SVCB 64
#define PK_DNS_HTTPS 65

/** What is wrong with a message. */
enum pk_dns_error {
	PK_DNS_GOOD,
	PK_DNS_FORM, /* malformed, or not one plain question */
	PK_DNS_TYPE, /* a type that is not asked for here; the name and type are set */
	PK_DNS_LOOP, /* compression that does not end */
};

/** A host name out of a message. */
struct pk_dns_name {
	__u64 hash; /* pk_host_hash() of the text */
	__u32 length;
	__u32 next; /* offset behind the name in the message */
	__u8 text[PK_HOST_BUFFER];
};

/** A question, or an answer's copy of it. */
struct pk_dns_question {
	__u16 id;
	__u16 type;
	__u32 next; /* offset behind the question */
	struct pk_dns_name name;
};

/** What a record of an answer says. */
enum pk_dns_what {
	PK_DNS_OTHER, /* nothing to us: another owner or type */
	PK_DNS_ADDRESS, /* `address`, `ttl` */
	PK_DNS_ALIAS, /* `name`: further records are for that name */
	PK_DNS_END,
};

/** A walk over the records of an answer. Starts at the question's name; follows aliases in order. */
struct pk_dns_walk {
	__u32 next; /* offset of the record at hand */
	__u32 left; /* records of the answer section left */
	__u64 owner; /* hash of the name whose records count */
	__u32 what; /* enum pk_dns_what of the record last read */
	__u32 ttl; /* seconds, as the record says */
	__u32 hints; /* HTTPS and SVCB: address hints left in the record at hand */
	__u32 hint; /* offset of the next one */
	__u32 hint_size; /* 4 or 16 */
	__u32 _pad;
	__u64 address_hi; /* struct pk_address */
	__u64 address_lo;
	struct pk_dns_name name; /* work area, and the alias */
};

/*
 * To be provided here:
 *
 *   __u64 pk_host_hash(const __u8 *text, __u32 length, __u64 seed)
 *       never 0
 *   int pk_dns_read_question(const __u8 *message, __u32 length, __u64 seed,
 *                            struct pk_dns_question *ret)
 *       of a packet on its way out; enum pk_dns_error
 *   int pk_dns_read_answer(const __u8 *message, __u32 length, __u64 seed,
 *                          struct pk_dns_question *ret, struct pk_dns_walk *ret_walk)
 *       of a packet on its way in: header (QR 1, opcode 0, one question) and the question's copy;
 *       starts the walk over its answers, of which there are none when rcode is not 0
 *   int pk_dns_next(const __u8 *message, __u32 length, __u64 seed, struct pk_dns_walk *walk)
 *       the next record, or the next hint of the one at hand: walk->what. One call does bounded work
 */

#endif
