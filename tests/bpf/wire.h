/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What test_wire.c and wire.bpf.c hand each other beside the packet. */
#ifndef TESTS_BPF_WIRE_H
#define TESTS_BPF_WIRE_H

/** The state of the socket that a packet belongs to. */
struct wire_io {
	__u64 asked_host; /* the question it asked the packet's source: hash of the name */
	__u16 asked_id;
	__u16 asked_type;
	__u32 agent;
	__u32 cut; /* the payload comes in two packets, the first of so many bytes */
	__u32 check; /* enum pk_check of its connection */
};

#endif
