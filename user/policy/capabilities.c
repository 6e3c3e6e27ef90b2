/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of capabilities, and which of them an agent has no use for.
 */
#include "policy/capabilities.h"

#include <stddef.h>
#include <string.h>

#include <linux/capability.h>

static const char *const names[] = {
	[CAP_CHOWN] = "chown",
	[CAP_DAC_OVERRIDE] = "dac_override",
	[CAP_DAC_READ_SEARCH] = "dac_read_search",
	[CAP_FOWNER] = "fowner",
	[CAP_FSETID] = "fsetid",
	[CAP_KILL] = "kill",
	[CAP_SETGID] = "setgid",
	[CAP_SETUID] = "setuid",
	[CAP_SETPCAP] = "setpcap",
	[CAP_LINUX_IMMUTABLE] = "linux_immutable",
	[CAP_NET_BIND_SERVICE] = "net_bind_service",
	[CAP_NET_BROADCAST] = "net_broadcast",
	[CAP_NET_ADMIN] = "net_admin",
	[CAP_NET_RAW] = "net_raw",
	[CAP_IPC_LOCK] = "ipc_lock",
	[CAP_IPC_OWNER] = "ipc_owner",
	[CAP_SYS_MODULE] = "sys_module",
	[CAP_SYS_RAWIO] = "sys_rawio",
	[CAP_SYS_CHROOT] = "sys_chroot",
	[CAP_SYS_PTRACE] = "sys_ptrace",
	[CAP_SYS_PACCT] = "sys_pacct",
	[CAP_SYS_ADMIN] = "sys_admin",
	[CAP_SYS_BOOT] = "sys_boot",
	[CAP_SYS_NICE] = "sys_nice",
	[CAP_SYS_RESOURCE] = "sys_resource",
	[CAP_SYS_TIME] = "sys_time",
	[CAP_SYS_TTY_CONFIG] = "sys_tty_config",
	[CAP_MKNOD] = "mknod",
	[CAP_LEASE] = "lease",
	[CAP_AUDIT_WRITE] = "audit_write",
	[CAP_AUDIT_CONTROL] = "audit_control",
	[CAP_SETFCAP] = "setfcap",
	[CAP_MAC_OVERRIDE] = "mac_override",
	[CAP_MAC_ADMIN] = "mac_admin",
	[CAP_SYSLOG] = "syslog",
	[CAP_WAKE_ALARM] = "wake_alarm",
	[CAP_BLOCK_SUSPEND] = "block_suspend",
	[CAP_AUDIT_READ] = "audit_read",
	[CAP_PERFMON] = "perfmon",
	[CAP_BPF] = "bpf",
	[CAP_CHECKPOINT_RESTORE] = "checkpoint_restore",
};

_Static_assert(sizeof(names) / sizeof(*names) == CAPABILITIES_COUNT, "count of names");

#define BIT(capability) (1ULL << (capability))

/* Power over the kernel, devices, the network's and other processes' state. */
const __u64 capabilities_refused =
	BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_SYS_MODULE) |
	BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_PACCT) | BIT(CAP_SYS_ADMIN) |
	BIT(CAP_SYS_BOOT) | BIT(CAP_SYS_TIME) | BIT(CAP_SYS_TTY_CONFIG) | BIT(CAP_MKNOD) |
	BIT(CAP_AUDIT_CONTROL) | BIT(CAP_MAC_OVERRIDE) | BIT(CAP_MAC_ADMIN) | BIT(CAP_SYSLOG) |
	BIT(CAP_BLOCK_SUSPEND) | BIT(CAP_AUDIT_READ) | BIT(CAP_PERFMON) | BIT(CAP_BPF) |
	BIT(CAP_CHECKPOINT_RESTORE);

const char *capabilities_name(unsigned int number)
{
	return number < CAPABILITIES_COUNT ? names[number] : NULL;
}

bool capabilities_find(const char *name, unsigned int *ret_number)
{
	if (strncmp(name, "cap_", 4) == 0)
		name += 4;
	for (unsigned int i = 0; i < CAPABILITIES_COUNT; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*ret_number = i;
		return true;
	}
	return false;
}
