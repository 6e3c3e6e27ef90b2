/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pattern of a command line: words to token sequences over the key of a command, which is the
 * program's path and the arguments, each followed by a NUL byte. Decides what a pattern of words
 * means; what a word may look like is glob.h's.
 *
 *   git push            "/usr/bin/git\0push\0" and whatever follows: the program's glob is a path glob,
 *                       the others are argument globs; after the last word any rest is accepted
 *   gh ... --force      "..." stands for any number of words, also none
 */
#ifndef PICKET_POLICY_COMMAND_GLOB_H
#define PICKET_POLICY_COMMAND_GLOB_H

#include "policy/glob.h"

/** Most words of a pattern. */
#define COMMAND_WORDS_MAX 64

struct command_glob;

/**
 * Parse @count words (at least one). On success stores the command (caller frees) and returns 0;
 * -EINVAL fills *@reterr (may be NULL) and *@reterr_word, the index of the word it is about;
 * -ENOMEM.
 */
int command_glob_parse(char *const *words, size_t count, struct command_glob **ret_command,
		       struct glob_error *reterr, size_t *reterr_word);

/** Free *@command; accepts NULL; resets. */
void command_glob_free(struct command_glob **command);

/** Visit every sequence of @command. Returns 0 or what a visit returned. */
int command_glob_expand(struct command_glob *command, glob_visit visit, void *context);

#endif
