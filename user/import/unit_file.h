/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unit files of systemd (systemd.syntax(7)): one section of one, as a map with positions.
 */
#ifndef PICKET_IMPORT_UNIT_FILE_H
#define PICKET_IMPORT_UNIT_FILE_H

#include "policy/yaml.h"

/**
 * Read the settings of @section. *@ret_root is a map of keys to texts; a key that stands several times has
 * its values joined by blanks, as lists are, and an empty value begins anew. Returns 0, -EINVAL with
 * findings (no such section too), or -ENOMEM.
 */
int unit_file_parse(const struct source *source, const char *section, struct node **ret_root,
		    struct diag_list *diags);

#endif
