/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Questions to resolvers and their answers: which names an agent may ask for, and what it learns.
 *
 * On the way out each packet to a resolver must be one plain question (dns.h) for a name that the policy
 * lets through somewhere. It is noted with the socket. On the way in only the answer to a noted
 * question passes, once; its addresses are learned for the name asked for, before it is delivered.
 *
 *   not one question, not an answer   dropped
 *   no memory for the question        dropped
 *   no room for a learned address     another one is forgotten
 *   image in audit mode               reported, passes
 */
#include "picket.bpf.h"

#include "packet.bpf.h"

#include <picket/dns.h>

#include "decide.bpf.h"
#include "flow.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 pk_host_seed = 0;

#define PK_SECOND 1000000000ULL

/* The message lies in the second half of the text area: the first half is for the event's name. */
#define PK_MESSAGE(s) ((s)->data + PK_PATH_MAX)

/* The packet's payload as a message. 1: there is none that can be read. */
static __always_inline int pk_dns_load(struct __sk_buff *ctx, struct pk_scratch *s)
{
	__u64 length = s->packet.length;

	/* A packet that is cut in pieces behind us is not the message that is read here. */
	if (ctx->gso_size || length < 12 || length > PK_DNS_MAX)
		return 1;
	/* The length is in [1, 4096], said so that every verifier knows it. */
	asm volatile("%0 += -1\n%0 &= %1\n%0 += 1" : "+r"(length) : "i"(PK_DNS_MAX - 1));
	return bpf_skb_load_bytes(ctx, s->packet.payload, PK_MESSAGE(s), length) != 0;
}

/* The asked name into the event. */
static __always_inline void pk_dns_name_event(struct pk_scratch *s)
{
	const struct pk_dns_name *name = &s->question.name;

	s->rq.length[0] = 0;
	if (name->length > PK_HOST_MAX)
		return;
	__builtin_memcpy(s->data, name->text, PK_HOST_BUFFER);
	s->rq.length[0] = name->length;
}

static __always_inline void pk_dns_find(struct pk_scratch *s, __u32 verdict, __u32 reason,
					__u32 rule)
{
	s->finding.verdict = verdict;
	s->finding.reason = reason;
	s->finding.rule = rule;
}

/* May one more question of the agent go out in this second? */
static __always_inline bool pk_dns_rate(__u32 agent, __u32 rate)
{
	struct pk_agent *a = bpf_map_lookup_elem(&pk_agents, &agent);
	__u64 now = bpf_ktime_get_boot_ns();

	if (!a)
		return false;
	if (!rate)
		return true;
	/* Two CPUs may both open the window; then a few questions more go out in that second. */
	if (now - a->dns_start >= PK_SECOND) {
		a->dns_start = now;
		a->dns_count = 0;
	}
	return __sync_fetch_and_add(&a->dns_count, 1) < rate;
}

/* The verdict on the name in s->question; *ret_set is its rule set. */
static __always_inline struct pk_result pk_dns_name(const struct pk_view *v,
						    const struct pk_image *head,
						    const struct pk_dns_name *name, __u32 *ret_set)
{
	struct pk_result result = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE };

	if (pk_host_set(v, head, name->text, name->length, ret_set))
		return result;
	result = pk_name_verdict(v, head, *ret_set);
	if (result.reason == PK_REASON_DEFAULT && (head->dns.flags & PK_DNS_ANY_NAME))
		result.verdict = PK_VERDICT_ALLOW;
	/* Who connects waits, not who looks a name up. */
	if (result.verdict == PK_VERDICT_ASK && pk_approvers)
		result.verdict = PK_VERDICT_ALLOW;
	return result;
}

/** Judge the question in s->question, read with @error, into s->finding. Returns 0 for "allow". */
__noinline int pk_dns_judge(struct pk_scratch *s, int error)
{
	const struct pk_image *head;
	struct pk_result result;
	struct pk_view view;
	__u32 set = 0;

	if (!s)
		return 1;
	__builtin_memset(&s->finding, 0, sizeof(s->finding));
	pk_dns_find(s, PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE);
	head = pk_head(s->rq.agent, &view);
	if (!head)
		return 1;
	s->finding.image = pk_image_name(head);
	s->finding.audit = head->flags & PK_IMAGE_AUDIT ? 1 : 0;
	s->finding.reason = error == PK_DNS_TYPE ? PK_REASON_DNS_TYPE : PK_REASON_DNS_FORM;
	if (error)
		return 1;
	s->finding.reason = PK_REASON_DNS_LONG;
	if (s->question.name.length > head->dns.name_max)
		return 1;
	result = pk_dns_name(&view, head, &s->question.name, &set);
	pk_dns_find(s, result.verdict, result.reason, result.rule);
	if (result.verdict != PK_VERDICT_ALLOW)
		return 1;
	if (pk_dns_rate(s->rq.agent, head->dns.rate))
		return 0;
	pk_dns_find(s, PK_VERDICT_DENY, PK_REASON_DNS_RATE, PK_RULE_NONE);
	return 1;
}

/**
 * Where a question is noted: in the place of the same one, in a free one, or in the oldest one's. A number
 * and out of line: verifiers follow every pointer that it could be, each by itself.
 */
__noinline int pk_question_place(const struct pk_questions *asked, const struct pk_scratch *s)
{
	__u64 oldest = ~0ULL;
	int place = 0;

	if (!asked || !s)
		return 0;
	for (int i = 0; i < PK_QUESTIONS_MAX; i++) {
		const struct pk_question *q = &asked->at[i];

		if (q->asked_ns && q->host == s->question.name.hash && q->id == s->question.id &&
		    q->type == s->question.type && q->resolver_hi == s->packet.target_hi &&
		    q->resolver_lo == s->packet.target_lo)
			return i;
		if (q->asked_ns < oldest) {
			oldest = q->asked_ns;
			place = i;
		}
	}
	return place;
}

/* Note the question with its socket. 1: no memory. */
static __always_inline int pk_dns_note(struct __sk_buff *ctx, const struct pk_scratch *s)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	struct pk_questions *asked;
	struct pk_question *q;

	if (!sk)
		return 1;
	asked = bpf_sk_storage_get(&pk_asked, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!asked)
		return 1;
	q = &asked->at[pk_question_place(asked, s) & (PK_QUESTIONS_MAX - 1)];
	q->asked_ns = 0;
	q->host = s->question.name.hash;
	q->resolver_hi = s->packet.target_hi;
	q->resolver_lo = s->packet.target_lo;
	q->id = s->question.id;
	q->type = s->question.type;
	q->asked_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/** Read the message as a question into s->question; enum pk_dns_error. Out of line: the reader is large. */
__noinline int pk_dns_question(struct pk_scratch *s)
{
	if (!s)
		return PK_DNS_FORM;
	return pk_dns_read_question(PK_MESSAGE(s), s->packet.length, pk_host_seed, &s->question);
}

__noinline int pk_dns_out(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow)
{
	int error = PK_DNS_FORM;

	if (!s || !flow)
		return 0;
	s->rq.op = PK_OP_DNS;
	s->question.name.length = 0;
	s->question.type = 0;
	if (!pk_dns_load(ctx, s))
		error = pk_dns_question(s);
	/* Of what is no question there is nothing to tell. */
	if (error && error != PK_DNS_TYPE)
		s->question.name.length = 0;
	s->rq.detail = s->question.type;
	if (pk_dns_judge(s, error)) {
		pk_dns_name_event(s);
		if (pk_report_as(s, flow))
			return 0;
	}
	return error || !pk_dns_note(ctx, s);
}

/** What the walk over an answer works on. */
struct pk_answers {
	struct pk_scratch *s;
	const struct pk_view *view;
	const struct pk_image *head;
	__u32 learn; /* the second walk */
	__u32 set; /* of the name asked for */
	__u32 learned; /* addresses */
	__u32 bad; /* enum pk_reason of what makes the answer unfit */
};

/* A name that the address is known by may be put into this place, the better the smaller. */
static __always_inline __u64 pk_learned_rank(const struct pk_learned_name *n, __u64 host,
					     __u64 image, __u64 now)
{
	if (n->host == host && n->image == image)
		return 0;
	if (!n->host || n->image != image || n->expires_ns <= now)
		return 1;
	return n->expires_ns;
}

/** The place for a name that the address is known by. A number and out of line, as above. */
__noinline int pk_learned_place(const struct pk_learned *known, const struct pk_learned_name *name,
				__u64 now)
{
	__u64 best = ~0ULL;
	int place = 0;

	if (!known || !name)
		return 0;
	for (int i = 0; i < PK_LEARNED_NAMES; i++) {
		__u64 rank = pk_learned_rank(&known->names[i], name->host, name->image, now);

		if (rank < best) {
			best = rank;
			place = i;
		}
	}
	return place;
}

/* Write a name; readers on other CPUs take none whose time is over, so that is written last. */
static __always_inline void pk_learned_write(struct pk_learned *known,
					     const struct pk_learned_name *name, __u64 now)
{
	int at = pk_learned_place(known, name, now) & (PK_LEARNED_NAMES - 1);
	struct pk_learned_name *place = &known->names[at];
	__u64 expires = name->expires_ns;

	if (place->host == name->host && place->image == name->image && place->expires_ns > expires)
		expires = place->expires_ns;
	*(volatile __u64 *)&place->expires_ns = 0;
	*(volatile __u64 *)&place->host = name->host;
	*(volatile __u64 *)&place->image = name->image;
	*(volatile __u32 *)&place->set = name->set;
	*(volatile __u64 *)&place->expires_ns = expires;
}

/* A new entry of the table: nothing known yet. */
static const struct pk_learned pk_learned_none;

/* The address at hand is one of the name asked for. */
static __always_inline void pk_learn(struct pk_answers *a)
{
	struct pk_scratch *s = a->s;
	struct pk_learned_key key = { s->answer.address_hi, s->answer.address_lo, s->rq.agent, 0 };
	struct pk_learned_name name = { .host = s->question.name.hash,
					.image = pk_image_name(a->head),
					.set = a->set };
	__u64 seconds = s->answer.ttl, now = bpf_ktime_get_boot_ns();
	struct pk_learned *known = bpf_map_lookup_elem(&pk_learned_map, &key);

	if (seconds < a->head->dns.min_ttl)
		seconds = a->head->dns.min_ttl;
	if (seconds > PK_TTL_MAX)
		seconds = PK_TTL_MAX;
	name.expires_ns = now + seconds * PK_SECOND;
	if (!known) {
		bpf_map_update_elem(&pk_learned_map, &key, &pk_learned_none, BPF_NOEXIST);
		known = bpf_map_lookup_elem(&pk_learned_map, &key);
	}
	if (!known)
		return;
	pk_learned_write(known, &name, now);
	a->learned++;
}

/* Is there a rule for the address itself that lets it through somewhere? */
static __always_inline bool pk_answer_ruled(const struct pk_answers *a, struct pk_address address)
{
	struct pk_sets sets = {};
	struct pk_result result;

	if (pk_address_sets(a->view, a->head, address, &sets))
		return false;
	result = pk_name_verdict(a->view, a->head, sets.id[0]);
	return result.verdict == PK_VERDICT_ALLOW && result.reason == PK_REASON_RULE;
}

/* An address of an answer. Private ones are a matter of address rules. */
static __always_inline void pk_answer_address(struct pk_answers *a)
{
	struct pk_scratch *s = a->s;
	struct pk_address address = { s->answer.address_hi, s->answer.address_lo };

	if (!(a->head->dns.flags & PK_DNS_PRIVATE) && pk_address_private(address)) {
		if (!a->learn && !s->finding.reason && !pk_answer_ruled(a, address)) {
			s->finding.reason = PK_REASON_DNS_PRIVATE;
			s->rq.address_hi = address.hi;
			s->rq.address_lo = address.lo;
		}
		return;
	}
	if (a->learn)
		pk_learn(a);
}

/* An alias that a rule denies wholly is not followed for an allowed name. */
static __always_inline void pk_answer_alias(struct pk_answers *a)
{
	const struct pk_dns_name *name = &a->s->answer.name;
	struct pk_result result;
	__u32 set = 0;

	if (a->learn)
		return;
	result = pk_dns_name(a->view, a->head, name, &set);
	if (result.verdict != PK_VERDICT_DENY || result.reason == PK_REASON_DEFAULT)
		return;
	a->s->finding.rule = result.rule;
	a->bad = result.reason;
}

/** The next record of the answer in s, s->answer; enum pk_dns_error. */
__noinline int pk_dns_record_next(struct pk_scratch *s)
{
	if (!s)
		return PK_DNS_FORM;
	return pk_dns_next(PK_MESSAGE(s), s->packet.length, pk_host_seed, &s->answer);
}

/** Read the message as an answer and start a walk over it; enum pk_dns_error. */
__noinline int pk_dns_answer(struct pk_scratch *s)
{
	if (!s)
		return PK_DNS_FORM;
	return pk_dns_read_answer(PK_MESSAGE(s), s->packet.length, pk_host_seed, &s->question,
				  &s->answer);
}

static long pk_answer_step(__u32 index, void *arg)
{
	struct pk_answers *a = arg;
	struct pk_scratch *s = a->s;

	if (pk_dns_record_next(s))
		a->bad = PK_REASON_DNS_FORM;
	else if (s->answer.what == PK_DNS_ADDRESS)
		pk_answer_address(a);
	else if (s->answer.what == PK_DNS_ALIAS)
		pk_answer_alias(a);
	return a->bad || s->answer.what == PK_DNS_END;
}

/* A new entry of the names: none yet. */
static const struct pk_host pk_host_none;

/* Keep the text of a name that something was learned for, for people. */
static __always_inline void pk_host_note(const struct pk_dns_name *name)
{
	__u64 hash = name->hash;
	struct pk_host *host;

	bpf_map_update_elem(&pk_hosts, &hash, &pk_host_none, BPF_NOEXIST);
	host = bpf_map_lookup_elem(&pk_hosts, &hash);
	if (!host || host->length)
		return;
	__builtin_memcpy(host->name, name->text, PK_HOST_BUFFER);
	host->length = name->length;
}

/** Walk over the answer in s, to look or to learn; enum pk_reason of what is wrong. */
__noinline int pk_dns_walk(struct pk_scratch *s, int learn)
{
	struct pk_answers a = { .s = s, .learn = learn };
	struct pk_agent *counters;
	struct pk_view view;
	__u32 agent;

	if (!s)
		return PK_REASON_DNS_FORM;
	agent = s->rq.agent;
	a.view = &view;
	a.head = pk_head(agent, &view);
	if (!a.head)
		return PK_REASON_IMAGE;
	if (pk_dns_answer(s))
		return PK_REASON_DNS_FORM;
	if (pk_host_set(&view, a.head, s->question.name.text, s->question.name.length, &a.set))
		return PK_REASON_IMAGE;
	bpf_loop(PK_DNS_CALLS_MAX, pk_answer_step, &a, 0);
	if (!a.learned)
		return (int)a.bad;
	pk_host_note(&s->question.name);
	counters = bpf_map_lookup_elem(&pk_agents, &agent);
	if (counters)
		__sync_fetch_and_add(&counters->counts[PK_COUNT_LEARNED], a.learned);
	return (int)a.bad;
}

/* Take the question that the answer in s is to off the socket's list. 1: there is none. */
static __always_inline int pk_dns_answered(struct __sk_buff *ctx, const struct pk_scratch *s)
{
	struct bpf_sock *sk = pk_packet_socket(ctx);
	__u64 now = bpf_ktime_get_boot_ns();
	struct pk_questions *asked;

	asked = sk ? bpf_sk_storage_get(&pk_asked, sk, 0, 0) : 0;
	if (!asked)
		return 1;
	for (int i = 0; i < PK_QUESTIONS_MAX; i++) {
		struct pk_question *q = &asked->at[i];

		if (!q->asked_ns || now - q->asked_ns > PK_QUESTION_SECONDS * PK_SECOND)
			continue;
		if (q->host != s->question.name.hash || q->id != s->question.id ||
		    q->type != s->question.type || q->resolver_hi != s->packet.source_hi ||
		    q->resolver_lo != s->packet.source_lo)
			continue;
		q->asked_ns = 0;
		return 0;
	}
	return 1;
}

/* Report what is wrong with an answer. Returns 1 in audit mode: it passes. */
static __always_inline int pk_answer_refuse(struct pk_scratch *s, const struct pk_flow *flow,
					    __u32 reason)
{
	s->finding.verdict = PK_VERDICT_DENY;
	s->finding.reason = reason;
	pk_dns_name_event(s);
	return pk_report_as(s, flow) == 0;
}

__noinline int pk_dns_in(struct __sk_buff *ctx, struct pk_scratch *s, struct pk_flow *flow)
{
	const struct pk_image *head;
	struct pk_view view;
	int reason;

	if (!s || !flow)
		return 0;
	s->rq.op = PK_OP_ANSWER;
	__builtin_memset(&s->finding, 0, sizeof(s->finding));
	s->finding.rule = PK_RULE_NONE;
	head = pk_head(s->rq.agent, &view);
	if (!head)
		return 0;
	s->finding.audit = head->flags & PK_IMAGE_AUDIT ? 1 : 0;
	s->question.name.length = 0;
	if (pk_dns_load(ctx, s))
		return pk_answer_refuse(s, flow, PK_REASON_DNS_FORM);
	reason = pk_dns_walk(s, 0);
	s->rq.detail = s->question.type;
	if (reason == PK_REASON_DNS_FORM || reason == PK_REASON_IMAGE)
		return pk_answer_refuse(s, flow, reason);
	if (pk_dns_answered(ctx, s))
		return pk_answer_refuse(s, flow, PK_REASON_DNS_UNASKED);
	if (reason)
		return pk_answer_refuse(s, flow, reason);
	if (s->finding.reason == PK_REASON_DNS_PRIVATE)
		pk_answer_refuse(s, flow, PK_REASON_DNS_PRIVATE);
	return pk_dns_walk(s, 1) == 0;
}
