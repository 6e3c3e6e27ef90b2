/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of the classes.
 */
#include "sink/sink.h"

const char *sink_class_name(enum sink_class class)
{
	static const char *const names[] = {
		[SINK_DECISION] = "decision",
		[SINK_ACTIVITY] = "activity",
		[SINK_LIFE] = "life",
		[SINK_RECORD] = "record",
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == SINK__CLASSES, "a name for each");
	return names[class];
}
