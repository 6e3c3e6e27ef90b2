/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path glob that is a policy's text or a part of it: its faults get a place and advice, its
 * symbolic links are followed. Patterns of files, programs of exec and the lists of `by` are such.
 */
#ifndef PICKET_POLICY_PATH_GLOB_H
#define PICKET_POLICY_PATH_GLOB_H

#include "policy/front.h"
#include "policy/vars.h"

/** A glob and where it comes from. */
struct path_glob {
	const struct node *text; /* the node it is written in */
	const struct expansion *expansion; /* of that node */
	const char *glob; /* NUL-terminated */
	size_t added; /* bytes of the glob in front that are not written ("**" and a slash) */
	size_t at; /* where what follows them begins in the expansion */
};

/** True when it is a valid glob of a path; else reported. */
bool path_glob_check(struct front *front, const struct path_glob *path);

/**
 * Follow its links. A rule that denies gets the glob with links followed in *@ret_also (malloc'ed,
 * NULL when that is the same); for one that allows the links are warned about. Returns 0, -EINVAL
 * (reported), or -ENOMEM.
 */
int path_glob_links(struct front *front, const struct path_glob *path, enum pk_verdict verdict,
		    char **ret_also);

/**
 * Report a fault of @path: @why, at byte @at of the glob. Returns the finding as of diag_add().
 */
struct diag *path_glob_report(struct front *front, const struct path_glob *path, size_t at,
			      const char *why);

#endif
