/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SARIF (OASIS, Static Analysis Results Interchange Format 2.1.0): one run, a rule for each kind of
 * finding, a result for each finding. Columns are counted in characters there, and in bytes here.
 */
#include "cli/check_sarif.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "author/warn.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/json_out.h"

/* Findings without a code: their places in the list of rules. */
#define RULE_ERROR "E-policy"
#define RULE_WARNING "W-policy"

static json_t *text_object(const char *text)
{
	return json_pack("{s:o}", "text", json_out_text(text));
}

static json_t *rule_object(const char *id, const char *summary)
{
	return json_pack("{s:s, s:o}", "id", id, "shortDescription", text_object(summary));
}

/* The rules, in the order that rule_index() counts. */
static json_t *rule_list(void)
{
	json_t *list = json_array();

	(void)json_array_append_new(
		list, rule_object(RULE_ERROR, "what `picket run` would refuse the policy for"));
	(void)json_array_append_new(list,
				    rule_object(RULE_WARNING, "what is most likely not meant so"));
	for (enum warn_code code = 0; code < WARN__MAX; code++)
		(void)json_array_append_new(list, rule_object(warn_name(code), warn_summary(code)));
	return list;
}

static int rule_index(const struct diag *diag, const char **ret_id)
{
	for (enum warn_code code = 0; diag->code && code < WARN__MAX; code++) {
		*ret_id = warn_name(code);
		if (strcmp(*ret_id, diag->code) == 0)
			return (int)code + 2;
	}
	*ret_id = diag->severity == DIAG_ERROR ? RULE_ERROR : RULE_WARNING;
	return diag->severity == DIAG_ERROR ? 0 : 1;
}

/* A path as a URI reference: absolute ones with their scheme, odd bytes as %XX. */
static json_t *uri(const char *path)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	if (*path == '/')
		(void)fputs("file://", to);
	for (; *path; path++) {
		if (isalnum((unsigned char)*path) || strchr("/-._~", *path))
			(void)fputc(*path, to);
		else
			(void)fprintf(to, "%%%02X", (unsigned char)*path);
	}
	return text_close(to, &text) == 0 ? json_string(text) : NULL;
}

/* Characters of the first @bytes bytes. */
static unsigned int characters(const char *text, size_t bytes)
{
	unsigned int count = 0;

	for (size_t i = 0; i < bytes && text[i]; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static json_t *region(const struct diag *diag)
{
	unsigned int start = diag->column ? diag->column : 1;
	unsigned int length = diag->length;

	if (diag->excerpt && diag->cut == 0) {
		size_t before = start - 1 < strlen(diag->excerpt) ? start - 1 :
								    strlen(diag->excerpt);

		length = characters(diag->excerpt + before, length);
		start = characters(diag->excerpt, before) + 1;
	}
	return json_pack("{s:i, s:i, s:i}", "startLine", (int)diag->line, "startColumn", (int)start,
			 "endColumn", (int)(start + (length ? length : 1)));
}

static json_t *location(const struct diag *diag, const char *path)
{
	json_t *physical = json_pack("{s:{s:o}}", "artifactLocation", "uri",
				     uri(diag->file ? diag->file : path));

	if (diag->file && diag->line > 0)
		(void)json_object_set_new(physical, "region", region(diag));
	return json_pack("{s:o}", "physicalLocation", physical);
}

/* The message has the hint too: reviewers see nothing else. */
static json_t *message(const struct diag *diag)
{
	CLEAN_FREE char *text = NULL;

	if (!diag->hint)
		return text_object(diag->message);
	if (asprintf(&text, "%s. %s", diag->message, diag->hint) < 0)
		text = NULL;
	return text ? text_object(text) : NULL;
}

void check_sarif_add(json_t *results, const char *path, const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *diag = &diags->items[i];
		const char *id;
		int index = rule_index(diag, &id);

		(void)json_array_append_new(
			results,
			json_pack("{s:s, s:i, s:s, s:o, s:[o]}", "ruleId", id, "ruleIndex", index,
				  "level", diag->severity == DIAG_ERROR ? "error" : "warning",
				  "message", message(diag), "locations", location(diag, path)));
	}
}

json_t *check_sarif(json_t *results)
{
	return json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:O}]}", "$schema",
			 "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0",
			 "runs", "tool", "driver", "name", "picket", "version", PICKET_VERSION,
			 "rules", rule_list(), "columnKind", "unicodeCodePoints", "results",
			 results);
}
