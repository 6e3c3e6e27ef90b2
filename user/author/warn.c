/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run over all kinds of warnings, their names, and what makes a finding of one.
 */
#include "author/warn.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "author/warn_parts.h"
#include "base/mem.h"
#include "policy/registries_rule.h"

static const struct {
	const char *name;
	const char *summary;
} kinds[WARN__MAX] = {
	[WARN_SHADOWED] = { "W-shadowed", "a pattern that stricter rules decide everywhere" },
	[WARN_REDUNDANT] = { "W-redundant",
			     "a pattern that earlier rules of the same verdict decide everywhere" },
	[WARN_ANY_HOST] = { "W-any-host", "a rule that allows every host name or every address" },
	[WARN_PUBLIC_SUFFIX] = { "W-public-suffix",
				 "a wildcard below which anybody can register names" },
	[WARN_SHARED_HOST] = { "W-shared-host",
			       "a host at which anybody can publish or collect data" },
	[WARN_DENY_BY_PATH] = { "W-deny-by-path",
				"a path that is denied where everything else is allowed" },
	[WARN_WRITE_EXEC] = { "W-write-exec",
			      "a place in which programs can be written and then run" },
	[WARN_AGENT_WRITABLE] = { "W-agent-writable",
				  "a policy file or folder of PATH that the agent may write" },
	[WARN_ARGV] = { "W-argv", "a denied command that can be run under another name" },
};

const char *warn_name(enum warn_code code)
{
	return kinds[code].name;
}

const char *warn_summary(enum warn_code code)
{
	return kinds[code].summary;
}

/* True when the reason has the name as a whole word. */
static bool accepts(const struct policy_rule *rule, enum warn_code code)
{
	const char *name = kinds[code].name;
	const char *at = rule->reason;
	size_t length = strlen(name);

	while (at && (at = strstr(at, name))) {
		bool starts = at == rule->reason || !isalnum((unsigned char)at[-1]);

		at += length;
		if (starts && !isalnum((unsigned char)*at) && *at != '-')
			return true;
	}
	return false;
}

bool warn_is_preset(const struct warn *warn, const struct diag_pos *pos)
{
	return pos->file && pos->file != warn->policy->files[0] &&
	       strncmp(pos->file, "presets/", strlen("presets/")) == 0;
}

const struct warn_pattern *warn_pattern_of(const struct warn *warn, __u32 rule)
{
	return rule < warn->count ? &warn->patterns[rule] : NULL;
}

/** What a warning is about, and the bytes that are underlined there. */
struct spot {
	enum warn_code code;
	const struct diag_pos *pos;
	size_t length;
};

static struct diag *add(struct warn *warn, const struct spot *spot, const char *format,
			va_list arguments)
{
	CLEAN_FREE char *message = NULL;
	struct diag *diag;

	if (vasprintf(&message, format, arguments) < 0) {
		message = NULL;
		warn->diags->out_of_memory = true;
		return NULL;
	}
	diag = diag_add(warn->diags, DIAG_WARNING, spot->pos, "%s", message);
	if (!diag)
		return NULL;
	diag->code = kinds[spot->code].name;
	warn_excerpt(warn, diag, spot->pos, spot->length);
	return diag;
}

/* Bytes of the pattern in the text: of a registry the source also tells where it was found. */
static size_t written_length(const struct policy_pattern *pattern)
{
	return registries_made(pattern) ? strcspn(pattern->source, " ") : strlen(pattern->source);
}

struct diag *warn_add(struct warn *warn, enum warn_code code, const struct policy_rule *rule,
		      const struct policy_pattern *pattern, const char *format, ...)
{
	const struct spot spot = { code, &pattern->pos, written_length(pattern) };
	struct diag *diag;
	va_list arguments;

	if (accepts(rule, code) || warn_is_preset(warn, &pattern->pos))
		return NULL;
	va_start(arguments, format);
	diag = add(warn, &spot, format, arguments);
	va_end(arguments);
	return diag;
}

struct diag *warn_add_anywhere(struct warn *warn, enum warn_code code,
			       const struct policy_rule *rule, const struct policy_pattern *pattern,
			       const char *format, ...)
{
	const struct spot spot = { code, &pattern->pos, written_length(pattern) };
	struct diag *diag;
	va_list arguments;

	if (accepts(rule, code))
		return NULL;
	va_start(arguments, format);
	diag = add(warn, &spot, format, arguments);
	va_end(arguments);
	return diag;
}

struct diag *warn_add_at(struct warn *warn, enum warn_code code, const struct diag_pos *pos,
			 const char *format, ...)
{
	const struct spot spot = { code, pos, 1 };
	struct diag *diag;
	va_list arguments;

	va_start(arguments, format);
	diag = add(warn, &spot, format, arguments);
	va_end(arguments);
	return diag;
}

/* Numbers of the image are patterns in the order of the policy. */
static int number_patterns(struct warn *warn)
{
	const struct policy *policy = warn->policy;
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		count += policy->rules[i].pattern_count;
	warn->patterns = calloc(count + 1, sizeof(*warn->patterns));
	if (!warn->patterns)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++)
		for (size_t j = 0; j < policy->rules[i].pattern_count; j++)
			warn->patterns[warn->count++] = (struct warn_pattern){
				&policy->rules[i],
				&policy->rules[i].patterns[j],
			};
	return 0;
}

int warn_policy(const struct policy *policy, const struct policy_image *image,
		const struct warn_world *world, struct diag_list *diags)
{
	struct warn warn = { policy, image, world, diags, NULL, 0, { 0 } };
	int r = number_patterns(&warn);

	if (r == 0)
		r = warn_dead(&warn);
	if (r == 0)
		r = warn_hosts(&warn);
	if (r == 0)
		r = warn_files(&warn);
	if (r == 0)
		r = warn_commands(&warn);
	warn_text_reset(&warn.text);
	free(warn.patterns);
	return r;
}
