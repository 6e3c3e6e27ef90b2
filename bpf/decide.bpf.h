/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The only place where verdicts are made, and what hooks need around it.
 */
#ifndef PICKET_DECIDE_BPF_H
#define PICKET_DECIDE_BPF_H

#include "identity.bpf.h"
#include "maps.bpf.h"

/** The request is answered in part: what is left of it in s->rq has to be judged. */
#define PK_AGAIN 1

/**
 * Judge s->rq by the agent's image, count, report: requests for files and programs, and switches of
 * the process section. Returns 0 when the call may go on (allowed, granted, or audit mode), else a
 * negative errno: -rq.error, or -ERESTARTNOINTR when the task was stopped to wait for an answer. With
 * PK_REQUEST_MADE also PK_AGAIN.
 */
int pk_decide(struct pk_scratch *s);

/**
 * The same for what no path is asked about: a switch of the process section, or a request with a reason to
 * deny it. A smaller function: verifiers go through each of these again for every program that calls it.
 */
int pk_decide_unkeyed(struct pk_scratch *s);

/**
 * The same for addresses and sockets: sections egress, listen, accept and sockets. s->finding tells
 * more. Also returns PK_ASKED.
 */
int pk_decide_network(struct pk_scratch *s);

/**
 * The same for what no address is asked about: a kind of socket, or a request with a reason to deny it.
 */
int pk_decide_refusal(struct pk_scratch *s);

/** The same for a socket's own address, which has no names: sections listen and accept. */
int pk_decide_local(struct pk_scratch *s);

/** Nothing was decided: each packet will be judged. */
#define PK_LATER 1

/** A rule asks about it, and somebody could approve: pk_decide_asked() is to be called. */
#define PK_ASKED 2

/** What pk_decide_network() left open, for the socket s->asked.cookie. Returns 0 or a negative errno. */
int pk_decide_asked(struct pk_scratch *s);

/**
 * The same for connecting a datagram socket, which sends nothing. Resolver libraries do it to every
 * address that they learned, to see which ways there are: PK_LATER, and no report, where no rule
 * denies it and TCP to the same destination is allowed, for port 0, and where a rule asks.
 */
int pk_decide_datagrams(struct pk_scratch *s);

/**
 * The judgement in pk_decide_network(), into s->finding: destinations also by the names that the agent
 * learned for the address. Neither counts nor reports, and asks nothing about the running task: packet
 * programs may call it. Returns 0 for "allow", else 1.
 */
int pk_judge(struct pk_scratch *s);

/**
 * A rule about the address decided before its names were looked at: the event tells one of them. Out of
 * line: the stack.
 */
int pk_find_host(struct pk_scratch *s);

/**
 * Count and report s->finding, which is not "allow" but for a grant, for a packet: who did it is what @flow says, and
 * cookie, local and local_port of s->event are the caller's to set. Returns -EPERM, 0 in audit mode.
 */
int pk_report_as(struct pk_scratch *s, const struct pk_flow *flow);

/**
 * Judge s->rq, a request for a file, by what is known of its directory (s->known) and its last name
 * (s->components[0]). True only when the call may go on and no event is due; else pk_decide() must
 * be asked. Also true for a policy without a files section; s->named, which the caller clears, tells that
 * the name decided. Resets s->known when it was of no use.
 */
int pk_decide_leaf(struct pk_scratch *s);

/** How an object comes to a second name. */
enum pk_move {
	PK_MOVE_RENAME,
	PK_MOVE_LINK, /* both names stay */
	PK_MOVE_EXCHANGE, /* the object at the second name takes the first */
};

/**
 * Would the object with the first path (data[0], length[0]) get rights at the second one that it
 * does not have now? Returns 1 when it would. @mode is the inode's i_mode (exchange: a directory's
 * if either is one); @move is an enum pk_move. Neither counts nor reports.
 */
int pk_widens(struct pk_scratch *s, __u32 mode, __u32 move);

/** The first page of the agent's image; NULL = none, which denies. */
static __always_inline const struct pk_image *pk_image_head(__u32 agent)
{
	void *image = bpf_map_lookup_elem(&pk_images, &agent);
	__u32 zero = 0;

	return image ? bpf_map_lookup_elem(image, &zero) : 0;
}

/** Is the time of the decision that begins taken? */
static __always_inline bool pk_is_timed(void)
{
	__u32 every = pk_sampling;

	return pk_timing || (every && bpf_get_prandom_u32() % every == 0);
}

/** Take a work area of this CPU; NULL when none is free. Counted; the caller denies. */
static __always_inline struct pk_scratch *pk_scratch_take(__u32 agent)
{
	for (__u32 i = 0; i < PK_SCRATCH_SLOTS; i++) {
		__u32 index = i;
		struct pk_scratch *s = bpf_map_lookup_elem(&pk_scratches, &index);

		if (!s)
			break;
		if (__sync_lock_test_and_set(&s->busy, 1))
			continue;
		__builtin_memset(&s->rq, 0, sizeof(s->rq));
		s->rq.agent = agent;
		s->dir.inode = 0;
		s->ends[0].image = 0;
		s->ends[1].image = 0;
		s->begun_ns = pk_is_timed() ? bpf_ktime_get_ns() : 0;
		return s;
	}
	pk_count(agent, PK_COUNT_SCRATCH_BUSY);
	return 0;
}

/**
 * Whether the image has any say in a request of the process section, for hooks that run often: false
 * only when it certainly has not.
 */
static __always_inline bool pk_guarded(__u32 agent, __u32 guard)
{
	const struct pk_image *head = pk_image_head(agent);

	return !head || ((head->guards.deny | head->guards.ask) & (1U << (guard & 31)));
}

/** time.bpf.c: the decision that s->begun_ns began is made: count it. */
int pk_time_add(struct pk_scratch *s);

/** Give a work area back. */
static __always_inline void pk_scratch_give(struct pk_scratch *s)
{
	if (s->begun_ns)
		(void)pk_time_add(s);
	__sync_lock_test_and_set(&s->busy, 0);
}

/**
 * A hook's return value out of pk_decide()'s, as constants. Left alone the compiler makes a range
 * check and arithmetic of the four cases, and 6.12 and later refuse what they cannot bound ("R0 has
 * unknown scalar value should have been in [-4095, 0]"); the asm keeps each constant apart.
 */
static __always_inline int pk_errno(int error)
{
	int constant;

	if (error == 0)
		asm volatile("%0 = 0" : "=r"(constant));
	else if (error == -EPERM)
		asm volatile("%0 = %1" : "=r"(constant) : "i"(-EPERM));
	else if (error == -ERESTARTNOINTR)
		asm volatile("%0 = %1" : "=r"(constant) : "i"(-ERESTARTNOINTR));
	else if (error == -EXDEV)
		asm volatile("%0 = %1" : "=r"(constant) : "i"(-EXDEV));
	else
		asm volatile("%0 = %1" : "=r"(constant) : "i"(-EACCES));
	return constant;
}

#endif
