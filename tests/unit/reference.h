/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference for picket/dns.h and picket/payload.h: what a packet says, read from a whole buffer in
 * the plainest way and sharing nothing with them.
 */
#ifndef PICKET_TESTS_REFERENCE_H
#define PICKET_TESTS_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/** Room for a host name and a NUL. */
#define REFERENCE_NAME 256
/** Most records of an answer that are kept. */
#define REFERENCE_RECORDS 1200

/** A question, or what an answer repeats of it. */
struct reference_question {
	unsigned int id;
	unsigned int type;
	char name[REFERENCE_NAME];
};

/** One step of the walk through an answer: enum pk_dns_what and what belongs to it. */
struct reference_record {
	int what;
	uint32_t ttl;
	uint8_t address[16];
	char alias[REFERENCE_NAME];
};

struct reference_answer {
	struct reference_question question;
	size_t count; /* PK_DNS_END and errors are not counted, nor is PK_DNS_OTHER */
	struct reference_record records[REFERENCE_RECORDS];
};

/** Enum pk_dns_error of a packet on its way out. */
int reference_question(const uint8_t *message, size_t length, struct reference_question *ret);

/** Enum pk_dns_error of a packet on its way in, that of its records included. */
int reference_answer(const uint8_t *message, size_t length, struct reference_answer *ret);

/**
 * Enum pk_payload_state of the bytes sent so far. Where a name or a line has not come to its end it is
 * PK_PAYLOAD_MORE, though a reader may know better by then; and what is BAD for a record or a line may
 * be NAMELESS to a reader before. @ret_name: REFERENCE_NAME bytes.
 */
int reference_payload(const uint8_t *bytes, size_t length, char *ret_name);

#endif
