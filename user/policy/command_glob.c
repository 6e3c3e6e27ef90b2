/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sequences of a command's words are combined: each alternative of a word with each of the
 * words behind it.
 */
#include "policy/command_glob.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

struct command_glob {
	struct glob *words[COMMAND_WORDS_MAX]; /* NULL: any words */
	size_t count;
	struct glob_token *tokens; /* room for the longest sequence */
};

/* One visit of all sequences. */
struct walk {
	struct command_glob *command;
	glob_visit visit;
	void *context;
};

/* A walk at one word. */
struct step {
	const struct walk *walk;
	size_t word;
	size_t at; /* tokens so far */
};

static const struct glob_token end_of_word = { .kind = GLOB_BYTE, .byte = '\0' };
static const struct glob_token rest = { .kind = GLOB_REST };

static int take_word(void *context, const struct glob_token *tokens, size_t count);

/* Go on with @step's word; behind the last one anything may follow. */
static int walk_from(const struct step *step)
{
	struct command_glob *command = step->walk->command;
	struct glob_token *tokens = command->tokens + step->at;
	struct step here = *step;

	if (step->word == command->count) {
		tokens[0] = rest;
		return step->walk->visit(step->walk->context, command->tokens, step->at + 1);
	}
	if (command->words[step->word])
		return glob_expand(command->words[step->word], take_word, &here);
	tokens[0] = rest;
	tokens[1] = end_of_word;
	return walk_from(&(struct step){ step->walk, step->word + 1, step->at + 2 });
}

/* A glob_visit: one sequence of the word at hand. */
static int take_word(void *context, const struct glob_token *tokens, size_t count)
{
	const struct step *step = context;
	struct glob_token *to = step->walk->command->tokens + step->at;
	int r;

	do {
		memcpy(to, tokens, count * sizeof(*tokens));
		to[count] = end_of_word;
		r = walk_from(&(struct step){ step->walk, step->word + 1, step->at + count + 1 });
		/* In a path, and only there: X with a deep star at the end stands for X too. */
		if (count <= 2 || tokens[count - 1].kind != GLOB_DEEP)
			break;
		count -= 2;
	} while (!r);
	return r;
}

int command_glob_expand(struct command_glob *command, glob_visit visit, void *context)
{
	const struct walk walk = { command, visit, context };

	return walk_from(&(struct step){ &walk, 0, 0 });
}

static int count_sequence(void *context, const struct glob_token *tokens, size_t count)
{
	size_t *sequences = context;

	(void)tokens;
	(void)count;
	return ++*sequences > GLOB_ALTERNATIVES_MAX ? -E2BIG : 0;
}

static int parse_words(struct command_glob *command, char *const *words, size_t count,
		       struct glob_error *reterr, size_t *reterr_word)
{
	for (size_t i = 0; i < count; i++) {
		int r;

		*reterr_word = i;
		if (i == 0)
			r = glob_parse(words[i], &command->words[i], reterr);
		else if (strcmp(words[i], "...") != 0)
			r = glob_parse_argument(words[i], &command->words[i], reterr);
		else
			r = 0;
		if (r)
			return r;
		command->count++;
	}
	return 0;
}

/* Room for the tokens of all words, their ends and the rest: as in glob.c, twice the text. */
static int make_room(struct command_glob *command, char *const *words, size_t count)
{
	size_t room = 1;

	for (size_t i = 0; i < count; i++)
		room += 2 * strlen(words[i]) + 3;
	command->tokens = calloc(room, sizeof(*command->tokens));
	return command->tokens ? 0 : -ENOMEM;
}

int command_glob_parse(char *const *words, size_t count, struct command_glob **ret_command,
		       struct glob_error *reterr, size_t *reterr_word)
{
	CLEAN(command_glob_free) struct command_glob *command = NULL;
	struct glob_error error = { 1, "it has more than 64 words" };
	size_t sequences = 0;
	size_t word = 0;
	int r = -EINVAL;

	if (count <= COMMAND_WORDS_MAX) {
		command = calloc(1, sizeof(*command));
		r = command ? make_room(command, words, count) : -ENOMEM;
		if (!r)
			r = parse_words(command, words, count, &error, &word);
		if (!r && command_glob_expand(command, count_sequence, &sequences)) {
			error = (struct glob_error){
				1,
				"its braces stand for more than 1024 commands; use classes or '*'"
			};
			word = 0;
			r = -EINVAL;
		}
	}
	if (r) {
		if (reterr)
			*reterr = error;
		*reterr_word = word;
		return r;
	}
	*ret_command = TAKE_PTR(command);
	return 0;
}

void command_glob_free(struct command_glob **command)
{
	if (!*command)
		return;
	for (size_t i = 0; i < (*command)->count; i++)
		glob_free(&(*command)->words[i]);
	free((*command)->tokens);
	free(*command);
	*command = NULL;
}
