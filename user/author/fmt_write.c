/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of a block are written one by one: first the comments that stand before it, then the line,
 * then the comment behind it. Which comments those are is told by the number of texts written so far.
 */
#include "author/fmt_write.h"

#include <stdlib.h>
#include <string.h>

#include "author/fmt.h"
#include "author/fmt_text.h"
#include "base/mem.h"

#define INDENT 2

/** What is being written. */
struct writer {
	const struct source *source;
	const struct fmt_comments *comments;
	struct diag_list *diags;
	FILE *to;
	size_t texts; /* written so far */
	size_t next; /* the first comment that is not written */
	bool no_blank; /* at the start of the text or of a block: no blank line */
	bool refused;
};

/** Where a list or map goes. */
struct place {
	size_t indent;
	size_t floor; /* a comment behind it that stands farther left in the source is not its own */
	bool inside_line; /* its first line has been begun: "- " */
};

static size_t column_of(const struct writer *w, size_t offset)
{
	return offset - fmt_line_start(w->source, offset);
}

/* The next comment, when no text that is still to be written stands before it. */
static const struct fmt_comment *pending(const struct writer *w)
{
	const struct fmt_comments *comments = w->comments;

	if (w->next == comments->count || comments->items[w->next].after > w->texts)
		return NULL;
	return &comments->items[w->next];
}

/* Begin a line for what stands at @offset, behind a blank line if the source has one there. */
static void begin_line(struct writer *w, size_t offset, size_t indent)
{
	size_t start = fmt_line_start(w->source, offset);

	if (start > 0 && !w->no_blank) {
		size_t above = fmt_line_start(w->source, start - 1);

		if (above + strspn(w->source->text + above, " ") == start - 1)
			(void)fputc('\n', w->to);
	}
	w->no_blank = false;
	(void)fprintf(w->to, "%*s", (int)indent, "");
}

static void put_comment(struct writer *w, size_t indent)
{
	const struct fmt_comment *comment = &w->comments->items[w->next++];

	begin_line(w, comment->offset, indent);
	(void)fwrite(w->source->text + comment->offset, 1, comment->length, w->to);
	(void)fputc('\n', w->to);
}

/* Write the comments before byte @limit. */
static void put_comments(struct writer *w, size_t limit, size_t indent)
{
	const struct fmt_comment *comment;

	while ((comment = pending(w)) != NULL && comment->offset < limit)
		put_comment(w, indent);
}

/* True when @comment stands behind byte @end on the same line. */
static bool is_behind(const struct writer *w, const struct fmt_comment *comment, size_t end)
{
	return comment && comment->offset >= end &&
	       !memchr(w->source->text + end, '\n', comment->offset - end);
}

/* End the line of what ends at byte @end, with the comment that stands behind it there. */
static void end_line(struct writer *w, size_t end)
{
	const struct fmt_comment *comment = pending(w);

	if (is_behind(w, comment, end)) {
		(void)fputs("  ", w->to);
		(void)fwrite(w->source->text + comment->offset, 1, comment->length, w->to);
		w->next++;
	}
	(void)fputc('\n', w->to);
}

/* A text and the end of its line. @indent: of its further lines. */
static void put_text(struct writer *w, const struct node *text, size_t indent)
{
	w->texts++;
	if (text->style == NODE_BLOCK) {
		w->no_blank = fmt_text_put_block(w->to, text, indent);
		if (!fmt_text_is_fixed(text))
			return;
		diag_hint(node_error(text, w->diags,
				     "a block whose indentation is given as a number cannot be "
				     "moved"),
			  "leave the number away, or write the text in quotes");
		w->refused = true;
		return;
	}
	fmt_text_put(w->to, text, indent);
	end_line(w, text->offset + text->extent);
}

static size_t count_texts(const struct node *node)
{
	size_t count = node->kind == NODE_TEXT;

	for (size_t i = 0; i < node->count; i++)
		count += count_texts(node->items[i]);
	return count;
}

/*
 * The list or map in brackets behind @column bytes of its line, malloc'ed; NULL when it is to be a
 * block: as it was one, has comments, or is too long.
 */
static char *in_brackets(const struct writer *w, const struct node *node, size_t column)
{
	const struct fmt_comments *comments = w->comments;
	size_t size = 0;
	char *text = NULL;
	FILE *to;

	if (node->count > 0 && (!node->flow || fmt_text_has_lines(node)))
		return NULL;
	if (node->count > 0 && w->next < comments->count &&
	    comments->items[w->next].offset < node->offset + node->extent)
		return NULL;
	to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	fmt_text_put_flow(to, node);
	if (fclose(to) == 0 && (node->count == 0 || column + size <= FMT_WIDTH))
		return text;
	free(text);
	return NULL;
}

/* Write @node in brackets, with the end of its line, if it may be. */
static bool put_brackets(struct writer *w, const struct node *node, size_t column)
{
	CLEAN_FREE char *text = in_brackets(w, node, column);

	if (!text)
		return false;
	(void)fprintf(w->to, " %s", text);
	w->texts += count_texts(node);
	end_line(w, node->offset + node->extent);
	return true;
}

static void put_children(struct writer *w, const struct node *node, struct place place);

/* What stands behind the colon of @key, a key of the map @map at @indent. */
static void put_behind_key(struct writer *w, const struct node *map, size_t i, size_t indent)
{
	const struct node *key = map->items[i], *value = map->items[i + 1];
	const struct fmt_comment *comment = pending(w);
	struct place place = { .indent = indent + INDENT };

	if (value->kind != NODE_TEXT) {
		if (put_brackets(w, value, indent + key->extent + 2))
			return;
		end_line(w, key->offset + key->extent);
		w->no_blank = true;
		place.floor = column_of(w, value->offset);
		/* A list may stand as far left as its key: then a comment there is about the next key. */
		if (place.floor == column_of(w, map->offset))
			place.floor++;
		put_children(w, value, place);
		return;
	}
	if (comment && value->extent > 0) {
		struct source_span span = { w->source, comment->offset, comment->length };

		diag_hint(source_report(span, w->diags, DIAG_ERROR,
					"a comment between a key and its value has no place"),
			  "move it above the key, or behind the value");
		w->refused = true;
	}
	if (value->extent > 0)
		(void)fputc(' ', w->to);
	put_text(w, value, place.indent);
}

static void put_map(struct writer *w, const struct node *map, struct place place)
{
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const struct node *key = map->items[i];

		if (i > 0 || !place.inside_line) {
			put_comments(w, key->offset, place.indent);
			begin_line(w, key->offset, place.indent);
		}
		(void)fwrite(fmt_text_raw(key), 1, key->extent, w->to);
		(void)fputc(':', w->to);
		w->texts++;
		put_behind_key(w, map, i, place.indent);
	}
}

static size_t first_text(const struct node *node)
{
	while (node->count > 0)
		node = node->items[0];
	return node->offset;
}

static void put_list(struct writer *w, const struct node *list, struct place place)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->items[i];
		struct place inner = { place.indent + INDENT, column_of(w, item->offset), true };

		if (i > 0 || !place.inside_line) {
			put_comments(w, first_text(item), place.indent);
			begin_line(w, item->offset, place.indent);
		}
		(void)fputc('-', w->to);
		if (item->kind != NODE_TEXT) {
			if (put_brackets(w, item, place.indent + INDENT))
				continue;
			(void)fputc(' ', w->to);
			put_children(w, item, inner);
			continue;
		}
		if (item->extent > 0)
			(void)fputc(' ', w->to);
		put_text(w, item, inner.indent);
	}
}

/* True when the comment behind the last element of @node is one of its own. */
static bool is_within(const struct writer *w, const struct fmt_comment *comment,
		      const struct node *node, size_t floor)
{
	size_t end = node->offset + node->extent;

	if (node->flow)
		return comment->offset < end || is_behind(w, comment, end);
	return comment->own_line && column_of(w, comment->offset) >= floor;
}

/* The depth of the recursion is at most YAML_DEPTH_MAX. */
static void put_children(struct writer *w, const struct node *node, struct place place)
{
	const struct fmt_comment *comment;

	if (node->kind == NODE_MAP)
		put_map(w, node, place);
	else
		put_list(w, node, place);
	while ((comment = pending(w)) != NULL && is_within(w, comment, node, place.floor))
		put_comment(w, place.indent);
}

bool fmt_write(const struct source *source, const struct node *root,
	       const struct fmt_comments *comments, FILE *to, struct diag_list *diags)
{
	struct writer w = {
		.source = source, .comments = comments, .diags = diags, .to = to, .no_blank = true
	};

	if (root && root->count > 0) {
		put_children(&w, root, (struct place){ 0 });
	} else if (root) {
		put_comments(&w, root->offset, 0);
		if (root->kind == NODE_TEXT)
			put_text(&w, root, INDENT);
		else
			(void)fputs(root->kind == NODE_MAP ? "{}\n" : "[]\n", to);
	}
	put_comments(&w, source->length, 0);
	return !w.refused;
}
