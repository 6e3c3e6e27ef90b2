/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Glob text to pieces: tokens, and marks of brace groups linked to each other. Decides what bytes
 * mean on their own; what only whole components can tell is glob.c's.
 */
#ifndef PICKET_POLICY_GLOB_LEX_H
#define PICKET_POLICY_GLOB_LEX_H

#include "policy/glob.h"

/** What a piece is. */
enum piece_mark { PIECE_TOKEN, PIECE_OPEN, PIECE_COMMA, PIECE_CLOSE };

/** What the lexer sees: a token, or a mark of a brace group. */
struct piece {
	enum piece_mark mark;
	struct glob_token token;
	size_t next; /* open, comma: the group's next comma, or its close */
	size_t close; /* comma: the group's close */
	size_t choice; /* open: where the chosen alternative begins (an open or a comma) */
};

/** A parsed glob, and the state of its expansion. */
struct glob {
	bool argument; /* of a command's word, not of a path */
	struct piece *pieces;
	size_t count;
	struct glob_set *sets; /* as many as the text has '[' */
	size_t set_count;
	struct glob_token *sequence; /* room for one alternative, expanded */
	size_t *opened; /* open pieces met by the current alternative */
};

/**
 * Fill the pieces and sets of @glob, which has room for one of each a byte, from @text in the
 * language that @glob->argument says. Returns 0 or -EINVAL with *@reterr.
 */
int glob_lex(struct glob *glob, const char *text, struct glob_error *reterr);

#endif
