/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing is looked at beforehand: what the call says is what counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ask_acts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "hub_world.h"

static int result_of(long r)
{
	return r < 0 ? errno : 0;
}

static int act_connect(void)
{
	return -hub_world_connect();
}

static int act_send(void)
{
	CLEAN_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return result_of(sendto(fd, "x", 1, 0, (struct sockaddr *)&hub_world.address,
				sizeof(hub_world.address)));
}

static int act_send_connected(void)
{
	CLEAN_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&hub_world.address, sizeof(hub_world.address)))
		return EIO;
	return result_of(send(fd, "x", 1, 0));
}

static int act_open(void)
{
	CLEAN_FD int fd = open(ASK_FOLDER "/file", O_WRONLY | O_TRUNC | O_CLOEXEC);

	return result_of(fd);
}

static int act_create(void)
{
	CLEAN_FD int fd = open(ASK_FOLDER "/new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return result_of(fd);
}

static int act_unlink(void)
{
	return result_of(unlink(ASK_FOLDER "/file"));
}

static int act_rename(void)
{
	return result_of(rename(ASK_FOLDER "/file", ASK_FOLDER "/other"));
}

static int act_mkdir(void)
{
	return result_of(mkdir(ASK_FOLDER "/folder", 0700));
}

static int act_chmod(void)
{
	return result_of(chmod(ASK_FOLDER "/file", 0640));
}

/* The process itself becomes the program: it is the one that is looked at. */
static int act_exec(void)
{
	execl(ASK_FOLDER "/program", ASK_FOLDER "/program", "0", (char *)NULL);
	return errno;
}

static int act_command(void)
{
	execl(ASK_FOLDER "/command", ASK_FOLDER "/command", "0", (char *)NULL);
	return errno;
}

int ask_act_vfork(void)
{
	pid_t pid = vfork();
	int status = 0;

	if (pid == 0) {
		execl(ASK_FOLDER "/program", ASK_FOLDER "/program", "0", (char *)NULL);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) != pid)
		return EIO;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int act_namespace(void)
{
	return result_of(unshare(CLONE_NEWUSER));
}

static void *open_in_thread(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)act_open();
}

static int act_thread(void)
{
	void *result = NULL;
	pthread_t thread;

	if (pthread_create(&thread, NULL, open_in_thread, NULL) || pthread_join(thread, &result))
		return EIO;
	return (int)(intptr_t)result;
}

const struct ask_act ask_acts[] = {
	{ "connect", act_connect, EPERM, true },
	{ "sendto", act_send, EPERM, true },
	{ "send", act_send_connected, EPERM, true },
	{ "open", act_open, EACCES, false },
	{ "create", act_create, EACCES, false },
	{ "unlink", act_unlink, EACCES, false },
	{ "rename", act_rename, EACCES, false },
	{ "mkdir", act_mkdir, EACCES, false },
	{ "chmod", act_chmod, EACCES, false },
	{ "exec", act_exec, -SIGKILL, false },
	{ "command", act_command, -SIGKILL, false },
	{ "user namespace", act_namespace, EPERM, false },
	{ "open in a thread", act_thread, EACCES, false },
};

const size_t ask_act_count = sizeof(ask_acts) / sizeof(ask_acts[0]);
