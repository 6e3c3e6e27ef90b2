/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmicrohttpd has an epoll descriptor of its own, which the loop waits for as for any other. Its limit of
 * time is about silence only; the one about the whole is ours: a connection over it is shut down, which
 * ends it in the library's next turn.
 */
#include "daemon/http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/library.h"
#include "base/loopback.h"
#include "base/mem.h"
#include "daemon/loop.h"

/* Of one connection: lines and fields of a request. */
#define HEAD_MAX (32U << 10)
#define BODY_FIRST 4096U

/** What is called of libmicrohttpd. */
struct mhd_functions {
	typeof(MHD_add_response_header) *MHD_add_response_header;
	typeof(MHD_create_response_from_buffer_with_free_callback)
		*MHD_create_response_from_buffer_with_free_callback;
	typeof(MHD_destroy_response) *MHD_destroy_response;
	typeof(MHD_get_connection_info) *MHD_get_connection_info;
	typeof(MHD_get_daemon_info) *MHD_get_daemon_info;
	typeof(MHD_get_timeout) *MHD_get_timeout;
	typeof(MHD_lookup_connection_value) *MHD_lookup_connection_value;
	typeof(MHD_queue_response) *MHD_queue_response;
	typeof(MHD_run) *MHD_run;
	typeof(MHD_start_daemon) *MHD_start_daemon;
	typeof(MHD_stop_daemon) *MHD_stop_daemon;
};

static const struct library_function functions[] = {
	LIBRARY_FUNCTION(struct mhd_functions, MHD_add_response_header),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_create_response_from_buffer_with_free_callback),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_destroy_response),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_get_connection_info),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_get_daemon_info),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_get_timeout),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_lookup_connection_value),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_queue_response),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_run),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_start_daemon),
	LIBRARY_FUNCTION(struct mhd_functions, MHD_stop_daemon),
};
_Static_assert(sizeof(functions) / sizeof(functions[0]) ==
		       sizeof(struct mhd_functions) / sizeof(void (*)(void)),
	       "each has its address");

/* A connection that is open. */
struct connection {
	int fd; /* the library's; -1 = none */
	__u64 ends_ms; /* CLOCK_MONOTONIC */
};

struct http {
	struct http_options options;
	struct mhd_functions lib;
	char *address; /* owned */
	struct MHD_Daemon *daemon;
	struct loop_source source;
	struct loop_source timer;
	struct connection connections[HTTP_CONNECTIONS_MAX];
	bool again; /* a turn is due at once */
	size_t body_bytes; /* of all requests that are being read */
	__u64 requests; /* answered by the handler */
	__u64 refused; /* answered by us */
	__u64 cut; /* for their time */
};

/* One request on its way in. */
struct incoming {
	struct http *http;
	char *body; /* owned */
	size_t length;
	size_t room;
	unsigned int refusal; /* the status; 0 = none */
	const char *fault; /* static: why */
};

static __u64 now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000 + (__u64)now.tv_nsec / 1000000;
}

/* --- Connections ---------------------------------------------------------------------------------- */

static struct connection *find_connection(struct http *http, int fd)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		if (http->connections[i].fd == fd)
			return &http->connections[i];
	}
	return NULL;
}

static void note_connection(void *context, struct MHD_Connection *connection, void **socket_context,
			    enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	const union MHD_ConnectionInfo *info =
		http->lib.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *known;

	(void)socket_context;
	if (!info)
		return;
	/* The library keeps the limit, so there is a free place. */
	known = find_connection(http,
				code == MHD_CONNECTION_NOTIFY_STARTED ? -1 : info->connect_fd);
	if (!known)
		return;
	known->fd = -1;
	if (code != MHD_CONNECTION_NOTIFY_STARTED) {
		/* At its limit the library had stopped listening: its next turn takes that up again. */
		http->again = true;
		return;
	}
	known->fd = info->connect_fd;
	known->ends_ms = now_ms() + HTTP_TIME_MS;
}

/* Shut down what is over its time. Returns in how many ms the next one is, 0 = there is none. */
static __u64 cut_old(struct http *http)
{
	__u64 now = now_ms();
	__u64 next = 0;

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct connection *connection = &http->connections[i];
		__u64 left = connection->ends_ms - now;

		if (connection->fd < 0)
			continue;
		if (connection->ends_ms <= now) {
			(void)shutdown(connection->fd, SHUT_RDWR);
			http->cut++;
			/* Until the library has seen it. */
			connection->ends_ms = now + HTTP_TIME_MS;
			left = 1;
		}
		if (!next || left < next)
			next = left;
	}
	return next;
}

static void work(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG wish;
	__u64 next;

	http->again = false;
	(void)http->lib.MHD_run(http->daemon);
	next = cut_old(http);
	if (http->again)
		next = 1;
	if (http->lib.MHD_get_timeout(http->daemon, &wish) == MHD_YES && (!next || wish < next))
		next = wish ? wish : 1;
	loop_set_timer(&http->timer, (unsigned int)next, 0);
}

static void source_ready(void *context, __u32 events)
{
	(void)events;
	work(context);
}

static void timer_ready(void *context, __u32 events)
{
	struct http *http = context;

	(void)events;
	loop_take_timer(&http->timer);
	work(http);
}

/* --- Answers -------------------------------------------------------------------------------------- */

void http_say(struct http_answer *answer, unsigned int status, const char *format, ...)
{
	va_list arguments;
	int length;

	free(answer->body);
	answer->status = status;
	va_start(arguments, format);
	length = vasprintf(&answer->body, format, arguments);
	va_end(arguments);
	if (length < 0)
		answer->body = NULL;
	answer->length = length < 0 ? 0 : (size_t)length;
}

static void free_body(void *body)
{
	free(body);
}

static void add_field(const struct http *http, struct MHD_Response *response, const char *name,
		      const char *value)
{
	if (value)
		(void)http->lib.MHD_add_response_header(response, name, value);
}

/* Send @answer, whose body is taken over. */
static enum MHD_Result send_answer(const struct http *http, struct MHD_Connection *connection,
				   struct http_answer *answer)
{
	struct MHD_Response *response =
		http->lib.MHD_create_response_from_buffer_with_free_callback(
			answer->length, answer->body ? (void *)answer->body : (void *)"",
			answer->body ? free_body : NULL);
	enum MHD_Result result;

	if (!response) {
		free(answer->body);
		return MHD_NO;
	}
	add_field(http, response, MHD_HTTP_HEADER_CONTENT_TYPE,
		  answer->type ? answer->type : "text/plain; charset=utf-8");
	add_field(http, response, MHD_HTTP_HEADER_ALLOW, answer->allow);
	add_field(http, response, MHD_HTTP_HEADER_CONNECTION, "close");
	result = http->lib.MHD_queue_response(connection, answer->status ? answer->status : 500,
					      response);
	http->lib.MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct incoming *incoming, struct MHD_Connection *connection)
{
	struct http_answer answer = { 0 };

	incoming->http->refused++;
	http_say(&answer, incoming->refusal, "%s\n", incoming->fault);
	return send_answer(incoming->http, connection, &answer);
}

static const char *field(const struct http *http, struct MHD_Connection *connection,
			 const char *name)
{
	const char *value =
		http->lib.MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

	return value ? value : "";
}

/* --- Requests ------------------------------------------------------------------------------------- */

static void set_refusal(struct incoming *incoming, unsigned int status, const char *fault)
{
	if (incoming->refusal)
		return;
	incoming->refusal = status;
	incoming->fault = fault;
}

static bool make_room(struct incoming *incoming, size_t wanted)
{
	size_t room = incoming->room ? incoming->room : BODY_FIRST;
	struct http *http = incoming->http;
	char *grown;

	if (wanted > HTTP_BODY_MAX) {
		set_refusal(incoming, MHD_HTTP_CONTENT_TOO_LARGE, "the body is over 4 MiB");
		return false;
	}
	while (room < wanted + 1)
		room *= 2;
	if (room == incoming->room)
		return true;
	grown = http->body_bytes - incoming->room + room > HTTP_BODIES_MAX ?
			NULL :
			realloc(incoming->body, room);
	if (!grown) {
		set_refusal(incoming, MHD_HTTP_SERVICE_UNAVAILABLE,
			    "there is no room for the body now: try again");
		return false;
	}
	http->body_bytes += room - incoming->room;
	incoming->body = grown;
	incoming->room = room;
	return true;
}

/* What is refused is read on without being kept: the answer can be sent at the end only. */
static void take_bytes(struct incoming *incoming, const char *bytes, size_t length)
{
	if (incoming->refusal || !make_room(incoming, incoming->length + length))
		return;
	memcpy(incoming->body + incoming->length, bytes, length);
	incoming->length += length;
	incoming->body[incoming->length] = '\0';
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection,
			     void **ret_incoming)
{
	struct incoming *incoming = calloc(1, sizeof(*incoming));
	const char *host = field(http, connection, MHD_HTTP_HEADER_HOST);

	if (!incoming)
		return MHD_NO;
	incoming->http = http;
	*ret_incoming = incoming;
	/* A page of another site in a browser here, whose name was made to mean this machine. */
	if (*host && !loopback_is_host(host))
		set_refusal(incoming, MHD_HTTP_MISDIRECTED_REQUEST,
			    "only this machine is served: Host must be its loopback address");
	if (strtoull(field(http, connection, MHD_HTTP_HEADER_CONTENT_LENGTH), NULL, 10) >
	    HTTP_BODY_MAX)
		set_refusal(incoming, MHD_HTTP_CONTENT_TOO_LARGE, "the body is over 4 MiB");
	/* At once: its body is not waited for. */
	return incoming->refusal ? refuse(incoming, connection) : MHD_YES;
}

static enum MHD_Result answer_request(struct incoming *incoming, struct MHD_Connection *connection,
				      const char *method, const char *path)
{
	struct http *http = incoming->http;
	const union MHD_ConnectionInfo *info =
		http->lib.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct http_request request = {
		.method = method,
		.path = path,
		.content_type = field(http, connection, MHD_HTTP_HEADER_CONTENT_TYPE),
		.encoding = field(http, connection, MHD_HTTP_HEADER_CONTENT_ENCODING),
		.body = incoming->body ? incoming->body : "",
		.length = incoming->length,
		.fd = info ? info->connect_fd : -1,
	};
	struct http_answer answer = { 0 };

	if (incoming->refusal)
		return refuse(incoming, connection);
	http->requests++;
	http->options.handler(http->options.context, &request, &answer);
	return send_answer(http, connection, &answer);
}

/* The library's callback; its form is given. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result take_request(void *context, struct MHD_Connection *connection,
				    const char *path, const char *method, const char *version,
				    const char *bytes, size_t *length, void **ret_incoming)
{
	struct incoming *incoming = *ret_incoming;

	(void)version;
	if (!incoming)
		return begin(context, connection, ret_incoming);
	if (*length) {
		take_bytes(incoming, bytes, *length);
		*length = 0;
		return MHD_YES;
	}
	return answer_request(incoming, connection, method, path);
}

static void request_done(void *context, struct MHD_Connection *connection, void **kept,
			 enum MHD_RequestTerminationCode code)
{
	struct incoming *incoming = *kept;
	struct http *http = context;

	(void)connection;
	(void)code;
	if (!incoming)
		return;
	http->body_bytes -= incoming->room;
	free(incoming->body);
	free(incoming);
	*kept = NULL;
}

/* --- Opening -------------------------------------------------------------------------------------- */

static int fail(struct diag_list *diags, const char *address, int error)
{
	struct diag *diag = diag_add(diags, DIAG_ERROR, NULL, "cannot listen on '%s': %s", address,
				     strerror(-error));

	if (error == -EADDRINUSE)
		diag_hint(diag,
			  "another program does: `ss -ltnp` tells which; or choose another port");
	return error;
}

static int listen_on(const struct loopback *where, int *ret_fd)
{
	CLEAN_FD int fd =
		socket(where->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	/* Connections of the one before us may linger; nobody else can be listening meanwhile. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&where->address, where->length) ||
	    listen(fd, HTTP_CONNECTIONS_MAX))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The library takes over @fd, if it starts. */
static int start(struct http *http, int fd)
{
	http->daemon = http->lib.MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, take_request, http, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIME_MS / 1000,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX, MHD_OPTION_NOTIFY_COMPLETED,
		request_done, http, MHD_OPTION_NOTIFY_CONNECTION, note_connection, http,
		MHD_OPTION_END);
	return http->daemon ? 0 : -ENOMEM;
}

static int join_loop(struct http *http)
{
	const union MHD_DaemonInfo *info =
		http->lib.MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int r;

	if (!info)
		return -ENOTSUP;
	http->source.fd = fcntl(info->epoll_fd, F_DUPFD_CLOEXEC, 0);
	if (http->source.fd < 0)
		return -errno;
	r = loop_add(http->options.epoll, &http->source, EPOLLIN);
	return r ? r : loop_add_timer(http->options.epoll, &http->timer);
}

static struct http *make(const struct http_options *options)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->options = *options;
	http->address = strdup(options->address);
	http->source = (struct loop_source){ .fd = -1, .ready = source_ready, .context = http };
	http->timer = (struct loop_source){ .fd = -1, .ready = timer_ready, .context = http };
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		http->connections[i].fd = -1;
	if (!http->address)
		http_close(&http);
	return http;
}

static int load(struct http *http, struct diag_list *diags)
{
	const struct library library = { "libmicrohttpd.so.12", functions,
					 sizeof(functions) / sizeof(functions[0]) };
	char error[236];
	int r = library_load(&library, &http->lib, error, sizeof(error));

	if (r)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot listen on '%s': %s",
				   http->address, error),
			  "install libmicrohttpd12");
	return r;
}

int http_open(const struct http_options *options, struct http **ret, struct diag_list *diags)
{
	CLEAN(http_close) struct http *http = make(options);
	CLEAN_FD int fd = -1;
	struct loopback where;
	const char *fault;
	int r = loopback_parse(options->address, &where, &fault);

	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot listen on '%s': %s",
			       options->address, fault);
		return r;
	}
	r = http ? load(http, diags) : -ENOMEM;
	if (r == -ELIBACC)
		return r;
	if (r == 0)
		r = listen_on(&where, &fd);
	if (r == 0)
		r = start(http, fd);
	if (r)
		return fail(diags, options->address, r);
	(void)TAKE_FD(fd);
	r = join_loop(http);
	if (r)
		return fail(diags, options->address, r);
	*ret = TAKE_PTR(http);
	return 0;
}

json_t *http_status(const struct http *http)
{
	json_int_t open = 0;

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		open += http->connections[i].fd >= 0;
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "address", http->address, "connections", open,
			 "requests", (json_int_t)http->requests, "refused",
			 (json_int_t)http->refused, "cut", (json_int_t)http->cut);
}

void http_close(struct http **http)
{
	struct http *old = *http;

	if (!old)
		return;
	loop_drop(old->options.epoll, &old->source);
	loop_drop(old->options.epoll, &old->timer);
	if (old->daemon)
		old->lib.MHD_stop_daemon(old->daemon);
	free(old->address);
	free(old);
	*http = NULL;
}
