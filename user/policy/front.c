/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of the parts of the front end: growing arrays, words of closed sets, texts or lists of
 * them. They know nodes and findings, not what a policy is.
 */
#include "policy/front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

int front_append(void *items, size_t *count, const void *item, size_t size)
{
	void **array = items;

	if ((*count & (*count - 1)) == 0) {
		void *grown = reallocarray(*array, *count ? *count * 2 : 1, size);

		if (!grown)
			return -ENOMEM;
		*array = grown;
	}
	memcpy((char *)*array + *count * size, item, size);
	(*count)++;
	return 0;
}

void front_wrong_type(struct front *front, const struct node *node, const char *what,
		      const char *expected, bool text_expected)
{
	char buffer[80];
	struct diag *diag;

	if (node->kind == NODE_BAD)
		return;
	diag = node_error(node, front->diags, "%s must be %s, not %s", what, expected,
			  node_describe(node, buffer, sizeof(buffer)));
	if (text_expected && node->kind != NODE_TEXT && node->flow)
		diag_hint(diag, "quote a text that has [ ] { } , or ': ' in it");
}

int front_each_text(struct front *front, const struct node *value, const char *expected,
		    front_visit visit, void *into)
{
	int r = 0;

	if (value->kind == NODE_TEXT)
		return visit(front, value, into);
	for (size_t i = 0; i < value->count && r == 0; i++) {
		const struct node *item = value->items[i];

		if (item->kind == NODE_TEXT)
			r = visit(front, item, into);
		else
			front_wrong_type(front, item, "an element here", expected, true);
	}
	return r;
}

/* "a, b and c" of all names, malloc'ed, or NULL. */
static char *join_names(const char *const *names, size_t count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (size_t i = 0; i < count; i++)
		(void)fprintf(to, "%s%s", i ? ", " : "", names[i]);
	(void)text_close(to, &text);
	return text;
}

void front_hint_names(struct diag *diag, const char *word, const char *label,
		      const char *const *names, size_t count)
{
	CLEAN_FREE char *all = NULL;
	const char *nearest;

	if (!diag || count == 0)
		return;
	nearest = text_nearest(word, names, count);
	if (nearest) {
		diag_hint(diag, "did you mean '%s'?", nearest);
		return;
	}
	all = join_names(names, count);
	if (all)
		diag_hint(diag, "%s: %s", label, all);
}

bool front_word(struct front *front, const struct node *text, const struct front_words *set,
		unsigned int *ret_value)
{
	CLEAN_FREE const char **names = NULL;
	struct diag *diag;

	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->words[i].word, text->text) == 0) {
			*ret_value = set->words[i].value;
			return true;
		}
	}
	diag = node_error(text, front->diags, "unknown %s '%s'", set->what, text->text);
	names = reallocarray(NULL, set->count, sizeof(*names));
	for (size_t i = 0; names && i < set->count; i++)
		names[i] = set->words[i].word;
	if (names)
		front_hint_names(diag, text->text, "known ones", names, set->count);
	return false;
}

bool front_line(struct front *front, const struct node *text, const char *what)
{
	if (text->length == 0) {
		(void)node_error(text, front->diags, "%s is empty", what);
		return false;
	}
	if (text->several_lines) {
		(void)node_error(text, front->diags, "%s must stand on one line", what);
		return false;
	}
	for (size_t i = 0; i < text->length; i++) {
		unsigned char byte = (unsigned char)text->text[i];

		if (byte >= 0x20 && byte != 0x7f)
			continue;
		(void)node_error_at(text, front->diags, i, 1,
				    "%s has a control character (0x%02x) in it", what, byte);
		return false;
	}
	return true;
}
