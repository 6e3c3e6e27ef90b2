/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of one pattern: which grammar it has, and where the findings of the grammar of
 * destinations (address.c) stand in the policy. Globs of paths are path_glob.c's, commands
 * exec_words.c's.
 */
#include "policy/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/address_parts.h"
#include "policy/exec_words.h"
#include "policy/path_glob.h"
#include "policy/vars.h"

/* Bytes of the expanded text that a finding at @at can underline: what is there. */
static size_t clamp(const struct expansion *expansion, size_t at, size_t length)
{
	if (at >= expansion->length)
		return 0;
	return length < expansion->length - at ? length : expansion->length - at;
}

static void hint_replaced(struct diag *diag, const struct node *text,
			  const struct expansion *expansion)
{
	if (diag && !diag->hint && strstr(text->text, "${"))
		diag_hint(diag, "with its variables replaced this is '%s'", expansion->text);
}

void pattern_report_address(struct front *front, const struct node *text,
			    const struct expansion *expansion, const struct address_error *error)
{
	size_t at = error->at < expansion->length ? error->at : expansion->length;
	size_t length = clamp(expansion, at, error->length);
	struct diag *diag =
		expansion_error_at(text, expansion, front->diags, at, length, "%s", error->message);

	if (*error->hint)
		diag_hint(diag, "%s", error->hint);
	hint_replaced(diag, text, expansion);
}

static int refuse_host(const struct expansion *expansion, struct address_error *ret_error)
{
	return address_refuse(ret_error, 0, strcspn(expansion->text, ":"),
			      "host names are for rules of egress; here write an address, a "
			      "network (10.0.0.0/8) or a group (@loopback)",
			      "a host name, where an address is needed");
}

/*
 * The machine's own addresses are @loopback too: what listens on all of them is reached by each. As
 * something that may be listened on they are not, for by those the network gets in.
 */
static bool has_own(const struct policy_rule *rule)
{
	return rule->section != PK_SECTION_LISTEN || rule->verdict != PK_VERDICT_ALLOW;
}

static int add_own(const struct policy_host *host, struct address_match *match)
{
	struct policy_range *grown;

	if (!host || !host->own_count)
		return 0;
	grown = reallocarray(match->ranges, match->range_count + host->own_count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	match->ranges = grown;
	memcpy(&grown[match->range_count], host->own, host->own_count * sizeof(*grown));
	match->range_count += host->own_count;
	return 0;
}

static int make_destination(struct front *front, const struct node *text,
			    const struct policy_rule *rule, const struct expansion *expansion,
			    struct policy_pattern *pattern)
{
	struct address_match match = { 0 };
	struct address_error error = { 0 };
	int r = address_parse(expansion->text, &match, &error);

	if (r == 0 && match.host && rule->section != PK_SECTION_EGRESS) {
		address_match_reset(&match);
		r = refuse_host(expansion, &error);
	}
	if (r == 0 && match.loopback && has_own(rule))
		r = add_own(front->context->host, &match);
	if (r == -EINVAL)
		pattern_report_address(front, text, expansion, &error);
	if (r < 0) {
		address_match_reset(&match);
		return r;
	}
	pattern->host = match.host;
	pattern->ranges = match.ranges;
	pattern->range_count = match.range_count;
	pattern->ports = match.ports;
	pattern->port_count = match.port_count;
	return 0;
}

static int make_path(struct front *front, const struct node *text, const struct policy_rule *rule,
		     struct expansion *expansion, struct policy_pattern *pattern)
{
	const struct path_glob path = { text, expansion, expansion->text, 0, 0 };
	int r = path_glob_check(front, &path) ? 0 : -EINVAL;

	if (r == 0)
		r = path_glob_links(front, &path, rule->verdict, &pattern->also);
	if (r == 0)
		pattern->glob = TAKE_PTR(expansion->text);
	return r;
}

/* The name of an abstract socket is the path "/NAME" to the automata. */
static int make_name(struct front *front, const struct node *text,
		     const struct expansion *expansion, struct policy_pattern *pattern)
{
	size_t skip = *expansion->text == '@';
	const char *name = expansion->text + skip;
	struct path_glob path = { text, expansion, NULL, 1, skip };

	if (!*name) {
		(void)node_error(text, front->diags, "the name of a socket is empty");
		return -EINVAL;
	}
	if (asprintf(&pattern->glob, "/%s", name) < 0) {
		pattern->glob = NULL;
		return -ENOMEM;
	}
	path.glob = pattern->glob;
	if (*name == '/') {
		diag_hint(path_glob_report(front, &path, 1,
					   "the name of a socket cannot begin with '/' here"),
			  "write '**%s'", name);
		return -EINVAL;
	}
	return path_glob_check(front, &path) ? 0 : -EINVAL;
}

/* Sections whose patterns are addresses and ports. */
static bool is_network(enum pk_section section)
{
	return section == PK_SECTION_EGRESS || section == PK_SECTION_LISTEN ||
	       section == PK_SECTION_ACCEPT;
}

static int make(struct front *front, const struct node *text, const struct policy_rule *rule,
		struct expansion *expansion, struct policy_pattern *pattern)
{
	if (is_network(rule->section))
		return make_destination(front, text, rule, expansion, pattern);
	if (rule->section == PK_SECTION_EXEC)
		return exec_words_make(front, text, rule, expansion, pattern);
	if (rule->section == PK_SECTION_UNIX)
		return make_name(front, text, expansion, pattern);
	return make_path(front, text, rule, expansion, pattern);
}

static enum vars_use use_of(enum pk_section section)
{
	if (is_network(section))
		return VARS_PLAIN;
	return section == PK_SECTION_EXEC ? VARS_WORDS : VARS_GLOB;
}

int pattern_make(struct front *front, const struct node *text, const struct policy_rule *rule,
		 struct policy_pattern *ret_pattern, bool *ret_made)
{
	CLEAN(pattern_reset) struct policy_pattern pattern = { .pos = node_pos(text) };
	CLEAN(expansion_reset) struct expansion expansion = { 0 };
	int r;

	*ret_made = false;
	if (!front_line(front, text, "a pattern"))
		return 0;
	r = vars_expand(front, text, use_of(rule->section), &expansion);
	if (r < 0 || !expansion.text)
		return r;
	pattern.source = strdup(text->text);
	if (!pattern.source)
		return -ENOMEM;
	r = make(front, text, rule, &expansion, &pattern);
	if (r == -EINVAL)
		return 0;
	if (r < 0)
		return r;
	*ret_pattern = pattern;
	pattern = (struct policy_pattern){ 0 };
	*ret_made = true;
	return 0;
}

void pattern_reset(struct policy_pattern *pattern)
{
	free(pattern->source);
	free(pattern->glob);
	for (size_t i = 0; i < pattern->word_count; i++)
		free(pattern->words[i]);
	free(pattern->words);
	free(pattern->also);
	free(pattern->host);
	free(pattern->ranges);
	free(pattern->ports);
	*pattern = (struct policy_pattern){ 0 };
}
