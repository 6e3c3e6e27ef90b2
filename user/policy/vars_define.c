/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The definition of variables: names that are free, values that can do no harm wherever they are
 * inserted, and --set in the place of a value.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/vars.h"
#include "policy/vars_names.h"

bool vars_is_name(const char *name, size_t length)
{
	return length > 0 && length <= VARS_NAME_MAX && strspn(name, VARS_NAME_BYTES) >= length &&
	       !(*name >= '0' && *name <= '9');
}

/* True when a component of @value is "." or "..". */
static bool has_dots(const char *value)
{
	while (*value) {
		size_t length = strcspn(value, "/");

		if (length > 0 && length <= 2 && strspn(value, ".") >= length)
			return true;
		value += length;
		value += *value == '/';
	}
	return false;
}

const char *vars_value_fault(const char *value)
{
	if (!*value)
		return "is empty";
	if (strlen(value) > VARS_VALUE_MAX)
		return "is longer than 4095 bytes";
	for (const char *at = value; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "has a control character in it";
	}
	if (strstr(value, "//"))
		return "has '//' in it";
	if (has_dots(value))
		return "has a component '.' or '..' in it";
	return NULL;
}

char *vars_trim(const char *value)
{
	size_t length = strlen(value);

	while (length > 1 && value[length - 1] == '/')
		length--;
	return strndup(value, length);
}

/* The key in @map named @name, as its number, or the count of keys. */
static size_t find_definition(const struct node *map, const char *name, size_t length)
{
	size_t count = map->count / 2;

	for (size_t i = 0; i < count; i++) {
		const struct node *key = map->items[2 * i];

		if (key->kind == NODE_TEXT && key->length == length &&
		    memcmp(key->text, name, length) == 0)
			return i;
	}
	return count;
}

/* Mark in @reached what number @from uses and what that uses; each is looked at once. */
static void reach(const struct node *map, size_t from, bool *reached, size_t *queue)
{
	size_t count = map->count / 2, head = 0, tail = 0;

	queue[tail++] = from;
	reached[from] = true;
	while (head < tail) {
		const struct node *value = map->items[2 * queue[head++] + 1];
		const char *at = value->kind == NODE_TEXT ? value->text : "";

		if (value->length > VARS_FOLLOW_MAX)
			continue;
		while ((at = strstr(at, "${")) != NULL) {
			size_t used = find_definition(map, at + 2, strcspn(at + 2, "}"));

			at += 2;
			if (used >= count || reached[used])
				continue;
			reached[used] = true;
			queue[tail++] = used;
		}
	}
}

static bool in_cycle(const struct node *map, size_t definition, size_t used)
{
	CLEAN_FREE bool *reached = calloc(map->count / 2, sizeof(*reached));
	CLEAN_FREE size_t *queue = calloc(map->count / 2, sizeof(*queue));

	if (!reached || !queue)
		return false;
	reach(map, used, reached, queue);
	return reached[definition];
}

bool vars_report_later(struct front *front, const struct node *text, size_t at, const char *name)
{
	const struct frame *frame = front->frame;
	size_t length = strlen(name), used;
	struct diag_pos pos;

	if (!frame->definitions)
		return false;
	used = find_definition(frame->definitions, name, length);
	if (used >= frame->definitions->count / 2)
		return false;
	pos = node_pos(frame->definitions->items[2 * used]);
	if (used == frame->definition)
		(void)node_error_at(text, front->diags, at, length + 3,
				    "the variable '%s' is defined by itself", name);
	else if (in_cycle(frame->definitions, frame->definition, used))
		(void)node_error_at(text, front->diags, at, length + 3,
				    "the variables '%s' and '%s' are defined by each other",
				    frame->definitions->items[2 * frame->definition]->text, name);
	else
		diag_hint(node_error_at(text, front->diags, at, length + 3,
					"the variable '%s' is defined only below, at line %u", name,
					pos.line),
			  "a variable may use those above it: move that line up");
	return true;
}

/* True when @key can be a new variable; else reported. */
static bool check_name(struct front *front, const struct node *key)
{
	const struct variable *other = vars_find(front, key->text);

	if (!vars_is_name(key->text, key->length)) {
		diag_hint(
			node_error(key, front->diags, "'%s' cannot be the name of a variable",
				   key->text),
			"names have letters, digits and '_', begin with no digit and have at most "
			"%d bytes",
			VARS_NAME_MAX);
		return false;
	}
	if (vars_builtin(front, key->text)) {
		diag_hint(node_error(key, front->diags, "the variable '%s' is built in", key->text),
			  "choose another name");
		return false;
	}
	if (other) {
		diag_hint(node_error(key, front->diags, "the variable '%s' is already defined",
				     key->text),
			  "%s:%u:%u defines it and includes this file: choose another name",
			  other->pos.file, other->pos.line, other->pos.column);
		return false;
	}
	return true;
}

/* The value given from outside, or NULL. */
static const char *override_of(struct front *front, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < front->context->override_count; i++) {
		if (strcmp(front->context->overrides[i].name, name) != 0)
			continue;
		front->override_used[i] = true;
		value = front->context->overrides[i].value;
	}
	return value;
}

static int set_override(struct front *front, const struct node *key, const char *value,
			char **ret_value)
{
	const char *why = vars_value_fault(value);

	if (why) {
		(void)node_error(key, front->diags, "the value '%s' given for the variable '%s' %s",
				 value, key->text, why);
		return 0;
	}
	*ret_value = vars_trim(value);
	return *ret_value ? 0 : -ENOMEM;
}

/* The value as the policy has it. Also expanded when overridden, so that its faults are told. */
static int expand_value(struct front *front, const struct node *key, const struct node *value,
			char **ret_value)
{
	struct expansion expansion = { 0 };
	const char *why;
	int r;

	if (value->kind == NODE_BAD)
		return 0;
	if (value->kind != NODE_TEXT) {
		front_wrong_type(front, value, "the value of a variable", "a text", true);
		return 0;
	}
	r = vars_expand(front, value, VARS_PLAIN, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	why = vars_value_fault(expansion.text);
	if (why)
		(void)node_error(value->length ? value : key, front->diags,
				 "the value of the variable '%s' %s", key->text, why);
	else
		*ret_value = vars_trim(expansion.text);
	expansion_reset(&expansion);
	return why || *ret_value ? 0 : -ENOMEM;
}

static int define(struct front *front, const struct node *key, const struct node *value)
{
	struct variable variable = { .pos = node_pos(key) };
	const char *override;
	int r;

	if (!check_name(front, key))
		return 0;
	r = expand_value(front, key, value, &variable.value);
	override = override_of(front, key->text);
	if (r == 0 && override) {
		mem_free_ptr(&variable.value);
		r = set_override(front, key, override, &variable.value);
	}
	variable.name = strdup(key->text);
	if (r == 0 && !variable.name)
		r = -ENOMEM;
	if (r == 0)
		r = FRONT_APPEND(&front->frame->variables, &front->frame->variable_count,
				 &variable);
	if (r < 0) {
		free(variable.name);
		free(variable.value);
	}
	return r;
}

int vars_read(struct front *front, const struct node *map, void *unused)
{
	struct frame *frame = front->frame;
	int r = 0;

	(void)unused;
	if (map->count / 2 > VARS_COUNT_MAX) {
		(void)node_error(map, front->diags, "more than %u variables", VARS_COUNT_MAX);
		return 0;
	}
	frame->definitions = map;
	for (size_t i = 0; i < map->count / 2 && r == 0; i++) {
		frame->definition = i;
		if (map->items[2 * i]->kind == NODE_TEXT)
			r = define(front, map->items[2 * i], map->items[2 * i + 1]);
	}
	frame->definitions = NULL;
	return r;
}

int vars_check_overrides(struct front *front)
{
	const struct frame *frame = front->frame;
	CLEAN_FREE const char **names = NULL;

	names = reallocarray(NULL, frame->variable_count + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < frame->variable_count; i++)
		names[i] = frame->variables[i].name;
	for (size_t i = 0; i < front->context->override_count; i++) {
		const char *name = front->context->overrides[i].name;
		struct diag *diag;

		if (front->override_used[i])
			continue;
		diag = diag_add(front->diags, DIAG_ERROR, NULL,
				"a value is given for the variable '%s', which no 'vars' of the "
				"policy defines",
				name);
		if (vars_builtin(front, name))
			diag_hint(diag,
				  "the variable is built in: define one of your own and use that");
		else
			front_hint_names(diag, name, "its variables", names, frame->variable_count);
	}
	return 0;
}

void vars_reset(struct frame *frame)
{
	for (size_t i = 0; i < frame->variable_count; i++) {
		free(frame->variables[i].name);
		free(frame->variables[i].value);
	}
	free(frame->variables);
	frame->variables = NULL;
	frame->variable_count = 0;
}
