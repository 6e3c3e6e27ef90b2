/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of a policy's sections, and the sections that are a word or two. Everything that the
 * language does not have is refused by its absence here.
 */
#include "policy/sections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/access.h"
#include "policy/approvals.h"
#include "policy/by.h"
#include "policy/include.h"
#include "policy/inline_tests.h"
#include "policy/listen.h"
#include "policy/nested.h"
#include "policy/process.h"
#include "policy/rules.h"
#include "policy/schema.h"
#include "policy/sockets.h"
#include "policy/syscalls.h"
#include "policy/vars.h"
#include "sign/required.h"

#define NAME_MAX_BYTES 64
/** Largest rate of activity events that can be written. */
#define RATE_MAX 1000000000UL

static int read_version(struct front *front, const struct node *value, void *unused)
{
	(void)unused;
	if (strcmp(value->text, "1") != 0)
		diag_hint(node_error(value, front->diags,
				     "this is written in version '%s' of the language",
				     value->text),
			  "this program knows version 1: write 'picket: 1'");
	return 0;
}

static int read_name(struct front *front, const struct node *value, void *unused)
{
	static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";
	size_t good = strspn(value->text, bytes);

	(void)unused;
	if (!front_line(front, value, "the name of a policy"))
		return 0;
	if (good < value->length || strchr("._-", *value->text) || good > NAME_MAX_BYTES) {
		diag_hint(node_error_at(value, front->diags, good < value->length ? good : 0, 1,
					"this cannot be the name of a policy"),
			  "a name has letters, digits, '.', '_' and '-', begins with a letter or "
			  "digit, and has at most %d bytes",
			  NAME_MAX_BYTES);
		return 0;
	}
	front->policy->name = strdup(value->text);
	return front->policy->name ? 0 : -ENOMEM;
}

static int read_description(struct front *front, const struct node *value, void *unused)
{
	(void)unused;
	if (front->frame->parent)
		return 0; /* an included file describes itself to its readers only */
	front->policy->description = strdup(value->text);
	return front->policy->description ? 0 : -ENOMEM;
}

static const struct front_word version_words[] = { { "1", 1 } };
static const struct front_words version_set = FRONT_WORDS("version", version_words);

static const struct front_word mode_words[] = { { "enforce", 0 }, { "audit", 1 } };
static const struct front_words mode_set = FRONT_WORDS("mode", mode_words);

static int read_mode(struct front *front, const struct node *value, void *unused)
{
	unsigned int audit = 0;

	(void)unused;
	if (front_word(front, value, &mode_set, &audit))
		front->policy->audit = audit != 0;
	return 0;
}

static const struct front_word activity_words[] = {
	{ "exec", PK_ACTIVITY_EXEC },
	{ "connect", PK_ACTIVITY_CONNECT },
	{ "write", PK_ACTIVITY_WRITE },
	{ "read", PK_ACTIVITY_READ },
};
static const struct front_words activity_set = FRONT_WORDS("activity", activity_words);

static int add_activity(struct front *front, const struct node *text, void *unused)
{
	unsigned int kind = 0;

	(void)unused;
	if (front_word(front, text, &activity_set, &kind))
		front->policy->activity |= kind;
	return 0;
}

static int read_activity(struct front *front, const struct node *value, void *unused)
{
	return front_each_text(front, value, "exec, connect, write or read", add_activity, unused);
}

static int read_rate(struct front *front, const struct node *value, void *unused)
{
	size_t digits = strspn(value->text, "0123456789");
	unsigned long rate;

	(void)unused;
	if (strcmp(value->text, "off") == 0) {
		front->policy->rate = 0;
		return 0;
	}
	rate = strtoul(value->text, NULL, 10);
	if (digits > 0 && digits < 11 && *value->text != '0' && rate <= RATE_MAX &&
	    strcmp(value->text + digits, "/s") == 0) {
		front->policy->rate = (__u32)rate;
		return 0;
	}
	diag_hint(node_error(value, front->diags, "'%s' is not a rate", value->text),
		  "write the most events of a second as '2000/s' (1 to %lu), or 'off' for no limit",
		  RATE_MAX);
	return 0;
}

static const struct schema_key report_keys[] = {
	{ .name = "activity",
	  .expected = "exec, connect, write, read or a list of them",
	  .read = read_activity,
	  .shapes = SHAPE_TEXT | SHAPE_LIST,
	  .words = &activity_set },
	{ .name = "rate",
	  .expected = "a number of events a second ('2000/s'), or off",
	  .read = read_rate,
	  .shapes = SHAPE_TEXT,
	  .form = SCHEMA_RATE },
};

static const struct schema report_schema = SCHEMA("the section report", report_keys);

static int read_report(struct front *front, const struct node *map, void *unused)
{
	return schema_read_map(front, &report_schema, map, unused);
}

#define MAIN_ONLY "the policy that includes this file decides about it"

static const struct schema_key policy_keys[] = {
	{ .name = "picket",
	  .expected = "the version of the language, 1",
	  .read = read_version,
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_EARLY | SCHEMA_REQUIRED_MAIN,
	  .words = &version_set },
	{ .name = "name",
	  .expected = "a word that names the policy",
	  .read = read_name,
	  .shapes = SHAPE_TEXT,
	  .main_only = MAIN_ONLY },
	{ .name = "description",
	  .expected = "a text for people",
	  .read = read_description,
	  .shapes = SHAPE_TEXT },
	{ .name = "mode",
	  .expected = "enforce or audit",
	  .read = read_mode,
	  .shapes = SHAPE_TEXT,
	  .words = &mode_set,
	  .main_only = MAIN_ONLY },
	{ .name = "usable_by",
	  .expected = "a map with 'users' and 'groups'",
	  .read = access_read,
	  .shapes = SHAPE_MAP,
	  .below = &access_schema,
	  .main_only = MAIN_ONLY },
	{ .name = "nested",
	  .expected = "the name of a policy, or a list of them",
	  .read = nested_read,
	  .shapes = SHAPE_TEXT | SHAPE_LIST,
	  .main_only = MAIN_ONLY },
	{ .name = "require_signature",
	  .expected = "the path of a public key, or a list of them",
	  .read = required_read,
	  .shapes = SHAPE_TEXT | SHAPE_LIST,
	  .form = "^/",
	  .main_only = MAIN_ONLY },
	{ .name = "include",
	  .expected = "the name of a policy file or preset, or a list of them",
	  .read = include_read,
	  .shapes = SHAPE_TEXT | SHAPE_LIST },
	{ .name = "vars",
	  .expected = "a map of names to texts",
	  .read = vars_read,
	  .form = "^[A-Za-z_][A-Za-z0-9_]*$",
	  .shapes = SHAPE_MAP,
	  .flags = SCHEMA_EARLY },
	{ .name = "egress",
	  .expected = "a map with 'default' and 'rules'",
	  .read = rules_read_egress,
	  .shapes = SHAPE_MAP,
	  .below = &rules_egress_schema },
	{ .name = "listen",
	  .expected = "a map with 'default' and 'rules'",
	  .read = rules_read_listen,
	  .shapes = SHAPE_MAP,
	  .below = &rules_listen_schema },
	{ .name = "sockets",
	  .expected = "a map with 'allow'",
	  .read = sockets_read,
	  .shapes = SHAPE_MAP,
	  .below = &sockets_schema,
	  .main_only = MAIN_ONLY },
	{ .name = "files",
	  .expected = "a map with 'default' and 'rules'",
	  .read = rules_read_files,
	  .shapes = SHAPE_MAP,
	  .below = &rules_files_schema },
	{ .name = "exec",
	  .expected = "a map with 'default' and 'rules'",
	  .read = rules_read_exec,
	  .shapes = SHAPE_MAP,
	  .below = &rules_exec_schema },
	{ .name = "unix",
	  .expected = "a map with 'default' and 'rules'",
	  .read = rules_read_unix,
	  .shapes = SHAPE_MAP,
	  .below = &rules_unix_schema },
	{ .name = "process",
	  .expected = "a map with 'profile' and switches",
	  .read = process_read,
	  .shapes = SHAPE_MAP,
	  .below = &process_schema,
	  .main_only = MAIN_ONLY },
	{ .name = "syscalls",
	  .expected = "a map with 'deny'",
	  .read = syscalls_read,
	  .shapes = SHAPE_MAP,
	  .below = &syscalls_schema },
	{ .name = "approvals",
	  .expected = "a map with 'on_ask', 'timeout' and other keys",
	  .read = approvals_read,
	  .shapes = SHAPE_MAP,
	  .below = &approvals_schema,
	  .main_only = MAIN_ONLY },
	{ .name = "report",
	  .expected = "a map with 'activity' and 'rate'",
	  .read = read_report,
	  .shapes = SHAPE_MAP,
	  .below = &report_schema,
	  .main_only = MAIN_ONLY },
	{ .name = "tests",
	  .expected = "a list of tests",
	  .read = inline_tests_read,
	  .shapes = SHAPE_LIST,
	  .below = &inline_tests_schema },
};

const struct schema sections_schema = SCHEMA("a policy", policy_keys);

/** What a file of tests has besides them is for whoever opens it (author/tests_file.h). */
struct tests_keys {
	const struct node *policy;
	const struct node *set;
};

static const struct schema_key tests_keys[] = {
	{ .name = "policy",
	  .expected = "the name of a policy file",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_REQUIRED,
	  SCHEMA_KEEP(struct tests_keys, policy) },
	{ .name = "set",
	  .expected = "a map of names of variables to texts",
	  .shapes = SHAPE_MAP,
	  SCHEMA_KEEP(struct tests_keys, set) },
	{ .name = "tests",
	  .expected = "a list of tests",
	  .read = inline_tests_read,
	  .shapes = SHAPE_LIST,
	  .flags = SCHEMA_REQUIRED,
	  .below = &inline_tests_schema },
};

static const struct schema tests_schema = SCHEMA("a file of tests", tests_keys);

static int read_tests(struct front *front, const struct node *root)
{
	struct tests_keys keys = { 0 };

	if (root && root->kind == NODE_MAP)
		return schema_read_map(front, &tests_schema, root, &keys);
	if (root)
		front_wrong_type(front, root, "a file of tests", "a map of keys", false);
	return 0;
}

int sections_read(struct front *front, const struct node *root)
{
	const struct source_span start = { &front->frame->source, 0, 1 };
	int r;

	if (front->frame->tests)
		return read_tests(front, root);
	if (!root || (root->kind == NODE_TEXT && root->length == 0)) {
		diag_hint(source_report(start, front->diags, DIAG_ERROR,
					"there is no policy in this file"),
			  "a policy begins with 'picket: 1'");
		return 0;
	}
	if (root->kind != NODE_MAP) {
		front_wrong_type(front, root, "a policy", "a map of keys", false);
		return 0;
	}
	r = schema_read_map(front, &sections_schema, root, NULL);
	if (r == 0 && !front->frame->parent) {
		process_check(front);
		by_check(front);
		sockets_check(front);
		r = listen_check(front);
	}
	if (r == 0 && !front->frame->parent && front->context->tests)
		r = include_tests(front, front->context->tests);
	return r;
}
