/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy that grows while another format is read: rules by section, each with the line it comes from,
 * notes for its readers, and tests. Knows picket's language and none of the others. Functions without a
 * result remember that memory was short; draft_write() tells.
 */
#ifndef PICKET_IMPORT_DRAFT_H
#define PICKET_IMPORT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Sections of a policy that formats are brought over to, in the order in which they are written. */
enum draft_section { DRAFT_EGRESS, DRAFT_LISTEN, DRAFT_FILES, DRAFT_EXEC, DRAFT__MAX };

/** A list of owned texts. */
struct draft_lines {
	char **items;
	size_t count;
};

/** One rule. */
struct draft_rule {
	enum draft_section section;
	char *verdict; /* owned, as all below */
	char *pattern;
	char *extra; /* ", access: [read]" and the like; may be empty */
	unsigned int line; /* of the other format's file; 0: none */
};

/** The policy so far. Zero-initialise; draft_reset() frees. */
struct draft {
	struct draft_lines notes; /* comments at the top */
	struct draft_lines head; /* whole lines below "picket: 1" */
	struct draft_lines tail; /* whole lines behind the sections */
	struct draft_lines tests; /* what stands in the braces of a test */
	char *defaults[DRAFT__MAX]; /* of sections that there are; owned */
	struct draft_rule *rules;
	size_t rule_count;
	bool failed; /* memory was short */
};

/** Add a line (printf) to @lines of @draft. */
void draft_line(struct draft *draft, struct draft_lines *lines, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Make the section one of the policy, with @verdict as its default; the last call holds. */
void draft_default(struct draft *draft, enum draft_section section, const char *verdict);

/** A rule: @pattern as the language has it, not quoted. One that is there already is not added again. */
void draft_rule(struct draft *draft, const struct draft_rule *rule);

/** @text for single quotes of YAML; malloc'ed, or NULL (remembered). */
char *draft_quote(struct draft *draft, const char *text);

/**
 * Write the policy, which @title (a line) describes, with tests that its own rules give besides those added.
 * Returns 0 or -ENOMEM.
 */
int draft_write(struct draft *draft, const char *title, FILE *to);

/** Free everything and make it empty. */
void draft_reset(struct draft *draft);

#endif
