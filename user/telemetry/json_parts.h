/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the JSON of events (json.c), of lives (json_life.c) and of processes (json_process.c) share.
 */
#ifndef PICKET_TELEMETRY_JSON_PARTS_H
#define PICKET_TELEMETRY_JSON_PARTS_H

#include "telemetry/json.h"
#include "telemetry/json_write.h"

/** The keys that every record begins with: schema, time, kind, agent. */
void json_put_head(struct json_writer *to, __u64 time_ns, __u32 kind, __u32 agent,
		   const struct event_context *context);

/** A time of CLOCK_BOOTTIME. */
void json_put_time(struct json_writer *to, const char *key, __u64 ns,
		   const struct event_context *context);

/** A path without what is to be hidden; @hex_key: the same in hexadecimal, if it is no UTF-8 and whole. */
void json_put_path(struct json_writer *to, const char *key, const char *hex_key,
		   struct event_path path, const struct event_context *context);

/** Words, each ended by a NUL, without what is to be hidden: one text with blanks between, or a list. */
void json_put_command(struct json_writer *to, const char *key, struct event_path words,
		      const struct event_context *context);
void json_put_words(struct json_writer *to, const char *key, struct event_path words,
		    const struct event_context *context);

/** Free text without what is to be hidden; nothing if it is empty. */
void json_put_free(struct json_writer *to, const char *key, struct event_path text,
		   const struct event_context *context);

/** process, parent, chain, chain_cut and context. */
void json_put_processes(struct json_writer *to, const struct json_process *process,
			const struct event_context *context);

#endif
