/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Globs: brace expansion and the checks that need whole components. The language is told in
 * glob.h.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/glob_lex.h"

static bool is_slash(const struct glob_token *token)
{
	return token->kind == GLOB_BYTE && token->byte == '/';
}

/* A star that is a whole component stands for one byte at least: no component is empty. */
static size_t end_component(struct glob_token *tokens, size_t count)
{
	if (count < 2 || tokens[count - 1].kind != GLOB_STAR || !is_slash(&tokens[count - 2]))
		return count;
	tokens[count] = tokens[count - 1];
	tokens[count - 1].kind = GLOB_ONE;
	return count + 1;
}

/* The sequence of the current choices; groups met are noted in glob->opened. */
static size_t build_sequence(struct glob *glob, size_t *ret_opened)
{
	size_t count = 0;
	size_t opened = 0;

	for (size_t i = 0; i < glob->count; i++) {
		struct piece *piece = &glob->pieces[i];

		if (piece->mark == PIECE_OPEN) {
			glob->opened[opened++] = i;
			i = piece->choice;
		} else if (piece->mark == PIECE_COMMA) {
			i = piece->close;
		} else if (piece->mark == PIECE_TOKEN) {
			if (!count && piece->token.kind == GLOB_DEEP)
				glob->sequence[count++] = (struct glob_token){ GLOB_BYTE, '/',
									       piece->token.column,
									       NULL };
			if (is_slash(&piece->token) && !glob->argument)
				count = end_component(glob->sequence, count);
			glob->sequence[count++] = piece->token;
		}
	}
	*ret_opened = opened;
	return glob->argument ? count : end_component(glob->sequence, count);
}

/* Advance the choices like an odometer whose last wheel is the last group met. */
static bool next_choice(struct glob *glob, size_t opened)
{
	while (opened > 0) {
		size_t open = glob->opened[--opened];
		struct piece *piece = &glob->pieces[open];
		size_t next = glob->pieces[piece->choice].next;

		if (glob->pieces[next].mark == PIECE_COMMA) {
			piece->choice = next;
			return true;
		}
		piece->choice = open;
	}
	return false;
}

int glob_expand(struct glob *glob, glob_visit visit, void *context)
{
	size_t opened;
	int r;

	for (size_t i = 0; i < glob->count; i++)
		if (glob->pieces[i].mark == PIECE_OPEN)
			glob->pieces[i].choice = i;
	do {
		size_t count = build_sequence(glob, &opened);

		r = visit(context, glob->sequence, count);
		if (r)
			return r;
	} while (next_choice(glob, opened));
	return 0;
}

static bool is_byte(const struct glob_token *tokens, size_t count, size_t at, __u8 byte)
{
	return at < count && tokens[at].kind == GLOB_BYTE && tokens[at].byte == byte;
}

/* True when a component of dots alone, "." or "..", follows the '/' at @slash. */
static bool is_dots(const struct glob_token *tokens, size_t count, size_t slash)
{
	size_t end = slash + 1;

	while (is_byte(tokens, count, end, '.'))
		end++;
	return end - slash > 1 && end - slash <= 3 &&
	       (end == count || is_byte(tokens, count, end, '/'));
}

static const char *check_token(const struct glob_token *tokens, size_t count, size_t at)
{
	bool at_end = at + 1 == count;

	switch (tokens[at].kind) {
	case GLOB_DEEP:
		if (!is_byte(tokens, count, at - 1, '/') ||
		    !(at_end || is_byte(tokens, count, at + 1, '/')))
			return "'**' must be a whole component: write '**/*x' or '*x'";
		return NULL;
	case GLOB_STAR:
		return !at_end && tokens[at + 1].kind == GLOB_STAR ?
			       "two '*' meet here; one is enough" :
			       NULL;
	case GLOB_BYTE:
		if (tokens[at].byte != '/' || count == 1)
			return NULL;
		if (at_end)
			return "a path never ends in '/'; write 'X' or 'X/**'";
		if (is_byte(tokens, count, at + 1, '/'))
			return "a path never has an empty component";
		if (is_dots(tokens, count, at))
			return "a path never has '.' or '..' components: they are resolved";
		return NULL;
	case GLOB_ONE:
	case GLOB_SET:
	case GLOB_ANY:
	case GLOB_ANY_ONE:
	case GLOB_REST:
		return NULL;
	}
	return NULL;
}

struct checker {
	struct glob_error error;
	bool argument;
	size_t alternatives;
};

static int check_sequence(void *context, const struct glob_token *tokens, size_t count)
{
	struct checker *checker = context;

	if (!checker->argument && !is_byte(tokens, count, 0, '/')) {
		checker->error = (struct glob_error){ 1, "a path glob begins with '/' or '**'" };
		return -EINVAL;
	}
	if (count > 2 * PK_PATH_MAX) {
		checker->error = (struct glob_error){ 1, "longer than any path" };
		return -EINVAL;
	}
	if (++checker->alternatives > GLOB_ALTERNATIVES_MAX) {
		checker->error = (struct glob_error){
			1, "its braces stand for more than 1024 patterns; use classes or '*'"
		};
		return -EINVAL;
	}
	for (size_t i = 0; i < count && !checker->argument; i++) {
		const char *why = check_token(tokens, count, i);

		if (why) {
			checker->error = (struct glob_error){ tokens[i].column, why };
			return -EINVAL;
		}
	}
	return 0;
}

static struct glob *new_glob(size_t length)
{
	CLEAN(glob_free) struct glob *glob = calloc(1, sizeof(*glob));

	if (!glob)
		return NULL;
	glob->pieces = calloc(length + 1, sizeof(*glob->pieces));
	glob->sets = calloc(length + 1, sizeof(*glob->sets));
	glob->sequence = calloc(2 * length + 2, sizeof(*glob->sequence));
	glob->opened = calloc(length + 1, sizeof(*glob->opened));
	if (!glob->pieces || !glob->sets || !glob->sequence || !glob->opened)
		return NULL;
	return TAKE_PTR(glob);
}

static int parse(const char *text, bool argument, struct glob **ret_glob, struct glob_error *reterr)
{
	struct checker checker = { .error = { 1, "longer than any path" }, .argument = argument };
	CLEAN(glob_free) struct glob *glob = NULL;
	size_t length = strlen(text);
	int r = -EINVAL;

	if (length <= GLOB_TEXT_MAX) {
		glob = new_glob(length);
		if (!glob)
			return -ENOMEM;
		glob->argument = argument;
		r = glob_lex(glob, text, &checker.error);
		if (!r)
			r = glob_expand(glob, check_sequence, &checker);
	}
	if (r) {
		if (reterr)
			*reterr = checker.error;
		return r;
	}
	*ret_glob = TAKE_PTR(glob);
	return 0;
}

int glob_parse(const char *text, struct glob **ret_glob, struct glob_error *reterr)
{
	return parse(text, false, ret_glob, reterr);
}

int glob_parse_argument(const char *text, struct glob **ret_glob, struct glob_error *reterr)
{
	return parse(text, true, ret_glob, reterr);
}

void glob_free(struct glob **glob)
{
	if (!*glob)
		return;
	free((*glob)->pieces);
	free((*glob)->sets);
	free((*glob)->sequence);
	free((*glob)->opened);
	free(*glob);
	*glob = NULL;
}

static bool check(const char *text, bool argument, size_t *ret_column, const char **ret_why)
{
	struct glob_error error = { 1, "no memory to check this glob" };
	CLEAN(glob_free) struct glob *glob = NULL;

	if (parse(text, argument, &glob, &error) == 0)
		return true;
	if (ret_column)
		*ret_column = error.column;
	if (ret_why)
		*ret_why = error.why;
	return false;
}

bool glob_check(const char *text, size_t *ret_column, const char **ret_why)
{
	return check(text, false, ret_column, ret_why);
}

bool glob_check_argument(const char *text, size_t *ret_column, const char **ret_why)
{
	return strcmp(text, "...") == 0 || check(text, true, ret_column, ret_why);
}
