/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is gathered for a report, and the parts that write it.
 */
#ifndef PICKET_REPORT_REPORT_PARTS_H
#define PICKET_REPORT_REPORT_PARTS_H

#include <stdbool.h>

#include "report/report.h"
#include "report/tally.h"

/** Pixels of the pictures. */
#define REPORT_WIDTH 960
/** Bins of the time line. */
#define REPORT_BINS 192
/** Rows of a table, calls of tools, single events that are shown. */
#define REPORT_ROWS 100
#define REPORT_CALLS 60
#define REPORT_MOMENTS 300

/** A piece of time. */
struct report_bin {
	__u64 denied, asked, other;
};

/** The time line: bins get twice as wide when what comes is behind the last one. */
struct report_line {
	struct report_bin bins[REPORT_BINS];
	__s64 begin_ns;
	__s64 width_ns; /* of a bin; 0: nothing came yet */
};

/** A call of a tool, from the agent's notes. */
struct report_call {
	char *name, *id; /* owned */
	__s64 begin_ns, end_ns; /* end 0: not told */
	bool claimed;
};

/** An agent; texts are owned and may be NULL. */
struct report_agent {
	char *id, *name, *policy, *digest, *mode;
	__s64 uid, start_ns, end_ns;
};

/** All that is gathered. */
struct report {
	struct store *store;
	const struct report_question *question;
	struct event_filter filter; /* the agents and the period */
	struct report_agent *agents;
	size_t agent_count;
	__s64 first_ns, last_ns; /* of the events; 0: none */
	__u64 events, denied, asked, audited, allowed, lives, records;
	struct tally rules; /* what refused or asked */
	struct tally destinations;
	struct tally files; /* denied, asked for, written */
	struct tally processes; /* id -> refusals */
	struct tally losses; /* class and place; `other` is their number */
	struct report_line line;
	struct report_call *calls;
	size_t call_count;
	__u64 calls_left_out;
	json_t *moments; /* events that are told one by one */
	__u64 moments_left_out;
	json_t *head; /* the last record about the head of the audit trail, or NULL */
	struct store_facts facts;
	struct store_gaps gaps;
};

/** What an event was about: a path, a destination, a command; malloc'ed, NULL: no memory. */
char *report_object(const json_t *event);

/** The text at @key of @from, or "". */
const char *report_text(const json_t *from, const char *key);

/** Count @event in the time line. Events come in order of time. */
void report_line_add(struct report_line *line, __s64 when_ns, enum tally_what what, __u64 times);

/** Write a part. */
void report_write_style(FILE *to);
void report_write_head(const struct report *report, FILE *to);
void report_write_line(const struct report *report, FILE *to);
int report_write_tree(const struct report *report, FILE *to);
void report_write_rules(const struct report *report, FILE *to);
void report_write_destinations(const struct report *report, FILE *to);
void report_write_files(const struct report *report, FILE *to);
void report_write_moments(const struct report *report, FILE *to);
void report_write_losses(const struct report *report, FILE *to);

/** Write @text so that it is text and can be seen: markup, control and deceptive characters escaped. */
void html_text(FILE *to, const char *text);

/** The same, cut behind @columns columns of a terminal with an ellipsis. */
void html_text_cut(FILE *to, const char *text, unsigned int columns);

/** "2026-11-22 12:00:04.123 UTC". */
void html_time(FILE *to, __s64 ns);

/** "1,234,567". */
void html_number(FILE *to, __u64 number);

#endif
