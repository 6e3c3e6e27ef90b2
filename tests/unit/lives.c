/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of processes' lives for tests.
 */
#include "lives.h"

#include <stdlib.h>
#include <string.h>

void raw_life(struct raw_life *raw, enum pk_life_what what, __u32 tgid, __u64 start_ns)
{
	memset(raw, 0, sizeof(*raw));
	raw->head = (struct pk_life){
		.size = sizeof(raw->head),
		.abi = PK_ABI_VERSION,
		.kind = PK_EVENT_LIFE,
		.what = (__u8)what,
		.time_ns = start_ns + 1000000,
		.agent = 1,
		.tgid = tgid,
		.parent_tgid = 4194303,
		.start_ns = start_ns,
		.parent_start_ns = 1,
		.cgroup = 77,
		.uid = 1000,
		.gid = 100,
		.comm = "work",
	};
}

void raw_life_texts(struct raw_life *raw, const char *text, const char *text2, size_t size,
		    __u32 words)
{
	raw->head.text_length = (__u32)strlen(text);
	raw->head.text2_length = (__u32)size;
	raw->head.words = words;
	memcpy(raw->tail, text, strlen(text));
	if (size)
		memcpy(raw->tail + strlen(text), text2, size);
	raw->head.size = (__u32)(sizeof(raw->head) + strlen(text) + size);
}

struct life raw_life_decode(const struct raw_life *raw)
{
	struct life life;

	if (life_decode(raw, raw->head.size, &life))
		abort();
	return life;
}
