/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an agent or its user can write must not widen a policy that somebody else wrote: @registries is
 * what the system's files say, and only @user-registries, which a policy has to ask for by that name,
 * is also what the user's files and the environment say.
 */
#include "policy/registries_rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/pattern.h"
#include "policy/registries.h"

#define SYSTEM_GROUP "@registries"
#define USER_GROUP "@user-registries"

static bool is_named(const char *text, const char *group)
{
	size_t length = strlen(group);

	return strncmp(text, group, length) == 0 && (!text[length] || text[length] == ':');
}

bool registries_is_group(const struct node *text, const struct policy_rule *rule)
{
	return rule->section == PK_SECTION_EGRESS && text->kind == NODE_TEXT &&
	       (is_named(text->text, SYSTEM_GROUP) || is_named(text->text, USER_GROUP));
}

bool registries_made(const struct policy_pattern *pattern)
{
	return pattern->host && (strncmp(pattern->source, SYSTEM_GROUP " (", 13) == 0 ||
				 strncmp(pattern->source, USER_GROUP " (", 18) == 0);
}

static int add_pattern(const struct node *text, const struct registry_host *registry,
		       struct policy_rule *rule)
{
	CLEAN(pattern_reset) struct policy_pattern pattern = { .pos = node_pos(text) };
	const struct policy_ports ports = { registry->port, registry->port };
	int r = 0;

	if (asprintf(&pattern.source, "%s (%s)", text->text, registry->origin) < 0) {
		pattern.source = NULL;
		return -ENOMEM;
	}
	pattern.host = strdup(registry->host);
	if (!pattern.host)
		return -ENOMEM;
	r = FRONT_APPEND(&pattern.ports, &pattern.port_count, &ports);
	if (r == 0)
		r = FRONT_APPEND(&rule->patterns, &rule->pattern_count, &pattern);
	if (r == 0)
		pattern = (struct policy_pattern){ 0 };
	return r;
}

static int gather(const struct front *front, const struct node *text, struct registries *registries)
{
	struct registries_scope scope;

	if (!front->context->registries)
		return 0;
	scope = *front->context->registries;
	if (strcmp(text->text, USER_GROUP) != 0) {
		scope.home = NULL;
		scope.environment = false;
	}
	return registries_read(&scope, registries);
}

int registries_add(struct front *front, const struct node *text, struct policy_rule *rule)
{
	CLEAN(registries_reset) struct registries registries = { 0 };
	const char *colon = strchr(text->text, ':');
	int r;

	if (colon) {
		diag_hint(node_error_at(text, front->diags, (size_t)(colon - text->text),
					strlen(colon), "a group of registries takes no ports"),
			  "each host is allowed on the port that its configuration names");
		return 0;
	}
	r = gather(front, text, &registries);
	for (size_t i = 0; i < registries.note_count && r == 0; i++)
		(void)node_report(text, front->diags, DIAG_WARNING, "%s", registries.notes[i]);
	for (size_t i = 0; i < registries.count && r == 0; i++)
		r = add_pattern(text, &registries.items[i], rule);
	if (r == 0 && registries.count == 0)
		diag_hint(
			node_report(text, front->diags, DIAG_WARNING,
				    "'%s' stands for nothing: no configuration names a registry",
				    text->text),
			"the defaults of package tools are not known here: configure the host, for "
			"apt, npm, pip, cargo or go, or write it into the rule");
	return r;
}
