/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Never unloaded: libraries leave threads' data and handlers behind.
 */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int library_load(const struct library *library, void *table, char *error, size_t size)
{
	void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	for (size_t i = 0; handle && i < library->count; i++) {
		void *address = dlsym(handle, library->functions[i].name);

		if (!address) {
			handle = NULL;
			break;
		}
		memcpy((char *)table + library->functions[i].offset, &address, sizeof(address));
	}
	if (handle)
		return 0;
	(void)snprintf(error, size, "cannot load '%s': %s", library->file, dlerror());
	return -ELIBACC;
}
