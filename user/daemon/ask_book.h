/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a local file: a list of acts. It is compared by exact texts only; nothing in it is a
 * pattern.
 *
 *   approved:
 *     - op: connect
 *       access: tcp
 *       object: "git.example:22/tcp"     (two paths, or a command: a list)
 *       rule: "*:22"                     (or "default of egress")
 *       approvers: 1
 *       by: alice
 *       at: "2026-11-21T16:00:05Z"
 *       comment: "the mirror"
 */
#ifndef PICKET_DAEMON_ASK_BOOK_H
#define PICKET_DAEMON_ASK_BOOK_H

#include <jansson.h>
#include <stdbool.h>

#include "policy/source.h"

/** What a new file begins with. */
#define ASK_BOOK_HEAD                                                                              \
	"# What was approved for always, written by picketd: user/control/README.md.\n"            \
	"# A line taken out is asked about again.\n"

/**
 * Take the text apart: an array of objects {op, access, object: [...], rule, approvers}, NULL for an
 * error that is in @diags (or no memory). A text without content is an empty array.
 */
json_t *ask_book_parse(const struct source *source, struct diag_list *diags);

/**
 * What an act (ask_act.h) is called there: {op, access, object, rule}. NULL with *@ret_why (constant)
 * when it is one that no file can say.
 */
json_t *ask_book_name(const json_t *act, const char **ret_why);

/** Is @name, wanting @approvers, in @book? */
bool ask_book_has(const json_t *book, const json_t *name, unsigned int approvers);

/** The lines of one more act, malloc'ed; @by: names of who approved. NULL: no memory. */
char *ask_book_lines(const json_t *name, unsigned int approvers, const char *by,
		     const char *comment);

/** The unified diff between @before and the same with @lines behind it, malloc'ed. NULL: no memory. */
char *ask_book_diff(const char *path, const char *before, const char *lines);

#endif
