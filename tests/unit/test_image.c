/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Validation: every promise of the format broken on its own, with the digest made right again, must
 * be found; and whatever passes must be safe to match against.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "builder.h"
#include "policy/decide.h"

static struct policy *sample(void)
{
	struct policy *policy = build_policy("sample");
	struct policy_rule *rule;

	build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_ASK);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/usr/**");
	rule = build_rule(policy, PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_FILES);
	rule->id = strdup("secrets");
	rule->reason = strdup("no keys");
	build_glob(policy, "**/.env");
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_TCP);
	build_range(policy, "10.0.0.0/8");
	build_ports(policy, 22, 22);
	build_ports(policy, 80, 90);
	return policy;
}

static struct policy_image sample_image(void)
{
	struct policy *policy = sample();
	struct policy_image image = build_image(&policy, 1);

	policy_free(&policy);
	return image;
}

static struct pk_image *head(struct policy_image *image)
{
	return (struct pk_image *)(void *)image->bytes;
}

#define PART(image, which, type)                                                                   \
	((type *)(void *)((image)->bytes + head(image)->part[which].offset))
#define SLOTS(image) PART(image, PK_PART_SLOTS, struct pk_slot)
#define SPANS(image) PART(image, PK_PART_SPANS, struct pk_span)
#define ITEMS(image) PART(image, PK_PART_ITEMS, struct pk_item)
#define RULES(image) PART(image, PK_PART_RULES, struct pk_rule)
#define STRINGS(image) PART(image, PK_PART_STRINGS, char)

static struct pk_slot *start_slot(struct policy_image *image)
{
	return (struct pk_slot *)(void *)image->bytes + head(image)->path_start[0];
}

/* The first slot that is a transition, and the first that is unused. */
static struct pk_slot *find_slot(struct policy_image *image, bool used)
{
	struct pk_slot *slot = SLOTS(image);

	while (slot->check == PK_SLOT_HEAD || (slot->check != 0) != used)
		slot++;
	return slot;
}

/* Break promise number @which of @image; the sentence that must name it, or NULL: no such number. */
static const char *break_header(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		head(i)->magic++;
		return "not a policy image";
	case 1:
		head(i)->version++;
		return "another version";
	case 2:
		head(i)->pages++;
		return "not what its header says";
	case 3:
		head(i)->flags |= 32;
		return "flags";
	case 4:
		head(i)->activity |= 16;
		return "flags";
	case 5:
		head(i)->layers = 0;
		return "layers";
	case 6:
		head(i)->layers = PK_LAYERS_MAX + 1;
		return "layers";
	case 7:
		head(i)->subjects = 2;
		return "not numbered";
	case 8:
		head(i)->path_class['a'] = 1;
		return "no class";
	case 9:
		head(i)->name = head(i)->part[PK_PART_STRINGS].size;
		return "name";
	case 10:
		head(i)->name = 2;
		return "name";
	case 11:
		head(i)->guards.deny |= 1U << PK_GUARD__MAX;
		return "switches";
	case 12:
		head(i)->guards.capabilities = 1;
		return "with the switch off";
	case 13:
		head(i)->guards.rule[PK_GUARD_PERF] = 0;
		return "by nobody";
	case 14:
		head(i)->guards.rule[PK_GUARD_PERF] = PK_RULE_DEFAULT | PK_SECTION_FILES;
		return "by nobody";
	case 15:
		head(i)->guards.rule[PK_GUARD_PERF] = PK_RULE_NONE;
		return "by nobody";
	case 16:
		head(i)->guards._pad = 1;
		return "switches";
	case 17:
		head(i)->guards.ask = 1U << PK_GUARD__MAX;
		return "switches";
	default:
		return NULL;
	}
}

static const char *break_frame(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		head(i)->defaults[PK_SECTION_EGRESS].deny = 1;
		return "no verdict";
	case 1:
		head(i)->defaults[PK_SECTION_EGRESS].ask = 0xf;
		return "no verdict";
	case 2:
		head(i)->defaults[PK_SECTION_EXEC].deny = 0xf;
		return "no verdict";
	case 3:
		head(i)->defaults[PK_SECTION_EGRESS].present |= 0xf0;
		return "no verdict";
	case 4:
		head(i)->part[PK_PART_SPANS].offset += 32;
		return "out of place";
	case 5:
		head(i)->part[PK_PART_STRINGS].size = PK_PAGE_SIZE;
		return "out of place";
	case 6:
		head(i)->part[PK_PART_SLOTS].size -= 4;
		return "inside an element";
	case 7:
		head(i)->part[PK_PART_STRINGS].offset = 0xffffffe0;
		return "out of place";
	case 8:
		i->bytes[i->size - 1] = 1;
		return "behind the parts";
	case 9:
		head(i)->span_count--;
		return "wrong size";
	case 10:
		STRINGS(i)[0] = 'x';
		return "no end";
	case 11:
		STRINGS(i)[head(i)->part[PK_PART_STRINGS].size - 1] = 'x';
		return "no end";
	default:
		return NULL;
	}
}

static const char *break_rules(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		RULES(i)[0].text = 0x7fffffff;
		return "not a text";
	case 1:
		RULES(i)[0].reason = 3;
		return "not a text";
	case 2:
		RULES(i)[0].verdict = PK_VERDICT__MAX;
		return "a rule is malformed";
	case 3:
		RULES(i)[0].layer = 1;
		return "a rule is malformed";
	case 4:
		RULES(i)[0].section = PK_SECTION__MAX;
		return "a rule is malformed";
	case 5:
		RULES(i)[2].access = PK_ACCESS_CONNECT;
		return "a rule is malformed";
	case 6:
		RULES(i)[0].subjects = 1;
		return "a rule is malformed";
	case 7:
		ITEMS(i)[0].rule = 3;
		return "an item";
	case 8:
		ITEMS(i)[0].verdict ^= 1;
		return "an item";
	case 9:
		ITEMS(i)[0].access ^= 1;
		return "an item";
	case 10:
		ITEMS(i)[0].layer = 7;
		return "an item";
	case 11:
		ITEMS(i)[0].port_hi = 3;
		return "an item";
	case 12:
		ITEMS(i)[0].subjects = 0;
		return "an item";
	case 13:
		RULES(i)[0].layer = 1;
		head(i)->layers = 2;
		return "order of layers";
	default:
		return NULL;
	}
}

static const char *break_spans(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		SPANS(i)[0].from_lo = 1;
		return "first address";
	case 1:
		SPANS(i)[2].from_lo = SPANS(i)[1].from_lo;
		return "not sorted";
	case 2:
		SPANS(i)[1].from_hi = 1;
		return "not sorted";
	case 3:
		SPANS(i)[1]._pad[2] = 1;
		return "a span";
	case 4:
		SPANS(i)[1].set = 0x100; /* no items */
		return "a span";
	case 5:
		SPANS(i)[1].set = 0x01000001; /* beyond the part */
		return "a span";
	case 6:
		SPANS(i)[1].set = PK_SET_MAX + 1;
		return "a span";
	case 7:
		SPANS(i)[1].set += 2; /* over the end of the items */
		return "a span";
	default:
		return NULL;
	}
}

static const char *break_slots(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		head(i)->path_start[0]++;
		return "start state";
	case 1:
		head(i)->path_start[0] = 0;
		return "start state";
	case 2:
		head(i)->path_start[0] = 0x3fffffff;
		return "start state";
	case 3:
		start_slot(i)[1].check = 0;
		return "cut off";
	case 4:
		start_slot(i)[0].next++;
		return "a state is malformed";
	case 5:
		start_slot(i)[1].next = 0xffff0001;
		return "a state is malformed";
	case 6:
		find_slot(i, true)->next++;
		return "leads nowhere";
	case 7:
		find_slot(i, true)->next = 0xfffffff0;
		return "leads nowhere";
	case 8:
		find_slot(i, true)->check++;
		return "leads nowhere";
	case 9:
		find_slot(i, false)->next = head(i)->path_start[0];
		return "leads nowhere";
	case 10:
		find_slot(i, false)->check = 1;
		return "leads nowhere";
	case 11:
		/* More classes than slots behind the last state. */
		head(i)->path_class['z'] = 255;
		return "cut off";
	default:
		return NULL;
	}
}

static const char *break_commands(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		head(i)->argv_start++;
		return "start state";
	case 1:
		head(i)->argv_start = 0;
		return "without states";
	case 2:
		head(i)->argv_dead++;
		return "dead state is no state";
	case 3:
		head(i)->argv_dead = head(i)->argv_start;
		return "is alive";
	case 4:
		head(i)->argv_class['a'] = 1;
		return "no class";
	case 5:
		head(i)->argv_class['a'] = 255;
		return "cut off";
	case 6:
		head(i)->subjects = 0;
		return "a rule is malformed";
	case 7:
		RULES(i)[1].subjects = 3;
		return "a rule is malformed";
	case 8:
		RULES(i)[2].subjects = PK_SUBJECTS_ALL;
		return "a rule is malformed";
	case 9:
		RULES(i)[3].subjects = 1;
		return "a rule is malformed";
	case 10:
		RULES(i)[3].verdict = PK_VERDICT_ALLOW;
		return "by nobody";
	case 11:
		RULES(i)[0].section = PK_SECTION_PROCESS;
		RULES(i)[0].access = 0;
		return "order of layers";
	case 12:
		ITEMS(i)[0].subjects ^= 1;
		return "an item";
	default:
		return NULL;
	}
}

/* Rules: 0 a command, 1 for one program, 2 that program, 3 a switch. */
static struct policy_image command_image(void)
{
	struct policy *policy = build_policy("c");
	struct policy_image image;

	build_section(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW);
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_DENY, PK_ACCESS_RUN);
	build_command(policy, "git push");
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/a");
	build_by(policy, "/usr/bin/git");
	build_guard(policy, PK_GUARD_PERF, true, "perf: deny");
	image = build_image(&policy, 1);
	policy_free(&policy);
	return image;
}

static void finds_broken_commands(void **state)
{
	const char *expected = "";

	(void)state;
	for (int which = 0; expected; which++) {
		struct policy_image image = command_image();
		const char *why = "nothing";

		assert_int_equal(image_validate(image.bytes, image.size, NULL), 0);
		expected = break_commands(&image, which);
		assert_int_equal(image_seal(&image), 0);
		if (expected &&
		    (image_validate(image.bytes, image.size, &why) == 0 || !strstr(why, expected)))
			fail_msg("breaker %d: %s", which, why);
		image_reset(&image);
	}
}

static void finds_broken_promises(void **state)
{
	static const char *(*const breakers[])(struct policy_image *,
					       int) = { break_header, break_frame, break_rules,
							break_spans, break_slots };

	(void)state;
	for (size_t b = 0; b < sizeof(breakers) / sizeof(*breakers); b++) {
		for (int which = 0;; which++) {
			struct policy_image image = sample_image();
			const char *expected = breakers[b](&image, which);
			const char *why = "nothing";

			assert_int_equal(image_seal(&image), 0);
			if (expected && (image_validate(image.bytes, image.size, &why) == 0 ||
					 !strstr(why, expected)))
				fail_msg("breaker %zu/%d: %s", b, which, why);
			image_reset(&image);
			if (!expected)
				break;
		}
	}
}

static void finds_every_changed_byte(void **state)
{
	struct policy_image image = sample_image();

	(void)state;
	for (size_t i = 0; i < image.size; i += i < 2048 ? 1 : 61) {
		image.bytes[i] ^= 0x40;
		assert_int_equal(image_validate(image.bytes, image.size, NULL), -22);
		image.bytes[i] ^= 0x40;
	}
	assert_int_equal(image_validate(image.bytes, image.size, NULL), 0);
	image_reset(&image);
}

static void finds_a_wrong_size(void **state)
{
	struct policy_image image = sample_image();
	const char *why = "";

	(void)state;
	for (size_t size = 0; size < image.size; size += 100) {
		/* Exactly that many bytes, so that reading behind them is seen. */
		uint8_t *copy = malloc(size ? size : 1);

		assert_non_null(copy);
		memcpy(copy, image.bytes, size);
		assert_int_equal(image_validate(copy, size, &why), -22);
		assert_non_null(strstr(why, "whole pages"));
		free(copy);
	}
	image_reset(&image);
}

/* Sealed again, a changed byte is refused or harmless: nothing leaves the image's bytes. */
static void what_passes_is_safe(void **state)
{
	static const char *const paths[] = { "/", "/usr/bin/x", "/a/.env", "/\377\001", "/usr" };
	struct policy_image image = sample_image();
	uint8_t address[16] = { 0 };
	struct pk_result result;
	size_t passed = 0;
	size_t end = head(&image)->part[PK_PART_STRINGS].offset;

	(void)state;
	for (size_t i = 0; i < end * 3; i++) {
		static const uint8_t flips[] = { 0x01, 0x10, 0xff };
		uint8_t *byte = &image.bytes[i / 3];

		*byte ^= flips[i % 3];
		assert_int_equal(image_seal(&image), 0);
		if (image_validate(image.bytes, image.size, NULL) == 0) {
			passed++;
			for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++)
				(void)decide_path(&image, PK_SECTION_FILES, PK_ACCESS_READ,
						  paths[p], &result);
			address[i % 16]++;
			(void)decide_address(&image, address, 80, PK_ACCESS_TCP, &result);
			assert_in_range(result.verdict, 0, PK_VERDICT__MAX - 1);
		}
		*byte ^= flips[i % 3];
	}
	/* Some bytes are free: addresses, classes, line numbers. */
	assert_true(passed > 0);
	image_reset(&image);
}

static void strings_and_rules_are_read(void **state)
{
	struct policy_image image = sample_image();
	const struct pk_rule *rule = image_rule(&image, 1);

	(void)state;
	assert_string_equal(image_string(&image, image_head(&image)->name), "sample");
	assert_non_null(rule);
	assert_string_equal(image_string(&image, rule->text), "**/.env");
	assert_string_equal(image_string(&image, rule->file), "sample.yaml");
	assert_string_equal(image_string(&image, rule->id), "secrets");
	assert_string_equal(image_string(&image, rule->reason), "no keys");
	assert_int_equal(rule->line, 2);
	assert_string_equal(image_string(&image, 0), "");
	assert_string_equal(image_string(&image, 0xffffffff), "");
	assert_null(image_rule(&image, 3));
	assert_null(image_rule(&image, PK_RULE_DEFAULT));
	image_reset(&image);
	assert_null(image.bytes);
	image_reset(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_broken_promises),
		cmocka_unit_test(finds_broken_commands),
		cmocka_unit_test(finds_every_changed_byte),
		cmocka_unit_test(finds_a_wrong_size),
		cmocka_unit_test(what_passes_is_safe),
		cmocka_unit_test(strings_and_rules_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
