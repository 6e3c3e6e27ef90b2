/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How long decisions take, while somebody wants to know: from the work area's being taken to its being given
 * back. Decides nothing; without the agent's counters nothing is counted.
 */
#include "picket.bpf.h"

#include "decide.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u32 pk_timing = 0;

__noinline int pk_time_add(struct pk_scratch *s)
{
	struct pk_agent *a;
	__u64 spent;
	__u32 agent;

	if (!s)
		return 0;
	spent = bpf_ktime_get_ns() - s->begun_ns;
	agent = s->rq.agent;
	a = bpf_map_lookup_elem(&pk_agents, &agent);
	if (!a)
		return 0;
	__sync_fetch_and_add(&a->counts[PK_COUNT_TIMED], 1);
	__sync_fetch_and_add(&a->counts[PK_COUNT_TIMED_NS], spent);
	return 0;
}
