/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands: patterns of exec as words, and the words of a command line in a test.
 *
 * Blanks separate words; a backslash takes the next byte as it is, a blank too.
 */
#ifndef PICKET_POLICY_EXEC_WORDS_H
#define PICKET_POLICY_EXEC_WORDS_H

#include "policy/front.h"
#include "policy/vars.h"

/** A word of a pattern that stands for any words, also none. */
#define EXEC_WORDS_ANY "..."

/**
 * Make the words of @pattern (and its glob, and `also`) of an expanded text for a rule of exec.
 * Returns 0, -EINVAL (reported) or -ENOMEM; what was made belongs to the pattern in any case.
 */
int exec_words_make(struct front *front, const struct node *text, const struct policy_rule *rule,
		    const struct expansion *expansion, struct policy_pattern *pattern);

/**
 * Split @text into plain words, backslashes taken away. *@ret_words (freed with
 * exec_words_free()) ends with a NULL. Returns their number, or -ENOMEM.
 */
int exec_words_split(const char *text, char ***ret_words);

/** Free a list of words that ends with a NULL; accepts NULL; resets. */
void exec_words_free(char ***words);

#endif
