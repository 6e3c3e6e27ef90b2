/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to say below the line about a denial: the rule behind it, its reason, and what would allow it.
 */
#ifndef PICKET_CLI_DENIAL_H
#define PICKET_CLI_DENIAL_H

#include <jansson.h>
#include <stdio.h>

/** Write that about @denial, an event with the `suggest` of a feed (daemon/feed.h), as indented lines. */
void denial_explain(const json_t *denial, FILE *to);

/** The same of the rule alone: what would allow it is not known. */
void denial_explain_rule(const json_t *denial, FILE *to);

#endif
