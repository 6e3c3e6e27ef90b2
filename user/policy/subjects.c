/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `by` lists to bits.
 */
#include "policy/subjects.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The list of @rule as a set: sorted, each text once. */
static int make_list(const struct policy_rule *rule, struct subject *ret_list)
{
	struct subject list = { .rule = rule, .globs = calloc(rule->by_count, sizeof(char *)) };

	if (!list.globs)
		return -ENOMEM;
	for (size_t i = 0; i < rule->by_count; i++)
		list.globs[i] = rule->by[i];
	qsort(list.globs, rule->by_count, sizeof(*list.globs), compare_texts);
	for (size_t i = 0; i < rule->by_count; i++)
		if (!i || strcmp(list.globs[i], list.globs[list.count - 1]) != 0)
			list.globs[list.count++] = list.globs[i];
	*ret_list = list;
	return 0;
}

static bool same_list(const struct subject *a, const struct subject *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->globs[i], b->globs[i]) != 0)
			return false;
	return true;
}

/* The index of @list, or the number of lists. */
static size_t find_list(const struct subjects *subjects, const struct subject *list)
{
	size_t i = 0;

	while (i < subjects->count && !same_list(&subjects->lists[i], list))
		i++;
	return i;
}

static void free_list(struct subject *list)
{
	free(list->globs);
}

static int add_rule(struct subjects *subjects, const struct policy_rule *rule, __u8 layer,
		    struct diag_list *diags)
{
	CLEAN(free_list) struct subject list = { 0 };
	int r;

	if (!rule->by_count)
		return 0;
	r = make_list(rule, &list);
	if (r || find_list(subjects, &list) < subjects->count)
		return r;
	if (subjects->count == PK_SUBJECTS_MAX) {
		diag_hint(diag_add(diags, DIAG_ERROR, &rule->pos,
				   "'by' names yet another set of programs, %u different ones are "
				   "the most",
				   PK_SUBJECTS_MAX),
			  "give rules for the same programs the very same list");
		return -EINVAL;
	}
	list.layer = layer;
	subjects->lists[subjects->count++] = list;
	list.globs = NULL;
	return 0;
}

int subjects_collect(struct subjects *subjects, const struct policy *const *layers, size_t count,
		     struct diag_list *diags)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < layers[i]->rule_count; j++) {
			int r = add_rule(subjects, &layers[i]->rules[j], (__u8)i, diags);

			if (r)
				return r;
		}
	}
	return 0;
}

int subjects_mask(const struct subjects *subjects, const struct policy_rule *rule, __u32 *ret_mask)
{
	CLEAN(free_list) struct subject list = { 0 };
	int r;

	*ret_mask = PK_SUBJECTS_ALL;
	if (!rule->by_count)
		return 0;
	r = make_list(rule, &list);
	if (!r)
		*ret_mask = 1U << find_list(subjects, &list);
	return r;
}

void subjects_reset(struct subjects *subjects)
{
	for (size_t i = 0; i < subjects->count; i++)
		free_list(&subjects->lists[i]);
	*subjects = (struct subjects){ 0 };
}
