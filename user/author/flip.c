/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shallow copies: texts and what is not touched stay the policies' own.
 */
#include "author/flip.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/compile.h"
#include "policy/grow.h"

/* A copy of @size bytes that belongs to @flip, or NULL. */
static void *keep(struct flip *flip, const void *bytes, size_t size)
{
	void *copy = malloc(size + 1);

	if (copy &&
	    grow(&flip->owned, &flip->owned_room, flip->owned_count + 1, sizeof(*flip->owned))) {
		free(copy);
		return NULL;
	}
	if (!copy)
		return NULL;
	flip->owned[flip->owned_count++] = copy;
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

int flip_begin(const struct policy *const *layers, size_t count, struct flip *ret_flip)
{
	*ret_flip = (struct flip){ .count = count };
	for (size_t i = 0; i < count; i++) {
		struct policy *copy = &ret_flip->layers[i];

		*copy = *layers[i];
		copy->rules = keep(ret_flip, copy->rules, copy->rule_count * sizeof(*copy->rules));
		if (!copy->rules) {
			flip_reset(ret_flip);
			return -ENOMEM;
		}
	}
	return 0;
}

static bool is_same(const struct policy_image *image, const struct pk_rule *rule,
		    const struct policy_pattern *pattern)
{
	return rule->line == pattern->pos.line && rule->column == pattern->pos.column &&
	       strcmp(image_string(image, rule->text), pattern->source) == 0 &&
	       strcmp(image_string(image, rule->file),
		      pattern->pos.file ? pattern->pos.file : "") == 0;
}

/* Remove element @at of an array of @count elements of @size bytes. */
static void cut(void *array, size_t at, size_t *count, size_t size)
{
	char *bytes = array;

	(*count)--;
	memmove(bytes + at * size, bytes + (at + 1) * size, (*count - at) * size);
}

static int take_pattern(struct flip *flip, struct policy *layer, size_t rule, size_t pattern)
{
	struct policy_rule *from = &layer->rules[rule];

	if (from->pattern_count == 1) {
		cut(layer->rules, rule, &layer->rule_count, sizeof(*layer->rules));
		return 0;
	}
	from->patterns = keep(flip, from->patterns, from->pattern_count * sizeof(*from->patterns));
	if (!from->patterns)
		return -ENOMEM;
	cut(from->patterns, pattern, &from->pattern_count, sizeof(*from->patterns));
	return 0;
}

int flip_take_back(struct flip *flip, const struct policy_image *image, __u32 rule)
{
	const struct pk_rule *wanted = image_rule(image, rule);
	struct policy *layer;

	if (!wanted || wanted->layer >= flip->count)
		return -ENOENT;
	layer = &flip->layers[wanted->layer];
	for (size_t i = 0; i < layer->rule_count; i++) {
		if (layer->rules[i].section != wanted->section)
			continue;
		for (size_t j = 0; j < layer->rules[i].pattern_count; j++)
			if (is_same(image, wanted, &layer->rules[i].patterns[j]))
				return take_pattern(flip, layer, i, j);
	}
	return -ENOENT;
}

int flip_compile(const struct flip *flip, struct policy_image *ret_image)
{
	/* What there is to say about the policies has been said. */
	CLEAN(diag_list_reset) struct diag_list said = { 0 };
	const struct compile_options options = { .host = NULL };
	const struct policy *layers[PK_LAYERS_MAX];

	for (size_t i = 0; i < flip->count; i++)
		layers[i] = &flip->layers[i];
	return policy_compile(layers, flip->count, &options, ret_image, &said);
}

void flip_reset(struct flip *flip)
{
	for (size_t i = 0; i < flip->owned_count; i++)
		free(flip->owned[i]);
	free(flip->owned);
	*flip = (struct flip){ 0 };
}
