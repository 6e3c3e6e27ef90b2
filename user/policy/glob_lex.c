/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a glob: escapes, classes, stars and braces.
 */
#include <errno.h>
#include <string.h>

#include "policy/glob_lex.h"

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

static struct piece *add_piece(struct lexer *lexer, enum piece_mark mark, enum glob_kind kind,
			       __u8 byte)
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
	if (text[lexer->at] == '/' && !lexer->glob->argument)
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
	if (!lexer->glob->argument)
		set->bits['/' >> 6] &= ~(1ULL << ('/' & 63));
	piece->token.set = set;
	lexer->at++;
	return 0;
}

static int lex_star(struct lexer *lexer)
{
	size_t run = strspn(lexer->text + lexer->at, "*");

	if (run > 1 && lexer->glob->argument)
		return refuse(lexer, lexer->at,
			      "one '*' is enough: in an argument it matches '/' too");
	if (run > 2)
		return refuse(lexer, lexer->at, "more than two '*' in a row");
	add_piece(lexer, PIECE_TOKEN,
		  lexer->glob->argument ? GLOB_ANY :
		  run == 1		? GLOB_STAR :
					  GLOB_DEEP,
		  0);
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
	if (byte == '/' && !lexer->glob->argument)
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
		add_piece(lexer, PIECE_TOKEN, lexer->glob->argument ? GLOB_ANY_ONE : GLOB_ONE, 0);
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

int glob_lex(struct glob *glob, const char *text, struct glob_error *reterr)
{
	struct lexer lexer = { .text = text, .glob = glob };
	int r = 0;

	while (!r && text[lexer.at])
		r = lex_next(&lexer);
	if (!r && lexer.depth)
		r = refuse(&lexer, glob->pieces[lexer.open[lexer.depth - 1]].token.column - 1,
			   "'{' without '}'");
	if (r)
		*reterr = lexer.error;
	return r;
}
