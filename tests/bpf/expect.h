/* SPDX-License-Identifier: BSD-2-Clause */
/* What the packet programs should do with a packet, by the host's readers and matcher. */
#ifndef TESTS_BPF_EXPECT_H
#define TESTS_BPF_EXPECT_H

#include "policy/image.h"
#include "seeds.h"
#include "wire.h"

#include <picket/dns.h>

/** The seed of hashes of names in these tests. */
#define EXPECT_SEED 0x0123456789abcdefULL

/** As in bpf/maps.bpf.h. */
enum { CHECK_NAME = 1, CHECK_DENIED = 2 };

/** Addresses that an answer tells and that are learned. */
struct found {
	__u32 count;
	struct {
		__u64 hi, lo;
	} at[PK_DNS_CALLS_MAX + 1U];
};

/** Does the question pass? 1 or 0. */
int expect_question(const struct policy_image *image, const struct seed *s);

/** Is there such an address? */
bool found_has(const struct found *found, __u64 hi, __u64 lo);

/** Does the answer pass, on a socket that asked what @asked says? Stores what is learned then. */
int expect_answer(const struct policy_image *image, const struct seed *s,
		  const struct wire_io *asked, struct found *ret_found);

/** The question that @answer is to, into @ret. */
void expect_asked(const struct seed *answer, struct wire_io *ret);

/** Does the first payload pass, to @port at an address that no rule is about? */
int expect_payload(const struct policy_image *image, const struct seed *s, __u32 check, __u16 port);

#endif
