/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket explain`: the smallest change of the policies that gives the other verdict, and the layers by
 * their names.
 */
#ifndef PICKET_CLI_EXPLAIN_FLIP_H
#define PICKET_CLI_EXPLAIN_FLIP_H

#include <jansson.h>

#include "cli/explain_answer.h"
#include "policy/policy_args.h"

/** The layers of a compiled policy, from the top. Returns how many are in @ret_layers. */
size_t explain_layers(const struct cli_policy *policy,
		      const struct policy *ret_layers[PK_LAYERS_MAX]);

/** A change: rules to take back, lines to add. Zero-initialise; explain_change_reset() frees. */
struct explain_change {
	bool allows; /* what is denied or asked about is allowed then; else the other way round */
	bool impossible; /* no line of a policy does it */
	json_t *take_back; /* rules, as json_out_rule() has them */
	json_t *add; /* {file, section, line} */
};

/** Find the change for a filled @answer about @policy. Returns 0, -ENOMEM, or an error of judging. */
int explain_change_find(const struct explain_answer *answer, const struct cli_policy *policy,
			struct explain_change *ret_change);

/** Print it for people. */
void explain_change_print(const struct explain_change *change);

/** The same as JSON. */
json_t *explain_change_json(const struct explain_change *change);

/** Free what @change owns. */
void explain_change_reset(struct explain_change *change);

#endif
