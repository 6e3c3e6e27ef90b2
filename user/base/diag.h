/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Diagnostics: what is wrong, where, and what would be right. Modules add to a list, commands
 * print it. Nothing here decides whether to go on: whoever owns the list asks diag_has_errors().
 */
#ifndef PICKET_BASE_DIAG_H
#define PICKET_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** A place in a text. Lines and columns count from 1; line 0 = the file as a whole. */
struct diag_pos {
	const char *file; /* borrowed: lives as long as the policy source it names; NULL = none */
	unsigned int line;
	unsigned int column; /* in bytes */
};

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

/** One finding. All text is owned by the list. */
struct diag {
	enum diag_severity severity;
	const char *code; /* static: the kind of a warning, "W-shadowed", or NULL */
	char *file;
	unsigned int line;
	unsigned int column;
	unsigned int length; /* bytes to underline, at least 1 */
	char *message; /* one sentence, no full stop */
	char *hint; /* what would be right, or NULL */
	char *excerpt; /* the source line without its newline, or NULL; of a long one the part
			* around the column */
	unsigned int cut; /* bytes of the source line left out before the excerpt */
	bool cut_end; /* the source line goes on behind the excerpt */
};

/** Findings in the order they were made. Zero-initialise; diag_list_reset() frees. */
struct diag_list {
	struct diag *items;
	size_t count;
	size_t dropped; /* findings over DIAG_LIST_MAX, counted only; an error displaces a warning */
	bool out_of_memory; /* a finding could not be stored; counts as an error */
};

/** More findings than this are counted, not stored: one screen is what people read. */
#define DIAG_LIST_MAX 100
/** Most bytes of a source line that are kept to be shown. */
#define DIAG_EXCERPT_MAX 160

/**
 * Add a finding at @pos (NULL: nowhere in particular). Returns the stored finding, to which a
 * hint, excerpt or length can be added until the next call, or NULL (list full, no memory).
 */
struct diag *diag_add(struct diag_list *list, enum diag_severity severity,
		      const struct diag_pos *pos, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** Set the hint of a finding; @diag may be NULL (a finding that was not stored). */
void diag_hint(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Set the source line shown below a finding: @length bytes at @line, cut at a newline. Of a line
 * over DIAG_EXCERPT_MAX bytes a window around the finding's column is kept.
 */
void diag_excerpt(struct diag *diag, const char *line, size_t length);

/** True when the list holds an error (or lost one for want of memory). */
bool diag_has_errors(const struct diag_list *list);

/**
 * Print all findings: `file:line:column: error: message`, the source line, a caret line and
 * `hint: ...`. Control bytes and invalid UTF-8 of messages and excerpts are escaped.
 */
void diag_print(const struct diag_list *list, FILE *to);

/** Free everything and make the list empty again. */
void diag_list_reset(struct diag_list *list);

#endif
