/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of kernel numbers. All but the C library's names of signals are part of the kernel's stable
 * interface, except its ids of what it reads, which only ever grew at the end.
 */
#include "telemetry/detail.h"

#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/tiocl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "policy/capabilities.h"

/* enum kernel_load_data_id. */
static const char *const kernel_files[] = {
	NULL, "firmware", "module", "kexec-image", "kexec-initramfs", "policy", "x509-certificate",
};

static const char *const bpf_commands[] = {
	"map-create",	    "map-lookup-elem",	   "map-update-elem",  "map-delete-elem",
	"map-get-next-key", "prog-load",	   "obj-pin",	       "obj-get",
	"prog-attach",	    "prog-detach",	   "prog-test-run",    "prog-get-next-id",
	"map-get-next-id",  "prog-get-fd-by-id",   "map-get-fd-by-id", "obj-get-info-by-fd",
	"prog-query",	    "raw-tracepoint-open", "btf-load",	       "btf-get-fd-by-id",
};

static const char *const protocols[] = {
	[PK_PROTOCOL_TLS] = "tls",
	[PK_PROTOCOL_HTTP] = "http",
	[PK_PROTOCOL_OTHER] = "other",
};
_Static_assert(sizeof(protocols) / sizeof(protocols[0]) == PK_PROTOCOL__MAX, "a name for each");

static const char *const netlink_families[] = {
	[NETLINK_ROUTE] = "route",
	[NETLINK_USERSOCK] = "usersock",
	[NETLINK_SOCK_DIAG] = "sock_diag",
	[NETLINK_NFLOG] = "nflog",
	[NETLINK_XFRM] = "xfrm",
	[NETLINK_SELINUX] = "selinux",
	[NETLINK_ISCSI] = "iscsi",
	[NETLINK_AUDIT] = "audit",
	[NETLINK_FIB_LOOKUP] = "fib_lookup",
	[NETLINK_CONNECTOR] = "connector",
	[NETLINK_NETFILTER] = "netfilter",
	[NETLINK_KOBJECT_UEVENT] = "kobject_uevent",
	[NETLINK_GENERIC] = "generic",
	[NETLINK_CRYPTO] = "crypto",
};

static const char *find(const char *const *table, size_t count, __u32 code)
{
	return code < count ? table[code] : NULL;
}

#define FIND(table, code) find(table, sizeof(table) / sizeof((table)[0]), code)

static const char *signal_name(__u32 number)
{
	static const char *const names[] = {
		[SIGHUP] = "SIGHUP",	   [SIGINT] = "SIGINT",	  [SIGQUIT] = "SIGQUIT",
		[SIGILL] = "SIGILL",	   [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
		[SIGBUS] = "SIGBUS",	   [SIGFPE] = "SIGFPE",	  [SIGKILL] = "SIGKILL",
		[SIGUSR1] = "SIGUSR1",	   [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
		[SIGPIPE] = "SIGPIPE",	   [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
		[SIGCHLD] = "SIGCHLD",	   [SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP",
		[SIGTSTP] = "SIGTSTP",	   [SIGTTIN] = "SIGTTIN", [SIGTTOU] = "SIGTTOU",
		[SIGURG] = "SIGURG",	   [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ",
		[SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF", [SIGWINCH] = "SIGWINCH",
		[SIGIO] = "SIGIO",	   [SIGPWR] = "SIGPWR",	  [SIGSYS] = "SIGSYS",
	};

	return number == 0 ? "0" : FIND(names, number);
}

static const char *ioctl_name(__u32 command)
{
	static const struct {
		__u32 command;
		const char *name;
	} names[] = {
		{ TIOCSTI, "TIOCSTI" },
		{ TIOCLINUX, "TIOCLINUX" },
		{ TIOCSETD, "TIOCSETD" },
		{ TIOCCONS, "TIOCCONS" },
		{ FS_IOC_SETFLAGS, "FS_IOC_SETFLAGS" },
		{ FS_IOC_FSSETXATTR, "FS_IOC_FSSETXATTR" },
		{ FS_IOC_SETVERSION, "FS_IOC_SETVERSION" },
		{ FICLONE, "FICLONE" },
		{ FICLONERANGE, "FICLONERANGE" },
		{ FIDEDUPERANGE, "FIDEDUPERANGE" },
		{ FIFREEZE, "FIFREEZE" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].command == command)
			return names[i].name;
	}
	return NULL;
}

/* Types of DNS records that programs ask for, allowed or not. */
static const char *record_name(__u32 type)
{
	static const struct {
		__u32 type;
		const char *name;
	} names[] = {
		{ 1, "A" },	 { 2, "NS" },	 { 5, "CNAME" },  { 6, "SOA" },
		{ 10, "NULL" },	 { 12, "PTR" },	 { 13, "HINFO" }, { 15, "MX" },
		{ 16, "TXT" },	 { 28, "AAAA" }, { 33, "SRV" },	  { 35, "NAPTR" },
		{ 39, "DNAME" }, { 43, "DS" },	 { 46, "RRSIG" }, { 48, "DNSKEY" },
		{ 52, "TLSA" },	 { 64, "SVCB" }, { 65, "HTTPS" }, { 251, "IXFR" },
		{ 252, "AXFR" }, { 255, "ANY" }, { 257, "CAA" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return NULL;
}

const char *detail_netlink_family(__u32 family)
{
	return FIND(netlink_families, family);
}

bool detail_route_message(__u32 type, char name[static 24])
{
	/* In groups of four, from RTM_NEWLINK on. */
	static const char *const verbs[] = { "NEW", "DEL", "GET", "SET" };
	static const char *const things[] = { "LINK", "ADDR",  "ROUTE",	 "NEIGH",
					      "RULE", "QDISC", "TCLASS", "TFILTER" };

	if (type < 16 || (type - 16) / 4 >= sizeof(things) / sizeof(things[0]))
		return false;
	(void)snprintf(name, 24, "RTM_%s%s", verbs[type % 4], things[(type - 16) / 4]);
	return true;
}

const char *detail_kind(__u32 op)
{
	switch (op) {
	case PK_OP_SIGNAL:
		return "signal";
	case PK_OP_CAPABLE:
		return "capability";
	case PK_OP_IOCTL:
	case PK_OP_TERMINAL:
		return "ioctl";
	case PK_OP_BPF:
		return "bpf_command";
	case PK_OP_MODULE:
		return "kernel_file";
	case PK_OP_SYSCALL:
		return "number";
	case PK_OP_DNS:
	case PK_OP_ANSWER:
		return "query_type";
	case PK_OP_NAME:
		return "payload";
	default:
		return NULL;
	}
}

const char *detail_name(__u32 op, __u32 detail)
{
	switch (op) {
	case PK_OP_SIGNAL:
		return signal_name(detail);
	case PK_OP_CAPABLE:
		return capabilities_name(detail);
	case PK_OP_IOCTL:
	case PK_OP_TERMINAL:
		return ioctl_name(detail);
	case PK_OP_BPF:
		return FIND(bpf_commands, detail);
	case PK_OP_MODULE:
		return FIND(kernel_files, detail);
	case PK_OP_DNS:
	case PK_OP_ANSWER:
		return record_name(detail);
	case PK_OP_NAME:
		return FIND(protocols, detail);
	default:
		return NULL;
	}
}
