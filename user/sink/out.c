/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several types of sinks need: words, rendering, secrets.
 */
#include "sink/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define SECRET_MAX 65536

void out_say(char error[236], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, 236, format, arguments);
	va_end(arguments);
}

int out_render(enum format format, const struct sink_line *line,
	       const struct format_machine *machine, struct format_text *ret)
{
	json_t *event = json_loadb(line->text, line->length, 0, NULL);
	int r = event ? format_record(format, event, machine, ret) : -EBADMSG;

	json_decref(event);
	return r;
}

int out_render_batch(enum format format, const struct out_batch *batch, size_t count,
		     const struct format_machine *machine, struct format_text *ret)
{
	CLEAN_FREE json_t **events = calloc(count + 1, sizeof(*events));
	int r = events ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct sink_line *line = batch->lines[i];

		events[i] = json_loadb(line->text, line->length, 0, NULL);
		r = events[i] ? 0 : -EBADMSG;
	}
	if (r == 0)
		r = format_batch(format, (const json_t *const *)events, count, machine, ret);
	for (size_t i = 0; events && i < count; i++)
		json_decref(events[i]);
	return r;
}

static int read_all(int fd, char *text, size_t room)
{
	size_t length = 0;
	ssize_t got;

	while ((got = read(fd, text + length, room - 1 - length)) > 0)
		length += (size_t)got;
	if (got < 0)
		return -errno;
	if (length == room - 1)
		return -EFBIG;
	if (memchr(text, '\0', length))
		return -EINVAL;
	text[length] = '\0';
	return 0;
}

int out_read_secret(const struct sink_secret *secret, char **ret_text, char error[236])
{
	CLEAN_FREE char *text = calloc(1, SECRET_MAX);
	CLEAN_FD int fd = open(secret->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : text ? read_all(fd, text, SECRET_MAX) : -ENOMEM;

	if (r) {
		out_say(error, "cannot read '%s': %s", secret->path, strerror(-r));
		return r;
	}
	*ret_text = TAKE_PTR(text);
	return 0;
}
