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

static int read_mode(struct front *front, const struct node *value, void *unused)
{
	static const struct front_word words[] = { { "enforce", 0 }, { "audit", 1 } };
	static const struct front_words set = FRONT_WORDS("mode", words);
	unsigned int audit = 0;

	(void)unused;
	if (front_word(front, value, &set, &audit))
		front->policy->audit = audit != 0;
	return 0;
}

static int add_activity(struct front *front, const struct node *text, void *unused)
{
	static const struct front_word words[] = {
		{ "exec", PK_ACTIVITY_EXEC },
		{ "connect", PK_ACTIVITY_CONNECT },
		{ "write", PK_ACTIVITY_WRITE },
		{ "read", PK_ACTIVITY_READ },
	};
	static const struct front_words set = FRONT_WORDS("activity", words);
	unsigned int kind = 0;

	(void)unused;
	if (front_word(front, text, &set, &kind))
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
	{ "activity", "exec, connect, write, read or a list of them", read_activity,
	  SHAPE_TEXT | SHAPE_LIST, 0, NULL, 0 },
	{ "rate", "a number of events a second ('2000/s'), or off", read_rate, SHAPE_TEXT, 0, NULL,
	  0 },
};

static int read_report(struct front *front, const struct node *map, void *unused)
{
	static const struct schema schema = SCHEMA("the section report", report_keys);

	return schema_read_map(front, &schema, map, unused);
}

#define MAIN_ONLY "the policy that includes this file decides about it"

static const struct schema_key policy_keys[] = {
	{ "picket", "the version of the language, 1", read_version, SHAPE_TEXT,
	  SCHEMA_EARLY | SCHEMA_REQUIRED_MAIN, NULL, 0 },
	{ "name", "a word that names the policy", read_name, SHAPE_TEXT, 0, MAIN_ONLY, 0 },
	{ "description", "a text for people", read_description, SHAPE_TEXT, 0, NULL, 0 },
	{ "mode", "enforce or audit", read_mode, SHAPE_TEXT, 0, MAIN_ONLY, 0 },
	{ "usable_by", "a map with 'users' and 'groups'", access_read, SHAPE_MAP, 0, MAIN_ONLY, 0 },
	{ "nested", "the name of a policy, or a list of them", nested_read, SHAPE_TEXT | SHAPE_LIST,
	  0, MAIN_ONLY, 0 },
	{ "include", "the name of a policy file or preset, or a list of them", include_read,
	  SHAPE_TEXT | SHAPE_LIST, 0, NULL, 0 },
	{ "vars", "a map of names to texts", vars_read, SHAPE_MAP, SCHEMA_EARLY, NULL, 0 },
	{ "egress", "a map with 'default' and 'rules'", rules_read_egress, SHAPE_MAP, 0, NULL, 0 },
	{ "listen", "a map with 'default' and 'rules'", rules_read_listen, SHAPE_MAP, 0, NULL, 0 },
	{ "sockets", "a map with 'allow'", sockets_read, SHAPE_MAP, 0, MAIN_ONLY, 0 },
	{ "files", "a map with 'default' and 'rules'", rules_read_files, SHAPE_MAP, 0, NULL, 0 },
	{ "exec", "a map with 'default' and 'rules'", rules_read_exec, SHAPE_MAP, 0, NULL, 0 },
	{ "unix", "a map with 'default' and 'rules'", rules_read_unix, SHAPE_MAP, 0, NULL, 0 },
	{ "process", "a map with 'profile' and switches", process_read, SHAPE_MAP, 0, MAIN_ONLY,
	  0 },
	{ "syscalls", "a map with 'deny'", syscalls_read, SHAPE_MAP, 0, NULL, 0 },
	{ "approvals", "a map with 'on_ask', 'timeout' and other keys", approvals_read, SHAPE_MAP,
	  0, MAIN_ONLY, 0 },
	{ "report", "a map with 'activity' and 'rate'", read_report, SHAPE_MAP, 0, MAIN_ONLY, 0 },
	{ "tests", "a list of tests", inline_tests_read, SHAPE_LIST, 0, NULL, 0 },
};

static const struct schema policy_schema = SCHEMA("a policy", policy_keys);

int sections_read(struct front *front, const struct node *root)
{
	const struct source_span start = { &front->frame->source, 0, 1 };
	int r;

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
	r = schema_read_map(front, &policy_schema, root, NULL);
	if (r == 0 && !front->frame->parent) {
		process_check(front);
		by_check(front);
		sockets_check(front);
		r = listen_check(front);
	}
	return r;
}
