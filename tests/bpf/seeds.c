/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads packets.txt, and changes its packets at random. What is in them is not looked at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "seeds.h"

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void load_seed(struct seeds *seeds, const char *line)
{
	struct seed *s = &seeds->at[seeds->count];
	const char *at = strrchr(line, '|');

	if (*line == '#' || !at || strlen(at) / 2 > SEED_BYTES || seeds->count == SEED_MAX)
		return;
	s->kind = *line == 'q' ? PACKETS_QUESTION : *line == 'a' ? PACKETS_ANSWER : PACKETS_PAYLOAD;
	for (at++; at[0] > ' ' && at[1] > ' '; at += 2)
		s->bytes[s->length++] = (__u8)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
	seeds->count++;
}

struct seeds *seeds_load(void)
{
	FILE *from = fopen("tests/bpf/packets.txt", "re");
	struct seeds *seeds = calloc(1, sizeof(*seeds));
	char *line = NULL;
	size_t size = 0;

	while (from && seeds && getline(&line, &size, from) > 0)
		load_seed(seeds, line);
	free(line);
	if (from)
		(void)fclose(from);
	if (seeds && seeds->count > 50)
		return seeds;
	free(seeds);
	return NULL;
}

const struct seed *seeds_pick(const struct seeds *seeds, __u32 kind)
{
	for (;;) {
		const struct seed *s = &seeds->at[(unsigned long)random() % seeds->count];

		if (s->kind == kind)
			return s;
	}
}

static void change_once(struct seed *s)
{
	__u32 at = (__u32)random() % s->length;
	__u32 size = (__u32)random() % 8;

	switch (random() % 8) {
	case 0:
		s->length = at;
		break;
	case 1:
		if (at + size > s->length)
			break;
		memmove(s->bytes + at, s->bytes + at + size, s->length - at - size);
		s->length -= size;
		break;
	case 2:
		if (s->length + size > SEED_BYTES)
			break;
		memmove(s->bytes + at + size, s->bytes + at, s->length - at);
		s->length += size;
		break;
	case 3:
		s->bytes[at] = (__u8)random();
		break;
	case 4:
		s->bytes[at] ^= (__u8)(1U << random() % 8);
		break;
	default:
		/* Where the fields are. */
		s->bytes[at % 48 % s->length] += (__u8)(random() % 5 - 2);
	}
}

void seed_change(struct seed *seed)
{
	for (long count = 1 + random() % 4; count && seed->length; count--)
		change_once(seed);
}
