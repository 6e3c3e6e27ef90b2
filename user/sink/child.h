/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process of one sink: takes records from the daemon, delivers them, and tells what became of them.
 * It may wait as long as it likes; only its own records wait with it.
 */
#ifndef PICKET_SINK_CHILD_H
#define PICKET_SINK_CHILD_H

#include "sink/settings.h"

/**
 * Serve @settings over @feed (wire.h) until the other side closes it, or the process @daemon ends. To be called in a new process,
 * which has nothing else to do: takes it over and gives up what it can. Returns its exit status.
 */
int sink_child_run(const struct sink_settings *settings, int feed, pid_t daemon);

#endif
