/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The acts of the canary: what is tried, what an enforcing kernel answers. The same list runs once
 * outside (control) and once inside, each with files of its own.
 */
#ifndef PICKET_ENGINE_CANARY_ACTS_H
#define PICKET_ENGINE_CANARY_ACTS_H

#include <stdbool.h>
#include <stddef.h>

#include <picket/abi.h>

/** The two runs of the list. */
enum canary_side { CANARY_CONTROL, CANARY_INSIDE, CANARY_SIDES };

/** Sockets that the acts talk to. */
enum canary_peer {
	CANARY_TCP4,
	CANARY_TCP6,
	CANARY_UDP4,
	CANARY_UDP6,
	CANARY_UNIX_STREAM,
	CANARY_UNIX_DGRAM,
	CANARY_ABSTRACT, /* stream, by an abstract name */
	CANARY_PEERS
};

/** What was set up for the acts. canary_stage_reset() closes. */
struct canary_stage {
	const char *dir; /* scratch directory; borrowed */
	int file[CANARY_SIDES]; /* an ordinary file, open for reading and writing */
	int peers[CANARY_PEERS]; /* listening or bound; -1: this host has no such family */
	__u16 ports[CANARY_PEERS]; /* of inet peers, network order */
	int mount; /* a new tmpfs that is mounted nowhere */
};

/** One act. */
struct canary_act {
	const char *name; /* "open", "connect by TCP over IPv4": after "to" or in quotes */
	enum pk_tier tier; /* the weakest tier that judges it */
	bool packets; /* only where the program that looks at packets is loaded */
	int expected; /* positive errno that a denied act gets */
	int (*try)(const struct canary_stage *stage, enum canary_side side); /* 0 or -errno */
};

/** All acts, in order; some rely on what earlier ones of the same side did. */
extern const struct canary_act canary_acts[];
/** How many there are; also the size of a list of results. */
#define CANARY_ACTS 41

/** The address of the canary's resolver: of this host, and nobody's. */
#define CANARY_RESOLVER 0x7f706b01U

/** Acts on the network, in canary_net.c: a question to the resolver, */
int canary_act_question(const struct canary_stage *stage, enum canary_side side);
/** taking a port, */
int canary_act_bind(const struct canary_stage *stage, enum canary_side side);
/** listening at one that the kernel chooses, */
int canary_act_listen(const struct canary_stage *stage, enum canary_side side);
/** and changing the network. */
int canary_act_netlink(const struct canary_stage *stage, enum canary_side side);

/** Make the files and sockets in @dir. Returns 0 (caller resets) or -errno. */
int canary_stage_make(const char *dir, struct canary_stage *ret_stage);

/**
 * What only the acting process can do, before it is confined: a mount namespace of its own, so that a
 * mount which succeeds goes with the process. Returns 0 or -errno.
 */
int canary_stage_enter(struct canary_stage *stage);

/** The name of the stage's abstract socket, NUL-terminated. */
void canary_stage_abstract(const struct canary_stage *stage, char name[static 64]);

/** The capability that the canary's policy refuses; no act but its own needs it. */
#define CANARY_CAPABILITY 6 /* CAP_SETGID */

/** Close everything; the files stay with the scratch directory. */
void canary_stage_reset(struct canary_stage *stage);

#endif
