/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long to wait before something is tried again.
 */
#ifndef PICKET_SINK_RETRY_H
#define PICKET_SINK_RETRY_H

/** The first wait, and the longest, in milliseconds. */
#define RETRY_FIRST_MS 500U
#define RETRY_MOST_MS 30000U

/**
 * Milliseconds before try number @failures + 1 (1: the first after a failure): twice as many after each
 * failure, up to RETRY_MOST_MS, and of these between half and all, so that many do not come at once.
 */
unsigned int retry_wait_ms(unsigned int failures);

#endif
