/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS messages: recorded ones, hand-made ones that are wrong in one place each, all of them cut at every
 * byte and with every byte changed. What is found is compared with literal texts and with the
 * reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "packets.h"
#include "policy/matcher.h"

#include <picket/dns.h>

struct message {
	const char *what;
	char kind;
	const char *bytes;
	size_t length;
	const char *expect;
};

#define M(what, kind, bytes, expect)                                                               \
	{                                                                                          \
		what, kind, bytes, sizeof(bytes) - 1, expect                                       \
	}
/* Header of a question and of an answer; their counts follow. */
#define ASK "\x12\x34\x01\0\0\1\0\0\0\0\0"
#define PLAIN ASK "\0"
#define ANSWER(count) "\x12\x34\x81\x80\0\1\0" count "\0\0\0\0"
#define A_TEST "\1a\4test\0"
#define IN_A "\0\1\0\1"
#define OPT(size) "\0\0\x29\4\xd0\0\0\0\0" size
/* A record from its type on. */
#define RECORD(type, size) "\0" type "\0\1\0\0\1\0" size
#define ALIAS_TO_B RECORD("\5", "\0\4") "\1b\xc0\x0e"
#define FROM_B "\xc0\x24"
#define ADDRESS RECORD("\1", "\0\4") "\xc0\0\2\1"
#define FOUND_B "good 1 a.test, alias b.test"
#define FOUND_A "good 1 a.test, ::ffff:192.0.2.1 256"
#define SVC "\xc0\x0c" /* the question's name */
#define L62 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_63 "\x3f" L62 "a"

static const struct message questions[] = {
	M("plain", 'q', PLAIN A_TEST IN_A, "good 1 a.test"),
	M("upper case", 'q', PLAIN "\1A\4tEsT\0" IN_A, "good 1 a.test"),
	M("underscore and dash", 'q', PLAIN "\4_a-9\4test\0" IN_A, "good 1 _a-9.test"),
	M("EDNS", 'q', ASK "\1" A_TEST IN_A OPT("\0\0"), "good 1 a.test"),
	M("EDNS, DO", 'q', ASK "\1" A_TEST IN_A "\0\0\x29\4\xd0\0\0\x80\0\0\0", "good 1 a.test"),
	M("EDNS, other flags", 'q', ASK "\1" A_TEST IN_A "\0\0\x29\4\xd0\0\0\x40\0\0\0", "form"),
	M("EDNS, version 1", 'q', ASK "\1" A_TEST IN_A "\0\0\x29\4\xd0\0\1\0\0\0\0", "form"),
	M("EDNS, extended code", 'q', ASK "\1" A_TEST IN_A "\0\0\x29\4\xd0\1\0\0\0\0\0", "form"),
	M("EDNS, option", 'q', ASK "\1" A_TEST IN_A OPT("\0\4") "\0\xa\0\0", "good 1 a.test"),
	M("EDNS, 64 bytes of options", 'q', ASK "\1" A_TEST IN_A OPT("\0\x40") L62 "aa",
	  "good 1 a.test"),
	M("EDNS, 65 bytes of options", 'q', ASK "\1" A_TEST IN_A OPT("\0\x41") L62 "aaa", "form"),
	M("EDNS, named", 'q', ASK "\1" A_TEST IN_A "\1a\0\0\x29\4\xd0\0\0\0\0\0\0", "form"),
	M("EDNS, short", 'q', ASK "\1" A_TEST IN_A OPT("\0\1"), "form"),
	M("EDNS, byte behind", 'q', ASK "\1" A_TEST IN_A OPT("\0\0") "x", "form"),
	M("another additional record", 'q', ASK "\1" A_TEST IN_A A_TEST ADDRESS, "form"),
	M("EDNS twice", 'q', ASK "\2" A_TEST IN_A OPT("\0\0") OPT("\0\0"), "form"),
	M("byte behind", 'q', PLAIN A_TEST IN_A "x", "form"),
	M("two questions", 'q', "\x12\x34\1\0\0\2\0\0\0\0\0\0" A_TEST IN_A A_TEST IN_A, "form"),
	M("no question", 'q', "\x12\x34\1\0\0\0\0\0\0\0\0\0", "form"),
	M("an answer", 'q', "\x12\x34\1\0\0\1\0\1\0\0\0\0" A_TEST IN_A "\xc0\x0c" ADDRESS, "form"),
	M("an authority", 'q', "\x12\x34\1\0\0\1\0\0\0\1\0\0" A_TEST IN_A "\xc0\x0c" ADDRESS,
	  "form"),
	M("response", 'q', "\x12\x34\x81\0\0\1\0\0\0\0\0\0" A_TEST IN_A, "form"),
	M("status", 'q', "\x12\x34\x11\0\0\1\0\0\0\0\0\0" A_TEST IN_A, "form"),
	M("truncated", 'q', "\x12\x34\3\0\0\1\0\0\0\0\0\0" A_TEST IN_A, "form"),
	M("reserved flag", 'q', "\x12\x34\1\x40\0\1\0\0\0\0\0\0" A_TEST IN_A, "form"),
	M("a code", 'q', "\x12\x34\1\1\0\1\0\0\0\0\0\0" A_TEST IN_A, "form"),
	M("TXT", 'q', PLAIN A_TEST "\0\x10\0\1", "type 16 a.test"),
	M("NULL", 'q', PLAIN A_TEST "\0\x0a\0\1", "type 10 a.test"),
	M("TXT, byte behind", 'q', PLAIN A_TEST "\0\x10\0\1x", "form"),
	M("ANY", 'q', PLAIN A_TEST "\0\xff\0\1", "type 255 a.test"),
	M("CNAME", 'q', PLAIN A_TEST "\0\5\0\1", "good 5 a.test"),
	M("SVCB", 'q', PLAIN A_TEST "\0\x40\0\1", "good 64 a.test"),
	M("HTTPS", 'q', PLAIN A_TEST "\0\x41\0\1", "good 65 a.test"),
	M("class ANY", 'q', PLAIN A_TEST "\0\1\0\xff", "form"),
	M("root", 'q', PLAIN "\0" IN_A, "form"),
	M("compressed", 'q', PLAIN "\1a\xc0\x0c" IN_A, "form"),
	M("blank", 'q', PLAIN "\3a b\4test\0" IN_A, "form"),
	M("dot in a label", 'q', PLAIN "\3a.b\4test\0" IN_A, "form"),
	M("NUL in a label", 'q', PLAIN "\3a\0b\4test\0" IN_A, "form"),
	M("high byte", 'q', PLAIN "\3a\xc3\xa9\4test\0" IN_A, "form"),
	M("label of 63", 'q', PLAIN LABEL_63 "\0" IN_A, "good 1 " L62 "a"),
	M("label of 64", 'q', PLAIN "\x40" L62 "aa\0" IN_A, "form"),
	M("253 bytes", 'q', PLAIN LABEL_63 LABEL_63 LABEL_63 "\x3d" L62 "\0" IN_A, "form"),
	M("254 bytes", 'q', PLAIN LABEL_63 LABEL_63 LABEL_63 "\x3e" L62 "\0" IN_A, "form"),
	M("label behind the end", 'q', PLAIN "\4a", "form"),
};

static const struct message answers[] = {
	M("address", 'a', ANSWER("\1") A_TEST IN_A "\xc0\x0c" ADDRESS, FOUND_A),
	M("name spelled out", 'a', ANSWER("\1") A_TEST IN_A "\1A\4TEST\0" ADDRESS, FOUND_A),
	M("of another name", 'a', ANSWER("\1") A_TEST IN_A "\1b\4test\0" ADDRESS, "good 1 a.test"),
	M("of a name that ends so", 'a', ANSWER("\1") A_TEST IN_A "\1b\xc0\x0c" ADDRESS,
	  "good 1 a.test"),
	M("failure", 'a', "\x12\x34\x81\x83\0\1\0\1\0\0\0\0" A_TEST IN_A "\xc0\x0c" ADDRESS,
	  "good 1 a.test"),
	M("alias, then its address", 'a', ANSWER("\2") A_TEST IN_A SVC ALIAS_TO_B FROM_B ADDRESS,
	  FOUND_B ", ::ffff:192.0.2.1 256"),
	M("alias, then the first name's address", 'a',
	  ANSWER("\2") A_TEST IN_A SVC ALIAS_TO_B "\xc0\x0c" ADDRESS, FOUND_B),
	M("alias behind the address", 'a', ANSWER("\2") A_TEST IN_A FROM_B ADDRESS SVC ALIAS_TO_B,
	  "good 1 a.test, loop"),
	M("alias to odd bytes", 'a',
	  ANSWER("\2") A_TEST IN_A SVC RECORD("\5", "\0\6") "\3b b\xc0\x0e\xc0\x24" ADDRESS,
	  "good 1 a.test, alias "),
	M("alias that is too short for its record", 'a',
	  ANSWER("\1") A_TEST IN_A SVC RECORD("\5", "\0\5") "\1b\xc0\x0e\0", "good 1 a.test, form"),
	M("loop of one", 'a', ANSWER("\1") A_TEST IN_A "\xc0\x18" ADDRESS, "good 1 a.test, loop"),
	M("pointer ahead", 'a', ANSWER("\1") A_TEST IN_A "\xc0\x20" ADDRESS, "good 1 a.test, loop"),
	M("loop of two", 'a', ANSWER("\2") A_TEST IN_A "\1x\xc0\x18" ADDRESS,
	  "good 1 a.test, loop"),
	M("pointer into the header", 'a', ANSWER("\1") A_TEST IN_A "\xc0\2" ADDRESS,
	  "good 1 a.test, form"),
	M("label kind 0x40", 'a', ANSWER("\1") A_TEST IN_A "\x41x\0" ADDRESS,
	  "good 1 a.test, form"),
	M("label kind 0x80", 'a', ANSWER("\1") A_TEST IN_A "\x80x\0" ADDRESS,
	  "good 1 a.test, form"),
	M("class", 'a', ANSWER("\1") A_TEST IN_A SVC "\0\1\0\3\0\0\1\0\0\4\xc0\0\2\1",
	  "good 1 a.test, form"),
	M("address of 3 bytes", 'a', ANSWER("\1") A_TEST IN_A SVC RECORD("\1", "\0\3") "\xc0\0\2",
	  "good 1 a.test, form"),
	M("address that is not all there", 'a',
	  ANSWER("\1") A_TEST IN_A SVC RECORD("\1", "\0\4") "\xc0\0\2", "good 1 a.test, form"),
	M("fewer records than said", 'a', ANSWER("\2") A_TEST IN_A SVC ADDRESS, FOUND_A ", form"),
	M("more records than said", 'a', ANSWER("\1") A_TEST IN_A SVC ADDRESS SVC ADDRESS, FOUND_A),
	M("address of 6", 'a',
	  ANSWER("\1")
		  A_TEST IN_A SVC RECORD("\x1c", "\0\x10") "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1",
	  "good 1 a.test, 2001:db8::1 256"),
	M("negative time", 'a', ANSWER("\1") A_TEST IN_A SVC "\0\1\0\1\x80\0\1\0\0\4\xc0\0\2\1",
	  "good 1 a.test, ::ffff:192.0.2.1 0"),
	M("two questions", 'a', "\x12\x34\x81\x80\0\2\0\0\0\0\0\0" A_TEST IN_A A_TEST IN_A, "form"),
	M("a question", 'a', PLAIN A_TEST IN_A, "form"),
	M("hints of both kinds", 'a',
	  ANSWER("\1")
		  A_TEST IN_A SVC RECORD("\x41", "\0\x27") "\0\1\0\0\4\0\x08\xc0\0\2\1\xc0\0\2\2"
							   "\0\5\0\0\0\6\0\x10\x20\1\xd\xb8"
							   "\0\0\0\0\0\0\0\0\0\0\0\1",
	  "good 1 a.test, ::ffff:192.0.2.1 256, ::ffff:192.0.2.2 256, 2001:db8::1 256"),
	M("hints out of order", 'a',
	  ANSWER("\1") A_TEST IN_A SVC RECORD("\x41", "\0\x0f") "\0\1\0\0\4\0\4\xc0\0\2\1\0\3\0\0",
	  "good 1 a.test, ::ffff:192.0.2.1 256, form"),
	M("empty hint", 'a', ANSWER("\1") A_TEST IN_A SVC RECORD("\x41", "\0\7") "\0\1\0\0\4\0\0",
	  "good 1 a.test, form"),
	M("hint of 5 bytes", 'a',
	  ANSWER("\1") A_TEST IN_A SVC RECORD("\x41", "\0\x0c") "\0\1\0\0\4\0\5\xc0\0\2\1\1",
	  "good 1 a.test, form"),
	M("hint over the end", 'a',
	  ANSWER("\1") A_TEST IN_A SVC RECORD("\x41", "\0\x0b") "\0\1\0\0\4\0\x08\xc0\0\2\1",
	  "good 1 a.test, form"),
	M("service alias", 'a',
	  ANSWER("\1") A_TEST IN_A SVC RECORD("\x41", "\0\6") "\0\0\1b\xc0\x0e", FOUND_B),
	M("service alias to nothing", 'a',
	  ANSWER("\2") A_TEST IN_A SVC RECORD("\x41", "\0\3") "\0\0\0" SVC ADDRESS, FOUND_A),
};

static void expect_found(const struct message *m, size_t count)
{
	char found[PACKET_TEXT];

	for (; count; m++, count--) {
		const uint8_t *bytes = (const uint8_t *)m->bytes;
		const char *differs = packet_differs(m->kind, bytes, m->length);

		packet_text(m->kind, bytes, m->length, NULL, found);
		if (strcmp(found, m->expect) != 0)
			fail_msg("%s: '%s', not '%s'", m->what, found, m->expect);
		if (differs)
			fail_msg("%s: not as the reference: %s", m->what, differs);
	}
}

static void hand_made_questions(void **state)
{
	(void)state;
	expect_found(questions, sizeof(questions) / sizeof(*questions));
}

static void hand_made_answers(void **state)
{
	(void)state;
	expect_found(answers, sizeof(answers) / sizeof(*answers));
}

static void check_recorded(const struct packet *p)
{
	char found[PACKET_TEXT];

	if (p->kind == 'p')
		return;
	packet_text(p->kind, p->bytes, p->length, NULL, found);
	if (strcmp(found, p->expect) != 0)
		fail_msg("%s: '%s', not '%s'", p->name, found, p->expect);
}

static void recorded(void **state)
{
	(void)state;
	assert_true(packets_load(check_recorded) > 50);
}

/* Cut at every byte; every byte in turn with every value. */
static void mutate(const char *what, char kind, const uint8_t *bytes, size_t length)
{
	uint8_t copy[PACKET_MAX];
	const char *differs;

	for (size_t cut = 0; cut < length; cut++) {
		differs = packet_differs(kind, bytes, cut);
		if (differs)
			fail_msg("%s, %zu bytes: %s", what, cut, differs);
	}
	memcpy(copy, bytes, length);
	for (size_t at = 0; at < length; at++) {
		for (unsigned int value = 0; value < 256; value++) {
			copy[at] = (uint8_t)value;
			differs = packet_differs(kind, copy, length);
			if (differs)
				fail_msg("%s, byte %zu is %u: %s", what, at, value, differs);
		}
		copy[at] = bytes[at];
	}
}

static void mutate_recorded(const struct packet *p)
{
	if (p->kind != 'p')
		mutate(p->name, p->kind, p->bytes, p->length);
}

static void mutations_as_reference(void **state)
{
	(void)state;
	packets_load(mutate_recorded);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		mutate(answers[i].what, answers[i].kind, (const uint8_t *)answers[i].bytes,
		       answers[i].length);
}

static void put(uint8_t *to, const char *bytes, size_t length)
{
	memcpy(to, bytes, length);
}

/* 16 pointers are followed, 17 are not. */
static void chain_of_pointers(void **state)
{
	uint8_t bytes[256] = ANSWER("\2") "\1a\0" IN_A;
	char found[PACKET_TEXT];
	size_t at = 19;

	(void)state;
	/* The data of a first record is a staircase of pointers, each to the one before. */
	put(bytes + at, "\xc0\x0c\0\x10\0\1\0\0\0\0\0\x22", 12);
	at += 12;
	for (size_t i = 0; i < 17; i++) {
		bytes[at + 2 * i] = 0xc0;
		bytes[at + 2 * i + 1] = (uint8_t)(i ? at + 2 * i - 2 : 12);
	}
	for (size_t steps = 15; steps <= 16; steps++) {
		put(bytes + at + 34, "\xc0\0" ADDRESS, 16);
		bytes[at + 35] = (uint8_t)(at + 2 * (steps - 1));
		packet_text('a', bytes, at + 50, NULL, found);
		assert_string_equal(found, steps == 15 ? "good 1 a, ::ffff:192.0.2.1 256" :
							 "good 1 a, loop");
		assert_null(packet_differs('a', bytes, at + 50));
	}
}

/* Records behind the limit are not looked at; a flood of them costs no more. */
static void many_records(void **state)
{
	uint8_t bytes[PK_DNS_MAX] = ANSWER("\xff") "\1a\0" IN_A;
	static struct pk_dns_question q;
	static struct pk_dns_walk w;
	size_t at = 19;
	int addresses = 0;

	(void)state;
	for (; at + 16 <= sizeof(bytes); at += 16)
		put(bytes + at, "\xc0\x0c" ADDRESS, 16);
	assert_int_equal(pk_dns_read_answer(bytes, (__u32)at, PACKETS_SEED, &q, &w), PK_DNS_GOOD);
	for (int i = 0; i < PK_DNS_CALLS_MAX && w.what != PK_DNS_END; i++) {
		assert_int_equal(pk_dns_next(bytes, (__u32)at, PACKETS_SEED, &w), PK_DNS_GOOD);
		addresses += w.what == PK_DNS_ADDRESS;
	}
	assert_int_equal(w.what, PK_DNS_END);
	assert_int_equal(addresses, PK_DNS_RECORDS_MAX);
}

static void too_long(void **state)
{
	static const uint8_t bytes[PK_DNS_MAX + 1] = PLAIN A_TEST IN_A;

	(void)state;
	assert_null(packet_differs('q', bytes, sizeof(bytes)));
	assert_null(packet_differs('a', bytes, sizeof(bytes)));
}

/* Names that differ have hashes that differ, under every seed; the seed matters. */
static void hashes(void **state)
{
	__u8 a[PK_HOST_BUFFER] = "", b[PK_HOST_BUFFER] = "";

	(void)state;
	for (__u64 seed = 0; seed < 1000; seed++) {
		for (__u32 i = 0; i < 100; i++) {
			__u32 n = (__u32)snprintf((char *)a, sizeof(a), "h%u.test", i);
			__u32 m = (__u32)snprintf((char *)b, sizeof(b), "h%u.test", i + 1);

			assert_true(pk_host_hash(a, n, seed) != 0);
			assert_true(pk_host_hash(a, n, seed) != pk_host_hash(b, m, seed));
			assert_true(pk_host_hash(a, n, seed) != pk_host_hash(a, n, seed + 1));
			assert_true(pk_host_hash(a, n, seed) != pk_host_hash(a, n - 1, seed));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hand_made_questions),
		cmocka_unit_test(hand_made_answers),
		cmocka_unit_test(recorded),
		cmocka_unit_test(mutations_as_reference),
		cmocka_unit_test(chain_of_pointers),
		cmocka_unit_test(many_records),
		cmocka_unit_test(too_long),
		cmocka_unit_test(hashes),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
