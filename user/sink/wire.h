/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the daemon and the process of a sink, over a pair of SOCK_SEQPACKET sockets: records go one
 * way, reports the other. Both are of the same program.
 */
#ifndef PICKET_SINK_WIRE_H
#define PICKET_SINK_WIRE_H

#include <linux/types.h>

/** Bytes of a message at most; longer records are refused where they are queued. */
#define WIRE_MAX ((size_t)512 << 10)

/** The head of a message with a record; its line follows. */
struct wire_record {
	__u64 number; /* rises by one */
	__u32 class; /* enum sink_class */
	__u32 pad;
};

/** How a sink's process is. */
enum wire_state {
	WIRE_STARTING, /* nothing was tried yet */
	WIRE_WORKING,
	WIRE_RETRYING, /* the last try failed, the next one comes */
};

/** What the process tells after each try. */
struct wire_report {
	__u64 delivered; /* all records up to this number are delivered or refused */
	__u64 refused_from; /* of these, those from this number on are refused; 0 = none */
	__u32 retries; /* since the last report */
	__u32 state; /* enum wire_state */
	__u32 root; /* it runs as root */
	char error[236]; /* what went wrong last; "" = nothing since it works again */
};

#endif
