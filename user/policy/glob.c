/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path globs: lexing, brace expansion and the checks that need whole components. The language is
 * told in glob.h.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/glob.h"

enum { PIECE_TOKEN, PIECE_OPEN, PIECE_COMMA, PIECE_CLOSE };

/* What the lexer sees: a token, or a mark of a brace group. */
struct piece {
	int mark; /* PIECE_* */
	struct glob_token token;
	size_t next; /* open, comma: the group's next comma, or its close */
	size_t close; /* comma: the group's close */
	size_t choice; /* open: where the chosen alternative begins (an open or a comma) */
};

struct glob {
	struct piece *pieces;
	size_t count;
	struct glob_set *sets; /* as many as the text has '[' */
	size_t set_count;
	struct glob_token *sequence; /* room for one alternative, expanded */
	size_t *opened; /* open pieces met by the current alternative */
};

/* Lexer state. */
struct lexer {
	const char *text;
	size_t at;
	struct glob *glob;
	size_t open[GLOB_DEPTH_MAX]; /* the groups around `at`: their open pieces */
	size_t last[GLOB_DEPTH_MAX]; /* and the last open or comma of each */
	size_t depth;
	struct glob_error error;
};

static int refuse(struct lexer *lexer, size_t at, const char *why)
{
	lexer->error = (struct glob_error){ at + 1, why };
	return -EINVAL;
}

static struct piece *add_piece(struct lexer *lexer, int mark, enum glob_kind kind, __u8 byte)
{
	struct piece *piece = &lexer->glob->pieces[lexer->glob->count++];

	*piece = (struct piece){
		.mark = mark,
		.token = { .kind = kind, .byte = byte, .column = (unsigned int)lexer->at + 1 },
	};
	return piece;
}

/* One member of a class: its byte, or an error. `at` moves behind it. */
static int lex_member(struct lexer *lexer, __u8 *ret_byte)
{
	const char *text = lexer->text;

	if (text[lexer->at] == '\\')
		lexer->at++;
	if (!text[lexer->at])
		return refuse(lexer, lexer->at - 1, "'[' without ']'");
	if (text[lexer->at] == '/')
		return refuse(lexer, lexer->at, "a class never matches '/'");
	if ((__u8)text[lexer->at] >= 0x80)
		return refuse(
			lexer, lexer->at,
			"classes match single bytes and take ASCII only; use {a,b} for others");
	*ret_byte = (__u8)text[lexer->at++];
	return 0;
}

/* One member or range into @set. */
static int lex_range(struct lexer *lexer, struct glob_set *set)
{
	const char *text = lexer->text;
	size_t start = lexer->at;
	__u8 low = 0;
	__u8 high;
	int r;

	r = lex_member(lexer, &low);
	if (r)
		return r;
	high = low;
	if (text[lexer->at] == '-' && text[lexer->at + 1] && text[lexer->at + 1] != ']') {
		lexer->at++;
		r = lex_member(lexer, &high);
		if (r)
			return r;
	}
	if (low > high)
		return refuse(lexer, start, "the range of this class is backwards");
	for (unsigned int byte = low; byte <= high; byte++)
		glob_set_add(set, (__u8)byte);
	return 0;
}

static int lex_class(struct lexer *lexer)
{
	struct piece *piece = add_piece(lexer, PIECE_TOKEN, GLOB_SET, 0);
	struct glob_set *set = &lexer->glob->sets[lexer->glob->set_count++];
	const char *text = lexer->text;
	size_t start = lexer->at++;
	bool inverted = text[lexer->at] == '!';
	int r;

	lexer->at += inverted;
	if (text[lexer->at] == '^')
		return refuse(lexer, lexer->at, "write '[!...]' to exclude, '\\^' for the byte");
	if (text[lexer->at] == ']')
		return refuse(lexer, start, "an empty class matches nothing; write '\\]' for ']'");
	while (text[lexer->at] != ']') {
		if (!text[lexer->at])
			return refuse(lexer, start, "'[' without ']'");
		r = lex_range(lexer, set);
		if (r)
			return r;
	}
	for (int i = 0; i < 4 && inverted; i++)
		set->bits[i] = ~set->bits[i];
	set->bits['/' >> 6] &= ~(1ULL << ('/' & 63));
	piece->token.set = set;
	lexer->at++;
	return 0;
}

static int lex_star(struct lexer *lexer)
{
	size_t run = strspn(lexer->text + lexer->at, "*");

	if (run > 2)
		return refuse(lexer, lexer->at, "more than two '*' in a row");
	add_piece(lexer, PIECE_TOKEN, run == 1 ? GLOB_STAR : GLOB_DEEP, 0);
	lexer->at += run;
	return 0;
}

/* '{', and '}' or ',' inside a group. */
static int lex_brace(struct lexer *lexer, char mark)
{
	struct glob *glob = lexer->glob;
	size_t self = glob->count;
	size_t level;

	if (mark == '{') {
		if (lexer->depth == GLOB_DEPTH_MAX)
			return refuse(lexer, lexer->at, "braces nested too deeply");
		lexer->open[lexer->depth] = self;
		lexer->last[lexer->depth++] = self;
		add_piece(lexer, PIECE_OPEN, GLOB_BYTE, 0)->choice = self;
	} else {
		level = lexer->depth - 1;
		glob->pieces[lexer->last[level]].next = self;
		lexer->last[level] = self;
		add_piece(lexer, mark == ',' ? PIECE_COMMA : PIECE_CLOSE, GLOB_BYTE, 0);
		for (size_t i = glob->pieces[lexer->open[level]].next; mark == '}' && i != self;
		     i = glob->pieces[i].next)
			glob->pieces[i].close = self;
		lexer->depth -= mark == '}';
	}
	lexer->at++;
	return 0;
}

static int lex_escape(struct lexer *lexer)
{
	char byte = lexer->text[lexer->at + 1];

	if (!byte)
		return refuse(lexer, lexer->at, "a backslash at the end escapes nothing");
	if (byte == '/')
		return refuse(lexer, lexer->at, "'/' cannot be escaped");
	add_piece(lexer, PIECE_TOKEN, GLOB_BYTE, (__u8)byte);
	lexer->at += 2;
	return 0;
}

static int lex_next(struct lexer *lexer)
{
	char byte = lexer->text[lexer->at];

	switch (byte) {
	case '\\':
		return lex_escape(lexer);
	case '*':
		return lex_star(lexer);
	case '[':
		return lex_class(lexer);
	case ']':
		return refuse(lexer, lexer->at, "']' without '['; write '\\]' for the byte");
	case '?':
		add_piece(lexer, PIECE_TOKEN, GLOB_ONE, 0);
		break;
	case '}':
		if (!lexer->depth)
			return refuse(lexer, lexer->at,
				      "'}' without '{'; write '\\}' for the byte");
		return lex_brace(lexer, byte);
	case '{':
		return lex_brace(lexer, byte);
	case ',':
		if (lexer->depth)
			return lex_brace(lexer, byte);
		__attribute__((fallthrough));
	default:
		add_piece(lexer, PIECE_TOKEN, GLOB_BYTE, (__u8)byte);
	}
	lexer->at++;
	return 0;
}

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
			if (is_slash(&piece->token))
				count = end_component(glob->sequence, count);
			glob->sequence[count++] = piece->token;
		}
	}
	*ret_opened = opened;
	return end_component(glob->sequence, count);
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
		return NULL;
	}
	return NULL;
}

struct checker {
	struct glob_error error;
	size_t alternatives;
};

static int check_sequence(void *context, const struct glob_token *tokens, size_t count)
{
	struct checker *checker = context;

	if (!is_byte(tokens, count, 0, '/')) {
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
	for (size_t i = 0; i < count; i++) {
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

int glob_parse(const char *text, struct glob **ret_glob, struct glob_error *reterr)
{
	struct lexer lexer = { .text = text };
	struct checker checker = { 0 };
	CLEAN(glob_free) struct glob *glob = NULL;
	size_t length = strlen(text);
	int r = 0;

	glob = new_glob(length <= GLOB_TEXT_MAX ? length : 0);
	if (!glob)
		return -ENOMEM;
	lexer.glob = glob;
	if (length > GLOB_TEXT_MAX)
		r = refuse(&lexer, 0, "longer than any path");
	while (!r && text[lexer.at])
		r = lex_next(&lexer);
	if (!r && lexer.depth)
		r = refuse(&lexer, glob->pieces[lexer.open[lexer.depth - 1]].token.column - 1,
			   "'{' without '}'");
	if (!r) {
		r = glob_expand(glob, check_sequence, &checker);
		lexer.error = checker.error;
	}
	if (r) {
		if (reterr)
			*reterr = lexer.error;
		return r;
	}
	*ret_glob = TAKE_PTR(glob);
	return 0;
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

bool glob_check(const char *text, size_t *ret_column, const char **ret_why)
{
	struct glob_error error = { 1, "no memory to check this glob" };
	CLEAN(glob_free) struct glob *glob = NULL;

	if (glob_parse(text, &glob, &error) == 0)
		return true;
	if (ret_column)
		*ret_column = error.column;
	if (ret_why)
		*ret_why = error.why;
	return false;
}
