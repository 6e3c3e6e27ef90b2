/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event records of any bytes: decoding refuses or gives a record that both renderings take, each as
 * one line of clean UTF-8. Records of lives: decoding refuses, or every text lies inside of the bytes and
 * has the words that it says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/event.h"
#include "telemetry/json.h"
#include "telemetry/life.h"
#include "telemetry/render.h"
#include "telemetry/summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line: no control byte but the newline at its end. */
static void expect_one_line(const char *line)
{
	size_t length = strlen(line);

	if (length == 0 || line[length - 1] != '\n' || !escape_is_utf8(line, length))
		abort();
	for (size_t i = 0; i + 1 < length; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			abort();
	}
}

static void expect_reversible(const struct event_path *path)
{
	CLEAN_FREE char *text = escape_string(path->bytes, path->length, 0);
	CLEAN_FREE char *back = NULL;
	size_t length = 0;

	if (!text || escape_undo(text, &back, &length) < 0 || length != path->length)
		abort();
	if (length > 0 && memcmp(back, path->bytes, length) != 0)
		abort();
}

static void summarise(const struct event *event, const struct event_context *context)
{
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	CLEAN_FILE FILE *to = open_memstream(&text, &size);

	if (!to || summary_new(&summary) < 0)
		abort();
	summary_add(summary, event);
	if (summary_print(summary, context, to) < 0 || fflush(to) != 0)
		abort();
	if (!escape_is_utf8(text, size))
		abort();
}

static void expect_inside(const struct event_path *text, const uint8_t *data, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)text->bytes;

	if (text->length &&
	    (bytes < data + sizeof(struct pk_life) || bytes + text->length > data + size))
		abort();
}

static void live(const uint8_t *data, size_t size)
{
	struct life life;
	__u32 words = 0;

	if (life_decode(data, size, &life) < 0)
		return;
	expect_inside(&life.text, data, size);
	expect_inside(&life.text2, data, size);
	if (life.text.length && memchr(life.text.bytes, 0, life.text.length))
		abort();
	for (size_t i = 0; i < life.text2.length; i++)
		words += !life.text2.bytes[i];
	if (words > life.head.words || strlen(life.comm) >= sizeof(life.comm) ||
	    strcmp(life_name(life.head.what), "unknown") == 0)
		abort();
	if (!(life.head.flags & (PK_LIFE_WORDS_CUT | PK_LIFE_WORDS_UNREAD)) &&
	    words != life.head.words)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_context context = { .clock_offset_ns = 1700000000000000000LL };
	CLEAN_FREE char *line = NULL;
	CLEAN_FREE char *json = NULL;
	struct event event;

	if (life_is(data, size))
		live(data, size);
	if (event_decode(data, size, &event) < 0)
		return 0;
	if (render_event(&event, &context, &line) < 0 || json_event(&event, &context, &json) < 0)
		abort();
	expect_one_line(line);
	expect_one_line(json);
	expect_reversible(&event.path);
	expect_reversible(&event.path2);
	summarise(&event, &context);
	return 0;
}
