/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket's server: clients, their lines, their limits. It knows methods by a table and
 * calls them; it never blocks, never waits for a client, and drops one that does not read.
 */
#ifndef PICKET_CONTROL_SERVER_H
#define PICKET_CONTROL_SERVER_H

#include <linux/types.h>

#include "base/diag.h"
#include "control/message.h"
#include "control/peer.h"

/** Opaque. */
struct server;
struct client;

/** Limits; what is over them is refused with a count, never waited for. */
#define SERVER_CLIENTS_MAX 1024
#define SERVER_CLIENTS_KEPT 64 /* of these, only for root and operators */
#define SERVER_CLIENTS_OF_USER 256 /* of one uid that is not root */
#define SERVER_QUEUE_MAX                                                                           \
	(1U << 20) /* bytes waiting for one client: over it, the client is dropped */
#define SERVER_QUEUE_OF_USER (16U << 20) /* the same for all clients of one uid that is not root */
#define SERVER_RATE 200 /* requests a second of one client, bursts of as many */
#define SERVER_RATE_OF_USER 2000 /* the same for all clients of one uid that is not root */
#define SERVER_FDS_MAX 2 /* descriptors that may come with one request */
#define SERVER_IDLE_LINE_MS 10000 /* a line begun must end within */

/** What was counted since the start. */
struct server_counts {
	__u64 accepted;
	__u64 refused_clients; /* too many */
	__u64 refused_requests; /* malformed, unknown, not allowed, too fast */
	__u64 requests;
	__u64 dropped; /* clients that did not read */
	__u64 notifications_lost; /* with them */
};

/** A call under way. */
struct call {
	struct client *client;
	const struct control_request *request;
	int fds[SERVER_FDS_MAX]; /* came with it; -1 = none; TAKE_FD() what is kept */
};

/**
 * Answer a call: fill @answer (result or code and message) and return 0; or return -EINPROGRESS and
 * call server_answer() later with the id kept by json_incref().
 */
typedef int (*method_fn)(void *context, struct call *call, struct control_answer *answer);

/** A row of the method table. */
struct method {
	const char *name;
	enum peer_role role; /* least role that may call it */
	method_fn run;
};

/** What the server is told about and what it asks. */
struct server_options {
	const char *path; /* of the socket; its folder must exist and be writable to root only */
	int fd; /* a listening socket given by a service manager, or -1 */
	const struct method *methods; /* borrowed */
	size_t method_count;
	/**
	 * The role of a peer: the place to find PEER_CONFINED; else @peer->role. Asked when it connects
	 * and again before each turn of its requests (16 at most): it may have been confined since.
	 * What is read of /proc by @peer->pid is the peer's: that it is still alive is checked
	 * afterwards. May be NULL.
	 */
	enum peer_role (*role)(void *context, const struct peer *peer);
	/** A client that is no more: after this its pointer is invalid. Not called by server_free(). */
	void (*gone)(void *context, struct client *client);
	void *context;
};

/*
 * A connection is for the process that made it, and as long as that lives: bytes that another process
 * sends over it (one that inherited it, or got it handed) end it, and so does the end of the process.
 *
 * Descriptors go with the request in whose sendmsg() they are, one request a sendmsg().
 */

/**
 * Listen on @options->path: a socket that nobody serves is replaced; anything else there is -EEXIST,
 * a served one -EADDRINUSE, each with an error. Mode 0666: roles decide, not the file's mode. With
 * @options->fd that descriptor is the server's from then on.
 */
int server_open(const struct server_options *options, struct server **ret_server,
		struct diag_list *diags);

/** The epoll descriptor to wait on together with others. */
int server_fd(const struct server *server);

/** Do what can be done now, without waiting. Returns 0 or -errno: the server cannot go on. */
int server_work(struct server *server);

/** Milliseconds until server_work() has to be called even if nothing happens; -1 = no limit. */
int server_timeout(const struct server *server);

/** Who is it. */
const struct peer *client_peer(const struct client *client);
/** A pointer of the methods' own; gone() is the place to free what it is. */
void client_set_data(struct client *client, void *data);
void *client_data(const struct client *client);

/**
 * Answer a call that returned -EINPROGRESS; must be done for one without id too (@id NULL). Not after
 * gone().
 */
void server_answer(struct client *client, const json_t *id, const struct control_answer *answer);

/**
 * Send a notification line (control_notification_line()); copied. A client whose queue is full is
 * dropped at the next server_work(), with a count. Returns 0 or -ENOBUFS.
 */
int server_notify(struct client *client, const char *line, size_t length);

/** Bytes of notifications that can be sent to the client now without its being dropped for them. */
size_t client_room(const struct client *client);

/** What was counted so far. */
void server_get_counts(const struct server *server, struct server_counts *ret_counts);

/** Close everything and remove the socket file. Resets the pointer; accepts NULL. */
void server_free(struct server **server);

#endif
