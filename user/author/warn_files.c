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
#include "policy/grow.h"

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
				   "'%s' is %s by its path under 'default: allow'",
				   rule->patterns[0].source,
				   rule->verdict == PK_VERDICT_DENY ? "denied" : "asked about"),
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

/* Does the rule that lets @path be written have a place of its own that can be run? Then it is told there. */
static bool is_told(const struct warn *warn, const char *path, const bool *told)
{
	const struct warn_pattern *at;
	struct pk_result result;

	if (!allows(warn, PK_SECTION_FILES, PK_ACCESS_WRITE, path, &result) ||
	    result.reason != PK_REASON_RULE)
		return false;
	at = warn_pattern_of(warn, result.rule);
	return at && told[at->rule - warn->policy->rules];
}

/* A rule that allows writing is told of; one about programs, where it is inside of what may be written. */
static int warn_written(struct warn *warn, const struct policy_rule *rule, bool *told)
{
	bool writes = rule->access & PK_ACCESS_WRITE;
	bool found = false;
	int r = 0;

	for (size_t i = 0; i < rule->pattern_count && !found && r == 0; i++) {
		CLEAN(sample_reset) struct sample sample = { 0 };

		r = sample_path(rule->patterns[i].glob, &sample);
		if (r < 0 || !sample.key || !warn_is_run(warn, sample.key) ||
		    (!writes && is_told(warn, sample.key, told)))
			continue;
		found = true;
		told[rule - warn->policy->rules] = true;
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

static const struct warn_pattern *decider(const struct warn *warn, const struct pk_result *result)
{
	return result->reason == PK_REASON_RULE ? warn_pattern_of(warn, result->rule) : NULL;
}

/* At the rule that lets the agent write (@at), or at the section. */
static struct diag *warn_writable(struct warn *warn, const struct warn_pattern *at,
				  const char *what, const char *path, size_t more)
{
	char others[40] = "";

	if (more)
		(void)snprintf(others, sizeof(others), ", and %zu more", more);
	if (at)
		return warn_add_anywhere(warn, WARN_AGENT_WRITABLE, at->rule, at->pattern,
					 "'%s' lets the agent write %s '%s'%s", at->pattern->source,
					 what, path, others);
	return warn_add_at(warn, WARN_AGENT_WRITABLE, &warn->policy->sections[PK_SECTION_FILES].pos,
			   "the default lets the agent write %s '%s'%s", what, path, others);
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
			diag_hint(warn_writable(warn, decider(warn, &result), "the policy itself,",
						real, 0),
				  "its next run would have another policy: keep the policy "
				  "elsewhere, or add {deny: \"%s\", access: write}",
				  real);
	}
}

/** Folders of PATH that the agent may write, and who lets it. */
struct path_folder {
	const struct warn_pattern *at; /* NULL: the default */
	char *real; /* owned */
};

struct path_folders {
	struct path_folder *items;
	size_t count, room;
};

static void folders_reset(struct path_folders *folders)
{
	for (size_t i = 0; i < folders->count; i++)
		free(folders->items[i].real);
	free(folders->items);
}

/* Take the folder, which PATH may name twice, when the agent may write it. 0 or -ENOMEM. */
static int take_folder(const struct warn *warn, const char *folder, struct path_folders *folders)
{
	CLEAN_FREE char *real = realpath(folder, NULL);
	CLEAN_FREE char *program = NULL;
	struct pk_result result;
	int r;

	if (!real)
		return 0;
	for (size_t i = 0; i < folders->count; i++)
		if (strcmp(folders->items[i].real, real) == 0)
			return 0;
	if (asprintf(&program, "%s/x", real) < 0) {
		program = NULL;
		return -ENOMEM;
	}
	if (!allows(warn, PK_SECTION_FILES, PK_ACCESS_WRITE, program, &result) ||
	    !may_replace(program, warn->world->user))
		return 0;
	r = grow(&folders->items, &folders->room, folders->count + 1, sizeof(*folders->items));
	if (r == 0)
		folders->items[folders->count++] =
			(struct path_folder){ decider(warn, &result), TAKE_PTR(real) };
	return r;
}

/* One finding for all folders of a rule. */
static void warn_folders(struct warn *warn, const struct path_folders *folders, size_t first)
{
	const struct path_folder *folder = &folders->items[first];
	size_t more = 0;

	for (size_t i = 0; i < first; i++)
		if (folders->items[i].at == folder->at)
			return;
	for (size_t i = first + 1; i < folders->count; i++)
		more += folders->items[i].at == folder->at;
	diag_hint(warn_writable(warn, folder->at, "a folder of PATH,", folder->real, more),
		  "who calls a program by its name would start what the agent put there: "
		  "add {deny: \"%s/**\", access: write}%s",
		  folder->real, more ? ", and the same for the others" : "");
}

static int warn_path(struct warn *warn)
{
	CLEAN(folders_reset) struct path_folders folders = { 0 };
	const char *at = warn->world->path;
	int r = 0;

	while (at && *at && r == 0) {
		size_t length = strcspn(at, ":");
		CLEAN_FREE char *folder = strndup(at, length);

		if (folder && *folder == '/')
			r = take_folder(warn, folder, &folders);
		at += length + (at[length] == ':');
	}
	for (size_t i = 0; i < folders.count && r == 0; i++)
		warn_folders(warn, &folders, i);
	return r;
}

static int warn_programs(struct warn *warn)
{
	CLEAN_FREE bool *told = calloc(warn->policy->rule_count + 1, sizeof(*told));
	int r = told ? 0 : -ENOMEM;

	/* Rules that allow writing first: what they are told of needs no second finding. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < warn->policy->rule_count && r == 0; i++) {
			const struct policy_rule *rule = &warn->policy->rules[i];
			bool writes = rule->access & PK_ACCESS_WRITE;

			if (rule->section == PK_SECTION_FILES &&
			    rule->verdict == PK_VERDICT_ALLOW && !rule->by_count &&
			    writes == (pass == 0) &&
			    (rule->access & (PK_ACCESS_WRITE | PK_ACCESS_EXEC)))
				r = warn_written(warn, rule, told);
		}
	}
	return r;
}

int warn_files(struct warn *warn)
{
	int r;

	if (!warn->policy->sections[PK_SECTION_FILES].present)
		return 0;
	warn_denials(warn);
	r = warn_programs(warn);
	if (r < 0 || !warn->world)
		return r;
	warn_policy_files(warn);
	return warn_path(warn);
}
