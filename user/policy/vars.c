/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The expansion of ${NAME} and the search for what a name stands for. How variables are defined is
 * in vars_define.c.
 */
#include "policy/vars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/vars_names.h"

/** A text while it grows. */
struct growth {
	struct expansion out;
	size_t room;
	enum vars_use use;
	bool full; /* over VARS_TEXT_MAX */
	bool faulty; /* something was reported */
};

static int put(struct growth *g, const char *bytes, size_t count, size_t origin, bool same_origin)
{
	if (g->out.length + count > VARS_TEXT_MAX) {
		g->full = true;
		return 0;
	}
	if (g->out.length + count + 1 > g->room) {
		size_t room = (g->out.length + count + 1) * 2;
		char *text = realloc(g->out.text, room);
		unsigned int *origins;

		if (!text)
			return -ENOMEM;
		g->out.text = text;
		origins = reallocarray(g->out.origin, room, sizeof(*origins));
		if (!origins)
			return -ENOMEM;
		g->out.origin = origins;
		g->room = room;
	}
	for (size_t i = 0; i < count; i++) {
		g->out.text[g->out.length] = bytes[i];
		g->out.origin[g->out.length++] = (unsigned int)(same_origin ? origin : origin + i);
	}
	return 0;
}

/* Bytes of a value that are escaped where it is used. */
static const char *special_bytes(enum vars_use use)
{
	static const char *const bytes[] = {
		[VARS_PLAIN] = "",
		[VARS_GLOB] = "*?[]{},\\",
		[VARS_WORDS] = "*?[]{},\\ ",
		[VARS_LINE] = "\\ ",
	};

	return bytes[use];
}

static int put_value(struct growth *g, const char *value, size_t origin)
{
	const char *special = special_bytes(g->use);
	int r = 0;

	if (g->use == VARS_WORDS && value[strspn(value, ".")] == '\0' && *value)
		r = put(g, "\\", 1, origin, true);
	for (; *value && r == 0; value++) {
		if (strchr(special, *value))
			r = put(g, "\\", 1, origin, true);
		if (r == 0)
			r = put(g, value, 1, origin, true);
	}
	return r;
}

static const char *find_pair(const struct policy_variable *pairs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(pairs[i].name, name) == 0)
			return pairs[i].value;
	}
	return NULL;
}

const struct variable *vars_find(const struct front *front, const char *name)
{
	for (const struct frame *f = front->frame; f; f = f->parent) {
		for (size_t i = 0; i < f->variable_count; i++) {
			if (strcmp(f->variables[i].name, name) == 0)
				return &f->variables[i];
		}
	}
	return NULL;
}

const char *vars_builtin(const struct front *front, const char *name)
{
	return find_pair(front->context->builtins, front->context->builtin_count, name);
}

static size_t count_names(const struct front *front)
{
	size_t count = front->context->builtin_count;

	for (const struct frame *f = front->frame; f; f = f->parent)
		count += f->variable_count;
	return count;
}

static void report_unknown(struct front *front, const struct node *text, size_t at, size_t length,
			   const char *name)
{
	struct diag *diag =
		node_error_at(text, front->diags, at, length, "unknown variable '%s'", name);
	CLEAN_FREE const char **names = NULL;
	size_t count = 0;

	if (!diag)
		return;
	names = reallocarray(NULL, count_names(front) + 1, sizeof(*names));
	if (!names)
		return;
	for (size_t i = 0; i < front->context->builtin_count; i++)
		names[count++] = front->context->builtins[i].name;
	for (const struct frame *f = front->frame; f; f = f->parent) {
		for (size_t i = 0; i < f->variable_count; i++)
			names[count++] = f->variables[i].name;
	}
	front_hint_names(diag, name, "known variables", names, count);
}

/* What follows a '$': its bytes, and the name when it is ${NAME} (owned by the caller). */
struct reference {
	size_t length; /* of the whole, '$' included; 0: not well-formed */
	char *name; /* NULL: a dollar sign */
	const char *why; /* not well-formed: what is wrong */
};

static int read_reference(const char *at, size_t left, struct reference *ret)
{
	size_t length;

	*ret = (struct reference){ 0 };
	if (left > 1 && at[1] == '$') {
		ret->length = 2;
		return 0;
	}
	if (left < 2 || at[1] != '{') {
		ret->why = "a '$' that begins no variable";
		return 0;
	}
	length = strspn(at + 2, VARS_NAME_BYTES);
	if (at[2 + length] != '}' || !vars_is_name(at + 2, length)) {
		ret->why = at[2 + length] ? "not the name of a variable" : "a '${' without '}'";
		return 0;
	}
	ret->name = strndup(at + 2, length);
	if (!ret->name)
		return -ENOMEM;
	ret->length = length + 3;
	return 0;
}

/* The value of a variable as it goes in front of @next; NULL when there is none, reported. */
static const char *value_of(struct front *front, const struct node *text, size_t at,
			    const struct reference *reference, const char *next)
{
	const struct variable *variable = vars_find(front, reference->name);
	const char *value = vars_builtin(front, reference->name);

	if (variable)
		value = variable->value;
	if (!value && !variable && !vars_report_later(front, text, at, reference->name))
		report_unknown(front, text, at, reference->length, reference->name);
	if (!value)
		return NULL;
	if (!variable) {
		const char *why = vars_value_fault(value);

		if (why) {
			(void)node_error_at(text, front->diags, at, reference->length,
					    "the value '%s' of the variable '%s' %s", value,
					    reference->name, why);
			return NULL;
		}
	}
	/* "/" in front of "/x" is the root's own slash. */
	return strcmp(value, "/") == 0 && *next == '/' ? "" : value;
}

/* One ${NAME} or $$ at byte @at. Moves *@at behind it. */
static int expand_reference(struct front *front, const struct node *text, size_t *at,
			    struct growth *g)
{
	CLEAN_FREE char *name = NULL;
	CLEAN_FREE char *trimmed = NULL;
	struct reference reference;
	const char *value;
	int r = read_reference(text->text + *at, text->length - *at, &reference);

	if (r < 0)
		return r;
	name = reference.name;
	if (reference.length == 0) {
		diag_hint(node_error_at(text, front->diags, *at, 1, "%s", reference.why),
			  "a variable is written ${NAME}, a dollar sign $$");
		g->faulty = true;
		(*at)++;
		return 0;
	}
	if (!name) {
		r = put(g, "$", 1, *at, true);
		*at += 2;
		return r;
	}
	value = value_of(front, text, *at, &reference, text->text + *at + reference.length);
	if (value) {
		trimmed = vars_trim(value);
		r = trimmed ? put_value(g, trimmed, *at) : -ENOMEM;
	} else {
		g->faulty = true;
	}
	*at += reference.length;
	return r;
}

static int expand_all(struct front *front, const struct node *text, struct growth *g)
{
	bool globs = g->use == VARS_GLOB || g->use == VARS_WORDS;
	bool in_class = false;
	int r = 0;

	for (size_t at = 0; at < text->length && r == 0;) {
		const char *byte = text->text + at;
		size_t count = g->use != VARS_PLAIN && *byte == '\\' && at + 1 < text->length ? 2 :
												1;

		if (*byte == '$' && !in_class) {
			r = expand_reference(front, text, &at, g);
			continue;
		}
		if (globs && (*byte == '[' || *byte == ']'))
			in_class = *byte == '[';
		if (g->use == VARS_WORDS && *byte == ' ')
			in_class = false;
		if (in_class && *byte == '$' && byte[1] == '{') {
			diag_hint(node_error_at(text, front->diags, at, 2,
						"a variable inside of a class"),
				  "write {a,b} for a choice of texts, \\$ for a dollar sign");
			g->faulty = true;
		}
		r = put(g, byte, count, at, false);
		at += count;
	}
	return r;
}

int vars_expand(struct front *front, const struct node *text, enum vars_use use,
		struct expansion *ret)
{
	struct growth g = { .use = use };
	int r = 0;

	*ret = (struct expansion){ 0 };
	g.full = text->length > VARS_TEXT_MAX;
	if (!g.full)
		r = expand_all(front, text, &g);
	if (r == 0 && !g.full)
		r = put(&g, "", 1, text->length, true);
	if (r == 0 && g.full)
		(void)node_error(text, front->diags,
				 "longer than %u bytes when its variables are replaced",
				 VARS_TEXT_MAX);
	if (r < 0 || g.faulty || g.full) {
		expansion_reset(&g.out);
		return r;
	}
	g.out.length--;
	*ret = g.out;
	return 0;
}

void expansion_reset(struct expansion *expansion)
{
	free(expansion->text);
	free(expansion->origin);
	*expansion = (struct expansion){ 0 };
}
