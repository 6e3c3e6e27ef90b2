/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bytes of an event are whose: words of a command are read together, because an option hides the word
 * behind it; names of hosts and system calls are no place for secrets.
 */
#include "telemetry/shown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct redact_settings *event_hidden(const struct event_context *context)
{
	return context->redact ? context->redact : &redact_standard;
}

static struct event_path path_of(const struct redacted *text)
{
	return (struct event_path){ text->bytes, text->length };
}

/* The program and its words are one list of words, and two again. */
static int show_command(const struct redact_settings *settings, struct event_shown *shown)
{
	const struct event_path program = shown->event.path;
	const struct event_path words = shown->event.path2;
	size_t size = program.length + 1 + words.length;
	CLEAN_FREE char *all = malloc(size);
	size_t first;
	int r;

	if (!all)
		return -ENOMEM;
	if (program.length)
		memcpy(all, program.bytes, program.length);
	all[program.length] = '\0';
	if (words.length)
		memcpy(all + program.length + 1, words.bytes, words.length);
	r = redact_words(settings, all, size, &shown->path);
	if (r)
		return r;
	/* As many words came out as went in. */
	first = strlen(shown->path.bytes);
	shown->event.path.bytes = shown->path.bytes;
	shown->event.path.length = first;
	shown->event.path2.bytes = shown->path.bytes + first + 1;
	shown->event.path2.length = shown->path.length - first - 1;
	shown->hidden = shown->path.hidden;
	return 0;
}

static int show_paths(const struct redact_settings *settings, struct event_shown *shown)
{
	const struct event_path path = shown->event.path;
	const struct event_path path2 = shown->event.path2;
	int r = redact_path(settings, path.bytes, path.length, &shown->path);

	if (r == 0)
		r = redact_path(settings, path2.bytes, path2.length, &shown->path2);
	if (r)
		return r;
	shown->event.path = path_of(&shown->path);
	shown->event.path2 = path_of(&shown->path2);
	shown->hidden = shown->path.hidden || shown->path2.hidden;
	return 0;
}

int event_show(const struct event *event, const struct redact_settings *settings,
	       struct event_shown *ret)
{
	int r = 0;

	*ret = (struct event_shown){ .event = *event };
	if (event->head.op == PK_OP_COMMAND)
		r = show_command(settings, ret);
	else if (!event_is_network(event) && event->head.op != PK_OP_SYSCALL)
		r = show_paths(settings, ret);
	if (r)
		event_shown_reset(ret);
	return r;
}

void event_shown_reset(struct event_shown *shown)
{
	redacted_reset(&shown->path);
	redacted_reset(&shown->path2);
	*shown = (struct event_shown){ 0 };
}
