/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A number is looked at before and after with a pidfd at hand: what was read between is the process's.
 */
#include "daemon/ask_process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "daemon/proc.h"

#define PROC_PATH_SIZE 64
/* Stands for what is too long. */
#define CUT "..."

/* Fields of /proc count in these whatever the kernel's own ticks are. */
static __u64 ticks_of(__u64 ns)
{
	return ns / (1000000000ULL / (__u64)sysconf(_SC_CLK_TCK));
}

int ask_process_open(const struct pk_event *head)
{
	return head->tgid ? proc_open((pid_t)head->tgid, ticks_of(head->start_ns)) : -ESRCH;
}

bool ask_process_lives(__u32 tgid, __u64 start_ns)
{
	__u64 start = 0;

	return proc_start((pid_t)tgid, &start) == 0 && start == ticks_of(start_ns);
}

static void set_escaped(json_t *to, const char *key, const char *bytes, size_t length)
{
	CLEAN_FREE char *text = escape_string(bytes, length, 0);

	if (text)
		(void)json_object_set_new(to, key, json_string(text));
}

static void set_link(json_t *to, const char *key, pid_t pid, const char *name)
{
	char path[PROC_PATH_SIZE];
	char target[ASK_PATH_MAX + sizeof(CUT)];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	length = readlink(path, target, ASK_PATH_MAX + 1);
	if (length > ASK_PATH_MAX) {
		memcpy(target + ASK_PATH_MAX, CUT, sizeof(CUT) - 1);
		length = ASK_PATH_MAX + sizeof(CUT) - 1;
	}
	if (length > 0)
		set_escaped(to, key, target, (size_t)length);
}

static void set_comm(json_t *to, pid_t pid)
{
	char path[PROC_PATH_SIZE];
	CLEAN_FILE FILE *file = NULL;
	char name[64] = "";

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, sizeof(name), file))
		return;
	name[strcspn(name, "\n")] = '\0';
	set_escaped(to, "comm", name, strlen(name));
}

static json_t *split(const char *bytes, size_t length, bool cut)
{
	json_t *list = json_array();

	while (list && length > 0 && json_array_size(list) < ASK_ARGV_MAX) {
		size_t word = strnlen(bytes, length);
		CLEAN_FREE char *text = escape_string(bytes, word, 0);

		if (!text || json_array_append_new(list, json_string(text)))
			return list;
		word += word < length ? 1 : 0;
		bytes += word;
		length -= word;
	}
	if (list && (cut || length > 0))
		(void)json_array_append_new(list, json_string("..."));
	return list;
}

static void set_argv(json_t *to, pid_t pid)
{
	char path[PROC_PATH_SIZE];
	char bytes[ASK_ARGV_BYTES + 1];
	CLEAN_FD int fd = -1;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	if (length <= 0)
		return;
	if (length > ASK_ARGV_BYTES)
		(void)json_object_set_new(to, "argv", split(bytes, ASK_ARGV_BYTES, true));
	else
		(void)json_object_set_new(to, "argv", split(bytes, (size_t)length, false));
}

static bool is_cgroup(void *context, __u64 cgroup)
{
	return cgroup == *(const __u64 *)context;
}

/* The parents that are the agent's, the nearest first. */
static json_t *make_chain(pid_t pid, const char *root, __u64 cgroup)
{
	json_t *chain = json_array();
	struct proc_facts facts;

	while (chain && json_array_size(chain) < ASK_CHAIN_MAX && proc_read(pid, &facts) == 0) {
		json_t *one;

		pid = facts.parent;
		if (pid <= 1 || !proc_in_cgroup(root, pid, is_cgroup, &cgroup))
			break;
		one = json_pack("{s:i}", "pid", (int)pid);
		if (one) {
			set_comm(one, pid);
			set_link(one, "exe", pid, "exe");
		}
		if (json_array_append_new(chain, one))
			break;
	}
	return chain;
}

/* What is read while it may have become another one is thrown away by the caller. */
static json_t *read_live(pid_t pid, const char *root, __u64 cgroup)
{
	json_t *live = json_object();

	if (!live)
		return NULL;
	set_link(live, "exe", pid, "exe");
	set_argv(live, pid);
	set_link(live, "cwd", pid, "cwd");
	(void)json_object_set_new(live, "chain", make_chain(pid, root, cgroup));
	return live;
}

json_t *ask_process(const struct event *event, const char *root, __u64 cgroup)
{
	const struct pk_event *head = &event->head;
	CLEAN_FD int pidfd = ask_process_open(head);
	json_t *process = json_pack("{s:I, s:I, s:I}", "pid", (json_int_t)head->tgid, "tid",
				    (json_int_t)head->tid, "uid", (json_int_t)head->uid);
	json_t *live = pidfd < 0 ? NULL : read_live((pid_t)head->tgid, root, cgroup);

	if (process) {
		set_escaped(process, "comm", event->comm, strlen(event->comm));
		if (live && proc_is_alive(pidfd))
			(void)json_object_update(process, live);
	}
	json_decref(live);
	return process;
}
