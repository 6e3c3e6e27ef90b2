/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Syslog: datagrams to a unix socket, or messages with their length in front (RFC 6587, octet counting)
 * over TCP and TLS. The protocol has no answer, so a record counts as delivered when the other machine's
 * kernel has acknowledged its bytes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/mem.h"
#include "sink/out.h"
#include "sink/stream.h"

/* Between two looks at what is not acknowledged yet. */
#define LOOK_NS 2000000

struct out {
	const struct sink_settings *settings;
	struct format_machine machine;
	struct stream *stream; /* tcp, tls; NULL = not connected */
	int fd; /* unix; -1 = not connected */
};

static int open_out(const struct sink_settings *settings, const struct format_machine *machine,
		    struct out **ret_out, char error[236])
{
	struct out *out = calloc(1, sizeof(*out));

	error[0] = '\0';
	if (!out)
		return -ENOMEM;
	out->settings = settings;
	out->machine = *machine;
	out->machine.facility = settings->facility;
	out->fd = -1;
	*ret_out = out;
	return 0;
}

static void close_out(struct out **out)
{
	if (*out) {
		stream_close(&(*out)->stream);
		mem_close_fd(&(*out)->fd);
	}
	free(*out);
	*out = NULL;
}

/* --- Datagrams ------------------------------------------------------------------------------------ */

static int connect_unix(struct out *out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = out->settings->timeout };
	size_t length = strlen(out->settings->host);

	if (out->fd >= 0)
		return 0;
	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, out->settings->host, length + 1);
	out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (out->fd < 0)
		return -errno;
	(void)setsockopt(out->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(out->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	mem_close_fd(&out->fd);
	return -errno;
}

static void send_unix(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	CLEAN(format_text_reset) struct format_text text = { 0 };
	int r = connect_unix(out);

	if (r == 0)
		r = out_render(FORMAT_SYSLOG, batch->lines[0], &out->machine, &text);
	if (r == 0 && send(out->fd, text.bytes, text.length, MSG_NOSIGNAL) < 0)
		r = -errno;
	if (r == -EMSGSIZE || r == -EBADMSG) {
		ret->done = ret->refused = 1;
		out_say(ret->error, "a record of %zu bytes does not go through '%s': %s",
			text.length, out->settings->host, strerror(-r));
	} else if (r) {
		mem_close_fd(&out->fd);
		out_say(ret->error, "cannot send to '%s': %s", out->settings->host, strerror(-r));
	} else {
		ret->done = 1;
	}
}

/* --- Streams -------------------------------------------------------------------------------------- */

/* Messages of all records up to one that cannot be rendered. */
static int frame(const struct out *out, const struct out_batch *batch, struct format_text *ret,
		 size_t *ret_count)
{
	FILE *to = open_memstream(&ret->bytes, &ret->length);
	size_t count = 0;
	int r = 0;

	if (!to)
		return -ENOMEM;
	while (count < batch->count && r == 0) {
		CLEAN(format_text_reset) struct format_text text = { 0 };

		r = out_render(FORMAT_SYSLOG, batch->lines[count], &out->machine, &text);
		if (r == 0) {
			(void)fprintf(to, "%zu ", text.length);
			(void)fwrite(text.bytes, 1, text.length, to);
			count++;
		}
	}
	if (fclose(to))
		return -ENOMEM;
	*ret_count = count;
	return r == -ENOMEM ? r : 0;
}

/* Wait until the peer's kernel has it all. */
static int wait_acknowledged(const struct out *out)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	unsigned long looks = out->settings->timeout * (1000000000UL / LOOK_NS);
	int fd = stream_fd(out->stream);
	int waiting = 1;

	for (unsigned long i = 0; i < looks; i++) {
		if (ioctl(fd, SIOCOUTQ, &waiting))
			return -errno;
		if (waiting == 0)
			return stream_is_open(out->stream) ? 0 : -ECONNRESET;
		if (!stream_is_open(out->stream))
			return -ECONNRESET;
		(void)nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

static int send_text(struct out *out, const struct format_text *text, char error[236])
{
	int r = 0;

	/* A server that has gone away in the meantime would lose what is written next. */
	if (out->stream && !stream_is_open(out->stream))
		stream_close(&out->stream);
	if (!out->stream)
		r = stream_open(out->settings, &out->stream, error);
	if (r)
		return r;
	r = stream_write(out->stream, text->bytes, text->length);
	if (r == 0)
		r = wait_acknowledged(out);
	if (r)
		out_say(error, "cannot send to '%s' port %s: %s", out->settings->host,
			out->settings->port, strerror(-r));
	return r;
}

static void send_stream(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	CLEAN(format_text_reset) struct format_text text = { 0 };
	size_t count = 0;
	int r = frame(out, batch, &text, &count);

	if (r == 0 && count == 0) {
		ret->done = ret->refused = 1;
		out_say(ret->error, "a record cannot be written in this format");
		return;
	}
	if (r == 0)
		r = send_text(out, &text, ret->error);
	if (r)
		stream_close(&out->stream);
	else
		ret->done = count;
}

static void send_out(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	if (out->settings->transport == SINK_UNIX)
		send_unix(out, batch, ret);
	else
		send_stream(out, batch, ret);
}

const struct out_type out_syslog = { open_out, send_out, close_out, false };
