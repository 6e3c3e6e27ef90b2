/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs of automata: read from the images, state by state as they are reached, and made small.
 */
#include "author/diff_pair.h"

#include <errno.h>

#include "base/mem.h"

/* Bytes by how gladly people read them in an example. */
static const char liked[] =
	"xabcdefghijklmnopqrstuvwyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ+=@,:%~";

static bool same_class(const struct diff_machine *machines, size_t count, __u8 a, __u8 b)
{
	for (size_t i = 0; i < count; i++)
		if (machines[i].start && machines[i].class_of[a] != machines[i].class_of[b])
			return false;
	return true;
}

static void add_byte(struct diff_bytes *bytes, const struct diff_machine *machines, size_t count,
		     const struct diff_syntax *syntax, __u8 byte)
{
	__u8 kind = syntax->kind(byte);
	__u32 class = 0;

	if (kind == DIFF_NOWHERE)
		return;
	while (class < bytes->count && (bytes->kind[class] != kind ||
					!same_class(machines, count, bytes->sample[class], byte)))
		class ++;
	if (class == bytes->count) {
		bytes->sample[class] = byte;
		bytes->kind[class] = kind;
		bytes->count++;
	}
	bytes->class_of[byte] = (__u8) class;
}

void diff_bytes_make(struct diff_bytes *bytes, const struct diff_machine *machines, size_t count,
		     const struct diff_syntax *syntax)
{
	__u32 members[256] = { 0 };

	*bytes = (struct diff_bytes){ 0 };
	for (size_t i = 0; liked[i]; i++)
		add_byte(bytes, machines, count, syntax, (__u8)liked[i]);
	for (int pass = 0; pass < 2; pass++)
		for (int byte = 0; byte < 256; byte++)
			if ((byte > ' ' && byte < 0x7f) == (pass == 0))
				add_byte(bytes, machines, count, syntax, (__u8)byte);
	for (int byte = 0; byte < 256; byte++) {
		__u32 class = bytes->class_of[byte];

		if (syntax->kind((__u8)byte) != DIFF_NOWHERE &&
		    ++members[class] > members[bytes->other])
			bytes->other = class;
	}
}

/* Pairs while they are found. */
struct finding {
	const struct diff_machine *machines;
	const struct diff_bytes *bytes;
	struct diff_labels *labels;
	struct automaton *pair;
	struct words known; /* pairs of states; the run's number is the state of the pair */
	struct pk_view views[DIFF_SIDES];
};

static void reset_finding(struct finding *f)
{
	words_reset(&f->known);
}

/* The set of a state; the image is validated, so that there is one. */
static __u32 set_of(const struct finding *f, size_t side, __u32 state)
{
	__u32 set = 0;

	if (f->machines[side].start)
		(void)pk_state_set(&f->views[side], state, &set);
	return set;
}

static __u32 next_of(const struct finding *f, size_t side, __u32 state, __u8 byte)
{
	if (f->machines[side].start)
		(void)pk_step(&f->views[side], f->machines[side].class_of[byte], &state);
	return state;
}

static int number_pair(struct finding *f, __u32 before, __u32 after, __u32 *ret_number)
{
	int r = words_push(&f->known, before);

	if (!r)
		r = words_push(&f->known, after);
	if (!r)
		r = words_close(&f->known, ret_number);
	return !r && *ret_number >= DIFF_STATES_MAX ? -E2BIG : r;
}

static int expand(struct finding *f, __u32 number)
{
	const __u32 *at = &f->known.items[f->known.runs[number].start];
	const __u32 states[DIFF_SIDES] = { at[0], at[1] };
	struct automaton *pair = f->pair;
	struct automaton_state row = { .edges = (__u32)pair->edge_count };
	int r = diff_label_of(f->labels, set_of(f, 0, states[0]), set_of(f, 1, states[1]),
			      &row.set);

	for (__u32 i = 0; i <= f->bytes->count && !r; i++) {
		/* The row's default first. */
		__u32 class = i ? i - 1 : f->bytes->other;
		__u8 byte = f->bytes->sample[class];
		__u32 target;

		r = number_pair(f, next_of(f, 0, states[0], byte), next_of(f, 1, states[1], byte),
				&target);
		if (!i)
			row.other = target;
		if (r || target == row.other)
			continue;
		r = grow(&pair->edges, &pair->edge_room, pair->edge_count + 1,
			 sizeof(*pair->edges));
		if (!r)
			pair->edges[pair->edge_count++] = (struct automaton_edge){ class, target };
	}
	row.edge_count = (__u32)pair->edge_count - row.edges;
	if (!r)
		r = grow(&pair->states, &pair->state_room, pair->state_count + 1,
			 sizeof(*pair->states));
	if (!r)
		pair->states[pair->state_count++] = row;
	return r;
}

int diff_pair_build(const struct diff_machine machines[DIFF_SIDES], const struct diff_bytes *bytes,
		    struct diff_labels *labels, struct automaton *ret_pair)
{
	CLEAN(automaton_reset) struct automaton pair = { .classes = bytes->count };
	CLEAN(reset_finding)
	struct finding f = { .machines = machines, .bytes = bytes, .labels = labels, .pair = &pair };
	int r;

	for (size_t i = 0; i < DIFF_SIDES; i++)
		f.views[i] = image_view(machines[i].image);
	r = number_pair(&f, machines[0].start, machines[1].start, &pair.start);
	for (__u32 i = 0; i < f.known.run_count && !r; i++)
		r = expand(&f, i);
	/* Minimising wants an array, however few edges there are. */
	if (!r)
		r = grow(&pair.edges, &pair.edge_room, 1, sizeof(*pair.edges));
	if (r)
		return r;
	*ret_pair = pair;
	pair = (struct automaton){ 0 };
	return 0;
}

int diff_pair_minimise(const struct automaton *pair, const struct diff_labels *labels, bool changes,
		       struct automaton *ret_small)
{
	CLEAN(automaton_reset) struct automaton small = *pair;
	size_t states = pair->state_count * sizeof(*pair->states);
	size_t edges = (pair->edge_count + 1) * sizeof(*pair->edges);
	int r;

	small.states = malloc(states);
	small.edges = malloc(edges);
	if (!small.states || !small.edges)
		return -ENOMEM;
	memcpy(small.states, pair->states, states);
	memcpy(small.edges, pair->edges, pair->edge_count * sizeof(*pair->edges));
	for (size_t i = 0; i < small.state_count && changes; i++)
		if (labels->labels[small.states[i].set].same)
			small.states[i].set = DIFF_SAME;
	r = automaton_minimise(&small);
	if (r)
		return r;
	*ret_small = small;
	small = (struct automaton){ 0 };
	return 0;
}

bool diff_pair_differs(const struct automaton *pair, const struct diff_labels *labels)
{
	for (size_t i = 0; i < pair->state_count; i++)
		if (!labels->labels[pair->states[i].set].same)
			return true;
	return false;
}
