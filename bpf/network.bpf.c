/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The verdict on addresses, on the names they were learned for, and on kinds of sockets. What each
 * failure means is told in decide.bpf.c; besides:
 *
 *   name expired, of another image, or its place taken   as if it had not been learned
 *   all names of the address replaced (a reload)         looked at again, once
 *   text of a name gone                                  verdict unchanged, the event has no name
 */
#include "picket.bpf.h"

#include "image.bpf.h"
#include "report.bpf.h"

#include "ask.bpf.h"
#include "decide.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void pk_find(struct pk_finding *f, const struct pk_result *result)
{
	f->verdict = result->verdict;
	f->reason = result->reason;
	f->rule = result->rule;
}

static __always_inline struct pk_result pk_found(const struct pk_finding *f)
{
	struct pk_result result = { f->verdict, f->reason, f->rule };

	return result;
}

/* Looks at an address whose element is taken away under the judgement: a reload replaces it once. */
#define PK_ELEMENT_LOOKS 2

/* A destination that its address alone does not allow, by one after another of its names. */
struct pk_names {
	const struct pk_view *view;
	const struct pk_image *head;
	struct pk_learned *learned;
	struct pk_scratch *s;
	const struct pk_query *query;
	__u32 set; /* of the address */
	__u64 now;
};

/*
 * Does the name's verdict stand instead of what was found before? A milder one does; of two equal ones
 * that which a rule made, for it tells people more.
 */
static __always_inline bool pk_is_said(const struct pk_finding *f, const struct pk_result *result)
{
	if (result->verdict != f->verdict)
		return result->verdict < f->verdict;
	return result->reason == PK_REASON_RULE && f->reason != PK_REASON_RULE;
}

static long pk_judge_learned(__u32 index, void *arg)
{
	struct pk_names *w = arg;
	struct pk_learned_name *name = &w->learned->names[index & (PK_LEARNED_NAMES - 1)];
	struct pk_finding *f = &w->s->finding;
	struct pk_sets sets = { { w->set, name->set } };
	__u64 host = name->host, held;
	bool over = name->expires_ns <= w->now;
	struct pk_result result;

	if (!host || name->image != f->image || (over && !(w->s->rq.flags & PK_REQUEST_GOES_ON)))
		return 0;
	result = pk_judge_sets(w->view, w->head, &sets, w->query);
	/* The place may have been given to another name in between. */
	if (name->host != host || name->set != sets.id[1])
		return 0;
	if (!f->host || pk_is_said(f, &result))
		f->host = host;
	if (pk_is_said(f, &result))
		pk_find(f, &result);
	if (result.verdict != PK_VERDICT_ALLOW)
		return 0;
	held = w->now + w->head->dns.min_ttl * 1000000000ULL;
	if (!over && name->expires_ns < held)
		name->expires_ns = held;
	return 1;
}

/*
 * The finding by the names in the address's element of now. The element may be taken away meanwhile, by a reload
 * that puts another one in its place or by a full map that needs it for another address: then nothing was found,
 * and the next round looks again.
 */
static long pk_judge_element(__u32 round, void *arg)
{
	struct pk_names *w = arg;
	struct pk_scratch *s = w->s;
	/* Here, and not with what is handed around: 512 bytes of stack are all that six functions have. */
	struct pk_learned_key key = { s->rq.address_hi, s->rq.address_lo, s->rq.agent, 0 };

	w->learned = bpf_map_lookup_elem(&pk_learned_map, &key);
	if (!w->learned)
		return 1;
	bpf_loop(PK_LEARNED_NAMES, pk_judge_learned, w, 0);
	if (bpf_map_lookup_elem(&pk_learned_map, &key) == w->learned)
		return 1;
	s->finding = s->by_address;
	return 0;
}

/* What the names that the agent learned for the address change about the finding. */
static __always_inline void pk_judge_names(const struct pk_view *v, const struct pk_image *head,
					   struct pk_scratch *s, const struct pk_query *query,
					   __u32 set)
{
	struct pk_names w = {
		.view = v,
		.head = head,
		.s = s,
		.query = query,
		.set = set,
		.now = bpf_ktime_get_boot_ns(),
	};

	s->by_address = s->finding;
	bpf_loop(PK_ELEMENT_LOOKS, pk_judge_element, &w, 0);
}

/* A destination that its address alone does not allow and no rule denies: by its names. */
static __always_inline void pk_judge_unknown(const struct pk_view *v, const struct pk_image *head,
					     struct pk_scratch *s, const struct pk_query *query,
					     __u32 set)
{
	struct pk_finding *f = &s->finding;

	/* Names can only add to what a rule about the address says. */
	if (f->reason == PK_REASON_RULE) {
		if (f->verdict == PK_VERDICT_ASK && query->access == PK_ACCESS_TCP &&
		    (head->flags & PK_IMAGE_DENIED_NAMES))
			f->check = PK_CHECK_DENIED;
		return;
	}
	pk_judge_names(v, head, s, query, set);
	if (f->verdict == PK_VERDICT_DENY || query->access != PK_ACCESS_TCP)
		return;
	if ((head->flags & PK_IMAGE_SNI) && (f->verdict == PK_VERDICT_ALLOW || f->host))
		f->check = PK_CHECK_NAME;
}

/* Is it a question to a resolver? Each one is judged as a packet. */
static __always_inline bool pk_is_question(const struct pk_image *head, const struct pk_request *rq)
{
	return rq->section == PK_SECTION_EGRESS && rq->access == PK_ACCESS_UDP &&
	       rq->port == PK_DNS_PORT && pk_is_resolver(head, rq->address_hi, rq->address_lo);
}

static __always_inline struct pk_query pk_network_query(const struct pk_request *rq)
{
	struct pk_query query = {
		.section = rq->section,
		.access = rq->access,
		.port = rq->port,
		.subjects = rq->subjects,
		.flags = rq->flags & PK_REQUEST_RULES ? PK_JUDGE_RULES_ONLY : 0,
	};

	return query;
}

/* The address and port of a section that the image has, by its rules. 1: the image is broken. */
static __always_inline int pk_judge_address(const struct pk_view *v, const struct pk_image *head,
					    struct pk_scratch *s, const struct pk_query *query,
					    struct pk_sets *ret_sets)
{
	struct pk_address key = { s->rq.address_hi, s->rq.address_lo };
	struct pk_result result;

	if (pk_address_sets(v, head, key, ret_sets))
		return 1;
	result = pk_judge_sets(v, head, ret_sets, query);
	pk_find(&s->finding, &result);
	return 0;
}

/* The same, and of a destination its names. */
static __always_inline void pk_judge_target(const struct pk_view *v, const struct pk_image *head,
					    struct pk_scratch *s)
{
	struct pk_query query = pk_network_query(&s->rq);
	struct pk_sets sets = {};

	if (pk_judge_address(v, head, s, &query, &sets) || query.section != PK_SECTION_EGRESS)
		return;
	if (s->finding.verdict != PK_VERDICT_ALLOW)
		pk_judge_unknown(v, head, s, &query, sets.id[0]);
	else if (query.access == PK_ACCESS_TCP && (head->flags & PK_IMAGE_DENIED_NAMES))
		s->finding.check = PK_CHECK_DENIED;
}

/* Has the image a say in the request? */
static __always_inline bool pk_is_asked(const struct pk_image *head, const struct pk_request *rq)
{
	__u32 section = rq->section;

	if (section == PK_SECTION_SOCKETS)
		return !pk_may_make(head, rq->access);
	/* A socket that is not the agent's own has no rules anywhere. */
	if (rq->reason == PK_REASON_FOREIGN)
		return pk_has_network(head);
	return section >= PK_SECTION__MAX || head->defaults[section].present;
}

/*
 * Start a judgement: what is denied whatever the rules are is in s->finding. Returns the image's head
 * when its rules for an address have to be asked, else NULL.
 */
static __always_inline const struct pk_image *pk_judge_start(struct pk_scratch *s,
							     struct pk_view *ret_view)
{
	struct pk_result allow = { PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	struct pk_result deny = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE };
	struct pk_finding *f = &s->finding;
	const struct pk_image *head;
	__u32 agent = s->rq.agent, zero = 0;

	if (s->rq.reason)
		deny.reason = s->rq.reason;
	__builtin_memset(f, 0, sizeof(*f));
	pk_find(f, &deny);
	ret_view->map = bpf_map_lookup_elem(&pk_images, &agent);
	if (!ret_view->map)
		return 0;
	head = bpf_map_lookup_elem(ret_view->map, &zero);
	if (!head)
		return 0;
	f->image = pk_image_name(head);
	f->audit = head->flags & PK_IMAGE_AUDIT ? 1 : 0;
	if (!pk_is_asked(head, &s->rq)) {
		pk_find(f, &allow);
	} else if (s->rq.section == PK_SECTION_SOCKETS) {
		f->reason = s->rq.reason ? s->rq.reason : PK_REASON_SOCKET;
		f->rule = PK_RULE_DEFAULT | PK_SECTION_SOCKETS;
	} else if (!s->rq.reason && s->rq.section < PK_SECTION__MAX) {
		if (!pk_is_question(head, &s->rq))
			return head;
		pk_find(f, &allow);
	}
	return 0;
}

__noinline int pk_judge(struct pk_scratch *s)
{
	struct pk_view view;
	const struct pk_image *head;

	if (!s)
		return 1;
	head = pk_judge_start(s, &view);
	if (head)
		pk_judge_target(&view, head, s);
	return s->finding.verdict != PK_VERDICT_ALLOW;
}

__noinline int pk_find_host(struct pk_scratch *s)
{
	struct pk_learned_key key = {};
	const struct pk_learned *learned;

	if (!s || s->rq.section != PK_SECTION_EGRESS || s->finding.host)
		return 0;
	key.address_hi = s->rq.address_hi;
	key.address_lo = s->rq.address_lo;
	key.agent = s->rq.agent;
	learned = bpf_map_lookup_elem(&pk_learned_map, &key);
	for (int i = 0; learned && i < PK_LEARNED_NAMES; i++) {
		const struct pk_learned_name *name = &learned->names[i];

		if (name->host && name->image == s->finding.image) {
			s->finding.host = name->host;
			break;
		}
	}
	return 0;
}

/* What follows what was found: 0 or a negative errno. */
static __always_inline int pk_conclude_found(struct pk_scratch *s)
{
	struct pk_result result = pk_found(&s->finding);
	const struct pk_image *head;

	if (pk_is_open(&s->finding))
		return PK_ASKED;
	if (result.verdict != PK_VERDICT_ALLOW) {
		(void)pk_find_host(s);
		pk_event_host(s);
		return pk_conclude(s, &result, s->finding.audit);
	}
	head = pk_image_head(s->rq.agent);
	if (head && pk_is_reported(s, head)) {
		pk_event_host(s);
		pk_report_allowed(s, &result, head);
	}
	return 0;
}

__noinline int pk_decide_network(struct pk_scratch *s)
{
	if (!s)
		return -EPERM;
	(void)pk_judge(s);
	return pk_conclude_found(s);
}

__noinline int pk_decide_refusal(struct pk_scratch *s)
{
	struct pk_result result;
	struct pk_view view;

	if (!s)
		return -EPERM;
	(void)pk_judge_start(s, &view);
	result = pk_found(&s->finding);
	if (result.verdict == PK_VERDICT_ALLOW)
		return 0;
	return pk_conclude(s, &result, s->finding.audit);
}

__noinline int pk_decide_local(struct pk_scratch *s)
{
	const struct pk_image *head;
	struct pk_sets sets = {};
	struct pk_result result;
	struct pk_query query;
	struct pk_view view;

	if (!s)
		return -EPERM;
	head = pk_judge_start(s, &view);
	query = pk_network_query(&s->rq);
	if (head)
		(void)pk_judge_address(&view, head, s, &query, &sets);
	result = pk_found(&s->finding);
	if (result.verdict == PK_VERDICT_ALLOW)
		return 0;
	return pk_conclude(s, &result, s->finding.audit);
}

__noinline int pk_decide_asked(struct pk_scratch *s)
{
	struct pk_result result;

	if (!s || !pk_answers)
		return -EPERM;
	if (!pk_ask_socket(s))
		return 0;
	result = pk_found(&s->finding);
	(void)pk_find_host(s);
	pk_event_host(s);
	return pk_conclude(s, &result, 0);
}

__noinline int pk_decide_datagrams(struct pk_scratch *s)
{
	int denied;

	if (!s)
		return -EPERM;
	if (!s->rq.port && !s->rq.reason)
		return PK_LATER;
	if (pk_judge(s) && s->finding.reason == PK_REASON_DEFAULT && !pk_is_open(&s->finding)) {
		s->rq.access = PK_ACCESS_TCP;
		denied = pk_judge(s);
		s->rq.access = PK_ACCESS_UDP;
		if (!denied)
			return PK_LATER;
		(void)pk_judge(s);
	}
	/* Whoever sends there has to ask. */
	if (pk_is_open(&s->finding))
		return PK_LATER;
	return pk_conclude_found(s);
}

__noinline int pk_report_as(struct pk_scratch *s, const struct pk_flow *flow)
{
	struct pk_result result;
	int error;

	if (!s || !flow)
		return -EPERM;
	result = pk_found(&s->finding);
	s->rq.error = result.verdict == PK_VERDICT_ALLOW ? 0 : EPERM;
	error = pk_event_verdict(s, &result, s->finding.audit);
	pk_count(s->rq.agent, pk_count_of(result.verdict));
	pk_event_request(s, true);
	(void)pk_find_host(s);
	pk_event_host(s);
	pk_event_flow(&s->event, flow);
	pk_event_send(s, true);
	return error;
}
