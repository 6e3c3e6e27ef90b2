/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What rules ask about: the key of a request, and its answer. What each failure means:
 *
 *   no answer, expired, used up           as if there were none
 *   answer for another rule or image      the same
 *   cgroup programs, no answer            refused, PK_REASON_PENDING (tier network) or UNHELD
 *
 * hold.bpf.c has the part of the hooks.
 */
#include "picket.bpf.h"

#include "image.bpf.h"
#include "report.bpf.h"

#include "answer.bpf.h"
#include "ask.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 pk_tier = PK_TIER_LSM;
const volatile __u32 pk_answers = 1;
__u32 pk_approvers = 0;

/* --- the key: SipHash-2-4 with 128 bits ------------------------------------------------------- */

static __always_inline __u64 pk_turn(__u64 x, __u32 bits)
{
	return x << bits | x >> (64 - bits);
}

static __always_inline void pk_sip_round(__u64 *v)
{
	v[0] += v[1];
	v[1] = pk_turn(v[1], 13) ^ v[0];
	v[0] = pk_turn(v[0], 32);
	v[2] += v[3];
	v[3] = pk_turn(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = pk_turn(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = pk_turn(v[1], 17) ^ v[2];
	v[2] = pk_turn(v[2], 32);
}

/* One word more. In line, as all here: hooks that come here have little stack left. */
static __always_inline void pk_sip_word(struct pk_scratch *s, __u64 word)
{
	__u64 v[4] = { s->asked.sip[0], s->asked.sip[1], s->asked.sip[2], s->asked.sip[3] };

	v[3] ^= word;
	pk_sip_round(v);
	pk_sip_round(v);
	v[0] ^= word;
	s->asked.sip[0] = v[0];
	s->asked.sip[1] = v[1];
	s->asked.sip[2] = v[2];
	s->asked.sip[3] = v[3];
}

static __always_inline __u64 pk_sip_end(__u64 *v)
{
	for (int i = 0; i < 4; i++)
		pk_sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct pk_sip_text {
	struct pk_scratch *s;
	__u32 second;
	__u32 length;
};

static long pk_sip_step(__u32 index, void *arg)
{
	struct pk_sip_text *t = arg;
	struct pk_scratch *s = t->s;
	__u32 at = index * 8;
	const __u8 *text = s->data;
	__u32 left;
	__u64 word;

	if (at >= t->length || at > PK_PATH_MAX - 8)
		return 1;
	left = t->length - at;
	if (t->second)
		text = s->data + PK_PATH_MAX;
	word = *(const __u64 *)(text + (at & (PK_PATH_MAX - 8)));
	if (left < 8)
		word &= (1ULL << left * 8) - 1;
	pk_sip_word(s, word);
	return 0;
}

/* The first or second text, its length first. */
static __always_inline void pk_sip_text(struct pk_scratch *s, __u32 second)
{
	struct pk_sip_text text = { .s = s, .second = second };

	text.length = second ? s->rq.length[1] : s->rq.length[0];
	pk_sip_word(s, text.length);
	bpf_loop(PK_PATH_MAX / 8, pk_sip_step, &text, 0);
}

/* A destination: the name that the verdict is about, else the address. */
static __always_inline void pk_sip_target(struct pk_scratch *s)
{
	bool named = s->finding.host != 0;

	pk_sip_word(s, (__u64)s->rq.port << 1 | named);
	pk_sip_word(s, named ? s->finding.host : s->rq.address_hi);
	pk_sip_word(s, named ? 0 : s->rq.address_lo);
}

/* Anything else: the paths, the other process, the number. */
static __always_inline void pk_sip_object(struct pk_scratch *s)
{
	__u64 name[2];

	__builtin_memcpy(name, s->rq.target_comm, sizeof(name));
	pk_sip_word(s, (__u64)s->rq.target << 32 | s->rq.detail);
	pk_sip_word(s, name[0]);
	pk_sip_word(s, name[1]);
	if (!(s->rq.flags & PK_REQUEST_SECOND))
		pk_sip_text(s, 0);
	if (s->rq.flags & (PK_REQUEST_SECOND | PK_REQUEST_BOTH))
		pk_sip_text(s, 1);
}

__noinline int pk_ask_key(struct pk_scratch *s)
{
	__u64 secret = pk_host_seed, more = pk_turn(pk_host_seed, 29) ^ 0x9e3779b97f4a7c15ULL;
	__u64 v[4];
	bool egress;

	if (!s || !pk_answers)
		return 0;
	egress = s->rq.section == PK_SECTION_EGRESS;
	s->asked.sip[0] = secret ^ 0x736f6d6570736575ULL;
	s->asked.sip[1] = more ^ 0x646f72616e646f6dULL ^ 0xee;
	s->asked.sip[2] = secret ^ 0x6c7967656e657261ULL;
	s->asked.sip[3] = more ^ 0x7465646279746573ULL;
	pk_sip_word(s, (__u64)s->rq.section << 16 | (__u64)s->rq.access << 8 |
			       (egress ? 0 : s->rq.op));
	if (egress)
		pk_sip_target(s);
	else
		pk_sip_object(s);
	__builtin_memcpy(v, s->asked.sip, sizeof(v));
	v[2] ^= 0xee;
	s->asked.key.hash[0] = pk_sip_end(v);
	v[1] ^= 0xdd;
	s->asked.key.hash[1] = pk_sip_end(v);
	s->asked.key.agent = s->rq.agent;
	s->asked.key._pad = 0;
	s->asked.grant = 0;
	s->rq.flags |= PK_REQUEST_KEYED;
	return 0;
}

__noinline int pk_ask_socket(struct pk_scratch *s)
{
	enum pk_answer answer;

	if (!s || !pk_answers)
		return 1;
	(void)pk_ask_key(s);
	if (pk_is_granted(s))
		return 0;
	s->finding.reason = PK_REASON_UNHELD;
	/* In the other tiers a hook has asked, and what it was told stands above. */
	if (pk_tier != PK_TIER_NETWORK)
		return 1;
	s->finding.reason = PK_REASON_PENDING;
	answer = pk_answer_find(s);
	if (answer != PK_ANSWER_NONE)
		pk_answer_note(s, answer);
	return 1;
}
