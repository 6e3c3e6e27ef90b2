/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is appended to, and the standard output. A file that was renamed is left alone and begun
 * again under its name; one that has grown over its size is renamed to NAME.1, that to NAME.2 ...
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sink/out.h"

struct out {
	const struct sink_settings *settings;
	const struct format_machine *machine;
	int fd; /* -1 = to be opened */
	off_t size;
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

static int open_stdout(const struct sink_settings *settings, const struct format_machine *machine,
		       struct out **ret_out, char error[236])
{
	int r = open_out(settings, machine, ret_out, error);

	if (r == 0)
		(*ret_out)->fd = STDOUT_FILENO;
	return r;
}

static void close_out(struct out **out)
{
	if (*out && (*out)->fd != STDOUT_FILENO)
		mem_close_fd(&(*out)->fd);
	free(*out);
	*out = NULL;
}

/* --- Writing -------------------------------------------------------------------------------------- */

/* All of it, however long it takes: the other side may not read for a while. */
static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			(void)poll(&wait, 1, -1);
			continue;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

static int add_line(FILE *to, const struct out *out, const struct sink_line *line)
{
	CLEAN(format_text_reset) struct format_text text = { 0 };
	int r;

	if (out->settings->format == FORMAT_JSON) {
		(void)fwrite(line->text, 1, line->length, to);
	} else {
		r = out_render(out->settings->format, line, out->machine, &text);
		if (r)
			return r;
		(void)fwrite(text.bytes, 1, text.length, to);
	}
	(void)fputc('\n', to);
	return 0;
}

/*
 * The lines of @batch, up to one that cannot be rendered, or that would make more than @room bytes of it
 * and is not the first.
 */
static int render(const struct out *out, const struct out_batch *batch, size_t room,
		  struct format_text *ret, size_t *ret_count)
{
	FILE *to = open_memstream(&ret->bytes, &ret->length);
	size_t length = 0;
	size_t count = 0;
	int r = 0;

	if (!to)
		return -ENOMEM;
	while (count < batch->count && r == 0) {
		r = add_line(to, out, batch->lines[count]);
		if (r || (count > 0 && (size_t)ftello(to) > room))
			break;
		length = (size_t)ftello(to);
		count++;
	}
	if (fclose(to))
		return -ENOMEM;
	ret->length = length;
	*ret_count = count;
	return r == -ENOMEM ? r : 0;
}

/* The first one of the batch, which cannot be rendered: nobody will ever take it. */
static void refuse_first(struct out_result *ret)
{
	ret->done = ret->refused = 1;
	out_say(ret->error, "a record cannot be written in this format");
}

static void send_stdout(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	CLEAN(format_text_reset) struct format_text text = { 0 };
	size_t count = 0;
	int r = render(out, batch, SIZE_MAX, &text, &count);

	if (r == 0 && count == 0) {
		refuse_first(ret);
		return;
	}
	if (r == 0)
		r = write_all(out->fd, text.bytes, text.length);
	if (r)
		out_say(ret->error, "cannot write to the standard output: %s", strerror(-r));
	else
		ret->done = count;
}

/* --- The file ------------------------------------------------------------------------------------- */

static bool is_renamed(const struct out *out)
{
	struct stat here;
	struct stat there;

	return fstat(out->fd, &here) || lstat(out->settings->path, &there) ||
	       here.st_ino != there.st_ino || here.st_dev != there.st_dev;
}

/* A line that was cut when its writer was killed stays a line of its own. */
static int end_line(struct out *out)
{
	char last = '\n';

	if (out->size > 0 && pread(out->fd, &last, 1, out->size - 1) < 0)
		return -errno;
	if (last == '\n')
		return 0;
	out->size++;
	return write_all(out->fd, "\n", 1);
}

static int open_file(struct out *out)
{
	struct stat st;

	if (out->fd >= 0 && is_renamed(out))
		mem_close_fd(&out->fd);
	if (out->fd >= 0)
		return 0;
	out->fd = open(out->settings->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	if (out->fd < 0)
		return -errno;
	if (fstat(out->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		mem_close_fd(&out->fd);
		return -EINVAL;
	}
	out->size = st.st_size;
	return end_line(out);
}

static int rotated_name(const struct out *out, unsigned int number, char **ret)
{
	int length = number ? asprintf(ret, "%s.%u", out->settings->path, number) :
			      asprintf(ret, "%s", out->settings->path);

	if (length >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}

/* The oldest is replaced by the one before it, and so on. */
static int rotate(struct out *out)
{
	for (unsigned int number = out->settings->rotate_count; number > 0; number--) {
		CLEAN_FREE char *from = NULL;
		CLEAN_FREE char *to = NULL;

		if (rotated_name(out, number - 1, &from) || rotated_name(out, number, &to))
			return -ENOMEM;
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	mem_close_fd(&out->fd);
	return open_file(out);
}

static bool wants_sync(const struct out *out, const struct out_batch *batch, size_t count)
{
	if (out->settings->sync != SINK_SYNC_DECISIONS)
		return out->settings->sync == SINK_SYNC_EACH;
	for (size_t i = 0; i < count; i++) {
		enum sink_class class = batch->lines[i]->class;

		if (class == SINK_DECISION || class == SINK_RECORD)
			return true;
	}
	return false;
}

/* A full disk: what is there of the text is taken back, or its last line would be cut. */
static int append(struct out *out, const struct format_text *text)
{
	int r = write_all(out->fd, text->bytes, text->length);

	if (r == 0)
		out->size += (off_t)text->length;
	else if (ftruncate(out->fd, out->size))
		mem_close_fd(&out->fd);
	return r;
}

/* Open it, or the next one when it is full. */
static int find_room(struct out *out, const struct out_batch *batch, size_t *ret_room)
{
	size_t limit = out->settings->rotate_size;
	int r = open_file(out);

	/* What a record takes in another format is nearly what it takes as it is. */
	if (r == 0 && limit && out->size > 0 &&
	    (size_t)out->size + batch->lines[0]->length >= limit)
		r = rotate(out);
	*ret_room = !limit ? SIZE_MAX : (size_t)out->size < limit ? limit - (size_t)out->size : 0;
	return r;
}

static void send_file(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	CLEAN(format_text_reset) struct format_text text = { 0 };
	size_t count = 0;
	size_t room = 0;
	int r = find_room(out, batch, &room);

	if (r == 0)
		r = render(out, batch, room, &text, &count);
	if (r == 0 && count == 0) {
		refuse_first(ret);
		return;
	}
	if (r == 0)
		r = append(out, &text);
	if (r == 0 && wants_sync(out, batch, count) && fdatasync(out->fd))
		r = -errno;
	if (r)
		out_say(ret->error, "cannot write '%s': %s", out->settings->path, strerror(-r));
	else
		ret->done = count;
}

const struct out_type out_file = { open_out, send_file, close_out, true };
const struct out_type out_stdout = { open_stdout, send_stdout, close_out, false };
