/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read, write, read again and compare: whatever the writer might get wrong ends here as an error and
 * not as another policy.
 */
#include "author/fmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "author/fmt_write.h"
#include "base/mem.h"
#include "base/text.h"

/* The first text, list or map below @a that is not the same below @b, or NULL. */
static const struct node *find_difference(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return a;
	if (a->kind == NODE_TEXT &&
	    (a->style != b->style || a->length != b->length ||
	     memcmp(a->text, b->text, a->length) != 0 || a->several_lines != b->several_lines))
		return a;
	for (size_t i = 0; i < a->count; i++) {
		const struct node *found = find_difference(a->items[i], b->items[i]);

		if (found)
			return found;
	}
	return NULL;
}

/* True when both have the same comments in the same order. */
static bool same_comments(const struct source *a, const struct fmt_comments *of_a,
			  const struct source *b, const struct fmt_comments *of_b)
{
	if (of_a->count != of_b->count)
		return false;
	for (size_t i = 0; i < of_a->count; i++) {
		const struct fmt_comment *x = &of_a->items[i], *y = &of_b->items[i];

		if (x->length != y->length ||
		    memcmp(a->text + x->offset, b->text + y->offset, x->length) != 0)
			return false;
	}
	return true;
}

static int refuse(const struct source *source, const struct node *at, struct diag_list *diags)
{
	struct source_span span = { source, at ? at->offset : 0, 1 };

	diag_hint(source_report(span, diags, DIAG_ERROR,
				"this cannot be written in another form without changing it"),
		  "write it on one line, or its keys and values on lines of their own");
	return -EINVAL;
}

/** What a text is read into. */
struct reading {
	struct node *root;
	struct fmt_comments comments;
};

static void reading_reset(struct reading *reading)
{
	node_free(&reading->root);
	fmt_comments_reset(&reading->comments);
}

static int read_text(struct source *source, struct reading *reading, struct diag_list *diags)
{
	int r = source_check(source, diags);

	if (r == 0)
		r = yaml_parse(source, &reading->root, diags);
	if (r == 0 && diag_has_errors(diags))
		r = -EINVAL;
	if (r == 0)
		r = fmt_comments_find(source, reading->root, &reading->comments);
	return r;
}

/* Read what was written, and compare. */
static int prove(const struct source *source, const struct reading *reading, const char *text,
		 struct diag_list *diags)
{
	CLEAN(diag_list_reset) struct diag_list unseen = { 0 };
	CLEAN(source_reset)
	struct source again = { .name = source->name, .text = text, .length = strlen(text) };
	CLEAN(reading_reset) struct reading written = { 0 };
	const struct node *different = NULL;
	int r = read_text(&again, &written, &unseen);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || !reading->root != !written.root)
		return refuse(source, reading->root, diags);
	if (reading->root)
		different = find_difference(reading->root, written.root);
	if (different || !same_comments(source, &reading->comments, &again, &written.comments))
		return refuse(source, different, diags);
	return 0;
}

int fmt_source(struct source *source, char **ret_text, struct diag_list *diags)
{
	CLEAN(reading_reset) struct reading reading = { 0 };
	CLEAN_FREE char *text = NULL;
	bool written;
	size_t size = 0;
	FILE *to;
	int r = read_text(source, &reading, diags);

	if (r < 0)
		return r;
	to = open_memstream(&text, &size);
	if (!to)
		return -ENOMEM;
	written = fmt_write(source, reading.root, &reading.comments, to, diags);
	if (text_close(to, &text) < 0)
		return -ENOMEM;
	if (!written)
		return -EINVAL;
	r = prove(source, &reading, text, diags);
	if (r == 0)
		*ret_text = TAKE_PTR(text);
	return r;
}
