/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one way events leave: from the work area into a ring buffer, every loss counted.
 */
#ifndef PICKET_REPORT_BPF_H
#define PICKET_REPORT_BPF_H

#include "identity.bpf.h"

#ifndef PK_INLINE
#define PK_INLINE __always_inline
#endif
#include <picket/bucket.h>

/* Who did it: ids of the initial namespaces, names as the tasks claim them. */
static __always_inline void pk_event_task(struct pk_event *e)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);

	e->tgid = BPF_CORE_READ(task, tgid);
	e->tid = BPF_CORE_READ(task, pid);
	e->uid = BPF_CORE_READ(task, real_cred, uid.val);
	e->gid = BPF_CORE_READ(task, real_cred, gid.val);
	e->start_ns = BPF_CORE_READ(leader, start_boottime);
	e->parent_tgid = BPF_CORE_READ(parent, tgid);
	e->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	if (bpf_probe_read_kernel(e->comm, sizeof(e->comm), task->comm))
		e->comm[0] = 0;
	if (bpf_probe_read_kernel(e->parent_comm, sizeof(e->parent_comm), parent->comm))
		e->parent_comm[0] = 0;
	e->cgroup = bpf_get_current_cgroup_id();
}

/* The paths: one moved to the front, or both back to back. Returns the bytes of text. */
static __always_inline __u32 pk_event_paths(struct pk_scratch *s)
{
	struct pk_event *e = &s->event;
	__u32 first = s->rq.length[0];
	__u32 second = s->rq.length[1];

	e->path2_offset = 0;
	e->path2_length = 0;
	if (first > PK_PATH_MAX || second > PK_PATH_MAX)
		return 0;
	if (s->rq.flags & PK_REQUEST_SECOND)
		first = 0;
	else if (!(s->rq.flags & PK_REQUEST_BOTH))
		second = 0;
	/* The copy goes down in memory: forward copying is safe for overlapping text. */
	if (second && bpf_probe_read_kernel(s->data + first, second, s->data + PK_PATH_MAX))
		second = 0;
	if (s->rq.flags & PK_REQUEST_SECOND) {
		e->path_length = second;
		return second;
	}
	e->path_length = first;
	if (second) {
		e->path2_offset = first;
		e->path2_length = second;
	}
	return first + second;
}

/* Who did it: the one that a socket's connection was last asked for by. */
static __always_inline void pk_event_flow(struct pk_event *e, const struct pk_flow *flow)
{
	e->tgid = flow->tgid;
	e->tid = flow->tid;
	e->uid = flow->uid;
	e->gid = flow->gid;
	e->start_ns = flow->start_ns;
	e->parent_tgid = 0;
	e->parent_start_ns = 0;
	e->cgroup = 0;
	__builtin_memcpy(e->comm, flow->comm, sizeof(e->comm));
	__builtin_memset(e->parent_comm, 0, sizeof(e->parent_comm));
}

/* No socket of its own is in the record. */
static __always_inline void pk_event_local(struct pk_event *e)
{
	e->cookie = 0;
	e->local_port = 0;
	__builtin_memset(e->local, 0, sizeof(e->local));
}

/* What was asked for. */
static __always_inline void pk_event_request(struct pk_scratch *s, bool decision)
{
	struct pk_event *e = &s->event;

	e->abi = PK_ABI_VERSION;
	e->kind = decision ? PK_EVENT_DECISION : PK_EVENT_ACTIVITY;
	e->op = s->rq.op;
	e->time_ns = bpf_ktime_get_boot_ns();
	e->agent = s->rq.agent;
	e->section = s->rq.section;
	e->access = s->rq.access;
	e->family = (__u8)s->rq.family;
	e->port = s->rq.port;
	e->protocol = s->rq.protocol;
	*(__be64 *)&e->address[0] = bpf_cpu_to_be64(s->rq.address_hi);
	*(__be64 *)&e->address[8] = bpf_cpu_to_be64(s->rq.address_lo);
	e->target = s->rq.target;
	e->detail = s->rq.detail;
	e->grant = 0;
	e->ask[0] = 0;
	e->ask[1] = 0;
	if (s->rq.flags & PK_REQUEST_KEYED) {
		e->grant = s->asked.grant;
		e->ask[0] = s->asked.key.hash[0];
		e->ask[1] = s->asked.key.hash[1];
	}
	__builtin_memcpy(e->target_comm, s->rq.target_comm, sizeof(e->target_comm));
}

/* Add the paths and send the record to @decisions or the activity ring. */
static __always_inline void pk_event_send(struct pk_scratch *s, bool decision)
{
	struct pk_event *e = &s->event;
	__u32 text = pk_event_paths(s);
	long lost;

	if (text > 2 * PK_PATH_MAX)
		text = 0;
	e->size = sizeof(*e) + text;
	if (decision)
		lost = bpf_ringbuf_output(&pk_decisions, e, sizeof(*e) + text, 0);
	else
		lost = bpf_ringbuf_output(&pk_activity, e, sizeof(*e) + text, 0);
	s->asked.lost = lost != 0;
	if (lost)
		pk_count(s->rq.agent, decision ? PK_COUNT_DECISION_LOST : PK_COUNT_ACTIVITY_LOST);
}

/** Report the request of the running task. */
static __always_inline void pk_report(struct pk_scratch *s, bool decision)
{
	pk_event_request(s, decision);
	pk_event_task(&s->event);
	pk_event_local(&s->event);
	pk_event_send(s, decision);
}

/**
 * Put the name that a destination is known by into the record, as its first path: the finding's, unless
 * the request has a path already.
 */
static __always_inline void pk_event_host(struct pk_scratch *s)
{
	__u64 hash = s->finding.host;
	const struct pk_host *host;

	if (!hash || s->rq.section != PK_SECTION_EGRESS || s->rq.length[0])
		return;
	host = bpf_map_lookup_elem(&pk_hosts, &hash);
	if (!host || host->length > PK_HOST_MAX)
		return;
	__builtin_memcpy(s->data, host->name, sizeof(host->name));
	s->rq.length[0] = host->length;
}

/* Which counter a decision is in. */
static __always_inline __u32 pk_count_of(__u32 verdict)
{
	if (verdict == PK_VERDICT_ALLOW)
		return PK_COUNT_GRANTED;
	return verdict == PK_VERDICT_ASK ? PK_COUNT_ASKED : PK_COUNT_DENIED;
}

/* Enter a verdict that is not "allow", or a grant's; what the caller gets for it, 0 in audit mode. */
static __always_inline int pk_event_verdict(struct pk_scratch *s, const struct pk_result *result,
					    __u32 audit)
{
	struct pk_event *e = &s->event;

	e->verdict = (__u8)result->verdict;
	e->reason = (__u8)result->reason;
	if (result->verdict == PK_VERDICT_ASK &&
	    (result->reason < PK_REASON_HELD || result->reason > PK_REASON_UNHELD))
		e->reason = PK_REASON_APPROVAL;
	e->rule = result->rule;
	e->audit = audit ? 1 : 0;
	e->error = audit ? 0 : (__s32)s->rq.error;
	return audit ? 0 : -(int)s->rq.error;
}

/**
 * What becomes of a verdict that is not "allow", or of a grant (rq.error 0): counted, reported, and the errno for the task, or 0
 * in audit mode.
 */
static __always_inline int pk_conclude(struct pk_scratch *s, const struct pk_result *result,
				       __u32 audit)
{
	int error;

	/* What a first hook let pass in audit mode was reported there. */
	if (audit && (s->rq.flags & PK_REQUEST_BACKSTOP))
		return 0;
	error = pk_event_verdict(s, result, audit);
	if (s->rq.flags & PK_REQUEST_SILENT)
		return error;
	pk_count(s->rq.agent, pk_count_of(result->verdict));
	pk_report(s, true);
	return error;
}

/** May one more activity record of this agent go out now? Held back ones are counted. */
static __always_inline bool pk_activity_allowed(__u32 agent, __u32 rate)
{
	struct pk_agent *a = bpf_map_lookup_elem(&pk_agents, &agent);

	if (!a)
		return false;
	if (!rate || pk_bucket_take(&a->activity_due, bpf_ktime_get_boot_ns(), rate))
		return true;
	__sync_fetch_and_add(&a->counts[PK_COUNT_ACTIVITY_LIMITED], 1);
	return false;
}

/* The activity kind that an allowed request is. */
static __always_inline __u32 pk_activity_kind(const struct pk_request *rq)
{
	if (rq->op == PK_OP_EXEC)
		return PK_ACTIVITY_EXEC;
	if (rq->section == PK_SECTION_EGRESS)
		return PK_ACTIVITY_CONNECT;
	if (rq->section == PK_SECTION_FILES && (rq->access & PK_ACCESS_WRITE))
		return PK_ACTIVITY_WRITE;
	if (rq->section == PK_SECTION_FILES && (rq->access & PK_ACCESS_READ))
		return PK_ACTIVITY_READ;
	return 0;
}

/** Does the image ask to see a request that it allows? */
static __always_inline bool pk_is_reported(const struct pk_scratch *s, const struct pk_image *head)
{
	return !(s->rq.flags & PK_REQUEST_QUIET) && (pk_activity_kind(&s->rq) & head->activity);
}

/** Report a request that the image allows, if it asks to see it and not too many were. */
static __always_inline void pk_report_allowed(struct pk_scratch *s, const struct pk_result *result,
					      const struct pk_image *head)
{
	if (!pk_is_reported(s, head) || !pk_activity_allowed(s->rq.agent, head->rate))
		return;
	s->event.verdict = PK_VERDICT_ALLOW;
	s->event.reason = (__u8)result->reason;
	s->event.rule = result->rule;
	s->event.audit = head->flags & PK_IMAGE_AUDIT ? 1 : 0;
	s->event.error = 0;
	pk_report(s, false);
}

#endif
