/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked about, in words, and which rule asks. The words are those of the event's JSON; the rule
 * of one image is found again in another when it asks in the same way there.
 */
#ifndef PICKET_DAEMON_ASK_ACT_H
#define PICKET_DAEMON_ASK_ACT_H

#include <jansson.h>

#include "telemetry/event.h"

/** More of a command's words are not shown. */
#define ASK_WORDS_MAX 64

/**
 * The act of @event, exact, for an answer is about this act and no other that looks like it without its
 * secrets; where the object has some, `shown` is it without them. An object with op, section, access, object, rule or default, and what else the
 * event says of it; argv of a command only where a NUL ends each word. NULL: no memory.
 */
json_t *ask_act(const struct event *event, const struct event_context *context);

/** The object of an act for messages and records: without secrets. */
const char *ask_shown(const json_t *act);

/** How many different approvers an act takes that rule reference @rule of @image asks about. */
unsigned int ask_approvers(const struct policy_image *image, __u32 rule);

/** Seconds that a request waits for an answer. */
unsigned int ask_timeout(const struct policy_image *image);

/** The first bytes of the digest: pk_grant.image. */
__u64 ask_image(const struct policy_image *image);

/**
 * The reference in @after of the rule that is @rule in @before: the same text of the same file, for the
 * same programs, with as many approvers. PK_RULE_NONE when there is none.
 */
__u32 ask_find_rule(const struct policy_image *before, __u32 rule,
		    const struct policy_image *after);

#endif
