/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that picketd makes itself, of what the kernel does not tell: agents that begin and end,
 * policies, answers, losses. They have the head of an event, and keys of their own, which json.h
 * lists, in the order in which they are added.
 */
#ifndef PICKET_TELEMETRY_RECORD_H
#define PICKET_TELEMETRY_RECORD_H

#include <jansson.h>

/**
 * A record of now: schema, time, kind, agent (NULL: it is about none) and op. The texts are plain
 * ASCII. Returns it (the caller's reference), or NULL: no memory.
 */
json_t *record_new(const char *kind, const char *op, const char *agent);

/**
 * Add a text that may hold any byte but NUL, escaped as base/escape.h says; NULL: nothing is added.
 * Returns 0 or -ENOMEM, also for a NULL record.
 */
int record_set_text(json_t *record, const char *key, const char *text);

/** Add a number. Returns 0 or -ENOMEM, also for a NULL record. */
int record_set_number(json_t *record, const char *key, json_int_t number);

/** Store the line, without newline, as a malloc'ed string. Returns 0 or -ENOMEM. */
int record_line(const json_t *record, char **ret_line);

#endif
