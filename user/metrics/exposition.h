/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page of metrics in Prometheus' text format 0.0.4. Samples come in any order; the page has those of a
 * metric together, below its HELP and TYPE.
 */
#ifndef PICKET_METRICS_EXPOSITION_H
#define PICKET_METRICS_EXPOSITION_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "metrics/families.h"

/** The type of the page, for HTTP. */
#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/** Samples of one metric. */
struct exposition_part {
	FILE *to; /* NULL = none yet */
	char *text;
	size_t size;
};

/** A page being made. Zero-initialise; exposition_reset() frees. */
struct exposition {
	struct exposition_part parts[METRIC__COUNT];
	bool failed; /* something had no memory */
};

/** A bucket of a histogram. */
struct exposition_bucket {
	double at_most; /* what it holds */
	__u64 count; /* not cumulative */
};

/** What a histogram holds. */
struct exposition_histogram {
	const struct exposition_bucket *buckets; /* by rising bounds */
	size_t bucket_count;
	__u64 over; /* of what is over the last bound */
	double sum;
};

/** Add a sample: behind @value a text, never NULL, for each label of the metric in its order. */
void exposition_add(struct exposition *page, enum metric metric, double value, ...);

/** Add a histogram of a metric with one label, whose value is @label. */
void exposition_add_histogram(struct exposition *page, enum metric metric, const char *label,
			      const struct exposition_histogram *histogram);

/** Store the page, malloc'ed. Returns 0 or -ENOMEM. */
int exposition_finish(struct exposition *page, char **ret_text, size_t *ret_length);

/** Free what it holds. */
void exposition_reset(struct exposition *page);

#endif
