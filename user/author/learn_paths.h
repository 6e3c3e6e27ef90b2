/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which paths an agent used, for what, and which of them it made itself; as rules of section files.
 */
#ifndef PICKET_AUTHOR_LEARN_PATHS_H
#define PICKET_AUTHOR_LEARN_PATHS_H

#include "author/learn_rules.h"

struct learn_paths;

/**
 * An empty collection: paths below @cwd and @home (either may be NULL; borrowed) become `${CWD}/...` and
 * `${HOME}/...`. NULL: no memory.
 */
struct learn_paths *learn_paths_new(const char *cwd, const char *home);

/** Note that the agent made @path, @folder: a folder. Before any learn_paths_add(). 0 or -ENOMEM. */
int learn_paths_made(struct learn_paths *paths, const char *path, bool folder);

/** Add a use of the absolute @path for @access (bits of files). 0 or -ENOMEM. */
int learn_paths_add(struct learn_paths *paths, const char *path, __u8 access,
		    const struct seen *seen);

/** Add the rules for all that was added. 0 or -ENOMEM. */
int learn_paths_rules(const struct learn_paths *paths, struct learn_rules *rules);

/** The pattern for @path alone, malloc'ed; *@ret_wild: it has a wildcard. NULL: no memory. */
char *learn_paths_pattern(const struct learn_paths *paths, const char *path, bool *ret_wild);

/** Free *@paths; accepts NULL. */
void learn_paths_free(struct learn_paths **paths);

#endif
