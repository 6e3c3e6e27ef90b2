/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of one pattern. The grammars of globs and destinations are in glob.c and address.c;
 * here their findings get a place in the policy and advice.
 */
#include "policy/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/address.h"
#include "policy/glob.h"
#include "policy/links.h"
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

static int make_destination(struct front *front, const struct node *text,
			    const struct expansion *expansion, struct policy_pattern *pattern)
{
	struct address_match match = { 0 };
	struct address_error error = { 0 };
	int r = address_parse(expansion->text, &match, &error);

	if (r == -EINVAL)
		pattern_report_address(front, text, expansion, &error);
	if (r < 0)
		return r;
	pattern->ranges = match.ranges;
	pattern->range_count = match.range_count;
	pattern->ports = match.ports;
	pattern->port_count = match.port_count;
	return 0;
}

/* What a pattern that begins with neither '/' nor '**' was probably meant to be. */
static void hint_relative(struct diag *diag, const struct node *text, const char *glob,
			  enum pk_section section)
{
	if (strncmp(text->text, "${", 2) == 0)
		diag_hint(diag, "the value of the variable must be an absolute path, not '%s'",
			  glob);
	else if (*glob == '~')
		diag_hint(diag, "for the home directory write ${HOME}");
	else if (strncmp(glob, "./", 2) == 0)
		diag_hint(diag, "for the current directory write ${CWD}");
	else if (*glob == '{')
		diag_hint(diag, "write '/{a,b}/...': the '/' stands before the brace");
	else if (section == PK_SECTION_EXEC && strchr(glob, ' '))
		diag_hint(diag, "a rule of exec names a program, not its arguments: '**/%.*s'",
			  (int)strcspn(glob, " "), glob);
	else
		diag_hint(diag, "write '**/%s' for this name in any directory", glob);
}

static int check_glob(struct front *front, const struct node *text,
		      const struct expansion *expansion, enum pk_section section)
{
	size_t column = 1, at;
	struct diag *diag;
	const char *why = NULL;

	if (expansion->length > PK_PATH_MAX) {
		(void)node_error(text, front->diags,
				 "a pattern of %zu bytes is longer than any path (%d)",
				 expansion->length, PK_PATH_MAX);
		return -EINVAL;
	}
	if (glob_check(expansion->text, &column, &why))
		return 0;
	at = column - 1 < expansion->length ? column - 1 : expansion->length;
	diag = expansion_error_at(text, expansion, front->diags, at, clamp(expansion, at, 1), "%s",
				  why);
	if (at == 0 && *expansion->text != '/')
		hint_relative(diag, text, expansion->text, section);
	hint_replaced(diag, text, expansion);
	return -EINVAL;
}

static void warn_everything(struct front *front, const struct node *text, const char *glob)
{
	if (strstr(text->text, "${") && (strcmp(glob, "/**") == 0 || strcmp(glob, "/") == 0))
		diag_hint(node_report(text, front->diags, DIAG_WARNING,
				      "with these variables the pattern is '%s'", glob),
			  "run in a directory that is not the root, or set the variable");
}

static void warn_links(struct front *front, const struct node *text, const char *resolved)
{
	/* A preset serves systems with and without the link, and it is not the user's to edit. */
	if (text->source->builtin)
		return;
	diag_hint(node_report(text, front->diags, DIAG_WARNING,
			      "this path leads through a symbolic link: the kernel sees '%s'",
			      resolved),
		  "write the path that the kernel sees, or the rule allows nothing");
}

/* Links that lead each process somewhere else: no path that the kernel sees begins with them. */
static void warn_process(struct front *front, const struct node *text, const char *glob)
{
	static const char *const links[] = { "/proc/self",  "/proc/thread-self", "/proc/mounts",
					     "/proc/net",   "/dev/fd",		 "/dev/stdin",
					     "/dev/stdout", "/dev/stderr" };

	for (size_t i = 0; i < sizeof(links) / sizeof(*links) && !text->source->builtin; i++) {
		size_t length = strlen(links[i]);

		if (strncmp(glob, links[i], length) == 0 && (glob[length] == '/' || !glob[length]))
			diag_hint(node_report(text, front->diags, DIAG_WARNING,
					      "'%s' is a link: the kernel sees the process's own "
					      "'/proc/PID'",
					      links[i]),
				  "write '/proc/*/...'");
	}
}

static int make_glob(struct front *front, const struct node *text, const struct policy_rule *rule,
		     struct expansion *expansion, struct policy_pattern *pattern)
{
	CLEAN_FREE char *resolved = NULL;
	int r = check_glob(front, text, expansion, rule->section);

	if (r == 0)
		r = links_resolve_glob(front->context, expansion->text, &resolved);
	if (r == -E2BIG && rule->verdict == PK_VERDICT_ALLOW)
		r = 0; /* only a warning would come of it */
	if (r == -E2BIG)
		diag_hint(node_error(text, front->diags,
				     "too many of its alternatives lead through symbolic links"),
			  "split the rule into several");
	if (r < 0)
		return r == -E2BIG ? -EINVAL : r;
	warn_process(front, text, expansion->text);
	if (rule->verdict == PK_VERDICT_ALLOW) {
		warn_everything(front, text, expansion->text);
		if (resolved)
			warn_links(front, text, resolved);
	} else {
		pattern->also = TAKE_PTR(resolved);
	}
	pattern->glob = TAKE_PTR(expansion->text);
	return 0;
}

int pattern_make(struct front *front, const struct node *text, const struct policy_rule *rule,
		 struct policy_pattern *ret_pattern, bool *ret_made)
{
	CLEAN(pattern_reset) struct policy_pattern pattern = { .pos = node_pos(text) };
	CLEAN(expansion_reset) struct expansion expansion = { 0 };
	bool egress = rule->section == PK_SECTION_EGRESS;
	int r;

	*ret_made = false;
	if (!front_line(front, text, "a pattern"))
		return 0;
	r = vars_expand(front, text, egress ? VARS_PLAIN : VARS_GLOB, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	pattern.source = strdup(text->text);
	if (!pattern.source)
		return -ENOMEM;
	r = egress ? make_destination(front, text, &expansion, &pattern) :
		     make_glob(front, text, rule, &expansion, &pattern);
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
	free(pattern->also);
	free(pattern->ranges);
	free(pattern->ports);
	*pattern = (struct policy_pattern){ 0 };
}
