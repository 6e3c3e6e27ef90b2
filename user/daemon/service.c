/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Without NOTIFY_SOCKET all of this does nothing. The library is used for the protocol only.
 */
#include "daemon/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <linux/types.h>

void service_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void service_reloading(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
			 (unsigned long long)now.tv_sec * 1000000ULL +
				 (unsigned long long)now.tv_nsec / 1000);
}

void service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void service_status(const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	(void)sd_notifyf(0, "STATUS=%s", text);
}

void service_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

unsigned int service_watchdog_ms(void)
{
	__u64 usec = 0;

	if (sd_watchdog_enabled(0, (uint64_t *)&usec) <= 0)
		return 0;
	/* Twice in the time that the manager waits. */
	return usec / 2000 > 0 ? (unsigned int)(usec / 2000) : 1;
}

int service_socket(void)
{
	return sd_listen_fds(0) == 1 ? SD_LISTEN_FDS_START : -1;
}
