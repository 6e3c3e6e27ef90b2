/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The renderers behind format.h, one for each format. Each takes a record (value_is_record()) and
 * fails only for lack of memory.
 */
#ifndef PICKET_FORMAT_RENDER_H
#define PICKET_FORMAT_RENDER_H

#include "format/format.h"
#include "format/value.h"

/** The OCSF event; NULL when out of memory. */
json_t *ocsf_event(const json_t *event, const struct format_machine *machine);

/** The ECS document; NULL when out of memory. */
json_t *ecs_event(const json_t *event, const struct format_machine *machine);

/** One ExportLogsServiceRequest in the JSON form; NULL when out of memory. */
json_t *otlp_request(const json_t *const *events, size_t count,
		     const struct format_machine *machine);

/** The same request, as otlp_request() made it, in protobuf. Returns 0 or -ENOMEM. */
int otlp_protobuf(const json_t *request, struct format_text *ret);

/** One syslog message. Returns 0 or -ENOMEM. */
int syslog_message(const json_t *event, const struct format_machine *machine,
		   struct format_text *ret);

/** One entry for journald. Returns 0 or -ENOMEM. */
int journal_entry(const json_t *event, struct format_text *ret);

/** What the act was on, as in the line for people ("/a -> /b", "10.0.0.1:443/udp"). */
void line_put_object(FILE *to, const json_t *event);

/** What decided and why. */
void line_put_decider(FILE *to, const json_t *event);

/** A text of a record: stays on its line and cannot steer a terminal; @also is escaped too (0: none). */
void line_put_safe(FILE *to, const char *text, char also);

/** The same, in quotation marks where its end would not be seen. */
void line_put_name(FILE *to, const char *text);

/**
 * A sentence of one line without time, like "denied open /etc/shadow by cat[41]: no rule matched", as a
 * malloc'ed string. Returns 0 or -ENOMEM.
 */
int line_sentence(const json_t *event, char **ret_text);

#endif
