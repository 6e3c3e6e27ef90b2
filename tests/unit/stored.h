/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events for tests of the store and of what reads it: real records through the real renderer, then
 * given the keys that picketd adds.
 */
#ifndef PICKET_TESTS_UNIT_STORED_H
#define PICKET_TESTS_UNIT_STORED_H

#include <jansson.h>

#include "events.h"
#include "store/store.h"

/** 2026-11-22T12:00:00Z: when the events of tests begin. */
#define STORED_BEGIN_NS 1795348800000000000LL
/** The agent of the events, and its name in stored_agent(). */
#define STORED_AGENT "a-1-abcdefgh"
#define STORED_NAME "coding-agent"

/** The event of @raw, at STORED_BEGIN_NS + @offset_ns, of STORED_AGENT. The caller's reference. */
json_t *stored_event(const struct raw_event *raw, __s64 offset_ns);

/** A denial of opening @path for reading. */
json_t *stored_denial(const char *path, __s64 offset_ns);

/** An allowed connection to @host at @address. */
json_t *stored_connection(const char *host, const char *address, __s64 offset_ns);

/** A record of picketd's own: the agent begins ("start") or ends ("end"). */
json_t *stored_agent(const char *op, __s64 offset_ns);

/** A record of a process's life: @pid, a child of @parent (0: of none), runs @exe. */
json_t *stored_life(const char *op, int pid, int parent, const char *exe, __s64 offset_ns);

/** Add @event, which is taken over; fails the test when that fails. */
void stored_add(struct store *store, json_t *event);

/** Open the store at @path; fails the test when that fails. */
struct store *stored_open(const char *path, unsigned int flags);

#endif
