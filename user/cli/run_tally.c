/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refused system calls are left out: it is the listener of the filter that tells of them, and the
 * kernel's counters know nothing of it.
 */
#include "cli/run_tally.h"

#include <stdio.h>
#include <string.h>

#include "cli/daemon_call.h"
#include "telemetry/names.h"

void run_tally_add(struct run_tally *tally, const json_t *event)
{
	tally->told += strcmp(daemon_text(event, "kind"), names_event_kind(PK_EVENT_DECISION)) ==
			       0 &&
		       strcmp(daemon_text(event, "op"), names_op(PK_OP_SYSCALL)) != 0;
}

void run_tally_close(struct run_tally *tally, const json_t *counts)
{
	tally->decided = daemon_number(counts, names_count(PK_COUNT_DENIED)) +
			 daemon_number(counts, names_count(PK_COUNT_ASKED)) +
			 daemon_number(counts, names_count(PK_COUNT_GRANTED));
	tally->lost = daemon_number(counts, names_count(PK_COUNT_DECISION_LOST));
	tally->untold = tally->decided - tally->lost - tally->told;
	/* An event more than there are decisions is no reason to tell of fewer than none. */
	if (tally->untold < 0)
		tally->untold = 0;
}

char *run_tally_line(const struct run_tally *tally, const char *agent)
{
	json_t *doc = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "schema", RUN_TALLY_SCHEMA,
				"agent", agent, "decided", tally->decided, "told", tally->told,
				"lost", tally->lost, "untold", tally->untold);
	char *line = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	return line;
}

char *run_tally_text(const struct run_tally *tally)
{
	char *text = NULL;

	if (tally->untold == 0 ||
	    asprintf(&text,
		     "picket: %lld decisions took effect but were not told: picketd was away, or "
		     "nobody read them in time\n",
		     (long long)tally->untold) < 0)
		return NULL;
	return text;
}
