/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where an agent may send to, by address, learned name, port and protocol. EPERM.
 *
 *   cgroup connect4/6 sendmsg4/6 decide, in every tier: connect, datagrams with a destination, TCP
 *                                fast open. What was found stays with the socket (flow.bpf.h)
 *   socket_connect               sockets that are not the agent's own, for which no cgroup program
 *   socket_sendmsg               runs, and kinds of sockets that may not be: refused. Bits of `by`
 *                                are left for the cgroup program, which cannot look them up
 *
 * No memory for the flow: denied. In the cgroup programs a task that is not found in the map uses a
 * socket of an agent, one without its bits did not come by the LSM hook: denied.
 */
#include "picket.bpf.h"

#include "ask.bpf.h"
#include "flow.bpf.h"
#include "report.bpf.h"
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/** An address as programs give it. */
struct pk_name {
	__u16 family;
	__be16 port;
	__be32 v4;
	__be32 v6[4]; /* v4 is its flow label then */
};

#define PK_NAME_V4 16U
#define PK_NAME_V6 24U

static __always_inline struct pk_address pk_words_v6(const __be32 *word)
{
	return pk_address_v6((__u64)bpf_ntohl(word[0]) << 32 | bpf_ntohl(word[1]),
			     (__u64)bpf_ntohl(word[2]) << 32 | bpf_ntohl(word[3]));
}

/** Judge the destination s->rq, and ask if a rule does. The verdicts of others are the cgroup program's. */
__noinline int pk_ask_target(struct pk_scratch *s)
{
	if (!s || s->rq.reason || !pk_judge(s) || !pk_is_open(&s->finding))
		return 0;
	/* The key is about what was judged; the name is for people. */
	(void)pk_ask_key(s);
	(void)pk_find_host(s);
	pk_event_host(s);
	return pk_ask(s);
}

/*
 * The destination @to of a socket, before the cgroup program of the same call is asked, which can neither
 * stop a task nor look for its answer.
 */
static __always_inline int pk_ask_use(const struct socket *sock, const struct pk_use *use, __u32 op,
				      const struct pk_target *to)
{
	struct pk_scratch *s = pk_scratch_take(use->agent);
	struct sock *sk = sock->sk;
	int error = -EPERM;

	if (!s)
		return -EPERM;
	pk_request_target(&s->rq, PK_SECTION_EGRESS, op, to);
	s->rq.subjects = use->subjects;
	if (sk) {
		s->asked.cookie = bpf_get_socket_cookie(sk);
		error = pk_ask_target(s);
	}
	pk_scratch_give(s);
	return pk_errno(error);
}

/* What is not judged here the cgroup program refuses, if a rule asks about it. */
static __always_inline int pk_ask_name(const struct socket *sock, const struct pk_use *use,
				       __u32 op, __u64 address, __u32 length)
{
	struct pk_name name = {};
	struct pk_target to;

	/* Connecting datagrams sends nothing: whoever sends is asked. */
	if (op == PK_OP_CONNECT && use->type != SOCK_STREAM)
		return 0;
	if (length < PK_NAME_V4 ||
	    bpf_probe_read_kernel(&name, PK_NAME_V4 / 2, (const void *)address))
		return 0;
	if (name.family == AF_INET6) {
		if (length < PK_NAME_V6 ||
		    bpf_probe_read_kernel(&name, sizeof(name), (const void *)address))
			return 0;
		to = pk_target_of(pk_words_v6(name.v6), AF_INET6, use->protocol, name.port);
	} else if (name.family == AF_INET) {
		to = pk_target_of(pk_address_v4(bpf_ntohl(name.v4)), AF_INET, use->protocol,
				  name.port);
	} else {
		return 0;
	}
	return pk_ask_use(sock, use, op, &to);
}

/* A datagram to where the socket is connected to. */
static __always_inline int pk_ask_peer(const struct socket *sock, const struct pk_use *use)
{
	const struct sock *sk = sock->sk;
	struct in6_addr v6 = {};
	struct pk_address at;
	__be16 port;

	/* It is there: pk_socket_use() has looked. Kernels from 6.12 on want to see it here too. */
	if (!sk)
		return 0;
	port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if (!port && use->protocol == IPPROTO_UDP)
		return 0;
	at = pk_address_v4(bpf_ntohl(BPF_CORE_READ(sk, __sk_common.skc_daddr)));
	if (use->family == AF_INET6) {
		BPF_CORE_READ_INTO(&v6, sk, __sk_common.skc_v6_daddr);
		at = pk_words_v6(v6.in6_u.u6_addr32);
	}
	struct pk_target to = pk_target_of(at, use->family, use->protocol, port);

	return pk_ask_use(sock, use, PK_OP_SEND, &to);
}

SEC("lsm/socket_connect")
int BPF_PROG(pk_sk_connect, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	struct pk_use use;
	int error;

	if (ret)
		return ret;
	error = pk_socket_use(sock, PK_OP_CONNECT, &use);
	if (error || !use.asks)
		return error;
	return pk_ask_name(sock, &use, PK_OP_CONNECT, (__u64)address, (__u32)length);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(pk_sk_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	struct pk_use use;

	int error;

	if (ret)
		return ret;
	error = pk_socket_use(sock, msg->msg_name ? PK_OP_SEND : PK_OP_NONE, &use);
	if (error || !use.asks)
		return error;
	if (msg->msg_name)
		return pk_ask_name(sock, &use, PK_OP_SEND, (__u64)msg->msg_name,
				   (__u32)msg->msg_namelen);
	return use.type == SOCK_DGRAM ? pk_ask_peer(sock, &use) : 0;
}

/*
 * A datagram to where the last one went: what was found for that one holds. Where it matters which
 * program sends, it is asked again.
 */
static __always_inline bool pk_is_repeated(void *sk, const struct pk_target *to)
{
	const struct pk_flow *flow = pk_flow_get(sk);
	const struct pk_image *head;

	if (!flow)
		return false;
	head = pk_image_head(flow->agent);
	return head && !head->subjects && pk_flow_holds(flow, to, pk_image_name(head));
}

/* Keep with the socket what was decided; @later: nothing yet. */
static __always_inline void pk_keep(struct pk_flow *flow, const struct pk_scratch *s, bool later)
{
	pk_flow_note(flow, s);
	pk_flow_asker(flow, s->rq.subjects);
	if (later) {
		flow->kind = PK_FLOW_NONE;
		flow->check = PK_CHECK_NONE;
	}
}

/* A destination given to a socket of an agent: 1 = go on, 0 = EPERM. */
static __always_inline int pk_cgroup_ask(struct bpf_sock_addr *ctx, __u32 op,
					 const struct pk_target *to)
{
	struct pk_scratch *s;
	struct pk_flow *flow;
	int error;

	if (!ctx->sk)
		return 0;
	if (op == PK_OP_SEND && pk_is_repeated(ctx->sk, to))
		return 1;
	s = pk_cgroup_begin(PK_SECTION_EGRESS, op, to);
	if (!s)
		return 0;
	flow = pk_flow_make(ctx->sk);
	if (!flow)
		s->rq.reason = PK_REASON_SCRATCH;
	if (op == PK_OP_CONNECT && to->access == PK_ACCESS_UDP)
		error = pk_decide_datagrams(s);
	else
		error = pk_decide_network(s);
	if (error == PK_ASKED) {
		s->asked.cookie = bpf_get_socket_cookie(ctx);
		error = pk_decide_asked(s);
	}
	if (error >= 0 && flow)
		pk_keep(flow, s, error == PK_LATER);
	pk_scratch_give(s);
	return error < 0 ? 0 : 1;
}

SEC("cgroup/connect4")
int pk_connect4(struct bpf_sock_addr *ctx)
{
	struct pk_target to = pk_target_v4(ctx);

	return pk_cgroup_ask(ctx, PK_OP_CONNECT, &to);
}

SEC("cgroup/connect6")
int pk_connect6(struct bpf_sock_addr *ctx)
{
	struct pk_target to = pk_target_v6(ctx);

	return pk_cgroup_ask(ctx, PK_OP_CONNECT, &to);
}

SEC("cgroup/sendmsg4")
int pk_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct pk_target to = pk_target_v4(ctx);

	return pk_cgroup_ask(ctx, PK_OP_SEND, &to);
}

SEC("cgroup/sendmsg6")
int pk_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct pk_target to = pk_target_v6(ctx);

	return pk_cgroup_ask(ctx, PK_OP_SEND, &to);
}
