/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libyaml's events to the tree. Counts nodes and depth, refuses what the language leaves out, and
 * finds duplicate keys; what keys mean is not known here.
 */
#include "policy/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "policy/yaml_errors.h"

/** One pass over one source. */
struct builder {
	const struct source *source;
	struct diag_list *diags;
	yaml_parser_t parser;
	struct yaml_cursor cursor;
	struct node *open[YAML_DEPTH_MAX]; /* the lists and maps that are not closed; not owned */
	size_t depth;
	size_t node_count;
	struct node *root; /* owned */
	unsigned int documents;
};

static size_t offset_of(struct builder *b, yaml_mark_t mark)
{
	return yaml_offset(&b->cursor, b->source, mark.index);
}

static struct diag *refuse(struct builder *b, const yaml_event_t *event, const char *what)
{
	struct source_span span = { b->source, offset_of(b, event->start_mark), 1 };

	return source_report(span, b->diags, DIAG_ERROR, "%s", what);
}

static int append(struct node *parent, struct node *child)
{
	/* Grows by doubling: the count is a power of two exactly when the array is full. */
	if ((parent->count & (parent->count - 1)) == 0) {
		size_t room = parent->count ? parent->count * 2 : 1;
		struct node **items = reallocarray(parent->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		parent->items = items;
	}
	parent->items[parent->count++] = child;
	return 0;
}

/* Put a node where the next one belongs. Takes it, also on failure. */
static int attach(struct builder *b, struct node *node)
{
	int r = 0;

	if (b->depth > 0)
		r = append(b->open[b->depth - 1], node);
	else
		b->root = node;
	if (r < 0)
		node_free(&node);
	return r;
}

static int new_node(struct builder *b, const yaml_event_t *event, enum node_kind kind,
		    struct node **ret_node)
{
	struct node *node;
	int r;

	if (++b->node_count > YAML_NODES_MAX) {
		(void)refuse(b, event, "the file has more than a million values");
		return -EINVAL;
	}
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->kind = kind;
	node->source = b->source;
	node->offset = offset_of(b, event->start_mark);
	node->extent = offset_of(b, event->end_mark) - node->offset;
	node->several_lines = event->start_mark.line != event->end_mark.line;
	r = attach(b, node);
	if (r == 0)
		*ret_node = node;
	return r;
}

static void check_properties(struct builder *b, const yaml_event_t *event,
			     const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		diag_hint(refuse(b, event, "anchors and aliases are not part of the language"),
			  "write the value out; quote a text that begins with '&'");
	if (tag)
		diag_hint(refuse(b, event, "tags are not part of the language"),
			  "leave the tag away; quote a text that begins with '!'");
}

static enum node_style style_of(yaml_scalar_style_t style)
{
	switch (style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
		return NODE_SINGLE;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return NODE_DOUBLE;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		return NODE_BLOCK;
	default:
		return NODE_PLAIN;
	}
}

static int add_text(struct builder *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct node *node;
	int r;

	check_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag);
	r = new_node(b, event, NODE_TEXT, &node);
	if (r < 0)
		return r;
	node->style = style_of(event->data.scalar.style);
	if (memchr(value, '\0', length)) {
		node->kind = NODE_BAD;
		(void)refuse(b, event, "a text may not hold a NUL byte");
		return 0;
	}
	node->text = malloc(length + 1);
	if (!node->text)
		return -ENOMEM;
	memcpy(node->text, value, length);
	node->text[length] = '\0';
	node->length = length;
	return 0;
}

static int add_alias(struct builder *b, const yaml_event_t *event)
{
	struct node *node;

	diag_hint(refuse(b, event, "anchors and aliases are not part of the language"),
		  "write the value out; quote a text that begins with '*'");
	return new_node(b, event, NODE_BAD, &node);
}

static int open_node(struct builder *b, const yaml_event_t *event, enum node_kind kind, bool flow)
{
	struct node *node;
	int r;

	if (b->depth >= YAML_DEPTH_MAX) {
		(void)refuse(b, event, "lists and maps are nested more than 32 deep");
		return -EINVAL;
	}
	r = new_node(b, event, kind, &node);
	if (r < 0)
		return r;
	node->flow = flow;
	b->open[b->depth++] = node;
	return 0;
}

/* Order keys by value, then by place. Only texts are compared; others come last. */
static int compare_keys(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a;
	const struct node *y = *(struct node *const *)b;
	int order;

	if (x->kind != NODE_TEXT || y->kind != NODE_TEXT)
		return (x->kind != NODE_TEXT) - (y->kind != NODE_TEXT);
	order = strcmp(x->text, y->text);
	if (order != 0)
		return order;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void report_duplicate(struct builder *b, struct node *first, struct node *again)
{
	struct diag_pos pos = node_pos(first);

	diag_hint(node_error(again, b->diags,
			     "duplicate key '%s': it is already at line %u, column %u", again->text,
			     pos.line, pos.column),
		  "a key stands once: join the two");
}

static void check_key(struct builder *b, struct node *key)
{
	if (key->kind == NODE_TEXT && key->length > 0)
		return;
	if (key->kind == NODE_TEXT)
		(void)node_error(key, b->diags, "a key without a name");
	else if (key->kind != NODE_BAD)
		(void)node_error(key, b->diags, "a key must be a word, not a list or a map");
	key->kind = NODE_BAD;
}

/* Report what is wrong with the keys of a complete map. Later duplicates become NODE_BAD. */
static int check_keys(struct builder *b, struct node *map)
{
	size_t count = map->count / 2, first = 0;
	CLEAN_FREE struct node **keys = NULL;

	if (count == 0)
		return 0;
	keys = reallocarray(NULL, count, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		keys[i] = map->items[2 * i];
		check_key(b, keys[i]);
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count && keys[i]->kind == NODE_TEXT; i++) {
		if (strcmp(keys[first]->text, keys[i]->text) != 0) {
			first = i;
			continue;
		}
		report_duplicate(b, keys[first], keys[i]);
		keys[i]->kind = NODE_BAD;
	}
	return 0;
}

static int close_node(struct builder *b, const yaml_event_t *event)
{
	struct node *node = b->open[--b->depth];

	if (node->flow)
		node->extent = offset_of(b, event->end_mark) - node->offset;
	return node->kind == NODE_MAP ? check_keys(b, node) : 0;
}

static int start_document(struct builder *b, const yaml_event_t *event)
{
	if (event->data.document_start.version_directive ||
	    event->data.document_start.tag_directives.start !=
		    event->data.document_start.tag_directives.end)
		diag_hint(refuse(b, event, "YAML directives are not part of the language"),
			  "remove the line that begins with '%%'");
	if (++b->documents == 1)
		return 0;
	diag_hint(refuse(b, event, "a second document in the same file"),
		  "a policy is one document: use 'include' to put files together");
	return -EINVAL;
}

static int handle_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return start_document(b, event);
	case YAML_SCALAR_EVENT:
		return add_text(b, event);
	case YAML_ALIAS_EVENT:
		return add_alias(b, event);
	case YAML_SEQUENCE_START_EVENT:
		check_properties(b, event, event->data.sequence_start.anchor,
				 event->data.sequence_start.tag);
		return open_node(b, event, NODE_LIST,
				 event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
	case YAML_MAPPING_START_EVENT:
		check_properties(b, event, event->data.mapping_start.anchor,
				 event->data.mapping_start.tag);
		return open_node(b, event, NODE_MAP,
				 event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(b, event);
	default:
		return 0;
	}
}

static int run_parser(struct builder *b)
{
	bool end = false;
	int r = 0;

	while (!end && r == 0) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b->parser, &event))
			return yaml_report_error(&b->parser, &b->cursor, b->source, b->diags);
		end = event.type == YAML_STREAM_END_EVENT;
		r = handle_event(b, &event);
		yaml_event_delete(&event);
	}
	return r;
}

int yaml_parse(const struct source *source, struct node **ret_root, struct diag_list *diags)
{
	struct builder b = { .source = source, .diags = diags };
	int r;

	if (!yaml_parser_initialize(&b.parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->text,
				     source->length);
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	r = run_parser(&b);
	yaml_parser_delete(&b.parser);
	if (r == 0)
		*ret_root = TAKE_PTR(b.root);
	node_free(&b.root);
	return r;
}
