/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Moving must not give what the agent could not do before: the relation behind rename and link.
 *
 *   file, rename   rights at the new name within those at the old one; or the file is readable at
 *                  the old name (the agent may write at the new one, so it could copy), unless it
 *                  is set-id, which a copy would not be
 *   link, special  rights at the new name within those at the old one; exchange: the same rights
 *   directory      the same, and each automaton is in one state after both names and a '/': every
 *                  path below has the very same rules
 *
 * Rules that name arguments are in the command automaton only: a program has the same rights to its
 * commands when that is in one state after both names.
 */
#include "picket.bpf.h"

#include "image.bpf.h"

#include "decide.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The right to run, beside the nibble of the files section. */
#define PK_RIGHT_RUN 16U
/* Other rules for its command lines. */
#define PK_RIGHT_COMMAND 32U

static __always_inline bool pk_right(const struct pk_view *v, const struct pk_image *head,
				     const struct pk_sets *sets, const struct pk_query *query)
{
	return pk_judge_sets(v, head, sets, query).verdict == PK_VERDICT_ALLOW;
}

struct pk_rights {
	const struct pk_view *view;
	const struct pk_image *head;
	struct pk_sets sets;
	struct pk_states below; /* behind the path and a '/' */
	__u32 subjects; /* in: the program that asks */
	__u32 behind; /* in: the byte that follows the path in a command: '/' or NUL */
	__u32 command; /* state of the command automaton behind it */
	__u32 rights;
};

static long pk_rights_step(__u32 bit, void *arg)
{
	struct pk_rights *r = arg;
	struct pk_query query = {
		.section = bit == 4 ? PK_SECTION_EXEC : PK_SECTION_FILES,
		.access = bit == 4 ? PK_ACCESS_RUN : 1U << (bit & 3),
		.subjects = r->subjects,
	};

	if (pk_right(r->view, r->head, &r->sets, &query))
		r->rights |= 1U << (bit & 7);
	return 0;
}

/* Rights at a path by its rules. */
static __always_inline void pk_rights_judge(struct pk_rights *r)
{
	bpf_loop(5, pk_rights_step, r, 0);
}

/* The rules of a path, and the states behind it. 1 = broken image. */
static __always_inline int pk_rights_at(const struct pk_view *v, const struct pk_image *head,
					const struct pk_end *end, const __u8 *path, __u32 length,
					struct pk_rights *r)
{
	struct pk_walk slash = { .view = v, .classes = head->path_class };

	r->view = v;
	r->head = head;
	r->rights = 0;
	r->below.at[0] = end->states[0];
	r->below.at[1] = end->states[1];
	if (end->image != pk_image_name(head)) {
		r->below = pk_path_start(head);
		if (pk_path_run(v, head, path, length, &r->below))
			return 1;
	}
	if (pk_path_sets(v, &r->below, &r->sets))
		return 1;
	slash.states = r->below;
	if (pk_walk_byte(&slash, '/'))
		return 1;
	r->below = slash.states;
	r->command = head->argv_start;
	if (!head->argv_start)
		return 0;
	return pk_argv_run(v, head, path, length, &r->command) ||
	       pk_step(v, head->argv_class[r->behind & 0xff], &r->command);
}

__noinline int pk_widens(struct pk_scratch *s, __u32 mode, __u32 move)
{
	struct pk_rights from = {}, to = {};
	const struct pk_image *head;
	struct pk_view view;
	__u32 agent, zero = 0, gained, type = mode & S_IFMT;

	if (!s)
		return 1;
	agent = s->rq.agent;
	from.subjects = to.subjects = s->rq.subjects;
	from.behind = to.behind = type == S_IFDIR ? '/' : 0;
	view.map = bpf_map_lookup_elem(&pk_images, &agent);
	if (!view.map)
		return 1;
	head = bpf_map_lookup_elem(view.map, &zero);
	if (!head)
		return 1;
	if (!head->defaults[PK_SECTION_FILES].present && !head->defaults[PK_SECTION_EXEC].present)
		return 0;
	if (pk_rights_at(&view, head, &s->ends[0], s->data, s->rq.length[0], &from) ||
	    pk_rights_at(&view, head, &s->ends[1], s->data + PK_PATH_MAX, s->rq.length[1], &to))
		return 1;
	/* The same rules give the same rights. */
	if (from.sets.id[0] != to.sets.id[0] || from.sets.id[1] != to.sets.id[1] ||
	    from.command != to.command) {
		pk_rights_judge(&from);
		pk_rights_judge(&to);
	}
	gained = to.rights & ~from.rights;
	if (move == PK_MOVE_EXCHANGE)
		gained |= from.rights & ~to.rights;
	if (from.command != to.command)
		gained |= PK_RIGHT_COMMAND;
	if (type == S_IFDIR)
		return gained || from.below.at[0] != to.below.at[0] ||
		       from.below.at[1] != to.below.at[1];
	if (!gained)
		return 0;
	if (move != PK_MOVE_RENAME || type != S_IFREG || !(from.rights & PK_ACCESS_READ))
		return 1;
	return (mode & (S_ISUID | S_ISGID)) &&
	       (gained & (PK_ACCESS_EXEC | PK_RIGHT_RUN | PK_RIGHT_COMMAND));
}
