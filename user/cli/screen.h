/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A terminal taken over for a view that is drawn anew again and again, and given back as it was.
 */
#ifndef PICKET_CLI_SCREEN_H
#define PICKET_CLI_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/** screen_close() ends it. */
struct screen {
	int signal_fd; /* SIGINT, SIGTERM, SIGHUP, SIGWINCH; -1 = none */
	sigset_t mask; /* as it was */
	struct termios modes; /* as they were */
	bool full; /* the terminal is ours, else there is none */
	bool keys; /* standard input is one, and gives single keys */
	size_t rows;
	size_t columns; /* 0 = no limit */
};

/** What ended a wait. */
enum screen_event {
	SCREEN_TICK, /* time is over */
	SCREEN_DRAW, /* another size: draw again */
	SCREEN_END, /* q, or a signal */
};

/** Take signals over and, when standard output is a terminal, that. Returns 0 or -errno. */
int screen_open(struct screen *screen);

/** Wait @ms at most. */
enum screen_event screen_wait(struct screen *screen, int ms);

/** Begin a new picture: the first line, everything below gone. Nothing without a terminal. */
void screen_clear(const struct screen *screen);

/** Give everything back. */
void screen_close(struct screen *screen);

#endif
