/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breadth first over places of the syntax and states of the pairs, so that the first key that shows a
 * combination of labels is a shortest one.
 */
#include <errno.h>

#include "author/diff_pair.h"
#include "base/mem.h"

/* How a state was reached first. */
struct step {
	__u32 from;
	__u32 depth; /* bytes of the key */
	__u8 byte;
};

struct walking {
	const struct diff_walk *walk;
	struct words
		known; /* a run: the place, then a state (or a label, where frozen) of each pair */
	struct words shown; /* combinations of labels */
	struct step *steps; /* by the run's number */
	size_t room;
	__u8 key[PK_PATH_MAX];
};

static void reset_walking(struct walking *w)
{
	words_reset(&w->known);
	words_reset(&w->shown);
	free(w->steps);
}

/* A state of the walk. */
struct spot {
	__u32 place;
	__u32 at[DIFF_MACHINES];
};

static struct spot spot_at(const struct walking *w, __u32 number)
{
	const __u32 *words = &w->known.items[w->known.runs[number].start];
	struct spot spot = { .place = words[0] };

	for (size_t i = 0; i < w->walk->count; i++)
		spot.at[i] = words[i + 1];
	return spot;
}

static int number_spot(struct walking *w, const struct spot *spot, const struct step *step)
{
	size_t known = w->known.run_count;
	__u32 number = 0;
	int r = words_push(&w->known, spot->place);

	for (size_t i = 0; i < w->walk->count && !r; i++)
		r = words_push(&w->known, spot->at[i]);
	if (!r)
		r = words_close(&w->known, &number);
	if (r || number < known)
		return r;
	if (number >= w->walk->most)
		return -E2BIG;
	r = grow(&w->steps, &w->room, known + 1, sizeof(*w->steps));
	if (!r)
		w->steps[number] = *step;
	return r;
}

/* Is nothing to be found from here on? A pair that is about changes has no change left. */
static bool is_hopeless(const struct diff_walk *walk, const struct spot *spot)
{
	for (size_t i = 0; i < walk->count; i++) {
		const struct automaton_state *state;

		if (i && walk->syntax->frozen[spot->place]) {
			if (spot->at[i] == DIFF_SAME)
				return true;
			continue;
		}
		state = &walk->pairs[i]->states[spot->at[i]];
		if (state->set == DIFF_SAME && !state->edge_count && state->other == spot->at[i])
			return true;
	}
	return false;
}

static int step_on(struct walking *w, __u32 number, const struct spot *from, __u32 class)
{
	const struct diff_walk *walk = w->walk;
	const struct diff_syntax *syntax = walk->syntax;
	struct spot to = { .place = syntax->next[from->place][walk->bytes->kind[class]] };
	const struct step step = { number, w->steps[number].depth + 1, walk->bytes->sample[class] };
	bool freezes;

	if (to.place == DIFF_NOWHERE)
		return 0;
	freezes = syntax->frozen[to.place] && !syntax->frozen[from->place];
	for (size_t i = 0; i < walk->count; i++) {
		const struct automaton *pair = walk->pairs[i];

		if (!i || !syntax->frozen[to.place])
			to.at[i] = automaton_next(pair, from->at[i], class);
		else
			to.at[i] = freezes ? pair->states[from->at[i]].set : from->at[i];
	}
	return is_hopeless(walk, &to) ? 0 : number_spot(w, &to, &step);
}

static int show(struct walking *w, __u32 number, const struct spot *spot)
{
	const struct diff_walk *walk = w->walk;
	size_t shown = w->shown.run_count;
	__u32 labels[DIFF_MACHINES] = { 0 };
	__u32 depth = w->steps[number].depth;
	__u32 combination = 0;
	int r = 0;

	for (size_t i = 0; i < walk->count && !r; i++) {
		labels[i] = i && walk->syntax->frozen[spot->place] ?
				    spot->at[i] :
				    walk->pairs[i]->states[spot->at[i]].set;
		if (labels[i] == DIFF_SAME)
			return 0;
	}
	r = words_push_all(&w->shown, labels, walk->count);
	if (!r)
		r = words_close(&w->shown, &combination);
	if (r || combination < shown)
		return r;
	for (__u32 at = number, i = depth; i > 0; at = w->steps[at].from)
		w->key[--i] = w->steps[at].byte;
	return walk->visit(walk->context, labels, w->key, depth);
}

int diff_walk(const struct diff_walk *walk)
{
	CLEAN_FREE struct walking *room = calloc(1, sizeof(*room));
	struct spot start = { 0 };
	int r = room ? 0 : -ENOMEM;

	if (r)
		return r;
	room->walk = walk;
	for (size_t i = 0; i < walk->count; i++)
		start.at[i] = walk->pairs[i]->start;
	if (!is_hopeless(walk, &start))
		r = number_spot(room, &start, &(struct step){ 0 });
	for (__u32 i = 0; i < room->known.run_count && !r; i++) {
		const struct spot spot = spot_at(room, i);

		if (walk->syntax->accepts[spot.place])
			r = show(room, i, &spot);
		if (room->steps[i].depth >= walk->syntax->longest)
			continue;
		for (__u32 class = 0; class < walk->bytes->count && !r; class ++)
			r = step_on(room, i, &spot, class);
	}
	reset_walking(room);
	return r;
}
