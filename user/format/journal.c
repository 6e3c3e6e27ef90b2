/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record as an entry in journald's native protocol: fields as "NAME=value" lines, those whose value has a
 * newline or another control character as the name, the length and the bytes. Every value of the record is
 * a field: PICKET_OP, PICKET_PROCESS_PID; lists are told in JSON.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "format/render.h"

/* journald's own limit for names of fields. */
#define FIELD_MAX 64
/* Objects below objects that are told field by field; what is below these is told in JSON. */
#define DEPTH_MAX 3U

static const unsigned int priorities[] = {
	[LEVEL_INFO] = 6,
	[LEVEL_NOTICE] = 5,
	[LEVEL_WARNING] = 4,
	[LEVEL_ERROR] = 3,
};
_Static_assert(sizeof(priorities) / sizeof(*priorities) == LEVEL__MAX, "a number for each");

static bool has_control(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)value[i] < ' ' && value[i] != '\t')
			return true;
	}
	return false;
}

static void put_field(FILE *to, const char *name, const char *value, size_t length)
{
	if (!has_control(value, length)) {
		(void)fprintf(to, "%s=", name);
	} else {
		(void)fprintf(to, "%s\n", name);
		for (unsigned int i = 0; i < 8; i++)
			(void)fputc((int)(length >> (8 * i) & 0xff), to);
	}
	(void)fwrite(value, 1, length, to);
	(void)fputc('\n', to);
}

/* PREFIX_KEY in capitals; other bytes than letters and digits become '_'. */
static void field_name(const char *prefix, const char *key, char name[static FIELD_MAX + 1])
{
	(void)snprintf(name, FIELD_MAX + 1, "%s_%s", prefix, key);
	for (char *at = name; *at; at++)
		*at = (char)(isalnum((unsigned char)*at) && (unsigned char)*at < 128 ?
				     toupper((unsigned char)*at) :
				     '_');
}

static int put_json(FILE *to, const char *name, const json_t *value)
{
	CLEAN_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		return -ENOMEM;
	put_field(to, name, text, strlen(text));
	return 0;
}

static int put_object(FILE *to, const char *prefix, const json_t *object, unsigned int depth)
{
	json_t *all = (json_t *)object;

	for (void *at = json_object_iter(all); at; at = json_object_iter_next(all, at)) {
		const json_t *value = json_object_iter_value(at);
		char name[FIELD_MAX + 1];
		int r = 0;

		field_name(prefix, json_object_iter_key(at), name);
		if (json_is_string(value))
			put_field(to, name, json_string_value(value), json_string_length(value));
		else if (json_is_object(value) && depth > 0)
			r = put_object(to, name, value, depth - 1);
		else
			r = put_json(to, name, value);
		if (r < 0)
			return r;
	}
	return 0;
}

int journal_entry(const json_t *event, struct format_text *ret)
{
	CLEAN_FREE char *message = NULL;
	CLEAN_FREE char *bytes = NULL;
	size_t size = 0;
	int r = line_sentence(event, &message);
	FILE *to = r < 0 ? NULL : open_memstream(&bytes, &size);

	if (!to)
		return -ENOMEM;
	put_field(to, "MESSAGE", message, strlen(message));
	(void)fprintf(to, "PRIORITY=%u\nSYSLOG_IDENTIFIER=picket\n",
		      priorities[value_level(event)]);
	r = put_object(to, "PICKET", event, DEPTH_MAX);
	if (text_close(to, &bytes) < 0 || r < 0)
		return -ENOMEM;
	*ret = (struct format_text){ .bytes = TAKE_PTR(bytes), .length = size };
	return 0;
}
