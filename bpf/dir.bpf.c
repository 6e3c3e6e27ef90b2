/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The directory cache and the names in it know inodes by address: an entry goes when its inode does,
 * before another one can have the address.
 *
 *   inode_free_security   nothing is asked; runs for every inode of the host
 */
#include "picket.bpf.h"

#include "leaf.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("lsm/inode_free_security")
int BPF_PROG(pk_inode_free, struct inode *inode)
{
	__u64 key = (__u64)inode;
	__u64 *freed;

	if ((inode->i_mode & S_IFMT) != S_IFDIR)
		return 0;
	freed = pk_freed_of(inode);
	if (freed)
		__sync_fetch_and_add(freed, 1);
	(void)bpf_map_delete_elem(&pk_dirs, &key);
	return 0;
}
