/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS, the server's name and kinds of sockets of all layers as one: the strictest of what they say.
 */
#ifndef PICKET_POLICY_NETWORK_FILL_H
#define PICKET_POLICY_NETWORK_FILL_H

#include "policy/compile.h"

/**
 * Fill @head's dns, sockets and PK_IMAGE_SNI from @count layers. Returns 0, or -EINVAL with a finding
 * that names the layers when they have no resolver in common.
 */
int network_fill(const struct policy *const *layers, size_t count,
		 const struct compile_options *options, struct pk_image *head,
		 struct diag_list *diags);

/** True when these parts of a header are such as network_fill() makes. */
bool network_valid(const struct pk_image *head);

#endif
