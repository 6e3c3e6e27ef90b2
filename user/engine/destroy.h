/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ending connections that were refused after they were made. The kernel programs drop all that such a
 * socket sends; this gives its program ECONNABORTED at once, where it would wait for a time-out.
 */
#ifndef PICKET_ENGINE_DESTROY_H
#define PICKET_ENGINE_DESTROY_H

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <stdbool.h>

#include <picket/abi.h>
#include <picket/image.h>

#include "base/diag.h"

/** The request of one socket's end, as sock_diag(7) reads it. */
struct destroy_message {
	struct nlmsghdr head;
	struct inet_diag_req_v2 request;
};

/** The way to the kernel, opened when it is first needed. destroyer_reset() closes. */
struct destroyer {
	int fd; /* netlink; -1 = not open */
	bool proven; /* ending a socket has worked, so one that is not found is gone */
	__u64 failed; /* sockets that could not be ended */
	int error; /* why the first of them could not, positive */
};

/** An empty value. */
#define DESTROYER_NONE                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/** True for records of a connection that was refused and is still open. */
bool destroy_is_wanted(const struct pk_event *event);

/**
 * Fill the request for the socket that @event tells by addresses, ports and cookie. An IPv4 address
 * in its mapped form is looked up as IPv4, whatever family the socket has.
 */
void destroy_build(const struct pk_event *event, struct destroy_message *ret_message);

/**
 * End the TCP socket of @event. Returns 0, also when it is gone already, or -errno: -ENOENT when the
 * kernel lacks what it takes. Failures are counted in @destroyer.
 */
int destroy_socket(struct destroyer *destroyer, const struct pk_event *event);

/** Can sockets be ended here? Ends one of our own. Returns 0 or -errno as above. */
int destroy_prove(struct destroyer *destroyer);

/** What an error (negative) of destroy_socket() means, as a clause. */
const char *destroy_cause(int error);

/** Add one warning that says how many sockets could not be ended, and why; nothing when none. */
void destroy_explain(const struct destroyer *destroyer, struct diag_list *diags);

/** Close it and make it empty. */
void destroyer_reset(struct destroyer *destroyer);

#endif
