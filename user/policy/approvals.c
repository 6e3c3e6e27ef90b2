/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shapes only: whether the hook is there, and whose it is, is asked when it is started.
 */
#include "policy/approvals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/numbers.h"
#include "policy/schema.h"

static const struct front_word on_ask_words[] = { { "hold", 0 }, { "deny", 1 } };
static const struct front_words on_ask_set = FRONT_WORDS("setting", on_ask_words);

static int read_on_ask(struct front *front, const struct node *value, void *unused)
{
	unsigned int refuse = 0;

	(void)unused;
	if (front_word(front, value, &on_ask_set, &refuse))
		front->policy->approvals.refuse = refuse != 0;
	return 0;
}

static int read_timeout(struct front *front, const struct node *value, void *unused)
{
	unsigned int seconds = numbers_seconds(value, PK_ASK_TIMEOUT_MAX);

	(void)unused;
	if (seconds)
		front->policy->approvals.timeout = seconds;
	else
		diag_hint(node_error(value, front->diags, "'%s' is not a time from 1s to 24h",
				     value->text),
			  "write seconds, minutes or hours as '90s', '5m', '1h'");
	return 0;
}

static const struct front_word on_timeout_words[] = { { "deny", 0 } };
static const struct front_words on_timeout_set = FRONT_WORDS("setting", on_timeout_words);

/* One word, and it is written all the same: a policy that says it is read like one that does not. */
static int read_on_timeout(struct front *front, const struct node *value, void *unused)
{
	(void)unused;
	if (strcmp(value->text, "deny") != 0)
		diag_hint(node_error(value, front->diags,
				     "'on_timeout' can only be deny: what nobody approved is not "
				     "done"),
			  "for what may be done without an answer, write a rule that allows it");
	return 0;
}

/* Why @path is no path of a program, or NULL. */
static const char *path_fault(const struct node *path)
{
	const char *text = path->text;

	if (text[0] != '/')
		return "is not an absolute path";
	if (path->length >= PK_PATH_MAX)
		return "is longer than a path can be";
	if (text[path->length - 1] == '/')
		return "is the path of a folder";
	while (text && *text) {
		size_t length = strcspn(text + 1, "/");

		if (length == 0 || (length == 1 && text[1] == '.') ||
		    (length == 2 && strncmp(text + 1, "..", 2) == 0))
			return "has a component that is empty, '.' or '..'";
		text += 1 + length;
	}
	return NULL;
}

static int read_hook(struct front *front, const struct node *value, void *unused)
{
	struct policy_approvals *approvals = &front->policy->approvals;
	const char *fault;

	(void)unused;
	if (!front_line(front, value, "the path of a program"))
		return 0;
	fault = path_fault(value);
	if (fault) {
		diag_hint(node_error(value, front->diags, "the hook '%s' %s", value->text, fault),
			  "write the whole path of the program, as in '/usr/local/sbin/ask-chat'");
		return 0;
	}
	free(approvals->hook);
	approvals->hook = strdup(value->text);
	return approvals->hook ? 0 : -ENOMEM;
}

unsigned int approvals_number(struct front *front, const struct node *value)
{
	unsigned int number = numbers_before(value, "", PK_APPROVERS_MAX);

	if (!number)
		diag_hint(node_error(value, front->diags, "'%s' is not a number from 1 to %d",
				     value->text, PK_APPROVERS_MAX),
			  "it is how many different people must approve");
	return number;
}

static int read_approvers(struct front *front, const struct node *value, void *unused)
{
	(void)unused;
	front->policy->approvals.approvers = approvals_number(front, value);
	return 0;
}

static const struct schema_key approvals_keys[] = {
	{ .name = "on_ask",
	  .expected = "hold or deny",
	  .read = read_on_ask,
	  .shapes = SHAPE_TEXT,
	  .words = &on_ask_set },
	{ .name = "timeout",
	  .expected = "a time ('5m')",
	  .read = read_timeout,
	  .shapes = SHAPE_TEXT,
	  .form = SCHEMA_TIME },
	{ .name = "on_timeout",
	  .expected = "deny",
	  .read = read_on_timeout,
	  .shapes = SHAPE_TEXT,
	  .words = &on_timeout_set },
	{ .name = "hook",
	  .expected = "the path of a program",
	  .read = read_hook,
	  .shapes = SHAPE_TEXT },
	{ .name = "approvers",
	  .expected = "a number of people",
	  .read = read_approvers,
	  .shapes = SHAPE_TEXT,
	  .form = APPROVALS_NUMBER },
};

const struct schema approvals_schema = SCHEMA("the key approvals", approvals_keys);

int approvals_read(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	front->policy->approvals.present = true;
	front->policy->approvals.pos = node_pos(map);
	return schema_read_map(front, &approvals_schema, map, NULL);
}
