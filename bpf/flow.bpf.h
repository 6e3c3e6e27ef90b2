/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is kept about an agent's socket: who asked for which destination, and what was found. Written
 * where a destination is judged; the packet programs go by it.
 */
#ifndef PICKET_FLOW_BPF_H
#define PICKET_FLOW_BPF_H

#include "decide.bpf.h"
#include "image.bpf.h"

/** A destination, or a socket's own address. */
struct pk_target {
	struct pk_address at;
	__u32 protocol;
	__u16 port;
	__u8 family;
	__u8 access; /* enum pk_access; 0: a protocol that no rule is about */
};

/** The flow of a socket, made when there is none. NULL: no memory, which denies. */
static __always_inline struct pk_flow *pk_flow_make(void *sk)
{
	return bpf_sk_storage_get(&pk_flows, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/** The flow of a socket, NULL when nothing was judged for it. */
static __always_inline struct pk_flow *pk_flow_get(void *sk)
{
	return bpf_sk_storage_get(&pk_flows, sk, 0, 0);
}

/** Is it what was judged last, and by the same image? */
static __always_inline bool pk_flow_holds(const struct pk_flow *flow, const struct pk_target *to,
					  __u64 image)
{
	return flow->kind == PK_FLOW_OUT && flow->image == image && flow->address_hi == to->at.hi &&
	       flow->address_lo == to->at.lo && flow->port == to->port &&
	       flow->access == to->access;
}

/** Is the flow on its way to where the request goes, by the same image? */
static __always_inline bool pk_flow_goes(const struct pk_flow *flow, const struct pk_request *rq,
					 __u64 image)
{
	struct pk_target to = {
		.at = { rq->address_hi, rq->address_lo },
		.port = rq->port,
		.access = rq->access,
	};

	return pk_flow_holds(flow, &to, image);
}

/** The destination s->rq was let through: the flow goes there, with nothing looked at yet. */
static __always_inline void pk_flow_note(struct pk_flow *flow, const struct pk_scratch *s)
{
	flow->address_hi = s->rq.address_hi;
	flow->address_lo = s->rq.address_lo;
	flow->port = s->rq.port;
	flow->access = s->rq.access;
	flow->image = s->finding.image;
	flow->host = s->finding.host;
	flow->agent = s->rq.agent;
	flow->check = s->finding.check;
	flow->next = 0;
	flow->started = PK_START_NONE;
	flow->local = 0;
	flow->connected = 1;
	flow->kind = PK_FLOW_OUT;
}

/** A connection of the flow begins: what it says first is looked at from byte number @first on. */
static __always_inline void pk_flow_begin(struct pk_flow *flow, __u32 first)
{
	flow->next = first;
	flow->started = PK_START_SYN;
}

/** It is the running task that asks, a program with the bits @subjects. Not for packet programs. */
static __always_inline void pk_flow_asker(struct pk_flow *flow, __u32 subjects)
{
	struct task_struct *task = bpf_get_current_task_btf();

	flow->subjects = subjects;
	flow->tgid = (__u32)task->tgid;
	flow->tid = (__u32)task->pid;
	flow->uid = task->real_cred->uid.val;
	flow->gid = task->real_cred->gid.val;
	flow->start_ns = task->group_leader->start_boottime;
	if (bpf_probe_read_kernel(flow->comm, sizeof(flow->comm), task->comm))
		flow->comm[0] = 0;
}

#endif
