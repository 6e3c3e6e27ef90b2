/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of the filter: who calls is read from /proc while the caller waits, so that it is
 * there; its times are in hundredths of a second, which is all that /proc tells.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <picket/abi.h>

#include "base/mem.h"
#include "engine/proc_line.h"
#include "engine/seccomp.h"
#include "policy/decide.h"

/* A call that is there is taken in microseconds. */
#define SHARED_WAIT_US 20000

/* What one record is: the event and the name of the call. */
struct record {
	struct pk_event head;
	char name[64];
};

/* 32-bit x86 has calls that stand for many; the first argument says which. */
static const char *const socket_calls[] = {
	NULL,	       "socket",     "bind",	"connect", "listen",  "accept",	  "getsockname",
	"getpeername", "socketpair", "send",	"recv",	   "sendto",  "recvfrom", "shutdown",
	"setsockopt",  "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
};

static const char *const ipc_calls[] = {
	NULL, "semop", "semget", "semctl", "semtimedop", NULL,	   NULL,     NULL, NULL,
	NULL, NULL,    "msgsnd", "msgrcv", "msgget",	 "msgctl", NULL,     NULL, NULL,
	NULL, NULL,    NULL,	 "shmat",  "shmdt",	 "shmget", "shmctl",
};

static const char *behind(const char *name, __u64 argument)
{
	__u64 call = argument & 0xffff;

	if (strcmp(name, "socketcall") == 0)
		return call < sizeof(socket_calls) / sizeof(socket_calls[0]) ? socket_calls[call] :
									       NULL;
	if (strcmp(name, "ipc") == 0)
		return call < sizeof(ipc_calls) / sizeof(ipc_calls[0]) ? ipc_calls[call] : NULL;
	return NULL;
}

char *seccomp_call_name(__u32 arch, int number, __u64 first_argument)
{
	/* x32 calls come as x86_64 with a bit set. */
	const int x32 = 0x40000000;
	CLEAN_FREE char *name = NULL;
	const char *other;

	if (arch == SCMP_ARCH_X86_64 && (number & x32))
		arch = SCMP_ARCH_X32;
	name = seccomp_syscall_resolve_num_arch(arch, number);
	other = name ? behind(name, first_argument) : NULL;
	return other ? strdup(other) : TAKE_PTR(name);
}

/* The rule that refuses the call @name, or PK_RULE_NONE. */
static __u32 find_rule(const struct policy_image *image, const char *name)
{
	struct pk_result result = decide_syscall(image, name);

	return result.reason == PK_REASON_RULE ? result.rule : PK_RULE_NONE;
}

static FILE *open_proc(__u32 pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return fopen(path, "re");
}

static void read_comm(__u32 pid, __u8 comm[16])
{
	CLEAN_FILE FILE *file = open_proc(pid, "comm");
	size_t length = file ? fread(comm, 1, 16, file) : 0;

	for (size_t i = 0; i < 16; i++) {
		if (i >= length || comm[i] == '\n')
			comm[i] = 0;
	}
}

/* When it started, in nanoseconds since boot; 0 = not known. */
static __u64 read_start(__u32 pid)
{
	CLEAN_FILE FILE *file = open_proc(pid, "stat");
	char text[1024] = "";
	const char *at;
	long ticks = sysconf(_SC_CLK_TCK);
	unsigned long long start = 0;

	if (!file || !fgets(text, sizeof(text), file) || ticks <= 0)
		return 0;
	/* Field 22; the name in field 2 may hold anything, ')' too. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!at || !proc_line_value(at, "", &start))
		return 0;
	return start * (1000000000ULL / (unsigned long long)ticks);
}

static void read_ids(struct pk_event *e, __u32 tid)
{
	CLEAN_FILE FILE *file = open_proc(tid, "status");
	unsigned long long value = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (proc_line_value(line, "Tgid:", &value))
			e->tgid = (__u32)value;
		else if (proc_line_value(line, "PPid:", &value))
			e->parent_tgid = (__u32)value;
		else if (proc_line_value(line, "Uid:", &value))
			e->uid = (__u32)value;
		else if (proc_line_value(line, "Gid:", &value))
			e->gid = (__u32)value;
	}
}

static void fill_task(struct pk_event *e, __u32 tid)
{
	e->tid = tid;
	e->tgid = tid;
	read_ids(e, tid);
	read_comm(tid, e->comm);
	e->start_ns = read_start(e->tgid);
	if (!e->parent_tgid)
		return;
	read_comm(e->parent_tgid, e->parent_comm);
	e->parent_start_ns = read_start(e->parent_tgid);
}

static void make_record(const struct seccomp_watch *watch, const struct seccomp_notif *call,
			struct record *ret_record)
{
	CLEAN_FREE char *name =
		seccomp_call_name(call->data.arch, call->data.nr, call->data.args[0]);
	bool audit = image_head(watch->image)->flags & PK_IMAGE_AUDIT;
	struct pk_event *e = &ret_record->head;
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	(void)snprintf(ret_record->name, sizeof(ret_record->name), "%s", name ? name : "unknown");
	*e = (struct pk_event){
		.abi = PK_ABI_VERSION,
		.kind = PK_EVENT_DECISION,
		.op = PK_OP_SYSCALL,
		.time_ns = (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec,
		.agent = watch->agent,
		.rule = find_rule(watch->image, ret_record->name),
		.verdict = PK_VERDICT_DENY,
		.section = PK_SECTION_SYSCALLS,
		.error = audit ? 0 : EPERM,
		.audit = audit,
		.cgroup = watch->cgroup,
		.detail = (__u32)call->data.nr,
		.path_length = (__u32)strlen(ret_record->name),
	};
	e->reason = e->rule == PK_RULE_NONE ? PK_REASON_IMAGE : PK_REASON_RULE;
	e->size = (__u32)sizeof(*e) + e->path_length;
	fill_task(e, call->pid);
}

/* The kernel's structures may be longer than ours. */
static int make_buffers(struct seccomp_notif **ret_call, struct seccomp_notif_resp **ret_answer)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return -errno;
	if (sizes.seccomp_notif < sizeof(**ret_call))
		sizes.seccomp_notif = sizeof(**ret_call);
	if (sizes.seccomp_notif_resp < sizeof(**ret_answer))
		sizes.seccomp_notif_resp = sizeof(**ret_answer);
	*ret_call = calloc(1, sizes.seccomp_notif);
	*ret_answer = calloc(1, sizes.seccomp_notif_resp);
	return *ret_call && *ret_answer ? 0 : -ENOMEM;
}

static void do_nothing(int signal)
{
	(void)signal;
}

/*
 * The kernel waits for a call to come, and O_NONBLOCK does not keep it from that: who shares the
 * listener could take each call first and hold us here. A signal does: at intervals, because the first
 * one may come before the wait begins.
 */
static int receive_shared(int listener, struct seccomp_notif *call)
{
	const struct itimerval often = { { .tv_usec = SHARED_WAIT_US },
					 { .tv_usec = SHARED_WAIT_US } };
	const struct itimerval never = { 0 };
	const struct sigaction interrupt = { .sa_handler = do_nothing };
	struct sigaction before;
	sigset_t alarm;
	sigset_t mask;
	int r;

	(void)sigemptyset(&alarm);
	(void)sigaddset(&alarm, SIGALRM);
	(void)sigaction(SIGALRM, &interrupt, &before);
	(void)pthread_sigmask(SIG_UNBLOCK, &alarm, &mask);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	r = ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, call) ? -errno : 0;
	(void)setitimer(ITIMER_REAL, &never, NULL);
	/* One that came since is taken by the handler, before the mask and the action are as they were. */
	(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	return r;
}

static int receive(const struct seccomp_watch *watch, struct seccomp_notif *call)
{
	int r;

	if (watch->shared)
		return receive_shared(watch->listener, call);
	r = ioctl(watch->listener, SECCOMP_IOCTL_NOTIF_RECV, call) ? -errno : 0;
	/* A signal of our own: epoll tells again. */
	return r == -EINTR ? -ENOENT : r;
}

int seccomp_answer(const struct seccomp_watch *watch)
{
	CLEAN_FREE struct seccomp_notif *call = NULL;
	CLEAN_FREE struct seccomp_notif_resp *answer = NULL;
	struct record record;
	int r = make_buffers(&call, &answer);

	if (r)
		return r;
	r = receive(watch, call);
	/* ENOENT: the caller was killed. */
	if (r)
		return r == -ENOENT ? 0 : r;
	make_record(watch, call, &record);
	answer->id = call->id;
	if (record.head.audit)
		answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		answer->error = -EPERM;
	if (ioctl(watch->listener, SECCOMP_IOCTL_NOTIF_SEND, answer) && errno != ENOENT)
		return -errno;
	watch->record(watch->context, &record, record.head.size);
	return 0;
}
