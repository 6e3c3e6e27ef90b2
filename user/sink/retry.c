/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exponential, with jitter.
 */
#include "sink/retry.h"

#include <sys/random.h>

unsigned int retry_wait_ms(unsigned int failures)
{
	unsigned int wait = RETRY_FIRST_MS;
	unsigned int random = 0;

	for (unsigned int i = 1; i < failures && wait < RETRY_MOST_MS; i++)
		wait *= 2;
	if (wait > RETRY_MOST_MS)
		wait = RETRY_MOST_MS;
	/* Without random bits many may come at once. */
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return wait / 2 + random % (wait / 2 + 1);
}
