/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter of system calls as it comes from picketd: base64 of its instructions.
 */
#ifndef PICKET_CLI_RUN_FILTER_H
#define PICKET_CLI_RUN_FILTER_H

#include "engine/seccomp.h"

/** Take @text apart; "" gives an empty filter. Returns 0 (caller resets), -EPROTO or -ENOMEM. */
int run_filter_decode(const char *text, struct seccomp_filter *ret_filter);

#endif
