/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where an agent may send to, by address, port and protocol. EPERM.
 *
 *   socket_connect               TCP and UDP destinations
 *   socket_sendmsg               datagrams with a destination; TCP fast open
 *   socket_create                kinds of sockets that these rules cannot judge: refused
 *   cgroup connect4/6 sendmsg4/6 the same decision where the network tier has no LSM hooks; in the
 *   cgroup sock_create           other tiers a backstop behind them
 *
 * Address missing, short or of an unexpected family: denied. In the cgroup programs a task that
 * is not found in the map uses a socket of an agent: denied.
 */
#include "picket.bpf.h"

#include "image.bpf.h"

#include "decide.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SOCK_TYPE_MASK 0xf

struct pk_sockaddr_in {
	__u16 family;
	__be16 port;
	__be32 address;
};

struct pk_sockaddr_in6 {
	__u16 family;
	__be16 port;
	__be32 flow;
	__be64 address[2];
};

static __always_inline __u8 pk_protocol_access(__u32 protocol)
{
	if (protocol == IPPROTO_TCP)
		return PK_ACCESS_TCP;
	if (protocol == IPPROTO_UDP)
		return PK_ACCESS_UDP;
	return 0;
}

static __always_inline void pk_key_v4(struct pk_request *rq, __be32 address)
{
	struct pk_address key = pk_address_v4(bpf_ntohl(address));

	rq->address_hi = key.hi;
	rq->address_lo = key.lo;
}

static __always_inline void pk_key_v6(struct pk_request *rq, __be64 hi, __be64 lo)
{
	struct pk_address key = pk_address_v6(bpf_be64_to_cpu(hi), bpf_be64_to_cpu(lo));

	rq->address_hi = key.hi;
	rq->address_lo = key.lo;
}

/* The destination out of a socket address in kernel memory, or the reason why there is none. */
static __always_inline __u8 pk_key_sockaddr(struct pk_request *rq, const void *address, int length)
{
	struct pk_sockaddr_in6 in6 = {};
	struct pk_sockaddr_in in = {};

	if (length < (int)sizeof(in) || bpf_probe_read_kernel(&in, sizeof(in), address))
		return PK_REASON_ADDRESS;
	rq->port = bpf_ntohs(in.port);
	/* A datagram socket of IPv4 takes "unspecified" for IPv4. */
	if (in.family == AF_INET || (in.family == AF_UNSPEC && rq->family == AF_INET)) {
		pk_key_v4(rq, in.address);
		return 0;
	}
	if (in.family != AF_INET6 || length < 24 ||
	    bpf_probe_read_kernel(&in6, sizeof(in6), address))
		return PK_REASON_ADDRESS;
	pk_key_v6(rq, in6.address[0], in6.address[1]);
	return 0;
}

static __always_inline void pk_request_egress(struct pk_request *rq, __u32 op)
{
	rq->section = PK_SECTION_EGRESS;
	rq->op = (__u8)op;
	rq->error = EPERM;
	rq->access = pk_protocol_access(rq->protocol);
	if (!rq->access)
		rq->reason = PK_REASON_SOCKET;
}

/* A task of an agent and the bits of the program it runs. */
struct pk_asker {
	__u32 agent;
	__u32 subjects;
};

/* A destination given to an inet socket of an agent. */
static __always_inline int pk_destination(struct pk_asker who, __u32 op, const struct sock *sk,
					  const void *address, int length)
{
	struct pk_scratch *s = pk_scratch_take(who.agent);
	int error;

	if (!s)
		return -EPERM;
	s->rq.subjects = who.subjects;
	s->rq.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	s->rq.protocol = BPF_CORE_READ(sk, sk_protocol);
	s->rq.reason = pk_key_sockaddr(&s->rq, address, length);
	pk_request_egress(&s->rq, op);
	error = pk_decide(s);
	pk_scratch_give(s);
	return pk_errno(error);
}

/* A socket of a family that has no rules. */
static __always_inline int pk_refuse_socket(__u32 agent, __u32 family, __u32 protocol)
{
	struct pk_scratch *s = pk_scratch_take(agent);
	int error;

	if (!s)
		return -EPERM;
	s->rq.family = (__u16)family;
	s->rq.protocol = protocol;
	pk_request_egress(&s->rq, PK_OP_SOCKET);
	s->rq.reason = PK_REASON_SOCKET;
	error = pk_decide(s);
	pk_scratch_give(s);
	return pk_errno(error);
}

SEC("lsm/socket_connect")
int BPF_PROG(pk_sk_connect, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	const struct sock *sk;
	struct pk_asker who;
	__u32 family;

	if (ret)
		return ret;
	who.agent = pk_who_as(&who.subjects);
	if (!who.agent)
		return 0;
	sk = BPF_CORE_READ(sock, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family == AF_UNIX || family == AF_NETLINK)
		return 0;
	if (family != AF_INET && family != AF_INET6)
		return pk_refuse_socket(who.agent, family, 0);
	/* "Unspecified" ends an association; the next destination is asked for again. */
	if (length >= 2 && BPF_CORE_READ(address, sa_family) == AF_UNSPEC)
		return 0;
	return pk_destination(who, PK_OP_CONNECT, sk, address, length);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(pk_sk_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	const struct sock *sk;
	const void *name;
	struct pk_asker who;
	__u32 family;
	int length;

	if (ret)
		return ret;
	name = msg->msg_name;
	length = msg->msg_namelen;
	if (!name || length <= 0)
		return 0;
	who.agent = pk_who_as(&who.subjects);
	if (!who.agent)
		return 0;
	sk = BPF_CORE_READ(sock, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family == AF_UNIX || family == AF_NETLINK)
		return 0;
	if (family != AF_INET && family != AF_INET6)
		return pk_refuse_socket(who.agent, family, 0);
	/* A connected stream ignores the name; with fast open it is a connect. */
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP && !(msg->msg_flags & MSG_FASTOPEN))
		return 0;
	return pk_destination(who, PK_OP_SEND, sk, name, length);
}

static __always_inline bool pk_socket_known(__u32 family, __u32 type, __u32 protocol)
{
	if (family == AF_UNIX || family == AF_NETLINK)
		return true;
	if (family != AF_INET && family != AF_INET6)
		return false;
	if (type == SOCK_STREAM)
		return !protocol || protocol == IPPROTO_TCP;
	return type == SOCK_DGRAM && (!protocol || protocol == IPPROTO_UDP);
}

SEC("lsm/socket_create")
int BPF_PROG(pk_sk_create, int family, int type, int protocol, int kern, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	if (kern || pk_socket_known(family, type & SOCK_TYPE_MASK, protocol))
		return 0;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_refuse_socket(agent, family, (__u32)type << 16 | (protocol & 0xffff));
}

/* The cgroup programs: 1 = go on, 0 = EPERM. */
static __always_inline struct pk_scratch *pk_cgroup_request(__u32 op)
{
	__u32 agent = pk_who_cgroup();
	struct pk_scratch *s = pk_scratch_take(agent);

	if (!s)
		return 0;
	s->rq.reason = agent ? 0 : PK_REASON_IDENTITY;
	if (pk_tier != PK_TIER_NETWORK)
		s->rq.flags = PK_REQUEST_QUIET | PK_REQUEST_BACKSTOP;
	s->rq.op = (__u8)op;
	return s;
}

static __always_inline int pk_cgroup_decide(struct pk_scratch *s)
{
	int error;

	pk_request_egress(&s->rq, s->rq.op);
	error = pk_decide(s);
	pk_scratch_give(s);
	return error ? 0 : 1;
}

static __always_inline int pk_cgroup_v4(struct bpf_sock_addr *ctx, __u32 op)
{
	struct pk_scratch *s = pk_cgroup_request(op);

	if (!s)
		return 0;
	s->rq.family = AF_INET;
	s->rq.protocol = ctx->protocol;
	s->rq.port = bpf_ntohs((__be16)ctx->user_port);
	pk_key_v4(&s->rq, ctx->user_ip4);
	return pk_cgroup_decide(s);
}

static __always_inline int pk_cgroup_v6(struct bpf_sock_addr *ctx, __u32 op)
{
	struct pk_scratch *s = pk_cgroup_request(op);
	__u64 hi, lo;

	if (!s)
		return 0;
	s->rq.family = AF_INET6;
	s->rq.protocol = ctx->protocol;
	s->rq.port = bpf_ntohs((__be16)ctx->user_port);
	hi = ctx->user_ip6[0] | (__u64)ctx->user_ip6[1] << 32;
	lo = ctx->user_ip6[2] | (__u64)ctx->user_ip6[3] << 32;
	pk_key_v6(&s->rq, hi, lo);
	return pk_cgroup_decide(s);
}

SEC("cgroup/connect4")
int pk_connect4(struct bpf_sock_addr *ctx)
{
	return pk_cgroup_v4(ctx, PK_OP_CONNECT);
}

SEC("cgroup/connect6")
int pk_connect6(struct bpf_sock_addr *ctx)
{
	return pk_cgroup_v6(ctx, PK_OP_CONNECT);
}

SEC("cgroup/sendmsg4")
int pk_sendmsg4(struct bpf_sock_addr *ctx)
{
	return pk_cgroup_v4(ctx, PK_OP_SEND);
}

SEC("cgroup/sendmsg6")
int pk_sendmsg6(struct bpf_sock_addr *ctx)
{
	return pk_cgroup_v6(ctx, PK_OP_SEND);
}

SEC("cgroup/sock_create")
int pk_sock_create(struct bpf_sock *ctx)
{
	struct pk_scratch *s;

	if (pk_socket_known(ctx->family, ctx->type, ctx->protocol))
		return 1;
	s = pk_cgroup_request(PK_OP_SOCKET);
	if (!s)
		return 0;
	s->rq.family = (__u16)ctx->family;
	s->rq.protocol = ctx->type << 16 | (ctx->protocol & 0xffff);
	if (!s->rq.reason)
		s->rq.reason = PK_REASON_SOCKET;
	return pk_cgroup_decide(s);
}
