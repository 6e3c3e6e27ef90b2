/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket show --effective`: what each layer alone says of one thing, and what comes of it.
 */
#ifndef PICKET_CLI_SHOW_EFFECTIVE_H
#define PICKET_CLI_SHOW_EFFECTIVE_H

#include "policy/policy_args.h"

/**
 * Print what all layers of @policy say of @text: a path, ADDRESS:PORT or NAME:PORT, `@NAME` of an abstract
 * socket, a switch of the section process, else a command line. CLI exit code.
 */
int show_effective(const struct cli_policy *policy, const char *text, bool json);

#endif
