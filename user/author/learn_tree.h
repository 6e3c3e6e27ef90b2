/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths that were seen, as a tree, and the patterns that stand for them. From the leaves to the root:
 *
 *   - A folder that the agent made is its own: FOLDER and all below it, to read and write.
 *   - Of three or more files of one folder that were written, every file of it is written; of three or more that
 *     were read, every file of it is read.
 *   - Of three or more folders in one folder, below which something was written (read), all
 *     below that one is written (read).
 *   - Folders that are everybody's are never opened as a whole: `/`, what is directly below it, `/var/X`,
 *     `/run/X`, `/home/X`, the home folder, and all of `/proc`, `/sys` and `/dev`.
 *   - Programs and libraries that are run stay single files, or every file of a folder of three or more.
 */
#ifndef PICKET_AUTHOR_LEARN_TREE_H
#define PICKET_AUTHOR_LEARN_TREE_H

#include "author/learn_rules.h"

/** Files of one folder that are made one pattern. */
#define LEARN_FOLD 3

/** A folder or file. */
struct learn_node {
	char *name; /* pattern of one component; of a root "", "${CWD}" or "${HOME}" */
	__u8 access;
	bool made; /* a folder, by the agent */
	struct seen seen; /* of itself */
	struct learn_node **children;
	size_t count, room;
};

/** A child of @node of the pattern @name (copied), new if there is none. NULL: no memory. */
struct learn_node *learn_tree_child(struct learn_node *node, const char *name);

/** Add rules of section files for all that is below and at @root. @single: of what is run. 0 or -ENOMEM. */
int learn_tree_rules(const struct learn_node *root, bool single, struct learn_rules *rules);

/** Free all below @root and what it owns. */
void learn_tree_reset(struct learn_node *root);

#endif
