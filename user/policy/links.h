/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What symbolic links do to a path glob. The kernel judges paths without links; a glob that names
 * a directory through one would never match there.
 */
#ifndef PICKET_POLICY_LINKS_H
#define PICKET_POLICY_LINKS_H

#include "policy/load.h"

/**
 * Follow the links in what @glob (valid) says literally before its first wildcard, in each of its
 * brace alternatives, as far as it exists. *@ret_glob is a glob of those alternatives that changed
 * (malloc'ed), or NULL when none did. Returns 0, -E2BIG when they are
 * longer than a path can be, or -ENOMEM.
 *
 *   Example: /bin is a link to usr/bin: "/{bin,opt}/su*" gives "/usr/bin/su*".
 */
int links_resolve_glob(const struct policy_context *context, const char *glob, char **ret_glob);

#endif
