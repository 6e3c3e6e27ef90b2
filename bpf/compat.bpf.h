/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Fields that differ between the supported kernels (6.1 and later): one accessor per fact.
 */
#ifndef PICKET_COMPAT_BPF_H
#define PICKET_COMPAT_BPF_H

#include "config.bpf.h"
#include "picket.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

/* Until 6.17 the mounts of a super block are a list_head through mount.mnt_instance. */
struct super_block___list {
	struct list_head s_mounts;
};

struct mount___list {
	struct list_head mnt_instance;
};

/* Since 6.18 they are a plain chain through mount.mnt_next_for_sb. */
struct mount___chain {
	struct mount *mnt_next_for_sb;
};

struct super_block___chain {
	struct mount *s_mounts;
};

/* Only x86 keeps the call's number under this name. */
struct pt_regs___x86 {
	unsigned long orig_ax;
	unsigned long ax;
	unsigned long bx;
	unsigned long di;
};

#pragma clang attribute pop

/** True when the mounts of a super block are the plain chain of 6.18. */
static __always_inline bool pk_mounts_chained(void)
{
	return bpf_core_field_exists(struct mount___chain, mnt_next_for_sb);
}

/** The first mount of a super block, as an address; 0 = none. */
static __always_inline __u64 pk_mount_first(__u64 sb)
{
	if (pk_mounts_chained())
		return (__u64)BPF_CORE_READ((struct super_block___chain *)sb, s_mounts);

	__u64 head = sb + bpf_core_field_offset(struct super_block___list, s_mounts);
	__u64 next = (__u64)BPF_CORE_READ((struct super_block___list *)sb, s_mounts.next);

	if (!next || next == head)
		return 0;
	return next - bpf_core_field_offset(struct mount___list, mnt_instance);
}

/** The mount after @mount of the same super block; 0 = none. */
static __always_inline __u64 pk_mount_next(__u64 sb, __u64 mount)
{
	if (pk_mounts_chained())
		return (__u64)BPF_CORE_READ((struct mount___chain *)mount, mnt_next_for_sb);

	__u64 head = sb + bpf_core_field_offset(struct super_block___list, s_mounts);
	__u64 next = (__u64)BPF_CORE_READ((struct mount___list *)mount, mnt_instance.next);

	if (!next || next == head)
		return 0;
	return next - bpf_core_field_offset(struct mount___list, mnt_instance);
}

extern int LINUX_KERNEL_VERSION __kconfig;

/** True when the hook inode_setattr, unlike its security_ function, has no id mapping first. */
static __always_inline bool pk_setattr_unmapped(void)
{
	return pk_tier == PK_TIER_LSM && LINUX_KERNEL_VERSION < (6 << 16 | 9 << 8);
}

/**
 * The hook's argument @n, for a hook whose arguments differ between kernels. In asm: the compiler
 * would make one load behind a computed context pointer of two, which verifiers refuse.
 */
#define pk_argument(ctx, n)                                                                        \
	({                                                                                         \
		__u64 value;                                                                       \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(ctx), "i"((n)*8));       \
		value;                                                                             \
	})

#endif
