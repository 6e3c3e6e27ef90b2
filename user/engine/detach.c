/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links are only descriptors: whoever closes the last copy of one waits until no CPU runs the
 * program any more. The helper holds copies of the links and of nothing else, so that neither a
 * pipe's reader nor a terminal nor a file system to be unmounted waits for it.
 *
 * One helper at a time: runs that follow each other faster than the kernel lets go of programs would
 * pile them up, and every start waits for the same locks of the kernel. The turn is the name of an
 * abstract socket; whoever else takes that name makes runs wait for their own detaching, no more.
 */
#include "engine/detach.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
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

/* The turn, or -1 when a helper is at work. Its number is above those of the links: it goes last. */
static int take_turn(void)
{
	static const char name[] = "picket-detach";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path + 1, name, sizeof(name) - 1);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name))))
		mem_close_fd(&fd);
	return fd;
}

static void __attribute__((noreturn)) hold(const struct loader *loader, int turn, int end)
{
	struct descriptors keep = { 0 };
	int r = descriptors_add(&keep, turn);
	char byte;

	if (r == 0)
		r = descriptors_add(&keep, end);
	leave();
	for (size_t i = 0; r == 0 && i < loader->link_count; i++)
		r = descriptors_add(&keep, bpf_link__fd(loader->links[i]));
	if (r == 0)
		r = descriptors_close_others(&keep, true);
	/* The end of the pipe: the caller has closed its copies, ours are the last. */
	if (r == 0)
		(void)!read(end, &byte, 1);
	_exit(r ? 1 : 0);
}

void detach_later(struct loader *loader)
{
	CLEAN_FD int turn = loader->link_count ? take_turn() : -1;
	CLEAN_FD int end = -1;
	int pipes[2];

	if (turn < 0 || pipe2(pipes, O_CLOEXEC)) {
		loader_close(loader);
		return;
	}
	end = pipes[1];
	if (fork() == 0) {
		(void)close(pipes[1]);
		hold(loader, turn, pipes[0]);
	}
	(void)close(pipes[0]);
	loader_close(loader);
}
