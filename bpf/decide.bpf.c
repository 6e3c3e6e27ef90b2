/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The verdict, but for addresses and sockets (network.bpf.c) and command lines (command.bpf.c). Every
 * hook ends in one of these; no other file decides. What each failure means:
 *
 *   no image, broken image          deny, PK_REASON_IMAGE
 *   the hook could not build a key  deny with the hook's reason, if the policy has the section
 *   no layer has the section        allow
 *   ring buffer full                verdict unchanged, loss counted
 *   image in audit mode             reported as decided, the call goes on
 */
#include "picket.bpf.h"

#include "image.bpf.h"
#include "report.bpf.h"

#include "ask.bpf.h"
#include "decide.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * The rule sets of the request's key, a path. The states between its directory and its last name are
 * kept when the walk noted that directory.
 */
static __always_inline int pk_key_sets(const struct pk_view *v, const struct pk_image *head,
				       struct pk_scratch *s, struct pk_sets *ret_sets)
{
	struct pk_states states = pk_path_start(head);
	__u32 second = s->rq.flags & PK_REQUEST_SECOND ? 1 : 0;
	__u32 length = s->rq.length[second], leaf = s->components[0].length;

	if (second || !s->dir.inode || leaf >= length)
		leaf = 0;
	length -= leaf;
	/* One address for both paths: verifiers would go over each. */
	if (pk_path_run(v, head, s->data + second * PK_PATH_MAX, length, &states))
		return 1;
	if (leaf) {
		s->dir.image = pk_image_name(head);
		s->dir.states[0] = states.at[0];
		s->dir.states[1] = states.at[1];
		s->walked = 1;
		if (pk_path_run(v, head, s->data + (length & (PK_PATH_MAX - 1)), leaf, &states))
			return 1;
	}
	s->ends[second].image = pk_image_name(head);
	s->ends[second].states[0] = states.at[0];
	s->ends[second].states[1] = states.at[1];
	return pk_path_sets(v, &states, ret_sets);
}

/* A switch of the process section, or what is refused to every agent (rq.reason is set). */
static __always_inline struct pk_result pk_judge_guard(const struct pk_image *head,
						       const struct pk_scratch *s)
{
	struct pk_result allow = { PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	struct pk_result deny = { PK_VERDICT_DENY, s->rq.reason, PK_RULE_NONE };
	__u32 guard = s->rq.access;

	if (deny.reason)
		return deny;
	if (guard >= PK_GUARD__MAX || !((head->guards.deny | head->guards.ask) & (1U << guard)))
		return allow;
	/* Of a program without a name people are told that, and not which switch it is. */
	deny.reason = guard == PK_GUARD_MEMFD_EXEC ? PK_REASON_NAMELESS : PK_REASON_GUARD;
	deny.rule = head->guards.rule[guard];
	if (head->guards.ask & (1U << guard))
		deny.verdict = PK_VERDICT_ASK;
	return deny;
}

static __always_inline __u32 pk_judge_flags(__u32 request)
{
	return request & PK_REQUEST_RULES ? PK_JUDGE_RULES_ONLY : 0;
}

/* What needs no key: 1 when @ret_result has the verdict, 0 when it depends on the request's key. */
static __always_inline int pk_judge_unkeyed(const struct pk_image *head, const struct pk_scratch *s,
					    struct pk_result *ret_result)
{
	__u32 section = s->rq.section;

	if (section >= PK_SECTION__MAX)
		return 1;
	if (section == PK_SECTION_PROCESS) {
		*ret_result = pk_judge_guard(head, s);
		return 1;
	}
	if (!(s->rq.flags & PK_REQUEST_ALWAYS) && !head->defaults[section].present) {
		ret_result->verdict = PK_VERDICT_ALLOW;
		ret_result->reason = PK_REASON_UNJUDGED;
		return 1;
	}
	return s->rq.reason != 0;
}

static __always_inline void pk_judge_keyed(const struct pk_view *v, const struct pk_image *head,
					   struct pk_scratch *s, struct pk_result *ret_result)
{
	struct pk_query query = {
		.section = s->rq.section,
		.access = s->rq.access,
		.subjects = s->rq.subjects,
		.flags = pk_judge_flags(s->rq.flags),
	};
	struct pk_sets sets = {};

	if (!pk_key_sets(v, head, s, &sets))
		*ret_result = pk_judge_sets(v, head, &sets, &query);
}

/* Is the file at s->dentry the agent's own feed of denials, opened for reading? */
static __always_inline bool pk_is_feed(const struct pk_scratch *s)
{
	const struct dentry *dentry = (const struct dentry *)s->dentry;
	struct pk_inode_key key = {};
	const __u32 *value;

	if (s->rq.section != PK_SECTION_FILES || s->rq.access != PK_ACCESS_READ ||
	    s->rq.op != PK_OP_OPEN)
		return false;
	key.device = BPF_CORE_READ(dentry, d_sb, s_dev);
	key.number = BPF_CORE_READ(dentry, d_inode, i_ino);
	value = bpf_map_lookup_elem(&pk_own, &key);
	return value && *value == (PK_OWN_FEED | s->rq.agent);
}

/*
 * The judgement: 0 when the call may go on, 1 when s->finding says otherwise, or an errno. Without
 * @keyed a request that its key decides is denied.
 */
static __always_inline int pk_decide_by(struct pk_scratch *s, bool keyed)
{
	struct pk_result result = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE };
	struct pk_view view;
	const struct pk_image *head;
	__u32 agent = s->rq.agent, zero = 0;

	if (s->rq.reason)
		result.reason = s->rq.reason;
	s->finding.audit = 0;
	view.map = bpf_map_lookup_elem(&pk_images, &agent);
	head = view.map ? bpf_map_lookup_elem(view.map, &zero) : 0;
	if (head) {
		if (!pk_judge_unkeyed(head, s, &result) && keyed)
			pk_judge_keyed(&view, head, s, &result);
		if (result.verdict == PK_VERDICT_ALLOW) {
			pk_report_allowed(s, &result, head);
			return 0;
		}
		s->finding.audit = head->flags & PK_IMAGE_AUDIT;
		s->finding.image = pk_image_name(head);
	} else if (agent == PK_AGENTS_MAX && pk_ask_is_waiting()) {
		return pk_ask_again(s);
	}
	s->finding.verdict = result.verdict;
	s->finding.reason = result.reason;
	s->finding.rule = result.rule;
	return 1;
}

/* What becomes of a request that is not allowed, by s->finding. */
static __always_inline int pk_decide_found(struct pk_scratch *s)
{
	struct pk_result result;

	if (s->finding.verdict == PK_VERDICT_ASK)
		return pk_ask(s);
	result.verdict = s->finding.verdict;
	result.reason = s->finding.reason;
	result.rule = s->finding.rule;
	return pk_conclude(s, &result, s->finding.audit);
}

/** The judgement of pk_decide(): a function of its own, so that what follows has its stack. */
__noinline int pk_decide_image(struct pk_scratch *s)
{
	return s ? pk_decide_by(s, true) : -EACCES;
}

__noinline int pk_decide(struct pk_scratch *s)
{
	int open;

	if (!s)
		return -EACCES;
	open = pk_decide_image(s);
	if (open <= 0)
		return open;
	return pk_is_feed(s) ? 0 : pk_decide_found(s);
}

__noinline int pk_decide_unkeyed(struct pk_scratch *s)
{
	int open;

	if (!s)
		return -EACCES;
	open = pk_decide_by(s, false);
	return open <= 0 ? open : pk_decide_found(s);
}

/* Is what is known of the directory of this image? Then the sets of the whole path follow. */
static __always_inline int pk_leaf_sets(const struct pk_view *v, const struct pk_image *head,
					struct pk_scratch *s, struct pk_sets *ret_sets)
{
	struct pk_states states = { { s->known.states[0], s->known.states[1] } };
	__u64 image = pk_image_name(head);
	__u32 length = s->components[0].length;

	if (s->known.image != image && !(pk_cache_flaw & PK_FLAW_IMAGE))
		return 1;
	s->known.image = image;
	if (length > PK_NAME_MAX)
		return 1;
	if (bpf_probe_read_kernel(s->data, length, (const void *)s->components[0].name))
		return 1;
	if (pk_path_run(v, head, s->data, length, &states) || pk_path_sets(v, &states, ret_sets))
		return 1;
	s->named = 1;
	return 0;
}

__noinline int pk_decide_leaf(struct pk_scratch *s)
{
	const struct pk_image *head;
	struct pk_query query = {};
	struct pk_sets sets = {};
	struct pk_view view;
	__u32 agent, zero = 0;

	if (!s)
		return 0;
	agent = s->rq.agent;
	view.map = bpf_map_lookup_elem(&pk_images, &agent);
	if (!view.map)
		return 0;
	head = bpf_map_lookup_elem(view.map, &zero);
	if (!head)
		return 0;
	if (head->defaults[PK_SECTION_FILES].present) {
		if (!s->known.inode)
			return 0;
		if (pk_leaf_sets(&view, head, s, &sets)) {
			s->known.inode = 0;
			return 0;
		}
		query.section = PK_SECTION_FILES;
		query.access = s->rq.access;
		query.subjects = s->rq.subjects;
		query.flags = pk_judge_flags(s->rq.flags);
		if (pk_judge_sets(&view, head, &sets, &query).verdict != PK_VERDICT_ALLOW)
			return 0;
	} else {
		/* All is allowed but what is picket's own, and in a directory that is known there is none of it. */
		if (!s->dir.inode)
			return 0;
		s->dir.image = pk_image_name(head);
		s->dir.states[0] = s->dir.states[1] = 0;
		s->walked = 1;
		if (!s->known.inode || s->known.image != s->dir.image) {
			s->known.inode = 0;
			return 0;
		}
	}
	return !pk_is_reported(s, head);
}
