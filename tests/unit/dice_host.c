/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host patterns of few letters, so that they meet, and names near them.
 */
#include <stdio.h>
#include <string.h>

#include "dice.h"

static const char *roll_label(struct dice *dice)
{
	static const char *const labels[] = { "a", "b", "ab", "ba", "a-b", "_a", "1", "c" };

	return labels[dice_roll(dice, sizeof(labels) / sizeof(*labels))];
}

static void put_label(struct dice *dice, char host[DICE_HOST_MAX])
{
	char rest[DICE_HOST_MAX];

	if (strlen(host) > DICE_HOST_MAX - 8)
		return;
	(void)snprintf(rest, sizeof(rest), "%s", host);
	(void)snprintf(host, DICE_HOST_MAX, "%s%s%.*s", roll_label(dice), *rest ? "." : "",
		       DICE_HOST_MAX - 8, rest);
}

void dice_pattern(struct dice *dice, char host[DICE_HOST_MAX])
{
	static const char *const prefixes[] = { "", "", "*.", "*.", "**." };
	const char *prefix = prefixes[dice_roll(dice, 5)];
	uint32_t labels = 1 + dice_roll(dice, 3);
	size_t length;

	*host = '\0';
	if (dice_roll(dice, 12) == 0) {
		(void)snprintf(host, DICE_HOST_MAX, "*");
		return;
	}
	for (uint32_t i = 0; i < labels; i++)
		put_label(dice, host);
	length = strlen(prefix);
	memmove(host + length, host, strlen(host) + 1);
	memcpy(host, prefix, length);
}

static const char *pick_host(struct dice *dice, struct policy *const *layers, size_t count)
{
	const struct policy *policy = layers[dice_roll(dice, (uint32_t)count)];
	const struct policy_rule *rule;

	if (!policy->rule_count)
		return NULL;
	rule = &policy->rules[dice_roll(dice, (uint32_t)policy->rule_count)];
	return rule->patterns[dice_roll(dice, (uint32_t)rule->pattern_count)].host;
}

void dice_name(struct dice *dice, struct policy *const *layers, size_t count,
	       char name[DICE_HOST_MAX])
{
	const char *host = NULL;
	const char *dot;

	for (int tries = 0; tries < 12 && !host; tries++)
		host = pick_host(dice, layers, count);
	host = host ? host + strspn(host, "*.") : "";
	(void)snprintf(name, DICE_HOST_MAX, "%s", host);
	dot = strchr(name, '.');
	if (dot && dice_roll(dice, 6) == 0)
		memmove(name, dot + 1, strlen(dot));
	if (*name && dice_roll(dice, 6) == 0)
		name[dice_roll(dice, (uint32_t)strlen(name))] = 'b';
	for (uint32_t i = dice_roll(dice, 3); i > 0; i--)
		put_label(dice, name);
	/* Another label than the whole last one ends alike. */
	if (*name && dice_roll(dice, 6) == 0 && strlen(name) < DICE_HOST_MAX - 2) {
		memmove(name + 1, name, strlen(name) + 1);
		name[0] = 'a';
	}
	if (!*name)
		put_label(dice, name);
}
