/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Codex's prefix rules: words in order, each a text or alternatives. Its strictest decision wins as it does
 * here, and what no rule matches runs. A rule's examples become tests, with the decision that all rules
 * together give.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "import/import.h"
#include "import/starlark.h"

/** Most words of an example that are looked at. */
#define WORDS_MAX 64

/** An example's words. */
struct words {
	char *items[WORDS_MAX]; /* owned */
	size_t count;
};

static void words_reset(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	words->count = 0;
}

/** What Codex calls a verdict, from the mildest. */
static const struct {
	const char *decision;
	const char *verdict;
} decisions[] = { { "allow", "allow" }, { "prompt", "ask" }, { "forbidden", "deny" } };

#define DECISION_COUNT (sizeof(decisions) / sizeof(decisions[0]))

/* The number of the rule's decision, or DECISION_COUNT. */
static size_t decision_of(const struct node *map)
{
	const struct node *text = import_get(map, "decision", NULL);
	size_t i = 0;

	if (!text)
		return 0;
	while (i < DECISION_COUNT &&
	       (text->kind != NODE_TEXT || strcmp(text->text, decisions[i].decision) != 0))
		i++;
	return i;
}

/* The alternatives of one word of a pattern: a text, a list, or {token = ...}, {any_of = [...]}. */
static size_t alternatives(const struct node *word, const struct node *const **ret_items)
{
	const struct node *token = import_get(word, "token", NULL);
	const struct node *any = import_get(word, "any_of", NULL);

	if (any)
		word = any;
	*ret_items = (const struct node *const *)word->items;
	return word->kind == NODE_LIST && !token ? word->count : 0;
}

/* The text of a word that has no alternatives, or NULL. */
static const char *single(const struct node *word)
{
	const struct node *token = import_get(word, "token", NULL);

	if (token)
		word = token;
	return word->kind == NODE_TEXT ? word->text : NULL;
}

/* @text as one word of a pattern, or (not @pattern) of a command line in a test. */
static void put_word(const char *text, bool pattern, FILE *to)
{
	if (pattern && strcmp(text, "...") == 0)
		(void)fputc('\\', to);
	for (; *text; text++) {
		if (*text == '$')
			(void)fputc('$', to);
		else if (strchr(pattern ? " *?[]{},\\!" : " \\", *text))
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
}

/* True when a word of a pattern or example can be one here; else reported. */
static bool check_word(struct import *import, const struct node *node, const char *text, bool first)
{
	if (!text || !*text) {
		(void)node_error(node, import->diags, "a word must be a text that is not empty");
		return false;
	}
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at >= 0x20 && *at != 0x7f)
			continue;
		import_lost(import, node, "a word with control characters cannot be written");
		return false;
	}
	if (first && *text != '/' && strchr(text, '/')) {
		import_lost(import, node, "'%s': a program is a name or an absolute path", text);
		return false;
	}
	return true;
}

static bool put_pattern_word(struct import *import, const struct node *word, bool first, FILE *to)
{
	const struct node *const *items = NULL;
	size_t count = alternatives(word, &items);
	const char *text = single(word);

	if (!count) {
		if (!check_word(import, word, text, first))
			return false;
		put_word(text, true, to);
		return true;
	}
	if (count > 1)
		(void)fputc('{', to);
	for (size_t i = 0; i < count; i++) {
		text = items[i]->kind == NODE_TEXT ? items[i]->text : NULL;
		if (!check_word(import, items[i], text, first))
			return false;
		if (i)
			(void)fputc(',', to);
		put_word(text, true, to);
	}
	if (count > 1)
		(void)fputc('}', to);
	return true;
}

/* The pattern as one of exec; malloc'ed, or NULL (reported). */
static char *make_pattern(struct import *import, const struct node *list)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	bool good = to != NULL;

	for (size_t i = 0; good && i < list->count; i++) {
		if (i)
			(void)fputc(' ', to);
		good = put_pattern_word(import, list->items[i], i == 0, to);
	}
	if (!to || text_close(to, &text) < 0)
		import->draft.failed = true;
	if (!good)
		free(TAKE_PTR(text));
	return text;
}

static void other_argument(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	import_lost(import, key, "'%s' has no meaning here", key->text);
}

/* ", reason: '...'" or nothing. */
static char *make_reason(struct import *import, const struct node *map)
{
	const struct node *text = import_get(map, "justification", NULL);
	CLEAN_FREE char *quoted = NULL;
	char *extra = NULL;

	if (!text)
		return strdup("");
	if (text->kind != NODE_TEXT || !*text->text || strchr(text->text, '\n')) {
		(void)node_error(text, import->diags, "'justification' must be a line of text");
		return strdup("");
	}
	quoted = draft_quote(&import->draft, text->text);
	if (asprintf(&extra, ", reason: '%s'", quoted ? quoted : "") < 0)
		extra = NULL;
	return extra;
}

void import_prefix_rule(struct import *import, const struct node *map)
{
	static const struct import_row rows[] = {
		{ "pattern", NULL }, { "decision", NULL },  { "justification", NULL },
		{ "match", NULL },   { "not_match", NULL }, { NULL, NULL },
	};
	const struct node *list = import_get(map, "pattern", NULL);
	size_t decision = decision_of(map);
	CLEAN_FREE char *pattern = NULL;
	CLEAN_FREE char *extra = NULL;

	import_map(import, map, "a rule", rows, other_argument);
	if (decision == DECISION_COUNT)
		(void)node_error(import_get(map, "decision", NULL), import->diags,
				 "a decision is allow, prompt or forbidden");
	if (!list || list->kind != NODE_LIST || list->count == 0)
		(void)node_error(list ? list : map, import->diags,
				 "a rule needs 'pattern', a list of words");
	else
		pattern = make_pattern(import, list);
	extra = make_reason(import, map);
	if (!pattern || !extra || decision == DECISION_COUNT)
		return;
	draft_default(&import->draft, DRAFT_EXEC, "allow");
	draft_rule(&import->draft,
		   &(struct draft_rule){ .section = DRAFT_EXEC,
					 .verdict = (char *)decisions[decision].verdict,
					 .pattern = pattern,
					 .extra = extra,
					 .line = import_line(list) });
}

static bool word_fits(const struct node *word, const char *text)
{
	const struct node *const *items = NULL;
	size_t count = alternatives(word, &items);

	if (!count)
		return single(word) && strcmp(single(word), text) == 0;
	for (size_t i = 0; i < count; i++) {
		if (items[i]->kind == NODE_TEXT && strcmp(items[i]->text, text) == 0)
			return true;
	}
	return false;
}

static bool rule_fits(const struct node *map, const struct words *words)
{
	const struct node *list = import_get(map, "pattern", NULL);

	if (!list || list->kind != NODE_LIST || list->count == 0 || list->count > words->count)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		if (!word_fits(list->items[i], words->items[i]))
			return false;
	}
	return true;
}

/* Add the word between @start and @end, quotes and backslashes taken away as a shell does. */
static bool add_word(struct words *words, const char **at)
{
	const char *p = *at;
	char *word = malloc(strlen(p) + 1);
	char *to = word;
	char quote = '\0';

	if (!word || words->count == WORDS_MAX) {
		free(word);
		return false;
	}
	for (; *p && (quote || *p != ' '); p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? '\0' : *p;
		else if (*p == '\\' && quote != '\'' && p[1])
			*to++ = *++p;
		else
			*to++ = *p;
	}
	*to = '\0';
	words->items[words->count++] = word;
	*at = p;
	return !quote;
}

/* The words of an example: a list of texts, or a line as a shell splits it. */
static bool read_example(const struct node *example, struct words *words)
{
	const char *at = example->kind == NODE_TEXT ? example->text : "";
	bool good = true;

	for (at += strspn(at, " "); *at && good; at += strspn(at, " "))
		good = add_word(words, &at);
	for (size_t i = 0; example->kind == NODE_LIST && i < example->count && good; i++) {
		good = example->items[i]->kind == NODE_TEXT && words->count < WORDS_MAX &&
		       (words->items[words->count] = strdup(example->items[i]->text)) != NULL;
		words->count += good;
	}
	return good && words->count > 0;
}

/* Add a test for @words, with what the strictest of all rules decides. */
static void add_test(struct import *import, const struct node *example, const struct words *words,
		     const struct node *const *maps, size_t count)
{
	CLEAN_FREE char *line = NULL;
	CLEAN_FREE char *quoted = NULL;
	size_t size = 0, worst = 0;
	FILE *to = open_memstream(&line, &size);

	for (size_t i = 0; to && i < words->count; i++) {
		if (!check_word(import, example, words->items[i], i == 0)) {
			(void)fclose(to);
			return;
		}
		if (i)
			(void)fputc(' ', to);
		put_word(words->items[i], false, to);
	}
	if (!to || text_close(to, &line) < 0) {
		import->draft.failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (rule_fits(maps[i], words) && decision_of(maps[i]) > worst)
			worst = decision_of(maps[i]);
	}
	quoted = draft_quote(&import->draft, line);
	if (quoted && worst < DECISION_COUNT)
		draft_line(&import->draft, &import->draft.tests, "run: '%s', expect: %s", quoted,
			   decisions[worst].verdict);
}

/* The examples under @key of the rule @map. */
static void add_examples(struct import *import, const struct node *map, const char *key,
			 const struct node *const *maps, size_t count)
{
	const struct node *list = import_get(map, key, NULL);
	bool expected = strcmp(key, "match") == 0;

	if (list && list->kind != NODE_LIST)
		(void)node_error(list, import->diags, "'%s' must be a list of examples", key);
	for (size_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++) {
		CLEAN(words_reset) struct words words = { .count = 0 };
		const struct node *example = list->items[i];

		if (!read_example(example, &words))
			(void)node_error(example, import->diags,
					 "an example is a command line or a list of words");
		else if (rule_fits(map, &words) != expected)
			(void)node_error(example, import->diags,
					 "this example does%s match its rule",
					 expected ? " not" : "");
		else
			add_test(import, example, &words, maps, count);
	}
}

void import_prefix_tests(struct import *import, const struct node *const *maps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add_examples(import, maps[i], "match", maps, count);
		add_examples(import, maps[i], "not_match", maps, count);
	}
	draft_line(
		&import->draft, &import->draft.notes,
		"Words of rules are whole words without wildcards, there and here. A program without a");
	draft_line(&import->draft, &import->draft.notes,
		   "path is one of that name in any folder here; what no rule is about runs.");
}

int import_codex_rules(struct import *import)
{
	CLEAN_FREE const struct node **maps = NULL;
	size_t count = 0;
	int r = starlark_parse(&import->source, &import->root, import->diags);

	if (r < 0)
		return r;
	maps = calloc(import->root->count + 1, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	for (size_t i = 0; i < import->root->count; i++) {
		const struct node *call = import->root->items[i];

		if (strcmp(call->text, "prefix_rule") == 0) {
			import_prefix_rule(import, call);
			maps[count++] = call;
		} else {
			import_lost(import, call, "'%s(...)' has no meaning here", call->text);
		}
	}
	if (count == 0 && !diag_has_errors(import->diags))
		(void)node_error(import->root, import->diags, "there is no prefix_rule(...) in it");
	import_prefix_tests(import, maps, count);
	return 0;
}
