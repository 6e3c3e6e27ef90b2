/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy text of any bytes: it is refused with a finding, or it becomes a model that compiles (or is
 * refused with a finding) into an image that passes validation. Findings always print.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/compile.h"
#include "policy/load.h"

/**
 * A policy with more patterns, wildcards and alternatives is not compiled: the fuzzer's time is for
 * texts, not for large automata.
 */
#define CHOICES_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/srv/a*b" },
};

static struct policy_range own[] = { { { [10] = 0xff, 0xff, 192, 0, 2, 9 },
				       { [10] = 0xff, 0xff, 192, 0, 2, 9 } } };

static const struct policy_host machine = {
	.resolvers = { { [10] = 0xff, 0xff, 127, 0, 0, 53 } },
	.resolver_count = 1,
	.own = own,
	.own_count = 1,
};

/* A world with one link, so that the code behind links is reached. */
static char *resolve(const char *path)
{
	if (strcmp(path, "/bin") == 0)
		return strdup("/usr/bin");
	return strcmp(path, "/usr/bin") == 0 ? strdup(path) : NULL;
}

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void expect_position(const struct diag *diag, const char *text, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	if (diag->file && strcmp(diag->file, "fuzz.yaml") == 0)
		expect(diag->line <= lines && diag->column <= size + 1);
}

/* What was found is printed in lines without control bytes. */
static void print(const struct diag_list *diags, const char *text, size_t size)
{
	CLEAN_FREE char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	expect(to != NULL);
	diag_print(diags, to);
	expect(fclose(to) == 0);
	for (size_t i = 0; i < length; i++)
		expect((unsigned char)printed[i] >= 0x20 || printed[i] == '\n');
	for (size_t i = 0; i < diags->count; i++)
		expect_position(&diags->items[i], text, size);
}

static size_t count_marks(const char *glob)
{
	size_t count = 0;

	for (; glob && *glob; glob++)
		count += strchr("*{,[", *glob) != NULL;
	return count;
}

static size_t count_choices(const struct policy_pattern *pattern)
{
	size_t count = 1 + count_marks(pattern->glob) + count_marks(pattern->also);

	for (size_t i = 0; i < pattern->word_count; i++)
		count += 1 + count_marks(pattern->words[i]);
	return count;
}

static bool is_small(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		for (size_t k = 0; k < policy->rules[i].pattern_count; k++)
			count += count_choices(&policy->rules[i].patterns[k]);
		for (size_t k = 0; k < policy->rules[i].by_count; k++)
			count += 1 + count_marks(policy->rules[i].by[k]);
	}
	return count <= CHOICES_MAX;
}

static void compile(const struct policy *policy, struct diag_list *diags)
{
	const struct compile_options options = { .host = &machine };
	struct policy_image image = { 0 };
	int r = policy_compile(&policy, 1, &options, &image, diags);

	expect(r == 0 || diag_has_errors(diags));
	if (r == 0)
		expect(image_validate(image.bytes, image.size, NULL) == 0);
	image_reset(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy_context context = {
		.builtins = builtins,
		.builtin_count = sizeof(builtins) / sizeof(*builtins),
		.resolve = resolve,
		.host = &machine,
	};
	struct diag_list diags = { 0 };
	CLEAN(policy_free) struct policy *policy = NULL;
	const char *text = (const char *)data;
	int r = policy_load_text("fuzz.yaml", text, size, &context, &policy, &diags);

	expect((r == 0) == (policy != NULL));
	expect((r == 0) == !diag_has_errors(&diags));
	if (policy && is_small(policy))
		compile(policy, &diags);
	print(&diags, text, size);
	diag_list_reset(&diags);
	return 0;
}
