/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journald's native protocol: an entry a datagram, or, when it is too large for one, in a sealed memory
 * file whose descriptor is sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "sink/out.h"

struct out {
	const struct sink_settings *settings;
	const struct format_machine *machine;
	int fd; /* -1 = not connected */
};

static int open_out(const struct sink_settings *settings, const struct format_machine *machine,
		    struct out **ret_out, char error[236])
{
	struct out *out = calloc(1, sizeof(*out));

	error[0] = '\0';
	if (!out)
		return -ENOMEM;
	out->settings = settings;
	out->machine = machine;
	out->fd = -1;
	*ret_out = out;
	return 0;
}

static void close_out(struct out **out)
{
	if (*out)
		mem_close_fd(&(*out)->fd);
	free(*out);
	*out = NULL;
}

static int connect_journal(struct out *out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 10 };
	size_t length = strlen(out->settings->path);

	if (out->fd >= 0)
		return 0;
	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, out->settings->path, length + 1);
	out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (out->fd < 0)
		return -errno;
	(void)setsockopt(out->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return connect(out->fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

static int make_file(const struct format_text *text, int *ret_fd)
{
	CLEAN_FD int fd = memfd_create("entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (write(fd, text->bytes, text->length) != (ssize_t)text->length)
		return -EIO;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int send_file(const struct out *out, const struct format_text *text)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	CLEAN_FD int fd = -1;
	int r = make_file(text, &fd);

	if (r)
		return r;
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(out->fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_entry(const struct out *out, const struct format_text *text)
{
	if (send(out->fd, text->bytes, text->length, MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EMSGSIZE || errno == ENOBUFS ? send_file(out, text) : -errno;
}

static void send_out(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	CLEAN(format_text_reset) struct format_text text = { 0 };
	int r = connect_journal(out);

	if (r == 0)
		r = out_render(FORMAT_JOURNAL, batch->lines[0], out->machine, &text);
	if (r == -EBADMSG) {
		ret->done = ret->refused = 1;
		out_say(ret->error, "a record cannot be written in this format");
		return;
	}
	if (r == 0)
		r = send_entry(out, &text);
	if (r) {
		mem_close_fd(&out->fd);
		out_say(ret->error, "cannot send to '%s': %s", out->settings->path, strerror(-r));
	} else {
		ret->done = 1;
	}
}

const struct out_type out_journald = { open_out, send_out, close_out, false };
