/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets of an agent's sockets: their headers, whose they are, and what the files about packets share.
 */
#ifndef PICKET_PACKET_BPF_H
#define PICKET_PACKET_BPF_H

#include "image.bpf.h"

#include "identity.bpf.h"

/** Flags of a TCP header. */
enum pk_tcp_flag {
	PK_TCP_FIN = 1,
	PK_TCP_SYN = 2,
	PK_TCP_RST = 4,
	PK_TCP_ACK = 16,
	PK_TCP_URG = 32
};

/** States of a socket, struct bpf_sock.state. */
enum pk_tcp_state { PK_TCP_SYN_SENT = 2, PK_TCP_CLOSE = 7, PK_TCP_LISTEN = 10 };

#define PK_LOOPBACK_DEVICE 1 /* the first one of every network namespace */

/**
 * Judge what a socket of the agent sends to a resolver: a DNS question. s->packet is it, s->rq is
 * filled but for the operation. Returns 1: the packet passes, 0: dropped and reported.
 */
int pk_dns_out(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow);

/** Judge what a resolver sends to a socket of the agent, and learn the addresses in it. */
int pk_dns_in(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow);

/** Judge what the first bytes of a connection say; flow->check is what for. Returns as above. */
int pk_payload_out(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow);

/**
 * A connection whose first bytes were found good is judged by another image now, which wants them
 * looked at (flow->check): judge the name they said again. Returns as above.
 */
int pk_payload_again(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow);

/** The head of the agent's image, or NULL; the view is for the matcher. */
static __always_inline const struct pk_image *pk_head(__u32 agent, struct pk_view *ret_view)
{
	__u32 zero = 0;

	ret_view->map = bpf_map_lookup_elem(&pk_images, &agent);
	if (!ret_view->map)
		return 0;
	return bpf_map_lookup_elem(ret_view->map, &zero);
}

/** The agent whose cgroup is the innermost one around the packet's socket, or 0. */
static __always_inline __u32 pk_packet_agent(struct __sk_buff *ctx)
{
	__u64 own = bpf_skb_cgroup_id(ctx);
	__u32 *slot = bpf_map_lookup_elem(&pk_cgroups, &own);
	__u32 agent = 0;

	if (slot)
		return *slot;
	for (int level = 1; level < PK_CGROUP_DEPTH; level++) {
		__u64 id = bpf_skb_ancestor_cgroup_id(ctx, level);

		if (!id)
			break;
		slot = bpf_map_lookup_elem(&pk_cgroups, &id);
		if (slot)
			agent = *slot;
	}
	return agent;
}

/** The packet's socket: the whole one, of a request that of the listening socket; or NULL. */
static __always_inline struct bpf_sock *pk_packet_socket(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	return sk ? bpf_sk_fullsock(sk) : 0;
}

/** Is the address one of this host's loopback? */
static __always_inline bool pk_address_loopback(__u64 hi, __u64 lo)
{
	return hi == 0 && (lo == 1 || lo >> 24 == 0x0000ffff7f000000ULL >> 24);
}

/* The first eight bytes of TCP, UDP or ICMP, which every packet has. */
struct pk_transport {
	__be16 source; /* ICMP: type and code */
	__be16 target;
	__be32 sequence; /* of TCP */
};

struct pk_head_v4 {
	__u8 version; /* and the header's length */
	__u8 service;
	__be16 total;
	__be16 id;
	__be16 fragment;
	__u8 hops;
	__u8 protocol;
	__be16 check;
	__be32 source;
	__be32 target;
	struct pk_transport next;
};

struct pk_head_v6 {
	__be32 version;
	__be16 total;
	__u8 protocol;
	__u8 hops;
	__be64 source[2];
	__be64 target[2];
	struct pk_transport next;
};

static __always_inline void pk_packet_transport(struct pk_packet *p,
						const struct pk_transport *next)
{
	p->length = 0;
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
		p->access = p->protocol == IPPROTO_TCP ? PK_ACCESS_TCP : PK_ACCESS_UDP;
		p->source_port = bpf_ntohs(next->source);
		p->target_port = bpf_ntohs(next->target);
		p->sequence = bpf_ntohl(next->sequence);
		return;
	}
	if ((p->protocol == IPPROTO_ICMP && next->source == bpf_htons(ICMP_ECHO)) ||
	    (p->protocol == IPPROTO_ICMPV6 && next->source == bpf_htons(ICMPV6_ECHO)))
		p->access = PK_ACCESS_ICMP;
}

/*
 * The packet's first @size bytes, a constant. Nearly always they lie at hand, and copying them is several
 * times cheaper than the helper. Returns 0, or 1 for a packet that is too short.
 */
static __always_inline int pk_packet_load(struct __sk_buff *ctx, void *ret, __u32 size)
{
	const void *start = (const void *)(long)ctx->data;

	if (start + size <= (const void *)(long)ctx->data_end) {
		__builtin_memcpy(ret, start, size);
		return 0;
	}
	return bpf_skb_load_bytes(ctx, 0, ret, size) ? 1 : 0;
}

static __always_inline int pk_packet_v4(struct __sk_buff *ctx, struct pk_packet *p)
{
	struct pk_head_v4 h;
	struct pk_address source, target;

	/* Version 4 and nothing but the plain header: options may lead elsewhere. */
	if (pk_packet_load(ctx, &h, sizeof(h)) || h.version != 0x45)
		return 1;
	if (h.fragment & bpf_htons(0x3fff))
		return 1;
	source = pk_address_v4(bpf_ntohl(h.source));
	target = pk_address_v4(bpf_ntohl(h.target));
	p->source_hi = source.hi;
	p->source_lo = source.lo;
	p->target_hi = target.hi;
	p->target_lo = target.lo;
	p->family = AF_INET;
	p->protocol = h.protocol;
	p->payload = sizeof(h);
	pk_packet_transport(p, &h.next);
	return 0;
}

/* Headers that stand between IPv6's own and the transport's. */
static __always_inline bool pk_header_extends(__u8 protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
	       protocol == 60 || protocol == 135 || protocol == 139 || protocol == 140;
}

static __always_inline int pk_packet_v6(struct __sk_buff *ctx, struct pk_packet *p)
{
	struct pk_head_v6 h;
	struct pk_address source, target;

	if (pk_packet_load(ctx, &h, sizeof(h)) || pk_header_extends(h.protocol))
		return 1;
	source = pk_address_v6(bpf_be64_to_cpu(h.source[0]), bpf_be64_to_cpu(h.source[1]));
	target = pk_address_v6(bpf_be64_to_cpu(h.target[0]), bpf_be64_to_cpu(h.target[1]));
	p->source_hi = source.hi;
	p->source_lo = source.lo;
	p->target_hi = target.hi;
	p->target_lo = target.lo;
	p->family = AF_INET6;
	p->protocol = h.protocol;
	p->payload = sizeof(h);
	pk_packet_transport(p, &h.next);
	return 0;
}

/** Find the payload too, also again: p->payload, length, and of TCP the flags. Returns as above. */
static __always_inline int pk_packet_rest(struct __sk_buff *ctx, struct pk_packet *p)
{
	__u32 start = p->family == AF_INET ? sizeof(struct pk_head_v4) : sizeof(struct pk_head_v6);
	__u8 tcp[2] = {};

	start -= sizeof(struct pk_transport);
	if (p->protocol == IPPROTO_TCP) {
		/* Where the header's length and its flags are, from the transport header's start. */

		if (bpf_skb_load_bytes(ctx, start + 12, tcp, sizeof(tcp)) || tcp[0] >> 4 < 5)
			return 1;
		p->payload = start + (__u32)(tcp[0] >> 4) * 4;
		p->flags = tcp[1];
	}
	if (ctx->len < p->payload)
		return 1;
	p->length = ctx->len - p->payload;
	return 0;
}

#endif
