/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy, keys, two answers, compared: verdict and named rule must be the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "differential.h"
#include "policy/compile.h"
#include "policy/decide.h"

#define LAYERS 3

static void print_policy(const struct naive *naive)
{
	for (size_t l = 0; l < naive->count; l++)
		for (size_t i = 0; i < naive->layers[l]->rule_count; i++) {
			const struct policy_rule *rule = &naive->layers[l]->rules[i];

			for (size_t j = 0; j < rule->pattern_count; j++)
				fprintf(stderr, "  layer %zu section %d verdict %d access %d: %s\n",
					l, rule->section, rule->verdict, rule->access,
					rule->patterns[j].source);
		}
}

static void compare(struct differential *d, const struct naive *naive, const char *key,
		    const struct pk_result *got, struct naive_answer want)
{
	d->pairs++;
	d->ruled += !(want.rule & PK_RULE_DEFAULT);
	if (got->verdict == want.verdict && got->rule == want.rule)
		return;
	d->differences++;
	if (!d->verbose)
		return;
	fprintf(stderr, "key '%s': matcher %u rule %#x, reference %u rule %#x\n", key, got->verdict,
		got->rule, want.verdict, want.rule);
	print_policy(naive);
}

/* A comparison at work. */
struct comparison {
	struct differential *d;
	struct dice *dice;
	struct naive naive;
	const struct policy_image *image;
	__u32 subjects; /* of naive.by */
};

static struct policy *const *layers_of(const struct comparison *c)
{
	return (struct policy *const *)c->naive.layers;
}

/* Who asks: nobody that a rule names, or a program. */
static void choose_program(struct comparison *c, char path[DICE_PATH_MAX])
{
	c->naive.by = NULL;
	c->subjects = 0;
	if (dice_roll(c->dice, 2))
		return;
	dice_program(c->dice, layers_of(c), c->naive.count, path);
	c->naive.by = path;
	if (decide_subjects(c->image, path, &c->subjects))
		abort();
}

static void compare_path(struct comparison *c)
{
	static const enum pk_section sections[] = { PK_SECTION_FILES, PK_SECTION_FILES,
						    PK_SECTION_EXEC, PK_SECTION_UNIX };
	enum pk_section section = sections[dice_roll(c->dice, 4)];
	uint8_t access = section == PK_SECTION_FILES ? (uint8_t)(1 + dice_roll(c->dice, 15)) :
			 section == PK_SECTION_UNIX  ? PK_ACCESS_ABSTRACT :
						       PK_ACCESS_RUN;
	struct pk_query query = { section, access, 0, c->subjects, 0 };
	char path[DICE_PATH_MAX];
	struct pk_result got;

	dice_path(c->dice, layers_of(c), c->naive.count, path);
	if (decide_path_query(c->image, path, &query, &got))
		abort();
	compare(c->d, &c->naive, path, &got, naive_path(&c->naive, section, access, path));
}

static void compare_command(struct comparison *c)
{
	struct pk_query query = { PK_SECTION_EXEC, PK_ACCESS_COMMAND, 0, c->subjects, 0 };
	struct dice_command command;
	__u8 key[DICE_PATH_MAX + DICE_WORDS_MAX * 64];
	struct pk_result got;
	size_t length;

	dice_command(c->dice, layers_of(c), c->naive.count, &command);
	length = strlen(command.program) + 1;
	memcpy(key, command.program, length);
	for (size_t i = 1; command.argv[i]; i++) {
		memcpy(key + length, command.argv[i], strlen(command.argv[i]) + 1);
		length += strlen(command.argv[i]) + 1;
	}
	if (decide_command_key(c->image, key, length, &query, &got))
		abort();
	for (size_t i = 0; i + 1 < length && c->d->verbose; i++)
		key[i] = key[i] ? key[i] : ' ';
	compare(c->d, &c->naive, (const char *)key, &got,
		naive_command(&c->naive, command.program, command.argv));
}

static void compare_address(struct comparison *c)
{
	uint8_t access = (uint8_t)(1 + dice_roll(c->dice, 3));
	uint16_t port = dice_port(c->dice);
	struct pk_query query = { PK_SECTION_EGRESS, access, port, c->subjects, 0 };
	uint8_t address[16];
	char text[64] = "";
	struct pk_result got;

	dice_address(c->dice, layers_of(c), c->naive.count, address);
	if (decide_address_query(c->image, address, &query, &got))
		abort();
	for (size_t i = 0; i < 16 && c->d->verbose; i++)
		sprintf(text + i * 2, "%02x", address[i]);
	compare(c->d, &c->naive, text, &got, naive_address(&c->naive, address, port, access));
}

/* A name alone, or with an address that it was learned for; and whether it may be asked for. */
static void compare_host(struct comparison *c)
{
	uint8_t access = (uint8_t)(1 + dice_roll(c->dice, 3));
	uint16_t port = dice_port(c->dice);
	struct pk_query query = { PK_SECTION_EGRESS, access, port, c->subjects, 0 };
	char name[DICE_HOST_MAX];
	struct decide_target to = { .host = name };
	struct pk_result question;
	struct decided decided;
	uint8_t address[16];

	dice_name(c->dice, layers_of(c), c->naive.count, name);
	if (dice_roll(c->dice, 2)) {
		dice_address(c->dice, layers_of(c), c->naive.count, address);
		to.address = address;
	}
	if (decide_destination(c->image, &to, &query, &decided))
		abort();
	compare(c->d, &c->naive, name, &decided.result,
		naive_destination(&c->naive, to.address, name, port, access));
	/* Rules without their section, which only these policies have, leave nothing to ask about. */
	if (!image_head(c->image)->dns.resolver_count ||
	    !image_head(c->image)->defaults[PK_SECTION_EGRESS].present)
		return;
	if (decide_name(c->image, name, &question))
		abort();
	compare(c->d, &c->naive, name, &question, naive_name(&c->naive, name));
}

static void compare_all(struct comparison *c, size_t keys)
{
	bool commands = image_head(c->image)->argv_start;
	bool hosts = image_head(c->image)->host_start;
	char program[DICE_PATH_MAX];

	for (size_t i = 0; i < keys; i++) {
		uint32_t kind = dice_roll(c->dice, 8);

		choose_program(c, program);
		if (kind < 2)
			compare_address(c);
		else if (kind == 2 && commands)
			compare_command(c);
		else if (kind > 5 && hosts)
			compare_host(c);
		else
			compare_path(c);
	}
}

void differential_run(struct differential *d, struct dice *dice, size_t keys,
		      enum naive_fault fault)
{
	size_t count = 1 + dice_roll(dice, LAYERS);
	struct policy *layers[LAYERS] = { NULL };
	/* Without a resolver names would not be asked for. */
	static const struct policy_host machine = {
		.resolvers = { { [10] = 0xff, 0xff, 127, 0, 0, 53 } },
		.resolver_count = 1,
	};
	const struct compile_options options = { .host = &machine };
	struct naive naive = { (const struct policy *const *)layers, count, fault, NULL };
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	const char *why = "";

	for (size_t i = 0; i < count; i++)
		layers[i] = dice_policy(dice);
	d->policies++;
	if (policy_compile(naive.layers, count, &options, &image, &diags) == 0) {
		if (image_validate(image.bytes, image.size, &why)) {
			fprintf(stderr, "image invalid: %s\n", why);
			abort();
		}
		compare_all(&(struct comparison){ d, dice, naive, &image, 0 }, keys);
	} else {
		d->refused++;
		if (d->verbose)
			diag_print(&diags, stderr);
	}
	image_reset(&image);
	diag_list_reset(&diags);
	for (size_t i = 0; i < count; i++)
		policy_free(&layers[i]);
}
