/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section `process`: a profile, switches, capabilities.
 */
#ifndef PICKET_POLICY_PROCESS_H
#define PICKET_POLICY_PROCESS_H

#include "policy/front.h"
#include "policy/schema.h"

/** What holds for a policy without the section: the profile strict. */
void process_set_default(struct policy_process *process);

/** Read the section into the policy (schema_read; no @into). */
int process_read(struct front *front, const struct node *map, void *unused);

/** Judge the section once all sections are read and the policy's own tree still stands. */
void process_check(struct front *front);

/** Free what @process owns. */
void process_reset(struct policy_process *process);

/** The keys of the section. */
extern const struct schema process_schema;

#endif
