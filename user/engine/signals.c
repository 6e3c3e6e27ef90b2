/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGTSTP keeps its default: Ctrl-Z stops the command and picket alike (one group), while the kernel
 * goes on enforcing.
 */
#include "engine/signals.h"

#include <errno.h>

#include "base/mem.h"

static const int passed_on[] = {
	SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH, SIGALRM,
};

static const int ending[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

/* What our parent made us ignore, the command ignores too; it is none of our business. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_take(struct signals *ret_signals)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct signals signals = SIGNALS_NONE;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
		if (!is_ignored(passed_on[i]))
			(void)sigaddset(&set, passed_on[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, &signals.before))
		return -errno;
	if (sigaction(SIGPIPE, &ignore, &signals.pipe) ||
	    sigaction(SIGTTOU, &ignore, &signals.ttou) ||
	    /* Ignored, it would make the kernel forget how the command ended. */
	    sigaction(SIGCHLD, &standard, &signals.child))
		return -errno;
	signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals.fd < 0)
		return -errno;
	*ret_signals = signals;
	return 0;
}

bool signals_next(const struct signals *signals, struct signalfd_siginfo *ret_info)
{
	return read(signals->fd, ret_info, sizeof(*ret_info)) == sizeof(*ret_info);
}

int signals_end_requested(const struct signals *signals)
{
	struct signalfd_siginfo info;
	int end = 0;

	while (signals_next(signals, &info)) {
		for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
			if (info.ssi_signo == (unsigned int)ending[i])
				end = ending[i];
		}
	}
	return end;
}

bool signals_is_passed_on(const struct signalfd_siginfo *info)
{
	return info->ssi_signo != SIGCHLD && info->ssi_code != SI_KERNEL;
}

void signals_restore(const struct signals *signals)
{
	(void)sigaction(SIGPIPE, &signals->pipe, NULL);
	(void)sigaction(SIGTTOU, &signals->ttou, NULL);
	(void)sigaction(SIGCHLD, &signals->child, NULL);
	(void)sigprocmask(SIG_SETMASK, &signals->before, NULL);
}

void signals_reset(struct signals *signals)
{
	if (signals->fd >= 0) {
		/* What came too late to be passed on must not end us half way. */
		(void)signals_end_requested(signals);
		signals_restore(signals);
	}
	mem_close_fd(&signals->fd);
}
