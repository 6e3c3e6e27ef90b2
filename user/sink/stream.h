/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to a syslog server, with or without TLS. Everything waits, but not longer than the
 * timeout of the settings.
 */
#ifndef PICKET_SINK_STREAM_H
#define PICKET_SINK_STREAM_H

#include "sink/settings.h"

/** One connection. */
struct stream;

/**
 * Connect; with TLS the server must prove its name by a certificate that is trusted. Returns 0, or
 * -errno with a sentence in @error.
 */
int stream_open(const struct sink_settings *settings, struct stream **ret, char error[236]);

/** Write all of it. Returns 0 or -errno. */
int stream_write(struct stream *stream, const char *bytes, size_t length);

/** False when the server has closed it, or it is broken. */
bool stream_is_open(struct stream *stream);

/** The socket; borrowed. */
int stream_fd(const struct stream *stream);

/** Close it; accepts NULL; resets. */
void stream_close(struct stream **stream);

#endif
