/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child shares nothing with us but descriptors without CLOEXEC. What can fail for want of memory
 * or of name services is done in the parent, before there is a child.
 */
#include "engine/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/mem.h"

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

static void __attribute__((noreturn)) run_child(const struct spawn_request *request, int report)
{
	struct spawn_failure failure = { .stage = SPAWN_STAGE_USER };

	if (request->signals)
		signals_restore(request->signals);
	failure.error = request->user ? become(request->user) : 0;
	if (failure.error == 0) {
		(void)execvp(request->argv[0], request->argv);
		failure.stage = SPAWN_STAGE_EXEC;
		failure.error = errno;
	}
	/* The exit code tells the essence if the report gets lost. */
	(void)!write(report, &failure, sizeof(failure));
	_exit(failure.stage == SPAWN_STAGE_EXEC && failure.error == ENOENT ? SPAWN_EXIT_NOT_FOUND :
									     SPAWN_EXIT_CANNOT);
}

int spawn_start(const struct spawn_request *request, struct spawn *ret_spawn,
		struct diag_list *diags)
{
	CLEAN(spawn_reset) struct spawn spawn = SPAWN_NONE;
	CLEAN_FD int writer = -1;
	int pipes[2];
	int r = pipe2(pipes, O_CLOEXEC) ? -errno : 0;

	if (r == 0) {
		spawn.report = pipes[0];
		writer = pipes[1];
		spawn.pid = spawn_fork(request->cgroup_fd, &spawn.pidfd);
		r = spawn.pid < 0 ? spawn.pid : 0;
	}
	if (r) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "cannot start a process in the agent's cgroup: %s",
				   strerror(-r)),
			  "%s",
			  r == -ENODEV || r == -ENOENT ?
				  "something removed the cgroup; start again" :
				  "check the limits on processes, and 'cgroup.type'");
		return r;
	}
	if (spawn.pid == 0)
		run_child(request, writer);
	*ret_spawn = spawn;
	spawn = (struct spawn)SPAWN_NONE;
	return 0;
}

bool spawn_failed(const struct spawn *spawn, struct spawn_failure *ret_failure)
{
	return read(spawn->report, ret_failure, sizeof(*ret_failure)) == sizeof(*ret_failure);
}

void spawn_reset(struct spawn *spawn)
{
	mem_close_fd(&spawn->pidfd);
	mem_close_fd(&spawn->report);
	spawn->pid = 0;
}

int spawn_exit_code(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}
