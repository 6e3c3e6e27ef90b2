/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of processes' lives for tests: the bytes as the kernel side would write them.
 */
#ifndef PICKET_TESTS_UNIT_LIVES_H
#define PICKET_TESTS_UNIT_LIVES_H

#include "telemetry/life.h"

/** A record under construction, with room for its texts. */
struct raw_life {
	struct pk_life head;
	char tail[PK_PATH_MAX + PK_LIFE_WORDS_MAX];
};

/** A record of @what of process @tgid that started at @start_ns, of agent 1, below a process that is nowhere. */
void raw_life(struct raw_life *raw, enum pk_life_what what, __u32 tgid, __u64 start_ns);

/** Set the texts and the sizes: @text, and @size bytes at @text2, which are @words texts. */
void raw_life_texts(struct raw_life *raw, const char *text, const char *text2, size_t size,
		    __u32 words);

/** Decode @raw, which must be well formed. */
struct life raw_life_decode(const struct raw_life *raw);

#endif
