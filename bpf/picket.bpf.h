/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one includer of the kernel's types and of libbpf's headers, with the constants of the kernel
 * that BTF does not carry.
 */
#ifndef PICKET_BPF_H
#define PICKET_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <picket/abi.h>
#include <picket/image.h>

#define EPERM 1
#define ENOMEM 12
#define EACCES 13
#define EXDEV 18
#define ENOSYS 38
#define ERESTARTNOINTR 513

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_CAN 29
#define AF_BLUETOOTH 31
#define AF_ALG 38
#define AF_VSOCK 40
#define AF_XDP 44
#define NETLINK_ROUTE 0
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define IPPROTO_ICMP 1
#define IPPROTO_ICMPV6 58
#define IPPROTO_ICMP 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_ICMPV6 58
#define ICMP_ECHO 0x0800 /* type and code */
#define ICMPV6_ECHO 0x8000
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

#define PROT_READ 1
#define PROT_EXEC 4
#define READ_IMPLIES_EXEC 0x0400000

#define MAY_WRITE 2
#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_EXEC 0x20 /* in f_flags: opened by execve */
#define O_TRUNC 01000

#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define S_IFSOCK 0140000
#define S_ISUID 0004000
#define S_ISGID 0002000

#define RENAME_EXCHANGE 2

#define FMODE_PATH 0x4000
#define FMODE_CREATED 0x100000
#define PROT_WRITE 2
#define MAP_TYPE 0xf
#define MAP_SHARED 1
#define MAP_SHARED_VALIDATE 3
#define VM_SHARED 8
#define S_CASEFOLD (1U << 15) /* in i_flags: names below fold upper and lower case */
#define DCACHE_OP_COMPARE 2U /* the file system compares names in its own way */
#define DCACHE_OP_REVALIDATE 4U /* the file system may change its mind about a name */
#define ATTR_MODE (1U << 0)
#define ATTR_UID (1U << 1)
#define ATTR_GID (1U << 2)
#define ATTR_SIZE (1U << 3)
#define ATTR_ATIME (1U << 4)
#define ATTR_MTIME (1U << 5)
#define ATTR_KILL_SUID (1U << 11)
#define ATTR_KILL_SGID (1U << 12)
#define ATTR_KILL_PRIV (1U << 14)
#define PF_IO_WORKER 0x00000010
#define PF_USER_WORKER 0x00004000 /* since 6.4; nothing before */
#define PF_KTHREAD 0x00200000

#define VM_EXEC 4
#define PK_PAGE_BYTES 4096ULL /* of user memory, the smallest there is */
#define SIGNAL_GROUP_EXIT 4U /* signal_struct.flags: all threads end, with group_exit_code */
#define SIGKILL 9
#define SIGCONT 18
#define SIGSTOP 19

#define CLONE_NEWUSER 0x10000000ULL
#define CLONE_INTO_CGROUP 0x200000000ULL
/* Of every kind of namespace: mount, cgroup, UTS, IPC, user, pid, network; time. */
#define CLONE_NEW_MASK (0x7e020000ULL | 0x80ULL)
#define PTRACE_MODE_NOAUDIT 0x04U
#define CAP_OPT_NOAUDIT 2U
#define CAP_SETGID 6
#define CAP_SETUID 7
#define CAP_SYS_ADMIN 21
#define F_SETOWN 8U
#define F_SETOWN_EX 15U
#define TIOCSTI 0x5412U
#define TIOCLINUX 0x541cU
#define FIOSETOWN 0x8901U
#define SIOCSPGRP 0x8902U
#define PIDTYPE_PID 0
#define PIDTYPE_TGID 1
#define PIDTYPE_PGID 2
#define TS_COMPAT 2U /* thread_info.status: in a call of the 32-bit table */
#define X32_SYSCALL_BIT 0x40000000UL

#define CGROUP_MAGIC 0x0027e0eb
#define CGROUP2_MAGIC 0x63677270
#define NSFS_MAGIC 0x6e736673
#define BPF_FS_MAGIC 0xcafe4a11
#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define DEBUGFS_MAGIC 0x64626720
#define TRACEFS_MAGIC 0x74726163
#define SECURITYFS_MAGIC 0x73636673
#define CONFIGFS_MAGIC 0x62656570
#define EFIVARFS_MAGIC 0xde5e81e4
#define BINFMTFS_MAGIC 0x42494e4d
#define PSTOREFS_MAGIC 0x6165676c
#define RESCTRL_MAGIC 0x07655821
#define SELINUX_MAGIC 0xf97cff8c
#define SMACK_MAGIC 0x43415d53
#define FUSECTL_MAGIC 0x65735543

/* Pointers of the kernel's error range: MNT_NS_INTERNAL and its like. */
#define PK_IS_ERR(p) ((__u64)(p) >= (__u64)-4095)

#endif
