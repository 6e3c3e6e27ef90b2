/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers around what is said: between an agent and a resolver or a server, by IPv4 or IPv6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#include "frames.h"

static void add(struct frame *frame, const void *bytes, size_t size)
{
	assert_true(frame->length + size <= sizeof(frame->bytes));
	memcpy(frame->bytes + frame->length, bytes, size);
	frame->length += (__u32)size;
}

static void add_addresses(struct iphdr *v4, struct ipv6hdr *v6, const struct way *way)
{
	bool stream = way->protocol == IPPROTO_TCP;
	const char *there4 = stream ? "198.51.100.7" : "9.9.9.9";
	const char *there6 = stream ? "2001:db8:77::7" : "2620:fe::9";

	assert_int_equal(inet_pton(AF_INET, "185.199.100.2", way->in ? &v4->daddr : &v4->saddr), 1);
	assert_int_equal(inet_pton(AF_INET, there4, way->in ? &v4->saddr : &v4->daddr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2a01:db00:1::2", way->in ? &v6->daddr : &v6->saddr),
			 1);
	assert_int_equal(inet_pton(AF_INET6, there6, way->in ? &v6->saddr : &v6->daddr), 1);
}

void frame_wrap(struct frame *frame, const struct way *way, const __u8 *body, __u32 length)
{
	struct ethhdr link = { .h_proto = htons(way->family == AF_INET ? ETH_P_IP : ETH_P_IPV6) };
	struct udphdr udp = { .source = htons(way->from), .dest = htons(way->to) };
	struct tcphdr tcp = { .source = htons(way->from), .dest = htons(way->to) };
	struct iphdr v4 = { .version = 4, .ihl = 5, .ttl = 64, .protocol = way->protocol };
	struct ipv6hdr v6 = { .version = 6, .hop_limit = 64, .nexthdr = way->protocol };
	size_t head = way->protocol == IPPROTO_TCP ? sizeof(tcp) : sizeof(udp);

	assert_true(length <= BODY_MAX);
	udp.len = htons((__u16)(sizeof(udp) + length));
	tcp.seq = htonl(0xfffffff0U);
	tcp.doff = 5;
	tcp.syn = 1;
	v4.tot_len = htons((__u16)(sizeof(v4) + head + length));
	v6.payload_len = htons((__u16)(head + length));
	add_addresses(&v4, &v6, way);
	frame->length = 0;
	add(frame, &link, sizeof(link));
	if (way->family == AF_INET)
		add(frame, &v4, sizeof(v4));
	else
		add(frame, &v6, sizeof(v6));
	add(frame, way->protocol == IPPROTO_TCP ? (void *)&tcp : (void *)&udp, head);
	add(frame, body, length);
}
