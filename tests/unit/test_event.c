/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of event records: what the contract allows comes out whole, everything else is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "telemetry/names.h"

static void decodes_one_path(void **state)
{
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/etc/shadow");
	assert_int_equal(event_decode(&raw, raw.head.size, &event), 0);
	assert_int_equal(event.path.length, 11);
	assert_memory_equal(event.path.bytes, "/etc/shadow", 11);
	assert_int_equal(event.path2.length, 0);
	assert_string_equal(event.comm, "cat");
	assert_string_equal(event.parent_comm, "bash");
}

static void decodes_two_paths_with_a_gap(void **state)
{
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/a");
	raw.head.op = PK_OP_RENAME;
	memcpy(raw.tail + PK_PATH_MAX, "/bb", 3);
	raw.head.path2_offset = PK_PATH_MAX;
	raw.head.path2_length = 3;
	raw.head.size = sizeof(raw.head) + PK_PATH_MAX + 3;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), 0);
	assert_memory_equal(event.path.bytes, "/a", 2);
	assert_int_equal(event.path2.length, 3);
	assert_memory_equal(event.path2.bytes, "/bb", 3);
}

static void decodes_a_comm_without_nul(void **state)
{
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/a");
	memset(raw.head.comm, 'x', sizeof(raw.head.comm));
	assert_int_equal(event_decode(&raw, raw.head.size, &event), 0);
	assert_int_equal(strlen(event.comm), 16);
}

static void decodes_switches(void **state)
{
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_guard(&raw, PK_OP_SIGNAL, PK_GUARD_MPROTECT_EXEC);
	raw.head.target = 1;
	raw.head.detail = 9;
	memcpy(raw.head.target_comm, "systemd", 8);
	assert_int_equal(event_decode(&raw, raw.head.size, &event), 0);
	assert_string_equal(event.target_comm, "systemd");
	assert_true(event_has_target(&event));
	raw.head.access = PK_GUARD__MAX;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EBADMSG);
	raw.head.access = PK_GUARD_SIGNALS;
	raw.head.rule = PK_RULE_NONE;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EBADMSG);
	raw.head.reason = PK_REASON_SELF;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), 0);
	raw_event_open(&raw, "/a");
	raw.head.reason = PK_REASON_GUARD;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EBADMSG);
}

/* Words are ended by NUL in a command, and nowhere else. */
static void decodes_words(void **state)
{
	static const char words[] = "push\0--force";
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_command(&raw, "/usr/bin/git", words, sizeof(words));
	assert_int_equal(event_decode(&raw, raw.head.size, &event), 0);
	assert_int_equal(event.path2.length, sizeof(words));
	raw.head.op = PK_OP_RENAME;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EBADMSG);
	raw_event_command(&raw, "/usr/bin/git", words, sizeof(words));
	raw.tail[1] = '\0';
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EBADMSG);
}

/* Read from a heap block of exactly the record's size, so that ASan sees a read past its end. */
static void longest_record_and_every_prefix_of_it(void **state)
{
	struct raw_event raw;
	char *exact;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/");
	memset(raw.tail, 'a', sizeof(raw.tail));
	raw.head.path_length = PK_PATH_MAX;
	raw.head.path2_offset = PK_PATH_MAX;
	raw.head.path2_length = PK_PATH_MAX;
	raw.head.size = PK_EVENT_MAX;
	exact = malloc(PK_EVENT_MAX);
	assert_non_null(exact);
	memcpy(exact, &raw, PK_EVENT_MAX);
	assert_int_equal(event_decode(exact, PK_EVENT_MAX, &event), 0);
	for (size_t size = 0; size < PK_EVENT_MAX; size += 7)
		assert_int_equal(event_decode(exact, size, &event), -EBADMSG);
	free(exact);
}

static void refuses_another_abi(void **state)
{
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/a");
	raw.head.abi = PK_ABI_VERSION + 1;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EPROTONOSUPPORT);
}

/* One field out of range each: the bytes that replace @size bytes at @offset. */
struct damage {
	const char *what;
	size_t offset;
	size_t size;
	__u32 value;
};

#define FIELD(name) offsetof(struct pk_event, name), sizeof(((struct pk_event *)0)->name)

static const struct damage damages[] = {
	{ "kind 0", FIELD(kind), 0 },
	{ "kind of another form", FIELD(kind), PK_EVENT_LIFE },
	{ "no operation", FIELD(op), PK_OP_NONE },
	{ "operation too large", FIELD(op), PK_OP__MAX },
	{ "verdict too large", FIELD(verdict), PK_VERDICT__MAX },
	{ "reason too large", FIELD(reason), PK_REASON__MAX },
	{ "section too large", FIELD(section), PK_SECTION__MAX },
	{ "access over a nibble", FIELD(access), 16 },
	{ "agent too large", FIELD(agent), PK_AGENTS_MAX },
	{ "negative errno", FIELD(error), (__u32)-13 },
	{ "errno too large", FIELD(error), 4096 },
	{ "audit neither 0 nor 1", FIELD(audit), 2 },
	{ "default without a section", FIELD(rule), PK_RULE_DEFAULT | PK_SECTION__MAX },
	{ "default of no layer", FIELD(rule), PK_RULE_DEFAULT | PK_LAYERS_MAX << 8 },
	{ "rule number too large", FIELD(rule), PK_RULES_MAX },
	{ "default reason, plain rule", FIELD(rule), 3 },
	{ "default reason, no rule", FIELD(rule), PK_RULE_NONE },
	{ "rule reason, default rule", FIELD(reason), PK_REASON_RULE },
	{ "size too small", FIELD(size), sizeof(struct pk_event) },
	{ "size too large", FIELD(size), PK_EVENT_MAX },
	{ "path past the end", FIELD(path_length), 5 },
	{ "path far past the end", FIELD(path_length), 0xffffffff },
	{ "second path past the end", FIELD(path2_length), 1 },
	{ "second path far past the end", FIELD(path2_length), 0xfffffff0 },
};

static void refuses_every_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct raw_event raw;
		struct event event;

		raw_event_open(&raw, "/abc");
		raw.head.path2_offset = 4;
		assert_int_equal(event_decode(&raw, sizeof(raw.head) + 4, &event), 0);
		memcpy((char *)&raw.head + damages[i].offset, &damages[i].value, damages[i].size);
		if (event_decode(&raw, sizeof(raw.head) + 4, &event) != -EBADMSG)
			fail_msg("accepted: %s", damages[i].what);
	}
}

static void refuses_a_nul_in_a_path(void **state)
{
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/abc");
	raw.tail[2] = '\0';
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EBADMSG);
}

static void refuses_paths_that_overlap(void **state)
{
	struct raw_event raw;
	struct event event;

	(void)state;
	raw_event_open(&raw, "/abc");
	raw.head.path2_offset = 1;
	raw.head.path2_length = 3;
	assert_int_equal(event_decode(&raw, raw.head.size, &event), -EBADMSG);
}

static void time_is_boot_time_plus_offset(void **state)
{
	struct timespec when = event_time(1500000000ULL, 2000000000LL);

	(void)state;
	assert_int_equal(when.tv_sec, 3);
	assert_int_equal(when.tv_nsec, 500000000);
	/* The host's own clock: what is now in boot time must be now in time of day. */
	struct timespec boot;
	struct timespec real;

	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &real), 0);
	when = event_time((__u64)boot.tv_sec * 1000000000ULL + (__u64)boot.tv_nsec,
			  event_clock_offset());
	assert_in_range(when.tv_sec, real.tv_sec - 1, real.tv_sec + 1);
}

static void every_code_has_words(void **state)
{
	char text[NAMES_ACCESS_SIZE];

	(void)state;
	for (__u32 i = 0; i < PK_OP__MAX; i++)
		assert_string_not_equal(names_op(i), "unknown");
	for (__u32 i = 0; i < PK_REASON__MAX; i++) {
		assert_non_null(names_reason(i));
		assert_non_null(names_reason_sentence(i));
	}
	for (__u32 i = 0; i < PK_COUNT__MAX; i++)
		assert_string_not_equal(names_count(i), "unknown");
	assert_string_equal(names_op(PK_OP__MAX), "unknown");
	assert_string_equal(names_reason(PK_REASON__MAX), "unknown");
	assert_string_equal(names_verdict(200), "unknown");
	assert_string_equal(names_section(0xffffffff), "unknown");
	assert_null(names_protocol(0xffffffff));
	assert_string_equal(names_protocol(17), "udp");
	assert_string_equal(names_access(PK_SECTION_FILES, PK_ACCESS_FILES, ", ", text),
			    "read, write, exec, connect");
	assert_string_equal(names_access(PK_SECTION_EGRESS, 3, "/", text), "tcp/udp");
	assert_string_equal(names_access(99, 15, "/", text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_one_path),
		cmocka_unit_test(decodes_two_paths_with_a_gap),
		cmocka_unit_test(decodes_a_comm_without_nul),
		cmocka_unit_test(decodes_switches),
		cmocka_unit_test(decodes_words),
		cmocka_unit_test(longest_record_and_every_prefix_of_it),
		cmocka_unit_test(refuses_another_abi),
		cmocka_unit_test(refuses_every_damage),
		cmocka_unit_test(refuses_a_nul_in_a_path),
		cmocka_unit_test(refuses_paths_that_overlap),
		cmocka_unit_test(time_is_boot_time_plus_offset),
		cmocka_unit_test(every_code_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
