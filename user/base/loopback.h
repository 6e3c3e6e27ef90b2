/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that no other machine can reach, as settings have them: "127.0.0.1:9464", "[::1]:9464".
 */
#ifndef PICKET_BASE_LOOPBACK_H
#define PICKET_BASE_LOOPBACK_H

#include <stdbool.h>
#include <sys/socket.h>

/** Where to listen. */
struct loopback {
	struct sockaddr_storage address;
	socklen_t length;
};

/**
 * Read @text. Returns 0, or -EINVAL (it is no address with a port) or -EADDRNOTAVAIL (others could
 * reach it) with a sentence without full stop in *@ret_fault, static.
 */
int loopback_parse(const char *text, struct loopback *ret, const char **ret_fault);

/** Does @host, an HTTP Host field with or without a port, mean this machine itself? */
bool loopback_is_host(const char *host);

#endif
