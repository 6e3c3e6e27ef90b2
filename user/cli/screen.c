/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain escape sequences that every terminal of the last decades knows. Signals are taken by a
 * descriptor, so that the terminal is given back whatever ends the view.
 */
#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"

/* Another screen than the one with the shell's lines, and no cursor; the way back. */
#define ENTER "\x1b[?1049h\x1b[?25l"
#define LEAVE "\x1b[?25h\x1b[?1049l"
#define HOME_AND_CLEAR "\x1b[H\x1b[J"

static void measure(struct screen *screen)
{
	struct winsize size = { 0 };

	screen->rows = 24;
	screen->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		screen->rows = size.ws_row;
		screen->columns = size.ws_col;
	}
}

static void take_terminal(struct screen *screen)
{
	struct termios modes;

	screen->full = true;
	measure(screen);
	(void)fputs(ENTER, stdout);
	if (tcgetattr(STDIN_FILENO, &screen->modes) != 0)
		return;
	modes = screen->modes;
	modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	screen->keys = tcsetattr(STDIN_FILENO, TCSANOW, &modes) == 0;
}

int screen_open(struct screen *screen)
{
	sigset_t mask;

	*screen = (struct screen){ .signal_fd = -1 };
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGINT);
	(void)sigaddset(&mask, SIGTERM);
	(void)sigaddset(&mask, SIGHUP);
	(void)sigaddset(&mask, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &mask, &screen->mask) < 0)
		return -errno;
	screen->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen->signal_fd < 0) {
		int r = -errno;

		(void)sigprocmask(SIG_SETMASK, &screen->mask, NULL);
		return r;
	}
	if (isatty(STDOUT_FILENO) == 1)
		take_terminal(screen);
	return 0;
}

static enum screen_event take_signal(struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return SCREEN_DRAW;
	if (info.ssi_signo != SIGWINCH)
		return SCREEN_END;
	if (screen->full)
		measure(screen);
	return SCREEN_DRAW;
}

enum screen_event screen_wait(struct screen *screen, int ms)
{
	struct pollfd fds[] = {
		{ .fd = screen->signal_fd, .events = POLLIN },
		{ .fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	char key = 0;
	int n = poll(fds, 3, ms);

	if (n <= 0)
		return n < 0 && errno == EINTR ? SCREEN_DRAW : SCREEN_TICK;
	if (fds[0].revents)
		return take_signal(screen);
	if (fds[2].revents)
		return SCREEN_END; /* nobody reads */
	/* A terminal that hung up reads as its end. */
	if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q' || key == 3)
		return SCREEN_END;
	return SCREEN_DRAW;
}

void screen_clear(const struct screen *screen)
{
	if (screen->full)
		(void)fputs(HOME_AND_CLEAR, stdout);
}

void screen_close(struct screen *screen)
{
	if (screen->full) {
		(void)fputs(LEAVE, stdout);
		(void)fflush(stdout);
	}
	if (screen->keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &screen->modes);
	if (screen->signal_fd >= 0)
		(void)sigprocmask(SIG_SETMASK, &screen->mask, NULL);
	mem_close_fd(&screen->signal_fd);
	screen->full = false;
	screen->keys = false;
}
