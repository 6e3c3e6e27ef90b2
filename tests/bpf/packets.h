/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What test_packets.c and packets.bpf.c hand each other: one packet and what was read in it. */
#ifndef TESTS_BPF_PACKETS_H
#define TESTS_BPF_PACKETS_H

#include <picket/dns.h>
#include <picket/payload.h>

/** What to read. */
enum packets_kind {
	PACKETS_QUESTION,
	PACKETS_ANSWER,
	PACKETS_PAYLOAD,
};

/** Records of an answer that are handed back. */
#define PACKETS_RECORDS 16U

struct packets_record {
	__u64 address_hi;
	__u64 address_lo;
	__u64 owner; /* of the records that follow */
	__u32 what;
	__u32 ttl;
};

struct packets_io {
	__u64 seed;
	__u32 kind;
	__u32 length;
	__u32 cut; /* payloads: the first feed ends here */
	__u32 calls; /* answers: the answer to pk_dns_next(): how often it was called */
	__s32 error; /* payloads: the state; else enum pk_dns_error, of an answer that of the walk too */
	__u32 _pad;
	struct pk_dns_question question;
	struct pk_dns_walk walk;
	struct packets_record records[PACKETS_RECORDS];
	struct pk_payload payload;
	__u8 bytes[2 * PK_DNS_MAX];
};

#endif
