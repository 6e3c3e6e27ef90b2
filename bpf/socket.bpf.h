/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the hooks of sockets share: kinds, keys, and which sockets an agent may use at all.
 */
#ifndef PICKET_SOCKET_BPF_H
#define PICKET_SOCKET_BPF_H

#include "flow.bpf.h"

static __always_inline enum pk_socket pk_kind_inet(enum pk_socket plain, __u32 type, __u32 protocol)
{
	__u32 icmp = plain == PK_SOCKET_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (type == SOCK_RAW)
		return PK_SOCKET_RAW;
	if (type == SOCK_STREAM && (!protocol || protocol == IPPROTO_TCP))
		return plain;
	if (type == SOCK_DGRAM && (!protocol || protocol == IPPROTO_UDP))
		return plain;
	return type == SOCK_DGRAM && protocol == icmp ? PK_SOCKET_ICMP : PK_SOCKET__MAX;
}

/** The kind of a socket; PK_SOCKET__MAX for one that has no name. */
static __always_inline enum pk_socket pk_kind(__u32 family, __u32 type, __u32 protocol)
{
	switch (family) {
	case AF_UNIX:
		return PK_SOCKET_UNIX;
	case AF_INET:
		return pk_kind_inet(PK_SOCKET_INET, type, protocol);
	case AF_INET6:
		return pk_kind_inet(PK_SOCKET_INET6, type, protocol);
	case AF_NETLINK:
		return protocol == NETLINK_ROUTE ? PK_SOCKET_NETLINK : PK_SOCKET_NETLINK_ALL;
	case AF_PACKET:
		return PK_SOCKET_PACKET;
	case AF_CAN:
		return PK_SOCKET_CAN;
	case AF_BLUETOOTH:
		return PK_SOCKET_BLUETOOTH;
	case AF_ALG:
		return PK_SOCKET_ALG;
	case AF_VSOCK:
		return PK_SOCKET_VSOCK;
	case AF_XDP:
		return PK_SOCKET_XDP;
	}
	return PK_SOCKET__MAX;
}

static __always_inline __u8 pk_protocol_access(__u32 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return PK_ACCESS_TCP;
	case IPPROTO_UDP:
		return PK_ACCESS_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return PK_ACCESS_ICMP;
	}
	return 0;
}

static __always_inline struct pk_target pk_target_of(struct pk_address at, __u32 family,
						     __u32 protocol, __be32 port)
{
	struct pk_target to = {
		.at = at,
		.protocol = protocol,
		.port = bpf_ntohs((__be16)port),
		.family = (__u8)family,
		.access = pk_protocol_access(protocol),
	};

	if (to.access == PK_ACCESS_ICMP)
		to.port = 0;
	return to;
}

/** What a cgroup program of IPv4 is asked about. */
static __always_inline struct pk_target pk_target_v4(const struct bpf_sock_addr *ctx)
{
	return pk_target_of(pk_address_v4(bpf_ntohl(ctx->user_ip4)), AF_INET, ctx->protocol,
			    ctx->user_port);
}

/** The same of IPv6. */
static __always_inline struct pk_target pk_target_v6(const struct bpf_sock_addr *ctx)
{
	__u64 hi = (__u64)bpf_ntohl(ctx->user_ip6[0]) << 32 | bpf_ntohl(ctx->user_ip6[1]);
	__u64 lo = (__u64)bpf_ntohl(ctx->user_ip6[2]) << 32 | bpf_ntohl(ctx->user_ip6[3]);

	return pk_target_of(pk_address_v6(hi, lo), AF_INET6, ctx->protocol, ctx->user_port);
}

/** Ask for a target: rq.agent is set. EPERM. */
static __always_inline void pk_request_target(struct pk_request *rq, __u32 section, __u32 op,
					      const struct pk_target *to)
{
	rq->section = (__u8)section;
	rq->op = (__u8)op;
	rq->error = EPERM;
	rq->address_hi = to->at.hi;
	rq->address_lo = to->at.lo;
	rq->protocol = to->protocol;
	rq->port = to->port;
	rq->family = to->family;
	rq->access = to->access;
	if (!to->access)
		rq->reason = PK_REASON_SOCKET;
}

/* The bits of the asking program, as the LSM hook left them. */
static __always_inline void pk_find_asker(struct pk_request *rq)
{
	const struct pk_image *head = pk_image_head(rq->agent);
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	const __u32 *subjects;

	if (pk_tier == PK_TIER_NETWORK || !head || !head->subjects)
		return;
	subjects = bpf_map_lookup_elem(&pk_askers, &tid);
	if (subjects)
		rq->subjects = *subjects;
	else
		rq->reason = PK_REASON_IDENTITY;
}

/** For cgroup programs: the work area with a request of the running task. NULL denies. */
static __always_inline struct pk_scratch *pk_cgroup_begin(__u32 section, __u32 op,
							  const struct pk_target *to)
{
	__u32 agent = pk_who_cgroup();
	struct pk_scratch *s = pk_scratch_take(agent);

	if (!s)
		return 0;
	pk_request_target(&s->rq, section, op, to);
	if (agent)
		pk_find_asker(&s->rq);
	else
		s->rq.reason = PK_REASON_IDENTITY;
	return s;
}

/** A socket that the running task uses. */
struct pk_use {
	__u32 agent; /* of the task; 0: nobody's task, or the kernel's own socket */
	__u32 subjects; /* bits of the program it runs */
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 asks; /* some rule about destinations asks: the hook judges where it goes, too */
};

/* Refuse the use of a socket for @reason; 0: its kind is the reason. */
static __always_inline int pk_refuse_use(const struct pk_use *use, __u32 op, __u32 reason)
{
	struct pk_scratch *s = pk_scratch_take(use->agent);
	int error;

	if (!s)
		return -EPERM;
	s->rq.op = (__u8)op;
	s->rq.error = EPERM;
	s->rq.family = (__u16)use->family;
	s->rq.reason = (__u8)reason;
	s->rq.subjects = use->subjects;
	if (reason == PK_REASON_FOREIGN) {
		s->rq.section = PK_SECTION_EGRESS;
		s->rq.protocol = use->protocol;
		s->rq.access = pk_protocol_access(use->protocol);
	} else {
		s->rq.section = PK_SECTION_SOCKETS;
		s->rq.protocol = use->type << 16 | (use->protocol & 0xffff);
		s->rq.access = (__u8)pk_kind(use->family, use->type, use->protocol);
	}
	error = pk_decide_refusal(s);
	pk_scratch_give(s);
	return pk_errno(error);
}

/** Is a cgroup at an address, with this id, none of the agent's? */
static __always_inline bool pk_is_elsewhere(const struct cgroup *cgroup, __u64 id, __u32 agent)
{
	const __u32 *slot = bpf_map_lookup_elem(&pk_cgroups, &id);

	return slot ? *slot != agent : pk_agent_around(cgroup) != agent;
}

/** Leave the bits of the running program for the cgroup program that runs next. */
static __always_inline void pk_leave_asker(const struct pk_use *use)
{
	const struct pk_image *head = pk_image_head(use->agent);
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	if (head && head->subjects)
		bpf_map_update_elem(&pk_askers, &tid, &use->subjects, BPF_ANY);
}

/**
 * May the running task use the socket for @op (PK_OP_NONE: to send where it is connected to)? Not
 * when it is another's, or of a kind that may not be made. Unix sockets have their own hooks. The
 * hook's return value; *@ret_use is set, its agent 0 when there is nothing to judge.
 */
static __always_inline int pk_socket_use(const struct socket *sock, __u32 op,
					 struct pk_use *ret_use)
{
	const struct sock *sk;
	const struct pk_image *head;

	ret_use->asks = 0;
	ret_use->agent = pk_who_as(&ret_use->subjects);
	if (!ret_use->agent)
		return 0;
	sk = sock->sk;
	/* One without a file is the kernel's: of a network file system. */
	if (!sk || !sock->file) {
		ret_use->agent = 0;
		return 0;
	}
	ret_use->family = sk->__sk_common.skc_family;
	if (ret_use->family == AF_UNIX) {
		ret_use->agent = 0;
		return 0;
	}
	ret_use->type = sk->sk_type;
	ret_use->protocol = sk->sk_protocol;
	if (pk_is_elsewhere(BPF_CORE_READ(sk, sk_cgrp_data.cgroup), sk->sk_cgrp_data.cgroup->kn->id,
			    ret_use->agent))
		return pk_refuse_use(ret_use, op ? op : PK_OP_SEND, PK_REASON_FOREIGN);
	if (op)
		pk_leave_asker(ret_use);
	head = pk_image_head(ret_use->agent);
	ret_use->asks = head && (head->flags & PK_IMAGE_ASKS_EGRESS);
	if (head && pk_may_make(head, pk_kind(ret_use->family, ret_use->type, ret_use->protocol)))
		return 0;
	return pk_refuse_use(ret_use, op ? op : PK_OP_SEND, PK_REASON_SOCKET);
}

#endif
