/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files say where packages come from, and whether they may be believed. What is opened may be a
 * confined program's to write: nothing is followed, waited for, or read beyond its limit.
 */
#include "policy/registries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "policy/guarded.h"

struct place {
	const char *path;
	enum registries_format format;
};

static const struct place system_places[] = {
	{ "/etc/apt/sources.list", REGISTRIES_APT_LIST },
	{ "/etc/npmrc", REGISTRIES_NPM },
	{ "/usr/etc/npmrc", REGISTRIES_NPM },
	{ "/usr/local/etc/npmrc", REGISTRIES_NPM },
	{ "/etc/pip.conf", REGISTRIES_PIP },
	{ "/etc/xdg/pip/pip.conf", REGISTRIES_PIP },
	{ "/etc/cargo/config.toml", REGISTRIES_CARGO },
	{ "/usr/local/cargo/config.toml", REGISTRIES_CARGO },
	{ "/usr/lib/go/go.env", REGISTRIES_GO },
	{ "/usr/local/go/go.env", REGISTRIES_GO },
};

static const struct place user_places[] = {
	{ "/.npmrc", REGISTRIES_NPM },		{ "/.config/pip/pip.conf", REGISTRIES_PIP },
	{ "/.pip/pip.conf", REGISTRIES_PIP },	{ "/.cargo/config.toml", REGISTRIES_CARGO },
	{ "/.cargo/config", REGISTRIES_CARGO }, { "/.config/go/env", REGISTRIES_GO },
};

static const char *const variables[] = {
	"NPM_CONFIG_REGISTRY",
	"npm_config_registry",
	"PIP_INDEX_URL",
	"PIP_EXTRA_INDEX_URL",
	"UV_INDEX_URL",
	"UV_DEFAULT_INDEX",
	"UV_INDEX",
	"GOPROXY",
	"GOSUMDB",
	"CARGO_REGISTRY_INDEX",
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* Read all of an open file, ended by a NUL. 0, -ENOMEM, or another -errno. */
static int read_all(int fd, char **ret_text, size_t *ret_length)
{
	char *text = malloc(REGISTRIES_FILE_MAX + 1);
	size_t length = 0;
	ssize_t got = 1;

	if (!text)
		return -ENOMEM;
	while (got > 0 && length < REGISTRIES_FILE_MAX) {
		got = read(fd, text + length, REGISTRIES_FILE_MAX - length);
		if (got > 0)
			length += (size_t)got;
	}
	if (got < 0) {
		free(text);
		return -errno;
	}
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	return 0;
}

/* Why the open file is not read, or NULL; @owner: whose it must be, (uid_t)-1: it was checked. */
static const char *refusal(int fd, uid_t owner)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "it is not a regular file";
	if (st.st_size > (off_t)REGISTRIES_FILE_MAX)
		return "it is too long";
	if (owner != (uid_t)-1 && st.st_uid != owner)
		return "it is not of the owner of the home folder";
	return NULL;
}

/* Read and parse @path, when it is there. */
static int take_file(struct registries *registries, const char *path, enum registries_format format,
		     uid_t owner)
{
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	CLEAN_FREE char *text = NULL;
	const char *why;
	size_t length = 0;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	why = fd < 0 ? strerror(errno) : refusal(fd, owner);
	if (why)
		return registries_note(registries, "'%s' is not read: %s", path, why);
	r = read_all(fd, &text, &length);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return registries_note(registries, "'%s' is not read: %s", path, strerror(-r));
	return registries_parse(registries, format, path, text, length);
}

static int take_system(struct registries *registries, const struct registries_scope *scope,
		       const char *path, enum registries_format format)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	CLEAN_FREE char *full = NULL;
	int r;

	if (asprintf(&full, "%s%s", scope->root, path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	r = guarded_check(full, GUARDED_FILE, scope->owner, &fault);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return registries_note(registries, "'%s' is not read: %s", full,
				       fault.why ? fault.why : strerror(-r));
	return take_file(registries, full, format, (uid_t)-1);
}

static int has_format(const char *name, enum registries_format *ret_format)
{
	size_t length = strlen(name);

	*ret_format = REGISTRIES_APT_LIST;
	if (length > 5 && strcmp(name + length - 5, ".list") == 0)
		return true;
	*ret_format = REGISTRIES_APT_SOURCES;
	return length > 8 && strcmp(name + length - 8, ".sources") == 0;
}

/* The files of apt's folder, in the order of their names. */
static int take_apt_folder(struct registries *registries, const struct registries_scope *scope)
{
	static const char folder[] = "/etc/apt/sources.list.d";
	CLEAN_FREE char *full = NULL;
	struct dirent **entries = NULL;
	int count;
	int r = 0;

	if (asprintf(&full, "%s%s", scope->root, folder) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	count = scandir(full, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		enum registries_format format;
		CLEAN_FREE char *path = NULL;

		if (r == 0 && i < REGISTRIES_FILES_MAX && has_format(entries[i]->d_name, &format)) {
			r = asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0 ? -ENOMEM : 0;
			if (r == 0)
				r = take_system(registries, scope, path, format);
			else
				path = NULL;
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int take_home(struct registries *registries, const char *home)
{
	struct stat st;
	int r = 0;

	if (stat(home, &st) < 0)
		return 0;
	for (size_t i = 0; i < COUNT(user_places) && r == 0; i++) {
		CLEAN_FREE char *path = NULL;

		if (asprintf(&path, "%s%s", home, user_places[i].path) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = take_file(registries, path, user_places[i].format, st.st_uid);
	}
	return r;
}

static int take_environment(struct registries *registries)
{
	int r = 0;

	for (size_t i = 0; i < COUNT(variables) && r == 0; i++) {
		const char *value = getenv(variables[i]);
		char origin[40];

		(void)snprintf(origin, sizeof(origin), "$%s", variables[i]);
		if (value && strlen(value) < REGISTRIES_FILE_MAX)
			r = registries_add_uris(registries, value, origin);
	}
	return r;
}

int registries_read(const struct registries_scope *scope, struct registries *ret)
{
	int r = 0;

	for (size_t i = 0; i < COUNT(system_places) && r == 0; i++)
		r = take_system(ret, scope, system_places[i].path, system_places[i].format);
	if (r == 0)
		r = take_apt_folder(ret, scope);
	if (r == 0 && scope->home)
		r = take_home(ret, scope->home);
	if (r == 0 && scope->environment)
		r = take_environment(ret);
	return r;
}

void registries_reset(struct registries *registries)
{
	for (size_t i = 0; i < registries->count; i++) {
		free(registries->items[i].host);
		free(registries->items[i].origin);
	}
	for (size_t i = 0; i < registries->note_count; i++)
		free(registries->notes[i]);
	free(registries->items);
	free(registries->notes);
	*registries = (struct registries){ 0 };
}
