/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Quiet questions about a path: which program is it, and is it the agent's to write. Neither is a
 * verdict: the first says which rules are for the task, the second whether the code it maps can be
 * trusted to be that program.
 */
#include "picket.bpf.h"

#include "image.bpf.h"

#include "subject.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline const struct pk_image *pk_view_open(__u32 agent, struct pk_view *ret_view)
{
	__u32 zero = 0;

	ret_view->map = bpf_map_lookup_elem(&pk_images, &agent);
	if (!ret_view->map)
		return 0;
	return bpf_map_lookup_elem(ret_view->map, &zero);
}

static __always_inline int pk_first_sets(const struct pk_view *v, const struct pk_image *head,
					 struct pk_scratch *s, struct pk_sets *ret_sets)
{
	struct pk_states states = pk_path_start(head);

	return pk_path_run(v, head, s->data, s->rq.length[0], &states) ||
	       pk_path_sets(v, &states, ret_sets);
}

__noinline __u32 pk_program_bits(struct pk_scratch *s)
{
	const struct pk_image *head;
	struct pk_sets sets = {};
	struct pk_view view;

	if (!s || s->rq.reason)
		return 0;
	head = pk_view_open(s->rq.agent, &view);
	if (!head || !head->subjects || pk_first_sets(&view, head, s, &sets))
		return 0;
	return pk_subjects(&view, head, &sets);
}

__noinline int pk_may_write(struct pk_scratch *s)
{
	struct pk_query query = {
		.section = PK_SECTION_FILES,
		.access = PK_ACCESS_WRITE,
		.flags = PK_JUDGE_ANY_SUBJECT,
	};
	const struct pk_image *head;
	struct pk_result result;
	struct pk_sets sets = {};
	struct pk_view view;

	if (!s || s->rq.reason)
		return 1;
	head = pk_view_open(s->rq.agent, &view);
	if (!head || !head->defaults[PK_SECTION_FILES].present)
		return 1;
	if (pk_first_sets(&view, head, s, &sets))
		return 1;
	result = pk_judge_sets(&view, head, &sets, &query);
	return result.verdict == PK_VERDICT_ALLOW;
}
