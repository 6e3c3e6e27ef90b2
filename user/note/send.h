/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sender's side of a note: picketd has looked at who sent it before this
 * returns, so the sender must not end earlier.
 */
#ifndef PICKET_NOTE_SEND_H
#define PICKET_NOTE_SEND_H

#include "note/note.h"

/**
 * Send @note to the socket @path and wait until it was read, @wait_ms at most
 * in all. Returns 0; -ENOENT or -ECONNREFUSED: nobody serves it; -ETIMEDOUT: it
 * was not read in time (it may be, later); -ENAMETOOLONG: no socket has such a
 * path; or another -errno.
 */
int note_send(const char *path, const struct note *note, int wait_ms);

#endif
