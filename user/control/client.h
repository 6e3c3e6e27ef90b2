/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end: connect, call a method and wait for its answer, take notifications.
 */
#ifndef PICKET_CONTROL_CLIENT_H
#define PICKET_CONTROL_CLIENT_H

#include <linux/types.h>

#include "base/diag.h"
#include "control/message.h"

/** Where the daemon listens; PICKET_SOCKET in the environment names another place. */
#define CONTROL_SOCKET "/run/picket/control.sock"

/** A connection. control_close() ends it. */
struct control {
	int fd; /* -1 = none */
	unsigned int next_id;
	char *buffer; /* bytes read and not yet taken; owned */
	size_t used;
	size_t size;
	/** Called for a notification that comes while an answer is waited for; or NULL. */
	void (*notified)(void *context, const char *method, json_t *params);
	void *context;
};

/** An empty value. */
#define CONTROL_NONE                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/**
 * Connect to the daemon at @path (NULL: PICKET_SOCKET, else CONTROL_SOCKET). The peer must be root or
 * ourselves. Returns 0 (caller closes), -ENOENT or -ECONNREFUSED without a finding when there is no
 * daemon, or another -errno with an error.
 */
int control_connect(const char *path, struct control *ret_control, struct diag_list *diags);

/**
 * Call @method with @params (borrowed; NULL: none) and the @fd_count descriptors at @fds, and wait for
 * the answer, @timeout_ms at most (-1: as long as it takes). Returns 0 with an answer (caller resets;
 * result NULL = it failed there) or -errno with an error: the connection is of no use any more.
 */
int control_call(struct control *control, const char *method, json_t *params, const int *fds,
		 size_t fd_count, int timeout_ms, struct control_answer *ret_answer,
		 struct diag_list *diags);

/**
 * Read what has come and hand on notifications. Returns 0; -EPIPE when the daemon is gone; or another
 * -errno. Does not wait.
 */
int control_read(struct control *control);

/** Close and free. Accepts an empty one; resets it. */
void control_close(struct control *control);

#endif
