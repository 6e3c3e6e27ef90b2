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

#include "flow.bpf.h"
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("lsm/socket_connect")
int BPF_PROG(pk_sk_connect, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	struct pk_use use;

	return ret ? ret : pk_socket_use(sock, PK_OP_CONNECT, &use);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(pk_sk_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	struct pk_use use;

	if (ret)
		return ret;
	return pk_socket_use(sock, msg->msg_name ? PK_OP_SEND : PK_OP_NONE, &use);
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
