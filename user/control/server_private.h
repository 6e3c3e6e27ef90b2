/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the server share: a client, the user it counts for, and what waits to be sent.
 * Nobody else includes this.
 */
#ifndef PICKET_CONTROL_SERVER_PRIVATE_H
#define PICKET_CONTROL_SERVER_PRIVATE_H

#include <linux/types.h>
#include <sys/types.h>

#include "control/closer.h"
#include "control/server.h"

/** Work done for one client before the next one's turn. */
#define CLIENT_TURN_LINES 16
#define CLIENT_TURN_BYTES (16U << 10)
/** Time spent in a round on requests of one user; one request more may be under way by then. */
#define USER_TURN_US 10000U
/** A longer line counts as one request for each piece of this size that it begins. */
#define CLIENT_LINE_PIECE 4096U
/** With more than this waiting to be sent, requests of the client are not looked at. */
#define CLIENT_QUEUE_HIGH (SERVER_QUEUE_MAX / 4)
/** A client over its rate is not read from for so long. */
#define CLIENT_PAUSE_MS 100
/** Calls of one client that wait for a later answer. */
#define CLIENT_WAITING_MAX 64
/** Descriptors kept before their request is complete: those of a half line, those just come. */
#define CLIENT_FDS_MAX (2 * SERVER_FDS_MAX)

/** So many requests a second, and as many at once. */
struct bucket {
	__u64 filled_ms; /* when it was last filled */
	__u64 tokens; /* thousandths of a request */
};

/** Take @requests out of a bucket that gets @rate a second. False: there are not as many. */
bool bucket_take(struct bucket *bucket, __u64 requests, __u64 rate, __u64 now_ms);
/** True when there is nothing to remember. */
bool bucket_is_full(struct bucket *bucket, __u64 rate, __u64 now_ms);
/** A full one. */
void bucket_init(struct bucket *bucket, __u64 rate, __u64 now_ms);

/** What all clients of one user have together. */
struct user {
	struct user *next;
	uid_t uid;
	unsigned int clients;
	size_t queued; /* bytes waiting to be sent to them */
	__u64 spent_us; /* on requests, in this round */
	struct bucket bucket;
};

/** A line that waits to be sent. */
struct segment {
	struct segment *next;
	size_t size;
	size_t sent;
	bool notification;
	char bytes[];
};

/** What is watched by epoll. */
struct source {
	enum source_kind { SOURCE_LISTEN, SOURCE_CLIENT, SOURCE_PROCESS } kind;
	struct client *client; /* NULL for the listening socket */
};

/** A connection. In the server's list until it is dead and removed; owns all but server and user. */
struct client {
	struct server *server;
	struct client *next;
	struct user *user;
	struct source socket;
	struct source process; /* its pidfd */
	struct peer peer;
	void *data; /* of the methods */
	int fd;
	__u32 events; /* what epoll was told */

	char *in; /* read and not yet taken; owned; NULL when there is nothing */
	size_t in_used;
	size_t in_size;
	struct {
		int fd;
		size_t at; /* belongs to the line in which this byte of `in` lies */
	} fds[CLIENT_FDS_MAX];
	size_t fd_count;
	size_t surplus_first; /* bytes of the first and the last line that too many came with */
	size_t surplus_last;
	bool surplus;
	__u64 line_since_ms; /* when the half line in `in` began; 0 = there is none */
	__u64 paused_until_ms; /* 0 = not paused */
	struct bucket bucket;

	struct segment *out;
	struct segment **out_end;
	size_t queued; /* bytes of `out`, with what a segment costs */
	size_t queued_notes; /* of these, notifications */
	unsigned int waiting; /* calls that will be answered later */

	bool writable; /* as far as is known */
	bool backlog; /* `in` holds whole lines */
	bool eof; /* it will send nothing more */
	bool dead; /* to be freed at the end of server_work() */
};

/** The server. */
struct server {
	struct server_options options;
	char *path; /* of the socket file we made; owned; NULL = given by a service manager */
	dev_t dev;
	ino_t ino;
	int epoll_fd;
	int listen_fd;
	int spare_fd; /* given up for a moment to refuse a client when descriptors run out */
	struct source listen;
	struct closer *closer;
	bool jammed; /* too much waits to be closed: nothing more is taken in */
	struct client *clients;
	size_t client_count;
	struct user *users;
	struct peer_groups groups;
	__u64 groups_ms; /* when they were read; 0 = never */
	struct server_counts counts;
};

/** Milliseconds of a clock that only goes forward; never 0. */
__u64 server_now_ms(void);

/** Listen where the options say; errors like server_open(). */
int server_listen(struct server *server, struct diag_list *diags);
/** Stop, and remove the socket file if it is still ours. Accepts one that does not listen. */
void server_unlisten(struct server *server);

/** Microseconds of the same clock. */
__u64 server_now_us(void);

/** The user's entry, made when there is none; NULL = out of memory. */
struct user *server_user(struct server *server, uid_t uid, __u64 now_ms);
/** Forget users without clients. */
void server_forget_users(struct server *server, __u64 now_ms);

/** Do whole lines that were read, as many as are its turn; what is left is its backlog. */
void client_take_lines(struct client *client, __u64 now_ms);
/** Read once from the client and do what is complete. */
void client_read(struct client *client, __u64 now_ms);
/** Go on with whole lines that were left. */
void client_resume(struct client *client, __u64 now_ms);
/** Say why and have done with it. */
void client_end(struct client *client, int code, const char *message);
/** Tell epoll what is to be heard of this client. */
void client_arm(struct client *client);
/** Milliseconds until something has to be done for it; -1 = no limit. */
int client_timeout(const struct client *client, __u64 now_ms);
/** Free it and what it has; the list of clients is the caller's business. */
void client_free(struct client *client);

/** Refuse: an error line for @id (NULL: null), counted. */
void client_refuse(struct client *client, const json_t *id, int code, const char *message);

/** Queue @length bytes of @line for the client; a full queue drops the client: -ENOBUFS. */
int client_queue(struct client *client, const char *line, size_t length, bool notification);
/** Send what can be sent now. */
void client_flush(struct client *client);
/** Throw away what waits. */
void client_discard(struct client *client);

#endif
