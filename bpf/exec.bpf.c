/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs: by path, by command line, and what may become code.
 *
 *   bprm_check_security   files: exec, then the exec section; once for a script and once for each
 *                         interpreter the kernel goes on to. Guards memfd_exec, writable_exec
 *   bprm_committed_creds  the command line, by the exec section; the bits of the program (`by`).
 *                         The old program is gone: a denial kills the new one before it runs, and
 *                         one that rules ask about is stopped there
 *   mmap_file             PROT_EXEC of a file: files exec, explicit rules of the exec section, guard
 *                         writable_exec; a program that maps what the agent may write loses its bits
 *   file_mprotect         the same, for a mapping made executable later; guard mprotect_exec
 *   mmap_file, file_mprotect   a mapping that writes to its file: files write
 *
 * Mapping a file without a path (memfd) executable is no more than executable anonymous memory: only
 * writable_exec refuses it. EACCES.
 */
#include "picket.bpf.h"

#include "ask.bpf.h"
#include "command.bpf.h"
#include "object.bpf.h"
#include "subject.bpf.h"

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

/* A switch of the process section, about what may become code. */
static __always_inline int pk_ask_guard(struct pk_scratch *s, __u32 op, __u32 guard)
{
	s->rq.op = (__u8)op;
	s->rq.error = EACCES;
	s->rq.section = PK_SECTION_PROCESS;
	s->rq.access = (__u8)guard;
	s->rq.flags = 0;
	s->rq.reason = 0;
	return pk_decide(s);
}

/*
 * For the other hook of the same execve: with how many words and which file it started, before
 * interpreters of scripts took its place, and the bits that the asking program really has.
 */
static __always_inline void pk_exec_note(struct pk_scratch *s, const struct linux_binprm *bprm)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0);

	if (!label)
		return;
	label->subjects = s->rq.subjects;
	if (bprm->interp != bprm->filename)
		return;
	label->words = (__u32)bprm->argc;
	pk_script_note(s);
	label->script = s->command.script;
	label->script_image = s->command.script_image;
}

/* A program that waits to be approved would be another one: does it wait on? */
static __always_inline bool pk_exec_waits(struct pk_scratch *s)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0);

	if (!label || !label->pending.agent)
		return false;
	label->starting = 0;
	s->rq.op = PK_OP_EXEC;
	s->rq.error = EACCES;
	return pk_ask_waiting() == PK_AGENTS_MAX;
}

static __always_inline int pk_ask_exec(struct pk_scratch *s, const struct linux_binprm *bprm)
{
	int error, found = pk_path_of(s, BPF_CORE_READ(bprm, file, f_path.dentry),
				      BPF_CORE_READ(bprm, file, f_path.mnt), 0);

	if (pk_exec_waits(s))
		return pk_ask_again(s);
	pk_exec_note(s, bprm);
	if (found == PK_WALK_NAMELESS)
		return pk_ask_guard(s, PK_OP_EXEC, PK_GUARD_MEMFD_EXEC);
	error = pk_ask_program(s, PK_OP_EXEC, 0);
	if (!error && pk_guarded(s->rq.agent, PK_GUARD_WRITABLE_EXEC) && pk_may_write(s))
		error = pk_ask_guard(s, PK_OP_EXEC, PK_GUARD_WRITABLE_EXEC);
	return error;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(pk_bprm_check, struct linux_binprm *bprm, int ret)
{
	struct pk_scratch *s;
	int error;

	if (ret)
		return ret;
	s = pk_begin(&error);
	if (!s)
		return pk_errno(error);
	return pk_end(s, pk_ask_exec(s, bprm));
}

/* Has the image rules about command lines, or rules for some programs only? True when not known. */
static __always_inline bool pk_looks_closer(__u32 agent)
{
	void *image = bpf_map_lookup_elem(&pk_images, &agent);
	const struct pk_image *head;
	__u32 zero = 0;

	if (!image)
		return true;
	head = bpf_map_lookup_elem(image, &zero);
	return !head || head->argv_start || head->subjects;
}

/* Words that the kernel put before a script's name; two where it cannot be known. */
static __always_inline __u32 pk_scripts(const struct linux_binprm *bprm,
					const struct pk_label *label)
{
	__u32 scripts;

	if (bprm->interp == bprm->filename)
		return 0;
	scripts = (__u32)bprm->argc - label->words;
	return !label->words || !scripts || scripts > PK_SCRIPTS_MAX ? 2 : scripts;
}

static __always_inline int pk_ask_command(struct pk_scratch *s, const struct linux_binprm *bprm,
					  struct pk_label *label)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	bool nameless = pk_path_of(s, BPF_CORE_READ(bprm, file, f_path.dentry),
				   BPF_CORE_READ(bprm, file, f_path.mnt), 0) == PK_WALK_NAMELESS;

	/* Rules with `by` are for the program that asked. The new one is nobody's under a tracer. */
	s->rq.subjects = label->subjects;
	label->subjects = 0;
	if (!nameless && !BPF_CORE_READ(task, ptrace))
		label->subjects = pk_program_bits(s);
	s->rq.section = PK_SECTION_EXEC;
	s->rq.access = PK_ACCESS_COMMAND;
	s->rq.op = PK_OP_COMMAND;
	s->rq.error = EACCES;
	s->rq.flags = nameless ? PK_REQUEST_NAMELESS : 0;
	s->command.start = bprm->p;
	s->command.end = bprm->exec;
	s->command.words = bprm->argc > 0 ? (__u32)bprm->argc : 0;
	s->command.scripts = pk_scripts(bprm, label);
	s->command.script = label->script;
	s->command.script_image = label->script_image;
	s->command.failed = 0;
	return pk_decide_command(s);
}

struct pk_pages {
	__u64 at;
	__u64 end;
};

/* One page of the command line: one that is not there is waited for. */
static long pk_page_step(__u32 index, void *arg)
{
	struct pk_pages *p = arg;
	__u64 at = p->at + (__u64)index * PK_PAGE_BYTES;
	__u8 byte;

	if (at >= p->end)
		return 1;
	if (bpf_probe_read_user(&byte, 1, (const void *)at))
		return bpf_copy_from_user(&byte, 1, (const void *)at) != 0;
	return 0;
}

/*
 * The program is stopped before it runs. From here on it is nobody's, and whatever a hook sees of it asks for
 * the answer first (pk_ask_waiting()): who else continues it gains nothing.
 */
static __always_inline int pk_wait_command(const struct pk_scratch *s, struct pk_label *label)
{
	label->pending = s->asked.key;
	label->pending_rule = s->finding.rule;
	label->pending_image = s->finding.image;
	label->starting = 1;
	label->generation = 0;
	label->agent = 0;
	return 0;
}

/* Returns an error when the program must not run. @wait: the hook may sleep. */
static __always_inline int pk_new_program(const struct linux_binprm *bprm, bool wait)
{
	struct pk_scratch *s;
	struct pk_label *label;
	__u32 agent = pk_who();
	int error;

	if (!agent)
		return 0;
	label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0);
	if (!pk_looks_closer(agent)) {
		if (label)
			label->subjects = 0;
		return 0;
	}
	if (wait) {
		struct pk_pages pages = { bprm->p & ~(PK_PAGE_BYTES - 1), bprm->exec };

		bpf_loop(PK_COMMAND_MAX / PK_PAGE_BYTES, pk_page_step, &pages, 0);
	}
	s = label ? pk_scratch_take(agent) : 0;
	if (!s)
		return -EACCES;
	error = pk_ask_command(s, bprm, label);
	if (error == -ERESTARTNOINTR)
		error = pk_wait_command(s, label);
	pk_scratch_give(s);
	return error;
}

/* Where even the signal fails, the task is left to an agent that does not exist: all is denied. */
static __always_inline int pk_committed_hook(const struct linux_binprm *bprm, bool wait)
{
	struct pk_label *label;

	if (!pk_new_program(bprm, wait) || !bpf_send_signal(SIGKILL))
		return 0;
	label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0);
	if (label)
		label->agent = PK_AGENTS_MAX;
	return 0;
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(pk_committed, struct linux_binprm *bprm)
{
	return pk_committed_hook(bprm, true);
}

/* The hook returns nothing, so there is nothing to modify; and it may not sleep here. */
SEC("?fentry/security_bprm_committed_creds")
int BPF_PROG(pk_committed_f, struct linux_binprm *bprm)
{
	return pk_committed_hook(bprm, false);
}

/* The agent's own writing becomes code. */
static __always_inline int pk_ask_own_code(struct pk_scratch *s, __u32 subjects)
{
	if (subjects && pk_who_drop())
		return -EACCES;
	if (!pk_guarded(s->rq.agent, PK_GUARD_WRITABLE_EXEC))
		return 0;
	return pk_ask_guard(s, PK_OP_MMAP, PK_GUARD_WRITABLE_EXEC);
}

/* @late: an existing mapping is made executable. */
static __always_inline int pk_ask_map(struct pk_scratch *s, const struct file *file, bool late)
{
	__u32 subjects = s->rq.subjects;
	int error;

	if (pk_path_of(s, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), 0) ==
	    PK_WALK_NAMELESS)
		return pk_ask_own_code(s, subjects);
	error = pk_ask_program(s, PK_OP_MMAP, PK_REQUEST_RULES | PK_REQUEST_QUIET);
	if (!error && late && pk_guarded(s->rq.agent, PK_GUARD_MPROTECT_EXEC))
		error = pk_ask_guard(s, PK_OP_MMAP, PK_GUARD_MPROTECT_EXEC);
	if (error)
		return error;
	if (!subjects && !pk_guarded(s->rq.agent, PK_GUARD_WRITABLE_EXEC))
		return 0;
	return pk_may_write(s) ? pk_ask_own_code(s, subjects) : 0;
}

/* Old personalities make every readable mapping executable. */
static __always_inline bool pk_maps_exec(unsigned long prot)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (prot & PROT_EXEC)
		return true;
	return (prot & PROT_READ) && (BPF_CORE_READ(task, personality) & READ_IMPLIES_EXEC);
}

/* What a mapping is, or is made into. */
#define PK_MAPS_WRITE 1U
#define PK_MAPS_EXEC 2U
#define PK_MAPS_LATE 4U /* executable, and it was not so from the start */

static __always_inline int pk_map_hook(const struct file *file, __u32 maps)
{
	struct pk_scratch *s;
	int error;

	if (!file || !maps)
		return 0;
	s = pk_begin(&error);
	if (!s)
		return pk_errno(error);
	error = maps & PK_MAPS_WRITE ? pk_map_write(s, file) : 0;
	s->rq.reason = 0;
	if (!error && (maps & PK_MAPS_EXEC))
		error = pk_ask_map(s, file, maps & PK_MAPS_LATE);
	return pk_end(s, error);
}

static __always_inline __u32 pk_maps(unsigned long prot, unsigned long flags)
{
	return (pk_maps_write(prot, flags) ? PK_MAPS_WRITE : 0) |
	       (pk_maps_exec(prot) ? PK_MAPS_EXEC : 0);
}

/*
 * The file is NULL for anonymous memory. It is read as a number: verifiers from 7.0 on take the
 * argument for never NULL where it has that type, and cut a test of it out of the program.
 */
static __always_inline int pk_mmap_hook(const unsigned long long *ctx, __u32 maps, int ret)
{
	const struct file *file = 0;

	if (ret)
		return ret;
	if (bpf_probe_read_kernel(&file, sizeof(file), &ctx[0]))
		return -EACCES;
	return pk_map_hook(file, maps);
}

SEC("lsm/mmap_file")
int BPF_PROG(pk_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	return pk_mmap_hook(ctx, pk_maps(reqprot, flags), ret);
}

/* The one hook whose security_ function has other arguments: modify-return has its own entry. */
SEC("?fmod_ret/security_mmap_file")
int BPF_PROG(pk_mmap_modify, struct file *file, unsigned long prot, unsigned long flags, int ret)
{
	return pk_mmap_hook(ctx, pk_maps(prot, flags), ret);
}

SEC("lsm/file_mprotect")
int BPF_PROG(pk_file_mprot, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot,
	     int ret)
{
	unsigned long now;
	__u32 maps = 0;

	if (ret)
		return ret;
	now = BPF_CORE_READ(vma, vm_flags);
	if (pk_maps_exec(reqprot))
		maps = now & VM_EXEC ? PK_MAPS_EXEC : PK_MAPS_EXEC | PK_MAPS_LATE;
	if ((reqprot & PROT_WRITE) && (now & VM_SHARED))
		maps |= PK_MAPS_WRITE;
	return pk_map_hook(BPF_CORE_READ(vma, vm_file), maps);
}
