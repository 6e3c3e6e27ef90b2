/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/hub_parts.h"

#include <errno.h>

int hub_upgrade(struct hub *hub, const struct hub_build *build, struct diag_list *diags)
{
	(void)hub;
	(void)build;
	(void)diag_add(diags, DIAG_ERROR, NULL, "programs of another build are attached");
	return -ENOTSUP;
}
