/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Unix sockets by the path they are bound to: access `connect` of the files section.
 *
 *   unix_stream_connect   connect() of stream and seqpacket sockets
 *   unix_may_send         each datagram, and connect() of datagram sockets
 *
 * Sockets without a path (abstract names, socketpair) are not judged. Failures as in file.bpf.c.
 */
#include "picket.bpf.h"

#include "object.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int pk_unix_hook(const struct sock *peer)
{
	const struct unix_sock *u = (const struct unix_sock *)peer;
	const void *dentry, *vfsmount;
	__u32 agent = pk_who();

	if (!agent)
		return 0;
	dentry = BPF_CORE_READ(u, path.dentry);
	vfsmount = BPF_CORE_READ(u, path.mnt);
	if (!dentry || !vfsmount)
		return 0;
	return pk_file_hook(agent, PK_OP_UNIX, PK_ACCESS_CONNECT, dentry, vfsmount);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(pk_unix_connect, struct sock *sock, struct sock *peer, struct sock *child, int ret)
{
	if (ret)
		return ret;
	return pk_unix_hook(peer);
}

SEC("lsm/unix_may_send")
int BPF_PROG(pk_unix_send, struct socket *sock, struct socket *peer, int ret)
{
	if (ret)
		return ret;
	return pk_unix_hook(BPF_CORE_READ(peer, sk));
}
