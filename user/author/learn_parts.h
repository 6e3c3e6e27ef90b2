/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of `learn` share. Not for others.
 */
#ifndef PICKET_AUTHOR_LEARN_PARTS_H
#define PICKET_AUTHOR_LEARN_PARTS_H

#include "author/learn.h"
#include "author/learn_paths.h"

/** Policies that are asked what an act is. */
enum learn_judge {
	LEARN_SECRETS, /* denies what is never learned */
	LEARN_BASE, /* allows what presets/linux-base does */
	LEARN_TOOLS, /* and presets/dev-tools */
	LEARN_LOCAL, /* allows this host's own addresses */
	LEARN_INSIDE, /* and private networks */
	LEARN_JUDGES
};

/** Learning from one recording. */
struct learn {
	const struct recording *recording;
	const char *name;
	struct policy_context context; /* with HOME and CWD of the recording */
	struct policy_variable builtins[3];
	struct policy_image judges[LEARN_JUDGES];
	struct learn_paths *paths;
	struct learn_rules rules;
	bool base, tools; /* presets that are included */
	bool sections[PK_SECTION__MAX]; /* that the policy has */
	__u32 guards; /* bits of switches that allow */
	__u64 capabilities; /* bits of those that are allowed */
	__u32 sockets; /* bits of kinds besides the usual ones */
	bool *left; /* for each act: it is not allowed */
	struct learn_result *result;
};

/** Leave @act out. 0 or -ENOMEM. */
int learn_leave(struct learn *learn, const struct observation *act, const char *why);

/** True when @judge allows @act. */
bool learn_allows(const struct learn *learn, enum learn_judge judge, const struct observation *act);

/** Take acts of egress, listen, sockets and unix. 0 or -ENOMEM. */
int learn_network(struct learn *learn, const struct observation *act);

/** Take acts of listen. 0 or -ENOMEM. */
int learn_listener(struct learn *learn, const struct observation *act);

/** Say in the rules of listen who may connect; after all acts were taken. 0 or -ENOMEM. */
int learn_peers(struct learn *learn);

/** Where the kernel begins to choose ports by itself. */
#define LEARN_PORT_CHOSEN 32768

/** The port of @act as rules have it, or a range of what the kernel chose; malloc'ed, NULL: no memory. */
char *learn_port_text(const struct observation *act, bool local);

/** A pattern for @address with @port; malloc'ed, NULL: no memory. */
char *learn_address_pattern(const __u8 address[16], const char *port);

/** The same for this host's own addresses. */
char *learn_local_pattern(const char *port);

/** Take all acts of starting programs. 0 or -ENOMEM. */
int learn_commands(struct learn *learn);

/** Take acts of files, of programs too; after learn_files_made(). 0 or -ENOMEM. */
int learn_files(struct learn *learn, const struct observation *act);

/** Note what the act made. 0 or -ENOMEM. */
int learn_files_made(struct learn *learn, const struct observation *act);

/** Find which presets cover enough. */
void learn_presets(struct learn *learn);

/** Write the policy; malloc'ed, NULL: no memory. */
char *learn_text(const struct learn *learn);

#endif
