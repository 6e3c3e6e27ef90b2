/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading /proc/PID. Everything but its start is a courtesy: what cannot be read is not known.
 */
#include "process/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <picket/abi.h>

#include "base/mem.h"
#include "process/context.h"

/* Of an environment so much is looked through. */
#define ENVIRONMENT_MAX (128U << 10)

/* Fields of /proc/PID/stat that are read. */
struct stat_line {
	pid_t parent;
	__u64 ticks;
	char comm[17];
};

static int open_proc(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Up to @size bytes. Returns how many, or -errno. */
static ssize_t read_proc(pid_t pid, const char *name, char *bytes, size_t size)
{
	CLEAN_FD int fd = open_proc(pid, name);
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (used < size && (n = read(fd, bytes + used, size - used)) > 0)
		used += (size_t)n;
	return n < 0 ? -errno : (ssize_t)used;
}

/* pid (comm) state ppid ... field 22: the name may hold anything, ')' too. */
static int read_stat(pid_t pid, struct stat_line *ret_stat)
{
	struct stat_line stat = { 0 };
	char text[1024];
	ssize_t length = read_proc(pid, "stat", text, sizeof(text) - 1);
	const char *name;
	const char *at;
	char *end = NULL;

	if (length <= 0)
		return -ESRCH;
	text[length] = '\0';
	name = strchr(text, '(');
	at = strrchr(text, ')');
	if (!name || !at || at < name || at[1] != ' ' || !at[2])
		return -ESRCH;
	(void)snprintf(stat.comm, sizeof(stat.comm), "%.*s", (int)(at - name - 1), name + 1);
	stat.parent = (pid_t)strtol(at + 3, NULL, 10);
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (at)
		stat.ticks = strtoull(at, &end, 10);
	if (!at || end == at)
		return -ESRCH;
	*ret_stat = stat;
	return 0;
}

int repair_ticks(pid_t pid, __u64 *ret_ticks)
{
	struct stat_line stat;
	int r = read_stat(pid, &stat);

	if (r == 0)
		*ret_ticks = stat.ticks;
	return r;
}

bool repair_is_start(__u64 ticks, __u64 start_ns)
{
	__u64 other = start_ns / REPAIR_TICK_NS;

	return ticks <= other + 1 && other <= ticks + 1;
}

static void read_link(pid_t pid, const char *name, struct repaired_text *ret)
{
	char target[PK_PATH_MAX];
	char path[64];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	length = readlink(path, target, sizeof(target));
	if (length <= 0)
		return;
	ret->bytes = malloc((size_t)length);
	if (!ret->bytes)
		return;
	memcpy(ret->bytes, target, (size_t)length);
	ret->length = (size_t)length;
}

static void read_words(pid_t pid, struct repaired *repaired)
{
	CLEAN_FREE char *bytes = malloc(PK_LIFE_WORDS_MAX + 1);
	ssize_t length = bytes ? read_proc(pid, "cmdline", bytes, PK_LIFE_WORDS_MAX + 1) : -1;

	if (length <= 0)
		return;
	repaired->words_cut = length > (ssize_t)PK_LIFE_WORDS_MAX;
	if (repaired->words_cut)
		length = PK_LIFE_WORDS_MAX;
	repaired->words.bytes = TAKE_PTR(bytes);
	repaired->words.length = (size_t)length;
}

/* Keep the variables that are understood, as many as the kernel would tell. */
static void read_variables(pid_t pid, struct repaired_text *ret)
{
	CLEAN_FREE char *bytes = malloc(ENVIRONMENT_MAX);
	CLEAN_FREE char *kept = malloc(PK_LIFE_VARIABLES_MAX);
	ssize_t length = bytes ? read_proc(pid, "environ", bytes, ENVIRONMENT_MAX) : -1;
	struct context_variable one;
	size_t used = 0;
	size_t at = 0;

	while (length > 0 && kept && context_next(bytes, (size_t)length, &at, &one)) {
		size_t size = one.name_length + 1 + one.value_length + 1;

		if (!context_is_known(one.name, one.name_length) ||
		    size > PK_LIFE_VARIABLES_MAX - used)
			continue;
		memcpy(kept + used, one.name, size);
		used += size;
	}
	if (used)
		*ret = (struct repaired_text){ TAKE_PTR(kept), used };
}

/* The line of the unified tree tells. */
static void read_container(pid_t pid, char container[static CONTAINER_SIZE])
{
	CLEAN_FREE char *text = malloc(PK_PATH_MAX);
	ssize_t length = text ? read_proc(pid, "cgroup", text, PK_PATH_MAX - 1) : -1;
	const char *unified;

	if (length <= 0)
		return;
	text[length] = '\0';
	unified = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!unified)
		return;
	unified = strchr(unified, '/');
	if (!unified)
		return;
	text[(size_t)(unified - text) + strcspn(unified, "\n")] = '\0';
	(void)container_of_path(unified, container);
}

void repair_container(pid_t pid, __u64 start_ns, char container[static CONTAINER_SIZE])
{
	__u64 ticks = 0;

	container[0] = '\0';
	read_container(pid, container);
	if (repair_ticks(pid, &ticks) || !repair_is_start(ticks, start_ns))
		container[0] = '\0';
}

static void read_ids(pid_t pid, struct repaired *repaired)
{
	char text[2048];
	ssize_t length = read_proc(pid, "status", text, sizeof(text) - 1);
	const char *at;

	if (length <= 0)
		return;
	text[length] = '\0';
	at = strstr(text, "\nUid:");
	if (at)
		repaired->uid = (uid_t)strtoul(at + 5, NULL, 10);
	at = strstr(text, "\nGid:");
	if (at)
		repaired->gid = (gid_t)strtoul(at + 5, NULL, 10);
}

int repair_read(pid_t pid, struct repaired *ret_repaired)
{
	CLEAN(repaired_reset) struct repaired repaired = { 0 };
	struct stat_line before;
	struct stat_line after;

	if (read_stat(pid, &before))
		return -ESRCH;
	read_link(pid, "exe", &repaired.exe);
	read_link(pid, "cwd", &repaired.cwd);
	read_words(pid, &repaired);
	read_variables(pid, &repaired.variables);
	read_container(pid, repaired.container);
	read_ids(pid, &repaired);
	if (read_stat(pid, &after) || after.ticks != before.ticks)
		return -ESRCH;
	repaired.parent = after.parent;
	repaired.ticks = after.ticks;
	memcpy(repaired.comm, after.comm, sizeof(repaired.comm));
	*ret_repaired = repaired;
	repaired = (struct repaired){ 0 };
	return 0;
}

void repaired_reset(struct repaired *repaired)
{
	free(repaired->exe.bytes);
	free(repaired->words.bytes);
	free(repaired->cwd.bytes);
	free(repaired->variables.bytes);
	*repaired = (struct repaired){ 0 };
}
