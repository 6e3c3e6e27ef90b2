/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line has as many users as there are queues that it waits in.
 */
#include "sink/line.h"

#include <stdlib.h>
#include <string.h>

struct sink_line *sink_line_new(enum sink_class class, const char *text, size_t length)
{
	struct sink_line *line = malloc(sizeof(*line) + length + 1);

	if (!line)
		return NULL;
	line->users = 1;
	line->class = class;
	line->length = length;
	memcpy(line->text, text, length);
	line->text[length] = '\0';
	return line;
}

struct sink_line *sink_line_use(struct sink_line *line)
{
	line->users++;
	return line;
}

void sink_line_drop(struct sink_line **line)
{
	if (*line && --(*line)->users == 0)
		free(*line);
	*line = NULL;
}

const char *sink_line_agent(const struct sink_line *line, size_t *ret_length)
{
	static const char key[] = ",\"agent\":\"";
	const char *kind = strstr(line->text, ",\"kind\":\"");
	const char *end = kind ? strchr(kind + 9, '"') : NULL;

	/* Right behind the kind, or there is none. */
	if (!end || strncmp(end + 1, key, sizeof(key) - 1) != 0)
		return NULL;
	end += sizeof(key);
	*ret_length = strcspn(end, "\"");
	return end;
}
