/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The directory cache knows inodes by address: an entry goes when its inode does, before another one
 * can have the address.
 *
 *   inode_free_security   nothing is asked; runs for every inode of the host
 */
#include "picket.bpf.h"

#include "maps.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("lsm/inode_free_security")
int BPF_PROG(pk_inode_free, struct inode *inode)
{
	__u64 key = (__u64)inode;

	if ((inode->i_mode & S_IFMT) == S_IFDIR)
		(void)bpf_map_delete_elem(&pk_dirs, &key);
	return 0;
}
