/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two images compared by what they decide and not by what their texts say: a change is an act on which
 * the verdicts differ, with a shortest example of it. All of it is read from the compiled automata and the
 * address table, so that where there is no change the images decide every act alike.
 *
 * Acts: what files, programs, command lines (that say the program's own name as their first word) and
 * abstract sockets are; addresses, host names, and names with an address that was learned for them;
 * questions to resolvers; ways in. Settings are what is no act: switches, sockets, modes, dns and the like.
 */
#ifndef PICKET_AUTHOR_DIFF_H
#define PICKET_AUTHOR_DIFF_H

#include "policy/decide.h"

/** What is done. */
enum diff_act {
	DIFF_OPEN, /* a file */
	DIFF_EXEC, /* start a program */
	DIFF_RUN, /* start it with arguments */
	DIFF_UNIX, /* an abstract socket */
	DIFF_CONNECT, /* an address, a name, or both */
	DIFF_LOOKUP, /* ask a resolver for a name */
	DIFF_LISTEN, /* on a local address */
	DIFF_ACCEPT, /* a peer, on a local port */
	DIFF_ACT__MAX
};

/** An act on which the images differ: the shortest of all that the same two rules decide. */
struct diff_change {
	enum diff_act act;
	__u8 access; /* bits of the act's section; 0 = the act has none */
	struct pk_result before;
	struct pk_result after;
	char *key; /* owned: path, name of the socket, host name; run: the program; NULL: only an address */
	size_t length; /* of it, in bytes */
	char **argv; /* owned, run: all words, ends with NULL */
	bool has_address;
	__u8 address[16]; /* connect, listen, accept */
	bool has_port;
	__u16 port;
	char *by; /* owned: the program that does it; NULL: one that no rule names */
};

/** Which way a setting went. */
enum diff_way { DIFF_OPENS, DIFF_CLOSES, DIFF_OTHER };

/** Something that is set once for the whole policy. */
struct diff_setting {
	char *name; /* owned: "sockets", "process.ptrace", "egress.dns.names" */
	char *before; /* owned texts */
	char *after;
	enum diff_way way;
};

/** All differences; zero-initialise, diff_reset() frees. */
struct diff {
	struct diff_change *changes; /* by act, then as found */
	size_t count, room;
	struct diff_setting *settings;
	size_t setting_count, setting_room;
	bool partial; /* not every pair of rules: of each kind of change there is an example */
	bool incomplete; /* over DIFF_STATES_MAX: there may be more kinds */
};

/** Most states of one walk over both images' automata: bounds time (seconds) and memory (300 MiB). */
#define DIFF_STATES_MAX (4U << 20)

/** What a comparison by pairs of rules may take of these, before it is one by kinds of changes. */
#define DIFF_DETAIL_MAX (512U << 10)

/**
 * Compare two images that passed image_validate(): by each pair of rules that decides differently, unless
 * that takes more than @detail states (DIFF_DETAIL_MAX) for one kind of key. Then, of policies that have
 * little in common, what differs is told by act, access and verdicts: an example of each of these
 * kinds, and of the pairs of rules those that were found on the way. Either way, no change means that the
 * images decide alike. Returns 0; -ENOMEM; -EIO for a change that the matcher does not confirm, which is a
 * fault of this program.
 */
int diff_images(const struct policy_image *before, const struct policy_image *after, size_t detail,
		struct diff *ret_diff);

/** The way of a change: what was stricter before opens. Asking is stricter than allowing. */
enum diff_way diff_way(const struct diff_change *change);

/** Free what @diff owns and make it empty. */
void diff_reset(struct diff *diff);

#endif
