/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What would pull the ground from under path rules: an agent whose policy has a files or exec
 * section may not give files other names by mounting.
 *
 *   sb_mount      mount(2): bind, remount, new
 *   move_mount    move_mount(2), which attaches what fsmount() and open_tree() made
 *   sb_pivotroot  pivot_root(2)
 *
 * EPERM. No label, or a policy with neither section: allowed.
 */
#include "picket.bpf.h"

#include "decide.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Ask for each section in turn: the first present one refuses. */
static __always_inline int pk_refuse_mount(void)
{
	struct pk_scratch *s;
	__u32 agent = pk_who();
	int error;

	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EPERM;
	s->rq.section = PK_SECTION_FILES;
	s->rq.access = PK_ACCESS_WRITE;
	s->rq.op = PK_OP_MOUNT;
	s->rq.reason = PK_REASON_MOUNT;
	s->rq.error = EPERM;
	error = pk_decide(s);
	if (!error) {
		s->rq.section = PK_SECTION_EXEC;
		s->rq.access = PK_ACCESS_RUN;
		error = pk_decide(s);
	}
	pk_scratch_give(s);
	return pk_errno(error);
}

SEC("lsm/sb_mount")
int BPF_PROG(pk_sb_mount, const char *dev, const struct path *path, const char *type,
	     unsigned long flags, void *data, int ret)
{
	if (ret)
		return ret;
	return pk_refuse_mount();
}

SEC("lsm/move_mount")
int BPF_PROG(pk_move_mount, const struct path *from, const struct path *to, int ret)
{
	if (ret)
		return ret;
	return pk_refuse_mount();
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(pk_pivotroot, const struct path *old_path, const struct path *new_path, int ret)
{
	if (ret)
		return ret;
	return pk_refuse_mount();
}
