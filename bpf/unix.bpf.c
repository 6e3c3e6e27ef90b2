/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Unix sockets: by the path they are bound to, access `connect` of the files section; by an
 * abstract name, the unix section, where NAME is the path "/NAME".
 *
 *   unix_stream_connect   connect() of stream and seqpacket sockets
 *   unix_may_send         each datagram, and connect() of datagram sockets
 *
 * The socket that picket has for an agent's notes is that agent's whatever its policy says, and is refused
 * to all others. Sockets without a name (socketpair) are not judged. An abstract name with a NUL byte
 * inside can be written in no rule: denied when the policy has the section. Failures as in file.bpf.c.
 * EACCES.
 */
#include "picket.bpf.h"

#include "object.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Of an address: the family and the NUL byte that an abstract name starts with. */
#define PK_UNIX_PREFIX 3U
#define PK_UNIX_NAME_MAX 107U

/* Write the abstract name @length bytes at @name as a path. Returns an enum pk_reason, or 0. */
static __always_inline __u32 pk_abstract_key(struct pk_scratch *s, const char *name, __u32 length)
{
	if (length > PK_UNIX_NAME_MAX)
		return PK_REASON_ADDRESS;
	s->data[0] = '/';
	if (bpf_probe_read_kernel(s->data + 1, length, name))
		return PK_REASON_ADDRESS;
	s->rq.length[0] = length + 1;
	for (__u32 i = 1; i <= PK_UNIX_NAME_MAX; i++) {
		if (i <= length && !s->data[i])
			return PK_REASON_ADDRESS;
	}
	return 0;
}

static __always_inline int pk_ask_abstract(struct pk_scratch *s, const struct unix_address *address)
{
	__u32 length = (__u32)BPF_CORE_READ(address, len);
	const char *name = (const char *)address +
			   bpf_core_field_offset(struct unix_address, name) + PK_UNIX_PREFIX;

	/* The family alone: it has no name yet. */
	if (length < PK_UNIX_PREFIX)
		return 0;
	s->rq.section = PK_SECTION_UNIX;
	s->rq.access = PK_ACCESS_ABSTRACT;
	s->rq.op = PK_OP_UNIX;
	s->rq.error = EACCES;
	s->rq.reason = (__u8)pk_abstract_key(s, name, length - PK_UNIX_PREFIX);
	if (s->rq.reason)
		s->rq.length[0] = 0;
	return pk_decide(s);
}

static __always_inline int pk_ask_bound(struct pk_scratch *s, const struct dentry *dentry,
					const struct vfsmount *vfsmount)
{
	__u32 own = pk_own_value(dentry, BPF_CORE_READ(dentry, d_sb));

	if (own == (PK_OWN_FEED | s->rq.agent))
		return 0;
	if (own) {
		s->rq.reason = PK_REASON_SELF;
		s->rq.flags |= PK_REQUEST_ALWAYS;
	}
	return pk_ask_walked(s, PK_OP_UNIX, PK_ACCESS_CONNECT, dentry, vfsmount);
}

static __always_inline int pk_unix_hook(int ret, const struct sock *peer)
{
	const struct unix_sock *u = (const struct unix_sock *)peer;
	const struct unix_address *address;
	const struct dentry *dentry;
	struct pk_scratch *s;
	int error;

	if (ret)
		return ret;
	s = pk_begin(&error);
	if (!s)
		return pk_errno(error);
	address = BPF_CORE_READ(u, addr);
	dentry = BPF_CORE_READ(u, path.dentry);
	if (dentry)
		error = pk_ask_bound(s, dentry, BPF_CORE_READ(u, path.mnt));
	else
		error = address ? pk_ask_abstract(s, address) : 0;
	return pk_end(s, error);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(pk_unix_connect, struct sock *sock, struct sock *peer, struct sock *child, int ret)
{
	return pk_unix_hook(ret, peer);
}

SEC("lsm/unix_may_send")
int BPF_PROG(pk_unix_send, struct socket *sock, struct socket *peer, int ret)
{
	return pk_unix_hook(ret, BPF_CORE_READ(peer, sk));
}
