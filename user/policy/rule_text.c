/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a rule says to people: its id and its reason.
 */
#include "policy/rule_text.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/** The id of a rule, for finding its second use. */
struct rule_id {
	struct diag_pos pos;
	char *id; /* owned */
};

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct rule_id *)a)->id, ((const struct rule_id *)b)->id);
}

static void free_id(void *item)
{
	struct rule_id *id = item;

	free(id->id);
	free(id);
}

void rule_text_forget_ids(struct front *front)
{
	tdestroy(front->ids, free_id);
	front->ids = NULL;
}

/* Remember the id of a rule; a second rule with it is reported. */
static int remember_id(struct front *front, const struct node *value)
{
	struct rule_id *id = calloc(1, sizeof(*id));
	struct rule_id **found;

	if (!id)
		return -ENOMEM;
	id->pos = node_pos(value);
	id->id = strdup(value->text);
	found = id->id ? tsearch(id, &front->ids, compare_ids) : NULL;
	if (!found) {
		free_id(id);
		return -ENOMEM;
	}
	if (*found == id)
		return 0;
	free_id(id);
	diag_hint(node_error(value, front->diags, "the id '%s' is used twice", value->text),
		  "the rule at %s:%u:%u has it: an id names one rule", (*found)->pos.file,
		  (*found)->pos.line, (*found)->pos.column);
	return 0;
}

int rule_text_id(struct front *front, const struct node *value, void *into)
{
	struct policy_rule *rule = into;
	size_t good;

	if (!front_line(front, value, "an id"))
		return 0;
	good = strspn(value->text, "abcdefghijklmnopqrstuvwxyz0123456789._-");
	if (good < value->length) {
		diag_hint(node_error_at(value, front->diags, good, 1,
					"'%s' cannot be an id because of this character",
					value->text),
			  "an id has lower-case letters, digits, '.', '_' and '-'");
		return 0;
	}
	rule->id = strdup(value->text);
	if (!rule->id)
		return -ENOMEM;
	return remember_id(front, value);
}

int rule_text_reason(struct front *front, const struct node *value, void *into)
{
	struct policy_rule *rule = into;
	char *reason = strdup(value->text);
	size_t length = value->length;

	if (!reason)
		return -ENOMEM;
	/* Folded texts end in a newline; one inside would break the lines that show the reason. */
	while (length > 0 && reason[length - 1] == '\n')
		reason[--length] = '\0';
	rule->reason = reason;
	if (length == 0)
		(void)node_error(value, front->diags, "a reason is empty");
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)reason[i];

		if (byte >= 0x20 && byte != 0x7f)
			continue;
		diag_hint(node_error_at(value, front->diags, i, 1, "a reason has a %s in it",
					byte == '\n' ? "line end" : "control character"),
			  "a reason is one line; '>' folds several into one");
		break;
	}
	return 0;
}
