/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Refused system calls of agents that no seccomp filter can be put on, because they were running
 * before they became agents. Loaded only when such an agent's policy has the section syscalls.
 *
 *   tp_btf/sys_enter   the process is killed; in audit mode the call is only reported
 *
 * The signal is there before the call starts and works at the latest when it ends: a call that does
 * not wait may still have its effect. A seccomp filter, as `run` uses it, has no such gap.
 */
#include "picket.bpf.h"

#include "image.bpf.h"

#include "compat.bpf.h"
#include "guard.bpf.h"
#include "report.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Which table of calls the task is in: index of pk_refused.rule. */
static __always_inline __u32 pk_call_table(long id)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
		return PK_CALLS_32;
	return id & X32_SYSCALL_BIT ? PK_CALLS_X32 : PK_CALLS_64;
}

static __always_inline void pk_refuse_call(__u32 agent, __u32 number, __u32 rule)
{
	const struct pk_image *head = pk_image_head(agent);
	struct pk_result result = { PK_VERDICT_DENY, PK_REASON_RULE, rule };
	struct pk_scratch *s = pk_scratch_take(agent);
	__u32 audit = head ? head->flags & PK_IMAGE_AUDIT : 0;

	if (!audit)
		(void)bpf_send_signal(SIGKILL);
	if (!s)
		return;
	s->rq.section = PK_SECTION_SYSCALLS;
	s->rq.op = PK_OP_SYSCALL;
	s->rq.detail = number;
	s->rq.error = EPERM;
	(void)pk_conclude(s, &result, audit);
	pk_scratch_give(s);
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(pk_sys_enter, struct pt_regs *regs, long id)
{
	__u32 number = (__u32)id & ~(__u32)X32_SYSCALL_BIT;
	__u32 agent = pk_who();
	struct pk_refused *refused;
	__u32 table, rule;

	if (!agent)
		return 0;
	refused = bpf_map_lookup_elem(&pk_refused_map, &agent);
	if (!refused || number >= PK_CALLS_MAX)
		return 0;
	table = pk_call_table(id);
	rule = refused->rule[table % PK_CALLS__TABLES][number % PK_CALLS_MAX];
	if (rule)
		pk_refuse_call(agent, number, rule - 1);
	return 0;
}
