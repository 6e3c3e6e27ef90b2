/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes as choices: they make a policy of up to three layers and keys to it; the compiled matcher
 * and the reference must give the same verdict and name the same rule.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/differential.h"

#define KEYS 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice dice = { .data = data, .size = size };
	struct differential d = { .verbose = true };

	if (!size)
		return 0;
	differential_run(&d, &dice, KEYS, NAIVE_RIGHT);
	if (d.differences || d.refused)
		abort();
	return 0;
}
