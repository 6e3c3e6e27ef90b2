/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source lines of warnings. A loaded policy has no text any more, so the file is read once more, only
 * to be shown: when that fails or it has changed meanwhile, a warning loses its excerpt or shows
 * another line, and nothing else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "author/warn_parts.h"
#include "base/mem.h"
#include "policy/presets.h"
#include "policy/source.h"

void warn_text_reset(struct warn_text *text)
{
	free(text->text);
	free(text->lines);
	*text = (struct warn_text){ 0 };
}

static void take_preset(struct warn_text *text, const char *name)
{
	for (size_t i = 0; i < policy_preset_count; i++) {
		const struct policy_preset *preset = &policy_presets[i];

		if (strcmp(preset->name, name) != 0)
			continue;
		text->text = malloc(preset->length + 1);
		if (!text->text)
			return;
		memcpy(text->text, preset->text, preset->length);
		text->length = preset->length;
	}
}

/* Only what a second reading gives again: no pipe, whose reader would wait. */
static void take_file(struct warn_text *text, const char *path)
{
	CLEAN_FREE char *real = realpath(path, NULL);
	CLEAN_FREE char *why = NULL;
	struct source_identity identity;
	struct source source = { 0 };

	if (!real || source_read(real, SOURCE_INCLUDE, &source, &identity, &why) < 0)
		return;
	text->text = malloc(source.length + 1);
	if (text->text && source.length)
		memcpy(text->text, source.text, source.length);
	text->length = text->text ? source.length : 0;
	source_reset(&source);
}

static void find_lines(struct warn_text *text)
{
	size_t count = 1;

	for (size_t i = 0; i < text->length; i++)
		count += text->text[i] == '\n';
	text->lines = calloc(count, sizeof(*text->lines));
	if (!text->lines)
		return;
	text->line_count = 1;
	for (size_t i = 0; i < text->length; i++)
		if (text->text[i] == '\n')
			text->lines[text->line_count++] = i + 1;
}

static void take_text(struct warn *warn, const struct diag_pos *pos)
{
	struct warn_text *text = &warn->text;

	if (text->file == pos->file)
		return;
	warn_text_reset(text);
	text->file = pos->file;
	if (warn_is_preset(warn, pos))
		take_preset(text, pos->file + strlen("presets/"));
	else
		take_file(text, pos->file);
	if (text->text)
		find_lines(text);
}

void warn_excerpt(struct warn *warn, struct diag *diag, const struct diag_pos *pos, size_t length)
{
	const struct warn_text *text = &warn->text;
	const char *line;
	size_t left;

	if (!pos->file || pos->line == 0)
		return;
	take_text(warn, pos);
	if (pos->line > text->line_count)
		return;
	line = text->text + text->lines[pos->line - 1];
	left = text->length - text->lines[pos->line - 1];
	diag_excerpt(diag, line, left);
	left = strcspn(diag->excerpt ? diag->excerpt : "", "\n") + diag->cut;
	/* The quotes around a text are underlined too. */
	if (pos->column <= left && strchr("\"'", line[pos->column - 1]))
		length += 2;
	if (pos->column + length > left + 1)
		length = left + 1 > pos->column ? left + 1 - pos->column : 1;
	diag->length = (unsigned int)length;
}
