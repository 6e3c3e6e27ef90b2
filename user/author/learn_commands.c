/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs, and the words that they may be run with.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "author/learn_name.h"
#include "author/learn_parts.h"
#include "base/mem.h"
#include "base/text.h"

/* More first words than this are no list of what a program may do. */
#define WORDS_MAX 8
#define WORD_SIZE 64

/** The first words that a program was run with. */
struct first_words {
	char items[WORDS_MAX][WORD_SIZE]; /* sorted */
	size_t count;
	bool open; /* some command line has none, or one that is no such word */
};

/* A word such as "commit": lower case, no path, no file, nothing that changes from run to run. */
static bool is_verb(const char *word, size_t length)
{
	if (length < 2 || length >= WORD_SIZE || !islower((unsigned char)word[0]))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!islower((unsigned char)word[i]) && word[i] != '-')
			return false;
	}
	return true;
}

static void add_word(struct first_words *words, const char *command)
{
	size_t length = command ? strcspn(command, " ") : 0;
	char word[WORD_SIZE];
	size_t at = 0;

	if (words->open)
		return;
	words->open = !is_verb(command ? command : "", length);
	if (words->open)
		return;
	(void)snprintf(word, sizeof(word), "%.*s", (int)length, command);
	while (at < words->count && strcmp(words->items[at], word) < 0)
		at++;
	if (at < words->count && strcmp(words->items[at], word) == 0)
		return;
	words->open = words->count == WORDS_MAX;
	if (words->open)
		return;
	memmove(words->items[at + 1], words->items[at], (words->count - at) * WORD_SIZE);
	memcpy(words->items[at], word, WORD_SIZE);
	words->count++;
}

/* Escape what only in a command has a meaning, and append the words. */
static char *command_pattern(const char *path, const struct first_words *words)
{
	char *pattern = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&pattern, &size);

	if (!to)
		return NULL;
	for (; *path; path++)
		(void)fprintf(to, *path == ' ' ? "\\ " : "%c", *path);
	if (!words->open && words->count == 1)
		(void)fprintf(to, " %s", words->items[0]);
	for (size_t i = 0; !words->open && words->count > 1 && i < words->count; i++)
		(void)fprintf(to, "%s%s", i ? "," : " {", words->items[i]);
	if (!words->open && words->count > 1)
		(void)fputc('}', to);
	(void)text_close(to, &pattern);
	return pattern;
}

static bool is_of(const struct observation *act, const char *path)
{
	return act->section == PK_SECTION_EXEC && act->path && strcmp(act->path, path) == 0 &&
	       (act->op == PK_OP_EXEC || act->op == PK_OP_COMMAND);
}

/* All acts of the program @path at once. */
static int learn_program(struct learn *learn, const char *path)
{
	const struct recording *recording = learn->recording;
	struct learn_rule rule = { .section = PK_SECTION_EXEC, .access = PK_ACCESS_RUN };
	struct first_words words = { .open = false };
	CLEAN_FREE char *pattern = NULL;
	bool wild = false;

	for (size_t i = 0; i < recording->count; i++) {
		const struct observation *act = &recording->items[i];

		if (learn->left[i] || !is_of(act, path))
			continue;
		/* Started and then looked at is one time. */
		if (act->op == PK_OP_EXEC)
			seen_merge(&rule.seen, &act->seen);
		else
			add_word(&words, act->command);
	}
	pattern = learn_paths_pattern(learn->paths, path, &wild);
	if (!pattern)
		return -ENOMEM;
	/* Who may make such names may make any program. */
	words.open = words.open || wild || !words.count;
	rule.pattern = command_pattern(pattern, &words);
	return learn_rules_add(&learn->rules, &rule);
}

int learn_commands(struct learn *learn)
{
	const struct recording *recording = learn->recording;
	const char *last = "";
	int r = 0;

	/* Acts are sorted: those of one program and operation follow each other. */
	for (size_t i = 0; i < recording->count && r == 0; i++) {
		const struct observation *act = &recording->items[i];

		if (learn->left[i] || act->section != PK_SECTION_EXEC || act->op != PK_OP_EXEC ||
		    !act->path || strcmp(act->path, last) == 0)
			continue;
		last = act->path;
		r = learn_program(learn, last);
	}
	return r;
}
