/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service manager is told, if there is one (sd_notify(3)).
 */
#ifndef PICKET_DAEMON_SERVICE_H
#define PICKET_DAEMON_SERVICE_H

/** The daemon is ready, also again after a reload. */
void service_ready(void);

/** It reads its policies anew. */
void service_reloading(void);

/** It ends. */
void service_stopping(void);

/** One line about what it does. */
void service_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** It is alive. */
void service_alive(void);

/** How often it has to say so, in milliseconds; 0: nobody waits for it. */
unsigned int service_watchdog_ms(void);

/** The listening socket that the manager opened, or -1. */
int service_socket(void);

#endif
