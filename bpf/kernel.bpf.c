/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Privileges, and the parts of the kernel that would hand them out.
 *
 *   capable                   the capabilities that the policy refuses; setns, unshare, clone and
 *                             the newer mount calls, which have no hook of their own
 *   bpf                       always refused: picket itself is made of bpf objects
 *   perf_event_open           guard perf
 *   kernel_load_data, kernel_read_file
 *                             guard modules: modules, kexec, policies; firmware is the drivers'
 *   uring_override_creds, uring_sqpoll
 *                             guard io_uring
 *   key_permission            guard keyrings: add_key, request_key, keyctl, /proc/keys
 *   bprm_creds_from_file      guard setuid: a program that gives ids or capabilities; in tier
 *                             modify-return file capabilities are known later, then it is killed
 *
 * EPERM. No label: allowed.
 */
#include "picket.bpf.h"

#include "guard.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Does the kernel act in the name of others (overlayfs, request_key, access(2))? */
static __always_inline bool pk_overridden(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, cred) != BPF_CORE_READ(task, real_cred);
}

/*
 * Will the kernel refuse by itself? In tier modify-return it has not been asked yet, and a question
 * whose answer is no anyway is no event. Only the owner of a namespace may have what he lacks here.
 */
static __always_inline bool pk_lacks(const struct cred *cred, const struct user_namespace *ns,
				     __u32 cap)
{
	__u64 have = 0;

	if (BPF_CORE_READ(cred, user_ns) != ns)
		return false;
	if (bpf_probe_read_kernel(&have, sizeof(have), &cred->cap_effective))
		return false;
	return !(have & (1ULL << (cap & 63)));
}

/* CAP_SYS_ADMIN in a call that has no hook: 1 = judged, the answer is in *@ret_error. */
static __always_inline bool pk_judge_call(__u32 agent, const struct pk_image *head, __u32 flags,
					  int *ret_error)
{
	struct pk_act act = { .guard = PK_GUARD_NAMESPACES, .op = PK_OP_NAMESPACE, .flags = flags };
	enum pk_call call = pk_current_call();

	*ret_error = 0;
	if (call == PK_CALL_UMOUNT)
		*ret_error = pk_errno(pk_refuse_mount(agent, PK_OP_UMOUNT, flags));
	else if (call == PK_CALL_MOUNT || call == PK_CALL_UNKNOWN)
		*ret_error = pk_errno(pk_refuse_mount(agent, PK_OP_MOUNT, flags));
	if (*ret_error)
		return true;
	if (call != PK_CALL_NAMESPACE && call != PK_CALL_UNKNOWN)
		return false;
	if (!((head->guards.deny | head->guards.ask) & (1U << PK_GUARD_NAMESPACES)))
		return false;
	*ret_error = pk_guard_ask(agent, &act, 0);
	return true;
}

static __always_inline int pk_judge_cap(__u32 agent, const struct user_namespace *ns, __u32 cap,
					__u32 flags)
{
	struct pk_act act = {
		.guard = PK_GUARD_CAPABILITIES, .op = PK_OP_CAPABLE, .detail = cap, .flags = flags
	};
	const struct pk_image *head = pk_image_head(agent);
	int error;

	if (!head)
		return pk_guard_ask(agent, &act, 0);
	if (cap == CAP_SYS_ADMIN && pk_judge_call(agent, head, flags, &error))
		return error;
	if (!(head->guards.deny & (1U << PK_GUARD_CAPABILITIES)))
		return 0;
	if (!(head->guards.capabilities & (1ULL << (cap & 63))))
		return 0;
	/* Who may make user namespaces may use them. */
	if (!(head->guards.deny & (1U << PK_GUARD_NAMESPACES)) && BPF_CORE_READ(ns, level))
		return 0;
	return pk_guard_ask(agent, &act, 0);
}

SEC("lsm/capable")
int BPF_PROG(pk_capable, const struct cred *cred, struct user_namespace *ns, int cap,
	     unsigned int opts, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent || pk_overridden() || pk_lacks(cred, ns, (__u32)cap))
		return 0;
	/* Who asks makes an errno of his own of a no. */
	return pk_judge_cap(agent, ns, (__u32)cap,
			    PK_REQUEST_HIDDEN | (opts & CAP_OPT_NOAUDIT ? PK_REQUEST_SILENT : 0));
}

/*
 * The hooks of bpf and perf_event_open have got and lost arguments, so that an earlier verdict is not
 * at one place. There is none: a chain of programs ends at the first refusal.
 */
SEC("lsm/bpf")
int BPF_PROG(pk_bpf, int cmd)
{
	struct pk_act act = { .guard = PK_GUARD_KERNEL,
			      .op = PK_OP_BPF,
			      .reason = PK_REASON_SELF,
			      .detail = (__u32)cmd };
	__u32 agent = pk_who();

	return agent ? pk_guard_ask(agent, &act, 0) : 0;
}

SEC("lsm/perf_event_open")
int BPF_PROG(pk_perf_open)
{
	return pk_guard_act(PK_GUARD_PERF, PK_OP_PERF, 0);
}

/* Firmware is what the drivers want, not the agent; unknown is 0. */
#define PK_CODE_FIRMWARE 1

SEC("lsm/kernel_load_data")
int BPF_PROG(pk_load_data, int id, bool contents, int ret)
{
	if (ret || id == PK_CODE_FIRMWARE)
		return ret;
	return pk_guard_act(PK_GUARD_MODULES, PK_OP_MODULE, (__u32)id);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(pk_read_file, struct file *file, int id, bool contents, int ret)
{
	if (ret || id == PK_CODE_FIRMWARE)
		return ret;
	return pk_guard_act(PK_GUARD_MODULES, PK_OP_MODULE, (__u32)id);
}

SEC("lsm/uring_override_creds")
int BPF_PROG(pk_uring_creds, const struct cred *cred, int ret)
{
	return ret ? ret : pk_guard_act(PK_GUARD_URING, PK_OP_URING, 0);
}

SEC("lsm/uring_sqpoll")
int BPF_PROG(pk_uring_poll, int ret)
{
	return ret ? ret : pk_guard_act(PK_GUARD_URING, PK_OP_URING, 0);
}

/* enum key_need_perm: what the kernel itself asks for when it looks for keys on its own account. */
#define PK_KEY_SEARCH 4
#define PK_KEY_LINK 5

/* File systems and network protocols look for keys in a task's name; that is none of its doing. */
SEC("lsm/key_permission")
int BPF_PROG(pk_key_perm, void *key, const struct cred *cred, int need, int ret)
{
	struct pk_act act = { .guard = PK_GUARD_KEYRINGS, .op = PK_OP_KEY };
	enum pk_call call;
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent || pk_overridden())
		return 0;
	call = pk_current_call();
	if (call != PK_CALL_KEY && call != PK_CALL_UNKNOWN) {
		if (need == PK_KEY_SEARCH || need == PK_KEY_LINK)
			return 0;
		/* /proc/keys asks for each key and leaves out the refused ones. */
		act.flags = PK_REQUEST_SILENT;
	}
	return pk_guard_ask(agent, &act, 0);
}

/* Is @id one that the task has already, or can it take any? */
static __always_inline bool pk_has_id(__u32 id, __u32 real, __u32 effective, __u32 saved)
{
	return id == real || id == effective || id == saved;
}

static __always_inline __u64 pk_caps(const void *caps)
{
	__u64 bits = 0;

	(void)bpf_probe_read_kernel(&bits, sizeof(bits), caps);
	return bits;
}

/*
 * Does the file give the new program what the task has not? Root that starts a program gets its
 * capabilities back for being root, not by the file.
 */
static __always_inline bool pk_gains(const struct cred *next)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	const struct cred *now = BPF_CORE_READ(task, cred);
	__u64 able = pk_caps(&now->cap_effective);
	__u32 uid = BPF_CORE_READ(now, uid.val), euid = BPF_CORE_READ(now, euid.val);

	if (!(able & (1ULL << CAP_SETUID)) &&
	    !pk_has_id(BPF_CORE_READ(next, euid.val), uid, euid, BPF_CORE_READ(now, suid.val)))
		return true;
	if (!(able & (1ULL << CAP_SETGID)) &&
	    !pk_has_id(BPF_CORE_READ(next, egid.val), BPF_CORE_READ(now, gid.val),
		       BPF_CORE_READ(now, egid.val), BPF_CORE_READ(now, sgid.val)))
		return true;
	if (!uid || !euid)
		return false;
	return pk_caps(&next->cap_permitted) & ~pk_caps(&now->cap_permitted);
}

static __always_inline int pk_setuid_hook(const struct linux_binprm *bprm, __u32 flags)
{
	struct pk_act act = { .guard = PK_GUARD_SETUID, .op = PK_OP_SETUID, .flags = flags };
	const struct cred *next = BPF_CORE_READ(bprm, cred);
	const struct pk_image *head;
	__u32 agent = pk_who();

	if (!agent)
		return 0;
	head = pk_image_head(agent);
	if (head && !((head->guards.deny | head->guards.ask) & (1U << PK_GUARD_SETUID)))
		return 0;
	/* Who may make user namespaces may use them. */
	if (head && !(head->guards.deny & (1U << PK_GUARD_NAMESPACES)) &&
	    BPF_CORE_READ(next, user_ns, level))
		return 0;
	return pk_gains(next) ? pk_guard_ask(agent, &act, 0) : 0;
}

SEC("lsm/bprm_creds_from_file")
int BPF_PROG(pk_setuid, struct linux_binprm *bprm, struct file *file, int ret)
{
	return ret ? ret : pk_setuid_hook(bprm, 0);
}

/* Before the security_ function ran, file capabilities were not in the new credentials yet. */
SEC("?fentry/security_bprm_committing_creds")
int BPF_PROG(pk_setuid_late, struct linux_binprm *bprm)
{
	if (pk_setuid_hook(bprm, PK_REQUEST_HIDDEN))
		bpf_send_signal(SIGKILL);
	return 0;
}
