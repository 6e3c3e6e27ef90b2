/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images from anywhere: whatever image_validate() accepts can be matched, explained and disassembled
 * without leaving its bytes, and every answer is a verdict.
 *
 * Input: an image whose last zero bytes were cut (an image is whole pages, inputs are short). The
 * mutator makes size and digest right again, so that what lies behind those checks is reached.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/dump.h"
#include "policy/explain.h"

#define IMAGE_MAX (4 * PK_PAGE_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

static void expect(int holds)
{
	if (!holds)
		abort();
}

static struct policy_image widen(const uint8_t *data, size_t size)
{
	struct policy_image image = { 0 };

	image.size = (size + PK_PAGE_SIZE - 1) / PK_PAGE_SIZE * PK_PAGE_SIZE;
	image.bytes = calloc(1, image.size);
	expect(image.bytes != NULL);
	memcpy(image.bytes, data, size);
	return image;
}

static void ask_paths(const struct policy_image *image, const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "/", "/usr/bin/sh", "/a/.env", "/home/u/.ssh/id_rsa" };
	struct pk_result result;
	struct explanation e;
	char key[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		expect(decide_path(image, PK_SECTION_FILES, PK_ACCESS_READ, paths[i], &result) ==
		       0);
		expect(result.verdict < PK_VERDICT__MAX && result.reason != PK_REASON_IMAGE);
		expect(explain_exec(image, paths[i], &e) == 0);
		explanation_reset(&e);
	}
	/* A key made of the input's own bytes meets its odd classes. */
	for (size_t at = 0; at < size; at += sizeof(key)) {
		size_t length = size - at < sizeof(key) ? size - at : sizeof(key) - 1;

		memcpy(key, data + at, length);
		key[length] = '\0';
		expect(decide_path(image, PK_SECTION_EXEC, PK_ACCESS_RUN, key, &result) == 0);
		expect(result.verdict < PK_VERDICT__MAX);
	}
}

static void ask_commands(const struct policy_image *image, const uint8_t *data, size_t size)
{
	static char *const argv[] = { "git", "push", "", "origin", NULL };
	const struct pk_query query = { .section = PK_SECTION_EXEC, .access = PK_ACCESS_COMMAND };
	struct pk_result result;
	struct explanation e;
	__u32 subjects;

	expect(decide_command(image, "/usr/bin/git", argv, 1, &result) == 0);
	expect(result.verdict < PK_VERDICT__MAX && result.reason != PK_REASON_IMAGE);
	expect(explain_command(image, "/usr/bin/git", argv, 1, &e) == 0);
	explanation_reset(&e);
	if (image_head(image)->argv_start)
		expect(decide_command_key(image, data, size, &query, &result) == 0);
	expect(decide_abstract(image, "tmp/x", 1, &result) == 0);
	expect(decide_subjects(image, "/usr/bin/git", &subjects) == 0);
	expect(!(subjects & ~image_head(image)->subjects));
	for (__u32 i = 0; i < PK_GUARD__MAX; i++)
		expect(decide_guard(image, i).rule != PK_RULE_NONE);
}

static void ask_addresses(const struct policy_image *image)
{
	const struct pk_image *head = image_head(image);
	const struct pk_span *spans =
		(const struct pk_span *)(const void *)(image->bytes +
						       head->part[PK_PART_SPANS].offset);
	struct pk_result result;
	uint8_t address[16];

	for (uint32_t i = 0; i < head->span_count; i++) {
		for (int b = 0; b < 8; b++) {
			address[b] = (uint8_t)(spans[i].from_hi >> (56 - 8 * b));
			address[b + 8] = (uint8_t)(spans[i].from_lo >> (56 - 8 * b));
		}
		expect(decide_address(image, address, (uint16_t)i, PK_ACCESS_TCP, &result) == 0);
		expect(result.verdict < PK_VERDICT__MAX && result.reason != PK_REASON_IMAGE);
	}
}

static void ask_hosts(const struct policy_image *image, const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a", "example.com", "a.b.c.example.com", "xn--a" };
	static const uint8_t address[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct pk_query query = { PK_SECTION_EGRESS, PK_ACCESS_TCP, 443, 0, 0 };
	struct decide_target to = { .address = address };
	struct pk_result result;
	struct decided decided;
	struct explanation e;
	char key[PK_HOST_BUFFER];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		to.host = names[i];
		expect(decide_name(image, names[i], &result) == 0);
		expect(result.verdict < PK_VERDICT__MAX && result.reason != PK_REASON_IMAGE);
		expect(explain_destination(image, &to, &query, &decided, &e) == 0);
		expect(decided.result.verdict < PK_VERDICT__MAX &&
		       decided.result.reason != PK_REASON_IMAGE);
		explanation_reset(&e);
	}
	for (size_t at = 0; at < size; at += PK_HOST_MAX) {
		size_t length = size - at < PK_HOST_MAX ? size - at : PK_HOST_MAX;

		memcpy(key, data + at, length);
		key[length] = '\0';
		expect(decide_host(image, key, &query, &result) == 0);
		expect(result.verdict < PK_VERDICT__MAX && result.reason != PK_REASON_IMAGE);
	}
}

static void ask_ways_in(const struct policy_image *image)
{
	static const uint8_t local[16] = { [15] = 1 };
	struct pk_query query = { PK_SECTION_LISTEN, PK_ACCESS_TCP, 8080, 0, 0 };
	struct pk_result result;

	for (; query.section <= PK_SECTION_ACCEPT; query.section++) {
		expect(decide_address_query(image, local, &query, &result) == 0);
		expect(result.verdict < PK_VERDICT__MAX && result.reason != PK_REASON_IMAGE);
	}
}

static void dump(const struct policy_image *image)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	expect(to != NULL);
	expect(dump_image(image, true, to) == 0);
	expect(fclose(to) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_image image;
	const char *why = NULL;

	if (!size || size > IMAGE_MAX)
		return 0;
	image = widen(data, size);
	if (image_validate(image.bytes, image.size, &why) == 0) {
		ask_paths(&image, data, size);
		ask_addresses(&image);
		ask_commands(&image, data, size);
		ask_hosts(&image, data, size);
		ask_ways_in(&image);
		dump(&image);
	} else {
		expect(why && *why);
	}
	image_reset(&image);
	return 0;
}

/* Change one aligned word of a random place: the format is made of them. */
static void change_word(uint8_t *data, size_t size, unsigned int random)
{
	size_t at = (random >> 4) % (size / 4) * 4;
	uint32_t word;

	memcpy(&word, data + at, 4);
	switch (random & 15) {
	case 0:
		word = 0xffffffff;
		break;
	case 1:
		word = 0;
		break;
	case 2:
		memcpy(&word, data + (random >> 12) % (size / 4) * 4, 4);
		break;
	case 3:
		word ^= 1U << ((random >> 20) & 31);
		break;
	case 4:
	case 5:
	case 6:
		word--;
		break;
	default:
		word++;
	}
	memcpy(data + at, &word, 4);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct policy_image image;

	if (max > IMAGE_MAX)
		max = IMAGE_MAX;
	if (seed % 4 == 0 || size < sizeof(struct pk_image))
		size = LLVMFuzzerMutate(data, size, max);
	else
		change_word(data, size, seed * 2654435761U);
	if (size < sizeof(struct pk_image) || size > IMAGE_MAX || seed % 64 == 1)
		return size;
	image = widen(data, size);
	((struct pk_image *)(void *)image.bytes)->pages = (uint32_t)(image.size >> PK_PAGE_SHIFT);
	expect(image_seal(&image) == 0);
	memcpy(data, image.bytes, sizeof(struct pk_image));
	image_reset(&image);
	return size;
}
