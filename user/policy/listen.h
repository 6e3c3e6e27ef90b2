/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a rule of the section listen says of those who connect: `from`. It becomes a rule of the
 * section accept, which nobody writes.
 */
#ifndef PICKET_POLICY_LISTEN_H
#define PICKET_POLICY_LISTEN_H

#include "policy/front.h"

/**
 * Add the rule about the peers of @rule, a rule of the section listen; @from is the value of the
 * key, or NULL. Returns 0 or -ENOMEM.
 */
int listen_add_peers(struct front *front, const struct policy_rule *rule, const struct node *from);

/**
 * Judge the whole policy once it is read, and give accept the default of listen. Returns 0 or
 * -ENOMEM.
 */
int listen_check(struct front *front);

#endif
