/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How long decisions take, while somebody wants to know: from the work area's being taken to its being given
 * back. Into the agent's counters, all of them; and a sample into a histogram for each operation. Decides
 * nothing; without the agent's counters nothing is added to them.
 */
#include "picket.bpf.h"

#include "decide.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u32 pk_timing = 0;
__u32 pk_sampling = 0;

/* The n for which 2^(n-1) <= @ns < 2^n; at most the last bucket. Without branches for verifiers to follow. */
static __always_inline __u32 pk_latency_bucket(__u64 ns)
{
	__u32 value = ns >> 31 ? 0x7fffffffU : (__u32)ns;
	__u32 n = 0;
	__u32 half;

	if (!value)
		return 0;
	for (__u32 shift = 16; shift; shift /= 2) {
		half = (__u32)(value >> shift != 0) * shift;
		value >>= half;
		n += half;
	}
	return n + 1;
}

static __always_inline void pk_latency_add(__u32 op, __u64 spent)
{
	struct pk_latency *latency = bpf_map_lookup_elem(&pk_latency, &op);
	__u32 bucket = pk_latency_bucket(spent);

	if (!latency || bucket >= PK_LATENCY_BUCKETS)
		return;
	/* Atomic: another hook may run on this CPU while this one is preempted. */
	__sync_fetch_and_add(&latency->sum_ns, spent);
	__sync_fetch_and_add(&latency->buckets[bucket], 1);
}

__noinline int pk_time_add(struct pk_scratch *s)
{
	struct pk_agent *a;
	__u64 spent;
	__u32 agent;

	if (!s)
		return 0;
	spent = bpf_ktime_get_ns() - s->begun_ns;
	if (pk_sampling)
		pk_latency_add(s->rq.op, spent);
	if (!pk_timing)
		return 0;
	agent = s->rq.agent;
	a = bpf_map_lookup_elem(&pk_agents, &agent);
	if (!a)
		return 0;
	__sync_fetch_and_add(&a->counts[PK_COUNT_TIMED], 1);
	__sync_fetch_and_add(&a->counts[PK_COUNT_TIMED_NS], spent);
	return 0;
}
