/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Losses in the audit trail: what was counted since they were told last.
 */
#ifndef PICKET_DAEMON_LEDGER_LOSS_H
#define PICKET_DAEMON_LEDGER_LOSS_H

#include "daemon/ledger.h"

/** Between two looks. */
#define LEDGER_LOSS_SECONDS 60

/** Look at all counters, and tell of those that moved. */
void ledger_losses(struct daemon *daemon);

/** The same, of one agent. */
void ledger_losses_of(struct daemon *daemon, const struct agent_entry *entry);

#endif
