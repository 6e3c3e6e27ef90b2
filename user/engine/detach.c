/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links are only descriptors: whoever closes the last copy of one waits until no CPU runs the
 * program any more. The helper holds copies of the links and of nothing else, so that neither a
 * pipe's reader nor a terminal nor a file system to be unmounted waits for it.
 */
#include "engine/detach.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/descriptors.h"

/* Leave session, signals, directory and standard descriptors of the caller. */
static void leave(void)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_NAME, "picket-detach");
	(void)setsid();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)!chdir("/");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (null < 0 || dup2(null, fd) < 0)
			(void)close(fd);
	}
}

static void __attribute__((noreturn)) hold(const struct loader *loader, int turn)
{
	struct descriptors keep = { 0 };
	int r = descriptors_add(&keep, turn);
	char byte;

	leave();
	for (size_t i = 0; r == 0 && i < loader->link_count; i++)
		r = descriptors_add(&keep, bpf_link__fd(loader->links[i]));
	if (r == 0)
		r = descriptors_close_others(&keep, true);
	/* The end of the pipe: the caller has closed its copies, ours are the last. */
	if (r == 0)
		(void)!read(turn, &byte, 1);
	_exit(r ? 1 : 0);
}

void detach_later(struct loader *loader)
{
	CLEAN_FD int turn = -1;
	int pipes[2];
	pid_t pid;

	if (loader->link_count == 0 || pipe2(pipes, O_CLOEXEC)) {
		loader_close(loader);
		return;
	}
	turn = pipes[1];
	pid = fork();
	if (pid == 0) {
		(void)close(pipes[1]);
		hold(loader, pipes[0]);
	}
	(void)close(pipes[0]);
	loader_close(loader);
}
