/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP by the system's calls, TLS by OpenSSL: 1.2 or later, and never without a proof of the name.
 */
#include "sink/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "sink/out.h"

struct stream {
	int fd;
	SSL_CTX *context; /* NULL: no TLS */
	SSL *ssl;
};

/* --- TCP ------------------------------------------------------------------------------------------ */

static int connect_to(const struct addrinfo *address, unsigned int timeout, int *ret_fd)
{
	struct timeval patience = { .tv_sec = timeout };
	int on = 1;
	CLEAN_FD int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC,
				 address->ai_protocol);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, address->ai_addr, address->ai_addrlen))
		return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_socket(const struct sink_settings *settings, int *ret_fd, char error[236])
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int r = getaddrinfo(settings->host, settings->port, &hints, &found);

	if (r) {
		out_say(error, "cannot find '%s': %s", settings->host, gai_strerror(r));
		return -EHOSTUNREACH;
	}
	r = -EHOSTUNREACH;
	for (const struct addrinfo *at = found; at && r; at = at->ai_next)
		r = connect_to(at, settings->timeout, ret_fd);
	freeaddrinfo(found);
	if (r)
		out_say(error, "cannot connect to '%s' port %s: %s", settings->host, settings->port,
			strerror(-r));
	return r;
}

/* --- TLS ------------------------------------------------------------------------------------------ */

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* What the certificate must say. */
static bool expect_name(SSL *ssl, const char *name)
{
	if (is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static int make_context(struct stream *stream, const struct sink_settings *settings,
			char error[236])
{
	int loaded;

	stream->context = SSL_CTX_new(TLS_client_method());
	if (!stream->context)
		return -ENOMEM;
	SSL_CTX_set_verify(stream->context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(stream->context, TLS1_2_VERSION) != 1)
		return -EPROTO;
	loaded = settings->ca ? SSL_CTX_load_verify_locations(stream->context, settings->ca, NULL) :
				SSL_CTX_set_default_verify_paths(stream->context);
	if (loaded == 1)
		return 0;
	out_say(error, "cannot read the certificates '%s'",
		settings->ca ? settings->ca : "of the system");
	return -EIO;
}

static void say_tls(const struct stream *stream, const struct sink_settings *settings,
		    char error[236])
{
	long verified = SSL_get_verify_result(stream->ssl);
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	if (verified != X509_V_OK)
		reason = X509_verify_cert_error_string(verified);
	out_say(error, "no TLS with '%s' port %s: %s", settings->host, settings->port,
		reason ? reason : "the connection was closed");
}

static int start_tls(struct stream *stream, const struct sink_settings *settings, char error[236])
{
	const char *name = settings->server_name ? settings->server_name : settings->host;
	int r = make_context(stream, settings, error);

	if (r)
		return r;
	stream->ssl = SSL_new(stream->context);
	if (!stream->ssl || !expect_name(stream->ssl, name) ||
	    SSL_set_fd(stream->ssl, stream->fd) != 1)
		return -ENOMEM;
	ERR_clear_error();
	if (SSL_connect(stream->ssl) == 1)
		return 0;
	say_tls(stream, settings, error);
	return -EPROTO;
}

/* --- Both ----------------------------------------------------------------------------------------- */

int stream_open(const struct sink_settings *settings, struct stream **ret, char error[236])
{
	CLEAN(stream_close) struct stream *stream = calloc(1, sizeof(*stream));
	int r;

	if (!stream)
		return -ENOMEM;
	stream->fd = -1;
	r = open_socket(settings, &stream->fd, error);
	if (r == 0 && settings->transport == SINK_TLS)
		r = start_tls(stream, settings, error);
	if (r)
		return r;
	*ret = TAKE_PTR(stream);
	return 0;
}

static int write_tls(struct stream *stream, const char *bytes, size_t length)
{
	size_t written = 0;

	ERR_clear_error();
	errno = 0;
	if (SSL_write_ex(stream->ssl, bytes, length, &written) == 1 && written == length)
		return 0;
	return errno == EAGAIN ? -ETIMEDOUT : errno ? -errno : -EPROTO;
}

int stream_write(struct stream *stream, const char *bytes, size_t length)
{
	if (stream->ssl)
		return write_tls(stream, bytes, length);
	while (length > 0) {
		ssize_t written = send(stream->fd, bytes, length, MSG_NOSIGNAL);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* Take what TLS itself says (with 1.3 also after the handshake), without waiting for more. */
static void read_alerts(struct stream *stream)
{
	int flags = fcntl(stream->fd, F_GETFL);
	size_t unread;
	char byte;

	(void)fcntl(stream->fd, F_SETFL, flags | O_NONBLOCK);
	(void)SSL_peek_ex(stream->ssl, &byte, 1, &unread);
	(void)fcntl(stream->fd, F_SETFL, flags);
	ERR_clear_error();
}

bool stream_is_open(struct stream *stream)
{
	char byte;
	ssize_t got;

	if (stream->ssl) {
		read_alerts(stream);
		if (SSL_get_shutdown(stream->ssl) & SSL_RECEIVED_SHUTDOWN)
			return false;
	}
	got = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

int stream_fd(const struct stream *stream)
{
	return stream->fd;
}

void stream_close(struct stream **stream)
{
	if (*stream) {
		if ((*stream)->ssl)
			SSL_free((*stream)->ssl);
		if ((*stream)->context)
			SSL_CTX_free((*stream)->context);
		mem_close_fd(&(*stream)->fd);
	}
	free(*stream);
	*stream = NULL;
}
