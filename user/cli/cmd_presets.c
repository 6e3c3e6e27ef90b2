/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket presets`: what can be included by `include: presets/NAME`, and the text of each.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/json_out.h"
#include "policy/presets.h"

static const char help[] =
	"usage: picket presets [options] [NAME]\n"
	"\n"
	"List the presets that a policy can include, with what each is for, or print the one\n"
	"that is called NAME.\n"
	"\n"
	"      --json   the list, or the one preset with its text, as JSON\n"
	"\n"
	"Exit status: 0: done; 1: there is no such preset; 2: usage.\n";

/* The value of the line "KEY: ..." at the left margin: malloc'ed, or NULL. */
static char *value_of(const struct policy_preset *preset, const char *key)
{
	const char *end = preset->text + preset->length;
	size_t length = strlen(key);

	for (const char *line = preset->text; line < end;) {
		size_t rest = strcspn(line, "\n");

		if (rest > length + 2 && strncmp(line, key, length) == 0 && line[length] == ':')
			return strndup(line + length + 2, rest - length - 2);
		line += rest + 1;
	}
	return NULL;
}

/* "2026-11" of the comment "Sources, as of 2026-11: ...", malloc'ed, or NULL. */
static char *date_of(const struct policy_preset *preset)
{
	static const char words[] = "Sources, as of ";
	const char *at = strstr(preset->text, words);

	return at ? strndup(at + strlen(words), strspn(at + strlen(words), "0123456789-")) : NULL;
}

static json_t *preset_object(const struct policy_preset *preset, bool whole)
{
	CLEAN_FREE char *about = value_of(preset, "description");
	CLEAN_FREE char *date = date_of(preset);
	json_t *object = json_pack("{s:s, s:s*, s:s*}", "name", preset->name, "description", about,
				   "as_of", date);

	if (whole)
		(void)json_object_set_new(object, "text",
					  json_stringn(preset->text, preset->length));
	return object;
}

static int list(bool json)
{
	json_t *all = json ? json_array() : NULL;
	int width = 0;

	for (size_t i = 0; i < policy_preset_count; i++) {
		int length = (int)strlen(policy_presets[i].name);

		width = length > width ? length : width;
	}
	for (size_t i = 0; i < policy_preset_count; i++) {
		CLEAN_FREE char *about = value_of(&policy_presets[i], "description");

		if (json)
			(void)json_array_append_new(all, preset_object(&policy_presets[i], false));
		else
			(void)printf("presets/%-*s  %s\n", width, policy_presets[i].name,
				     about ? about : "");
	}
	if (!json)
		return CLI_OK;
	return json_out_print("presets", json_pack("{s:s, s:o}", "schema", "picket.presets/1",
						   "presets", all));
}

/* Names are taken as `include` takes them, and without the folder. */
static int print(const char *name, bool json)
{
	const char *names[64];
	const char *nearest;
	size_t count = 0;

	if (strncmp(name, "presets/", strlen("presets/")) == 0)
		name += strlen("presets/");
	for (size_t i = 0; i < policy_preset_count; i++) {
		const struct policy_preset *preset = &policy_presets[i];

		if (count < sizeof(names) / sizeof(*names))
			names[count++] = preset->name;
		if (strcmp(preset->name, name) != 0)
			continue;
		if (json)
			return json_out_print("presets", preset_object(preset, true));
		(void)fwrite(preset->text, 1, preset->length, stdout);
		return CLI_OK;
	}
	nearest = cli_nearest(name, names, count);
	if (nearest)
		return cli_error("presets", "there is no preset '%s': did you mean '%s'?", name,
				 nearest);
	return cli_error("presets", "there is no preset '%s': `picket presets` lists them", name);
}

int cmd_presets(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option == 'h')
			return cli_help(help);
		if (option != 'j')
			return cli_usage("presets", NULL);
		json = true;
	}
	if (argc - optind > 1)
		return cli_usage("presets", "one preset at a time, not %d", argc - optind);
	return optind < argc ? print(argv[optind], json) : list(json);
}
