/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts of every kind that rules and switches can ask about: those whose call can wait, and those whose cannot.
 */
#ifndef PICKET_TESTS_ASK_KINDS_H
#define PICKET_TESTS_ASK_KINDS_H

#include <stdbool.h>
#include <stddef.h>

/** An act, and what becomes of it. */
struct ask_kind {
	const char *name;
	int (*run)(void); /* 0 or an errno; the process may become another program */
	int refused; /* errno */
	int done; /* what it gives when it is approved: 0, or an errno that it has without picket, too */
	bool held; /* waits; else it is refused until it is approved */
	bool mounts; /* asked about only where the policy has no files and programs */
	bool network; /* in every tier */
};

/** All of them. */
extern const struct ask_kind ask_kinds[];
extern const size_t ask_kind_count;

/** The policy that asks about all that is not `mounts`, and the one for those. */
extern const char ask_kinds_policy[];
extern const char ask_kinds_mounts[];

/** What the acts find: listening sockets of somebody else, a program that gives ids. */
void ask_kinds_make(void);
void ask_kinds_clear(void);

/** Mount what is to be unmounted, once. */
void ask_kinds_mount(void);

#endif
