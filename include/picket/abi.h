/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What crosses between the BPF programs and user space besides the image: event records, counters
 * and the codes in them. Fixed-size integers, natural alignment, no holes.
 */
#ifndef PICKET_ABI_H
#define PICKET_ABI_H

#ifndef __BPF__
#include <linux/types.h>
#endif
#include <picket/limits.h>

/** In rodata of the programs and in every event; a reader of another version refuses. */
#define PK_ABI_VERSION 6

/** How the hooks are attached; const volatile pk_tier in the programs. Strongest last. */
enum pk_tier {
	PK_TIER_NETWORK, /* cgroup programs only: egress */
	PK_TIER_MODIFY_RETURN, /* the lsm bodies as fmod_ret/security_* */
	PK_TIER_LSM, /* lsm hooks */
	PK_TIER__MAX
};

/** Why the verdict is what it is. The text for people is in user/telemetry/names.c. */
enum pk_reason {
	PK_REASON_UNJUDGED, /* no layer has the section */
	PK_REASON_RULE, /* a rule matched; event.rule tells which */
	PK_REASON_DEFAULT, /* no rule matched in some layer; event.rule tells whose default */
	PK_REASON_IMAGE, /* no image, or one that cannot be read: deny */
	PK_REASON_PATH_LONG, /* path over PK_PATH_MAX bytes: deny */
	PK_REASON_PATH_DEEP, /* over PK_PATH_DEPTH components: deny */
	PK_REASON_PATH_READ, /* a kernel structure could not be read: deny */
	PK_REASON_DETACHED, /* not below the root of the task's mount namespace: deny */
	PK_REASON_NAMELESS, /* running a file that has no name (memfd): deny */
	PK_REASON_SCRATCH, /* no work area free on this CPU: deny */
	PK_REASON_WIDENS, /* the new name would give rights that the old one did not: EXDEV */
	PK_REASON_SOCKET, /* a kind of socket that egress rules cannot judge: deny */
	PK_REASON_ADDRESS, /* address missing, too short or of unknown family: deny */
	PK_REASON_MOUNT, /* mounting would give files other names: deny */
	PK_REASON_CGROUP, /* a write to the cgroup tree could move tasks between agents: deny */
	PK_REASON_IDENTITY, /* a socket of an agent used by a task that cannot be identified: deny */
	PK_REASON_DEVICE, /* making a device node would reach a device under another name: deny */
	PK_REASON_GUARD, /* a switch of the process section; event.access is the enum pk_guard */
	PK_REASON_SELF, /* picket's own processes, files or kernel objects: deny */
	PK_REASON_SUBJECT, /* tracing a program that has rules of its own (by): deny */
	PK_REASON_FOLDED, /* a case-insensitive directory: the name has many spellings: deny */
	PK_REASON_COMMAND, /* the command line could not be read or followed to its end: deny */
	PK_REASON_APPROVAL, /* an ask rule or default: approval is not available, so refused */
	PK_REASON_HELD, /* the same: stopped until an approver answers; error is 0 */
	PK_REASON_PENDING, /* the same: refused until an approver answers, the policy's on_ask: deny */
	PK_REASON_UNHELD, /* the same: refused until then, because the call cannot be held there */
	PK_REASON_GRANTED, /* allowed by a grant (event.grant); verdict allow, among the decisions */
	PK_REASON_REFUSED, /* an approver refused, or nobody answered in time */
	PK_REASON_DNS_FORM, /* not one plain question, or an answer that cannot be read: drop */
	PK_REASON_DNS_TYPE, /* a kind of record that tells no address; detail: the type: drop */
	PK_REASON_DNS_RATE, /* more questions a second than dns.rate: drop */
	PK_REASON_DNS_LONG, /* a name longer than dns.name_max: drop */
	PK_REASON_DNS_UNASKED, /* an answer to no open question of this socket: drop */
	PK_REASON_DNS_PRIVATE, /* an answer with a private address: delivered, not learned */
	PK_REASON_NO_NAME, /* the first payload says no server name, on a connection allowed by name */
	PK_REASON_PAYLOAD, /* the first payload is not what the port is for, malformed or too long */
	PK_REASON_FOREIGN, /* a socket that is not the agent's own: deny */
	PK_REASON_NETLINK, /* netlink, and not reading routes: deny */
	PK_REASON_HEADER, /* packet headers unreadable, or with options that redirect it: drop */
	PK_REASON__MAX
};

/** What the task did. One name per operation, `picket` prints it. */
enum pk_op {
	PK_OP_NONE,
	PK_OP_OPEN,
	PK_OP_CREATE, /* regular file */
	PK_OP_MKDIR,
	PK_OP_MKNOD,
	PK_OP_SYMLINK,
	PK_OP_LINK,
	PK_OP_UNLINK,
	PK_OP_RMDIR,
	PK_OP_RENAME,
	PK_OP_TRUNCATE,
	PK_OP_CHMOD,
	PK_OP_CHOWN,
	PK_OP_SETXATTR,
	PK_OP_UNIX, /* connect or send to a unix socket */
	PK_OP_EXEC,
	PK_OP_MMAP, /* map a file executable */
	PK_OP_CONNECT,
	PK_OP_SEND, /* datagram with a destination */
	PK_OP_SOCKET,
	PK_OP_MOUNT,
	PK_OP_UMOUNT,
	PK_OP_COMMAND, /* a new program's command line; path is the program, path2 the words */
	PK_OP_REMOVEXATTR,
	PK_OP_ACL, /* set or remove a POSIX ACL */
	PK_OP_UTIMES,
	PK_OP_IOCTL, /* detail: the command */
	PK_OP_WATCH, /* inotify, fanotify */
	PK_OP_RECEIVE, /* take a descriptor sent over a socket or out of another process */
	PK_OP_MAP_WRITE, /* map a file shared and writable */
	PK_OP_PTRACE, /* trace, or read what only a tracer may; target is the other process */
	PK_OP_SIGNAL, /* detail: the signal, 0 = an existence test */
	PK_OP_PRIORITY, /* scheduling, affinity or limits of another process */
	PK_OP_NAMESPACE, /* make a user namespace, enter another namespace */
	PK_OP_SETUID, /* run a file that would give privileges */
	PK_OP_CAPABLE, /* detail: the capability */
	PK_OP_BPF, /* detail: the bpf(2) command */
	PK_OP_PERF,
	PK_OP_MODULE, /* load kernel code: modules, kexec; detail: the kernel's id of what */
	PK_OP_URING, /* io_uring: polling thread, other credentials */
	PK_OP_TERMINAL, /* detail: the ioctl */
	PK_OP_KEY, /* keyrings */
	PK_OP_CLONE, /* start a child in another cgroup */
	PK_OP_SYSCALL, /* detail: the number; path: its name */
	PK_OP_BIND, /* address, port: the local ones */
	PK_OP_LISTEN, /* the same */
	PK_OP_ACCEPT, /* a connection or datagram from outside: address is the peer's, port the local
		       * one, detail the peer's port */
	PK_OP_DNS, /* a question; path: the name, detail: the type of record */
	PK_OP_ANSWER, /* the answer to one; path: the name asked for; address: the one answered */
	PK_OP_NAME, /* the first payload; path: the server's name it says, path2: the name that the
		     * connection was allowed by, detail: enum pk_protocol */
	PK_OP_PACKET, /* a packet whose destination nobody asked for before */
	PK_OP_NETLINK, /* detail: family << 16 | message type */
	PK_OP__MAX
};

/** What a first payload is (payload.h), also in events. */
enum pk_protocol {
	PK_PROTOCOL_UNKNOWN,
	PK_PROTOCOL_TLS,
	PK_PROTOCOL_HTTP,
	PK_PROTOCOL_OTHER, /* neither */
	PK_PROTOCOL__MAX
};

/** Why something was counted in struct pk_counters. */
enum pk_count {
	PK_COUNT_DECISION_LOST, /* decision record lost: ring buffer full */
	PK_COUNT_ACTIVITY_LOST, /* activity record lost: ring buffer full */
	PK_COUNT_ACTIVITY_LIMITED, /* activity record held back by report.rate */
	PK_COUNT_DENIED, /* denials (in audit mode: would-be denials) */
	PK_COUNT_ASKED,
	PK_COUNT_LABEL_FAILED, /* task storage not available; judged by cgroup */
	PK_COUNT_SCRATCH_BUSY, /* denied: no work area free */
	PK_COUNT_CACHE_HIT, /* decided from a cached directory; counted in checking builds of tests only */
	PK_COUNT_CACHE_WRONG, /* the same, and the full walk decides otherwise */
	PK_COUNT_LEARNED, /* addresses learned from answers */
	PK_COUNT_GRANTED, /* acts that a grant allowed */
	PK_COUNT_TIMED, /* decisions whose time was taken: while somebody wanted to know */
	PK_COUNT_TIMED_NS, /* how long these took, in sum, until what the task got was known */
	PK_COUNT_LIFE_LOST, /* record of a process's life lost: ring buffer full, or no work area */
	PK_COUNT__MAX
};

/** State of one agent, element of the agents map; slot number = agent number. */
struct pk_agent {
	__u64 counts[PK_COUNT__MAX];
	__u64 activity_due; /* of report.rate: state of its bucket (bucket.h), CLOCK_BOOTTIME */
	__u64 dns_start; /* ns, start of the current second of dns.rate */
	__u64 dns_count; /* questions in it */
};

/**
 * What is noted of a file or folder that is picket's own: flags, or PK_OWN_FEED and a slot. For an object
 * its own note counts, and that of the nearest tree around it on the same file system.
 */
enum pk_own_flag {
	PK_OWN_FILE = 1, /* no agent may change it */
	PK_OWN_TREE = 2, /* a folder: nor anything below it, at any depth */
	PK_OWN_SECRET = 4, /* nor read it, or what is below it */
	PK_OWN_ABOVE = 8, /* a folder around one: it may not be moved or removed */
	PK_OWN_BESIDE = 16, /* a folder with a secret directly in it: nothing of it is cached */
};

/**
 * The file is the feed of the agent whose slot is the rest, who may read it whatever its policy says; or
 * the unix socket for that agent's notes, which it may connect and send to.
 */
#define PK_OWN_FEED 0x80000000U

/** Times are counted by their logarithm: bucket n holds those below 2^n ns, and not below 2^(n-1). */
#define PK_LATENCY_BUCKETS 32

/** How long decisions about one kind of operation took, on one CPU. */
struct pk_latency {
	__u64 sum_ns;
	__u64 buckets[PK_LATENCY_BUCKETS]; /* the last one holds all longer ones, too */
};

/** Call tables of one kernel. */
enum pk_calls { PK_CALLS_64, PK_CALLS_X32, PK_CALLS_32, PK_CALLS__TABLES };
/** More than the numbers of calls there are; a power of two. */
#define PK_CALLS_MAX 1024

/** The calls that an agent may not make: the rule's index + 1, or 0. */
struct pk_refused {
	__u32 rule[PK_CALLS__TABLES][PK_CALLS_MAX];
};

/** Event kinds: what the ring buffer `decisions` and the ring buffer `activity` carry. */
enum pk_event_kind {
	PK_EVENT_DECISION = 1, /* deny, ask or granted, also the would-be ones of audit mode */
	PK_EVENT_ACTIVITY, /* allowed, reported because the policy asked to see it */
	PK_EVENT_LIFE, /* struct pk_life, in the ring buffer `activity` */
	PK_EVENT__MAX
};

/** What of a process's life a struct pk_life tells. */
enum pk_life_what {
	PK_LIFE_NONE,
	PK_LIFE_FORK, /* a process was made; parent_* made it. Threads are not told */
	PK_LIFE_PROGRAM, /* execve succeeded; text: path of the program, then its words */
	PK_LIFE_CONTEXT, /* right after a PROGRAM; text: working directory, then variables */
	PK_LIFE_EXIT, /* its last thread is gone; status */
	PK_LIFE__MAX
};

/** struct pk_life.flags: what is not whole. */
#define PK_LIFE_PATH_UNREAD                                                                        \
	1U /* the program's path, or the directory's, could not be told: empty */
#define PK_LIFE_WORDS_CUT 2U /* text2 ends before the last word or variable does */
#define PK_LIFE_WORDS_UNREAD 4U /* and could not be read to where it ends */

/** Most bytes of text2 of a PROGRAM (words), and of a CONTEXT (variables). */
#define PK_LIFE_WORDS_MAX PK_PATH_MAX
#define PK_LIFE_VARIABLES_MAX 1024U
/** Variables of the environment that are told: this name, and names that begin with this. */
#define PK_LIFE_TRACE "TRACEPARENT="
#define PK_LIFE_PREFIX "PICKET_"

/**
 * One event. `size` bytes in all: this struct, then path bytes at offset 0 of what follows, then
 * (rename, link) a second path at path2_offset. Paths have no NUL and may hold any byte but NUL.
 */
struct pk_event {
	__u32 size; /* bytes of the record, paths included */
	__u16 abi; /* PK_ABI_VERSION */
	__u8 kind; /* enum pk_event_kind */
	__u8 op; /* enum pk_op */
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__u32 agent; /* slot */
	__u32 rule; /* rule reference, image.h */
	__u8 verdict; /* enum pk_verdict */
	__u8 reason; /* enum pk_reason */
	__u8 section; /* enum pk_section */
	__u8 access; /* what was asked for: enum pk_access; section process: enum pk_guard */
	__s32 error; /* errno given to the task, positive; 0 = the call went on (allowed, audit) */
	__u8 audit; /* 1: audit mode, nothing was blocked */
	__u8 family; /* AF_*, socket operations */
	__u16 port; /* destination, host order */
	__u32 protocol; /* IPPROTO_* or 0; for socket: type << 16 | protocol */
	__u32 tgid; /* process ids in the initial pid namespace */
	__u32 tid;
	__u32 uid;
	__u32 gid;
	__u64 start_ns; /* CLOCK_BOOTTIME of the process's start: with tgid its stable id */
	__u64 parent_start_ns;
	__u32 parent_tgid;
	__u32 path_length; /* network: of a host name: the learned one, or what `op` says */
	__u32 path2_offset;
	__u32 path2_length;
	__u64 cgroup; /* id of the task's cgroup */
	__u8 address[16]; /* destination; IPv4 as ::ffff:a.b.c.d */
	__u8 comm[16]; /* NUL-padded */
	__u8 parent_comm[16];
	__u32 target; /* process that the operation is about, tgid; 0 = none */
	__u32 detail; /* see enum pk_op */
	__u8 target_comm[16];
	__u64 cookie; /* of the socket, packets and payloads only: what user space destroys; else 0 */
	__u8 local[16]; /* its own address and port, where cookie is not 0 */
	__u16 local_port;
	__u16 _pad;
	__u32 grant; /* id of the grant or refusal that decided; 0 = none */
	__u64 ask[2]; /* hash of struct pk_ask_key, where the verdict was ask before grants; else 0 */
};

/**
 * One record of a process's life. `size` bytes in all: this struct, `text_length` bytes of text at
 * offset 0 of what follows, `text2_length` bytes right behind: words or variables, each ended by a NUL
 * but for the last one if it is cut. Its first four fields are those of struct pk_event.
 */
struct pk_life {
	__u32 size;
	__u16 abi; /* PK_ABI_VERSION */
	__u8 kind; /* PK_EVENT_LIFE */
	__u8 what; /* enum pk_life_what */
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__u32 agent; /* slot */
	__u32 flags; /* PK_LIFE_* */
	__u32 tgid; /* in the initial pid namespace */
	__u32 parent_tgid;
	__u64 start_ns; /* CLOCK_BOOTTIME of its start: with tgid its stable id */
	__u64 parent_start_ns;
	__u64 cgroup; /* id */
	__u32 uid;
	__u32 gid;
	__s32 status; /* EXIT: as wait(2) tells it; else 0 */
	__u32 text_length;
	__u32 text2_length;
	__u32 words; /* PROGRAM: how many words there are, cut ones too; CONTEXT: variables told */
	__u8 comm[16]; /* NUL-padded */
};

/** Longest one. */
#define PK_LIFE_MAX (sizeof(struct pk_life) + PK_PATH_MAX + PK_LIFE_WORDS_MAX)

_Static_assert(sizeof(struct pk_life) == 96, "no holes");
_Static_assert(sizeof(struct pk_agent) == PK_COUNT__MAX * 8 + 24, "no holes");
_Static_assert(sizeof(struct pk_event) == 216, "no holes");
_Static_assert(sizeof(struct pk_event) % 8 == 0, "paths follow aligned");

/** Longest record: both paths of a rename. */
#define PK_EVENT_MAX (sizeof(struct pk_event) + 2 * PK_PATH_MAX)

#endif
