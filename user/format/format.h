/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in the formats that other programs read. The input is always the parsed line of JSON of
 * telemetry/json.h ("picket.event/1"): nothing here knows the kernel's structs, or where a record goes.
 * Keys of the wrong type count as absent, unknown ones are passed over: lines may come from files
 * that others wrote. Only an object with a text `kind` is taken.
 *
 *   json            the record itself, compact
 *   text            one line for people, format_line() without flags
 *   ocsf            OCSF 1.3.0: network activity (4001), DNS activity (4003), process activity (1007), file
 *                   system activity (1001); what no activity describes and was denied is a detection
 *                   finding (2004), other records are base events (0)
 *   ecs             Elastic Common Schema 8.11
 *   otlp-json       OTLP/HTTP: one ExportLogsServiceRequest in JSON
 *   otlp-protobuf   the same in protobuf
 *   syslog          RFC 5424, one message without framing
 *   journal         journald's native protocol: one entry
 *
 * Names of files, words and the like stay escaped as in the record (base/escape.h), so that a viewer of any
 * of these formats is safe too.
 */
#ifndef PICKET_FORMAT_FORMAT_H
#define PICKET_FORMAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/** The order is that of format_name(). */
enum format {
	FORMAT_JSON,
	FORMAT_TEXT,
	FORMAT_OCSF,
	FORMAT_ECS,
	FORMAT_OTLP_JSON,
	FORMAT_OTLP_PROTOBUF,
	FORMAT_SYSLOG,
	FORMAT_JOURNAL,
	FORMAT__MAX
};

/** What a record does not say: where it was made. Texts may be NULL: then left out. */
struct format_machine {
	const char *hostname;
	const char *machine_id; /* /etc/machine-id: 32 hexadecimal digits */
	const char *boot_id; /* of this boot, a UUID */
	const char *version; /* picket's */
	const char *kernel; /* release */
	unsigned int facility; /* syslog: 0 to 23 */
};

/** Bytes, which may hold any value; followed by a NUL that is not counted. Owned. */
struct format_text {
	char *bytes;
	size_t length;
};

/** Free the bytes and make it empty. */
void format_text_reset(struct format_text *text);

/** The format of a name as above; -EINVAL for another word. */
int format_named(const char *name);

/** The name of a format; "unknown" out of range. */
const char *format_name(enum format format);

/**
 * Render one record, without a newline at the end. Both OTLP formats give a request with one record.
 * Returns 0; -EBADMSG when @event is no record; -EINVAL for an unknown format; -ENOMEM.
 */
int format_record(enum format format, const json_t *event, const struct format_machine *machine,
		  struct format_text *ret);

/**
 * Render @count records as one body: OTLP as one request, the others as lines, each ended by a newline.
 * Records that format_record() would refuse with -EBADMSG refuse the whole. -ENOTSUP for syslog and
 * journal, which know only single messages.
 */
int format_batch(enum format format, const json_t *const *events, size_t count,
		 const struct format_machine *machine, struct format_text *ret);

/** For format_line(). */
#define FORMAT_COLOUR 1U /* terminal colours */
#define FORMAT_WIDE                                                                                \
	2U /* date, agent, user, program and folder, all ancestors, what the agent was about */
#define FORMAT_UTC 4U /* time of day in UTC, not in the time zone of this process */

/**
 * Render one line for people, without a newline, as a malloc'ed string. No byte of the record can
 * break the line or steer a terminal. Returns 0, -EBADMSG or -ENOMEM.
 */
int format_line(const json_t *event, unsigned int flags, char **ret_line);

#endif
