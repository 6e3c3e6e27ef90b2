/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of rules, their kinds, and repetitions.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/numbered.h"
#include "policy/registries_rule.h"

static int compare_ports(const void *a, const void *b)
{
	const struct policy_ports *left = a;
	const struct policy_ports *right = b;

	if (left->low != right->low)
		return left->low < right->low ? -1 : 1;
	return (left->high > right->high) - (left->high < right->high);
}

/* A sorted copy of the pattern's ports with overlapping and adjacent ranges merged. */
static int copy_ports(struct numbered_rule *rule)
{
	const struct policy_pattern *pattern = rule->pattern;
	/* Patterns of other sections have none. */
	size_t given = pattern->port_count;
	size_t count = 1;

	rule->ports = calloc(given + 1, sizeof(*rule->ports));
	if (!rule->ports)
		return -ENOMEM;
	rule->ports[0] = (struct policy_ports){ 0, 0xffff };
	rule->port_count = 1;
	if (!given)
		return 0;
	memcpy(rule->ports, pattern->ports, given * sizeof(*rule->ports));
	qsort(rule->ports, given, sizeof(*rule->ports), compare_ports);
	for (size_t i = 1; i < given; i++) {
		struct policy_ports *last = &rule->ports[count - 1];

		if (rule->ports[i].low > last->high + 1)
			rule->ports[count++] = rule->ports[i];
		else if (rule->ports[i].high > last->high)
			last->high = rule->ports[i].high;
	}
	rule->port_count = count;
	return 0;
}

static int compare_group(const struct numbered_rule *a, const struct numbered_rule *b)
{
	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	if (a->rule->section != b->rule->section)
		return a->rule->section < b->rule->section ? -1 : 1;
	if (a->rule->verdict != b->rule->verdict)
		return a->rule->verdict < b->rule->verdict ? -1 : 1;
	return (a->subjects > b->subjects) - (a->subjects < b->subjects);
}

/* Order by what a rule decides, wherever it applies. */
static int compare_kind(const struct numbered_rule *a, const struct numbered_rule *b)
{
	int order = compare_group(a, b);

	if (order)
		return order;
	if (a->access != b->access)
		return a->access < b->access ? -1 : 1;
	if (a->port_count != b->port_count)
		return a->port_count < b->port_count ? -1 : 1;
	return memcmp(a->ports, b->ports, a->port_count * sizeof(*a->ports));
}

static int compare_kind_pointers(const void *a, const void *b)
{
	const struct numbered_rule *left = *(const struct numbered_rule *const *)a;
	const struct numbered_rule *right = *(const struct numbered_rule *const *)b;
	int order = compare_kind(left, right);

	return order ? order : (left > right) - (left < right);
}

static struct numbered_rule **sorted_pointers(const struct numbered *numbered,
					      int (*compare)(const void *, const void *))
{
	struct numbered_rule **sorted = calloc(numbered->count + 1, sizeof(struct numbered_rule *));

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < numbered->count; i++)
		sorted[i] = &numbered->rules[i];
	qsort(sorted, numbered->count, sizeof(*sorted), compare);
	return sorted;
}

static int assign_kinds(struct numbered *numbered)
{
	CLEAN_FREE struct numbered_rule **sorted = NULL;

	sorted = sorted_pointers(numbered, compare_kind_pointers);
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < numbered->count; i++) {
		if (i > 0 && compare_group(sorted[i - 1], sorted[i]) != 0)
			numbered->groups++;
		if (i > 0 && compare_kind(sorted[i - 1], sorted[i]) != 0)
			numbered->kinds++;
		sorted[i]->group = numbered->groups;
		sorted[i]->kind = numbered->kinds;
	}
	numbered->groups += numbered->count > 0;
	numbered->kinds += numbered->count > 0;
	return 0;
}

/*
 * A rule of the exec section is asked about the program, then about the command. A host name lets
 * through what can say the name, which is TCP, and other protocols only when the rule names them.
 */
static __u8 access_of(const struct policy_rule *rule, const struct policy_pattern *pattern)
{
	switch (rule->section) {
	case PK_SECTION_EXEC:
		return PK_ACCESS_RUN | PK_ACCESS_COMMAND;
	case PK_SECTION_UNIX:
		return PK_ACCESS_ABSTRACT;
	case PK_SECTION_SUBJECT:
		return PK_ACCESS_SUBJECT;
	case PK_SECTION_PROCESS:
	case PK_SECTION_SYSCALLS:
		return 0;
	default:
		if (pattern->host && rule->verdict != PK_VERDICT_DENY && !rule->access_said)
			return PK_ACCESS_TCP;
		return rule->access;
	}
}

static int add_entry(struct numbered *numbered, const struct numbered_rule *entry)
{
	struct numbered_rule *added = &numbered->rules[numbered->count++];

	*added = *entry;
	added->access = access_of(entry->rule, entry->pattern);
	return copy_ports(added);
}

static int add_layer(struct numbered *numbered, const struct policy *policy, __u8 layer)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		__u32 subjects;
		int r;

		r = subjects_mask(&numbered->subjects, rule, &subjects);
		for (size_t j = 0; j < rule->pattern_count && !r; j++)
			r = add_entry(numbered, &(struct numbered_rule){
							.rule = rule,
							.pattern = &rule->patterns[j],
							.layer = layer,
							.subjects = subjects,
						});
		if (r)
			return r;
	}
	return 0;
}

/* An entry that no rule has; @made tells its section, verdict, position and texts. */
static int add_extra(struct numbered *numbered, const struct numbered_extra *made, __u8 layer,
		     __u32 subjects)
{
	struct numbered_extra *extra = &numbered->extras[numbered->count - numbered->written];

	*extra = *made;
	return add_entry(numbered, &(struct numbered_rule){
					   .rule = &extra->rule,
					   .pattern = &extra->pattern,
					   .layer = layer,
					   .subjects = subjects,
				   });
}

static int add_subject(struct numbered *numbered, size_t bit)
{
	const struct subject *list = &numbered->subjects.lists[bit];
	int r = 0;

	for (size_t i = 0; i < list->count && !r; i++) {
		struct numbered_extra extra = {
			.rule = { .section = PK_SECTION_SUBJECT, .verdict = PK_VERDICT_ALLOW },
			.pattern = { .pos = list->rule->pos,
				     .source = list->globs[i],
				     .glob = list->globs[i] },
		};

		r = add_extra(numbered, &extra, list->layer, 1U << bit);
	}
	return r;
}

static bool is_guard(const struct numbered_rule *entry, __u8 layer,
		     const struct policy_guard *guard)
{
	const struct policy_pattern *pattern = entry->pattern;

	return entry->layer == layer && entry->rule->verdict == guard->verdict &&
	       pattern->pos.line == guard->pos.line && pattern->pos.column == guard->pos.column &&
	       strcmp(pattern->source, guard->source) == 0;
}

__u32 numbered_guard(const struct numbered *numbered, __u8 layer, const struct policy_guard *guard)
{
	for (size_t i = numbered->written; i < numbered->count; i++)
		if (numbered->rules[i].rule->section == PK_SECTION_PROCESS &&
		    is_guard(&numbered->rules[i], layer, guard))
			return (__u32)i;
	return PK_RULE_NONE;
}

/* The words of a process section, once however many switches they decide. */
static int add_guards(struct numbered *numbered, const struct policy *policy, __u8 layer)
{
	int r = 0;

	for (size_t g = 0; g < PK_GUARD__MAX && !r; g++) {
		const struct policy_guard *guard = &policy->process.guards[g];
		struct numbered_extra extra = {
			.rule = { .section = PK_SECTION_PROCESS, .verdict = guard->verdict },
			.pattern = { .pos = guard->pos, .source = guard->source },
		};

		if (guard->source && numbered_guard(numbered, layer, guard) == PK_RULE_NONE)
			r = add_extra(numbered, &extra, layer, PK_SUBJECTS_ALL);
	}
	return r;
}

static size_t count_patterns(const struct policy *const *layers, size_t count)
{
	size_t patterns = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < layers[i]->rule_count; j++)
			patterns += layers[i]->rules[j].pattern_count;
	return patterns;
}

/* The most entries that are made besides the rules'. */
static size_t count_extras(const struct subjects *subjects, size_t layers)
{
	size_t count = layers * PK_GUARD__MAX;

	for (size_t i = 0; i < subjects->count; i++)
		count += subjects->lists[i].count;
	return count;
}

static int add_all(struct numbered *numbered, const struct policy *const *layers, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = add_layer(numbered, layers[i], (__u8)i);
	numbered->written = numbered->count;
	for (size_t i = 0; i < numbered->subjects.count && !r; i++)
		r = add_subject(numbered, i);
	for (size_t i = 0; i < count && !r; i++)
		r = add_guards(numbered, layers[i], (__u8)i);
	return r;
}

int numbered_make(const struct policy *const *layers, size_t count, struct numbered *ret_numbered,
		  struct diag_list *diags)
{
	CLEAN(numbered_reset) struct numbered numbered = { 0 };
	size_t patterns = count_patterns(layers, count);
	size_t extras;
	int r;

	r = subjects_collect(&numbered.subjects, layers, count, diags);
	if (r)
		return r;
	extras = count_extras(&numbered.subjects, count);
	if (patterns + extras > PK_RULES_MAX) {
		diag_hint(
			diag_add(diags, DIAG_ERROR, NULL,
				 "the policy has %zu patterns, %zu are the most an image can hold",
				 patterns, PK_RULES_MAX - extras),
			"use wider globs and CIDR ranges");
		return -EINVAL;
	}
	numbered.rules = calloc(patterns + extras + 1, sizeof(*numbered.rules));
	numbered.extras = calloc(extras + 1, sizeof(*numbered.extras));
	if (!numbered.rules || !numbered.extras)
		return -ENOMEM;
	r = add_all(&numbered, layers, count);
	if (!r)
		r = assign_kinds(&numbered);
	if (r)
		return r;
	*ret_numbered = numbered;
	numbered = (struct numbered){ 0 };
	return 0;
}

static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_words(const struct policy_pattern *a, const struct policy_pattern *b)
{
	int order = (a->word_count > b->word_count) - (a->word_count < b->word_count);

	for (size_t i = 0; i < a->word_count && !order; i++)
		order = strcmp(a->words[i], b->words[i]);
	return order;
}

/* Order by what a rule decides and where it applies: equal = one of them is useless. */
static int compare_meaning(const struct numbered_rule *a, const struct numbered_rule *b)
{
	const struct policy_pattern *left = a->pattern;
	const struct policy_pattern *right = b->pattern;
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = compare_text(left->pos.file, right->pos.file);
	if (!order)
		order = compare_text(left->glob, right->glob);
	if (!order)
		order = compare_text(left->host, right->host);
	if (!order)
		order = compare_words(left, right);
	/* Of these the text is all there is. */
	if (!order && a->rule->section == PK_SECTION_SYSCALLS)
		order = compare_text(left->source, right->source);
	if (order)
		return order;
	if (left->range_count != right->range_count)
		return left->range_count < right->range_count ? -1 : 1;
	if (!left->range_count)
		return 0;
	return memcmp(left->ranges, right->ranges, left->range_count * sizeof(*left->ranges));
}

static int compare_meaning_pointers(const void *a, const void *b)
{
	const struct numbered_rule *left = *(const struct numbered_rule *const *)a;
	const struct numbered_rule *right = *(const struct numbered_rule *const *)b;
	int order = compare_meaning(left, right);

	return order ? order : (left > right) - (left < right);
}

static void report_repeat(const struct numbered_rule *first, const struct numbered_rule *second,
			  struct diag_list *diags)
{
	const struct diag_pos *at = &first->pattern->pos;

	diag_hint(diag_add(diags, DIAG_ERROR, &second->pattern->pos,
			   "'%s' can never decide anything: it repeats '%s' at line %u, column %u",
			   second->pattern->source, first->pattern->source, at->line, at->column),
		  "remove one of them, or change what it is about");
}

/* What a machine's configuration names is not the text's: it may repeat what is written. */
static bool is_machines(const struct numbered_rule *a, const struct numbered_rule *b)
{
	return registries_made(a->pattern) || registries_made(b->pattern);
}

int numbered_check_repeats(const struct numbered *numbered, struct diag_list *diags)
{
	CLEAN_FREE struct numbered_rule **sorted = NULL;
	CLEAN_FREE const struct numbered_rule **first = NULL;
	int r = 0;

	sorted = sorted_pointers(numbered, compare_meaning_pointers);
	first = calloc(numbered->count + 1, sizeof(*first));
	if (!sorted || !first)
		return -ENOMEM;
	for (size_t i = 1; i < numbered->count; i++) {
		/* Entries of section accept are made of rules of section listen, also of equal parts. */
		if (!sorted[i]->pattern->pos.file ||
		    sorted[i]->rule->section == PK_SECTION_ACCEPT ||
		    sorted[i] >= &numbered->rules[numbered->written] ||
		    is_machines(sorted[i - 1], sorted[i]) ||
		    compare_meaning(sorted[i - 1], sorted[i]) != 0)
			continue;
		first[sorted[i] - numbered->rules] = sorted[i - 1];
	}
	/* Report in the order of the text. */
	for (size_t i = 0; i < numbered->count; i++) {
		if (!first[i])
			continue;
		report_repeat(first[i], &numbered->rules[i], diags);
		r = -EINVAL;
	}
	return r;
}

void numbered_reset(struct numbered *numbered)
{
	for (size_t i = 0; i < numbered->count; i++)
		free(numbered->rules[i].ports);
	free(numbered->rules);
	free(numbered->extras);
	subjects_reset(&numbered->subjects);
	*numbered = (struct numbered){ 0 };
}
