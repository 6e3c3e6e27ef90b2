/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Denied commands that have another name: a copy in a place where programs may be written and run,
 * busybox, an interpreter that does the same, an option in front of a subcommand. Each way round is a
 * command line that the matcher is asked about, and it is told in the warning.
 *
 * That shells and wrappers start a denied program is no way round: what they start is judged too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "author/warn_parts.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/command_glob.h"
#include "policy/decide.h"

/** A command line; the words are borrowed. */
struct line {
	const char *program;
	char *words[COMMAND_WORDS_MAX + 4]; /* ends with a NULL; words[0] is what it calls itself */
	size_t count;
};

/* Programs whose rights come with the file: a copy of them has none. */
static const char *const privileged[] = {
	"at",	      "batch",	     "chfn",	 "chsh",   "crontab",	"doas",
	"fusermount", "fusermount3", "gpasswd",	 "mount",  "newgidmap", "newgrp",
	"newuidmap",  "passwd",	     "ping",	 "pkexec", "runuser",	"sg",
	"su",	      "sudo",	     "sudoedit", "umount", NULL,
};

/* Applets of busybox that are denied for what they reach or do. */
static const char *const applets[] = {
	"chmod",   "chown", "crontab", "dd",	"ftpget", "ftpput",   "httpd", "kill",
	"killall", "ln",    "mknod",   "mount", "nc",	  "nslookup", "pkill", "rm",
	"telnet",  "tftp",  "umount",  "vi",	"wget",	  NULL,
};

/* Clients whose work is a few lines in an interpreter. */
static const char *const clients[] = {
	"curl", "ftp", "nc", "ncat", "netcat", "socat", "telnet", "tftp", "wget", NULL,
};

/* Programs with subcommands, and an option without effect on these that may stand in front of one. */
static const struct {
	const char *program;
	const char *option;
} leaders[] = {
	{ "/usr/bin/apt", "-q" },
	{ "/usr/bin/apt-get", "-q" },
	{ "/usr/bin/aws", "--no-cli-pager" },
	{ "/usr/bin/cargo", "--quiet" },
	{ "/usr/bin/docker", "--debug" },
	{ "/usr/bin/git", "--no-pager" },
	{ "/usr/bin/helm", "--debug" },
	{ "/usr/bin/kubectl", "-v=0" },
	{ "/usr/bin/npm", "--silent" },
	{ "/usr/bin/pip", "--quiet" },
	{ "/usr/bin/pnpm", "--silent" },
	{ "/usr/bin/podman", "--log-level=warn" },
	{ "/usr/bin/svn", "-q" },
	{ "/usr/bin/systemctl", "--quiet" },
};

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

static bool is_allowed(const struct warn *warn, const struct line *line)
{
	struct pk_result result;

	return decide_command(warn->image, line->program, line->words, 0, &result) == 0 &&
	       result.verdict == PK_VERDICT_ALLOW;
}

/* The words of a key as decide_command() takes them. */
static void split(const struct sample *sample, struct line *line)
{
	size_t at = 0;

	*line = (struct line){ .program = sample->key };
	while (at < sample->length && line->count <= COMMAND_WORDS_MAX) {
		line->words[line->count++] = sample->key + at;
		at += strlen(sample->key + at) + 1;
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The same words under the name of the program @path, with @first between when it is not NULL. */
static struct line renamed(const struct line *line, const char *path, const char *first)
{
	struct line made = { .program = path };

	made.words[made.count++] = (char *)path;
	if (first)
		made.words[made.count++] = (char *)first;
	for (size_t i = 1; i < line->count; i++)
		made.words[made.count++] = line->words[i];
	return made;
}

/* The line with an option in front of its subcommand. False: it has none, or the program takes none. */
static bool led(const struct line *line, const char *name, struct line *ret_line)
{
	for (size_t i = 0; i < sizeof(leaders) / sizeof(*leaders); i++) {
		if (strcmp(base_name(leaders[i].program), name) != 0 || line->count < 2 ||
		    line->words[1][0] == '-')
			continue;
		*ret_line = renamed(line, leaders[i].program, leaders[i].option);
		return true;
	}
	return false;
}

/* A place whose files can be written and then run: the caller frees. NULL: none is known. */
static int find_place(const struct warn *warn, char **ret_path)
{
	*ret_path = NULL;
	for (__u32 i = 0; i < warn->count && !*ret_path; i++) {
		const struct warn_pattern *at = &warn->patterns[i];
		CLEAN(sample_reset) struct sample sample = { 0 };

		if (at->rule->section != PK_SECTION_FILES || at->rule->by_count ||
		    at->rule->verdict != PK_VERDICT_ALLOW || !(at->rule->access & PK_ACCESS_WRITE))
			continue;
		if (sample_path(at->pattern->glob, &sample) < 0)
			return -ENOMEM;
		if (sample.key && warn_is_run(warn, sample.key))
			*ret_path = TAKE_PTR(sample.key);
	}
	if (*ret_path || !warn_is_run(warn, "/tmp/x"))
		return 0;
	*ret_path = strdup("/tmp/x");
	return *ret_path ? 0 : -ENOMEM;
}

/* "/usr/bin/busybox wget": malloc'ed, or NULL. */
static char *words_of(const struct line *line)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (size_t i = 0; i < line->count; i++)
		(void)fprintf(to, "%s%s", i ? " " : "", line->words[i]);
	return text_close(to, &text) == 0 ? text : NULL;
}

static struct diag *report(struct warn *warn, const struct warn_pattern *at, const char *how,
			   const struct line *line)
{
	CLEAN_FREE char *words = words_of(line);

	return warn_add(warn, WARN_ARGV, at->rule, at->pattern,
			"'%s' is denied, and %s is not: '%s'", at->pattern->source, how,
			words ? words : line->program);
}

/* The way round has another name. */
static void report_name(struct warn *warn, const struct warn_pattern *at, const char *how,
			const struct line *line)
{
	diag_hint(
		report(warn, at, how, line),
		"a name is no barrier: deny what the program reaches (egress, files), or set "
		"'default: deny' in exec; where the rule is to tell an honest program early, say so "
		"in its reason, with the word %s",
		warn_name(WARN_ARGV));
}

/* True when a way round was found, and reported unless the rule accepts it. */
static bool look_at(struct warn *warn, const struct warn_pattern *at, const struct line *line,
		    const char *place)
{
	const char *name = base_name(line->program);
	struct line copy = renamed(line, place ? place : "/", NULL);
	struct line applet = renamed(line, "/usr/bin/busybox", name);
	struct line script = { "/usr/bin/python3", { "/usr/bin/python3", "-c" }, 2 };
	struct line option;

	if (is_allowed(warn, line))
		return false;
	if (is_one_of(name, applets) && is_allowed(warn, &applet))
		report_name(warn, at, "the same in busybox", &applet);
	else if (is_one_of(name, clients) && is_allowed(warn, &script))
		report_name(warn, at, "an interpreter that can do the same", &script);
	else if (place && !is_one_of(name, privileged) && is_allowed(warn, &copy))
		report_name(warn, at, "a copy of the program", &copy);
	else if (led(line, name, &option) && is_allowed(warn, &option))
		diag_hint(report(warn, at, "the same behind an option", &option),
			  "add the form with options in front, as in {deny: \"%s -* ... %s\"}",
			  name, line->words[1]);
	else
		return false;
	return true;
}

/* One finding a rule. */
static int look_at_rule(struct warn *warn, __u32 *i, const char *place)
{
	const struct policy_rule *rule = warn->patterns[*i].rule;
	bool found = false;
	int r = 0;

	for (; *i < warn->count && warn->patterns[*i].rule == rule && r == 0; ++*i) {
		const struct warn_pattern *at = &warn->patterns[*i];
		CLEAN(sample_reset) struct sample sample = { 0 };
		struct line line;

		if (found || rule->section != PK_SECTION_EXEC || rule->verdict != PK_VERDICT_DENY)
			continue;
		r = sample_command(at->pattern->words, at->pattern->word_count, &sample);
		if (r < 0 || !sample.key)
			continue;
		split(&sample, &line);
		found = look_at(warn, at, &line, place);
	}
	return r;
}

int warn_commands(struct warn *warn)
{
	CLEAN_FREE char *place = NULL;
	int r = find_place(warn, &place);

	for (__u32 i = 0; i < warn->count && r == 0;)
		r = look_at_rule(warn, &i, place);
	return r;
}
