/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/matcher.h"

#include <picket/dns.h>

#define SEED 0x1234567890abcdefULL

static __u8 message[PK_DNS_MAX];

static __u32 load(const void *bytes, size_t length)
{
	memset(message, 0xa5, sizeof(message));
	memcpy(message, bytes, length);
	return (__u32)length;
}

#define LOAD(text) load(text, sizeof(text) - 1)

static void plain_question(void **state)
{
	struct pk_dns_question q;
	__u32 length = LOAD("\x12\x34\x01\x20\0\1\0\0\0\0\0\0\3wWw\7Example\4test\0\0\1\0\1");

	(void)state;
	assert_int_equal(pk_dns_read_question(message, length, SEED, &q), PK_DNS_GOOD);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.type, PK_DNS_A);
	assert_int_equal(q.name.length, 16);
	assert_memory_equal(q.name.text, "www.example.test", 16);
	assert_true(q.name.hash == pk_host_hash(q.name.text, 16, SEED));
	assert_true(q.name.hash != pk_host_hash(q.name.text, 16, SEED + 1));
	for (__u32 cut = 0; cut < length; cut++)
		assert_int_equal(pk_dns_read_question(message, cut, SEED, &q), PK_DNS_FORM);
}

static void answer_with_alias(void **state)
{
	struct pk_dns_question q;
	struct pk_dns_walk w;
	__u32 length = LOAD("\x12\x34\x81\x80\0\1\0\2\0\0\0\0\1a\4test\0\0\1\0\1"
			    "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1b\xc0\x0e"
			    "\xc0\x24\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3");

	(void)state;
	assert_int_equal(pk_dns_read_answer(message, length, SEED, &q, &w), PK_DNS_GOOD);
	assert_int_equal(pk_dns_next(message, length, SEED, &w), PK_DNS_GOOD);
	assert_int_equal(w.what, PK_DNS_ALIAS);
	assert_int_equal(w.name.length, 6);
	assert_memory_equal(w.name.text, "b.test", 6);
	assert_int_equal(pk_dns_next(message, length, SEED, &w), PK_DNS_GOOD);
	assert_int_equal(w.what, PK_DNS_ADDRESS);
	assert_int_equal(w.ttl, 60);
	assert_true(w.address_hi == 0 && w.address_lo == 0xffff0a010203ULL);
	assert_int_equal(pk_dns_next(message, length, SEED, &w), PK_DNS_GOOD);
	assert_int_equal(w.what, PK_DNS_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_question),
		cmocka_unit_test(answer_with_alias),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
