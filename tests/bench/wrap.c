/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrap: run a program under another mechanism of the kernel, each as cheap as it can be: everything
 * is allowed.
 *
 *   wrap landlock RULES COMMAND [ARG...]   a Landlock domain: / for reading and running, the current
 *                                          folder for everything, and more rules about other folders
 *   wrap notify COMMAND [ARG...]           seccomp user notification on opens, answered by a process
 *   wrap fanotify COMMAND [ARG...]         permission events on the current folder's mount, likewise
 *
 * Statically linked. Exit status: the program's; 125: the mechanism is not to be had.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_AND_RUN                                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* All that the first version knows. */
#define EVERYTHING ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define EVENTS_ROOM 8192

static void die(const char *what)
{
	fprintf(stderr, "wrap: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void become(char **command)
{
	execvp(command[0], command);
	die(command[0]);
}

static void add_rule(int ruleset, const char *path, __u64 access)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};

	if (rule.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ||
	    close(rule.parent_fd))
		die(path);
}

static void landlock(long rules, char **command)
{
	struct landlock_ruleset_attr attributes = { .handled_access_fs = EVERYTHING };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	char path[64];

	if (ruleset < 0)
		die("landlock");
	add_rule(ruleset, "/", READ_AND_RUN);
	add_rule(ruleset, ".", EVERYTHING);
	for (long i = 2; i < rules; i++) {
		(void)snprintf(path, sizeof(path), "rule%ld", i);
		if (mkdir(path, 0755) && errno != EEXIST)
			die(path);
		add_rule(ruleset, path, READ_AND_RUN);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0))
		die("landlock");
	become(command);
}

static int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* In a process of its own: every call goes on. */
static void answer_calls(int listener)
{
	struct seccomp_notif request;

	for (;;) {
		struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		memset(&request, 0, sizeof(request));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request)) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			die("receive a notification");
		}
		answer.id = request.id;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) && errno != ENOENT)
			die("answer a notification");
	}
}

static int notify(char **command)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };
	pid_t supervisor;
	int listener;
	pid_t worker;
	int status;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		die("seccomp");
	supervisor = fork();
	if (supervisor == 0)
		answer_calls(listener);
	worker = supervisor < 0 ? -1 : fork();
	if (worker == 0)
		become(command);
	if (worker < 0)
		die("fork");
	status = wait_for(worker);
	(void)kill(supervisor, SIGKILL);
	(void)wait_for(supervisor);
	return status;
}

/* In a process of its own: every open is allowed. */
static void answer_opens(int group)
{
	static char room[EVENTS_ROOM]
		__attribute__((aligned(__alignof__(struct fanotify_event_metadata))));

	for (;;) {
		ssize_t length = read(group, room, sizeof(room));
		const struct fanotify_event_metadata *event = (const void *)room;

		if (length < 0 && errno != EINTR)
			die("read events");
		for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length)) {
			struct fanotify_response answer = { event->fd, FAN_ALLOW };

			if (write(group, &answer, sizeof(answer)) < 0 || close(event->fd))
				die("answer an event");
		}
	}
}

static int fanotify(char **command)
{
	int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
	pid_t supervisor;
	pid_t worker;
	int status;

	if (group < 0)
		die("fanotify");
	supervisor = fork();
	if (supervisor == 0)
		answer_opens(group);
	if (supervisor < 0 ||
	    fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN_PERM, AT_FDCWD, "."))
		die("fanotify");
	worker = fork();
	if (worker == 0)
		become(command);
	if (worker < 0)
		die("fork");
	status = wait_for(worker);
	(void)fanotify_mark(group, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, ".");
	(void)kill(supervisor, SIGKILL);
	(void)wait_for(supervisor);
	return status;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "landlock") == 0)
		landlock(strtol(argv[2], NULL, 10), argv + 3);
	if (argc >= 3 && strcmp(argv[1], "notify") == 0)
		return notify(argv + 2);
	if (argc >= 3 && strcmp(argv[1], "fanotify") == 0)
		return fanotify(argv + 2);
	fprintf(stderr, "usage: wrap landlock RULES|notify|fanotify COMMAND [ARG...]\n");
	return 2;
}
