/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Approvals in an image: what the layers say of them as one, the strictest of each, and nothing at all
 * where no rule, default or switch asks.
 */
#ifndef PICKET_POLICY_ASKS_H
#define PICKET_POLICY_ASKS_H

#include <stdbool.h>
#include <stdio.h>

#include "policy/compile.h"

/** How many must approve where a rule says less: the highest `approvals.approvers` of all layers. */
__u32 asks_approvers(const struct policy *const *layers, size_t count);

/** The hook of the highest layer that has one, or NULL. */
const char *asks_hook(const struct policy *const *layers, size_t count);

/** True when one of the @count rules or a default asks; of egress only with @egress. */
bool asks_anything(const struct pk_image *head, const struct pk_rule *rules, size_t count,
		   bool egress);

/** Fill what @head says of approvals but the hook. Its defaults and its @rule_count rules are made. */
void asks_fill(const struct policy *const *layers, size_t count, const struct pk_rule *rules,
	       size_t rule_count, struct pk_image *head);

/** Warn when the policy itself, the last layer, has `approvals` and no layer asks anything. */
void asks_warn_useless(const struct policy *const *layers, size_t count,
		       const struct pk_image *head, struct diag_list *diags);

/** True when these parts of a header, and the access of its rules, are such as are made here. */
bool asks_valid(const struct pk_image *head, const struct pk_rule *rules, size_t count);

/** True when something in the validated @image asks. */
bool asks_image(const struct policy_image *image);

/** Bytes for the text of any time. */
#define ASKS_TIME_SIZE 16

/** Write @seconds as the language does, in the largest unit that fits: "5m", "90s". Returns @text. */
const char *asks_time(__u32 seconds, char text[static ASKS_TIME_SIZE]);

/** Write what the validated @image says of approvals, a key a line; nothing when nothing asks. */
void asks_dump(const struct policy_image *image, FILE *to);

#endif
