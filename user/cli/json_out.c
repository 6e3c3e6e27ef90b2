/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building blocks of the commands' JSON. json_object_set_new() takes NULL values by failing; a
 * document that lacks something for want of memory is not noticed here but has no wrong content.
 */
#include "cli/json_out.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "policy/asks.h"
#include "telemetry/names.h"

json_t *json_out_text(const char *text)
{
	CLEAN_FREE char *escaped = NULL;

	if (escape_is_plain(text, strlen(text)))
		return json_string(text);
	escaped = escape_string(text, strlen(text), 0);
	return escaped ? json_string(escaped) : NULL;
}

static json_t *diag_object(const struct diag *diag)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "severity",
				  json_string(diag->severity == DIAG_ERROR ? "error" : "warning"));
	if (diag->code)
		(void)json_object_set_new(object, "code", json_string(diag->code));
	if (diag->file)
		(void)json_object_set_new(object, "file", json_out_text(diag->file));
	if (diag->line > 0) {
		(void)json_object_set_new(object, "line", json_integer(diag->line));
		(void)json_object_set_new(object, "column", json_integer(diag->column));
		(void)json_object_set_new(object, "length", json_integer(diag->length));
	}
	(void)json_object_set_new(object, "message", json_out_text(diag->message));
	if (diag->hint)
		(void)json_object_set_new(object, "hint", json_out_text(diag->hint));
	return object;
}

json_t *json_out_diags(const struct diag_list *diags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diags->count; i++)
		(void)json_array_append_new(list, diag_object(&diags->items[i]));
	return list;
}

json_t *json_out_access(__u32 section, __u32 access)
{
	json_t *list = json_array();

	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		const char *name = access & bit ? names_access_bit(section, bit) : NULL;

		if (name)
			(void)json_array_append_new(list, json_string(name));
	}
	return list;
}

json_t *json_out_rule(const struct policy_image *image, __u32 number)
{
	const struct pk_rule *rule = image_rule(image, number);
	json_t *object = json_object();

	(void)json_object_set_new(object, "number", json_integer(number));
	if (!rule)
		return object;
	(void)json_object_set_new(object, "verdict", json_string(names_verdict(rule->verdict)));
	(void)json_object_set_new(object, "section", json_string(names_section(rule->section)));
	(void)json_object_set_new(object, "access",
				  json_out_access(rule->section, pk_rule_access(rule)));
	if (rule->verdict == PK_VERDICT_ASK)
		(void)json_object_set_new(object, "approvers",
					  json_integer(pk_rule_approvers(rule)));
	(void)json_object_set_new(object, "file", json_out_text(image_string(image, rule->file)));
	(void)json_object_set_new(object, "line", json_integer(rule->line));
	(void)json_object_set_new(object, "column", json_integer(rule->column));
	(void)json_object_set_new(object, "text", json_out_text(image_string(image, rule->text)));
	if (rule->id)
		(void)json_object_set_new(object, "id",
					  json_out_text(image_string(image, rule->id)));
	if (rule->reason)
		(void)json_object_set_new(object, "reason",
					  json_out_text(image_string(image, rule->reason)));
	return object;
}

static json_t *principals(const struct policy_principal *items, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(items[i].name));
	return list;
}

json_t *json_out_usable_by(const struct policy *policy)
{
	const struct policy_access *access = &policy->access;

	if (!access->present)
		return json_null();
	return json_pack("{s:o, s:o}", "users", principals(access->users, access->user_count),
			 "groups", principals(access->groups, access->group_count));
}

json_t *json_out_approvals(const struct policy_image *image)
{
	const struct pk_image *head = image_head(image);
	json_t *object;

	if (!asks_image(image))
		return json_null();
	object = json_pack("{s:s, s:I, s:I}", "on_ask",
			   head->flags & PK_IMAGE_HOLD ? "hold" : "deny", "timeout",
			   (json_int_t)head->ask_timeout, "approvers",
			   (json_int_t)head->ask_approvers);
	if (head->ask_hook)
		(void)json_object_set_new(object, "hook",
					  json_out_text(image_string(image, head->ask_hook)));
	return object;
}

json_t *json_out_nested(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->nested.count; i++)
		(void)json_array_append_new(list, json_string(policy->nested.names[i]));
	return list;
}

json_t *json_out_managed(const struct managed *managed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < managed->count; i++)
		(void)json_array_append_new(list, json_out_text(managed->layers[i]->files[0]));
	return list;
}

int json_out_print(const char *command, json_t *root)
{
	CLEAN_FREE char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	if (!text) {
		errno = ENOMEM;
		return cli_error(command, "cannot write the answer: %m");
	}
	(void)puts(text);
	return CLI_OK;
}
