/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Warnings about the section files: what its denials cannot hold, and what an agent could make of what
 * it may write. Each act is asked of the matcher.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "author/warn_parts.h"
#include "base/mem.h"
#include "policy/decide.h"

static bool allows(const struct warn *warn, enum pk_section section, __u8 access, const char *path,
		   struct pk_result *ret_result)
{
	return decide_path(warn->image, section, access, path, ret_result) == 0 &&
	       ret_result->verdict == PK_VERDICT_ALLOW;
}

/* One finding a rule: the reason is the same for all its patterns. */
static void warn_denials(struct warn *warn)
{
	const struct policy_section *files = &warn->policy->sections[PK_SECTION_FILES];
	bool own = false;
	size_t presets = 0;

	if (!files->present || files->default_verdict != PK_VERDICT_ALLOW)
		return;
	for (size_t i = 0; i < warn->policy->rule_count; i++) {
		const struct policy_rule *rule = &warn->policy->rules[i];

		if (rule->section != PK_SECTION_FILES || rule->verdict == PK_VERDICT_ALLOW)
			continue;
		presets += warn_is_preset(warn, &rule->patterns[0].pos);
		own = own || !warn_is_preset(warn, &rule->patterns[0].pos);
		diag_hint(warn_add(warn, WARN_DENY_BY_PATH, rule, &rule->patterns[0],
				   "'%s' is denied by its path under 'default: allow'",
				   rule->patterns[0].source),
			  "hard links and bind mounts that exist already reach it by other paths: "
			  "write 'default: deny' and allow what is needed");
	}
	if (presets && !own)
		diag_hint(warn_add_at(warn, WARN_DENY_BY_PATH, &files->pos,
				      "%zu rules of presets deny by path under 'default: allow'",
				      presets),
			  "hard links and bind mounts that exist already reach it by other paths: "
			  "write 'default: deny' and allow what is needed");
}

bool warn_is_run(const struct warn *warn, const char *path)
{
	struct pk_result result;

	return allows(warn, PK_SECTION_FILES, PK_ACCESS_WRITE, path, &result) &&
	       allows(warn, PK_SECTION_FILES, PK_ACCESS_EXEC, path, &result) &&
	       allows(warn, PK_SECTION_EXEC, PK_ACCESS_RUN, path, &result);
}

static int warn_written(struct warn *warn, const struct policy_rule *rule)
{
	bool found = false;
	int r = 0;

	for (size_t i = 0; i < rule->pattern_count && !found && r == 0; i++) {
		CLEAN(sample_reset) struct sample sample = { 0 };

		r = sample_path(rule->patterns[i].glob, &sample);
		if (r < 0 || !sample.key || !warn_is_run(warn, sample.key))
			continue;
		found = true;
		diag_hint(
			warn_add(warn, WARN_WRITE_EXEC, rule, &rule->patterns[i],
				 "what is written to '%s' can be run from there: '%s', for example",
				 rule->patterns[i].source, sample.key),
			"allow write and exec on different folders; where programs are built and "
			"run, say so in the rule's reason, with the word %s",
			warn_name(WARN_WRITE_EXEC));
	}
	return r;
}

/* True when @uid may change the file @path itself, by its owner and mode. Groups count as others. */
static bool may_change(const char *path, uid_t uid)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	return uid == 0 || st.st_uid == uid || (st.st_mode & S_IWOTH);
}

/* True when @uid may put another file in the place of @path. */
static bool may_replace(const char *path, uid_t uid)
{
	CLEAN_FREE char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	struct stat st;

	if (!slash)
		return false;
	slash[slash == folder] = '\0';
	if (stat(folder, &st) < 0)
		return false;
	return uid == 0 || st.st_uid == uid || ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX));
}

/* At the rule that lets the agent write, or at the section. */
static struct diag *warn_writable(struct warn *warn, const struct pk_result *result,
				  const char *what, const char *path)
{
	const struct warn_pattern *at =
		result->reason == PK_REASON_RULE ? warn_pattern_of(warn, result->rule) : NULL;

	if (at)
		return warn_add_anywhere(warn, WARN_AGENT_WRITABLE, at->rule, at->pattern,
					 "'%s' lets the agent write %s '%s'", at->pattern->source,
					 what, path);
	return warn_add_at(warn, WARN_AGENT_WRITABLE, &warn->policy->sections[PK_SECTION_FILES].pos,
			   "the default lets the agent write %s '%s'", what, path);
}

static void warn_policy_files(struct warn *warn)
{
	for (size_t i = 0; i < warn->policy->file_count; i++) {
		const struct diag_pos pos = { .file = warn->policy->files[i] };
		CLEAN_FREE char *real = NULL;
		struct pk_result result;

		if (warn_is_preset(warn, &pos))
			continue;
		real = realpath(pos.file, NULL);
		if (!real || !allows(warn, PK_SECTION_FILES, PK_ACCESS_WRITE, real, &result))
			continue;
		if (may_change(real, warn->world->user) || may_replace(real, warn->world->user))
			diag_hint(warn_writable(warn, &result, "the policy itself,", real),
				  "its next run would have another policy: keep the policy "
				  "elsewhere, or add {deny: \"%s\", access: write}",
				  real);
	}
}

static void warn_path_folder(struct warn *warn, const char *folder)
{
	CLEAN_FREE char *real = realpath(folder, NULL);
	CLEAN_FREE char *program = NULL;
	struct pk_result result;

	if (!real || asprintf(&program, "%s/x", real) < 0) {
		program = NULL;
		return;
	}
	if (allows(warn, PK_SECTION_FILES, PK_ACCESS_WRITE, program, &result) &&
	    may_replace(program, warn->world->user))
		diag_hint(warn_writable(warn, &result, "a folder of PATH,", real),
			  "who calls a program by its name would start what the agent put there: "
			  "add {deny: \"%s/**\", access: write}",
			  real);
}

static void warn_path(struct warn *warn)
{
	const char *at = warn->world->path;

	while (at && *at) {
		size_t length = strcspn(at, ":");
		CLEAN_FREE char *folder = strndup(at, length);

		if (folder && *folder == '/')
			warn_path_folder(warn, folder);
		at += length + (at[length] == ':');
	}
}

int warn_files(struct warn *warn)
{
	int r = 0;

	if (!warn->policy->sections[PK_SECTION_FILES].present)
		return 0;
	warn_denials(warn);
	for (size_t i = 0; i < warn->policy->rule_count && r == 0; i++) {
		const struct policy_rule *rule = &warn->policy->rules[i];

		if (rule->section == PK_SECTION_FILES && rule->verdict == PK_VERDICT_ALLOW &&
		    (rule->access & PK_ACCESS_WRITE) && !rule->by_count)
			r = warn_written(warn, rule);
	}
	if (!warn->world)
		return r;
	warn_policy_files(warn);
	warn_path(warn);
	return r;
}
