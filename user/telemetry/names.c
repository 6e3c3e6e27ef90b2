/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * String tables. The words are part of what scripts read (JSON): changing one is a change of schema.
 */
#include "telemetry/names.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A table of exactly @count names without gaps at the end; `lookup` guards the gaps inside. */
#define COMPLETE(table, count)                                                                     \
	_Static_assert(sizeof(table) / sizeof((table)[0]) == (count), #table " has another length")

#define LOOKUP(table, code) lookup(table, sizeof(table) / sizeof((table)[0]), code)

static const char *find(const char *const *table, size_t count, __u32 code)
{
	return code < count ? table[code] : NULL;
}

static const char *lookup(const char *const *table, size_t count, __u32 code)
{
	const char *name = find(table, count, code);

	return name ? name : "unknown";
}

static const char *const ops[] = {
	[PK_OP_NONE] = "none",	       [PK_OP_OPEN] = "open",
	[PK_OP_CREATE] = "create",     [PK_OP_MKDIR] = "mkdir",
	[PK_OP_MKNOD] = "mknod",       [PK_OP_SYMLINK] = "symlink",
	[PK_OP_LINK] = "link",	       [PK_OP_UNLINK] = "unlink",
	[PK_OP_RMDIR] = "rmdir",       [PK_OP_RENAME] = "rename",
	[PK_OP_TRUNCATE] = "truncate", [PK_OP_CHMOD] = "chmod",
	[PK_OP_CHOWN] = "chown",       [PK_OP_SETXATTR] = "setxattr",
	[PK_OP_UNIX] = "unix",	       [PK_OP_EXEC] = "exec",
	[PK_OP_MMAP] = "mmap",	       [PK_OP_CONNECT] = "connect",
	[PK_OP_SEND] = "send",	       [PK_OP_SOCKET] = "socket",
	[PK_OP_MOUNT] = "mount",       [PK_OP_UMOUNT] = "umount",
	[PK_OP_COMMAND] = "command",   [PK_OP_REMOVEXATTR] = "removexattr",
	[PK_OP_ACL] = "acl",	       [PK_OP_UTIMES] = "utimes",
	[PK_OP_IOCTL] = "ioctl",       [PK_OP_WATCH] = "watch",
	[PK_OP_RECEIVE] = "receive",   [PK_OP_MAP_WRITE] = "map-write",
	[PK_OP_PTRACE] = "ptrace",     [PK_OP_SIGNAL] = "signal",
	[PK_OP_PRIORITY] = "priority", [PK_OP_NAMESPACE] = "namespace",
	[PK_OP_SETUID] = "setuid",     [PK_OP_CAPABLE] = "capable",
	[PK_OP_BPF] = "bpf",	       [PK_OP_PERF] = "perf",
	[PK_OP_MODULE] = "module",     [PK_OP_URING] = "io_uring",
	[PK_OP_TERMINAL] = "terminal", [PK_OP_KEY] = "key",
	[PK_OP_CLONE] = "clone",       [PK_OP_SYSCALL] = "syscall",
	[PK_OP_BIND] = "bind",	       [PK_OP_LISTEN] = "listen",
	[PK_OP_ACCEPT] = "accept",     [PK_OP_DNS] = "dns",
	[PK_OP_ANSWER] = "answer",     [PK_OP_NAME] = "name",
	[PK_OP_PACKET] = "packet",     [PK_OP_NETLINK] = "netlink",
};
COMPLETE(ops, PK_OP__MAX);

static const struct {
	const char *code;
	const char *sentence;
} reasons[] = {
	[PK_REASON_UNJUDGED] = { "unjudged", "the policy does not judge this" },
	[PK_REASON_RULE] = { "rule", "a rule matched" },
	[PK_REASON_DEFAULT] = { "default", "no rule matched" },
	[PK_REASON_IMAGE] = { "image", "the policy image cannot be read, so all is denied" },
	[PK_REASON_PATH_LONG] = { "path-long", "the path is over 4096 bytes" },
	[PK_REASON_PATH_DEEP] = { "path-deep", "the path has over 128 components" },
	[PK_REASON_PATH_READ] = { "path-read", "the kernel's record of the path cannot be read" },
	[PK_REASON_DETACHED] = { "detached",
				 "the file is not below the root of the mount namespace" },
	[PK_REASON_NAMELESS] = { "nameless", "the file to run has no name" },
	[PK_REASON_SCRATCH] = { "scratch", "no work area was free on this CPU" },
	[PK_REASON_WIDENS] = { "widens",
			       "the new name would give rights that the old one does not" },
	[PK_REASON_SOCKET] = { "socket", "egress rules cannot judge this kind of socket" },
	[PK_REASON_ADDRESS] = { "address", "the address is missing, cut or of an unknown family" },
	[PK_REASON_MOUNT] = { "mount", "mounting would give files other names" },
	[PK_REASON_CGROUP] = { "cgroup",
			       "a write to the cgroup tree could move tasks between agents" },
	[PK_REASON_IDENTITY] = { "identity",
				 "the task that uses the agent's socket cannot be identified" },
	[PK_REASON_DEVICE] = { "device", "a device node would reach a device under another name" },
	[PK_REASON_GUARD] = { "guard", "the process section refuses it" },
	[PK_REASON_SELF] = { "self", "it would reach picket itself" },
	[PK_REASON_SUBJECT] = { "subject", "the other program has rules of its own" },
	[PK_REASON_FOLDED] = { "folded",
			       "a name in a case-insensitive directory has many spellings" },
	[PK_REASON_COMMAND] = { "command", "the command line cannot be read to its end" },
	[PK_REASON_APPROVAL] = { "approval",
				 "it needs an approval, and approval is not available" },
	[PK_REASON_HELD] = { "held", "it waits for an approval" },
	[PK_REASON_PENDING] = { "pending", "it needs an approval, and can be tried again then" },
	[PK_REASON_UNHELD] = { "unheld",
			       "it needs an approval that this call cannot wait for, and can be "
			       "tried again then" },
	[PK_REASON_GRANTED] = { "granted", "it was approved" },
	[PK_REASON_REFUSED] = { "refused", "it was not approved" },
	[PK_REASON_DNS_FORM] = { "dns-form",
				 "the DNS message is not one plain question or its answer" },
	[PK_REASON_DNS_TYPE] = { "dns-type", "this type of DNS record is not asked for here" },
	[PK_REASON_DNS_RATE] = { "dns-rate", "more questions a second than dns.rate allows" },
	[PK_REASON_DNS_LONG] = { "dns-long", "the name is longer than dns.max_name allows" },
	[PK_REASON_DNS_UNASKED] = { "dns-unasked", "the answer is to no open question" },
	[PK_REASON_DNS_PRIVATE] = { "dns-private", "the answer is a private address" },
	[PK_REASON_NO_NAME] = { "no-name",
				"the connection was allowed by name, and its first bytes name no server" },
	[PK_REASON_PAYLOAD] = { "payload", "the first bytes are not what this port is for" },
	[PK_REASON_FOREIGN] = { "foreign", "the socket is not the agent's own" },
	[PK_REASON_NETLINK] = { "netlink", "of netlink only reading routes is allowed" },
	[PK_REASON_HEADER] = { "header", "the packet's headers would send it elsewhere" },
};
COMPLETE(reasons, PK_REASON__MAX);
_Static_assert(PK_PATH_MAX == 4096 && PK_PATH_DEPTH == 128, "limits named in the sentences");

static const char *const verdicts[] = {
	[PK_VERDICT_ALLOW] = "allow",
	[PK_VERDICT_ASK] = "ask",
	[PK_VERDICT_DENY] = "deny",
};
COMPLETE(verdicts, PK_VERDICT__MAX);

static const char *const sections[] = {
	[PK_SECTION_EGRESS] = "egress",	  [PK_SECTION_FILES] = "files",
	[PK_SECTION_EXEC] = "exec",	  [PK_SECTION_UNIX] = "unix",
	[PK_SECTION_PROCESS] = "process", [PK_SECTION_SYSCALLS] = "syscalls",
	[PK_SECTION_SUBJECT] = "subject", [PK_SECTION_LISTEN] = "listen",
	[PK_SECTION_ACCEPT] = "accept",	  [PK_SECTION_SOCKETS] = "sockets",
};
COMPLETE(sections, PK_SECTION__MAX);

static const char *const guards[] = {
	[PK_GUARD_PTRACE] = "ptrace",
	[PK_GUARD_SIGNALS] = "signals",
	[PK_GUARD_MOUNTS] = "mounts",
	[PK_GUARD_NAMESPACES] = "namespaces",
	[PK_GUARD_SETUID] = "setuid",
	[PK_GUARD_CAPABILITIES] = "capabilities",
	[PK_GUARD_PERF] = "perf",
	[PK_GUARD_MODULES] = "modules",
	[PK_GUARD_URING] = "io_uring",
	[PK_GUARD_TERMINAL] = "terminal",
	[PK_GUARD_KEYRINGS] = "keyrings",
	[PK_GUARD_KERNEL] = "kernel",
	[PK_GUARD_MEMFD_EXEC] = "memfd_exec",
	[PK_GUARD_WRITABLE_EXEC] = "writable_exec",
	[PK_GUARD_MPROTECT_EXEC] = "mprotect_exec",
};
COMPLETE(guards, PK_GUARD__MAX);

static const char *const tiers[] = {
	[PK_TIER_NETWORK] = "network",
	[PK_TIER_MODIFY_RETURN] = "modify-return",
	[PK_TIER_LSM] = "lsm",
};
COMPLETE(tiers, PK_TIER__MAX);

static const char *const kinds[] = {
	[PK_EVENT_DECISION] = "decision",
	[PK_EVENT_ACTIVITY] = "activity",
	[PK_EVENT_LIFE] = "life",
};
COMPLETE(kinds, PK_EVENT__MAX);

static const char *const counts[] = {
	[PK_COUNT_DECISION_LOST] = "decision-lost",
	[PK_COUNT_ACTIVITY_LOST] = "activity-lost",
	[PK_COUNT_ACTIVITY_LIMITED] = "activity-limited",
	[PK_COUNT_DENIED] = "denied",
	[PK_COUNT_ASKED] = "asked",
	[PK_COUNT_LABEL_FAILED] = "label-failed",
	[PK_COUNT_SCRATCH_BUSY] = "scratch-busy",
	[PK_COUNT_CACHE_HIT] = "cache-hit",
	[PK_COUNT_CACHE_WRONG] = "cache-wrong",
	[PK_COUNT_LEARNED] = "learned",
	[PK_COUNT_GRANTED] = "granted",
	[PK_COUNT_TIMED] = "timed",
	[PK_COUNT_TIMED_NS] = "timed-ns",
	[PK_COUNT_LIFE_LOST] = "life-lost",
};
COMPLETE(counts, PK_COUNT__MAX);

/* By section and bit number. */
static const char *const accesses[][4] = {
	[PK_SECTION_EGRESS] = { "tcp", "udp", "icmp" },
	[PK_SECTION_FILES] = { "read", "write", "exec", "connect" },
	[PK_SECTION_EXEC] = { "run", "command" },
	[PK_SECTION_UNIX] = { [3] = "connect" },
	[PK_SECTION_PROCESS] = { NULL },
	[PK_SECTION_SYSCALLS] = { NULL },
	[PK_SECTION_SUBJECT] = { "be" },
	[PK_SECTION_LISTEN] = { "tcp", "udp" },
	[PK_SECTION_ACCEPT] = { "tcp", "udp" },
	[PK_SECTION_SOCKETS] = { NULL },
};
COMPLETE(accesses, PK_SECTION__MAX);
_Static_assert(PK_ACCESS_TCP == 1 && PK_ACCESS_UDP == 2, "order of the access names");
_Static_assert(PK_ACCESS_READ == 1 && PK_ACCESS_WRITE == 2 && PK_ACCESS_EXEC == 4 &&
		       PK_ACCESS_CONNECT == 8,
	       "order of the access names");

static const char *const protocols[] = {
	[IPPROTO_ICMP] = "icmp", [IPPROTO_IGMP] = "igmp",	[IPPROTO_TCP] = "tcp",
	[IPPROTO_UDP] = "udp",	 [IPPROTO_DCCP] = "dccp",	[IPPROTO_ICMPV6] = "icmpv6",
	[IPPROTO_SCTP] = "sctp", [IPPROTO_UDPLITE] = "udplite", [IPPROTO_RAW] = "raw",
};

static const char *const socket_types[] = {
	[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",	  [SOCK_RAW] = "raw",
	[SOCK_RDM] = "rdm",	  [SOCK_SEQPACKET] = "seqpacket", [SOCK_DCCP] = "dccp",
	[SOCK_PACKET] = "packet",
};

static const char *const families[] = {
	[AF_UNIX] = "unix",
	[AF_INET] = "inet",
	[AF_AX25] = "ax25",
	[AF_IPX] = "ipx",
	[AF_INET6] = "inet6",
	[AF_KEY] = "key",
	[AF_NETLINK] = "netlink",
	[AF_PACKET] = "packet",
	[AF_RDS] = "rds",
	[AF_PPPOX] = "pppox",
	[AF_CAN] = "can",
	[AF_TIPC] = "tipc",
	[AF_BLUETOOTH] = "bluetooth",
	[AF_ALG] = "alg",
	[AF_VSOCK] = "vsock",
	[AF_KCM] = "kcm",
	[AF_QIPCRTR] = "qipcrtr",
	[AF_SMC] = "smc",
	[AF_XDP] = "xdp",
};

const char *names_op(__u32 op)
{
	return LOOKUP(ops, op);
}

const char *names_reason(__u32 reason)
{
	return reason < PK_REASON__MAX ? reasons[reason].code : "unknown";
}

const char *names_reason_sentence(__u32 reason)
{
	return reason < PK_REASON__MAX ? reasons[reason].sentence : "unknown reason";
}

const char *names_verdict(__u32 verdict)
{
	return LOOKUP(verdicts, verdict);
}

const char *names_section(__u32 section)
{
	return LOOKUP(sections, section);
}

const char *names_guard(__u32 guard)
{
	return LOOKUP(guards, guard);
}

const char *names_tier(__u32 tier)
{
	return LOOKUP(tiers, tier);
}

const char *names_event_kind(__u32 kind)
{
	return LOOKUP(kinds, kind);
}

const char *names_count(__u32 count)
{
	return LOOKUP(counts, count);
}

const char *names_access_bit(__u32 section, __u32 bit)
{
	if (section >= PK_SECTION__MAX)
		return NULL;
	for (__u32 i = 0; i < 4; i++) {
		if (bit == 1U << i)
			return accesses[section][i];
	}
	return NULL;
}

const char *names_access(__u32 section, __u32 access, const char *separator, char *text)
{
	size_t used = 0;

	text[0] = '\0';
	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		const char *name = access & bit ? names_access_bit(section, bit) : NULL;

		if (!name || used >= NAMES_ACCESS_SIZE)
			continue;
		used += (size_t)snprintf(text + used, NAMES_ACCESS_SIZE - used, "%s%s",
					 used ? separator : "", name);
	}
	return text;
}

const char *names_protocol(__u32 protocol)
{
	return find(protocols, sizeof(protocols) / sizeof(protocols[0]), protocol);
}

const char *names_socket_type(__u32 type)
{
	return find(socket_types, sizeof(socket_types) / sizeof(socket_types[0]), type);
}

const char *names_family(__u32 family)
{
	return find(families, sizeof(families) / sizeof(families[0]), family);
}
