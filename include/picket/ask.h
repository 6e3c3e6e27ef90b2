/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Approvals: what the programs and user space tell each other about acts that an `ask` rule is about.
 *
 * A hook whose verdict is "ask" makes the request's key and looks for a grant. Without one the act is
 * held (the process gets SIGSTOP, the call -ERESTARTNOINTR: it is made again, and judged again, when
 * the process goes on) or refused until one is there, and the event carries the key. User space writes
 * the answer under that key and, for held ones, lets the process go on.
 */
#ifndef PICKET_ASK_H
#define PICKET_ASK_H

#ifndef __BPF__
#include <linux/types.h>
#endif

/** Answers at a time, of all agents. A full map: the answer cannot be given, the act stays held. */
#define PK_GRANTS_MAX 16384
/** Stopped threads at a time, of all agents. A full map: refused instead of held. */
#define PK_HELD_MAX 8192

/**
 * What an approver is asked about: a keyed hash (128 bits; the key is the host's secret) of section,
 * access, operation (not for egress) and the whole object: the path; the name, else the address, with
 * port and protocol; the program with all its words; the switch with its target.
 */
struct pk_ask_key {
	__u64 hash[2];
	__u32 agent; /* slot */
	__u32 _pad;
};

/** uses: as often as it is asked. */
#define PK_GRANT_UNLIMITED 0x7fffffffffffffffLL

/** An answer. User space makes and deletes it, the programs count `uses` down. */
struct pk_grant {
	__u64 expires_ns; /* CLOCK_BOOTTIME; 0 = as long as the agent */
	__s64 uses; /* acts that are left; 0 or less: used up, as if it were not there */
	__u32 verdict; /* PK_VERDICT_ALLOW, or PK_VERDICT_DENY: an approver refused */
	__u32 id; /* in events: pk_event.grant */
	__u32 rule; /* reference of the rule that it was asked by, and it is for that one only */
	__u32 _pad;
	__u64 image; /* digest of the image `rule` is of, its first bytes */
};

/** A stopped thread; its number in the initial pid namespace is the key. Deleted when it goes on. */
struct pk_hold {
	struct pk_ask_key key;
	__u64 start_ns; /* of its process, CLOCK_BOOTTIME: with tgid its stable id */
	__u64 since_ns; /* CLOCK_BOOTTIME */
	__u32 tgid;
	__u32 rule;
};

_Static_assert(sizeof(struct pk_ask_key) == 24, "no holes");
_Static_assert(sizeof(struct pk_grant) == 40, "no holes");
_Static_assert(sizeof(struct pk_hold) == 48, "no holes");

#endif
