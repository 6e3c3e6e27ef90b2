/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs by path.
 *
 *   bprm_check_security   files: exec, then the exec section; once for a script and once for each
 *                         interpreter the kernel goes on to
 *   mmap_file             PROT_EXEC of a file: files exec, and explicit rules of the exec section
 *   file_mprotect         the same, for a mapping made executable later
 *
 * A program without a path (memfd) is denied by a policy with a files or exec section; mapping one
 * executable is no more than executable anonymous memory and is not judged. EACCES.
 */
#include "picket.bpf.h"

#include "object.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Files exec first, then the exec section on the same path. @end: what the walk found. */
static __always_inline int pk_ask_program(struct pk_scratch *s, __u32 op, __u32 rules)
{
	int error;

	s->rq.op = (__u8)op;
	s->rq.error = EACCES;
	s->rq.section = PK_SECTION_FILES;
	s->rq.access = PK_ACCESS_EXEC;
	s->rq.flags = PK_REQUEST_QUIET;
	error = pk_decide(s);
	if (error)
		return error;
	s->rq.section = PK_SECTION_EXEC;
	s->rq.access = PK_ACCESS_RUN;
	s->rq.flags = rules;
	return pk_decide(s);
}

SEC("lsm/bprm_check_security")
int BPF_PROG(pk_bprm_check, struct linux_binprm *bprm, int ret)
{
	struct pk_scratch *s;
	__u32 agent;
	int error;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EACCES;
	if (pk_path_of(s, BPF_CORE_READ(bprm, file, f_path.dentry),
		       BPF_CORE_READ(bprm, file, f_path.mnt), 0) == PK_WALK_NAMELESS)
		s->rq.reason = PK_REASON_NAMELESS;
	error = pk_ask_program(s, PK_OP_EXEC, 0);
	pk_scratch_give(s);
	return pk_errno(error);
}

static __always_inline int pk_map_hook(const struct file *file)
{
	struct pk_scratch *s;
	__u32 agent = pk_who();
	int error = 0;

	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EACCES;
	if (pk_path_of(s, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), 0) !=
	    PK_WALK_NAMELESS)
		error = pk_ask_program(s, PK_OP_MMAP, PK_REQUEST_RULES | PK_REQUEST_QUIET);
	pk_scratch_give(s);
	return pk_errno(error);
}

/* Old personalities make every readable mapping executable. */
static __always_inline bool pk_maps_exec(unsigned long prot)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (prot & PROT_EXEC)
		return true;
	return (prot & PROT_READ) && (BPF_CORE_READ(task, personality) & READ_IMPLIES_EXEC);
}

static __always_inline int pk_mmap_hook(const struct file *file, unsigned long prot)
{
	if (!file || !pk_maps_exec(prot))
		return 0;
	return pk_map_hook(file);
}

SEC("lsm/mmap_file")
int BPF_PROG(pk_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	if (ret)
		return ret;
	return pk_mmap_hook(file, reqprot);
}

/* The one hook whose security_ function has other arguments: modify-return has its own entry. */
SEC("?fmod_ret/security_mmap_file")
int BPF_PROG(pk_mmap_modify, struct file *file, unsigned long prot, unsigned long flags, int ret)
{
	if (ret)
		return ret;
	return pk_mmap_hook(file, prot);
}

SEC("lsm/file_mprotect")
int BPF_PROG(pk_file_mprot, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot,
	     int ret)
{
	const struct file *file;

	if (ret)
		return ret;
	if (!pk_maps_exec(reqprot))
		return 0;
	file = BPF_CORE_READ(vma, vm_file);
	if (!file)
		return 0;
	return pk_map_hook(file);
}
