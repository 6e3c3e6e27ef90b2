/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs that rules name (`by`): which bits a program has, and what takes them away.
 */
#ifndef PICKET_SUBJECT_BPF_H
#define PICKET_SUBJECT_BPF_H

#include "maps.bpf.h"

/** The bits of the program with the first path; 0 for one that no rule names. Reports nothing. */
__u32 pk_program_bits(struct pk_scratch *s);

/**
 * May the agent, by any of its programs, write the file with the first path? Also true when that
 * cannot be known. What audit mode would let pass does not count. Reports nothing.
 */
int pk_may_write(struct pk_scratch *s);

#endif
