/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of recorded events, for the commands that read them.
 */
#ifndef PICKET_CLI_RECORDINGS_H
#define PICKET_CLI_RECORDINGS_H

#include "author/recording.h"

/**
 * Read @count files into @recording and finish it; "-" is standard input. @lossy: go on, with a warning, where
 * events are known to be missing. Prints what is wrong; returns CLI_OK or CLI_FAILED.
 */
int recordings_read(const char *command, char *const *paths, int count, bool lossy,
		    struct recording *recording);

/** Complain about events that are missing, as recordings_read() does; a recording made just now. */
int recordings_complete(const char *command, const struct recording *recording, bool lossy);

#endif
