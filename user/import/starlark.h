/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of Starlark that files of rules are written in: calls with named arguments, which are texts and
 * lists of them. Variables, operators and statements are errors.
 */
#ifndef PICKET_IMPORT_STARLARK_H
#define PICKET_IMPORT_STARLARK_H

#include "policy/yaml.h"

/**
 * Read all calls of @source (checked). *@ret_calls is a list of maps, each with the function's name as its
 * `text`. Returns 0, -EINVAL with a finding, or -ENOMEM.
 */
int starlark_parse(const struct source *source, struct node **ret_calls, struct diag_list *diags);

#endif
