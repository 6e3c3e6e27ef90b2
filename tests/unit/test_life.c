/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of records of processes' lives: whole ones are taken apart, and each field that is out of
 * range is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lives.h"

#define WORDS "git\0push\0origin\0"

static void program(struct raw_life *raw)
{
	raw_life(raw, PK_LIFE_PROGRAM, 4121, 81232000000ULL);
	raw_life_texts(raw, "/usr/bin/git", WORDS, sizeof(WORDS) - 1, 3);
}

/* The record in memory of just its size, so that a read behind it is found. */
static int decode(const struct raw_life *raw, size_t size, struct life *ret_life)
{
	CLEAN_FREE char *bytes = malloc(size);
	int r;

	assert_non_null(bytes);
	memcpy(bytes, raw, size);
	r = life_decode(bytes, size, ret_life);
	if (r == 0)
		ret_life->text = ret_life->text2 = (struct event_path){ 0 };
	return r;
}

static void whole_ones(void **state)
{
	struct raw_life raw;
	struct life life;

	(void)state;
	program(&raw);
	life = raw_life_decode(&raw);
	assert_int_equal(life.head.tgid, 4121);
	assert_string_equal(life.comm, "work");
	assert_memory_equal(life.text.bytes, "/usr/bin/git", life.text.length);
	assert_int_equal(life.text.length, 12);
	assert_int_equal(life.text2.length, sizeof(WORDS) - 1);
	assert_memory_equal(life.text2.bytes, WORDS, life.text2.length);
	raw_life(&raw, PK_LIFE_FORK, 4121, 5);
	assert_int_equal(decode(&raw, raw.head.size, &life), 0);
	raw_life(&raw, PK_LIFE_EXIT, 4121, 5);
	raw.head.status = 256;
	assert_int_equal(decode(&raw, raw.head.size, &life), 0);
	assert_int_equal(life.head.status, 256);
	raw_life(&raw, PK_LIFE_CONTEXT, 4121, 5);
	raw_life_texts(&raw, "/srv", "", 0, 0);
	assert_int_equal(decode(&raw, raw.head.size, &life), 0);
}

static void cut_texts(void **state)
{
	struct raw_life raw;
	struct life life;

	(void)state;
	program(&raw);
	raw_life_texts(&raw, "/usr/bin/git", WORDS, sizeof(WORDS) - 3, 3);
	assert_int_equal(decode(&raw, raw.head.size, &life), -EBADMSG);
	raw.head.flags = PK_LIFE_WORDS_CUT;
	assert_int_equal(decode(&raw, raw.head.size, &life), 0);
	raw.head.words = 9;
	assert_int_equal(decode(&raw, raw.head.size, &life), 0);
	raw.head.words = 1;
	assert_int_equal(decode(&raw, raw.head.size, &life), -EBADMSG);
	program(&raw);
	raw.head.words = 4;
	assert_int_equal(decode(&raw, raw.head.size, &life), -EBADMSG);
	raw.head.flags = PK_LIFE_WORDS_UNREAD;
	assert_int_equal(decode(&raw, raw.head.size, &life), 0);
}

static void other_version(void **state)
{
	struct raw_life raw;
	struct life life;

	(void)state;
	program(&raw);
	raw.head.abi++;
	assert_int_equal(decode(&raw, raw.head.size, &life), -EPROTONOSUPPORT);
}

#define FIELD(name) offsetof(struct pk_life, name), sizeof(((struct pk_life *)0)->name)

/* Each alone makes a program's record malformed. */
static const struct {
	const char *what;
	size_t at;
	size_t size;
	__u32 value;
} bad[] = {
	{ "kind of events", FIELD(kind), PK_EVENT_DECISION },
	{ "no kind", FIELD(kind), PK_EVENT__MAX },
	{ "nothing told", FIELD(what), PK_LIFE_NONE },
	{ "unknown thing told", FIELD(what), PK_LIFE__MAX },
	{ "texts in a fork", FIELD(what), PK_LIFE_FORK },
	{ "texts in an exit", FIELD(what), PK_LIFE_EXIT },
	{ "slot out of range", FIELD(agent), PK_AGENTS_MAX },
	{ "no process", FIELD(tgid), 0 },
	{ "unknown flag", FIELD(flags), 8 },
	{ "path that could not be read", FIELD(flags), PK_LIFE_PATH_UNREAD },
	{ "status of a program", FIELD(status), 1 },
	{ "size too small", FIELD(size), 1 },
	{ "text longer than the record", FIELD(text_length), 4000 },
	{ "text shorter: something is left", FIELD(text_length), 3 },
	{ "words longer than the record", FIELD(text2_length), 4000 },
	{ "lengths that wrap", FIELD(text2_length), 0xffffffff },
};

static void malformed(void **state)
{
	struct raw_life raw;
	struct life life;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		program(&raw);
		memcpy((char *)&raw.head + bad[i].at, &bad[i].value, bad[i].size);
		if (decode(&raw, sizeof(raw.head) + 12 + sizeof(WORDS) - 1, &life) != -EBADMSG)
			fail_msg("taken: %s", bad[i].what);
	}
	program(&raw);
	for (size_t size = 0; size < raw.head.size; size++)
		assert_int_equal(decode(&raw, size, &life), -EBADMSG);
	raw.tail[3] = '\0';
	assert_int_equal(decode(&raw, raw.head.size, &life), -EBADMSG);
}

static void known_by_their_kind(void **state)
{
	struct raw_life raw;

	(void)state;
	program(&raw);
	assert_true(life_is(&raw, raw.head.size));
	assert_false(life_is(&raw, 4));
	raw.head.kind = PK_EVENT_ACTIVITY;
	assert_false(life_is(&raw, raw.head.size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_ones),	       cmocka_unit_test(cut_texts),
		cmocka_unit_test(other_version),       cmocka_unit_test(malformed),
		cmocka_unit_test(known_by_their_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
