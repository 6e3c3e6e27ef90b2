/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of the language: decimal, without leading zeros, with their unit. What cannot be meant is
 * refused, not rounded.
 */
#ifndef PICKET_POLICY_NUMBERS_H
#define PICKET_POLICY_NUMBERS_H

#include "policy/yaml.h"

/** The number before @unit, 1 to @max; 0 when the text is not one. */
unsigned int numbers_before(const struct node *value, const char *unit, unsigned int max);

/** The seconds of "90s", "5m", "2h", 1 to @max; 0 when the text is not such a time. */
unsigned int numbers_seconds(const struct node *value, unsigned int max);

#endif
