/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Points in time as people write them on a command line, and as events have them.
 *
 *   2026-11-22T04:35:24Z   RFC 3339, with or without a fraction of up to nine digits; `+01:00` for Z;
 *                          a blank for T; without a zone it is local time; seconds may be left out
 *   2026-11-22             midnight, local time
 *   14:00, 14:00:30        today, local time
 *   today, yesterday       midnight; or with a time of day: "yesterday 14:00"
 *   90s, 10m, 2h, 3d, 1w   that long ago
 *   now
 */
#ifndef PICKET_TELEMETRY_MOMENT_H
#define PICKET_TELEMETRY_MOMENT_H

#include <linux/types.h>

/** The forms, for messages. */
#define MOMENT_FORMS                                                                               \
	"a time is 2h (ago), 14:00, 'yesterday 14:00', 2026-11-22 or 2026-11-22T14:00:00Z"

/** Bytes of moment_text(), the NUL included. */
#define MOMENT_TEXT_SIZE 40

/** CLOCK_REALTIME in nanoseconds. */
__s64 moment_now(void);

/**
 * Nanoseconds since the epoch of @text, where now is @now_ns. Returns 0, or -EINVAL when it is none of
 * the forms above, or no time that there is.
 */
int moment_parse(const char *text, __s64 now_ns, __s64 *ret_ns);

/** "2026-11-22T04:35:24.123456789Z" of @ns, in @text, which is returned. */
const char *moment_text(__s64 ns, char text[MOMENT_TEXT_SIZE]);

#endif
