/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What test_match.c and match.bpf.c hand each other: one question and its answer. */
#ifndef TESTS_BPF_MATCH_H
#define TESTS_BPF_MATCH_H

#include <picket/limits.h>

struct match_io {
	__u32 slot;
	__u32 section;
	__u32 access;
	__u32 port;
	__u32 subjects; /* bits of the program that asks */
	__u32 cut; /* commands: the key goes through the automaton in two parts */
	__u64 address_hi;
	__u64 address_lo;
	__u32 length;
	__u32 repeat; /* bench: how often to ask */
	__u32 verdict; /* the answer */
	__u32 reason;
	__u32 rule; /* section subject: the bits of the program at the key */
	__u32 broken; /* no image, or the walk failed */
	__u8 key[2 * PK_PATH_MAX]; /* the second half so that every part has its room */
};

#endif
