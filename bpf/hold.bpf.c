/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Acts of the running task that rules ask about: answered, or the task is stopped inside of its call. A
 * held task has SIGSTOP pending when its call returns -ERESTARTNOINTR, so the kernel makes the same call
 * again as soon as the task runs on, whoever continued it, and no program ever sees that errno. What each
 * failure means:
 *
 *   nobody could approve (pk_approvers 0)   refused, PK_REASON_APPROVAL
 *   policy with on_ask: deny                refused, PK_REASON_PENDING, until answered
 *   the call cannot be made again           refused, PK_REASON_UNHELD, until answered
 *   pk_held full, no signal, ring full      the same
 *   image in audit mode                     reported, passes
 *
 *   tp_btf/sched_process_exit   decides nothing: a thread that ends waits no more
 */
#include "picket.bpf.h"

#include "image.bpf.h"
#include "report.bpf.h"

#include "answer.bpf.h"
#include "ask.bpf.h"
#include "compat.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PK_BIT(op) (1ULL << (op))

/*
 * Operations whose hook's errno comes back to the caller unchanged, before anything was done that cannot be
 * done again. bpf/README.md tells of the others.
 */
#define PK_HOLDABLE                                                                                \
	(PK_BIT(PK_OP_OPEN) | PK_BIT(PK_OP_CREATE) | PK_BIT(PK_OP_MKDIR) | PK_BIT(PK_OP_MKNOD) |   \
	 PK_BIT(PK_OP_SYMLINK) | PK_BIT(PK_OP_LINK) | PK_BIT(PK_OP_UNLINK) | PK_BIT(PK_OP_RMDIR) | \
	 PK_BIT(PK_OP_RENAME) | PK_BIT(PK_OP_TRUNCATE) | PK_BIT(PK_OP_CHMOD) |                     \
	 PK_BIT(PK_OP_CHOWN) | PK_BIT(PK_OP_SETXATTR) | PK_BIT(PK_OP_REMOVEXATTR) |                \
	 PK_BIT(PK_OP_ACL) | PK_BIT(PK_OP_UTIMES) | PK_BIT(PK_OP_IOCTL) | PK_BIT(PK_OP_WATCH) |    \
	 PK_BIT(PK_OP_UNIX) | PK_BIT(PK_OP_EXEC) | PK_BIT(PK_OP_MMAP) | PK_BIT(PK_OP_MAP_WRITE) |  \
	 PK_BIT(PK_OP_CONNECT) | PK_BIT(PK_OP_SEND) | PK_BIT(PK_OP_MOUNT) | PK_BIT(PK_OP_UMOUNT) | \
	 PK_BIT(PK_OP_NAMESPACE) | PK_BIT(PK_OP_PERF) | PK_BIT(PK_OP_MODULE) |                     \
	 PK_BIT(PK_OP_SETUID) | PK_BIT(PK_OP_TERMINAL))
_Static_assert(PK_OP__MAX <= 64, "a bit for each");

/** System calls that matter here. */
enum pk_place {
	PK_PLACE_OTHER,
	PK_PLACE_NONE, /* no call that could be made again: a worker's, or between two of them */
	PK_PLACE_OPEN,
	PK_PLACE_EXEC,
	PK_PLACE_MAP, /* mmap, mprotect */
	PK_PLACE_CLONE,
	PK_PLACE_UNSHARE,
	PK_PLACE_MOUNT, /* those that a hook of their own asks in */
};

static __always_inline enum pk_place pk_place_64(__u64 number)
{
	switch (number) {
	case 2: /* open */
	case 85: /* creat */
	case 257: /* openat */
		return PK_PLACE_OPEN;
	case 59: /* execve */
	case 322: /* execveat */
	case 520: /* of x32 */
	case 545:
		return PK_PLACE_EXEC;
	case 9: /* mmap */
	case 10: /* mprotect */
	case 329: /* pkey_mprotect */
		return PK_PLACE_MAP;
	case 56: /* clone */
		return PK_PLACE_CLONE;
	case 272: /* unshare */
		return PK_PLACE_UNSHARE;
	case 155: /* pivot_root */
	case 165: /* mount */
	case 166: /* umount2 */
		return PK_PLACE_MOUNT;
	case 209: /* io_submit */
	case 544:
		return PK_PLACE_NONE;
	}
	return PK_PLACE_OTHER;
}

static __always_inline enum pk_place pk_place_32(__u64 number)
{
	switch (number) {
	case 5: /* open */
	case 8: /* creat */
	case 295: /* openat */
		return PK_PLACE_OPEN;
	case 11: /* execve */
	case 358: /* execveat */
		return PK_PLACE_EXEC;
	case 90: /* mmap */
	case 192: /* mmap2 */
	case 125: /* mprotect */
	case 380: /* pkey_mprotect */
		return PK_PLACE_MAP;
	case 120: /* clone */
		return PK_PLACE_CLONE;
	case 310: /* unshare */
		return PK_PLACE_UNSHARE;
	case 21: /* mount */
	case 22: /* umount */
	case 52: /* umount2 */
	case 217: /* pivot_root */
		return PK_PLACE_MOUNT;
	case 248: /* io_submit */
		return PK_PLACE_NONE;
	}
	return PK_PLACE_OTHER;
}

/*
 * Which call the running task is in. From its start to its end the register of its result holds ENOSYS;
 * what is done for a task between calls (work that was put off: io_uring) has no call to be made again.
 */
static __always_inline enum pk_place pk_place(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs___x86 *regs = (struct pt_regs___x86 *)bpf_task_pt_regs(task);
	__u64 number;

	if (!bpf_core_field_exists(regs->orig_ax))
		return PK_PLACE_NONE;
	if (task->flags & (PF_IO_WORKER | PF_KTHREAD | PF_USER_WORKER))
		return PK_PLACE_NONE;
	if ((int)BPF_CORE_READ(regs, ax) != -ENOSYS)
		return PK_PLACE_NONE;
	number = BPF_CORE_READ(regs, orig_ax) & ~X32_SYSCALL_BIT;
	/* Both tables number these alike. */
	switch (number) {
	case 426: /* io_uring_enter */
		return PK_PLACE_NONE;
	case 437: /* openat2 */
		return PK_PLACE_OPEN;
	case 435: /* clone3 */
		return PK_PLACE_CLONE;
	case 429: /* move_mount */
		return PK_PLACE_MOUNT;
	}
	if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
		return pk_place_32(number);
	return pk_place_64(number);
}

/* Does the running unshare(2) make a user namespace? */
static __always_inline bool pk_unshares_users(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs___x86 *regs = (struct pt_regs___x86 *)bpf_task_pt_regs(task);

	if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
		return BPF_CORE_READ(regs, bx) & CLONE_NEWUSER;
	return BPF_CORE_READ(regs, di) & CLONE_NEWUSER;
}

/* Are command lines judged, where every rule and default about programs counts once more? */
static __always_inline bool pk_asks_words(__u32 agent)
{
	const struct pk_image *head = pk_image_head(agent);

	return head && head->argv_start;
}

/*
 * Does another hook ask the same in the same call? A call that is asked about twice would need two
 * answers, and take the first one in vain.
 */
static __always_inline bool pk_is_asked_elsewhere(const struct pk_request *rq, enum pk_place place)
{
	bool hidden = rq->flags & PK_REQUEST_HIDDEN;

	switch (rq->op) {
	case PK_OP_EXEC: /* files: when the file was opened; exec: when all words are known */
		return place == PK_PLACE_EXEC &&
		       (rq->section == PK_SECTION_FILES ||
			(rq->section == PK_SECTION_EXEC && pk_asks_words(rq->agent)));
	case PK_OP_MMAP: /* the program and its loader: when they were opened */
		return place == PK_PLACE_EXEC;
	case PK_OP_TRUNCATE:
		return place == PK_PLACE_OPEN;
	case PK_OP_NAMESPACE:
		return hidden && (place == PK_PLACE_CLONE ||
				  (place == PK_PLACE_UNSHARE && pk_unshares_users()));
	case PK_OP_MOUNT:
	case PK_OP_UMOUNT:
		return hidden && place == PK_PLACE_MOUNT;
	}
	return false;
}

static __always_inline bool pk_is_holdable(const struct pk_request *rq, enum pk_place place)
{
	if (place == PK_PLACE_NONE || (rq->flags & PK_REQUEST_HIDDEN) || rq->op >= PK_OP__MAX)
		return false;
	if (rq->op == PK_OP_MMAP || rq->op == PK_OP_MAP_WRITE)
		return place == PK_PLACE_MAP;
	return PK_HOLDABLE >> rq->op & 1;
}

/* The running thread waits no more. */
static __always_inline void pk_hold_end(void)
{
	__u32 tid = (__u32)bpf_get_current_task_btf()->pid;

	(void)bpf_map_delete_elem(&pk_held, &tid);
}

static __always_inline bool pk_is_held(__u32 tid, const struct pk_hold *hold)
{
	const struct pk_hold *known = bpf_map_lookup_elem(&pk_held, &tid);

	return known && known->key.hash[0] == hold->key.hash[0] &&
	       known->key.hash[1] == hold->key.hash[1] && known->start_ns == hold->start_ns &&
	       known->rule == hold->rule;
}

/* What pk_hold_start() did. */
enum pk_hold_end {
	PK_HOLD_FAILED, /* nothing */
	PK_HOLD_NEW, /* stopped: an event is due */
	PK_HOLD_KNOWN, /* stopped, and the event is out */
};

/*
 * Stop the running thread's process. Somebody who continued it without an answer finds it stopped again,
 * without a further event. Who answers deletes the entry before he continues it: if it is still there
 * behind our signal, his is still to come.
 */
static __always_inline enum pk_hold_end pk_hold_start(const struct pk_ask_key *key, __u32 rule)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pk_hold hold = { .key = *key, .rule = rule };
	__u32 tid = (__u32)task->pid;
	bool known;

	hold.start_ns = task->group_leader->start_boottime;
	hold.since_ns = bpf_ktime_get_boot_ns();
	hold.tgid = (__u32)task->tgid;
	known = pk_is_held(tid, &hold);
	if (!known && bpf_map_update_elem(&pk_held, &tid, &hold, BPF_ANY))
		return PK_HOLD_FAILED;
	if (bpf_send_signal(SIGSTOP)) {
		(void)bpf_map_delete_elem(&pk_held, &tid);
		return PK_HOLD_FAILED;
	}
	if (!known)
		return PK_HOLD_NEW;
	if (pk_is_held(tid, &hold))
		return PK_HOLD_KNOWN;
	(void)bpf_map_update_elem(&pk_held, &tid, &hold, BPF_ANY);
	return PK_HOLD_NEW;
}

/* Report what is in s->finding; for the error that the caller gets. */
static __always_inline int pk_ask_conclude(struct pk_scratch *s)
{
	struct pk_result result = { s->finding.verdict, s->finding.reason, s->finding.rule };

	return pk_conclude(s, &result, s->finding.audit);
}

/** Stop the task for s->rq. Returns -ERESTARTNOINTR, or -rq.error where that cannot be done. */
__noinline int pk_ask_hold(struct pk_scratch *s)
{
	enum pk_hold_end end;
	__u32 error;

	if (!s || !pk_answers)
		return -EACCES;
	error = s->rq.error;
	end = pk_hold_start(&s->asked.key, s->finding.rule);
	if (end == PK_HOLD_KNOWN)
		return -ERESTARTNOINTR;
	s->finding.reason = PK_REASON_UNHELD;
	if (end == PK_HOLD_FAILED)
		return pk_ask_conclude(s);
	s->finding.reason = PK_REASON_HELD;
	s->rq.error = 0;
	(void)pk_ask_conclude(s);
	if (!s->asked.lost)
		return -ERESTARTNOINTR;
	/* Nobody would know that it waits. */
	pk_hold_end();
	(void)bpf_send_signal(SIGCONT);
	return -(int)error;
}

/* May a task be stopped for the agent's requests? */
static __always_inline bool pk_holds(__u32 agent)
{
	const struct pk_image *head = pk_image_head(agent);

	return head && (head->flags & PK_IMAGE_HOLD);
}

/* The answer for the request, or what else becomes of it. The command line of a new program: op COMMAND. */
static __always_inline int pk_ask_keyed(struct pk_scratch *s, enum pk_place place)
{
	bool command = s->rq.op == PK_OP_COMMAND;
	enum pk_answer answer;

	if (s->rq.op == PK_OP_SEND && pk_is_granted(s))
		return 0;
	answer = pk_answer_find(s);
	if (answer == PK_ANSWER_NONE) {
		s->finding.reason = PK_REASON_PENDING;
		if (!pk_holds(s->rq.agent))
			return pk_ask_conclude(s);
		s->finding.reason = PK_REASON_UNHELD;
		if (!command && !pk_is_holdable(&s->rq, place))
			return pk_ask_conclude(s);
		return pk_ask_hold(s);
	}
	pk_hold_end();
	pk_answer_note(s, answer);
	return pk_ask_conclude(s);
}

__noinline int pk_ask(struct pk_scratch *s)
{
	enum pk_place place;

	if (!s)
		return -EACCES;
	if (!pk_is_open(&s->finding) || (s->rq.flags & PK_REQUEST_SILENT))
		return pk_ask_conclude(s);
	if ((s->rq.flags & PK_REQUEST_MADE) && s->rq.section == PK_SECTION_FILES) {
		s->rq.flags &= ~PK_REQUEST_MADE;
		s->rq.access &= ~PK_ACCESS_WRITE;
		return s->rq.access ? PK_AGAIN : 0;
	}
	place = pk_place();
	if (s->rq.flags & PK_REQUEST_LATER) {
		s->asked.open = 1;
		return 0;
	}
	if (pk_is_asked_elsewhere(&s->rq, place))
		return 0;
	if (!(s->rq.flags & PK_REQUEST_KEYED))
		(void)pk_ask_key(s);
	return pk_ask_keyed(s, place);
}

/* --- programs whose command line waits --------------------------------------------------------- */

__noinline int pk_ask_again(struct pk_scratch *s)
{
	if (!s || !pk_answers)
		return -EACCES;
	return pk_is_holdable(&s->rq, pk_place()) ? -ERESTARTNOINTR : -(int)s->rq.error;
}

/** What is told of the program that waits: s->rq and s->finding are new. */
static __always_inline void pk_waiting_request(struct pk_scratch *s, const struct pk_label *label)
{
	s->asked.key = label->pending;
	s->asked.grant = 0;
	s->rq.section = PK_SECTION_EXEC;
	s->rq.access = PK_ACCESS_COMMAND;
	s->rq.op = PK_OP_COMMAND;
	s->rq.error = EACCES;
	s->rq.flags = PK_REQUEST_KEYED;
	__builtin_memset(&s->finding, 0, sizeof(s->finding));
	s->finding.verdict = PK_VERDICT_ASK;
	s->finding.rule = label->pending_rule;
	s->finding.image = label->pending_image;
}

__noinline int pk_ask_waiting(void)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0);
	struct pk_scratch *s;
	__u32 agent;
	int error;

	if (!pk_answers || !label || !label->pending.agent)
		return PK_AGENTS_MAX;
	agent = label->pending.agent;
	/* The kernel maps the new program: it does not run yet. */
	if (label->starting && pk_place() == PK_PLACE_EXEC)
		return (int)agent;
	s = pk_scratch_take(agent);
	if (!s)
		return PK_AGENTS_MAX;
	pk_waiting_request(s, label);
	error = pk_ask_keyed(s, PK_PLACE_OTHER);
	pk_scratch_give(s);
	if (!error) {
		label->generation = pk_generation + 1;
		label->agent = agent;
		label->pending.agent = 0;
		return (int)agent;
	}
	if (error != -ERESTARTNOINTR)
		(void)bpf_send_signal(SIGKILL);
	return PK_AGENTS_MAX;
}

/* A thread ends: it waits no more. */
SEC("tp_btf/sched_process_exit")
int pk_exit(void *ctx)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0);

	if (pk_label_agent(label))
		pk_hold_end();
	return 0;
}
