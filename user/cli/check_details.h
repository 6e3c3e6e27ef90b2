/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a good policy came out as, for `picket check`.
 */
#ifndef PICKET_CLI_CHECK_DETAILS_H
#define PICKET_CLI_CHECK_DETAILS_H

#include <jansson.h>

#include "policy/policy_args.h"

/** Print what --verbose adds: rules by section, groups, the network. */
void check_details(const struct cli_policy *policy);

/** Print the hosts that @registries stands for here, each with where it was found. */
void check_registries(const struct policy *policy);

/** The same as a list of objects; a new reference. */
json_t *check_registries_json(const struct policy *policy);

#endif
