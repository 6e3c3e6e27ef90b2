/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket schema events`: says what json.h says. Whether records are like that is judged with the other
 * formats (test_format.c, format_judge.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands.h"
#include "telemetry/event_schema.h"
#include "telemetry/event_schema_table.h"

#define DOCUMENT "user/telemetry/json.h"

static bool is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || byte == '-';
}

/* True when @text has @word as a word of its own. */
static bool mentions(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
		if (!is_word(at[-1]) && !is_word(at[length]))
			return true;
	}
	return false;
}

static void check_keys(const char *document, const struct event_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct event_key *key = &keys->keys[i];
		const char *hex = strstr(key->name, "_hex");

		/* "host_hex as path_hex" is said once for all. */
		if (!hex && !mentions(document, key->name))
			fail_msg("'%s' is not in " DOCUMENT, key->name);
		if (strlen(key->about) < 4 || key->about[strlen(key->about) - 1] != '.')
			fail_msg("'%s': no sentence", key->name);
		if (key->below)
			check_keys(document, key->below);
	}
}

static void table_is_documented(void **state)
{
	CLEAN_FREE char *document = read_file(DOCUMENT);

	(void)state;
	assert_non_null(document);
	assert_int_equal(event_kind_count, 10);
	for (size_t i = 0; i < event_kind_count; i++) {
		assert_true(mentions(document, event_kinds[i].kind));
		check_keys(document, event_kinds[i].keys);
	}
	assert_false(mentions(document, "nonsense_key"));
}

static bool in_table(const char *name)
{
	for (size_t i = 0; i < event_kind_count; i++) {
		if (strcmp(event_kinds[i].kind, name) == 0)
			return true;
		for (size_t j = 0; j < event_kinds[i].keys->count; j++) {
			if (strcmp(event_kinds[i].keys->keys[j].name, name) == 0)
				return true;
		}
	}
	return false;
}

/* Keys that a line of the list begins with: " *   path, path2   escaped as ...". Returns how many. */
static size_t check_line(const char *line)
{
	size_t count = 0;

	if (strncmp(line, " *   ", 5) != 0 || !islower((unsigned char)line[5]))
		return 0;
	for (line += 5; islower((unsigned char)*line); count++) {
		char name[40] = "";
		size_t length = 0;

		while (is_word(line[length]) && length + 1 < sizeof(name)) {
			name[length] = line[length];
			length++;
		}
		if (!in_table(name))
			fail_msg("'%s' of " DOCUMENT " is not in the table", name);
		line += length + (line[length] == '*');
		if (strncmp(line, ", ", 2) != 0)
			return count + 1;
		line += 2;
	}
	return count;
}

static void document_is_in_the_table(void **state)
{
	CLEAN_FREE char *document = read_file(DOCUMENT);
	size_t count = 0;
	char *rest = document;

	(void)state;
	assert_non_null(document);
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		count += check_line(line);
	assert_true(count >= 55);
}

static void printed(void **state)
{
	json_t *schema = event_schema();
	const json_t *kinds = json_object_get(schema, "oneOf");
	const json_t *first = json_array_get(kinds, 0);

	(void)state;
	assert_int_equal(json_array_size(kinds), event_kind_count);
	assert_string_equal(json_string_value(json_object_get(first, "title")), "decision");
	assert_true(json_is_false(json_object_get(first, "additionalProperties")));
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(first, "required"), 0)), "schema");
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_documented),
		cmocka_unit_test(document_is_in_the_table),
		cmocka_unit_test(printed),
	};

	return cmocka_run_group_tests_name("event_schema", tests, NULL, NULL);
}
