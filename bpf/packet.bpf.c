/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Every packet of an agent's sockets, after the hooks that judge calls: whatever sends, however the
 * socket was made or changed in between, what leaves is judged.
 *
 *   cgroup_skb/egress   dropped: the call that sends gets EPERM, of TCP nothing (its data is sent again
 *                       and again, until user space destroys the socket)
 *   cgroup_skb/ingress  new connections and datagrams from outside by `listen`; answers of resolvers.
 *                       Dropped: nobody is told
 *
 * Headers that cannot be read, or with options: dropped. Nobody's socket, no memory: dropped.
 */
#include "picket.bpf.h"

#include "packet.bpf.h"

#include "ask.bpf.h"
#include "decide.bpf.h"
#include "flow.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/**
 * Read the headers up to the ports into @p, which is zero. Returns 0, or 1 when they cannot be read
 * or hold what leads a packet elsewhere: options, extension headers, fragments. Out of line: the stack.
 */
__noinline int pk_packet_read(struct __sk_buff *ctx, struct pk_packet *p)
{
	if (!p)
		return 1;
	if (ctx->protocol == bpf_htons(ETH_P_IP))
		return pk_packet_v4(ctx, p);
	if (ctx->protocol == bpf_htons(ETH_P_IPV6))
		return pk_packet_v6(ctx, p);
	return 1;
}

/* The flow of the packet's socket, made when it has none; NULL: no memory, or nobody's. */
static __always_inline struct pk_flow *pk_flow_find(struct __sk_buff *ctx, struct bpf_sock *sk)
{
	struct pk_flow *flow = bpf_sk_storage_get(&pk_flows, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!flow)
		return 0;
	if (!flow->agent)
		flow->agent = pk_packet_agent(ctx);
	return flow->agent ? flow : 0;
}

/* Was the flow judged for this end, by whatever image? */
static __always_inline bool pk_flow_is(const struct pk_flow *flow, __u8 access,
				       struct pk_address remote, __u16 port)
{
	return flow->kind == PK_FLOW_OUT && flow->access == access && flow->port == port &&
	       flow->address_hi == remote.hi && flow->address_lo == remote.lo;
}

/* Was it, by the image of now? */
static __always_inline bool pk_flow_fits(const struct pk_flow *flow, __u8 access,
					 struct pk_address remote, __u16 port)
{
	const struct pk_image *head;
	struct pk_view view;

	if (!pk_flow_is(flow, access, remote, port))
		return false;
	head = pk_head(flow->agent, &view);
	return head && pk_image_name(head) == flow->image;
}

static __always_inline bool pk_flow_to(const struct pk_flow *flow, const struct pk_packet *p)
{
	struct pk_address remote = { p->target_hi, p->target_lo };

	return pk_flow_fits(flow, p->access, remote, p->target_port);
}

static __always_inline bool pk_flow_from(const struct pk_flow *flow, const struct pk_packet *p)
{
	struct pk_address remote = { p->source_hi, p->source_lo };

	return pk_flow_fits(flow, p->access, remote, p->source_port);
}

/* Does the packet go to this host by an address that is not one of loopback? */
static __always_inline bool pk_packet_home(struct __sk_buff *ctx, const struct pk_packet *p)
{
	return ctx->ifindex == PK_LOOPBACK_DEVICE &&
	       !pk_address_loopback(p->target_hi, p->target_lo);
}

/*
 * Sockets that were accepted: who connected was judged when the connection came. Packets to a listening
 * socket are looked at without its lock, so it may be on its way elsewhere when it is called one.
 */
static __always_inline bool pk_flow_accepted(const struct pk_flow *flow, __u32 state)
{
	return flow->kind == PK_FLOW_LISTEN && !flow->connected && state != PK_TCP_LISTEN &&
	       state != PK_TCP_SYN_SENT;
}

/* Fill the request from the packet, what is remote being its target or its source. */
static __always_inline void pk_request_packet(struct __sk_buff *ctx, struct pk_scratch *s,
					      const struct pk_flow *flow, __u32 op)
{
	const struct pk_packet *p = &s->packet;
	bool in = op == PK_OP_ACCEPT;

	s->rq.agent = flow->agent;
	s->rq.subjects = flow->subjects;
	s->rq.section = PK_SECTION_EGRESS;
	s->rq.access = p->access;
	s->rq.op = (__u8)op;
	s->rq.error = EPERM;
	s->rq.family = p->family;
	s->rq.protocol = p->protocol;
	s->rq.address_hi = in ? p->source_hi : p->target_hi;
	s->rq.address_lo = in ? p->source_lo : p->target_lo;
	s->rq.port = in ? p->source_port : p->target_port;
	s->event.cookie = bpf_get_socket_cookie(ctx);
	s->event.local_port = in ? p->target_port : p->source_port;
	*(__be64 *)&s->event.local[0] = bpf_cpu_to_be64(in ? p->target_hi : p->source_hi);
	*(__be64 *)&s->event.local[8] = bpf_cpu_to_be64(in ? p->target_lo : p->source_lo);
}

/* Are answers with addresses of the inside believed like others? */
static __always_inline bool pk_inside_named(__u32 agent)
{
	struct pk_view view;
	const struct pk_image *head = pk_head(agent, &view);

	return head && (head->dns.flags & PK_DNS_PRIVATE);
}

/*
 * A packet to this host by one of its own addresses, which @found allows: a rule against loopback is
 * meant too, and a name alone, whose owner may answer with any address, is not enough.
 */
static __always_inline int pk_judge_home(struct pk_scratch *s, const struct pk_finding *found)
{
	__u64 hi = s->rq.address_hi, lo = s->rq.address_lo;
	struct pk_address home = pk_address_v4(0x7f000001);
	int denied;

	if (s->packet.family == AF_INET6)
		home = pk_address_v6(0, 1);
	s->rq.address_hi = home.hi;
	s->rq.address_lo = home.lo;
	s->rq.flags |= PK_REQUEST_RULES;
	denied = pk_judge(s);
	s->rq.flags &= ~PK_REQUEST_RULES;
	s->rq.address_hi = hi;
	s->rq.address_lo = lo;
	s->finding.host = found->host;
	if (denied || !found->host || pk_inside_named(s->rq.agent))
		return denied;
	s->finding.verdict = PK_VERDICT_DENY;
	s->finding.reason = PK_REASON_DNS_PRIVATE;
	s->finding.rule = PK_RULE_NONE;
	return 1;
}

/* Note what was found about the destination of s->rq. */
static __always_inline void pk_flow_found(struct pk_flow *flow, const struct pk_scratch *s,
					  const struct pk_finding *found)
{
	/* To the same destination the first payload stays known, whatever the image. */
	if (!pk_flow_goes(flow, &s->rq, flow->image))
		flow->started = PK_START_NONE;
	flow->address_hi = s->rq.address_hi;
	flow->address_lo = s->rq.address_lo;
	flow->port = s->rq.port;
	flow->access = s->rq.access;
	flow->image = found->image;
	flow->host = found->host;
	flow->check = found->check;
	flow->local = 1;
	flow->kind = PK_FLOW_OUT;
}

/** A packet to where a rule asks about. Returns 0 when that was granted. Out of line: it is rare. */
__noinline int pk_packet_ask(struct pk_scratch *s, struct pk_flow *flow)
{
	if (!s || !flow || !pk_answers)
		return 1;
	s->asked.cookie = s->event.cookie;
	if (!pk_ask_socket(s))
		return 0;
	if (s->finding.verdict != PK_VERDICT_ALLOW)
		return 1;
	(void)pk_report_as(s, flow);
	s->rq.flags &= ~PK_REQUEST_KEYED;
	return 0;
}

/* Is the packet one of a connection that is open, and that a name let through? */
static __always_inline bool pk_packet_goes_on(const struct pk_packet *p, const struct pk_flow *flow)
{
	struct pk_address remote = { p->target_hi, p->target_lo };

	return p->access == PK_ACCESS_TCP && !(p->flags & PK_TCP_SYN) && flow->host &&
	       pk_flow_is(flow, p->access, remote, p->target_port);
}

/* Judge the destination for the socket and note it. Returns 1: it may be sent to. */
static __always_inline int pk_judge_packet(struct __sk_buff *ctx, struct pk_scratch *s,
					   struct pk_flow *flow)
{
	bool home = pk_packet_home(ctx, &s->packet);
	struct pk_finding found;
	int denied;

	if (pk_packet_goes_on(&s->packet, flow))
		s->rq.flags |= PK_REQUEST_GOES_ON;
	denied = pk_judge(s);
	found = s->finding;
	if (denied && pk_is_open(&found))
		denied = pk_packet_ask(s, flow);
	if (!denied && home)
		denied = pk_judge_home(s, &found);
	pk_flow_found(flow, s, &found);
	if (!denied)
		return 1;
	if (!pk_report_as(s, flow)) {
		flow->check = PK_CHECK_NONE;
		return 1;
	}
	/* Not a destination: nothing at all may be sent there. Of TCP that is said once. */
	flow->kind = PK_FLOW_NONE;
	flow->check = s->packet.access == PK_ACCESS_TCP ? PK_CHECK_BLOCKED : PK_CHECK_NONE;
	return 0;
}

/* Deny a packet for what it is. */
static __always_inline int pk_refuse_packet(struct pk_scratch *s, const struct pk_flow *flow,
					    __u8 reason)
{
	s->rq.reason = reason;
	if (!pk_judge(s))
		return 1;
	return pk_report_as(s, flow) == 0;
}

/*
 * A packet to a destination that may be sent to: what it says, while that is looked at. @again: the
 * image is another one than that by which the first payload was found good.
 */
static __always_inline int pk_packet_says(struct __sk_buff *ctx, struct pk_scratch *s,
					  struct pk_flow *flow, bool again)
{
	if (s->packet.access != PK_ACCESS_TCP || flow->check == PK_CHECK_NONE)
		return 1;
	return again ? pk_payload_again(ctx, s, flow) : pk_payload_out(ctx, s, flow);
}

/* A packet that goes out, by the rules of the section egress. */
static __always_inline int pk_judge_out(struct __sk_buff *ctx, struct pk_scratch *s,
					struct pk_flow *flow, __u32 type)
{
	const struct pk_packet *p = &s->packet;
	const struct pk_image *head;
	struct pk_view view;
	bool verified, fits, older;

	if (!p->access)
		return pk_refuse_packet(s, flow, PK_REASON_SOCKET);
	head = pk_head(flow->agent, &view);
	if (head && head->dns.resolver_count && p->access == PK_ACCESS_UDP) {
		if (p->target_port == PK_DNS_PORT &&
		    pk_is_resolver(head, p->target_hi, p->target_lo))
			return pk_dns_out(ctx, s, flow);
		/* Nobody but a resolver answers questions, this host's agents least of all. */
		if (p->source_port == PK_DNS_PORT &&
		    pk_is_resolver(head, p->source_hi, p->source_lo))
			return pk_refuse_packet(s, flow, PK_REASON_DNS_UNASKED);
	}
	/* It stays so until the socket connects anew, whatever the image: what was dropped comes again. */
	if (p->access == PK_ACCESS_TCP && flow->check == PK_CHECK_BLOCKED)
		return flow->kind == PK_FLOW_OUT && !p->length;
	fits = pk_flow_to(flow, p);
	older = !fits && flow->kind != PK_FLOW_LISTEN && !(p->flags & PK_TCP_SYN);
	verified = flow->kind == PK_FLOW_OUT && flow->started && flow->check == PK_CHECK_NONE;
	if (!fits || (!flow->local && pk_packet_home(ctx, p))) {
		if (!pk_judge_packet(ctx, s, flow))
			return 0;
		/* Only a stream's bytes come in order and from one hand. */
		if (flow->check != PK_CHECK_NONE && type != SOCK_STREAM)
			return pk_refuse_packet(s, flow, PK_REASON_SOCKET);
		/* A connection that is older than the wish to look at what it says first. */
		if (older && flow->check == PK_CHECK_DENIED && flow->started == PK_START_NONE)
			flow->check = PK_CHECK_NONE;
		return pk_packet_says(ctx, s, flow, verified);
	}
	return pk_packet_says(ctx, s, flow, false);
}

/* The answer of a listening socket to a connection, which was judged when it came. */
static __always_inline bool pk_packet_agrees(const struct pk_packet *p)
{
	return p->access == PK_ACCESS_TCP && !p->length && (p->flags & PK_TCP_SYN) &&
	       (p->flags & PK_TCP_ACK);
}

/* The flow is a listening socket's; that of a socket accepted from it is a copy. */
static __always_inline int pk_flow_listens(struct pk_flow *flow)
{
	flow->kind = PK_FLOW_LISTEN;
	return 1;
}

/** Judge a packet that goes out and that no judgement stands for. @bad: its headers. */
__noinline int pk_packet_out(struct __sk_buff *ctx, const struct pk_packet *p, int bad)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	struct pk_scratch *s;
	struct pk_flow *flow;
	int pass;

	if (!sk || !p)
		return 0;
	flow = pk_flow_find(ctx, sk);
	if (!flow)
		return 0;
	s = pk_scratch_take(flow->agent);
	if (!s)
		return 0;
	s->packet = *p;
	pk_request_packet(ctx, s, flow, PK_OP_PACKET);
	if (bad || pk_packet_rest(ctx, &s->packet))
		pass = pk_refuse_packet(s, flow, PK_REASON_HEADER);
	else if (sk->state == PK_TCP_LISTEN && pk_packet_agrees(&s->packet))
		pass = pk_flow_listens(flow);
	else
		pass = pk_judge_out(ctx, s, flow, sk->type);
	pk_scratch_give(s);
	return pass;
}

/* A packet of a connection that is looked at: the ones that say nothing pass. */
static __always_inline bool pk_packet_silent(struct __sk_buff *ctx, struct pk_flow *flow,
					     struct pk_packet *p)
{
	if (p->access != PK_ACCESS_TCP || flow->check == PK_CHECK_BLOCKED ||
	    pk_packet_rest(ctx, p) || p->length)
		return false;
	if (!(p->flags & PK_TCP_SYN))
		return true;
	/* It may be the one under way, again. */
	if (flow->started == PK_START_READ)
		return false;
	pk_flow_begin(flow, p->sequence + 1);
	return true;
}

/* Does what was found for the flow stand for the packet too? False: it has to be judged. */
static __always_inline bool pk_packet_known(struct __sk_buff *ctx, struct pk_flow *flow,
					    struct pk_packet *p, __u32 state)
{
	if (flow->kind == PK_FLOW_LISTEN && p->access == PK_ACCESS_TCP)
		return pk_flow_accepted(flow, state) ||
		       (state == PK_TCP_LISTEN && !pk_packet_rest(ctx, p) && pk_packet_agrees(p));
	/* Port 53 may be a resolver's. */
	if (p->access == PK_ACCESS_UDP &&
	    (p->target_port == PK_DNS_PORT || p->source_port == PK_DNS_PORT))
		return false;
	if (!pk_flow_to(flow, p) || (!flow->local && pk_packet_home(ctx, p)))
		return false;
	return flow->check == PK_CHECK_NONE || pk_packet_silent(ctx, flow, p);
}

SEC("cgroup_skb/egress")
int pk_egress(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	struct pk_packet p = {};
	struct pk_flow *flow;
	int bad;

	if (!sk)
		return 0;
	bad = pk_packet_read(ctx, &p);
	flow = bpf_sk_storage_get(&pk_flows, sk, 0, 0);
	if (!bad && flow && pk_packet_known(ctx, flow, &p, sk->state))
		return 1;
	return pk_packet_out(ctx, &p, bad) ? 1 : 0;
}

/* Whoever connects, or sends a datagram that is no answer: by `listen`, then by its `from`. */
static __always_inline int pk_judge_in(struct pk_scratch *s, const struct pk_flow *flow)
{
	const struct pk_packet *p = &s->packet;
	int denied;

	s->rq.section = PK_SECTION_LISTEN;
	s->rq.address_hi = p->target_hi;
	s->rq.address_lo = p->target_lo;
	s->rq.port = p->target_port;
	s->rq.detail = p->source_port;
	denied = pk_judge(s);
	s->rq.address_hi = p->source_hi;
	s->rq.address_lo = p->source_lo;
	if (!denied) {
		s->rq.section = PK_SECTION_ACCEPT;
		denied = pk_judge(s);
	}
	return !denied || pk_report_as(s, flow) == 0;
}

/* A datagram: an answer to a question, one from where the agent may send to, or from outside. */
static __always_inline int pk_datagram_in(struct __sk_buff *ctx, struct pk_scratch *s,
					  struct pk_flow *flow, const struct pk_image *head)
{
	const struct pk_packet *p = &s->packet;

	if (p->source_port == PK_DNS_PORT && pk_is_resolver(head, p->source_hi, p->source_lo))
		return pk_dns_in(ctx, s, flow);
	if (!head->defaults[PK_SECTION_LISTEN].present || !pk_judge(s))
		return 1;
	return pk_judge_in(s, flow);
}

/* Does nobody care for the packet? */
static __always_inline bool pk_packet_free(const struct pk_image *head, const struct pk_flow *flow,
					   const struct pk_packet *p)
{
	/* Other packets for a listening socket belong to a connection that was judged. */
	if (p->access == PK_ACCESS_TCP)
		return !(p->flags & PK_TCP_SYN) || (p->flags & PK_TCP_ACK);
	if (p->access != PK_ACCESS_UDP ||
	    (p->source_port == PK_DNS_PORT && head->dns.resolver_count))
		return false;
	return !head->defaults[PK_SECTION_LISTEN].present || pk_flow_from(flow, p);
}

/** Judge a packet that came in for a listening or a datagram socket. */
__noinline int pk_packet_in(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	const struct pk_image *head;
	struct pk_packet p = {};
	struct pk_scratch *s;
	struct pk_view view;
	struct pk_flow *flow;
	int bad, pass;

	if (!sk)
		return 0;
	flow = pk_flow_find(ctx, sk);
	head = flow ? pk_head(flow->agent, &view) : 0;
	if (!head)
		return 0;
	if (sk->protocol == IPPROTO_TCP && !head->defaults[PK_SECTION_LISTEN].present)
		return pk_flow_listens(flow);
	bad = pk_packet_read(ctx, &p) || pk_packet_rest(ctx, &p);
	if (!bad && pk_packet_free(head, flow, &p))
		return 1;
	s = pk_scratch_take(flow->agent);
	if (!s)
		return 0;
	s->packet = p;
	pk_request_packet(ctx, s, flow, PK_OP_ACCEPT);
	if (bad) {
		s->rq.section = PK_SECTION_LISTEN;
		pass = pk_refuse_packet(s, flow, PK_REASON_HEADER);
	} else if (p.access == PK_ACCESS_UDP) {
		pass = pk_datagram_in(ctx, s, flow, head);
	} else {
		pass = pk_judge_in(s, flow) ? pk_flow_listens(flow) : 0;
	}
	pk_scratch_give(s);
	return pass;
}

SEC("cgroup_skb/ingress")
int pk_ingress(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);

	if (!sk)
		return 0;
	if (sk->protocol == IPPROTO_TCP ? sk->state == PK_TCP_LISTEN : sk->protocol == IPPROTO_UDP)
		return pk_packet_in(ctx) ? 1 : 0;
	return 1;
}
