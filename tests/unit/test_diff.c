/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Differences of policies: on random pairs no difference means equal verdicts on every key, and every key
 * on which they differ belongs to a change that is told. A change of one character in a thousand rules
 * is found, and soon. Policies that have little in common are told by kinds of changes. PICKET_SEED and PICKET_KEYS override the seed and the amount.
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

#include "author/diff.h"
#include "base/mem.h"
#include "base/text.h"
#include "builder.h"
#include "dice.h"
#include "policies.h"

#define KEYS 250
#define LAYERS 2

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

/* Two policies, their images, and what is between them. */
struct couple {
	struct policy *layers[2][LAYERS];
	size_t count;
	struct policy_image images[2];
	struct diff diff;
	size_t detail; /* states of a comparison by pairs of rules */
	size_t differing; /* keys on which the verdicts differ */
};

static void couple_reset(struct couple *c)
{
	for (size_t side = 0; side < 2; side++) {
		for (size_t i = 0; i < c->count; i++)
			policy_free(&c->layers[side][i]);
		image_reset(&c->images[side]);
	}
	diff_reset(&c->diff);
}

/* One small change to one layer. */
static void change(struct dice *dice, struct policy *policy)
{
	static const char *const globs[] = { "/a/**", "**/b", "/usr/a*", "/b", "/**", "**/.env" };
	static const char *const hosts[] = { "*.a", "b.a", "**.b" };
	uint32_t what = dice_roll(dice, 6);

	if (what == 0 && policy->rule_count) {
		policy->rules[dice_roll(dice, (uint32_t)policy->rule_count)].verdict =
			dice_roll(dice, PK_VERDICT__MAX);
	} else if (what == 1) {
		build_section(policy, dice_roll(dice, PK_SECTION_EXEC + 1),
			      dice_roll(dice, PK_VERDICT__MAX));
	} else if (what == 2) {
		build_rule(policy, PK_SECTION_EGRESS, dice_roll(dice, PK_VERDICT__MAX),
			   PK_ACCESS_EGRESS);
		if (dice_roll(dice, 2))
			build_host(policy, hosts[dice_roll(dice, 3)]);
		else
			build_range(policy, "10.0.0.0/25");
		build_ports(policy, dice_port(dice), 65535);
	} else if (what == 3) {
		build_rule(policy, PK_SECTION_EXEC, dice_roll(dice, PK_VERDICT__MAX),
			   PK_ACCESS_RUN);
		build_command(policy, dice_roll(dice, 2) ? "a b" : "/usr/a ... b");
	} else {
		build_rule(policy, PK_SECTION_FILES, dice_roll(dice, PK_VERDICT__MAX),
			   (uint8_t)(1 + dice_roll(dice, PK_ACCESS_FILES)));
		build_glob(policy, globs[dice_roll(dice, 6)]);
		if (dice_roll(dice, 3) == 0)
			build_by(policy, globs[dice_roll(dice, 6)]);
	}
	for (size_t i = 0; i < policy->rule_count; i++)
		for (size_t j = 0; j < policy->rules[i].pattern_count; j++)
			policy->rules[i].patterns[j].pos.file = NULL;
}

/* The same policies twice, one of them changed a little, or two that have nothing in common. */
static void make_couple(struct dice *dice, struct couple *c)
{
	uint32_t kind = dice_roll(dice, 8);

	c->detail = dice_roll(dice, 3) ? DIFF_DETAIL_MAX : dice_roll(dice, 64);
	c->count = 1 + dice_roll(dice, LAYERS);
	for (size_t i = 0; i < c->count; i++) {
		struct dice again = *dice;

		c->layers[0][i] = dice_policy(dice);
		c->layers[1][i] = dice_policy(kind ? &again : dice);
	}
	for (uint32_t i = 0; kind > 1 && i < 1 + dice_roll(dice, 2); i++)
		change(dice, c->layers[1][dice_roll(dice, (uint32_t)c->count)]);
	for (size_t side = 0; side < 2; side++)
		c->images[side] = build_image(c->layers[side], c->count);
	assert_int_equal(diff_images(&c->images[0], &c->images[1], c->detail, &c->diff), 0);
	assert_false(c->diff.incomplete);
	assert_true(c->diff.count || !c->diff.partial);
	if (kind == 1)
		assert_int_equal(c->diff.count + c->diff.setting_count, 0);
}

/* What a key needs to be told by. */
struct told {
	enum diff_act act;
	__u8 access;
	int named; /* 1: with a key, 0: without, -1: either */
	int addressed;
};

/* Is there a change of this act with these verdicts? */
static bool is_told(const struct couple *c, const struct told *want,
		    const struct pk_result results[2])
{
	for (size_t i = 0; i < c->diff.count; i++) {
		const struct diff_change *change = &c->diff.changes[i];

		if (change->act == want->act &&
		    (!want->access || (change->access & want->access)) &&
		    (want->named < 0 || want->named == !!change->key) &&
		    (want->addressed < 0 || want->addressed == change->has_address) &&
		    change->before.verdict == results[0].verdict &&
		    change->after.verdict == results[1].verdict)
			return true;
	}
	return false;
}

/* The key is told by one of @count ways when the verdicts differ. */
static void expect_told(struct couple *c, const struct told *ways, size_t count,
			const struct pk_result results[2], const char *key)
{
	if (results[0].verdict == results[1].verdict)
		return;
	c->differing++;
	for (size_t i = 0; i < count; i++)
		if (is_told(c, &ways[i], results))
			return;
	fail_msg("act %d on '%s': %u and %u, and no change says so", (int)ways[0].act, key,
		 results[0].verdict, results[1].verdict);
}

/* Someone who asks, by the bits of each side. */
struct asker {
	__u32 subjects[2];
};

static struct policy *const *some_layers(struct dice *dice, struct couple *c)
{
	return c->layers[dice_roll(dice, 2)];
}

/* Keys that no process can have. */
static bool is_path(const char *path)
{
	return !strstr(path, "/./") && !strstr(path, "/../") &&
	       (strlen(path) < 2 || strcmp(path + strlen(path) - 2, "/.") != 0) &&
	       (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

static struct asker roll_asker(struct dice *dice, struct couple *c)
{
	struct asker asker = { { 0, 0 } };
	char program[DICE_PATH_MAX];

	if (dice_roll(dice, 2))
		return asker;
	dice_program(dice, some_layers(dice, c), c->count, program);
	for (size_t i = 0; i < 2 && is_path(program); i++)
		assert_int_equal(decide_subjects(&c->images[i], program, &asker.subjects[i]), 0);
	return asker;
}

static void check_path(struct dice *dice, struct couple *c)
{
	static const struct told unix_way = { DIFF_UNIX, 0, -1, -1 };
	struct asker asker = roll_asker(dice, c);
	uint8_t bit = (uint8_t)(1U << dice_roll(dice, 4));
	const struct told open_way = { DIFF_OPEN, bit, -1, -1 };
	const struct told exec_ways[] = { { DIFF_EXEC, 0, -1, -1 },
					  { DIFF_OPEN, PK_ACCESS_EXEC, -1, -1 } };
	struct pk_result results[3][2];
	char path[DICE_PATH_MAX];

	dice_path(dice, some_layers(dice, c), c->count, path);
	for (size_t i = 0; i < 2; i++) {
		struct pk_query query = { PK_SECTION_FILES, bit, 0, asker.subjects[i], 0 };

		(void)decide_path_query(&c->images[i], path, &query, &results[0][i]);
		(void)decide_exec_as(&c->images[i], path, asker.subjects[i], &results[1][i]);
		(void)decide_abstract(&c->images[i], path + 1, asker.subjects[i], &results[2][i]);
	}
	if (path[1])
		expect_told(c, &unix_way, 1, results[2], path);
	if (!is_path(path))
		return;
	expect_told(c, &open_way, 1, results[0], path);
	expect_told(c, exec_ways, 2, results[1], path);
}

static void check_command(struct dice *dice, struct couple *c)
{
	static const struct told ways[] = { { DIFF_RUN, 0, -1, -1 },
					    { DIFF_EXEC, 0, -1, -1 },
					    { DIFF_OPEN, PK_ACCESS_EXEC, -1, -1 } };
	struct asker asker = roll_asker(dice, c);
	struct dice_command command;
	struct pk_result results[2];

	dice_command(dice, some_layers(dice, c), c->count, &command);
	if (!is_path(command.program) || !command.program[1])
		return;
	/* Who says another name than its own is not what a policy's words are about. */
	command.argv[0] = command.program;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(decide_command(&c->images[i], command.program, command.argv,
						asker.subjects[i], &results[i]),
				 0);
	expect_told(c, ways, 3, results, command.program);
}

static void decide_to(struct couple *c, const struct asker *asker, const struct decide_target *to,
		      struct pk_query *query, struct pk_result results[2])
{
	for (size_t i = 0; i < 2; i++) {
		struct pk_result question = { PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
		struct decided decided;

		query->subjects = asker->subjects[i];
		assert_int_equal(decide_destination(&c->images[i], to, query, &decided), 0);
		if (!to->address)
			assert_int_equal(decide_name(&c->images[i], to->host, &question), 0);
		results[i] = question.verdict > decided.result.verdict ? question : decided.result;
	}
}

/* Names that end in a number can stand in no policy. */
static bool is_name(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;

	return last[strspn(last, "0123456789")] != '\0';
}

static void check_destination(struct dice *dice, struct couple *c)
{
	uint8_t bit = (uint8_t)(1U << dice_roll(dice, 2));
	const struct told alone_way = { DIFF_CONNECT, bit, 0, 1 };
	const struct told named_way = { DIFF_CONNECT, bit, 1, 0 };
	const struct told learned_way = { DIFF_CONNECT, bit, 1, 1 };
	const struct told asked_ways[] = { { DIFF_LOOKUP, 0, 1, 0 }, { DIFF_CONNECT, 0, 1, 0 } };
	struct asker asker = roll_asker(dice, c);
	struct pk_query query = { PK_SECTION_EGRESS, bit, dice_port(dice), 0, 0 };
	struct pk_result alone[2], named[2], learned[2], called[2], asked[2];
	uint8_t address[16];
	char name[DICE_HOST_MAX];

	dice_address(dice, some_layers(dice, c), c->count, address);
	dice_name(dice, some_layers(dice, c), c->count, name);
	if (!is_name(name))
		return;
	decide_to(c, &asker, &(struct decide_target){ .address = address }, &query, alone);
	expect_told(c, &alone_way, 1, alone, "an address");
	decide_to(c, &asker, &(struct decide_target){ .host = name }, &query, named);
	expect_told(c, &named_way, 1, named, name);
	decide_to(c, &asker, &(struct decide_target){ address, name }, &query, learned);
	for (size_t i = 0; i < 2; i++) {
		query.subjects = asker.subjects[i];
		assert_int_equal(decide_host(&c->images[i], name, &query, &called[i]), 0);
		assert_int_equal(decide_name(&c->images[i], name, &asked[i]), 0);
	}
	if (alone[0].verdict == alone[1].verdict && called[0].verdict == called[1].verdict)
		expect_told(c, &learned_way, 1, learned, name);
	/* A connection by that name may have told it with other verdicts. */
	if (asked[0].verdict != asked[1].verdict && !is_told(c, &asked_ways[0], asked)) {
		bool connects = false;

		for (size_t i = 0; i < c->diff.count; i++)
			connects = connects || (c->diff.changes[i].act == DIFF_CONNECT &&
						c->diff.changes[i].key);
		assert_true(connects);
	}
}

static void check_ways_in(struct dice *dice, struct couple *c)
{
	static const struct {
		enum diff_act act;
		enum pk_section section;
	} ways[] = { { DIFF_LISTEN, PK_SECTION_LISTEN }, { DIFF_ACCEPT, PK_SECTION_ACCEPT } };
	uint32_t which = dice_roll(dice, 2);
	uint8_t bit = (uint8_t)(1U << dice_roll(dice, 2));
	const struct told way = { ways[which].act, bit, 0, 1 };
	struct pk_query query = { ways[which].section, bit, dice_port(dice), 0, 0 };
	struct pk_result results[2];
	uint8_t address[16];

	dice_address(dice, some_layers(dice, c), c->count, address);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(decide_address_query(&c->images[i], address, &query, &results[i]),
				 0);
	expect_told(c, &way, 1, results, "an address");
}

static void no_witness_means_equal(void **state)
{
	unsigned long keys = from_environment("PICKET_KEYS", 100000);
	struct dice dice = { .state = from_environment("PICKET_SEED", 20261121) };
	size_t couples = 0, differing = 0, different = 0, partial = 0;

	(void)state;
	printf("# seed %llu\n", (unsigned long long)dice.state);
	for (unsigned long done = 0; done < keys; done += KEYS, couples++) {
		CLEAN(couple_reset) struct couple c = { .count = 0 };

		make_couple(&dice, &c);
		for (size_t i = 0; i < KEYS; i++) {
			uint32_t kind = dice_roll(&dice, 8);

			if (kind < 4)
				check_path(&dice, &c);
			else if (kind == 4)
				check_command(&dice, &c);
			else if (kind < 7)
				check_destination(&dice, &c);
			else
				check_ways_in(&dice, &c);
		}
		differing += c.differing;
		different += c.diff.count > 0;
		partial += c.diff.partial;
	}
	printf("# %zu couples, %zu of them different, %zu told by kinds, %zu differing keys\n",
	       couples, different, partial, differing);
	/* Couples that are all equal would prove nothing, nor would keys that never meet a change. */
	assert_true(different > couples / 2 && different < couples);
	assert_true(differing > keys / 20);
	assert_true(partial > couples / 10);
}

/* A policy of @count rules of each kind; the character at the end of rule @planted is @end. */
static char *big_policy(int count, int planted, char end)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	fprintf(to, "picket: 1\nfiles:\n  rules:\n");
	for (int i = 0; i < count; i++)
		fprintf(to, "    - {%s: \"%s%d/x%c%s\", access: [read]}\n",
			i % 10 ? "allow" : "deny", i % 10 ? "/srv/team/p" : "**/secret", i,
			i == planted ? end : 'y', i % 3 ? "" : "/**");
	assert_int_equal(text_close(to, &text), 0);
	return text;
}

/* The change is there, whichever rule it is planted in, and the time is bounded by the CPU's own clock. */
static void finds_one_character(void **state)
{
	static const int planted[] = { 501, 502, 510 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CLEAN_FREE char *before = big_policy(1000, planted[i], 'y');
		CLEAN_FREE char *after = big_policy(1000, planted[i], '?');
		CLEAN(image_reset) struct policy_image a = policy_text_compile("a", before);
		CLEAN(image_reset) struct policy_image b = policy_text_compile("b", after);
		CLEAN(diff_reset) struct diff diff = { 0 };
		clock_t start = clock();

		assert_int_equal(diff_images(&a, &b, DIFF_DETAIL_MAX, &diff), 0);
		printf("# %zu changes in %ld ms\n", diff.count,
		       (long)((clock() - start) * 1000 / CLOCKS_PER_SEC));
		/* Thirty times what is wanted of a build without sanitizers, which is a second. */
		assert_true((clock() - start) / CLOCKS_PER_SEC < 30);
		assert_false(diff.incomplete || diff.partial);
		assert_int_equal(diff.setting_count, 0);
		assert_int_equal(diff.count, 1);
		/* A deny that grows closes, where it meets an allow. */
		if (planted[i] % 10 == 0) {
			assert_int_equal(diff_way(&diff.changes[0]), DIFF_CLOSES);
			continue;
		}
		assert_int_equal(diff.changes[0].act, DIFF_OPEN);
		assert_int_equal(diff.changes[0].access, PK_ACCESS_READ);
		assert_int_equal(diff.changes[0].before.verdict, PK_VERDICT_DENY);
		assert_int_equal(diff.changes[0].after.verdict, PK_VERDICT_ALLOW);
		assert_int_equal(image_rule(&b, diff.changes[0].after.rule)->line, planted[i] + 4);
	}
}

/* @count rules about folders and names that only the policy with this @word has. */
static char *unrelated_policy(int count, const char *word)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	fprintf(to, "picket: 1\nfiles:\n  rules:\n");
	for (int i = 0; i < count; i++)
		fprintf(to, "    - {%s: \"%s%s%d%s\"%s}\n", i % 9 ? "allow" : "deny",
			i % 9 ? "/srv/" : "**/", word, i * 7919 % count,
			i % 9 == 0 ? ".key" :
			i % 9 == 1 ? "/*.{c,h}" :
				     "/src/**",
			i % 9 == 0 ? "" :
			i % 2	   ? ", access: [read]" :
				     ", access: [read, write]");
	assert_int_equal(text_close(to, &text), 0);
	return text;
}

/* Kinds of changes of two policies that have nothing in common are all told, of however many rules. */
static void unrelated_policies(void **state)
{
	CLEAN_FREE char *before = unrelated_policy(1000, "left");
	CLEAN_FREE char *after = unrelated_policy(1000, "right");
	CLEAN(image_reset) struct policy_image a = policy_text_compile("a", before);
	CLEAN(image_reset) struct policy_image b = policy_text_compile("b", after);
	CLEAN(diff_reset) struct diff diff = { 0 };
	__u8 told[2] = { 0 };

	(void)state;
	assert_int_equal(diff_images(&a, &b, DIFF_DETAIL_MAX, &diff), 0);
	printf("# %zu changes\n", diff.count);
	assert_true(diff.partial);
	assert_false(diff.incomplete);
	for (size_t i = 0; i < diff.count; i++)
		told[diff_way(&diff.changes[i]) == DIFF_CLOSES] |= diff.changes[i].access;
	/* Each of them allows reading and writing where the other one does not. */
	assert_int_equal(told[0] & (PK_ACCESS_READ | PK_ACCESS_WRITE),
			 PK_ACCESS_READ | PK_ACCESS_WRITE);
	assert_int_equal(told[1] & (PK_ACCESS_READ | PK_ACCESS_WRITE),
			 PK_ACCESS_READ | PK_ACCESS_WRITE);
}

/* Policies that differ in one thing, and the change that is told first. */
struct pair {
	const char *before;
	const char *after;
	enum diff_act act;
	__u16 port;
	const char *key; /* NULL: an address, below */
	const char *address;
	const char *by;
};

#define EGRESS "picket: 1\negress: {dns: {resolvers: [192.0.2.53]}, rules: ["

static const struct pair pairs[] = {
	{ "picket: 1\nfiles: {rules: [{allow: \"/a/**\", access: read}]}",
	  "picket: 1\nfiles: {rules: [{allow: \"/a/**\", access: [read, write]}]}", DIFF_OPEN, 0,
	  "/a", NULL, NULL },
	{ "picket: 1\nexec: {default: allow, rules: [{deny: \"git push\"}]}",
	  "picket: 1\nexec: {default: allow, rules: [{deny: \"git push -f\"}]}", DIFF_RUN, 0,
	  "/git", NULL, NULL },
	{ "picket: 1\nexec: {rules: [{allow: /a}]}", "picket: 1\nexec: {rules: [{allow: \"/?\"}]}",
	  DIFF_EXEC, 0, "/x", NULL, NULL },
	{ "picket: 1\nunix: {rules: [{allow: \"a\"}]}",
	  "picket: 1\nunix: {rules: [{allow: \"a*\"}]}", DIFF_UNIX, 0, "/ax", NULL, NULL },
	{ EGRESS "{allow: \"192.0.2.4/31:443\"}]}", EGRESS "{allow: \"192.0.2.4/30:443\"}]}",
	  DIFF_CONNECT, 443, NULL, "192.0.2.6", NULL },
	{ EGRESS "{allow: \"192.0.2.4:80-90\"}]}", EGRESS "{allow: \"192.0.2.4:80-91\"}]}",
	  DIFF_CONNECT, 91, NULL, "192.0.2.4", NULL },
	{ EGRESS "{allow: \"*.a.example:443\"}]}", EGRESS "{allow: \"**.a.example:443\"}]}",
	  DIFF_CONNECT, 443, "a.example", NULL, NULL },
	/* The address is denied either way, the name allowed either way, both together are not. */
	{ EGRESS "{allow: \"a.example:443\"}]}",
	  EGRESS "{allow: \"a.example:443\"}, {deny: \"192.0.2.4\"}]}", DIFF_CONNECT, 443,
	  "a.example", "192.0.2.4", NULL },
	{ EGRESS "{allow: \"192.0.2.4:443\", by: /usr/bin/git}]}\nfiles: {default: allow}",
	  EGRESS "{allow: \"192.0.2.4:443\", by: \"/usr/bin/git?\"}]}\nfiles: {default: allow}",
	  DIFF_CONNECT, 443, NULL, "192.0.2.4", "/usr/bin/git" },
	{ "picket: 1\nlisten: {rules: [{allow: \"192.0.2.4:80\"}]}",
	  "picket: 1\nlisten: {rules: [{allow: \"192.0.2.4:80-81\"}]}", DIFF_LISTEN, 81, NULL,
	  "192.0.2.4", NULL },
	{ "picket: 1\nlisten: {rules: [{allow: \"192.0.2.4:80\", from: \"192.0.2.8\"}]}",
	  "picket: 1\nlisten: {rules: [{allow: \"192.0.2.4:80\", from: \"192.0.2.8/31\"}]}",
	  DIFF_ACCEPT, 80, NULL, "192.0.2.9", NULL },
};

static void tells_each_act(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		const struct pair *pair = &pairs[i];
		CLEAN(image_reset) struct policy_image a = policy_text_compile("a", pair->before);
		CLEAN(image_reset) struct policy_image b = policy_text_compile("b", pair->after);
		CLEAN(diff_reset) struct diff diff = { 0 };
		const struct diff_change *first;
		__u8 address[16];

		printf("# pair %zu\n", i);
		assert_int_equal(diff_images(&a, &a, DIFF_DETAIL_MAX, &diff), 0);
		assert_int_equal(diff.count + diff.setting_count, 0);
		diff_reset(&diff);
		assert_int_equal(diff_images(&a, &b, DIFF_DETAIL_MAX, &diff), 0);
		assert_true(diff.count > 0);
		first = &diff.changes[0];
		assert_int_equal(first->act, pair->act);
		assert_int_equal(first->has_address, pair->address != NULL);
		if (pair->key)
			assert_string_equal(first->key, pair->key);
		else
			assert_null(first->key);
		if (pair->address) {
			build_address(pair->address, address);
			assert_memory_equal(first->address, address, 16);
		}
		assert_int_equal(first->port, pair->port);
		assert_string_equal(first->by ? first->by : "", pair->by ? pair->by : "");
	}
}

/* What is set once, and which way it went. */
static const struct {
	const char *before;
	const char *after;
	const char *name;
	enum diff_way way;
} settings[] = {
	{ "mode: enforce", "mode: audit", "mode", DIFF_OPENS },
	{ "sockets: {allow: [inet]}", "sockets: {allow: [inet, unix]}", "sockets.allow",
	  DIFF_OPENS },
	{ "process: {profile: strict}", "process: {profile: strict, ptrace: allow}",
	  "process.ptrace", DIFF_OPENS },
	{ "syscalls: {deny: [swapon]}", "syscalls: {deny: [swapon, swapoff]}", "syscalls swapoff",
	  DIFF_CLOSES },
	{ "egress: {tls: {sni: \"off\"}}", "egress: {tls: {sni: match}}", "egress.tls.sni",
	  DIFF_CLOSES },
	{ "egress: {dns: {resolvers: [192.0.2.1]}}",
	  "egress: {dns: {resolvers: [192.0.2.1], private_answers: allow}}",
	  "egress.dns.private_answers", DIFF_OPENS },
	{ "egress: {dns: {resolvers: [192.0.2.1], rate: 5/s}}",
	  "egress: {dns: {resolvers: [192.0.2.1], rate: \"off\"}}", "egress.dns.rate", DIFF_OPENS },
	{ "report: {activity: exec}", "report: {activity: [exec, read]}", "report.activity",
	  DIFF_OTHER },
};

static void tells_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		CLEAN_FREE char *before = NULL;
		CLEAN_FREE char *after = NULL;
		CLEAN(diff_reset) struct diff diff = { 0 };
		struct policy_image a, b;

		printf("# %s\n", settings[i].name);
		assert_true(asprintf(&before, "picket: 1\n%s\n", settings[i].before) > 0);
		assert_true(asprintf(&after, "picket: 1\n%s\n", settings[i].after) > 0);
		a = policy_text_compile("a", before);
		b = policy_text_compile("b", after);
		assert_int_equal(diff_images(&a, &b, DIFF_DETAIL_MAX, &diff), 0);
		assert_int_equal(diff.setting_count, 1);
		assert_string_equal(diff.settings[0].name, settings[i].name);
		assert_int_equal(diff.settings[0].way, settings[i].way);
		diff_reset(&diff);
		assert_int_equal(diff_images(&a, &a, DIFF_DETAIL_MAX, &diff), 0);
		assert_int_equal(diff.setting_count, 0);
		image_reset(&a);
		image_reset(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_each_act),	  cmocka_unit_test(tells_settings),
		cmocka_unit_test(finds_one_character),	  cmocka_unit_test(unrelated_policies),
		cmocka_unit_test(no_witness_means_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
