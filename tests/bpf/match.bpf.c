/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The matcher as the kernel runs it, callable by BPF_PROG_TEST_RUN: LSM programs cannot be test-run,
 * so the pure half of a decision is asked here, over a real image map, through the real verifier
 * and JIT.
 */
#include "picket.bpf.h"

#include "image.bpf.h"

#include "match.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct match_io);
} match_io SEC(".maps");

/* A command in two parts, as a hook that reads memory piece by piece has it. */
static __always_inline int ask_command(struct match_io *io, const struct pk_view *view,
				       const struct pk_image *head, struct pk_sets *ret_sets)
{
	__u32 state = head->argv_start;
	__u32 cut = io->cut & (PK_PATH_MAX - 1);
	__u32 rest = io->length - cut;

	if (!state || io->length < cut || rest > PK_PATH_MAX)
		return 1;
	return pk_argv_run(view, head, io->key, cut, &state) ||
	       pk_argv_run(view, head, io->key + cut, rest, &state) ||
	       pk_argv_sets(view, state, ret_sets);
}

static __always_inline int ask(struct match_io *io)
{
	struct pk_query query = {
		.section = io->section &
			   7, /* a bound that outlives the compiler's choice of registers */
		.access = io->access,
		.port = io->port,
		.subjects = io->subjects,
	};
	struct pk_address address = { io->address_hi, io->address_lo };
	const struct pk_image *head;
	struct pk_result result;
	struct pk_view view;
	struct pk_states states;
	struct pk_sets sets = {};
	__u32 slot = io->slot, zero = 0;
	int broken;

	view.map = bpf_map_lookup_elem(&pk_images, &slot);
	if (!view.map)
		return 1;
	head = bpf_map_lookup_elem(view.map, &zero);
	if (!head)
		return 1;
	if (io->section == PK_SECTION_EXEC && io->access == PK_ACCESS_COMMAND) {
		broken = ask_command(io, &view, head, &sets);
	} else if (io->section == PK_SECTION_EGRESS) {
		broken = pk_address_sets(&view, head, address, &sets);
	} else {
		states = pk_path_start(head);
		broken = pk_path_run(&view, head, io->key, io->length, &states) ||
			 pk_path_sets(&view, &states, &sets);
	}
	if (broken)
		return 1;
	if (io->section == PK_SECTION_SUBJECT) {
		io->rule = pk_subjects(&view, head, &sets);
		return 0;
	}
	result = pk_judge_sets(&view, head, &sets, &query);
	io->verdict = result.verdict;
	io->reason = result.reason;
	io->rule = result.rule;
	return 0;
}

__noinline int match_ask(struct match_io *io)
{
	return io ? ask(io) : 1;
}

static long again(__u32 index, void *arg)
{
	struct match_io **io = arg;

	(void)match_ask(*io);
	return 0;
}

SEC("syscall")
int match_one(void *ctx)
{
	__u32 zero = 0;
	struct match_io *io = bpf_map_lookup_elem(&match_io, &zero);

	if (!io)
		return 1;
	io->broken = match_ask(io);
	return 0;
}

SEC("syscall")
int match_many(void *ctx)
{
	__u32 zero = 0;
	struct match_io *io = bpf_map_lookup_elem(&match_io, &zero);

	if (!io)
		return 1;
	bpf_loop(io->repeat, again, &io, 0);
	return 0;
}
