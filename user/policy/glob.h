/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Globs of paths and of arguments: text to token sequences, one for each choice of brace
 * alternatives. Decides what a glob may look like; refuses to know rules, automata or files.
 *
 *   *        any bytes but '/', also none (at least one when it is the whole component)
 *   ?        one byte but '/'
 *   **       a whole component: any number of components, also none. At the end it stands for the
 *            directory itself and everything below; a pattern may begin with it. `a**b` is
 *            refused, for tools disagree about its meaning
 *   [a-z]    one byte of these, [!a-z] one byte but these; ASCII members, never '/'
 *   {a,b}    either; nested; a member may be empty
 *   \c       the byte c
 *
 * A glob begins with '/' or with two stars. Matching is on bytes: a '?' is not a whole UTF-8
 * character.
 *
 * Refused because no path could ever match: "//", a '/' at the end, components "." and "..".
 *
 * An argument glob matches one word of a command: '/' is a byte like any other there, so '*', '?'
 * and classes match it too, and a double star is refused for it would say nothing more.
 */
#ifndef PICKET_POLICY_GLOB_H
#define PICKET_POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include <picket/limits.h>

/** Longest glob text in bytes. */
#define GLOB_TEXT_MAX (4 * PK_PATH_MAX)
/** Most brace levels, and most sequences that one glob may stand for. */
#define GLOB_DEPTH_MAX 16
#define GLOB_ALTERNATIVES_MAX 1024

/** What one token of a sequence matches. */
enum glob_kind {
	GLOB_BYTE, /* the byte */
	GLOB_ONE, /* one byte but '/' */
	GLOB_SET, /* one byte of the set, which never has '/' in a path */
	GLOB_STAR, /* any number of bytes but "/", also none */
	GLOB_DEEP, /* any number of bytes; a whole component */
	GLOB_ANY, /* arguments: any number of bytes, also none */
	GLOB_ANY_ONE, /* arguments: one byte */
	GLOB_REST, /* commands: any number of bytes and of words (policy/commands.h) */
};

/** A set of bytes. */
struct glob_set {
	__u64 bits[4];
};

/** One token; belongs to its glob. */
struct glob_token {
	enum glob_kind kind;
	__u8 byte;
	unsigned int column; /* in the glob's text, from 1 */
	const struct glob_set *set; /* borrowed from the glob */
};

/** Where and why a glob is refused. */
struct glob_error {
	size_t column; /* from 1 */
	const char *why; /* static text: one sentence without full stop */
};

struct glob;

/**
 * Parse @text. On success stores the glob (caller frees with glob_free()) and returns 0; -EINVAL
 * fills *@reterr (may be NULL); -ENOMEM.
 */
int glob_parse(const char *text, struct glob **ret_glob, struct glob_error *reterr);

/** The same for an argument glob, whose sequences may be empty. */
int glob_parse_argument(const char *text, struct glob **ret_glob, struct glob_error *reterr);

/** Free *@glob; accepts NULL; resets. */
void glob_free(struct glob **glob);

/** Called with one sequence; that of a path glob always begins with '/'. Non-zero stops. */
typedef int (*glob_visit)(void *context, const struct glob_token *tokens, size_t count);

/** Visit every sequence of @glob in the order of the text. Returns 0 or what a visit returned. */
int glob_expand(struct glob *glob, glob_visit visit, void *context);

/**
 * True when @text is a valid glob; otherwise the column (from 1) and a static sentence are stored
 * (both may be NULL). No memory also makes it false, with that sentence.
 */
bool glob_check(const char *text, size_t *ret_column, const char **ret_why);

/** The same for a word of a command: an argument glob, or "..." for any words. */
bool glob_check_argument(const char *text, size_t *ret_column, const char **ret_why);

static inline bool glob_set_has(const struct glob_set *set, __u8 byte)
{
	return set->bits[byte >> 6] >> (byte & 63) & 1;
}

static inline void glob_set_add(struct glob_set *set, __u8 byte)
{
	set->bits[byte >> 6] |= 1ULL << (byte & 63);
}

#endif
