/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader is strict: an unknown key or a missing one refuses the whole text.
 */
#include "daemon/ask_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/ask_act.h"
#include "policy/yaml.h"

/* Lines that a diff shows around what changes. */
#define CONTEXT 3

/* Keys of an act; the first four are its name, and those and approvers must be there. */
static const char *const keys[] = { "op",	 "access", "object", "rule",
				    "approvers", "by",	   "at",     "comment" };

/* --- Reading -------------------------------------------------------------------------------------- */

static bool is_key(const char *text)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i], text) == 0)
			return true;
	}
	return false;
}

static json_t *parse_object(const struct node *node, struct diag_list *diags)
{
	json_t *parts = json_array();

	if (node->kind == NODE_TEXT) {
		(void)json_array_append_new(parts, json_string(node->text));
		return parts;
	}
	for (size_t i = 0; node->kind == NODE_LIST && i < node->count; i++) {
		if (node->items[i]->kind == NODE_TEXT)
			(void)json_array_append_new(parts, json_string(node->items[i]->text));
	}
	if (node->kind == NODE_LIST && node->count && json_array_size(parts) == node->count)
		return parts;
	(void)node_error(node, diags, "'object' is a text or a list of texts");
	json_decref(parts);
	return NULL;
}

static json_t *parse_number(const struct node *node, struct diag_list *diags)
{
	if (node->kind == NODE_TEXT && node->length == 1 && node->text[0] >= '1' &&
	    node->text[0] <= '8')
		return json_integer(node->text[0] - '0');
	(void)node_error(node, diags, "'approvers' is a number from 1 to 8");
	return NULL;
}

static json_t *parse_value(const char *key, const struct node *node, struct diag_list *diags)
{
	if (strcmp(key, "object") == 0)
		return parse_object(node, diags);
	if (strcmp(key, "approvers") == 0)
		return parse_number(node, diags);
	if (node->kind == NODE_TEXT)
		return json_string(node->text);
	(void)node_error(node, diags, "'%s' is a text", key);
	return NULL;
}

static json_t *parse_act(const struct node *node, struct diag_list *diags)
{
	json_t *act = json_object();

	if (node->kind != NODE_MAP || node_has_bad(node)) {
		(void)node_error(node, diags,
				 "an act is a map with op, access, object, rule and "
				 "approvers");
		json_decref(act);
		return NULL;
	}
	for (size_t i = 0; i + 1 < node->count; i += 2) {
		const char *key = node->items[i]->text;
		json_t *value = NULL;

		if (!key || !is_key(key))
			diag_hint(
				node_error(node->items[i], diags, "unknown key '%s'",
					   key ? key : "?"),
				"known keys: op, access, object, rule, approvers, by, at, comment");
		else
			value = parse_value(key, node->items[i + 1], diags);
		if (!value || json_object_set_new(act, key, value)) {
			json_decref(act);
			return NULL;
		}
	}
	for (size_t i = 0; i < 5; i++) {
		if (!json_object_get(act, keys[i])) {
			(void)node_error(node, diags, "the act has no '%s'", keys[i]);
			json_decref(act);
			return NULL;
		}
	}
	return act;
}

static json_t *parse_root(const struct node *root, struct diag_list *diags)
{
	const struct node *list = NULL;
	json_t *book;

	if (root->kind == NODE_MAP && root->count == 2 && root->items[0]->text &&
	    strcmp(root->items[0]->text, "approved") == 0)
		list = root->items[1];
	if (!list || list->kind != NODE_LIST) {
		diag_hint(node_error(root, diags, "this is no list of approved acts"),
			  "the only key is 'approved', a list; empty the file to begin anew");
		return NULL;
	}
	book = json_array();
	for (size_t i = 0; book && i < list->count; i++) {
		if (json_array_append_new(book, parse_act(list->items[i], diags))) {
			json_decref(book);
			return NULL;
		}
	}
	return book;
}

json_t *ask_book_parse(const struct source *source, struct diag_list *diags)
{
	struct node *root = NULL;
	json_t *book = NULL;

	if (source->length == 0)
		return json_array();
	if (yaml_parse(source, &root, diags) == 0 && !diag_has_errors(diags))
		book = root ? parse_root(root, diags) : json_array();
	node_free(&root);
	return book;
}

/* --- Acts ----------------------------------------------------------------------------------------- */

static int add_key(json_t *parts, const json_t *act, const char *key)
{
	json_t *value = json_object_get(act, key);

	return value ? json_array_append(parts, value) : 0;
}

/* The exact object; NULL with *@ret_why. */
static json_t *name_object(const json_t *act, const char *op, const char **ret_why)
{
	const json_t *argv = json_object_get(act, "argv");
	json_t *parts = json_array();
	int r = 0;

	if (json_object_get(act, "target")) {
		*ret_why = "it is about one other process";
		json_decref(parts);
		return NULL;
	}
	if (strcmp(op, "command") == 0 && !argv) {
		*ret_why = "the exact words of the command are not known";
		json_decref(parts);
		return NULL;
	}
	if (json_array_size(argv) >= ASK_WORDS_MAX) {
		*ret_why = "the command has too many words";
		json_decref(parts);
		return NULL;
	}
	if (strcmp(op, "command") != 0 && !json_object_get(act, "path"))
		return add_key(parts, act, "object") ? NULL : parts;
	r = add_key(parts, act, "path");
	if (r == 0 && argv)
		r = json_array_extend(parts, (json_t *)argv);
	else if (r == 0)
		r = add_key(parts, act, "path2");
	if (r == 0)
		return parts;
	json_decref(parts);
	return NULL;
}

static json_t *name_rule(const json_t *act)
{
	const json_t *by_default = json_object_get(act, "default");
	json_t *text = json_object_get(json_object_get(act, "rule"), "text");
	const char *section = json_string_value(json_object_get(by_default, "section"));

	if (by_default)
		return json_sprintf("default of %s", section ? section : "?");
	return json_incref(text);
}

static json_t *name_access(const json_t *act)
{
	const json_t *list = json_object_get(act, "access");
	CLEAN_FREE char *text = strdup("");

	for (size_t i = 0; text && i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));
		char *longer = NULL;

		if (asprintf(&longer, "%s%s%s", text, i ? "," : "", one ? one : "?") < 0)
			return NULL;
		free(text);
		text = longer;
	}
	return text ? json_string(*text ? text : "none") : NULL;
}

json_t *ask_book_name(const json_t *act, const char **ret_why)
{
	const char *op = json_string_value(json_object_get(act, "op"));
	json_t *object;

	*ret_why = "the rule or the act is not known";
	object = op ? name_object(act, op, ret_why) : NULL;
	if (!object)
		return NULL;
	return json_pack("{s:s, s:o, s:o, s:o}", "op", op, "access", name_access(act), "object",
			 object, "rule", name_rule(act));
}

bool ask_book_has(const json_t *book, const json_t *name, unsigned int approvers)
{
	for (size_t i = 0; i < json_array_size(book); i++) {
		const json_t *act = json_array_get(book, i);
		bool same = json_integer_value(json_object_get(act, "approvers")) >= approvers;

		for (size_t k = 0; same && k < 4; k++)
			same = json_equal(json_object_get(act, keys[k]),
					  json_object_get(name, keys[k]));
		if (same)
			return true;
	}
	return false;
}

/* --- Writing -------------------------------------------------------------------------------------- */

/* All texts are escaped as base/escape.h says: one line, nothing hidden. */
static void put_quoted(FILE *to, const char *text)
{
	(void)fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
	(void)fputc('"', to);
}

static void put_key(FILE *to, const char *key, const char *text)
{
	if (!text)
		return;
	(void)fprintf(to, "    %s: ", key);
	put_quoted(to, text);
	(void)fputc('\n', to);
}

static void put_object(FILE *to, const json_t *parts)
{
	size_t count = json_array_size(parts);

	(void)fputs(count == 1 ? "    object: " : "    object: [", to);
	for (size_t i = 0; i < count; i++) {
		const char *part = json_string_value(json_array_get(parts, i));

		(void)fputs(i ? ", " : "", to);
		put_quoted(to, part ? part : "");
	}
	(void)fputs(count == 1 ? "\n" : "]\n", to);
}

static const char *text_of(const json_t *name, const char *key)
{
	return json_string_value(json_object_get(name, key));
}

char *ask_book_lines(const json_t *name, unsigned int approvers, const char *by,
		     const char *comment)
{
	const time_t now = time(NULL);
	struct tm parts = { 0 };
	char *text = NULL;
	char date[32] = "";
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	(void)gmtime_r(&now, &parts);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &parts);
	(void)fprintf(to, "  - op: %s\n    access: \"%s\"\n", text_of(name, "op"),
		      text_of(name, "access"));
	put_object(to, json_object_get(name, "object"));
	put_key(to, "rule", text_of(name, "rule"));
	(void)fprintf(to, "    approvers: %u\n", approvers);
	put_key(to, "by", by);
	put_key(to, "at", date);
	put_key(to, "comment", comment);
	return text_close(to, &text) ? NULL : text;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void put_lines(FILE *to, char sign, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		(void)fprintf(to, "%c%.*s\n", sign, (int)length, text);
		text += length + (text[length] == '\n');
	}
}

char *ask_book_diff(const char *path, const char *before, const char *lines)
{
	size_t old = count_lines(before);
	size_t context = old < CONTEXT ? old : CONTEXT;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (size_t i = 0; i < old - context; i++)
		before += strcspn(before, "\n") + 1;
	(void)fprintf(to, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n", path, path,
		      old ? old - context + 1 : 0, context, old - context + 1,
		      context + count_lines(lines));
	put_lines(to, ' ', before);
	put_lines(to, '+', lines);
	return text_close(to, &text) ? NULL : text;
}
