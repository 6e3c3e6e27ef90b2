/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts that rules ask about, each by its system call.
 */
#ifndef PICKET_TESTS_ASK_ACTS_H
#define PICKET_TESTS_ASK_ACTS_H

#include <stdbool.h>
#include <stddef.h>

/** Where they happen. */
#define ASK_FOLDER "/tmp/picket-ask"

/** An act, and what becomes of it. */
struct ask_act {
	const char *name;
	int (*run)(void); /* 0 or an errno; the process may become another program */
	int refused; /* errno; negative: killed by the signal */
	bool network; /* in every tier */
};

/** All of them. */
extern const struct ask_act ask_acts[];
extern const size_t ask_act_count;

/** Start a program from a child of vfork(). 0 or an errno. */
int ask_act_vfork(void);

#endif
