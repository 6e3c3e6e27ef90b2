/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base32 and hexadecimal of a hash, by hand: sixty bits are one number.
 */
#include "telemetry/request_id.h"

#include <string.h>

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

#define PREFIX "r-"
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)
/** Characters of five bits each. */
#define CHARACTERS 12

_Static_assert(PREFIX_LENGTH + CHARACTERS + 1 == REQUEST_ID_SIZE, "prefix, base32, NUL");

const char *request_id(const __u64 hash[static 2], char id[static REQUEST_ID_SIZE])
{
	unsigned char bytes[sizeof(hash[0])];
	memcpy(bytes, hash, sizeof(bytes));
	__u64 bits = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bits = bits << 8 | bytes[i];
	memcpy(id, PREFIX, PREFIX_LENGTH);
	for (size_t i = 0; i < CHARACTERS; i++)
		id[PREFIX_LENGTH + i] = alphabet[bits >> (59 - 5 * i) & 31];
	id[REQUEST_ID_SIZE - 1] = '\0';
	return id;
}

bool request_id_valid(const char *text)
{
	return strlen(text) == REQUEST_ID_SIZE - 1 && memcmp(text, PREFIX, PREFIX_LENGTH) == 0 &&
	       strspn(text + PREFIX_LENGTH, alphabet) == REQUEST_ID_SIZE - 1 - PREFIX_LENGTH;
}

const char *request_hash(const __u64 hash[static 2], char text[static REQUEST_HASH_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[2 * sizeof(hash[0])];
	memcpy(bytes, hash, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[REQUEST_HASH_SIZE - 1] = '\0';
	return text;
}
