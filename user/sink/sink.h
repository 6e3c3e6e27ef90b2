/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the sinks share: the classes that records are counted by.
 */
#ifndef PICKET_SINK_SINK_H
#define PICKET_SINK_SINK_H

/**
 * What a record is worth. Decisions and records of the daemon itself (agent, policy, answer, note, loss,
 * daemon, audit-head) are never dropped before activity and life are, and wait on disk.
 */
enum sink_class { SINK_DECISION, SINK_ACTIVITY, SINK_LIFE, SINK_RECORD, SINK__CLASSES };

/** "decision", "activity", "life", "record". */
const char *sink_class_name(enum sink_class class);

#endif
