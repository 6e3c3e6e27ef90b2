/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines below "ok" of `picket check`.
 */
#include "cli/check_details.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "cli/json_out.h"
#include "policy/access.h"
#include "policy/asks.h"
#include "policy/dump_network.h"
#include "policy/nested.h"
#include "policy/registries_rule.h"
#include "telemetry/event.h"
#include "telemetry/names.h"

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static size_t rules_of(const struct policy *policy, enum pk_section section)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		count += policy->rules[i].section == section;
	return count;
}

/* Bits that both ends of a block share; the rest must be all zeros and all ones. -1: no block. */
static int block_bits(const struct policy_range *range)
{
	int bits = 0;

	while (bits < 128 && !((range->low[bits / 8] ^ range->high[bits / 8]) & 0x80 >> bits % 8))
		bits++;
	for (int i = bits; i < 128; i++) {
		if ((range->low[i / 8] & 0x80 >> i % 8) || !(range->high[i / 8] & 0x80 >> i % 8))
			return -1;
	}
	return bits;
}

static void print_range(const struct policy_range *range)
{
	char low[EVENT_ADDRESS_SIZE];
	char high[EVENT_ADDRESS_SIZE];
	int bits = block_bits(range);

	event_address(range->low, low);
	event_address(range->high, high);
	if (bits < 0)
		(void)printf(" %s-%s", low, high);
	else if (strchr(low, ':'))
		(void)printf(" %s/%d", low, bits);
	else
		(void)printf(" %s/%d", low, bits - 96);
}

/* Each @group of the policy once. */
static void print_groups(const struct policy *policy)
{
	const char *last = "";

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		for (size_t j = 0; j < rule->pattern_count; j++) {
			const struct policy_pattern *pattern = &rule->patterns[j];
			size_t length = strcspn(pattern->source, ":");

			if (rule->section == PK_SECTION_ACCEPT || pattern->source[0] != '@' ||
			    pattern->host ||
			    (strncmp(last, pattern->source, length) == 0 &&
			     strcspn(last, ":") == length))
				continue;
			last = pattern->source;
			(void)printf("  %.*s =", (int)length, last);
			for (size_t k = 0; k < pattern->range_count; k++)
				print_range(&pattern->ranges[k]);
			(void)putchar('\n');
		}
	}
}

/* Names that are not looked for as they are written: Unicode, upper case, a dot at the end. */
static void print_names(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		for (size_t j = 0; j < rule->pattern_count; j++) {
			const struct policy_pattern *pattern = &rule->patterns[j];
			size_t length = strcspn(pattern->source, ":");

			if (!pattern->host || registries_made(pattern) ||
			    (strlen(pattern->host) == length &&
			     memcmp(pattern->source, pattern->host, length) == 0))
				continue;
			(void)printf("  ");
			escape_write(stdout, pattern->source, length, 0);
			(void)printf(" = %s\n", pattern->host);
		}
	}
}

/* True for sections that policies are not written in, or that have a line of their own. */
static bool is_hidden(enum pk_section section)
{
	return section == PK_SECTION_SUBJECT || section == PK_SECTION_ACCEPT ||
	       section == PK_SECTION_SOCKETS;
}

static void print_sections(const struct policy *policy)
{
	for (enum pk_section section = 0; section < PK_SECTION__MAX; section++) {
		const struct policy_section *s = &policy->sections[section];

		if (is_hidden(section))
			continue;
		if (s->present)
			(void)printf("  %-7s %zu rule%s, default %s\n", names_section(section),
				     rules_of(policy, section), plural(rules_of(policy, section)),
				     names_verdict(s->default_verdict));
		else
			(void)printf("  %-7s not judged\n", names_section(section));
	}
}

static void print_access(const struct policy *policy)
{
	if (policy->access.present) {
		(void)printf("  usable by ");
		policy_access_write(policy, stdout);
		(void)putchar('\n');
	}
	if (policy->nested.present) {
		(void)printf("  may start agents by ");
		policy_nested_write(policy, stdout);
		(void)putchar('\n');
	}
}

static void print_managed(const struct managed *managed)
{
	for (size_t i = 0; i < managed->count; i++) {
		(void)printf("  below ");
		escape_write(stdout, managed->layers[i]->files[0],
			     strlen(managed->layers[i]->files[0]), 0);
		(void)putchar('\n');
	}
}

void check_details(const struct cli_policy *policy)
{
	print_access(policy->policy);
	print_managed(&policy->managed);
	print_sections(policy->policy);
	dump_network(image_head(&policy->image), stdout);
	asks_dump(&policy->image, stdout);
	print_groups(policy->policy);
	print_names(policy->policy);
}

void check_registries(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		for (size_t j = 0; j < policy->rules[i].pattern_count; j++) {
			const struct policy_pattern *pattern = &policy->rules[i].patterns[j];

			if (!registries_made(pattern))
				continue;
			(void)printf("  %s:%u by ", pattern->host, pattern->ports->low);
			escape_write(stdout, pattern->source, strlen(pattern->source), 0);
			(void)putchar('\n');
		}
	}
}

json_t *check_registries_json(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->rule_count; i++) {
		for (size_t j = 0; j < policy->rules[i].pattern_count; j++) {
			const struct policy_pattern *pattern = &policy->rules[i].patterns[j];

			if (registries_made(pattern))
				(void)json_array_append_new(
					list, json_pack("{s:s, s:i, s:o}", "host", pattern->host,
							"port", (int)pattern->ports->low, "by",
							json_out_text(pattern->source)));
		}
	}
	return list;
}
