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

static void compare_path(struct differential *d, struct dice *dice, const struct naive *naive,
			 const struct policy_image *image)
{
	static const enum pk_section sections[] = { PK_SECTION_FILES, PK_SECTION_FILES,
						    PK_SECTION_EXEC, PK_SECTION_UNIX };
	enum pk_section section = sections[dice_roll(dice, 4)];
	uint8_t access = section == PK_SECTION_FILES ? (uint8_t)(1 + dice_roll(dice, 15)) :
			 section == PK_SECTION_UNIX  ? PK_ACCESS_ABSTRACT :
						       PK_ACCESS_RUN;
	char path[DICE_PATH_MAX];
	struct pk_result got;

	dice_path(dice, (struct policy *const *)naive->layers, naive->count, path);
	if (decide_path(image, section, access, path, &got))
		abort();
	compare(d, naive, path, &got, naive_path(naive, section, access, path));
}

static void compare_address(struct differential *d, struct dice *dice, const struct naive *naive,
			    const struct policy_image *image)
{
	uint8_t access = (uint8_t)(1 + dice_roll(dice, 3));
	uint16_t port = dice_port(dice);
	uint8_t address[16];
	char text[64] = "";
	struct pk_result got;

	dice_address(dice, (struct policy *const *)naive->layers, naive->count, address);
	if (decide_address(image, address, port, access, &got))
		abort();
	for (size_t i = 0; i < 16 && d->verbose; i++)
		sprintf(text + i * 2, "%02x", address[i]);
	compare(d, naive, text, &got, naive_address(naive, address, port, access));
}

void differential_run(struct differential *d, struct dice *dice, size_t keys,
		      enum naive_fault fault)
{
	size_t count = 1 + dice_roll(dice, LAYERS);
	struct policy *layers[LAYERS] = { NULL };
	struct naive naive = { (const struct policy *const *)layers, count, fault };
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	const char *why = "";

	for (size_t i = 0; i < count; i++)
		layers[i] = dice_policy(dice);
	d->policies++;
	if (policy_compile(naive.layers, count, NULL, &image, &diags) == 0) {
		if (image_validate(image.bytes, image.size, &why)) {
			fprintf(stderr, "image invalid: %s\n", why);
			abort();
		}
		for (size_t i = 0; i < keys; i++) {
			if (dice_roll(dice, 3))
				compare_path(d, dice, &naive, &image);
			else
				compare_address(d, dice, &naive, &image);
		}
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
