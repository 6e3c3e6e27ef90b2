/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * File systems whose files are the kernel's controls.
 */
#ifndef PICKET_CONTROL_BPF_H
#define PICKET_CONTROL_BPF_H

#include "picket.bpf.h"

/** Is a file system with this magic number all controls? Procfs has both kinds of files. */
static __always_inline bool pk_is_control(unsigned long magic)
{
	switch (magic) {
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case CONFIGFS_MAGIC:
	case EFIVARFS_MAGIC:
	case BINFMTFS_MAGIC:
	case PSTOREFS_MAGIC:
	case RESCTRL_MAGIC:
	case SELINUX_MAGIC:
	case SMACK_MAGIC:
	case FUSECTL_MAGIC:
		return true;
	}
	return false;
}

#endif
