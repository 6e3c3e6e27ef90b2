/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libyaml's problems by their text, each with a sentence, a hint and the better of two positions.
 * A problem that is not in the table is passed on in libyaml's own words.
 */
#include "policy/yaml_errors.h"

#include <errno.h>
#include <string.h>

/** Which of libyaml's two marks the finding points to. */
enum yaml_place { AT_PROBLEM, AT_CONTEXT };

/** One row: both texts must be part of what libyaml says; NULL fits everything. */
struct yaml_saying {
	const char *context;
	const char *problem;
	enum yaml_place place;
	const char *message;
	const char *hint;
};

static const char quote_hint[] =
	"quote a text that begins with one of * & ! | > @ ` % [ ] { } , # ' \"";
static const char flow_hint[] = "between brackets, quote texts that have , [ ] { } or ': ' in them";

static const struct yaml_saying yaml_sayings[] = {
	{ "alias", "alphabetic", AT_CONTEXT, "a text that begins with '*' must be quoted",
	  "write it as \"*...\"" },
	{ "anchor", "alphabetic", AT_CONTEXT, "a text that begins with '&' must be quoted",
	  "write it as \"&...\"" },
	{ "tag", NULL, AT_CONTEXT, "a text that begins with '!' must be quoted",
	  "write it as \"!...\"" },
	{ NULL, "undefined tag", AT_CONTEXT, "a text that begins with '!' must be quoted",
	  "write it as \"!...\"" },
	{ "%", NULL, AT_PROBLEM, "YAML directives are not part of the language",
	  "quote a text that begins with '%'" },
	{ "directive", NULL, AT_CONTEXT, "YAML directives are not part of the language",
	  "quote a text that begins with '%'" },
	{ NULL, "cannot start any token", AT_PROBLEM,
	  "a text that begins with this character must be quoted", "write it in double quotes" },
	{ "quoted scalar", "end of stream", AT_CONTEXT, "this quote is never closed",
	  "a quote ends with the character it began with" },
	{ "quoted scalar", "document indicator", AT_CONTEXT, "this quote is never closed",
	  "a quote ends with the character it began with" },
	{ "quoted scalar", NULL, AT_PROBLEM, "an unknown escape in a double-quoted text",
	  "write a backslash as '\\\\', or use single quotes, which know no escapes" },
	{ "block scalar", NULL, AT_PROBLEM, "text behind the '|' or '>' that begins a block",
	  "quote a text that begins with '|' or '>'" },
	{ "flow sequence", "did not find", AT_PROBLEM, "expected ',' or ']' here", flow_hint },
	{ "flow mapping", "did not find", AT_PROBLEM, "expected ',' or '}' here", flow_hint },
	{ "simple key", NULL, AT_CONTEXT, "expected ':' after this key",
	  "a key and its value are written 'key: value', with a space after the colon" },
	{ NULL, "mapping values are not allowed", AT_PROBLEM, "a ':' that cannot be here",
	  "check the indentation, and quote texts that have ': ' in them" },
	{ NULL, "block sequence entries are not allowed", AT_PROBLEM, "a '- ' that cannot be here",
	  "a list begins on its own line, indented under its key" },
	{ NULL, "mapping keys are not allowed", AT_PROBLEM, "a '? ' that cannot be here",
	  quote_hint },
	{ "block mapping", "expected key", AT_PROBLEM, "expected a key here",
	  "keys of one map stand at the same column: check the indentation" },
	{ "block collection", NULL, AT_PROBLEM, "expected '- ' here",
	  "elements of one list stand at the same column: check the indentation" },
	{ NULL, "expected node content", AT_PROBLEM, "expected a value here", quote_hint },
	{ NULL, "expected <document start>", AT_PROBLEM, "expected the end of the file here",
	  "keys of one map stand at the same column, and nothing follows '...' or a last bracket" },
};

size_t yaml_offset(struct yaml_cursor *cursor, const struct source *source, size_t characters)
{
	const char *text = source->text;

	while (cursor->characters < characters && cursor->offset < source->length) {
		do
			cursor->offset++;
		while (cursor->offset < source->length && (text[cursor->offset] & 0xc0) == 0x80);
		cursor->characters++;
	}
	while (cursor->characters > characters && cursor->offset > 0) {
		do
			cursor->offset--;
		while (cursor->offset > 0 && (text[cursor->offset] & 0xc0) == 0x80);
		cursor->characters--;
	}
	return cursor->offset;
}

/* What is missed where the file ends is what closes a bracket, wherever that was meant to be. */
static const char *hint_of(const struct yaml_saying *saying, const struct source *source,
			   size_t offset)
{
	bool of_brackets = saying->hint == flow_hint || saying->hint == quote_hint;

	return of_brackets && offset >= source->length ?
		       "the file ends here: close each '[' and '{' before it" :
		       saying->hint;
}

static bool says(const char *words, const char *part)
{
	return !part || (words && strstr(words, part));
}

static const struct yaml_saying *find_saying(const yaml_parser_t *parser)
{
	for (size_t i = 0; i < sizeof(yaml_sayings) / sizeof(*yaml_sayings); i++) {
		if (says(parser->context, yaml_sayings[i].context) &&
		    says(parser->problem, yaml_sayings[i].problem))
			return &yaml_sayings[i];
	}
	return NULL;
}

int yaml_report_error(const yaml_parser_t *parser, struct yaml_cursor *cursor,
		      const struct source *source, struct diag_list *diags)
{
	const struct yaml_saying *saying = find_saying(parser);
	struct source_span span = { .source = source, .length = 1 };
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (saying && saying->place == AT_CONTEXT && parser->context)
		mark = parser->context_mark;
	span.offset = yaml_offset(cursor, source, mark.index);
	if (saying)
		diag_hint(source_report(span, diags, DIAG_ERROR, "%s", saying->message), "%s",
			  hint_of(saying, source, span.offset));
	else
		(void)source_report(span, diags, DIAG_ERROR, "not valid YAML: %s",
				    parser->problem ? parser->problem : "unreadable");
	return -EINVAL;
}
