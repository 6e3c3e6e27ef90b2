/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies in a folder. Files are looked for by name and, but for the remotes of git, not read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "author/init.h"
#include "base/mem.h"

/** Most bytes of a line of git's configuration that are looked at. */
#define LINE_MAX_BYTES 4096

/** A file that tells a kind. */
static const struct {
	const char *name;
	enum init_kind kind;
} signs[] = {
	{ ".git", INIT_GIT },
	{ "package.json", INIT_NPM },
	{ "pyproject.toml", INIT_PYTHON },
	{ "setup.py", INIT_PYTHON },
	{ "setup.cfg", INIT_PYTHON },
	{ "requirements.txt", INIT_PYTHON },
	{ "Cargo.toml", INIT_CARGO },
	{ "Makefile", INIT_MAKE },
	{ "makefile", INIT_MAKE },
	{ "GNUmakefile", INIT_MAKE },
};

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9');
}

/* The last component of the folder's real path, with what a name cannot have left out. */
static int find_name(const char *folder, char name[INIT_NAME_MAX + 1])
{
	CLEAN_FREE char *path = realpath(folder, NULL);
	size_t length = 0;

	if (!path)
		return -errno;
	for (const char *at = strrchr(path, '/') + 1; *at && length < INIT_NAME_MAX; at++) {
		if (is_letter(*at) || (length > 0 && strchr("._-", *at)))
			name[length++] = *at;
	}
	name[length] = '\0';
	if (length == 0)
		(void)snprintf(name, INIT_NAME_MAX + 1, "project");
	return 0;
}

/*
 * The host of a remote as git writes them: [SCHEME://][USER@]HOST[:PORT]/PATH or [USER@]HOST:PATH. Only
 * names of several labels: others are local to this machine's network, and paths.
 */
static bool find_host(const char *url, char host[INIT_HOST_MAX])
{
	const char *start = strstr(url, "://");
	size_t length = 0;
	const char *at;

	start = start ? start + 3 : url;
	at = start + strcspn(start, "@/");
	if (*at == '@')
		start = at + 1;
	while (is_letter(start[length]) || (start[length] && strchr(".-", start[length])))
		length++;
	if (length == 0 || length >= INIT_HOST_MAX || !strchr(":/", start[length]) ||
	    !start[length])
		return false;
	memcpy(host, start, length);
	host[length] = '\0';
	/* A number at the end would be an address. */
	at = strrchr(host, '.');
	return at && at > host && at[1] && !(at[1] >= '0' && at[1] <= '9') && is_letter(*host) &&
	       !strstr(host, "..");
}

/* The host of the first remote that has one. */
static void find_forge(int folder, char host[INIT_HOST_MAX])
{
	CLEAN_FD int fd =
		openat(folder, ".git/config", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	CLEAN_FILE FILE *file = NULL;
	char line[LINE_MAX_BYTES];
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return;
	file = fdopen(fd, "r");
	if (!file)
		return;
	TAKE_FD(fd);
	while (fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " \t");

		if (strncmp(at, "url", 3) != 0)
			continue;
		at += 3 + strspn(at + 3, " \t");
		if (*at == '=' && find_host(at + 1 + strspn(at + 1, " \t\""), host))
			return;
	}
	*host = '\0';
}

int init_look(const char *folder, struct init_project *ret_project)
{
	CLEAN_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct init_project project = { 0 };
	int r;

	if (fd < 0)
		return -errno;
	r = find_name(folder, project.name);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (faccessat(fd, signs[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			project.is[signs[i].kind] = true;
	}
	if (project.is[INIT_GIT])
		find_forge(fd, project.forge);
	*ret_project = project;
	return 0;
}
