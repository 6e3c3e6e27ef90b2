/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The lives of agents' processes, as records: who made whom, which program with which words, how it
 * ended. Decides nothing, and refuses to know what the records are for. A task without a label costs one
 * look-up.
 *
 *   tp_btf/sched_process_fork   a process was made, by the label that its maker gave it. No threads
 *   tp_btf/sched_process_exec   a program began: its path, its words; its directory, and the variables
 *                               of its environment that are meant for us, no others
 *   tp_btf/sched_process_exit   the last thread of a process is gone
 *
 * No work area, or the ring is full: the record is lost, and counted. Memory of the program that is not
 * there is not waited for: the record says so.
 */
#include "picket.bpf.h"

#include "decide.bpf.h"
#include "path.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* More strings of an environment are not looked at: the record says so. */
#define PK_LIFE_STEPS 4096U
/* Of one string, with its NUL: one byte more than there is ever room for, to see whether it goes on. */
#define PK_LIFE_STRING (PK_LIFE_VARIABLES_MAX + 1)

static const char pk_life_trace[] = PK_LIFE_TRACE;
static const char pk_life_prefix[] = PK_LIFE_PREFIX;

_Static_assert(PK_PATH_MAX + PK_LIFE_VARIABLES_MAX + PK_LIFE_STRING <= 2 * PK_PATH_MAX,
	       "a string that is read behind all else stays inside of the text");
_Static_assert(sizeof(struct pk_life) <= sizeof(struct pk_event), "it lies at the end of one");

/* A program that waits to be approved is its agent's. Slots only: not those whom all is denied. */
static __always_inline __u32 pk_life_agent(const struct pk_label *label)
{
	__u32 agent = pk_label_agent(label);

	return agent < PK_AGENTS_MAX ? agent : 0;
}

/* What every record has: who it is about, and its parent (any thread of it). */
static __always_inline void pk_life_fill(struct pk_life *life, const struct task_struct *task,
					 const struct task_struct *parent)
{
	life->abi = PK_ABI_VERSION;
	life->kind = PK_EVENT_LIFE;
	life->time_ns = bpf_ktime_get_boot_ns();
	life->tgid = (__u32)BPF_CORE_READ(task, tgid);
	life->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	life->parent_tgid = (__u32)BPF_CORE_READ(parent, tgid);
	life->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	life->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	life->uid = BPF_CORE_READ(task, real_cred, uid.val);
	life->gid = BPF_CORE_READ(task, real_cred, gid.val);
	if (bpf_probe_read_kernel(life->comm, sizeof(life->comm), task->comm))
		life->comm[0] = 0;
}

/* Send a record without text. */
static __always_inline void pk_life_send(struct pk_life *life)
{
	life->size = sizeof(*life);
	if (bpf_ringbuf_output(&pk_activity, life, sizeof(*life), 0))
		pk_count(life->agent, PK_COUNT_LIFE_LOST);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(pk_life_fork, struct task_struct *parent, struct task_struct *child)
{
	struct pk_life life = { .what = PK_LIFE_FORK };

	life.agent = pk_life_agent(bpf_task_storage_get(&pk_labels, child, 0, 0));
	if (!life.agent || child->pid != child->tgid)
		return 0;
	pk_life_fill(&life, child, parent);
	pk_life_send(&life);
	return 0;
}

/* --- a program began --------------------------------------------------------------------------- */

/* Send s->life with its texts. */
static __always_inline void pk_life_send_texts(struct pk_scratch *s)
{
	struct pk_life *life = &s->life;
	__u32 text = life->text_length + life->text2_length;

	if (text > PK_PATH_MAX + PK_LIFE_WORDS_MAX)
		return;
	life->size = sizeof(*life) + text;
	if (bpf_ringbuf_output(&pk_activity, life, sizeof(*life) + text, 0))
		pk_count(life->agent, PK_COUNT_LIFE_LOST);
}

/* Begin the record @what of the running task, with the path of a place as its first text. */
static __always_inline void pk_life_begin(struct pk_scratch *s, __u32 what, const void *dentry,
					  const void *vfsmount)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pk_life *life = &s->life;
	int end;

	s->rq.length[0] = 0;
	end = pk_path_of(s, dentry, vfsmount, 0);
	__builtin_memset(life, 0, sizeof(*life));
	life->agent = s->rq.agent;
	life->what = (__u8)what;
	/* That a name has other spellings does not make it a wrong one. */
	if (end == PK_WALK_PATH && (!s->failed || s->failed == PK_REASON_FOLDED))
		life->text_length = s->rq.length[0];
	else
		life->flags = PK_LIFE_PATH_UNREAD;
	pk_life_fill(life, task, BPF_CORE_READ(task, group_leader, real_parent));
}

/* The words, from the program's own memory: nothing of it ran yet. */
static __always_inline void pk_life_words(struct pk_scratch *s, __u64 start, __u64 end)
{
	struct pk_life *life = &s->life;
	__u64 all = end - start;
	__u32 length = all < PK_LIFE_WORDS_MAX ? (__u32)all : PK_LIFE_WORDS_MAX;
	__u32 in_page = (__u32)(PK_PAGE_BYTES - (start & (PK_PAGE_BYTES - 1)));
	__u32 at = life->text_length;

	/* The compiler knows it to be bounded, verifiers do not: "R2 unbounded memory access". */
	asm volatile("" : "+r"(length));
	if (at > PK_PATH_MAX || length > PK_LIFE_WORDS_MAX)
		return;
	if (bpf_probe_read_user(s->data + at, length, (const void *)start)) {
		/* They are in two pages at most. */
		life->flags |= PK_LIFE_WORDS_UNREAD;
		if (length > in_page)
			length = in_page;
		if (bpf_probe_read_user(s->data + at, length, (const void *)start))
			length = 0;
	}
	if (length < all)
		life->flags |= PK_LIFE_WORDS_CUT;
	life->text2_length = length;
}

/* Keep @length bytes at @text, if they are a variable that is told. False: they did not fit whole. */
static __always_inline bool pk_life_keep(struct pk_scratch *s, const __u8 *text, __u32 length)
{
	struct pk_variables *v = &s->variables;
	__u32 room = PK_LIFE_VARIABLES_MAX - v->used;

	if (bpf_strncmp((const char *)text, sizeof(pk_life_trace) - 1, pk_life_trace) &&
	    bpf_strncmp((const char *)text, sizeof(pk_life_prefix) - 1, pk_life_prefix))
		return true;
	s->life.words++;
	v->used += length < room ? length : room;
	return length <= room;
}

struct pk_life_work {
	struct pk_scratch *s;
};

/* One string of the environment, or a piece of a long one. */
static long pk_life_variable(__u32 index, void *arg)
{
	struct pk_life_work *work = arg;
	struct pk_scratch *s = work->s;
	struct pk_variables *v = &s->variables;
	__u32 at = s->life.text_length + v->used;
	__u32 inside = v->inside;
	long length;

	if (v->at >= v->end || at > PK_PATH_MAX + PK_LIFE_VARIABLES_MAX)
		return 1;
	length = bpf_probe_read_user_str(s->data + at, PK_LIFE_STRING, (const void *)v->at);
	if (length < 0) {
		s->life.flags |= PK_LIFE_WORDS_UNREAD;
		return 1;
	}
	/* Of an empty string: until 6.13 its NUL is not counted. */
	if (!length)
		length = 1;
	v->inside = length == PK_LIFE_STRING;
	if (!inside && !pk_life_keep(s, s->data + at, (__u32)length))
		return 1;
	/* The last byte read of a string that goes on was made a NUL. */
	v->at += (__u64)length - v->inside;
	return 0;
}

/* The variables that are told, behind the first text. */
static __always_inline void pk_life_variables(struct pk_scratch *s, __u64 start, __u64 end)
{
	struct pk_life_work work = { .s = s };

	s->variables.at = start;
	s->variables.end = end;
	s->variables.used = 0;
	s->variables.inside = 0;
	bpf_loop(PK_LIFE_STEPS, pk_life_variable, &work, 0);
	if (s->variables.at < end)
		s->life.flags |= PK_LIFE_WORDS_CUT;
	s->life.text2_length = s->variables.used;
}

static __always_inline void pk_life_tell(struct pk_scratch *s, const struct linux_binprm *bprm)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	pk_life_begin(s, PK_LIFE_PROGRAM, BPF_CORE_READ(bprm, file, f_path.dentry),
		      BPF_CORE_READ(bprm, file, f_path.mnt));
	s->life.words = (__u32)BPF_CORE_READ(bprm, argc);
	pk_life_words(s, BPF_CORE_READ(mm, arg_start), BPF_CORE_READ(mm, arg_end));
	pk_life_send_texts(s);

	pk_life_begin(s, PK_LIFE_CONTEXT, BPF_CORE_READ(fs, pwd.dentry),
		      BPF_CORE_READ(fs, pwd.mnt));
	pk_life_variables(s, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end));
	pk_life_send_texts(s);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(pk_life_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	/* The hooks of this execve have looked it up, if the cgroup is an agent's. */
	struct pk_label *label = bpf_task_storage_get(&pk_labels, task, 0, 0);
	__u32 agent = label ? pk_life_agent(label) : pk_who_cgroup();
	struct pk_scratch *s;

	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (!s) {
		pk_count(agent, PK_COUNT_LIFE_LOST);
		pk_count(agent, PK_COUNT_LIFE_LOST);
		return 0;
	}
	/* No decision: its time is not taken. */
	s->begun_ns = 0;
	pk_life_tell(s, bprm);
	pk_scratch_give(s);
	return 0;
}

/* --- a process ended --------------------------------------------------------------------------- */

/* As wait(2) will tell it. */
static __always_inline int pk_life_status(const struct task_struct *task)
{
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(task, signal, group_exit_code);
	return BPF_CORE_READ(task, group_leader, exit_code);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pk_life_exit, struct task_struct *task)
{
	struct pk_life life = { .what = PK_LIFE_EXIT };
	struct pk_label *leader;

	life.agent = pk_life_agent(bpf_task_storage_get(&pk_labels, task, 0, 0));
	if (!life.agent || BPF_CORE_READ(task, signal, live.counter))
		return 0;
	/* Threads that end at once all see that none is left: one of them tells it. */
	leader = bpf_task_storage_get(&pk_labels, task->group_leader, 0,
				      BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!leader) {
		pk_count(life.agent, PK_COUNT_LIFE_LOST);
		return 0;
	}
	if (__sync_lock_test_and_set(&leader->ended, 1))
		return 0;
	pk_life_fill(&life, task, BPF_CORE_READ(task, group_leader, real_parent));
	life.status = pk_life_status(task);
	pk_life_send(&life);
	return 0;
}
