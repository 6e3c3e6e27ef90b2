/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record that is damaged is no launcher's word: then nothing is trusted.
 */
#include "daemon/tags.h"

#include <string.h>

#include "base/mem.h"

static const char digits[] = "0123456789abcdef";

bool tags_keep(const struct process_table *table, struct agent_record *record)
{
	const struct shared *tags = process_table_tags(table, record->slot);
	char *text;

	if (record->tags || !tags || !tags->length)
		return false;
	text = malloc(2 * tags->length + 1);
	if (!text)
		return false;
	for (size_t i = 0; i < tags->length; i++) {
		text[2 * i] = digits[(unsigned char)tags->bytes[i] >> 4];
		text[2 * i + 1] = digits[(unsigned char)tags->bytes[i] & 15];
	}
	text[2 * tags->length] = '\0';
	record->tags = text;
	return true;
}

/* The bytes of @text, malloc'ed; NULL: it is not hexadecimal, or there is no memory. */
static char *bytes_of(const char *text, size_t *ret_length)
{
	size_t length = strlen(text);
	char *bytes;

	if (length % 2 || strspn(text, digits) != length)
		return NULL;
	bytes = malloc(length / 2 + 1);
	for (size_t i = 0; bytes && i < length / 2; i++)
		bytes[i] = (char)((strchr(digits, text[2 * i]) - digits) << 4 |
				  (strchr(digits, text[2 * i + 1]) - digits));
	*ret_length = bytes ? length / 2 : 0;
	return bytes;
}

void tags_trust(struct process_table *table, const struct agent_record *record)
{
	size_t length = 0;
	CLEAN_FREE char *bytes = record->tags ? bytes_of(record->tags, &length) : NULL;

	(void)process_table_trust(table, record->slot, bytes, length);
}
