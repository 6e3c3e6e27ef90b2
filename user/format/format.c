/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which renderer a format is, and bodies of several records.
 */
#include "format/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "format/render.h"

static const char *const names[] = {
	[FORMAT_JSON] = "json",		  [FORMAT_TEXT] = "text",
	[FORMAT_OCSF] = "ocsf",		  [FORMAT_ECS] = "ecs",
	[FORMAT_OTLP_JSON] = "otlp-json", [FORMAT_OTLP_PROTOBUF] = "otlp-protobuf",
	[FORMAT_SYSLOG] = "syslog",	  [FORMAT_JOURNAL] = "journal",
};
_Static_assert(sizeof(names) / sizeof(*names) == FORMAT__MAX, "a name for each");

static void free_json(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

void format_text_reset(struct format_text *text)
{
	mem_free_ptr(&text->bytes);
	text->length = 0;
}

int format_named(const char *name)
{
	for (int i = 0; i < FORMAT__MAX; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -EINVAL;
}

const char *format_name(enum format format)
{
	return (unsigned int)format < FORMAT__MAX ? names[format] : "unknown";
}

static int take_string(char *text, struct format_text *ret)
{
	if (!text)
		return -ENOMEM;
	*ret = (struct format_text){ .bytes = text, .length = strlen(text) };
	return 0;
}

static int dump(const json_t *object, struct format_text *ret)
{
	return take_string(object ? json_dumps(object, JSON_COMPACT) : NULL, ret);
}

static int render_line(const json_t *event, struct format_text *ret)
{
	char *line = NULL;
	int r = format_line(event, 0, &line);

	return r < 0 ? r : take_string(line, ret);
}

static int render_request(enum format format, const json_t *const *events, size_t count,
			  const struct format_machine *machine, struct format_text *ret)
{
	CLEAN(free_json) json_t *request = otlp_request(events, count, machine);

	if (!request)
		return -ENOMEM;
	return format == FORMAT_OTLP_JSON ? dump(request, ret) : otlp_protobuf(request, ret);
}

static int render_object(enum format format, const json_t *event,
			 const struct format_machine *machine, struct format_text *ret)
{
	CLEAN(free_json)
	json_t *object = format == FORMAT_OCSF ? ocsf_event(event, machine) :
						 ecs_event(event, machine);

	return dump(object, ret);
}

int format_record(enum format format, const json_t *event, const struct format_machine *machine,
		  struct format_text *ret)
{
	if (!value_is_record(event))
		return -EBADMSG;
	switch (format) {
	case FORMAT_JSON:
		return dump(event, ret);
	case FORMAT_TEXT:
		return render_line(event, ret);
	case FORMAT_OCSF:
	case FORMAT_ECS:
		return render_object(format, event, machine, ret);
	case FORMAT_OTLP_JSON:
	case FORMAT_OTLP_PROTOBUF:
		return render_request(format, &event, 1, machine, ret);
	case FORMAT_SYSLOG:
		return syslog_message(event, machine, ret);
	case FORMAT_JOURNAL:
		return journal_entry(event, ret);
	case FORMAT__MAX:
		break;
	}
	return -EINVAL;
}

static int write_lines(FILE *to, enum format format, const json_t *const *events, size_t count,
		       const struct format_machine *machine)
{
	for (size_t i = 0; i < count; i++) {
		CLEAN(format_text_reset) struct format_text line = { 0 };
		int r = format_record(format, events[i], machine, &line);

		if (r < 0)
			return r;
		(void)fwrite(line.bytes, 1, line.length, to);
		(void)fputc('\n', to);
	}
	return 0;
}

static int render_lines(enum format format, const json_t *const *events, size_t count,
			const struct format_machine *machine, struct format_text *ret)
{
	CLEAN_FREE char *bytes = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&bytes, &size);
	int r;
	int closed;

	if (!to)
		return -ENOMEM;
	r = write_lines(to, format, events, count, machine);
	closed = text_close(to, &bytes);
	if (r < 0 || closed < 0)
		return r < 0 ? r : closed;
	*ret = (struct format_text){ .bytes = TAKE_PTR(bytes), .length = size };
	return 0;
}

int format_batch(enum format format, const json_t *const *events, size_t count,
		 const struct format_machine *machine, struct format_text *ret)
{
	if (format == FORMAT_SYSLOG || format == FORMAT_JOURNAL)
		return -ENOTSUP;
	if (format != FORMAT_OTLP_JSON && format != FORMAT_OTLP_PROTOBUF)
		return render_lines(format, events, count, machine, ret);
	for (size_t i = 0; i < count; i++) {
		if (!value_is_record(events[i]))
			return -EBADMSG;
	}
	return render_request(format, events, count, machine, ret);
}
