/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simple examples of simple rules. They are for whoever reads an imported policy, and see that it says what
 * was meant; the format's own examples are tests besides them.
 */
#include "import/draft_tests.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/** Most tests of one section. */
#define TESTS_MAX 50

static bool is_verdict(const struct draft_rule *rule, const char *verdict)
{
	return strcmp(rule->verdict, verdict) == 0;
}

/* "host" and ":ports" of a destination. */
static const char *ports_of(const char *pattern)
{
	const char *bracket = strchr(pattern, ']');

	return strchr(bracket ? bracket : pattern, ':');
}

/* An example of the destination, or NULL: a group, a network, any name. */
static char *example_host(const char *pattern)
{
	const char *ports = ports_of(pattern);
	int length = (int)(ports ? (size_t)(ports - pattern) : strlen(pattern));
	const char *port = ports && ports[1] != '*' ? ports + 1 : "443";
	const char *stars = pattern + strspn(pattern, "*");
	char *text = NULL;

	if (strchr(pattern, '/') || *pattern == '@' || (stars != pattern && *stars != '.'))
		return NULL;
	length -= (int)(stars - pattern);
	if (asprintf(&text, "%s%.*s:%.*s", stars != pattern ? "probe" : "", length, stars,
		     (int)strcspn(port, ",-"), port) < 0)
		return NULL;
	return text;
}

/* True when another rule of the section could decide differently. */
static bool has_stricter(const struct draft *draft, enum draft_section section)
{
	for (size_t i = 0; i < draft->rule_count; i++) {
		if (draft->rules[i].section == section && !is_verdict(&draft->rules[i], "allow"))
			return true;
	}
	return false;
}

/* "by: '/x'" of the first program of the rule, or nothing; false: a rule of which no example is made. */
static bool example_by(const struct draft_rule *rule, char *ret_by, size_t size)
{
	const char *by = strstr(rule->extra, "by: [");
	const char *end = by ? strchr(by, '\'') : NULL;

	*ret_by = '\0';
	if (!by)
		return true;
	end = end ? strchr(end + 1, '\'') : NULL;
	if (!end || (size_t)(end - by) + 1 >= size || memchr(by + 5, '*', (size_t)(end - by - 5)))
		return false;
	(void)snprintf(ret_by, size, "by: %.*s, ", (int)(end + 1 - by - 5), by + 5);
	return true;
}

static void add_egress(struct draft *draft)
{
	bool mixed = has_stricter(draft, DRAFT_EGRESS);
	bool closed = strcmp(draft->defaults[DRAFT_EGRESS], "deny") == 0;
	bool any = false;

	for (size_t i = 0; i < draft->rule_count && draft->tests.count < TESTS_MAX; i++) {
		const struct draft_rule *rule = &draft->rules[i];
		CLEAN_FREE char *target = NULL;
		char by[512];

		if (rule->section != DRAFT_EGRESS)
			continue;
		any = any || strcmp(rule->pattern, "*") == 0 ||
		      strncmp(rule->pattern, "*:", 2) == 0;
		target = example_host(rule->pattern);
		if (target && example_by(rule, by, sizeof(by)) &&
		    (is_verdict(rule, "deny") || !mixed))
			draft_line(draft, &draft->tests, "connect: '%s', %sexpect: %s", target, by,
				   rule->verdict);
		if (target && closed && strstr(rule->extra, "protocol: tcp"))
			draft_line(draft, &draft->tests,
				   "connect: '%s', protocol: udp, expect: deny", target);
	}
	if (!any)
		draft_line(draft, &draft->tests, "connect: 'unlisted.invalid:443', expect: %s",
			   draft->defaults[DRAFT_EGRESS]);
}

/* The path that a pattern of the form PATH/** names, without wildcards; NULL: no such. */
static char *example_path(const char *pattern)
{
	size_t length = strlen(pattern);
	const char *at = pattern;

	if (length > 3 && strcmp(pattern + length - 3, "/**") == 0)
		length -= 3;
	/* Braces of variables are no alternatives. */
	if (strncmp(at, "${", 2) == 0)
		at = strchr(at, '}') ? strchr(at, '}') + 1 : at;
	if (strcspn(at, "*?[{\\$") < length - (size_t)(at - pattern))
		return NULL;
	return strndup(pattern, length);
}

/* True when @outer, as PATH/**, has @path in it or could. */
static bool may_cover(const char *outer, const char *path)
{
	bool anywhere = strncmp(outer, "**/", 3) == 0;
	CLEAN_FREE char *literal = example_path(anywhere ? outer + 2 : outer);
	size_t length = literal ? strlen(literal) : 0;

	if (!literal)
		return true;
	if (anywhere)
		return strstr(path, literal) != NULL;
	return strncmp(literal, path, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool is_denied(const struct draft *draft, const char *path)
{
	for (size_t i = 0; i < draft->rule_count; i++) {
		const struct draft_rule *rule = &draft->rules[i];

		if (rule->section == DRAFT_FILES && !is_verdict(rule, "allow") &&
		    may_cover(rule->pattern, path))
			return true;
	}
	return false;
}

static void add_files(struct draft *draft)
{
	size_t most = draft->tests.count + TESTS_MAX;

	for (size_t i = 0; i < draft->rule_count && draft->tests.count < most; i++) {
		const struct draft_rule *rule = &draft->rules[i];
		CLEAN_FREE char *path = NULL;
		bool write;

		if (rule->section != DRAFT_FILES)
			continue;
		path = example_path(rule->pattern);
		if (!path || (!is_verdict(rule, "deny") && is_denied(draft, path)))
			continue;
		write = strstr(rule->extra, "write") != NULL;
		draft_line(draft, &draft->tests, "open: '%s', access: %s, expect: %s", path,
			   write ? "write" : "read", rule->verdict);
	}
}

void draft_tests_add(struct draft *draft)
{
	if (draft->defaults[DRAFT_EGRESS])
		add_egress(draft);
	if (draft->defaults[DRAFT_FILES])
		add_files(draft);
}
