/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms of names: [ENGINE-]64 hexadecimal digits[.scope], "lxc.payload.NAME", "machine-NAME.scope".
 */
#include "process/container.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ID_LENGTH 64
#define LXC "lxc.payload."
#define MACHINE "machine-"
#define SCOPE ".scope"

/* The id at the end of a name like docker-ID.scope or ID: behind the last '-' or from the start. */
static bool take_id(const char *name, size_t length, char container[static CONTAINER_SIZE])
{
	const char *id = name + length - ID_LENGTH;

	if (length < ID_LENGTH || (id > name && id[-1] != '-') ||
	    strspn(id, "0123456789abcdef") < ID_LENGTH)
		return false;
	(void)snprintf(container, CONTAINER_SIZE, "%.*s", ID_LENGTH, id);
	return true;
}

static bool take_name(const char *name, size_t length, char container[static CONTAINER_SIZE])
{
	bool scope = length > strlen(SCOPE) &&
		     memcmp(name + length - strlen(SCOPE), SCOPE, strlen(SCOPE)) == 0;
	size_t front = 0;

	if (scope)
		length -= strlen(SCOPE);
	if (take_id(name, length, container))
		return true;
	if (strncmp(name, LXC, strlen(LXC)) == 0)
		front = strlen(LXC);
	else if (scope && strncmp(name, MACHINE, strlen(MACHINE)) == 0)
		front = strlen(MACHINE);
	if (!front || front >= length)
		return false;
	(void)snprintf(container, CONTAINER_SIZE, "%.*s", (int)(length - front), name + front);
	return true;
}

const char *container_of_path(const char *path, char container[static CONTAINER_SIZE])
{
	container[0] = '\0';
	while (*path) {
		size_t length = strcspn(path, "/");

		/* The innermost one is told: it stands last. */
		if (length)
			(void)take_name(path, length, container);
		path += length + (path[length] == '/');
	}
	return container;
}
