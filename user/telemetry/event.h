/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the raw bytes of a ring buffer to a record whose every field is in range. Whoever holds a
 * struct event need check nothing more; whoever holds raw bytes may read nothing.
 */
#ifndef PICKET_TELEMETRY_EVENT_H
#define PICKET_TELEMETRY_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <picket/abi.h>
#include <picket/image.h>

#include "policy/image.h"

struct process_view;
struct redact_settings;

/** Bytes of a record; not NUL-terminated, any byte but NUL. Empty: NULL, 0. */
struct event_path {
	const char *bytes;
	size_t length;
};

/** A checked record. The paths point into the raw bytes it was decoded from. */
struct event {
	struct pk_event head; /* every enum below its __MAX, rule reference well formed */
	struct event_path path; /* event_is_network(): a host name */
	struct event_path path2; /* new name of a rename or link; the words of a command, each
				  * ended by a NUL; another host name */
	char comm[17]; /* NUL-terminated, may hold any other byte */
	char parent_comm[17];
	char target_comm[17]; /* of the process that it is about; "" = none, or unknown */
};

/** What turns a record into words: the same for the text and the JSON form. Nothing is owned. */
struct event_context {
	const struct policy_image *image; /* validated; that judged; NULL: rules by number only */
	const char *
		main_file; /* text: rules of this policy file are shown without its name; or NULL */
	const char *agent; /* JSON: name of the agent; NULL = its slot number */
	__s64 clock_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME, event_clock_offset() */
	bool colour; /* text: terminal colours */
	const struct process_view *process; /* JSON: of the record's process; NULL = not known */
	const struct redact_settings *redact; /* what is hidden; NULL = redact_standard */
	__u64 seq; /* JSON: number of the record among those handed out; 0 = none */
};

/**
 * Check and take apart the @size bytes at @bytes (as the ring buffer gave them). Returns 0;
 * -EPROTONOSUPPORT for a record of another ABI version; -EBADMSG for a malformed one.
 */
int event_decode(const void *bytes, size_t size, struct event *ret_event);

/** True for operations on an internet address (address and port are meaningful). */
bool event_has_address(const struct event *event);

/** True for operations whose paths are host names: those on addresses and on names. */
bool event_is_network(const struct event *event);

/** True when the event tells the socket's own address and port. */
bool event_has_local(const struct event *event);

/** True of the reasons by which an ask rule, default or switch decided, whatever came of it. */
static inline bool event_reason_asks(__u32 reason)
{
	return reason >= PK_REASON_APPROVAL && reason <= PK_REASON_REFUSED;
}

/** The same of an event: head.rule tells what asked. */
static inline bool event_was_asked(const struct event *event)
{
	return event_reason_asks(event->head.reason);
}

/** True when the event has the hash of a request (head.ask). */
static inline bool event_has_request(const struct event *event)
{
	return event->head.ask[0] || event->head.ask[1];
}

/** True when the event is about another process: target, and target_comm if it is known. */
static inline bool event_has_target(const struct event *event)
{
	return event->head.target != 0;
}

/** Bytes for the text of any address. */
#define EVENT_ADDRESS_SIZE 46

/** Write an address (IPv4 mapped as usual) without brackets into @text; returns @text. */
const char *event_address(const __u8 address[static 16], char text[static EVENT_ADDRESS_SIZE]);

/** Nanoseconds to add to CLOCK_BOOTTIME for the time of day. */
__s64 event_clock_offset(void);

/** Seconds since the epoch and nanoseconds of a CLOCK_BOOTTIME stamp; never negative. */
struct timespec event_time(__u64 boottime_ns, __s64 clock_offset_ns);

#endif
