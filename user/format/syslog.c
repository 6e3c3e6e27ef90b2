/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record as a syslog message, RFC 5424:
 *   <132>1 2026-11-22T04:33:16.000123Z host picket - decision.open [picket@32473 agent="a" ...] DENIED ...
 * All that is one value in the record is a parameter, also one level below ("process.pid"); 32473 is
 * the number for those without a registered one (RFC 5612).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/render.h"

/* Receivers shall take 2048 bytes and may cut behind that; common ones take 8 KiB. */
#define MESSAGE_MAX 8192U
/* Of these, what comes before the text; of that, one value. */
#define HEAD_MAX 6144U
#define VALUE_MAX 1024U
/* Longest name of a parameter, of a message's kind, of a host. */
#define NAME_MAX_LENGTH 32
#define HOST_MAX 255

/* Facility of a machine that says none: user. */
static const unsigned int severities[] = {
	[LEVEL_INFO] = 6,
	[LEVEL_NOTICE] = 5,
	[LEVEL_WARNING] = 4,
	[LEVEL_ERROR] = 3,
};
_Static_assert(sizeof(severities) / sizeof(*severities) == LEVEL__MAX, "a number for each");

static bool is_word(const char *text, size_t most)
{
	size_t length = 0;

	for (; text[length]; length++) {
		if (text[length] < 33 || text[length] > 126)
			return false;
	}
	return length > 0 && length <= most;
}

/* Parameters may have no name with what ends one. */
static bool is_name(const char *text)
{
	return is_word(text, NAME_MAX_LENGTH) && !strpbrk(text, "=]\"");
}

/* Bytes of @text, of at most @most, that are whole characters. */
static size_t whole(const char *text, size_t most)
{
	size_t length = 0;

	while (text[length]) {
		size_t next = escape_utf8(text + length, strlen(text + length), NULL);

		if (next == 0 || length + next > most)
			break;
		length += next;
	}
	return length;
}

/* The value, with the three signs escaped that end one. Control characters are escaped as in a line. */
static int value_escaped(const char *text, char **ret)
{
	CLEAN_FREE char *safe = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&safe, &size);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0, end = whole(text, VALUE_MAX); i < end;) {
		size_t length = escape_plain(text + i, end - i);

		if (length == 1 && strchr("\"\\]", text[i]))
			(void)fprintf(to, "\\%c", text[i]);
		else if (length > 0)
			(void)fwrite(text + i, 1, length, to);
		else
			(void)fprintf(to, "\\\\x%02x", (unsigned char)text[i]);
		i += length ? length : 1;
	}
	if (text_close(to, &safe) < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(safe);
	return 0;
}

/* A message under construction. */
struct message {
	FILE *to;
	size_t used; /* bytes of parameters */
	bool cut; /* some did not fit */
	bool failed;
};

static void put_parameter(struct message *message, const char *name, const char *text)
{
	CLEAN_FREE char *value = NULL;
	size_t length;

	if (!is_name(name))
		return;
	if (value_escaped(text, &value) < 0) {
		message->failed = true;
		return;
	}
	length = strlen(name) + strlen(value) + 4;
	if (message->used + length > HEAD_MAX) {
		message->cut = true;
		return;
	}
	message->used += length;
	(void)fprintf(message->to, " %s=\"%s\"", name, value);
	if (whole(text, VALUE_MAX) < strlen(text))
		message->cut = true;
}

static void put_value(struct message *message, const char *name, const json_t *value)
{
	char number[VALUE_NUMBER_SIZE];

	if (json_is_string(value)) {
		put_parameter(message, name, json_string_value(value));
	} else if (json_is_integer(value)) {
		(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
		put_parameter(message, name, number);
	} else if (json_is_boolean(value)) {
		put_parameter(message, name, json_is_true(value) ? "true" : "false");
	}
}

/* Words of a list, like "read,write". */
static void put_list(struct message *message, const char *name, const json_t *list)
{
	CLEAN_FREE char *words = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&words, &size);

	if (!to) {
		message->failed = true;
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));

		(void)fprintf(to, "%s%s", i ? "," : "", word ? word : "");
	}
	if (text_close(to, &words) < 0)
		message->failed = true;
	else if (json_array_size(list) > 0)
		put_parameter(message, name, words);
}

static void put_object(struct message *message, const char *name, const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		CLEAN_FREE char *below = NULL;

		if (asprintf(&below, "%s.%s", name, key) < 0) {
			below = NULL;
			message->failed = true;
			return;
		}
		put_value(message, below, value);
	}
}

static void put_parameters(struct message *message, const json_t *event)
{
	const char *key;
	json_t *value;

	(void)fputs("[picket@32473", message->to);
	json_object_foreach((json_t *)event, key, value) {
		if (strcmp(key, "schema") == 0 || strcmp(key, "time") == 0)
			continue;
		if (strcmp(key, "access") == 0 && json_is_array(value))
			put_list(message, key, value);
		else if (json_is_object(value))
			put_object(message, key, value);
		else
			put_value(message, key, value);
	}
	put_object(message, "tool", value_object(value_object(event, "context"), "tool"));
	if (message->cut)
		(void)fputs(" cut=\"true\"", message->to);
	(void)fputs("] ", message->to);
}

/* Microseconds are the most that a time may have. */
static void put_time(FILE *to, const json_t *event)
{
	const char *text = value_text(event, "time");
	int64_t ns;

	if (value_time(event, "time", &ns))
		(void)fprintf(to, "%.19s.%06dZ ", text, (int)(ns / 1000 % 1000000));
	else
		(void)fputs("- ", to);
}

static void put_head(FILE *to, const json_t *event, const struct format_machine *machine)
{
	const char *kind = value_text(event, "kind");
	const char *op = value_text(event, "op");
	const char *host = machine->hostname;
	bool both = op && is_word(kind, NAME_MAX_LENGTH) && is_word(op, NAME_MAX_LENGTH) &&
		    strlen(kind) + strlen(op) < NAME_MAX_LENGTH;

	(void)fprintf(to, "<%u>1 ",
		      (machine->facility < 24 ? machine->facility : 1) * 8 +
			      severities[value_level(event)]);
	put_time(to, event);
	(void)fprintf(to, "%s picket - ", host && is_word(host, HOST_MAX) ? host : "-");
	if (both)
		(void)fprintf(to, "%s.%s ", kind, op);
	else
		(void)fprintf(to, "%s ", is_word(kind, NAME_MAX_LENGTH) ? kind : "-");
}

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text > 126)
			return false;
	}
	return true;
}

/* Text that is not all ASCII begins with the mark that says UTF-8. */
static int put_text(FILE *to, const json_t *event)
{
	CLEAN_FREE char *text = NULL;
	const char *mark;
	int r = line_sentence(event, &text);
	long used = r < 0 ? 0 : ftell(to);

	if (r < 0 || used < 0)
		return -ENOMEM;
	mark = is_ascii(text) ? "" : "\xef\xbb\xbf";
	(void)fprintf(to, "%s%.*s", mark,
		      (int)whole(text, MESSAGE_MAX - (size_t)used - strlen(mark)), text);
	return 0;
}

int syslog_message(const json_t *event, const struct format_machine *machine,
		   struct format_text *ret)
{
	struct message message = { 0 };
	CLEAN_FREE char *bytes = NULL;
	size_t size = 0;
	int r;

	message.to = open_memstream(&bytes, &size);
	if (!message.to)
		return -ENOMEM;
	put_head(message.to, event, machine);
	put_parameters(&message, event);
	r = fflush(message.to) == 0 ? put_text(message.to, event) : -ENOMEM;
	if (text_close(message.to, &bytes) < 0 || r < 0 || message.failed)
		return -ENOMEM;
	*ret = (struct format_text){ .bytes = TAKE_PTR(bytes), .length = size };
	return 0;
}
