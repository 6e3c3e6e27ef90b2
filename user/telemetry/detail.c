/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of kernel numbers. All but the C library's names of signals are part of the kernel's stable
 * interface, except its ids of what it reads, which only ever grew at the end.
 */
#include "telemetry/detail.h"

#include <linux/fs.h>
#include <linux/tiocl.h>
#include <signal.h>
#include <stddef.h>
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
	default:
		return NULL;
	}
}
