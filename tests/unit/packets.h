/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets for the tests of picket/dns.h and picket/payload.h: those recorded from real programs in
 * packets.txt, and the comparison with the reference.
 */
#ifndef PICKET_TESTS_PACKETS_H
#define PICKET_TESTS_PACKETS_H

#include <stddef.h>
#include <stdint.h>

#define PACKETS_SEED 0x1234567890abcdefULL
/** Longest packet and longest expectation of packets.txt. */
#define PACKET_MAX 8192
#define PACKET_TEXT 1024

/** A line of packets.txt. */
struct packet {
	char kind; /* q: question, a: answer, p: payload */
	char name[64];
	char expect[PACKET_TEXT]; /* as packet_text() says it */
	uint8_t bytes[PACKET_MAX];
	size_t length;
};

/** Call @each with every line of packets.txt. Returns their number, or -1. */
int packets_load(void (*each)(const struct packet *packet));

/** How a payload is fed. */
struct packet_pieces {
	size_t step; /* bytes at a time, at most PK_CHUNK */
	size_t cut; /* another end of a piece; 0 = none */
};

/**
 * What the reader of its kind finds in a packet, in words, into @ret (PACKET_TEXT bytes). @pieces may be
 * NULL: as large as can be.
 */
void packet_text(char kind, const uint8_t *bytes, size_t length, const struct packet_pieces *pieces,
		 char *ret);

/** Does the reader agree with the reference? Returns NULL, or what it is about. */
const char *packet_differs(char kind, const uint8_t *bytes, size_t length);

#endif
