/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts to words. What a word of a pattern may look like is glob.c's; here is what makes it the
 * program or an argument, and what is said about it.
 */
#include "policy/exec_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/command_glob.h"
#include "policy/glob.h"
#include "policy/path_glob.h"

/** A pattern of a command while its words are made. */
struct making {
	struct front *front;
	const struct node *text;
	const struct expansion *expansion;
	struct policy_pattern *pattern;
	bool faulty; /* something was reported */
};

/* Find the word at or behind *@at: its length, 0 behind the last one; *@at is moved to it. */
static size_t find_word(const char *text, size_t *at)
{
	size_t end;

	*at += strspn(text + *at, " ");
	for (end = *at; text[end] && text[end] != ' '; end++)
		end += text[end] == '\\' && text[end + 1];
	return end - *at;
}

static int append_word(struct making *making, char *word)
{
	struct policy_pattern *pattern = making->pattern;

	if (word && FRONT_APPEND(&pattern->words, &pattern->word_count, &word) == 0)
		return 0;
	free(word);
	return -ENOMEM;
}

/* The program: a path, or a name, which is that name in any directory. */
static int make_program(struct making *making, size_t at, size_t length)
{
	const char *text = making->expansion->text + at;
	struct path_glob path = { making->text, making->expansion, NULL, 0, at };
	char *word = NULL;
	int r;

	if (memchr(text, '/', length) || strncmp(text, "**", 2) == 0) {
		word = strndup(text, length);
	} else if (asprintf(&word, "**/%.*s", (int)length, text) >= 0) {
		path.added = 3;
	} else {
		word = NULL;
	}
	r = append_word(making, word);
	if (r < 0)
		return r;
	path.glob = word;
	making->faulty = !path_glob_check(making->front, &path);
	return 0;
}

/* A blank inside of brackets or braces cuts a word into two that each lack one half. */
static bool is_cut(const char *why)
{
	return strstr(why, "without") != NULL;
}

static int make_argument(struct making *making, size_t at, size_t length)
{
	const struct expansion *expansion = making->expansion;
	const char *why = NULL;
	struct diag *diag;
	size_t column = 1;
	char *word = strndup(expansion->text + at, length);
	int r = append_word(making, word);

	if (r < 0)
		return r;
	if (strcmp(word, EXEC_WORDS_ANY) == 0 || glob_check_argument(word, &column, &why))
		return 0;
	making->faulty = true;
	column = column - 1 < length ? column - 1 : length - 1;
	diag = expansion_error_at(making->text, expansion, making->front->diags, at + column, 1,
				  "%s", why);
	if (is_cut(why))
		diag_hint(diag, "a blank ends a word: write '\\ ' for one inside of it");
	return 0;
}

/* "..." where it says nothing: as the program, behind another, and at the end, which is open. */
static void check_any(struct making *making, size_t at)
{
	const struct policy_pattern *pattern = making->pattern;
	size_t count = pattern->word_count;

	if (strcmp(pattern->words[count - 1], EXEC_WORDS_ANY) != 0)
		return;
	if (count < 2 || strcmp(pattern->words[count - 2], EXEC_WORDS_ANY) != 0)
		return;
	(void)expansion_error_at(making->text, making->expansion, making->front->diags, at,
				 strlen(EXEC_WORDS_ANY), "two '...' meet here; one is enough");
	making->faulty = true;
}

static int make_words(struct making *making)
{
	const char *text = making->expansion->text;
	struct policy_pattern *pattern = making->pattern;
	size_t at = 0, length;
	int r = 0;

	while (r == 0 && (length = find_word(text, &at)) > 0) {
		if (pattern->word_count == COMMAND_WORDS_MAX) {
			(void)expansion_error_at(making->text, making->expansion,
						 making->front->diags, at, length,
						 "a pattern has more than %d words",
						 COMMAND_WORDS_MAX);
			making->faulty = true;
			return 0;
		}
		if (pattern->word_count > 0)
			r = make_argument(making, at, length);
		else
			r = make_program(making, at, length);
		if (r == 0)
			check_any(making, at);
		at += length;
	}
	/* Whatever follows the last word is meant without saying so. */
	while (r == 0 && pattern->word_count > 1 &&
	       strcmp(pattern->words[pattern->word_count - 1], EXEC_WORDS_ANY) == 0)
		free(pattern->words[--pattern->word_count]);
	return r;
}

/* The program decides, or may start: by a denial of some arguments it is not denied itself. */
static int set_glob(struct making *making, enum pk_verdict verdict)
{
	struct policy_pattern *pattern = making->pattern;
	size_t at = 0;
	struct path_glob path = { making->text, making->expansion, pattern->words[0], 0, 0 };
	int r;

	(void)find_word(making->expansion->text, &at);
	path.at = at;
	r = path_glob_links(making->front, &path, verdict, &pattern->also);
	if (r < 0 || (verdict != PK_VERDICT_ALLOW && pattern->word_count > 1))
		return r;
	pattern->glob = strdup(pattern->words[0]);
	return pattern->glob ? 0 : -ENOMEM;
}

int exec_words_make(struct front *front, const struct node *text, const struct policy_rule *rule,
		    const struct expansion *expansion, struct policy_pattern *pattern)
{
	struct making making = { front, text, expansion, pattern, false };
	size_t at = 0;
	size_t length = find_word(expansion->text, &at);
	int r;

	if (length == 0) {
		(void)node_error(text, front->diags, "a pattern has nothing but blanks");
		return -EINVAL;
	}
	if (strncmp(expansion->text + at, EXEC_WORDS_ANY, length) == 0 &&
	    length == strlen(EXEC_WORDS_ANY)) {
		diag_hint(expansion_error_at(text, expansion, front->diags, at, length,
					     "a command begins with its program"),
			  "write '*' for a program of any name");
		return -EINVAL;
	}
	r = make_words(&making);
	if (r < 0 || making.faulty)
		return r < 0 ? r : -EINVAL;
	return set_glob(&making, rule->verdict);
}

/* The plain bytes of a word; malloc'ed or NULL. */
static char *plain_word(const char *text, size_t length)
{
	char *word = malloc(length + 1);
	size_t count = 0;

	for (size_t i = 0; word && i < length; i++) {
		if (text[i] == '\\' && i + 1 < length)
			i++;
		word[count++] = text[i];
	}
	if (word)
		word[count] = '\0';
	return word;
}

int exec_words_split(const char *text, char ***ret_words)
{
	CLEAN(exec_words_free) char **words = calloc(1, sizeof(*words));
	size_t at = 0, length;
	int count = 0;

	if (!words)
		return -ENOMEM;
	while ((length = find_word(text, &at)) > 0) {
		char **grown = reallocarray(words, (size_t)count + 2, sizeof(*words));

		if (!grown)
			return -ENOMEM;
		words = grown;
		words[count] = plain_word(text + at, length);
		if (!words[count])
			return -ENOMEM;
		words[++count] = NULL;
		at += length;
	}
	*ret_words = TAKE_PTR(words);
	return count;
}

void exec_words_free(char ***words)
{
	for (char **word = *words; word && *word; word++)
		free(*word);
	free(*words);
	*words = NULL;
}
