/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The policy image: the compiled, immutable form of one agent's policy, the same bytes in a file,
 * in user space and in the frozen inner map that the BPF programs read. Little endian.
 *
 * An image is `pages` pages of PK_PAGE_SIZE bytes. Page 0 starts with struct pk_image. Parts follow
 * at 32-byte aligned offsets, in the order of enum pk_part, with zero bytes between and behind.
 *
 *   part      element          what
 *   slots     struct pk_slot   the path automata, rows overlaid (comb)
 *   spans     struct pk_span   the address table, sorted
 *   items     struct pk_item   rule sets, back to back
 *   rules     struct pk_rule   where each rule comes from, for people
 *   strings   bytes            NUL-terminated text that rules point to; starts with one NUL
 *
 * Automata. There are PK_AUTOMATA of them, each run over the whole path from its own start state; the
 * rules of a path are those of all the sets they end in. They share byte classes and the comb. A
 * state is the absolute index (from the image's first byte, in units of 8 bytes) of its head:
 * slot[s].next is the default successor and slot[s].check is PK_SLOT_HEAD;
 * slot[s + 1].next is the rule set of a path that ends here and slot[s + 1].check PK_SLOT_HEAD.
 * Successor by byte b: c = path_class[b] (always >= 2); if slot[s + c].check == s the successor is
 * slot[s + c].next, else the default. Two states never share a head; rows may interleave.
 * Read in order from the part's start, the first slot tagged PK_SLOT_HEAD is a head, the next its set,
 * and so on: only heads so found are states. An unused slot is all zero. Behind every head the part
 * has a slot for each class.
 *
 *   Example: the policy has the one glob "/a*". Classes: '/' 2, 'a' 3, all others 4.
 *     s0 (start)  default dead  '/' -> s1      set 0
 *     s1          default dead  'a' -> s2      set 0
 *     s2          default s2    '/' -> dead    set S     ('*' stays inside the component)
 *     dead        default dead                 set 0
 *
 * Commands. The command automaton is one more in the same comb, with classes of its own. Its key is
 * the program and the arguments, each followed by a NUL byte: "/usr/bin/git\0push\0origin\0". The
 * rules of a command are those of the set it ends in.
 *
 * Hosts. The host automaton is another one in the same comb, with classes of its own. Its key is a host
 * name in lower case, without a dot at the end, READ FROM ITS LAST BYTE TO ITS FIRST, so that "any name
 * below x" is a prefix. The rules of a name are those of the set it ends in.
 *
 * Subjects. A rule with `by` has items whose `subjects` are bits; a program has the bits of the
 * subject items that its path matches.
 *
 * Rules. Patterns in the order of layers and text; behind them the globs of `by` lists (section
 * subject) and the words of process sections.
 *
 * A set id is (index of the first item << 8 | count), the index counted from the part's start in
 * items; 0 is the empty set. Items of a set are sorted by rule number.
 *
 * Addresses. span[i] holds the set of every address from span[i].from to the one before
 * span[i + 1].from (the last: to the end of the space); span[0].from is all zero. An IPv4 address is
 * looked up as its mapped form ::ffff:a.b.c.d.
 */
#ifndef PICKET_IMAGE_H
#define PICKET_IMAGE_H

#ifndef __BPF__
#include <linux/types.h>
#endif
#include <picket/limits.h>

#define PK_IMAGE_MAGIC 0x3147496b63697001ULL
/** Raised by every change of this file that a reader of another build could misread. */
#define PK_IMAGE_VERSION 4

/** Verdicts, in the order of strictness: the largest of all that match wins. */
enum pk_verdict { PK_VERDICT_ALLOW, PK_VERDICT_ASK, PK_VERDICT_DENY, PK_VERDICT__MAX };

/**
 * Policy sections that decide. Files, exec (programs), unix and subject share the path automata;
 * an abstract unix socket NAME is the path "/NAME" there, items of other sections do not count.
 */
enum pk_section {
	PK_SECTION_EGRESS,
	PK_SECTION_FILES,
	PK_SECTION_EXEC,
	PK_SECTION_UNIX, /* abstract unix sockets */
	PK_SECTION_PROCESS, /* guards: no items, struct pk_guards */
	PK_SECTION_SYSCALLS, /* refused by seccomp in user space: rules without items */
	PK_SECTION_SUBJECT, /* items that give a program its bits of pk_item.subjects */
	PK_SECTION_LISTEN, /* local addresses and ports that may be bound and listened on */
	PK_SECTION_ACCEPT, /* who may connect: peer addresses, by local port */
	PK_SECTION_SOCKETS, /* kinds of sockets: no items, pk_image.sockets */
	PK_SECTION__MAX
};

/** What is asked for: bits of a nibble, their meaning depends on the section. */
enum pk_access {
	PK_ACCESS_READ = 1, /* files: open for reading, list a directory */
	PK_ACCESS_WRITE = 2, /* files: modify, create, delete, rename, attributes */
	PK_ACCESS_EXEC = 4, /* files: run, or map executable */
	PK_ACCESS_CONNECT = 8, /* files: connect or send to a unix socket */
	PK_ACCESS_FILES = 15,
	PK_ACCESS_TCP = 1, /* egress */
	PK_ACCESS_UDP = 2, /* egress */
	PK_ACCESS_ICMP = 4, /* egress: echo requests, where `sockets` has icmp */
	PK_ACCESS_EGRESS = 3, /* what a rule without `protocol` is about; of a name: TCP */
	PK_ACCESS_RUN = 1, /* exec: start this program, whatever its arguments */
	PK_ACCESS_COMMAND = 2, /* exec: this command line */
	PK_ACCESS_ABSTRACT = 8, /* unix: connect or send */
	PK_ACCESS_SUBJECT = 1, /* subject: be this program */
	/* listen and accept: TCP and UDP as egress */
};

/** Kinds of sockets: bits of pk_image.sockets, 1 = may be made. */
enum pk_socket {
	PK_SOCKET_INET, /* TCP and UDP over IPv4 */
	PK_SOCKET_INET6,
	PK_SOCKET_UNIX,
	PK_SOCKET_NETLINK, /* of the route family, for reading */
	PK_SOCKET_NETLINK_ALL, /* of every family, for everything */
	PK_SOCKET_ICMP, /* echo requests without privileges (SOCK_DGRAM) */
	PK_SOCKET_RAW, /* IP packets made by the program; judged as such */
	PK_SOCKET_PACKET, /* from here on: not judged by any rule once it exists */
	PK_SOCKET_VSOCK,
	PK_SOCKET_ALG,
	PK_SOCKET_BLUETOOTH,
	PK_SOCKET_CAN,
	PK_SOCKET_XDP,
	PK_SOCKET__MAX
};
/** What may be made where nothing is said: inet, inet6, unix, netlink. */
#define PK_SOCKETS_DEFAULT 0xfU

/** Switches of the process section: bits of struct pk_guards.deny, 1 = refused. */
enum pk_guard {
	PK_GUARD_PTRACE, /* trace, or look into, processes that are not the agent's */
	PK_GUARD_SIGNALS, /* signal or slow down processes that are not the agent's */
	PK_GUARD_MOUNTS,
	PK_GUARD_NAMESPACES, /* new user namespaces; entering any namespace */
	PK_GUARD_SETUID, /* privileges from set-id bits or file capabilities */
	PK_GUARD_CAPABILITIES, /* those in struct pk_guards.capabilities */
	PK_GUARD_PERF,
	PK_GUARD_MODULES, /* kernel code: modules, kexec */
	PK_GUARD_URING, /* io_uring's polling thread and other credentials */
	PK_GUARD_TERMINAL, /* typing into terminals: TIOCSTI, TIOCLINUX */
	PK_GUARD_KEYRINGS,
	PK_GUARD_KERNEL, /* sysctl, sysrq, tracefs, debugfs, raw memory and disks, for writing */
	PK_GUARD_MEMFD_EXEC,
	PK_GUARD_WRITABLE_EXEC, /* run or map executable what the agent may write */
	PK_GUARD_MPROTECT_EXEC, /* make a mapping of a file executable later */
	PK_GUARD__MAX
};

/** Activity kinds that a policy may ask to see although they were allowed (report.activity). */
enum pk_activity {
	PK_ACTIVITY_EXEC = 1,
	PK_ACTIVITY_CONNECT = 2,
	PK_ACTIVITY_WRITE = 4,
	PK_ACTIVITY_READ = 8,
	PK_ACTIVITY__ALL = 15
};

enum pk_part {
	PK_PART_SLOTS,
	PK_PART_SPANS,
	PK_PART_ITEMS,
	PK_PART_RULES,
	PK_PART_STRINGS,
	PK_PART__MAX
};

/** Where a part lies: both in bytes; offset is a multiple of 32. */
struct pk_extent {
	__u32 offset;
	__u32 size;
};

/**
 * What a section says when no rule matches: nibble masks (layer << 2), all four bits of a nibble
 * set or clear. `present`: layers that have the section; a layer without it judges nothing there.
 * `deny` and `ask` are disjoint subsets of `present`.
 */
struct pk_default {
	__u32 present;
	__u32 deny;
	__u32 ask;
};

/** The process section of all layers: what any of them refuses is refused. */
struct pk_guards {
	__u32 deny; /* bit of each enum pk_guard that is refused */
	__u32 ask; /* the same: that somebody is asked about; disjoint from deny */
	__u32 rule[PK_GUARD__MAX]; /* rule reference of the switch, profile or default that says so */
	__u32 _pad;
	__u64 capabilities; /* bits of the capabilities that are refused */
};

/** Flags of struct pk_dns. */
#define PK_DNS_ANY_NAME 1U /* names that no rule knows may be asked for too */
#define PK_DNS_PRIVATE 2U /* answers with private addresses are learned like others */

/** What the kernel does about DNS; the strictest of all layers. */
struct pk_dns {
	__u64 resolvers[PK_RESOLVERS_MAX][2]; /* struct pk_address; always port 53 */
	__u32 resolver_count; /* 0 = DNS is not looked at: port 53 is a port like others */
	__u32 flags; /* PK_DNS_* */
	__u32 min_ttl; /* seconds that an answer holds at least */
	__u32 rate; /* questions a second of the agent, 0 = unlimited */
	__u32 name_max; /* bytes of the longest name that may be asked for */
	__u32 _pad;
};

/** Image flags. */
#define PK_IMAGE_AUDIT 1U /* decide and report everything, block nothing */
#define PK_IMAGE_SNI 2U /* on connections that only a name allowed the first payload must say it */
#define PK_IMAGE_DENIED_NAMES 4U /* some rule denies a name: look at other first payloads too */
#define PK_IMAGE_HOLD 8U /* on_ask: hold in every layer; else refuse until answered */
#define PK_IMAGE_ASKS_EGRESS 16U /* a rule or default of egress asks: the LSM hooks judge, too */

struct pk_image {
	__u64 magic;
	__u32 version;
	__u32 pages; /* size of the whole image in pages */
	__u8 digest[32]; /* SHA-256 of the image with this field zero: its name */
	__u32 flags; /* PK_IMAGE_* */
	__u32 layers; /* 1..PK_LAYERS_MAX */
	__u32 activity; /* PK_ACTIVITY_* to report */
	__u32 rate; /* activity events a second, 0 = unlimited */
	struct pk_default defaults[PK_SECTION__MAX];
	__u32 path_start[PK_AUTOMATA]; /* start states of the path automata */
	__u32 span_count; /* elements of the spans part, >= 1 */
	__u32 name; /* string: the policy's name (of the last layer) */
	struct pk_extent part[PK_PART__MAX];
	__u32 argv_start; /* start state of the command automaton; 0 = no rule looks at arguments */
	__u32 argv_dead; /* its state that nothing leaves and that has no rules; 0 = it has none */
	__u32 subjects; /* bits of pk_item.subjects that are in use; 0 = no rule has `by` */
	struct pk_guards guards;
	__u32 host_start; /* start state of the host automaton; 0 = no rule has a host name */
	__u32 host_dead; /* its state that nothing leaves and that has no rules; 0 = it has none */
	struct pk_dns dns;
	__u32 sockets; /* bits of enum pk_socket that all layers allow */
	/* Approvals. All of them are 0 where no rule, default or switch asks, and so is PK_IMAGE_HOLD. */
	__u32 ask_timeout; /* seconds after which nobody's answer is a refusal; the shortest of all layers */
	__u32 ask_hook; /* string: absolute path of the program that requests are told, or 0 */
	__u32 ask_approvers; /* that a request takes which no rule, but a default made */
	__u8 path_class[256]; /* byte -> class, each >= 2 */
	__u8 argv_class[256]; /* the same for the command automaton */
	__u8 host_class[256]; /* the same for the host automaton */
};

#define PK_SLOT_HEAD 0xffffffffU
#define PK_CLASS_FIRST 2

struct pk_slot {
	__u32 next;
	__u32 check;
};

struct pk_span {
	__u64 from_hi; /* first address of the span, as two host-order numbers */
	__u64 from_lo;
	__u32 set;
	__u32 _pad[3];
};

/** One member of a rule set. */
struct pk_item {
	__u8 layer;
	__u8 verdict; /* enum pk_verdict */
	__u8 section; /* enum pk_section */
	__u8 access; /* nibble of enum pk_access */
	__u16 port_lo; /* egress, listen, accept: inclusive range; other sections 0..65535 */
	__u16 port_hi;
	__u32 subjects; /* mask of programs the rule is for; all ones = every program */
	__u32 rule; /* index in the rules part */
};

/** Where a rule (one pattern of one policy rule) stands and what it says, for people. */
struct pk_rule {
	__u32 file; /* strings */
	__u32 line;
	__u32 column;
	__u32 text; /* the pattern as written */
	__u32 id; /* the rule's id, or 0 */
	__u32 reason; /* the rule's reason, or 0 */
	__u8 verdict;
	__u8 section;
	__u8 layer;
	__u8 access; /* nibble; above it, of rules that ask: approvers that it takes beyond the first */
	__u32 subjects; /* as in pk_item; sections process and syscalls: all ones */
};

/** The nibble of enum pk_access that a struct pk_rule is about. */
#define pk_rule_access(rule) ((rule)->access & 0xfU)
/** Different approvers that a request by it takes: 1 to PK_APPROVERS_MAX. */
#define pk_rule_approvers(rule) (((rule)->access >> 4) + 1U)
/** `access` of a struct pk_rule from both. */
#define pk_rule_pack(access, approvers) ((__u8)((access) | ((approvers)-1U) << 4))
/** Most approvers of a rule. */
#define PK_APPROVERS_MAX 8
/** Most seconds of pk_image.ask_timeout. */
#define PK_ASK_TIMEOUT_MAX 86400U

/** A rule reference in results and events: an index of the rules part, or a section's default. */
#define PK_RULE_DEFAULT 0x80000000U /* | layer << 8 | section */
#define PK_RULE_NONE 0xffffffffU

_Static_assert(sizeof(struct pk_extent) == 8, "no holes");
_Static_assert(sizeof(struct pk_default) == 12, "no holes");

_Static_assert(sizeof(struct pk_guards) == 80, "no holes");
_Static_assert(sizeof(struct pk_dns) == 152, "no holes");
_Static_assert(sizeof(struct pk_image) == 1280 && sizeof(struct pk_image) % 32 == 0,
	       "no holes, fits page 0, the first part follows at once");
_Static_assert(sizeof(struct pk_slot) == 8, "power of two");
_Static_assert(sizeof(struct pk_span) == 32, "power of two");
_Static_assert(sizeof(struct pk_item) == 16, "power of two");
_Static_assert(sizeof(struct pk_rule) == 32, "power of two");

#endif
