/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what was denied to the policy lines that would allow it. With the image that judged, only
 * what is really missing is suggested: the paths, access bits and sections that it does not allow.
 * Deny rules cannot be overridden by any line; they are named instead.
 */
#ifndef PICKET_TELEMETRY_SUGGEST_H
#define PICKET_TELEMETRY_SUGGEST_H

#include <stdio.h>

#include "telemetry/event.h"
#include "telemetry/request_id.h"

/** What one or several acts lack: an allow rule, or the end of a rule that forbids. */
struct suggest_need {
	enum pk_section section;
	__u8 access; /* bits to allow */
	char *pattern; /* owned; as it stands in a policy, not yet quoted; process: the switch */
	__u64 capabilities; /* process: bits that a list of capabilities must name; 0 = no list */
	__u32 forbidden_by; /* number of the deny or ask rule, PK_RULE_NONE: an allow is enough */
	bool host; /* the pattern is a host name's: means TCP where nothing is said */
	bool hidden; /* the pattern has what redaction hides: it is not shown */
	bool blurred; /* the pattern has a '?' for a byte that a policy text cannot hold */
	__u64 times;
};

/** The needs of a set of acts, one for each (section, pattern, rule). Zero-initialise. */
struct suggest_list {
	struct suggest_need *items;
	size_t count;
	bool hiding; /* while an event is added whose path or words are hidden */
};

/**
 * Add what the denied act @event lacks, which happened @times times. Of @context are needed the image,
 * which may be NULL: then the event is taken at its word; and what is hidden (telemetry/redact.h). Acts that no line allows (suggest_possible()) add nothing.
 * Returns 0 or -ENOMEM.
 */
int suggest_add(struct suggest_list *list, const struct event *event,
		const struct event_context *context, __u64 times);

/** False when the event was denied for a reason that no policy line changes. */
bool suggest_possible(const struct event *event);

/** True when an approver can let the act pass, by `picket approve ID`: then the ID is in @id. */
bool suggest_approval(const struct event *event, char id[static REQUEST_ID_SIZE]);

/**
 * Store the rule (process: the switch) of a need as a line of YAML without indentation or newline, malloc'ed.
 * Returns 0, -EPERM when it would show what is hidden, or -ENOMEM.
 */
int suggest_line(const struct suggest_need *need, char **ret_line);

/** Free everything and make the list empty again. */
void suggest_list_reset(struct suggest_list *list);

#endif
