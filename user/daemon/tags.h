/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The variables that an agent's launcher gave it, over restarts of picketd: they are read when the first program
 * begins, and later nobody can tell them from what the agent has set itself. In the agent's record they are
 * in hexadecimal, for they are bytes.
 */
#ifndef PICKET_DAEMON_TAGS_H
#define PICKET_DAEMON_TAGS_H

#include "daemon/registry.h"
#include "process/table.h"

/** Put what is trusted of the agent into its record. True when that has changed it. */
bool tags_keep(const struct process_table *table, struct agent_record *record);

/** Trust what the record has, and nothing else. */
void tags_trust(struct process_table *table, const struct agent_record *record);

#endif
