/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings as a SARIF 2.1.0 log, which code review shows at the lines they are about.
 */
#ifndef PICKET_CLI_CHECK_SARIF_H
#define PICKET_CLI_CHECK_SARIF_H

#include <jansson.h>

#include "base/diag.h"

/** Append a result for each of @diags, found in the policy @path, to the list @results. */
void check_sarif_add(json_t *results, const char *path, const struct diag_list *diags);

/** The whole log with @results (borrowed); a new reference, or NULL without memory. */
json_t *check_sarif(json_t *results);

#endif
