/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading /proc. What cannot be read is a process that is gone.
 */
#include "daemon/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/mem.h"
#include "engine/cgroup.h"
#include "engine/proc_line.h"

/* More generations than a tree of processes has. */
#define ANCESTORS_MAX 4096
#define DEPTH_MAX 64

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* Real, effective, saved. */
static bool read_uids(const char *text, uid_t uids[3])
{
	for (int i = 0; i < 3; i++) {
		char *end = NULL;

		uids[i] = (uid_t)strtoul(text, &end, 10);
		if (end == text)
			return false;
		text = end;
	}
	return true;
}

int proc_read(pid_t pid, struct proc_facts *ret_facts)
{
	CLEAN_FILE FILE *file = open_proc(pid, "status");
	struct proc_facts facts = { .parent = -1 };
	unsigned long long value = 0;
	bool found = false;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Uid:", 4) == 0)
			found = read_uids(line + 4, facts.uids);
		else if (proc_line_value(line, "PPid:", &value))
			facts.parent = (pid_t)value;
		else if (proc_line_value(line, "Seccomp:", &value))
			facts.filtered = value == 2;
	}
	if (!found || facts.parent < 0)
		return -ESRCH;
	*ret_facts = facts;
	return 0;
}

bool proc_is_of(const struct proc_facts *facts, uid_t uid)
{
	return facts->uids[0] == uid && facts->uids[1] == uid && facts->uids[2] == uid;
}

int proc_start(pid_t pid, __u64 *ret_start)
{
	CLEAN_FILE FILE *file = open_proc(pid, "stat");
	unsigned long long start = 0;
	char text[1024] = "";
	const char *at;

	if (!file || !fgets(text, sizeof(text), file))
		return -ESRCH;
	/* Field 22; the name in field 2 may hold anything, ')' too. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!at || !proc_line_value(at, "", &start))
		return -ESRCH;
	*ret_start = start;
	return 0;
}

pid_t proc_of_pidfd(int pidfd)
{
	CLEAN_FILE FILE *file = NULL;
	char path[64];
	char line[128];
	long pid = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Pid:", 4) == 0)
			pid = strtol(line + 4, NULL, 10);
	}
	/* 0: not of our namespace; -1: ended; no line: no pidfd. */
	if (pid > 0)
		return (pid_t)pid;
	return pid < 0 ? -ESRCH : -EBADF;
}

bool proc_is_alive(int pidfd)
{
	struct pollfd event = { .fd = pidfd, .events = POLLIN };

	return poll(&event, 1, 0) == 0;
}

int proc_open(pid_t pid, __u64 start)
{
	CLEAN_FD int pidfd = pidfd_open(pid, 0);
	__u64 now = 0;

	if (pidfd < 0 || proc_start(pid, &now) || now != start || !proc_is_alive(pidfd))
		return -ESRCH;
	return TAKE_FD(pidfd);
}

int proc_cgroup(pid_t pid, char **ret_path)
{
	CLEAN_FILE FILE *file = open_proc(pid, "cgroup");
	CLEAN_FREE char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*ret_path = strdup(line + 3);
		return *ret_path ? 0 : -ENOMEM;
	}
	return -ESRCH;
}

bool proc_in_cgroup(const char *root, pid_t pid, bool (*match)(void *context, __u64 cgroup),
		    void *context)
{
	CLEAN_FREE char *path = NULL;
	CLEAN_FREE char *full = NULL;

	/* "/..": outside of what we see. */
	if (proc_cgroup(pid, &path) || strncmp(path, "/..", 3) == 0)
		return true;
	if (asprintf(&full, "%s%s", root, strcmp(path, "/") == 0 ? "" : path) < 0) {
		full = NULL;
		return true;
	}
	while (strlen(full) > strlen(root)) {
		CLEAN_FD int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		__u64 id = 0;

		if (fd < 0 || cgroup_id(fd, &id) || match(context, id))
			return true;
		*strrchr(full, '/') = '\0';
	}
	return false;
}

/* Lines of cgroup.procs. */
static size_t count_here(int fd)
{
	CLEAN_FD int file = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char text[4096];
	size_t count = 0;
	ssize_t n;

	while (file >= 0 && (n = read(file, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			count += text[i] == '\n';
	}
	return count;
}

static size_t count_tree(int fd, int depth)
{
	size_t count = count_here(fd);
	int copy = depth ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *child;

	if (!dir) {
		mem_close_fd(&copy);
		return count;
	}
	while ((child = readdir(dir))) {
		CLEAN_FD int below = -1;

		if (child->d_type != DT_DIR || child->d_name[0] == '.')
			continue;
		below = openat(fd, child->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			count += count_tree(below, depth - 1);
	}
	(void)closedir(dir);
	return count;
}

size_t proc_count(int fd)
{
	return count_tree(fd, DEPTH_MAX);
}

static bool descends(pid_t pid, pid_t ancestor)
{
	struct proc_facts facts;

	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		if (pid == ancestor)
			return true;
		if (proc_read(pid, &facts))
			return false;
		pid = facts.parent;
	}
	return pid == ancestor;
}

bool proc_owns_cgroup(int fd, pid_t pid)
{
	int procs = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	CLEAN_FILE FILE *file = procs < 0 ? NULL : fdopen(procs, "re");
	char line[32];
	bool owns = file != NULL;

	if (!file)
		mem_close_fd(&procs);
	while (owns && fgets(line, sizeof(line), file))
		owns = descends((pid_t)strtol(line, NULL, 10), pid);
	return owns;
}
