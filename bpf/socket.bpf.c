/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sockets apart from where they send to: which kinds may be made, what netlink may say, and who may
 * come in. EPERM.
 *
 *   socket_create        kinds of sockets, by `sockets`
 *   cgroup sock_create   the same of IPv4 and IPv6: all there is in tier network, else a backstop
 *   netlink_send         reading of the route family only, unless `sockets` has netlink-all
 *   cgroup bind4/6       section listen, the local address and port; port 0 is not judged, whoever
 *                        listens or receives there is
 *   socket_listen        section listen, the local address and the port it really is
 *   socket_accept        sockets that are not the agent's own
 *   socket_bind          sockets that are not the agent's own; bits of `by` for the cgroup program
 *
 * A socket that has no port yet listens on one that the kernel picks: only a rule for all ports allows
 * it. Messages that cannot be read: denied.
 */
#include "picket.bpf.h"

#include "flow.bpf.h"
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SOCK_TYPE_MASK 0xf

/* Of a socket that does not exist yet. */
static __always_inline int pk_refuse_kind(__u32 agent, __u32 family, __u32 type, __u32 protocol)
{
	struct pk_use use = {
		.agent = agent,
		.family = family,
		.type = type,
		.protocol = protocol,
	};

	return pk_refuse_use(&use, PK_OP_SOCKET,
			     family == AF_NETLINK ? PK_REASON_NETLINK : PK_REASON_SOCKET);
}

SEC("lsm/socket_create")
int BPF_PROG(pk_sk_create, int family, int type, int protocol, int kern, int ret)
{
	const struct pk_image *head;
	__u32 agent, plain = (__u32)type & SOCK_TYPE_MASK;

	if (ret)
		return ret;
	agent = kern ? 0 : pk_who();
	if (!agent)
		return 0;
	head = pk_image_head(agent);
	if (head && pk_may_make(head, pk_kind(family, plain, protocol)))
		return 0;
	return pk_refuse_kind(agent, family, plain, protocol);
}

/** Is a socket of an unusual kind refused? Out of line: most are usual. */
__noinline int pk_sock_refused(__u32 family, __u32 type, __u32 protocol, __u32 kind)
{
	struct pk_target none = {
		.protocol = type << 16 | (protocol & 0xffff),
		.family = (__u8)family,
		.access = (__u8)kind,
	};
	struct pk_scratch *s;
	int error;

	s = pk_cgroup_begin(PK_SECTION_SOCKETS, PK_OP_SOCKET, &none);
	if (!s)
		return 1;
	if (pk_tier != PK_TIER_NETWORK)
		s->rq.flags = PK_REQUEST_BACKSTOP;
	error = pk_decide_refusal(s);
	pk_scratch_give(s);
	return error ? 1 : 0;
}

SEC("cgroup/sock_create")
int pk_sock_create(struct bpf_sock *ctx)
{
	__u32 kind = pk_kind(ctx->family, ctx->type, ctx->protocol);

	/* Only the other tiers can be told to refuse these, and they have. */
	if (kind == PK_SOCKET_INET || kind == PK_SOCKET_INET6)
		return 1;
	return pk_sock_refused(ctx->family, ctx->type, ctx->protocol, kind) ? 0 : 1;
}

/* The messages of one netlink packet, in kernel memory. */
struct pk_messages {
	__u64 at;
	__u32 left;
	__u32 type; /* of the one that was refused */
	__u32 bad;
};

#define NETLINK_HEADER 16U
#define RTM_BASE 16
#define RTM_KINDS 3 /* of four types each: new, del, get, set */
#define RTM_GET 2
#define PK_MESSAGES_MAX 1024

static long pk_message(__u32 index, void *arg)
{
	struct pk_messages *m = arg;
	struct {
		__u32 length;
		__u16 type;
		__u16 flags;
	} head = {};
	__u32 whole;

	if (m->left < NETLINK_HEADER)
		return 1;
	m->bad = 1;
	if (bpf_probe_read_kernel(&head, sizeof(head), (const void *)m->at))
		return 1;
	m->type = head.type;
	if (head.type < RTM_BASE || (head.type & RTM_KINDS) != RTM_GET)
		return 1;
	/* The kernel stops at a length that cannot be. */
	whole = (head.length + 3) & ~3U;
	if (head.length < NETLINK_HEADER || head.length > m->left || whole >= m->left) {
		m->left = 0;
		m->bad = 0;
		return 1;
	}
	m->at += whole;
	m->left -= whole;
	/* Another one follows; it must be reached. */
	m->bad = m->left >= NETLINK_HEADER;
	return 0;
}

static __always_inline int pk_refuse_message(__u32 agent, __u32 protocol, __u32 type)
{
	struct pk_scratch *s = pk_scratch_take(agent);
	int error;

	if (!s)
		return -EPERM;
	s->rq.section = PK_SECTION_SOCKETS;
	s->rq.access = PK_SOCKET_NETLINK_ALL;
	s->rq.op = PK_OP_NETLINK;
	s->rq.reason = PK_REASON_NETLINK;
	s->rq.family = AF_NETLINK;
	s->rq.detail = protocol << 16 | type;
	s->rq.error = EPERM;
	error = pk_decide_refusal(s);
	pk_scratch_give(s);
	return pk_errno(error);
}

SEC("lsm/netlink_send")
int BPF_PROG(pk_netlink_send, struct sock *sk, struct sk_buff *skb, int ret)
{
	struct pk_messages m = {};
	const struct pk_image *head;
	__u32 agent, protocol;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	head = pk_image_head(agent);
	if (head && pk_may_make(head, PK_SOCKET_NETLINK_ALL))
		return 0;
	protocol = sk->sk_protocol;
	m.at = (__u64)BPF_CORE_READ(skb, data);
	m.left = BPF_CORE_READ(skb, len);
	if (protocol == NETLINK_ROUTE)
		bpf_loop(PK_MESSAGES_MAX, pk_message, &m, 0);
	if (protocol == NETLINK_ROUTE && !m.bad)
		return 0;
	return pk_refuse_message(agent, protocol, m.type);
}

SEC("lsm/socket_bind")
int BPF_PROG(pk_sk_bind, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	struct pk_use use;

	return ret ? ret : pk_socket_use(sock, PK_OP_BIND, &use);
}

/* Events of packets to the socket tell who bound it. No memory: they tell nobody. */
static __always_inline void pk_note_asker(void *sk, const struct pk_scratch *s)
{
	struct pk_flow *flow = pk_flow_make(sk);

	if (!flow || flow->kind != PK_FLOW_NONE)
		return;
	flow->agent = s->rq.agent;
	pk_flow_asker(flow, s->rq.subjects);
}

/* An own address given to a socket of an agent: 1 = go on, 0 = EPERM. */
static __always_inline int pk_cgroup_bind(struct bpf_sock_addr *ctx, const struct pk_target *to)
{
	struct pk_scratch *s = pk_cgroup_begin(PK_SECTION_LISTEN, PK_OP_BIND, to);
	int error = 0;

	if (!s)
		return 0;
	if (to->port)
		error = pk_decide_local(s);
	if (!error && ctx->sk && s->rq.agent)
		pk_note_asker(ctx->sk, s);
	pk_scratch_give(s);
	return error ? 0 : 1;
}

SEC("cgroup/bind4")
int pk_bind4(struct bpf_sock_addr *ctx)
{
	struct pk_target at = pk_target_v4(ctx);

	return pk_cgroup_bind(ctx, &at);
}

SEC("cgroup/bind6")
int pk_bind6(struct bpf_sock_addr *ctx)
{
	struct pk_target at = pk_target_v6(ctx);

	return pk_cgroup_bind(ctx, &at);
}

/* The socket's own address and port. */
static __always_inline struct pk_target pk_target_local(const struct pk_use *use,
							const struct sock *sk)
{
	__be16 port = bpf_htons(BPF_CORE_READ(sk, __sk_common.skc_num));
	struct in6_addr v6 = {};
	const __be32 *word = v6.in6_u.u6_addr32;

	if (use->family == AF_INET)
		return pk_target_of(
			pk_address_v4(bpf_ntohl(BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr))),
			AF_INET, use->protocol, port);
	BPF_CORE_READ_INTO(&v6, sk, __sk_common.skc_v6_rcv_saddr);
	return pk_target_of(pk_address_v6((__u64)bpf_ntohl(word[0]) << 32 | bpf_ntohl(word[1]),
					  (__u64)bpf_ntohl(word[2]) << 32 | bpf_ntohl(word[3])),
			    AF_INET6, use->protocol, port);
}

static __always_inline int pk_listen(const struct pk_use *use, const struct sock *sk)
{
	struct pk_scratch *s = pk_scratch_take(use->agent);
	struct pk_target at = pk_target_local(use, sk);
	int error;

	if (!s)
		return -EPERM;
	pk_request_target(&s->rq, PK_SECTION_LISTEN, PK_OP_LISTEN, &at);
	s->rq.subjects = use->subjects;
	error = pk_decide_local(s);
	pk_scratch_give(s);
	return pk_errno(error);
}

SEC("lsm/socket_listen")
int BPF_PROG(pk_sk_listen, struct socket *sock, int backlog, int ret)
{
	const struct sock *sk;
	struct pk_use use;
	int error;

	if (ret)
		return ret;
	error = pk_socket_use(sock, PK_OP_LISTEN, &use);
	if (error || !use.agent || (use.family != AF_INET && use.family != AF_INET6))
		return error;
	sk = sock->sk;
	return sk ? pk_listen(&use, sk) : 0;
}

SEC("lsm/socket_accept")
int BPF_PROG(pk_sk_accept, struct socket *sock, struct socket *newsock, int ret)
{
	struct pk_use use;

	return ret ? ret : pk_socket_use(sock, PK_OP_ACCEPT, &use);
}
