/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First payloads of any bytes: what is found is what the reference finds, and it is the same however
 * the bytes are cut.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_same(const uint8_t *data, size_t size, const struct packet_pieces *pieces,
			const char *whole)
{
	char found[PACKET_TEXT];

	packet_text('p', data, size, pieces, found);
	if (strcmp(found, whole) == 0)
		return;
	fprintf(stderr, "'%s', in pieces '%s'\n", whole, found);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *differs = packet_differs('p', data, size);
	char whole[PACKET_TEXT];

	if (differs) {
		fprintf(stderr, "%s\n", differs);
		abort();
	}
	packet_text('p', data, size, NULL, whole);
	expect_same(data, size, &(struct packet_pieces){ 1, 0 }, whole);
	if (size)
		expect_same(data, size, &(struct packet_pieces){ 7, data[size - 1] % size }, whole);
	return 0;
}
