/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard output is polled too: a reader that went away is known before the next line.
 */
#include "cli/daemon_follow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

int daemon_follow(const char *command, struct control *control)
{
	struct pollfd fds[] = {
		{ .fd = control->fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	int r = control_read(control);

	while (r == 0) {
		if (fflush(stdout) || ferror(stdout))
			return CLI_OK; /* said at the end of every command */
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			r = -errno;
		else if (fds[1].revents & (POLLERR | POLLNVAL))
			return CLI_OK;
		else
			r = control_read(control);
	}
	(void)fflush(stdout);
	return cli_error(command, r == -EPIPE ? "picketd is gone" : "cannot read from picketd: %s",
			 strerror(-r));
}
