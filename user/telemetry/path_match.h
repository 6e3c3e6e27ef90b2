/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One path glob of the policy language (policy/glob.h) asked about paths one by one, by following the
 * automaton that policies are compiled from. For filters: no rules, no image.
 */
#ifndef PICKET_TELEMETRY_PATH_MATCH_H
#define PICKET_TELEMETRY_PATH_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/glob.h"

/** A glob ready to be asked. */
struct path_match;

/**
 * Read the glob @text. On success stores it (caller frees with path_match_free()) and returns 0; -EINVAL fills
 * *@reterr; -ENOMEM; -E2BIG for one of more alternatives than are taken.
 */
int path_match_new(const char *text, struct path_match **ret_match, struct glob_error *reterr);

/** Does the path of @length bytes at @bytes match? */
bool path_match_test(struct path_match *match, const char *bytes, size_t length);

/** Free *@match; accepts NULL; resets. */
void path_match_free(struct path_match **match);

#endif
