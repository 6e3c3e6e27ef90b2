/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock only allows: a policy's deny and ask rules, and a default that allows, are beyond it, as are
 * wildcards, names and addresses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "import/export.h"

/** The document while it grows. */
struct document {
	json_t *paths;
	json_t *ports;
	struct export_losses *losses;
};

static json_t *access_list(__u8 access)
{
	static const struct {
		__u8 bit;
		const char *name;
	} bits[] = { { PK_ACCESS_READ, "read" },
		     { PK_ACCESS_WRITE, "write" },
		     { PK_ACCESS_EXEC, "exec" } };
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (access & bits[i].bit)
			(void)json_array_append_new(list, json_string(bits[i].name));
	}
	return list;
}

static void add_path(struct document *document, const struct policy_rule *rule,
		     const struct policy_pattern *pattern)
{
	CLEAN_FREE char *path = export_path(pattern);

	if (!path) {
		export_lose(document->losses, &pattern->pos, false, "'%s' has wildcards",
			    pattern->source);
		return;
	}
	if (json_array_append_new(document->paths, json_pack("{s:s, s:o}", "path", path, "access",
							     access_list(rule->access))) < 0)
		document->losses->failed = true;
}

/* A destination is a port here, whoever has it. */
static void add_ports(struct document *document, const struct policy_rule *rule,
		      const struct policy_pattern *pattern)
{
	bool any = strncmp(pattern->source, "@any", 4) == 0 && rule->access & PK_ACCESS_TCP;

	if (!any) {
		export_lose(document->losses, &pattern->pos, false,
			    "'%s': only TCP ports of any destination can be allowed",
			    pattern->source);
		return;
	}
	for (size_t i = 0; i < pattern->port_count; i++) {
		if (pattern->ports[i].low != pattern->ports[i].high) {
			export_lose(document->losses, &pattern->pos, false,
				    "'%s' is a range of ports", pattern->source);
			return;
		}
		(void)json_array_append_new(document->ports, json_integer(pattern->ports[i].low));
	}
}

static void add_rule(struct document *document, const struct policy_rule *rule)
{
	bool files = rule->section == PK_SECTION_FILES;

	for (size_t i = 0; i < rule->pattern_count; i++) {
		const struct policy_pattern *pattern = &rule->patterns[i];

		if (!files && rule->section != PK_SECTION_EGRESS)
			export_lose(document->losses, &pattern->pos,
				    rule->verdict != PK_VERDICT_ALLOW,
				    "'%s': only files and TCP ports can be expressed",
				    pattern->source);
		else if (rule->verdict != PK_VERDICT_ALLOW)
			export_lose(document->losses, &pattern->pos, true,
				    "'%s': there are only rules that allow", pattern->source);
		else if (rule->by_count)
			export_lose(document->losses, &pattern->pos, false,
				    "'%s' is for some programs only", pattern->source);
		else if (files)
			add_path(document, rule, pattern);
		else
			add_ports(document, rule, pattern);
	}
}

/* True when the section limits something that is expressed: it has a default that does not allow. */
static bool is_handled(const struct policy *policy, enum pk_section section,
		       struct export_losses *losses)
{
	const struct policy_section *s = &policy->sections[section];

	if (s->present && s->default_verdict == PK_VERDICT_ALLOW)
		export_lose(losses, &s->pos, true, "a section that allows what no rule is about");
	return s->present && s->default_verdict != PK_VERDICT_ALLOW;
}

/* What Landlock leaves open of the sections that it has a part of, and all of those that it has none of. */
static void add_gaps(const struct policy *policy, bool files, bool egress,
		     struct export_losses *losses)
{
	bool guards = false;

	for (int i = 0; i < PK_GUARD__MAX; i++)
		guards = guards || policy->process.guards[i].verdict != PK_VERDICT_ALLOW;
	if (files)
		export_lose(losses, &policy->sections[PK_SECTION_FILES].pos, true,
			    "connecting to unix sockets is not limited");
	if (egress)
		export_lose(losses, &policy->sections[PK_SECTION_EGRESS].pos, true,
			    "UDP and all protocols but TCP are not limited");
	if (guards)
		export_lose(losses, policy->process.present ? &policy->process.pos : NULL, true,
			    "the section process, which holds also where it is not written");
	if (policy->sockets.present)
		export_lose(losses, &policy->sockets.pos, true, "the section sockets");
	if (policy->audit)
		export_lose(losses, NULL, false, "mode audit: rules of Landlock are enforced");
}

int export_landlock(const struct policy *policy, FILE *to, struct export_losses *losses)
{
	struct document document = { json_array(), json_array(), losses };
	bool files = is_handled(policy, PK_SECTION_FILES, losses);
	bool egress = is_handled(policy, PK_SECTION_EGRESS, losses);
	json_t *root;
	int r;

	for (size_t i = 0; i < policy->rule_count; i++)
		add_rule(&document, &policy->rules[i]);
	add_gaps(policy, files, egress, losses);
	root = json_pack("{s:s, s:o, s:o, s:o, s:o}", "schema", "picket.export.landlock/1",
			 "handled_fs",
			 files ? access_list(PK_ACCESS_READ | PK_ACCESS_WRITE | PK_ACCESS_EXEC) :
				 json_array(),
			 "handled_net", egress ? json_pack("[s]", "connect_tcp") : json_array(),
			 "paths", document.paths, "connect_tcp", document.ports);
	r = root && json_dumpf(root, to, JSON_INDENT(2)) == 0 ? 0 : -ENOMEM;
	(void)fputc('\n', to);
	json_decref(root);
	return losses->failed ? -ENOMEM : r;
}
