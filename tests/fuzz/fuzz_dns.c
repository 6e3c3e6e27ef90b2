/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS messages of any bytes, as a question on its way out and as an answer on its way in: what is found
 * is what the reference finds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(char kind, const uint8_t *data, size_t size)
{
	const char *differs = packet_differs(kind, data, size);

	if (!differs)
		return;
	fprintf(stderr, "%s\n", differs);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	compare('q', data, size);
	compare('a', data, size);
	return 0;
}
