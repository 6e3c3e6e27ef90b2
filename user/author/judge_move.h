/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Would a rename or link give rights that the agent has not? The kernel's relation (widen.bpf.c), of what a
 * recording tells: not what kind of file it is, nor whether two names were exchanged.
 */
#ifndef PICKET_AUTHOR_JUDGE_MOVE_H
#define PICKET_AUTHOR_JUDGE_MOVE_H

#include "author/observation.h"
#include "policy/decide.h"

/** What a move does. */
enum judge_move {
	JUDGE_MOVE_KEEPS, /* nothing is gained, whatever it is that moves */
	JUDGE_MOVE_COPIES, /* a regular file may move, what else there is may not */
	JUDGE_MOVE_WIDENS, /* it is refused, whatever it is that moves */
};

/** What the rename or link @act, which has both names, does under @image, by a program with the bits @subjects. */
enum judge_move judge_move(const struct policy_image *image, const struct observation *act,
			   __u32 subjects);

#endif
