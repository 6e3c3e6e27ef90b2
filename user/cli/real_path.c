/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resolution of paths of which the end need not exist yet: `explain --open` asks about files to be
 * created too.
 */
#include "cli/real_path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Append the components of @rest to @path, a buffer of @size bytes that holds a resolved path. */
static int append(char *path, size_t size, const char *rest)
{
	size_t used = strcmp(path, "/") == 0 ? 0 : strlen(path);

	while (*rest) {
		size_t length = strcspn(rest, "/");

		if (length == 2 && strncmp(rest, "..", 2) == 0)
			return -EINVAL;
		if (length > 0 && !(length == 1 && *rest == '.')) {
			if (length + 1 >= size - used)
				return -ENAMETOOLONG;
			path[used++] = '/';
			memcpy(path + used, rest, length);
			used += length;
			path[used] = '\0';
		}
		rest += length;
		rest += *rest == '/';
	}
	return 0;
}

/* Resolve the first @length bytes of @path (none: the working directory) into @resolved. */
static bool resolve_start(const char *path, size_t length, char resolved[static PATH_MAX])
{
	CLEAN_FREE char *start = length > 0 ? strndup(path, length) : strdup(".");

	if (!start) {
		errno = ENOMEM;
		return false;
	}
	return realpath(start, resolved) != NULL;
}

int real_path(const char *path, char **ret_path)
{
	char resolved[PATH_MAX];
	size_t length = strlen(path);
	char *copy;
	int r;

	if (length == 0)
		return -EINVAL;
	/* Leave components away at the end until the rest exists; "/" and "." always do. */
	while (!resolve_start(path, length, resolved)) {
		if (errno != ENOENT || length == 0)
			return -errno;
		while (length > 0 && path[length - 1] == '/')
			length--;
		while (length > 0 && path[length - 1] != '/')
			length--;
	}
	r = append(resolved, sizeof(resolved), path + length);
	if (r < 0)
		return r;
	copy = strdup(resolved);
	if (!copy)
		return -ENOMEM;
	*ret_path = copy;
	return 0;
}
