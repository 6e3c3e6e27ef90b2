/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `picket schema` prints is the language: every key of every table by which policies are read is
 * in it with its shape, its words and what the reference says of it, and nothing else is. A
 * validator of other people's making takes the policies that picket takes, and both refuse whatever
 * is made wrong in them (schema_judge.py).
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "author/schema_text.h"
#include "base/mem.h"
#include "commands.h"
#include "policy/approvals.h"
#include "policy/dns.h"
#include "policy/load.h"
#include "policy/process.h"
#include "policy/rules.h"
#include "policy/sections.h"
#include "policy/sockets.h"

#define TABLES_MIN 17

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/work" },
};

static const struct policy_context context = { .builtins = builtins, .builtin_count = 3 };

/* The alternative of @value that is of @type ("object", "array", "string": a text), or NULL. */
static const json_t *find_shape(const json_t *value, const char *type)
{
	const json_t *options = json_object_get(value, "anyOf");
	size_t count = options ? json_array_size(options) : 1;

	for (size_t i = 0; i < count; i++) {
		const json_t *option = options ? json_array_get(options, i) : value;
		const json_t *types = json_object_get(option, "type");
		const char *first = json_is_array(types) ?
					    json_string_value(json_array_get(types, 0)) :
					    json_string_value(types);

		if (json_object_get(option, "enum"))
			first = "string";
		if (first && strcmp(first, type) == 0)
			return option;
	}
	return NULL;
}

static void check_words(const struct schema_key *row, const json_t *text)
{
	const json_t *words = json_object_get(text, "enum");
	size_t numbers = 0;

	if (!row->words) {
		assert_null(words);
		return;
	}
	assert_non_null(words);
	for (size_t i = 0; i < json_array_size(words); i++)
		numbers += json_is_integer(json_array_get(words, i));
	assert_int_equal(json_array_size(words), row->words->count + numbers);
	for (size_t i = 0; i < row->words->count; i++) {
		bool found = false;

		for (size_t j = 0; j < json_array_size(words); j++) {
			const char *word = json_string_value(json_array_get(words, j));

			found = found || (word && strcmp(word, row->words->words[i].word) == 0);
		}
		if (!found)
			fail_msg("'%s' misses the word %s", row->name, row->words->words[i].word);
	}
}

static bool has_element(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return true;
	}
	return false;
}

static void check_map(const struct schema *schema, const json_t *map, size_t *tables);

static void check_key(const struct schema *schema, const struct schema_key *row, const json_t *map,
		      size_t *tables)
{
	const json_t *value = json_object_get(json_object_get(map, "properties"), row->name);
	const char *about = schema_text_about(schema, row->name);
	const json_t *text, *list, *below;

	if (!value || !about)
		fail_msg("%s: '%s' is not in the %s", schema->what, row->name,
			 value ? "reference" : "schema");
	assert_string_equal(json_string_value(json_object_get(value, "description")), about);
	text = find_shape(value, "string");
	list = find_shape(value, "array");
	below = find_shape(value, "object");
	assert_int_equal(text != NULL, (row->shapes & SHAPE_TEXT) != 0);
	assert_int_equal(list != NULL, (row->shapes & SHAPE_LIST) != 0);
	assert_int_equal(below != NULL, (row->shapes & SHAPE_MAP) != 0);
	assert_int_equal(has_element(json_object_get(map, "required"), row->name),
			 (row->flags & (SCHEMA_REQUIRED | SCHEMA_REQUIRED_MAIN)) != 0);
	if (text)
		check_words(row, text);
	if (list && row->below)
		check_map(row->below, json_object_get(list, "items"), tables);
	if (below && row->below)
		check_map(row->below, below, tables);
	/* Only variables have names that a policy makes up. */
	if (below && !row->below)
		assert_string_equal(row->name, "vars");
}

static void check_map(const struct schema *schema, const json_t *map, size_t *tables)
{
	(*tables)++;
	assert_true(json_is_false(json_object_get(map, "additionalProperties")));
	assert_int_equal(json_object_size(json_object_get(map, "properties")), schema->count);
	for (size_t i = 0; i < schema->count; i++)
		check_key(schema, &schema->keys[i], map, tables);
}

static void test_tables(void **state)
{
	json_t *root = schema_text_policy();
	size_t tables = 0;

	(void)state;
	assert_non_null(root);
	check_map(&sections_schema, root, &tables);
	assert_true(tables >= TABLES_MIN);
	json_decref(root);
}

/* What the reader says to @policy, as "unknown KIND 'zzzz'" with all words behind it; malloc'ed. */
static char *answer_to(const char *policy)
{
	CLEAN(policy_free) struct policy *loaded = NULL;
	struct diag_list diags = { 0 };
	char *printed = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&printed, &size);

	assert_non_null(to);
	(void)policy_load_text("p", policy, strlen(policy), &context, &loaded, &diags);
	diag_print(&diags, to);
	assert_int_equal(fclose(to), 0);
	diag_list_reset(&diags);
	return printed;
}

/** A kind of map, and what stands before and behind its keys in a policy. */
struct surrounding {
	const struct schema *schema;
	const char *before;
	const char *behind;
};

/* The reader answers an unknown word for the key with every word of its table. */
static void check_answer(const struct surrounding *around, const struct schema_key *row)
{
	CLEAN_FREE char *policy = NULL;
	CLEAN_FREE char *answer = NULL;

	assert_true(asprintf(&policy, "picket: 1\n%s%s: zzzzzzzzzzzz%s\n", around->before,
			     row->name, around->behind) > 0);
	answer = answer_to(policy);
	for (size_t i = 0; i < row->words->count; i++) {
		if (!strstr(answer, row->words->words[i].word))
			fail_msg("'%s' of '%s' is not in\n%s", row->words->words[i].word, row->name,
				 answer);
	}
}

/* The words of the tables are those by which the reader decides: it names each of them itself. */
static void test_words(void **state)
{
	static const struct surrounding rows[] = {
		{ &sections_schema, "", "" },
		{ &rules_egress_schema, "egress: {", "}" },
		{ &rules_listen_schema, "listen: {", "}" },
		{ &rules_files_schema, "files: {", "}" },
		{ &rules_exec_schema, "exec: {", "}" },
		{ &rules_unix_schema, "unix: {", "}" },
		{ &dns_schema, "egress: {dns: {", "}}" },
		{ &tls_schema, "egress: {tls: {", "}}" },
		{ &sockets_schema, "sockets: {", "}" },
		{ &process_schema, "process: {", "}" },
		{ &approvals_schema, "approvals: {", "}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t j = 0; j < rows[i].schema->count; j++) {
			const struct schema_key *row = &rows[i].schema->keys[j];

			/* A set of one word is told in a sentence of its own. */
			if (row->words && row->words->count > 1)
				check_answer(&rows[i], row);
		}
	}
}

static int load(const char *path)
{
	CLEAN_FREE char *text = read_file(path);
	CLEAN(policy_free) struct policy *policy = NULL;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = policy_load_text(path, text, strlen(text), &context, &policy, &diags);

	if ((r == 0) != (strstr(path, "/base-") != NULL)) {
		diag_print(&diags, stderr);
		fail_msg("%s: %s\n%s", path, r ? "refused" : "taken, and the schema refuses it",
			 text);
	}
	return r;
}

/* Ask picket about every policy of @folder; removes it. */
static size_t judge_folder(const char *folder)
{
	DIR *files = opendir(folder);
	size_t count = 0;

	assert_non_null(files);
	for (const struct dirent *entry = readdir(files); entry; entry = readdir(files)) {
		CLEAN_FREE char *path = NULL;

		if (*entry->d_name == '.')
			continue;
		assert_true(asprintf(&path, "%s/%s", folder, entry->d_name) > 0);
		if (strstr(entry->d_name, ".yaml")) {
			(void)load(path);
			count++;
		}
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(closedir(files), 0);
	assert_int_equal(rmdir(folder), 0);
	return count;
}

static void test_validator(void **state)
{
	char folder[] = "/tmp/picket-schema-XXXXXX";
	CLEAN_FREE char *path = NULL;
	CLEAN_FREE char *command = NULL;
	json_t *root = schema_text_policy();

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_true(asprintf(&path, "%s/schema.json", folder) > 0);
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	assert_true(asprintf(&command, "python3 tests/unit/schema_judge.py %s %s >/dev/null", path,
			     folder) > 0);
	if (system(command) != 0) /* NOLINT(cert-env33-c): words of our own */
		fail_msg("the validator is of another opinion (python3-jsonschema, python3-yaml?)");
	assert_true(judge_folder(folder) > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_validator),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
