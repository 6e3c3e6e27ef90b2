/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of one policy file: read within limits, checked byte by byte before any parser sees it,
 * and the place where findings get their line, column and excerpt. Knows nothing of YAML.
 */
#ifndef PICKET_POLICY_SOURCE_H
#define PICKET_POLICY_SOURCE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/** One policy text in memory. Zero-initialise; source_reset() frees what is owned. */
struct source {
	const char *name; /* borrowed: for messages; outlives the source */
	const char *text; /* length bytes; owned when `owned` is not NULL */
	size_t length;
	char *owned;
	size_t *lines; /* owned: offset of the first byte of each line */
	size_t line_count;
	bool builtin; /* a preset of the program: not the user's to edit */
};

/** How source_read() treats what it opens. */
enum source_kind {
	SOURCE_MAIN, /* the user named it: links are followed, pipes are read */
	SOURCE_INCLUDE, /* a policy named it: a regular file and no link */
};

/** What tells two files apart. */
struct source_identity {
	unsigned long device;
	unsigned long inode;
};

/**
 * Read @path into *@ret_source (name is set to @path, borrowed). A file over POLICY_FILE_MAX is
 * refused by its size. Returns 0, or -errno with *@ret_why the end of the sentence "cannot read
 * 'PATH': ..." (malloc'ed, NULL without memory).
 */
int source_read(const char *path, enum source_kind kind, struct source *ret_source,
		struct source_identity *ret_identity, char **ret_why);

/**
 * Find the lines of a source whose text is set, and check that the text can be shown and means
 * what it shows: UTF-8, no tabs, no control or invisible characters. Of each kind of fault the
 * first is reported, with the number of others. Returns 0, -EINVAL with findings, or -ENOMEM.
 */
int source_check(struct source *source, struct diag_list *diags);

/** Line and column of a byte offset. */
struct diag_pos source_pos(const struct source *source, size_t offset);

/** A part of a source: what a finding underlines. */
struct source_span {
	const struct source *source;
	size_t offset;
	size_t length; /* 0: the place between two bytes */
};

/** Add a finding about @span, with its source line. NULL as of diag_add(). */
struct diag *source_report(struct source_span span, struct diag_list *diags,
			   enum diag_severity severity, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** The same with the arguments in a list. */
struct diag *source_vreport(struct source_span span, struct diag_list *diags,
			    enum diag_severity severity, const char *format, va_list arguments)
	__attribute__((format(printf, 4, 0)));

/** Free what @source owns and make it empty. */
void source_reset(struct source *source);

#endif
