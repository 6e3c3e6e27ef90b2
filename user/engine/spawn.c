/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child shares nothing with us but the standard descriptors and pipes. What can fail for want of
 * memory or of name services is done in the parent, before there is a child.
 */
#include "engine/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/cgroup.h"
#include "engine/descriptors.h"

pid_t spawn_fork(int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (__u64)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (__u64)cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

static int load_groups(struct spawn_user *user)
{
	int count = 64;

	for (;;) {
		gid_t *groups = reallocarray(user->groups, (size_t)count, sizeof(*groups));
		int room = count;

		if (!groups)
			return -ENOMEM;
		user->groups = groups;
		if (getgrouplist(user->name, user->gid, groups, &count) >= 0)
			break;
		if (count <= room)
			return -E2BIG;
	}
	user->group_count = count;
	return 0;
}

static const struct passwd *find_account(const char *name)
{
	const struct passwd *account = getpwnam(name);
	char *end = NULL;
	unsigned long number;

	if (account || *name < '0' || *name > '9')
		return account;
	errno = 0;
	number = strtoul(name, &end, 10);
	if (errno || *end || number >= UINT32_MAX)
		return NULL;
	errno = 0;
	return getpwuid((uid_t)number);
}

int spawn_user_find(const char *name, struct spawn_user *ret_user, struct diag_list *diags)
{
	CLEAN(spawn_user_reset) struct spawn_user user = { 0 };
	const struct passwd *account;
	int r;

	errno = 0;
	account = find_account(name);
	if (!account) {
		r = errno ? -errno : -ENOENT;
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "there is no user '%s'%s%s", name,
				   errno ? ": " : "", errno ? strerror(errno) : ""),
			  "give a name or a number of the passwd database");
		return r;
	}
	user.uid = account->pw_uid;
	user.gid = account->pw_gid;
	user.name = strdup(account->pw_name);
	user.home = strdup(account->pw_dir);
	user.shell =
		strdup(account->pw_shell && *account->pw_shell ? account->pw_shell : "/bin/sh");
	r = user.name && user.home && user.shell ? load_groups(&user) : -ENOMEM;
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot read the groups of user '%s': %s",
			       name, strerror(-r));
		return r;
	}
	*ret_user = user;
	user = (struct spawn_user){ 0 };
	return 0;
}

void spawn_user_reset(struct spawn_user *user)
{
	mem_free_ptr(&user->groups);
	mem_free_ptr(&user->name);
	mem_free_ptr(&user->home);
	mem_free_ptr(&user->shell);
	*user = (struct spawn_user){ 0 };
}

static int become(const struct spawn_user *user)
{
	if (setgroups((size_t)user->group_count, user->groups) ||
	    setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return errno;
	if (setenv("HOME", user->home, 1) || setenv("USER", user->name, 1) ||
	    setenv("LOGNAME", user->name, 1) || setenv("SHELL", user->shell, 1))
		return errno;
	return 0;
}

/* What both sides of a start hold besides the child. */
struct start {
	const struct spawn_request *request;
	struct descriptors keep; /* what the program inherits */
	int report[2]; /* from the child: struct spawn_failure */
	int go[2]; /* to the child: the listener is taken over */
};

static void start_reset(struct start *start)
{
	descriptors_reset(&start->keep);
	for (int i = 0; i < 2; i++) {
		mem_close_fd(&start->report[i]);
		mem_close_fd(&start->go[i]);
	}
}

static bool has_filter(const struct spawn_request *request)
{
	return request->filter && request->filter->count > 0;
}

static int tell(const struct start *start, enum spawn_stage stage, int number)
{
	const struct spawn_failure notice = { .stage = stage, .error = number };

	return write(start->report[1], &notice, sizeof(notice)) == sizeof(notice) ? 0 : EPIPE;
}

/*
 * The parent is told the number before there is a listener, and takes it as soon as there is one: a
 * filter may refuse any call that would tell it afterwards.
 */
static int load_filter(const struct start *start)
{
	int lowest = dup(start->report[1]);
	int r;

	if (lowest < 0 || close(lowest))
		return EMFILE;
	r = tell(start, SPAWN_STAGE_LISTENER, lowest);
	if (r)
		return r;
	r = seccomp_filter_load(start->request->filter);
	return r < 0 ? -r : 0;
}

/*
 * All that needs privileges comes before the process is moved into the cgroup, where the policy
 * judges it. Then it waits for that: without the byte it was not moved, and nothing may run.
 */
static int prepare_child(const struct start *start, enum spawn_stage *ret_stage)
{
	const struct spawn_request *request = start->request;
	int error = -descriptors_close_others(&start->keep, false);
	char byte;

	*ret_stage = SPAWN_STAGE_FDS;
	if (!error && request->user) {
		*ret_stage = SPAWN_STAGE_USER;
		error = become(request->user);
	}
	if (!error) {
		*ret_stage = SPAWN_STAGE_FILTER;
		error = has_filter(request) ? load_filter(start) :
					      tell(start, SPAWN_STAGE_READY, 0);
	}
	if (!error) {
		*ret_stage = SPAWN_STAGE_JOIN;
		error = read(start->go[0], &byte, 1) == 1 ? 0 : ECANCELED;
	}
	return error;
}

static void __attribute__((noreturn)) run_child(struct start *start)
{
	const struct spawn_request *request = start->request;
	struct spawn_failure failure = { 0 };

	if (request->signals)
		signals_restore(request->signals);
	mem_close_fd(&start->report[0]);
	mem_close_fd(&start->go[1]);
	failure.error = prepare_child(start, &failure.stage);
	if (failure.error == 0) {
		(void)execvp(request->argv[0], request->argv);
		failure.stage = SPAWN_STAGE_EXEC;
		failure.error = errno;
	}
	/* The exit code tells the essence if the report gets lost. */
	(void)!write(start->report[1], &failure, sizeof(failure));
	_exit(failure.stage == SPAWN_STAGE_EXEC && failure.error == ENOENT ? SPAWN_EXIT_NOT_FOUND :
									     SPAWN_EXIT_CANNOT);
}

/* Take the child's descriptor @number when it appears; -ESRCH when the child ends before. */
static int take_listener(int pidfd, int number)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	for (;;) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);

		if (fd >= 0 || errno != EBADF)
			return fd >= 0 ? fd : -errno;
		if (poll(&end, 1, 1) > 0)
			return -ESRCH;
	}
}

/* A child that fails before it is ready says so, or ends: there is nobody to confine. */
static int confine(struct start *start, struct spawn *spawn)
{
	struct spawn_failure notice;
	int r;

	mem_close_fd(&start->report[1]);
	if (read(spawn->report, &notice, sizeof(notice)) != sizeof(notice))
		return 0;
	if (notice.stage < SPAWN_STAGE_READY) {
		spawn->early = notice;
		return 0;
	}
	if (notice.stage == SPAWN_STAGE_LISTENER) {
		r = take_listener(spawn->pidfd, notice.error);
		if (r < 0)
			return r == -ESRCH ? 0 : r;
		spawn->listener = r;
	}
	r = start->request->join ? start->request->join(start->request->context, spawn) :
				   cgroup_join(start->request->cgroup_fd, spawn->pid);
	if (r)
		return r;
	return write(start->go[1], "", 1) == 1 ? 0 : -errno;
}

static int start_child(struct start *start, struct spawn *spawn)
{
	int r = descriptors_find(start->request->keep_fds, &start->keep);

	if (r == 0)
		r = pipe2(start->report, O_CLOEXEC) || pipe2(start->go, O_CLOEXEC) ? -errno : 0;
	if (r)
		return r;
	spawn->pid = spawn_fork(-1, &spawn->pidfd);
	if (spawn->pid < 0)
		return spawn->pid;
	if (spawn->pid == 0)
		run_child(start);
	spawn->report = TAKE_FD(start->report[0]);
	return 0;
}

int spawn_new_keyring(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return 0;
	return errno == ENOSYS || errno == EPERM ? 0 : -errno;
}

static int fail_start(struct diag_list *diags, int error)
{
	/* Who joins says why not. */
	if (diag_has_errors(diags))
		return error;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "cannot start a process in the agent's cgroup: %s", strerror(-error)),
		  "%s",
		  error == -ENODEV || error == -ENOENT ?
			  "something removed the cgroup; start again" :
			  "check the limits on processes, 'cgroup.type', and for a policy with "
			  "the section 'syscalls' /proc/sys/kernel/yama/ptrace_scope");
	return error;
}

int spawn_start(const struct spawn_request *request, struct spawn *ret_spawn,
		struct diag_list *diags)
{
	CLEAN(start_reset)
	struct start start = { .request = request, .report = { -1, -1 }, .go = { -1, -1 } };
	CLEAN(spawn_reset) struct spawn spawn = SPAWN_NONE;
	int r = spawn_new_keyring();

	if (r) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot make a session keyring: %s",
				   strerror(-r)),
			  "check the quota on keys, '/proc/sys/kernel/keys'");
		return r;
	}
	r = start_child(&start, &spawn);
	if (r == 0)
		r = confine(&start, &spawn);
	if (r) {
		if (spawn.pidfd >= 0)
			(void)pidfd_send_signal(spawn.pidfd, SIGKILL, NULL, 0);
		return fail_start(diags, r);
	}
	*ret_spawn = spawn;
	spawn = (struct spawn)SPAWN_NONE;
	return 0;
}

bool spawn_failed(const struct spawn *spawn, struct spawn_failure *ret_failure)
{
	if (spawn->early.stage) {
		*ret_failure = spawn->early;
		return true;
	}
	return read(spawn->report, ret_failure, sizeof(*ret_failure)) == sizeof(*ret_failure);
}

void spawn_reset(struct spawn *spawn)
{
	mem_close_fd(&spawn->pidfd);
	mem_close_fd(&spawn->report);
	mem_close_fd(&spawn->listener);
	spawn->pid = 0;
}

int spawn_exit_code(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}
