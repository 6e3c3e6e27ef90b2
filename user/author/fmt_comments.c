/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between two texts a source has blanks, signs and comments, so every '#' there begins one. The
 * comment behind the '|' of a block text is part of that text's extent and stays with it.
 */
#include "author/fmt_comments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/front.h"

size_t fmt_line_start(const struct source *source, size_t offset)
{
	while (offset > 0 && source->text[offset - 1] != '\n')
		offset--;
	return offset;
}

static bool is_own_line(const struct source *source, size_t offset)
{
	size_t start = fmt_line_start(source, offset);

	return start + strspn(source->text + start, " ") == offset;
}

/* The comments between byte @from and byte @to. */
static int find_between(const struct source *source, size_t from, size_t to,
			struct fmt_comments *comments)
{
	int r = 0;

	while (r == 0 && from < to) {
		const char *sign = memchr(source->text + from, '#', to - from);
		struct fmt_comment comment = { .after = comments->texts };
		const char *end;

		if (!sign)
			break;
		end = memchr(sign, '\n', source->length - (size_t)(sign - source->text));
		if (!end)
			end = source->text + source->length;
		from = (size_t)(end - source->text);
		while (end > sign && end[-1] == ' ')
			end--;
		comment.offset = (size_t)(sign - source->text);
		comment.length = (size_t)(end - sign);
		comment.own_line = is_own_line(source, comment.offset);
		r = FRONT_APPEND(&comments->items, &comments->count, &comment);
	}
	return r;
}

/* Walk the texts below @node in their order; *@at is the end of the last one. */
static int walk(const struct source *source, const struct node *node, size_t *at,
		struct fmt_comments *comments)
{
	int r = 0;

	if (node->kind == NODE_TEXT) {
		r = find_between(source, *at, node->offset, comments);
		*at = node->offset + node->extent;
		comments->texts++;
	}
	/* The depth of the recursion is at most YAML_DEPTH_MAX. */
	for (size_t i = 0; i < node->count && r == 0; i++)
		r = walk(source, node->items[i], at, comments);
	return r;
}

int fmt_comments_find(const struct source *source, const struct node *root,
		      struct fmt_comments *ret_comments)
{
	struct fmt_comments comments = { 0 };
	size_t at = 0;
	int r = root ? walk(source, root, &at, &comments) : 0;

	if (r == 0)
		r = find_between(source, at, source->length, &comments);
	if (r < 0)
		fmt_comments_reset(&comments);
	*ret_comments = comments;
	return r;
}

void fmt_comments_reset(struct fmt_comments *comments)
{
	free(comments->items);
	*comments = (struct fmt_comments){ 0 };
}
