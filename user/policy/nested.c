/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of policies of the daemon's folder. Whether there is one of the name is the daemon's to say, when
 * it is asked for.
 */
#include "policy/nested.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* As many as a name of a policy has at most. */
#define NAME_MAX_BYTES 64

static bool is_name(const struct node *text)
{
	static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";

	return text->length > 0 && text->length <= NAME_MAX_BYTES && *text->text != '.' &&
	       strspn(text->text, bytes) == text->length;
}

static int add_name(struct front *front, const struct node *text, void *into)
{
	struct policy_nested *nested = into;
	CLEAN_FREE char *name = NULL;
	int r;

	if (!is_name(text)) {
		diag_hint(node_error(text, front->diags, "'%s' is not the name of a policy",
				     text->text),
			  "write NAME of /etc/picket/policies/NAME.yaml");
		return 0;
	}
	for (size_t i = 0; i < nested->count; i++) {
		if (strcmp(nested->names[i], text->text) == 0) {
			(void)node_error(text, front->diags, "'%s' is named twice", text->text);
			return 0;
		}
	}
	name = strdup(text->text);
	if (!name)
		return -ENOMEM;
	r = FRONT_APPEND(&nested->names, &nested->count, &name);
	if (r == 0)
		TAKE_PTR(name);
	return r;
}

int nested_read(struct front *front, const struct node *value, void *unused)
{
	struct policy_nested *nested = &front->policy->nested;

	(void)unused;
	nested->present = true;
	nested->pos = node_pos(value);
	if (value->kind == NODE_LIST && value->count == 0)
		diag_hint(node_error(value, front->diags, "the list is empty"),
			  "leave the key away: without it the agent starts no agents");
	return front_each_text(front, value, "the name of a policy", add_name, nested);
}

void policy_nested_write(const struct policy *policy, FILE *to)
{
	for (size_t i = 0; i < policy->nested.count; i++)
		(void)fprintf(to, "%s%s", i ? ", " : "", policy->nested.names[i]);
}

void policy_nested_reset(struct policy_nested *nested)
{
	for (size_t i = 0; i < nested->count; i++)
		free(nested->names[i]);
	free(nested->names);
}
