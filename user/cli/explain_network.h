/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket explain` about the network: what its options say as questions, and what the answer has
 * besides a verdict.
 */
#ifndef PICKET_CLI_EXPLAIN_NETWORK_H
#define PICKET_CLI_EXPLAIN_NETWORK_H

#include <jansson.h>

#include "cli/explain_answer.h"

/** The options, as given; NULL: not given. */
struct explain_network {
	const char *target; /* of --connect or --listen */
	const char *protocol;
	const char *name; /* --name */
	const char *from; /* --from */
};

/** Make the question of --connect. CLI exit code. */
int explain_ask_connect(const struct explain_network *options, struct explain_answer *answer);

/** Make the questions of --listen. CLI exit code. */
int explain_ask_listen(const struct explain_network *options, struct explain_answer *answer);

/** Ask @image the part's @query, of section egress, listen or accept. As explain_answer_fill(). */
int explain_network_fill(struct explain_answer *answer, struct explain_part *part,
			 const struct pk_query *query, const struct policy_image *image);

/** Print what there is to say about a destination besides its verdict. */
void explain_network_print(const struct explain_answer *answer, const struct policy_image *image);

/** The same into a JSON object. */
void explain_network_json(const struct explain_answer *answer, const struct policy_image *image,
			  json_t *object);

#endif
