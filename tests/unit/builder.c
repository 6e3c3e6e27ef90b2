/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule model from C calls.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "policy/compile.h"

static void *must(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

static void *append(void *array, size_t *count, size_t size)
{
	char *bigger = must(reallocarray(array, *count + 1, size));

	memset(bigger + *count * size, 0, size);
	(*count)++;
	return bigger;
}

struct policy *build_policy(const char *name)
{
	struct policy *policy = must(calloc(1, sizeof(*policy)));

	policy->name = must(strdup(name));
	policy->files = must(calloc(1, sizeof(*policy->files)));
	policy->files[0] = must(malloc(strlen(name) + 6));
	sprintf(policy->files[0], "%s.yaml", name);
	policy->file_count = 1;
	return policy;
}

void build_section(struct policy *policy, enum pk_section section, enum pk_verdict verdict)
{
	policy->sections[section].present = true;
	policy->sections[section].default_verdict = verdict;
}

struct policy_rule *build_rule(struct policy *policy, enum pk_section section,
			       enum pk_verdict verdict, __u8 access)
{
	struct policy_rule *rule;

	policy->rules = append(policy->rules, &policy->rule_count, sizeof(*policy->rules));
	rule = &policy->rules[policy->rule_count - 1];
	rule->section = section;
	rule->verdict = verdict;
	rule->access = access;
	rule->pos = (struct diag_pos){ policy->files[0], (unsigned int)policy->rule_count, 1 };
	return rule;
}

static struct policy_pattern *last_pattern(struct policy *policy)
{
	struct policy_rule *rule = &policy->rules[policy->rule_count - 1];

	return &rule->patterns[rule->pattern_count - 1];
}

static struct policy_pattern *add_pattern(struct policy *policy, const char *source)
{
	struct policy_rule *rule = &policy->rules[policy->rule_count - 1];
	struct policy_pattern *pattern;

	rule->patterns = append(rule->patterns, &rule->pattern_count, sizeof(*rule->patterns));
	pattern = last_pattern(policy);
	pattern->pos = rule->pos;
	pattern->pos.column = (unsigned int)rule->pattern_count;
	pattern->source = must(strdup(source));
	return pattern;
}

struct policy_pattern *build_glob(struct policy *policy, const char *glob)
{
	struct policy_rule *rule = &policy->rules[policy->rule_count - 1];
	struct policy_pattern *pattern = add_pattern(policy, glob);

	pattern->glob = must(strdup(glob));
	if (rule->section == PK_SECTION_EXEC) {
		pattern->words = append(NULL, &pattern->word_count, sizeof(char *));
		pattern->words[0] = must(strdup(glob));
	}
	return pattern;
}

static void add_word(struct policy_pattern *pattern, const char *word, size_t length)
{
	bool name = !pattern->word_count && !memchr(word, '/', length);
	char *text = must(malloc(length + 4));

	sprintf(text, "%s%.*s", name ? "**/" : "", (int)length, word);
	pattern->words = append(pattern->words, &pattern->word_count, sizeof(char *));
	pattern->words[pattern->word_count - 1] = text;
}

struct policy_pattern *build_command(struct policy *policy, const char *text)
{
	struct policy_rule *rule = &policy->rules[policy->rule_count - 1];
	struct policy_pattern *pattern = add_pattern(policy, text);

	while (*text) {
		size_t length = strcspn(text, " ");

		add_word(pattern, text, length);
		text += length + strspn(text + length, " ");
	}
	if (pattern->word_count == 1 || rule->verdict == PK_VERDICT_ALLOW)
		pattern->glob = must(strdup(pattern->words[0]));
	return pattern;
}

void build_by(struct policy *policy, const char *glob)
{
	struct policy_rule *rule = &policy->rules[policy->rule_count - 1];

	rule->by = append(rule->by, &rule->by_count, sizeof(char *));
	rule->by[rule->by_count - 1] = must(strdup(glob));
}

void build_guard(struct policy *policy, enum pk_guard guard, bool deny, const char *source)
{
	struct policy_guard *to = &policy->process.guards[guard];

	policy->process.present = true;
	free(to->source);
	*to = (struct policy_guard){
		.verdict = deny ? PK_VERDICT_DENY : PK_VERDICT_ALLOW,
		.source = source ? must(strdup(source)) : NULL,
		.pos = { policy->files[0], 100 + guard, 1 },
	};
}

/* A destination on all ports. */
static struct policy_pattern *add_destination(struct policy *policy, const char *source)
{
	struct policy_pattern *pattern = add_pattern(policy, source);

	pattern->ports = append(NULL, &pattern->port_count, sizeof(*pattern->ports));
	pattern->ports[0] = (struct policy_ports){ 0, 0xffff };
	return pattern;
}

struct policy_pattern *build_host(struct policy *policy, const char *host)
{
	struct policy_pattern *pattern = add_destination(policy, host);

	pattern->host = must(strdup(host));
	return pattern;
}

struct policy_pattern *build_raw_range(struct policy *policy, const struct policy_range *range)
{
	struct policy_pattern *pattern = add_destination(policy, "range");

	pattern->ranges = append(NULL, &pattern->range_count, sizeof(*pattern->ranges));
	pattern->ranges[0] = *range;
	return pattern;
}

void build_address(const char *text, __u8 ret_address[16])
{
	memset(ret_address, 0, 16);
	if (inet_pton(AF_INET6, text, ret_address) == 1)
		return;
	ret_address[10] = ret_address[11] = 0xff;
	if (inet_pton(AF_INET, text, ret_address + 12) != 1)
		abort();
}

struct policy_pattern *build_range(struct policy *policy, const char *cidr)
{
	char *text = must(strdup(cidr));
	char *slash = strchr(text, '/');
	struct policy_pattern *pattern;
	struct policy_range range;
	int bits = 128;

	if (slash)
		*slash = '\0';
	build_address(text, range.low);
	if (slash)
		bits = (int)strtol(slash + 1, NULL, 10) + (strchr(text, ':') ? 0 : 96);
	memcpy(range.high, range.low, 16);
	for (int i = bits; i < 128; i++) {
		range.low[i / 8] &= (__u8) ~(0x80 >> i % 8);
		range.high[i / 8] |= (__u8)(0x80 >> i % 8);
	}
	free(text);
	pattern = build_raw_range(policy, &range);
	free(pattern->source);
	pattern->source = must(strdup(cidr));
	return pattern;
}

void build_ports(struct policy *policy, __u16 low, __u16 high)
{
	struct policy_pattern *pattern = last_pattern(policy);

	if (pattern->port_count == 1 && pattern->ports[0].low == 0 &&
	    pattern->ports[0].high == 0xffff)
		pattern->port_count = 0;
	pattern->ports = append(pattern->ports, &pattern->port_count, sizeof(*pattern->ports));
	pattern->ports[pattern->port_count - 1] = (struct policy_ports){ low, high };
}

struct policy_image build_image(struct policy *const *layers, size_t count)
{
	/* Without a resolver names would not be asked for. */
	static const struct policy_host machine = {
		.resolvers = { { [10] = 0xff, 0xff, 127, 0, 0, 53 } },
		.resolver_count = 1,
	};
	const struct compile_options options = { .host = &machine };
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	const char *why = "";

	if (policy_compile((const struct policy *const *)layers, count, &options, &image, &diags)) {
		diag_print(&diags, stderr);
		abort();
	}
	diag_list_reset(&diags);
	if (image_validate(image.bytes, image.size, &why)) {
		fprintf(stderr, "image not valid: %s\n", why);
		abort();
	}
	return image;
}
