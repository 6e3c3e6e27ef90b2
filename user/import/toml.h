/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TOML to a tree in which every node knows where it stands: keys (bare, quoted, dotted), tables, arrays of
 * tables, inline tables, arrays, texts on one line, numbers and truth values (both as texts). Dates and texts
 * over several lines are errors.
 */
#ifndef PICKET_IMPORT_TOML_H
#define PICKET_IMPORT_TOML_H

#include "policy/yaml.h"

/** Read @source (checked). *@ret_root is a map. Returns 0, -EINVAL with a finding, or -ENOMEM. */
int toml_parse(const struct source *source, struct node **ret_root, struct diag_list *diags);

#endif
