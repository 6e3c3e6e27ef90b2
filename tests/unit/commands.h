/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs picket's commands in child processes and catches what they print. Works in the current
 * folder, where it leaves stdout.txt and stderr.txt. A failure to do so fails the test.
 */
#ifndef PICKET_TESTS_UNIT_COMMANDS_H
#define PICKET_TESTS_UNIT_COMMANDS_H

/** Most arguments of a command. */
#define ARGS_MAX 16

/** What a command did. outcome_reset() frees. */
struct outcome {
	int code;
	char *out; /* owned */
	char *err; /* owned */
};

/**
 * Run `picket ARGS` (a NULL-terminated list), by the built program @binary or, for NULL, in a child
 * of this very program. Standard output goes to the file @out, which is not read, or with NULL into
 * the outcome.
 */
struct outcome run(const char *binary, const char *const *args, const char *out);

/** Free what @outcome owns. */
void outcome_reset(struct outcome *outcome);

/** The text of a file; the caller frees. */
char *read_file(const char *path);

/** Make a file of @text. */
void write_file(const char *path, const char *text);

#endif
