/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets as the packet programs see them, made by tests. */
#ifndef TESTS_BPF_FRAMES_H
#define TESTS_BPF_FRAMES_H

#include <linux/if_ether.h>
#include <linux/types.h>
#include <stdbool.h>

/** What a kernel takes for one test run, less headers. */
#define BODY_MAX 3400
#define FRAME_MAX (ETH_HLEN + 60 + 60 + BODY_MAX)

/** A packet behind a header of Ethernet. */
struct frame {
	__u32 length;
	__u8 bytes[FRAME_MAX];
};

/** Where a packet goes to and comes from. */
struct way {
	int family;
	__u8 protocol; /* IPPROTO_UDP: the other side is the resolver; IPPROTO_TCP: a server */
	__u16 from;
	__u16 to;
	bool in; /* from the other side, else to it */
};

/** A packet with @body: a datagram, or the SYN of a stream with its first bytes. */
void frame_wrap(struct frame *frame, const struct way *way, const __u8 *body, __u32 length);

#endif
