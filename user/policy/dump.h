/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disassembly of an image: what `picket show` prints, and the figures behind it. Writes to the
 * stream it is given and nowhere else.
 */
#ifndef PICKET_POLICY_DUMP_H
#define PICKET_POLICY_DUMP_H

#include <stdbool.h>
#include <stdio.h>

#include "policy/image.h"

/** Figures of an image. */
struct dump_figures {
	__u32 states; /* of all automata */
	__u32 transitions; /* that leave a state's default */
	__u32 slots; /* of the part, used or not */
	__u32 classes; /* bytes that paths tell apart */
	__u32 word_classes; /* and commands; 0: no rule looks at them */
	__u32 host_classes; /* and host names; 0: no rule has one */
	__u32 spans;
	__u32 items;
	__u32 rules;
	__u32 sets; /* distinct ones in use, the empty one not counted */
};

/** Count. 0 or -ENOMEM. The image must be validated. */
int dump_count(const struct policy_image *image, struct dump_figures *ret_figures);

/**
 * Write the whole image as text: header, defaults, network, switches, programs, rules, addresses, and with
 * @states every state and transition of the automata. Returns 0, -ENOMEM, or -EIO when the stream failed.
 */
int dump_image(const struct policy_image *image, bool states, FILE *to);

#endif
