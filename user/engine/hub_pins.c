/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folder of pins. Files in the bpf file system hold no text: what must be noted is noted by
 * folders with names, each made in one step.
 */
#include "engine/hub_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define ABI_PREFIX "abi-"

int hub_damaged(const struct hub *hub, struct diag_list *diags, const char *format, ...)
{
	char what[256];
	va_list arguments;

	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses the va_start above */
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "%s is not what picket left there: %s",
			   hub->pin_path, what),
		  "stop all agents, then remove it with 'picket daemon --remove'");
	return -EBADF;
}

char *hub_path(const struct hub *hub, const char *folder, const char *prefix, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s%s%s%s", hub->pin_path, folder, *folder ? "/" : "", prefix,
		     name) < 0)
		return NULL;
	return path;
}

void hub_set_name(const char *build, char ret_name[static 32])
{
	(void)snprintf(ret_name, 32, HUB_SET_PREFIX "%s", build);
}

int hub_each_entry(int parent, const char *name, hub_entry_fn fn, void *context)
{
	struct dirent *entry;
	int fd = openat(parent, name, OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = -errno;
		mem_close_fd(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			r = fn(context, entry->d_name);
	}
	(void)closedir(dir);
	return r;
}

/* The number behind @prefix in @name; -1: it is not that. */
static long number_after(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);
	char *end = NULL;
	long number;

	if (strncmp(name, prefix, length) != 0 || name[length] < '0' || name[length] > '9')
		return -1;
	number = strtol(name + length, &end, 10);
	return *end ? -1 : number;
}

struct tally {
	long links;
	long marked; /* what the marker says; -1: there is none */
};

static int count_link(void *context, const char *name)
{
	struct tally *tally = context;
	long marked = number_after(name, HUB_ALL_PREFIX);

	if (marked >= 0)
		tally->marked = marked;
	if (strncmp(name, HUB_LINK_PREFIX, strlen(HUB_LINK_PREFIX)) == 0 &&
	    strcmp(name, HUB_CALLS_LINK) != 0)
		tally->links++;
	return 0;
}

bool hub_set_is_whole(int fd)
{
	struct tally tally = { .marked = -1 };

	return hub_each_entry(fd, ".", count_link, &tally) == 0 && tally.marked > 0 &&
	       tally.marked == tally.links;
}

/* Fails when the entry is not a folder, or root's alone. */
static int check_folder(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 0077) ? 0 : -EBADF;
}

struct reader {
	int pins;
	struct hub_survey *survey;
	char *odd; /* 64 bytes */
};

static int add_set(struct reader *reader, const char *name)
{
	struct hub_survey *survey = reader->survey;
	struct hub_set *set = &survey->sets[survey->count];
	const char *build = name + strlen(HUB_SET_PREFIX);
	CLEAN_FD int fd = openat(reader->pins, name, OPEN_DIR);

	if (fd < 0 || check_folder(fd) || survey->count == HUB_SETS_MAX ||
	    strlen(build) != HUB_BUILD_SIZE - 1)
		return -EBADF;
	memcpy(set->build, build, HUB_BUILD_SIZE);
	set->whole = hub_set_is_whole(fd);
	survey->count++;
	return 0;
}

static int add_entry(void *context, const char *name)
{
	struct reader *reader = context;
	CLEAN_FD int fd = -1;
	struct stat st;
	int r = 0;

	reader->survey->empty = false;
	if (number_after(name, ABI_PREFIX) >= 0) {
		reader->survey->abi = (int)number_after(name, ABI_PREFIX);
	} else if (strncmp(name, HUB_SET_PREFIX, strlen(HUB_SET_PREFIX)) == 0) {
		r = add_set(reader, name);
	} else if (number_after(name, HUB_AGENT_PREFIX) > 0) {
		fd = openat(reader->pins, name, OPEN_DIR);
		r = fd < 0 ? -EBADF : check_folder(fd);
	} else if (strncmp(name, HUB_MAP_PREFIX, strlen(HUB_MAP_PREFIX)) == 0) {
		/* A link to somewhere else is not a pin. */
		r = fstatat(reader->pins, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ?
			    -EBADF :
			    0;
	} else {
		r = -EBADF;
	}
	if (r)
		(void)snprintf(reader->odd, 64, "%s", name);
	return r;
}

int hub_survey(int pins, struct hub_survey *ret_survey, char ret_odd[static 64])
{
	struct reader reader = { .pins = pins, .survey = ret_survey, .odd = ret_odd };

	*ret_survey = (struct hub_survey){ .abi = -1, .empty = true };
	(void)snprintf(ret_odd, 64, "its owner or mode");
	if (check_folder(pins))
		return -EBADF;
	return hub_each_entry(pins, ".", add_entry, &reader);
}

int hub_set_mark(const struct hub *hub, const char *name)
{
	struct tally tally = { .marked = -1 };
	char path[128];
	int r = hub_each_entry(hub->pins, name, count_link, &tally);

	if (r)
		return r;
	(void)snprintf(path, sizeof(path), "%s/" HUB_ALL_PREFIX "%ld", name, tally.links);
	return mkdirat(hub->pins, path, 0700) ? -errno : 0;
}

struct remover {
	int fd;
	bool markers; /* folders only */
	bool removed;
};

static int remove_entry(void *context, const char *name)
{
	struct remover *remover = context;
	int flags = remover->markers ? AT_REMOVEDIR : 0;

	if (unlinkat(remover->fd, name, flags) == 0)
		remover->removed = true;
	else if (errno != ENOTDIR && errno != EISDIR && errno != ENOENT)
		return -errno;
	return 0;
}

int hub_set_empty(const struct hub *hub, const char *name)
{
	CLEAN_FD int fd = openat(hub->pins, name, OPEN_DIR);
	struct remover remover = { .fd = fd, .markers = true };
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = hub_each_entry(fd, ".", remove_entry, &remover);
	remover.markers = false;
	/* Again while something was removed: what goes away under a reader may hide the next. */
	do {
		remover.removed = false;
		if (r == 0)
			r = hub_each_entry(fd, ".", remove_entry, &remover);
	} while (r == 0 && remover.removed);
	return r;
}

int hub_set_remove(const struct hub *hub, const char *name)
{
	int r = hub_set_empty(hub, name);

	if (r)
		return r;
	return unlinkat(hub->pins, name, AT_REMOVEDIR) && errno != ENOENT ? -errno : 0;
}

static int clear_entry(void *context, const char *name)
{
	const struct hub *hub = context;

	if (unlinkat(hub->pins, name, 0) == 0 || errno == ENOENT)
		return 0;
	return hub_set_remove(hub, name);
}

/* The version's marker goes first: what is left behind then is no hub. */
static int clear_marker(void *context, const char *name)
{
	const struct hub *hub = context;

	if (number_after(name, ABI_PREFIX) < 0)
		return 0;
	return unlinkat(hub->pins, name, AT_REMOVEDIR) ? -errno : 0;
}

int hub_pins_clear(const struct hub *hub)
{
	struct hub_survey left = { 0 };
	char odd[64];
	int r = hub_each_entry(hub->pins, ".", clear_marker, (void *)(uintptr_t)hub);

	for (int i = 0; r == 0 && i < 3; i++)
		r = hub_each_entry(hub->pins, ".", clear_entry, (void *)(uintptr_t)hub);
	if (r)
		return r;
	r = hub_survey(hub->pins, &left, odd);
	return r == 0 && !left.empty ? -ENOTEMPTY : r;
}
