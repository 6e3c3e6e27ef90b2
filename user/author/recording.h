/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recorded events, a line of JSON each, as acts: equal ones once, in an order that does not depend on
 * the order of the file. A recording made by `picket run --learn` begins and ends with a line about
 * itself (schema "picket.recording/1"), so that one that was cut or has lost events is known as such:
 *
 *   {"schema": "picket.recording/1", "part": "head", "cwd": DIR, "home": DIR, "user": NAME, "tier": TIER}
 *   {"schema": "picket.recording/1", "part": "end", "lost": NUMBER}
 */
#ifndef PICKET_AUTHOR_RECORDING_H
#define PICKET_AUTHOR_RECORDING_H

#include <stdio.h>

#include "author/observation.h"

/** Most bytes of a line; an event has two paths of PK_PATH_MAX, escaped and in hexadecimal, at most. */
#define RECORDING_LINE_MAX (1U << 17)

/** What is known of the events of one or several files. Zero-initialise; recording_reset() frees. */
struct recording {
	struct observation *items; /* recording_finish() sorts them */
	size_t count;
	__u64 events; /* lines that were events */
	__u64 acts_seen; /* acts behind them: starting a program is one, and often two events */
	__u64 lost; /* events that the recorder could not keep */
	size_t heads, ends; /* lines about recordings; more heads than ends: one was cut */
	char *cwd, *home, *user, *tier; /* of the first head; or NULL */
	bool by_program; /* set before: acts of different programs are different ones */
	void *acts; /* tsearch() tree while files are read */
	void *processes; /* the same, of what processes run */
};

/**
 * Read @from, called @name in findings (which borrow it), to its end. Lines of other picket schemas are passed over,
 * empty ones too. Returns 0; -EINVAL with a finding that has the line and the cause; -ENOMEM; the
 * error of reading.
 */
int recording_read(struct recording *recording, FILE *from, const char *name,
		   struct diag_list *diags);

/** Put the acts of all files read so far into items. Returns 0 or -ENOMEM. */
int recording_finish(struct recording *recording);

/** The first line of a recording, without newline; NULL parts are left out. malloc'ed, NULL: no memory. */
char *recording_head(const char *cwd, const char *home, const char *user, const char *tier);

/** The last line of one, from which @lost events are missing. */
char *recording_end(__u64 lost);

/** Free everything and make it empty. */
void recording_reset(struct recording *recording);

#endif
