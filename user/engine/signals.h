/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signals of `picket run`: blocked, read from a descriptor, and passed on to the command unless
 * it got them already.
 */
#ifndef PICKET_ENGINE_SIGNALS_H
#define PICKET_ENGINE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>

/** Signals taken over from the process. */
struct signals {
	int fd; /* signalfd, non-blocking; -1 = none */
	sigset_t before; /* the mask to give the command */
	struct sigaction pipe; /* its action for SIGPIPE */
	struct sigaction ttou; /* its action for SIGTTOU */
	struct sigaction child; /* its action for SIGCHLD */
};

/** An empty value. */
#define SIGNALS_NONE                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/**
 * Block SIGCHLD and what is passed on, unless it is ignored (nohup), and ignore SIGPIPE and SIGTTOU (a background picket still writes
 * to its terminal). Returns 0 or -errno.
 */
int signals_take(struct signals *ret_signals);

/** The next signal that waits, without waiting for one. Returns true when there was one. */
bool signals_next(const struct signals *signals, struct signalfd_siginfo *ret_info);

/** The number of a waiting signal that asks us to end, else 0. Other waiting ones are forgotten. */
int signals_end_requested(const struct signals *signals);

/**
 * Should the command be sent this signal? Not SIGCHLD; not what the kernel sent, because a terminal
 * sends to the whole foreground group, the command included.
 */
bool signals_is_passed_on(const struct signalfd_siginfo *info);

/** Give mask and actions back as they were; also for a child before it runs a program. */
void signals_restore(const struct signals *signals);

/** Restore, and close the descriptor. Accepts empty signals. */
void signals_reset(struct signals *signals);

#endif
