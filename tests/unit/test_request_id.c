/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of requests: the base32 of RFC 4648, of the bytes as they are in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "telemetry/request_id.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	unsigned char bytes[16];
	const char *id;
	const char *hash;
} rows[] = {
	{ { 0 }, "r-aaaaaaaaaaaa", "00000000000000000000000000000000" },
	{ { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	  "r-aaaqeayeauda",
	  "000102030405060708090a0b0c0d0e0f" },
	{ { 0xca, 0x3b, 0xd2, 0xd6, 0xec, 0xff },
	  "r-zi55fvxm74aa",
	  "ca3bd2d6ecff00000000000000000000" },
	{ { 0xff, 0xff, 0xff, 0xff, 0xff }, "r-77777777aaaa", "ffffffffff0000000000000000000000" },
};

static void names_are_base32_of_the_first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char id[REQUEST_ID_SIZE];
		char text[REQUEST_HASH_SIZE];
		__u64 hash[2];

		memcpy(hash, rows[i].bytes, sizeof(hash));
		assert_string_equal(request_id(hash, id), rows[i].id);
		assert_string_equal(request_hash(hash, text), rows[i].hash);
		assert_true(request_id_valid(id));
	}
}

static void other_texts_are_no_names(void **state)
{
	static const char *const texts[] = {
		"",
		"r-",
		"r-aaaaaaaaaaa",
		"r-aaaaaaaaaaaaa",
		"r-AAAAAAAAAAAA",
		"r-aaaaaaaaaaa1",
		"r-aaaaaaaaaaa ",
		"x-aaaaaaaaaaaa",
		"aaaaaaaaaaaaaa",
		"r-aaaaaa-aaaaa",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(request_id_valid(texts[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_base32_of_the_first_bytes),
		cmocka_unit_test(other_texts_are_no_names),
	};

	return cmocka_run_group_tests_name("request_id", tests, NULL, NULL);
}
