/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files: bringing one into a load, and the key `include`.
 */
#ifndef PICKET_POLICY_INCLUDE_H
#define PICKET_POLICY_INCLUDE_H

#include "policy/front.h"

/** Read a text or list of texts that name files and presets (schema_read; no @into). */
int include_read(struct front *front, const struct node *value, void *unused);

/**
 * Read a policy text into the policy as a file below the current one. Takes what @source owns;
 * its name may be temporary. Returns 0, -ENOMEM, or -EINVAL when the text is no tree at all
 * (reported).
 */
int include_source(struct front *front, struct source *source,
		   const struct source_identity *identity, const struct node *include);

/** Read the file @path, of tests and nothing else, into the policy below the current file. Errors as above. */
int include_tests(struct front *front, const char *path);

#endif
