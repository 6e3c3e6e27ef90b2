/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.1 in the daemon's loop, for programs of this machine: no thread, nothing waits. A connection is
 * for one request and is cut when that is not answered HTTP_TIME_MS after it began, however it is spent.
 * An agent reaches it like any other address: only where its policy allows that.
 */
#ifndef PICKET_DAEMON_HTTP_H
#define PICKET_DAEMON_HTTP_H

#include <jansson.h>
#include <stddef.h>

#include "base/diag.h"

struct http;

/** Most bytes of a body, and of the bodies of all connections. */
#define HTTP_BODY_MAX (4U << 20)
#define HTTP_BODIES_MAX (16U << 20)
/** Connections at a time; more wait in the kernel. */
#define HTTP_CONNECTIONS_MAX 32
/** Milliseconds that a connection may last. */
#define HTTP_TIME_MS 10000U

/** What is asked. All borrowed. */
struct http_request {
	const char *method;
	const char *path; /* without the query */
	const char *content_type; /* "" = not said */
	const char *encoding; /* Content-Encoding; "" = none */
	const char *body; /* NUL behind it */
	size_t length;
	int fd; /* of the connection: to ask the kernel who is there */
};

/** The answer. */
struct http_answer {
	unsigned int status; /* 0: is made 500 */
	const char *type; /* static; NULL = text/plain */
	const char *allow; /* static; of 405: the methods there are */
	char *body; /* malloc'ed, is taken over; NULL = empty */
	size_t length;
};

/** Answers one request. */
typedef void (*http_handler)(void *context, const struct http_request *request,
			     struct http_answer *answer);

/** Where and by whom. */
struct http_options {
	int epoll; /* of the loop; borrowed */
	const char *address; /* as loopback_parse() takes it */
	http_handler handler;
	void *context; /* of @handler; borrowed */
};

/**
 * Listen. Returns 0, or -errno with an error in @diags: -EINVAL and -EADDRNOTAVAIL as loopback_parse(),
 * -EADDRINUSE: somebody else listens there.
 */
int http_open(const struct http_options *options, struct http **ret, struct diag_list *diags);

/** Fill @answer with @status and a line of text made by @format. */
void http_say(struct http_answer *answer, unsigned int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** {address, connections, requests, refused, cut}: as it is, and counted since it was opened. */
json_t *http_status(const struct http *http);

/** Stop; connections are cut. Accepts a pointer to NULL; makes it NULL. */
void http_close(struct http **http);

#endif
