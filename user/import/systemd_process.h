/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of import/systemd.c that is about processes, and what both parts use.
 */
#ifndef PICKET_IMPORT_SYSTEMD_PROCESS_H
#define PICKET_IMPORT_SYSTEMD_PROCESS_H

#include "import/import.h"

/** Hand each word of a value to @read, as a text node of its own. */
void systemd_each_word(struct import *import, const struct node *key, const struct node *value,
		       import_key read);

/** True for the keys that systemd_process() reads. */
bool systemd_is_process_key(const char *key);

/** Add the sections `sockets`, `syscalls` and `process` that the unit's keys come to. */
void systemd_process(struct import *import);

#endif
