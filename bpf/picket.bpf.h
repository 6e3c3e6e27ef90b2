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

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define MSG_FASTOPEN 0x20000000

#define PROT_READ 1
#define PROT_EXEC 4
#define READ_IMPLIES_EXEC 0x0400000

#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_EXEC 0x20 /* in f_flags: opened by execve */
#define O_TRUNC 01000

#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define S_ISUID 0004000
#define S_ISGID 0002000

#define RENAME_EXCHANGE 2

#define CGROUP_MAGIC 0x0027e0eb
#define CGROUP2_MAGIC 0x63677270
#define NSFS_MAGIC 0x6e736673

/* Pointers of the kernel's error range: MNT_NS_INTERNAL and its like. */
#define PK_IS_ERR(p) ((__u64)(p) >= (__u64)-4095)

#endif
