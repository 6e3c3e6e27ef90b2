/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The packet programs on packets that a test makes: BPF_PROG_TEST_RUN gives each packet a socket of its
 * own in the cgroup of the caller, without a protocol and without a past. pk_egress runs on it as it is.
 * Answers and first payloads belong to sockets that asked and connected: the programs here make the
 * socket's past, and go on as pk_ingress and pk_egress do.
 *
 * link-with: bpf/packet.bpf.c bpf/dns.bpf.c bpf/payload.bpf.c bpf/network.bpf.c bpf/ask.bpf.c bpf/time.bpf.c
 */
#include "picket.bpf.h"

#include "packet.bpf.h"

#include "decide.bpf.h"
#include "flow.bpf.h"

#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_io);
} wire_io SEC(".maps");

int pk_packet_read(struct __sk_buff *ctx, struct pk_packet *p);
int pk_packet_in(struct __sk_buff *ctx);

/** Note the open question with the packet's socket. Out of line: the stack. */
__noinline int wire_ask(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	struct pk_questions *asked;
	struct pk_packet p = {};
	struct wire_io *io;
	__u32 zero = 0;

	io = bpf_map_lookup_elem(&wire_io, &zero);
	if (!io || !sk || pk_packet_read(ctx, &p))
		return 1;
	asked = bpf_sk_storage_get(&pk_asked, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!asked)
		return 1;
	asked->at[0].host = io->asked_host;
	asked->at[0].id = io->asked_id;
	asked->at[0].type = io->asked_type;
	asked->at[0].resolver_hi = p.source_hi;
	asked->at[0].resolver_lo = p.source_lo;
	asked->at[0].asked_ns = bpf_ktime_get_boot_ns();
	return 0;
}

SEC("cgroup_skb/ingress")
int wire_answer(struct __sk_buff *ctx)
{
	if (wire_ask(ctx))
		return 0;
	return pk_packet_in(ctx) ? 1 : 0;
}

/* What the packet programs ask for a stream that was let through with a check. */
static __always_inline void wire_request(struct pk_scratch *s)
{
	s->rq.section = PK_SECTION_EGRESS;
	s->rq.access = PK_ACCESS_TCP;
	s->rq.op = PK_OP_PACKET;
	s->rq.error = EPERM;
	s->rq.family = s->packet.family;
	s->rq.protocol = s->packet.protocol;
	s->rq.address_hi = s->packet.target_hi;
	s->rq.address_lo = s->packet.target_lo;
	s->rq.port = s->packet.target_port;
}

/** The packet's first bytes as one packet, its other ones as the next. Returns 1: both pass. */
__noinline int wire_feed(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow,
			 __u32 cut)
{
	__u32 length;

	if (!s || !flow)
		return 0;
	length = s->packet.length;
	if (cut > length)
		cut = length;
	s->packet.length = cut;
	if (!pk_payload_out(ctx, s, flow))
		return 0;
	if (flow->check == PK_CHECK_NONE || cut == length)
		return 1;
	/* The numbers of the bytes behind the SYN. */
	s->packet.flags = PK_TCP_ACK;
	s->packet.sequence += 1 + cut;
	s->packet.payload += cut;
	s->packet.length = length - cut;
	return pk_payload_out(ctx, s, flow);
}

SEC("cgroup_skb/egress")
int wire_payload(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	struct pk_scratch *s;
	struct pk_flow *flow;
	struct wire_io *io;
	__u32 zero = 0;
	int pass = 0;

	io = bpf_map_lookup_elem(&wire_io, &zero);
	if (!io || !sk)
		return 0;
	flow = pk_flow_make(sk);
	s = flow ? pk_scratch_take(io->agent) : 0;
	if (!s)
		return 0;
	flow->agent = io->agent;
	flow->check = io->check;
	flow->kind = PK_FLOW_OUT;
	__builtin_memset(&s->packet, 0, sizeof(s->packet));
	if (!pk_packet_read(ctx, &s->packet) && !pk_packet_rest(ctx, &s->packet)) {
		wire_request(s);
		pass = wire_feed(ctx, s, flow, io->cut) ? 1 : 0;
	}
	pk_scratch_give(s);
	return pass;
}
