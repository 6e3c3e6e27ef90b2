/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Answers of approvers: how one is taken.
 */
#ifndef PICKET_ANSWER_BPF_H
#define PICKET_ANSWER_BPF_H

#include "maps.bpf.h"

/** What the answers say to a request. */
enum pk_answer {
	PK_ANSWER_NONE,
	PK_ANSWER_GRANT, /* one use of it was taken */
	PK_ANSWER_REFUSAL,
};

/*
 * The answer under @key, for @rule of @image, which the request is asked by. Keys and values of maps lie on
 * the stack: 6.1 takes no memory of a function's argument for one.
 */
static __always_inline enum pk_answer pk_answer_take(const struct pk_ask_key *key, __u32 rule,
						     __u64 image, __u32 *ret_id)
{
	struct pk_grant *grant = bpf_map_lookup_elem(&pk_grants, key);
	__u32 verdict;

	*ret_id = 0;
	if (!grant || grant->rule != rule || grant->image != image)
		return PK_ANSWER_NONE;
	if (grant->expires_ns && grant->expires_ns <= bpf_ktime_get_boot_ns())
		return PK_ANSWER_NONE;
	verdict = grant->verdict;
	*ret_id = grant->id;
	if (verdict == PK_VERDICT_ALLOW &&
	    (grant->uses <= 0 ||
	     (grant->uses != PK_GRANT_UNLIMITED && __sync_fetch_and_add(&grant->uses, -1) <= 0)))
		return PK_ANSWER_NONE;
	/* The place may have been given to another key in between. */
	if (bpf_map_lookup_elem(&pk_grants, key) != grant)
		return PK_ANSWER_NONE;
	if (verdict == PK_VERDICT_ALLOW)
		return PK_ANSWER_GRANT;
	return verdict == PK_VERDICT_DENY ? PK_ANSWER_REFUSAL : PK_ANSWER_NONE;
}

static __always_inline enum pk_answer pk_answer_find(struct pk_scratch *s)
{
	struct pk_ask_key key = s->asked.key;
	__u32 id = 0;
	enum pk_answer answer = pk_answer_take(&key, s->finding.rule, s->finding.image, &id);

	s->asked.grant = id;
	return answer;
}

/* The answer is the verdict now. */
static __always_inline void pk_answer_note(struct pk_scratch *s, enum pk_answer answer)
{
	bool grant = answer == PK_ANSWER_GRANT;

	s->finding.verdict = grant ? PK_VERDICT_ALLOW : PK_VERDICT_DENY;
	s->finding.reason = grant ? PK_REASON_GRANTED : PK_REASON_REFUSED;
	if (grant)
		s->rq.error = 0;
	/* For the programs that see the rest of the flow; none of them asks about what is granted. */
	if (grant && s->rq.section == PK_SECTION_EGRESS) {
		struct pk_ask_key key = s->asked.key;
		__u64 cookie = s->asked.cookie;

		(void)bpf_map_update_elem(&pk_granted, &cookie, key.hash, BPF_ANY);
	}
}

/* Was this request granted for this very socket? */
static __always_inline bool pk_is_granted(const struct pk_scratch *s)
{
	__u64 cookie = s->asked.cookie;
	const __u64 *hash = bpf_map_lookup_elem(&pk_granted, &cookie);

	return hash && hash[0] == s->asked.key.hash[0] && hash[1] == s->asked.key.hash[1];
}

#endif
