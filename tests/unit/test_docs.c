/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written about the policy language is true: policies in the documents load, compile and
 * pass their inline tests; the faulty ones give the findings printed below them; every key, word
 * and limit of the language is in the reference, and every key of every kind of map in a policy there. Keys and words are asked of the language itself,
 * by its answer to an unknown one.
 *
 * In a document, ```yaml followed by "picket: 1" is a whole policy, ```yaml wrong is one that must
 * be refused with the ```text block behind it, and ```yaml fragment is not looked at.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/policy_tests.h"
#include "policy/address.h"
#include "policy/capabilities.h"
#include "policy/command_glob.h"
#include "policy/compile.h"
#include "policy/front.h"
#include "policy/glob.h"
#include "policy/load.h"
#include "policy/sections.h"
#include "policy/syscalls.h"
#include "policy/vars_names.h"
#include "policy/yaml.h"

#define REFERENCE "policies/README.md"
#define WHOLE_MIN 5
#define WRONG_MIN 2
/** Most kinds of maps, and keys of one. */
#define KINDS_MAX 32
#define KEYS_MAX 32
/** No key or word of the language is like this one, so that it is answered with all of them. */
#define UNKNOWN "zzzzzzzzzzzz"

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/srv/project" },
};

static const struct policy_context context = { .builtins = builtins, .builtin_count = 3 };

/* The text of a document, malloc'ed, or NULL when there is none. */
static char *read_document(const char *path)
{
	CLEAN_FILE FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	assert_true(getdelim(&text, &size, EOF, file) > 0);
	return text;
}

/** A fenced block; borrows from its document. */
struct block {
	const char *info; /* what stands behind the fence */
	size_t info_length;
	const char *text;
	size_t length;
};

/* Find the first fenced block at or behind *@at and move *@at behind it. */
static bool next_block(const char **at, struct block *ret_block)
{
	const char *open = strncmp(*at, "```", 3) == 0 ? *at : strstr(*at, "\n```");
	const char *close;

	if (!open)
		return false;
	ret_block->info = open + strspn(open, "\n`");
	ret_block->info_length = strcspn(ret_block->info, "\n");
	ret_block->text = ret_block->info + ret_block->info_length + 1;
	close = strstr(ret_block->text - 1, "\n```");
	if (!close)
		fail_msg("a fenced block does not end: %.60s", open + 1);
	ret_block->length = (size_t)(close + 1 - ret_block->text);
	*at = close + 4;
	return true;
}

static bool has_info(const struct block *block, const char *info)
{
	return block->info_length == strlen(info) &&
	       memcmp(block->info, info, block->info_length) == 0;
}

static bool is_whole(const struct block *block)
{
	static const char start[] = "picket: 1\n";

	return has_info(block, "yaml") && block->length > sizeof(start) &&
	       memcmp(block->text, start, sizeof(start) - 1) == 0;
}

/* Load, compile and test a policy; returns the number of its tests. */
static size_t run_policy(const char *name, const struct block *block)
{
	const struct compile_options options = { 0 };
	CLEAN(policy_free) struct policy *policy = NULL;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(image_reset) struct policy_image image = { 0 };
	const struct policy *layers[1];
	const char *why = NULL;
	size_t passed = 0;
	int r = policy_load_text(name, block->text, block->length, &context, &policy, &diags);

	if (r == 0) {
		layers[0] = policy;
		r = policy_compile(layers, 1, &options, &image, &diags);
	}
	if (r == 0)
		r = image_validate(image.bytes, image.size, &why);
	if (r == 0)
		r = policy_tests_run(policy, &image, &passed, &diags);
	if (r < 0 || diags.count > 0) {
		diag_print(&diags, stderr);
		fail_msg("%s has a policy that is refused or warned about: %s\n%.*s", name,
			 why ? why : strerror(-r), (int)block->length, block->text);
	}
	return passed;
}

/*
 * Run the whole policies of the document @path; returns how many there are. In a @strict document
 * each has tests, and nothing else is marked as yaml: a slip in a first line does not pass unseen.
 */
static size_t run_document(const char *path, bool strict)
{
	CLEAN_FREE char *text = read_document(path);
	const char *at = text;
	struct block block;
	size_t count = 0;

	while (at && next_block(&at, &block)) {
		if (!is_whole(&block)) {
			assert_false(strict && has_info(&block, "yaml"));
			continue;
		}
		count++;
		assert_true(run_policy(path, &block) > 0 || !strict);
	}
	return count;
}

static void test_whole(void **state)
{
	(void)state;
	assert_true(run_document(REFERENCE, true) >= WHOLE_MIN);
	(void)run_document("README.md", false);
}

/* The findings about @text as they are printed; malloc'ed. */
static char *findings_about(const char *text, size_t length)
{
	CLEAN(policy_free) struct policy *policy = NULL;
	struct diag_list diags = { 0 };
	char *printed = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&printed, &size);

	assert_non_null(to);
	assert_int_equal(policy_load_text("policy.yaml", text, length, &context, &policy, &diags),
			 -EINVAL);
	diag_print(&diags, to);
	assert_int_equal(fclose(to), 0);
	diag_list_reset(&diags);
	return printed;
}

static void test_wrong(void **state)
{
	CLEAN_FREE char *text = read_document(REFERENCE);
	const char *at = text;
	struct block block;
	size_t count = 0;

	(void)state;
	assert_non_null(text);
	while (next_block(&at, &block)) {
		CLEAN_FREE char *printed = NULL;
		CLEAN_FREE char *written = NULL;

		if (!has_info(&block, "yaml wrong"))
			continue;
		printed = findings_about(block.text, block.length);
		assert_true(next_block(&at, &block));
		assert_true(has_info(&block, "text"));
		written = strndup(block.text, block.length);
		assert_string_equal(written, printed);
		count++;
	}
	assert_true(count >= WRONG_MIN);
}

/* Every name in the list behind @label in the answer to @policy stands in the reference as `name`. */
static void check_names(const char *reference, const char *policy, const char *label,
			const char *before)
{
	CLEAN_FREE char *printed = findings_about(policy, strlen(policy));
	char *list = strstr(printed, label);
	char *rest = NULL;
	size_t count = 0;

	if (!list)
		fail_msg("no '%s' in the answer:\n%s", label, printed);
	list += strlen(label);
	list[strcspn(list, "\n")] = '\0';
	for (char *name = strtok_r(list, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
		CLEAN_FREE char *mention = NULL;

		assert_true(asprintf(&mention, "%s%s`", before, name) > 0);
		if (!strstr(reference, mention))
			fail_msg("%s does not have %s", REFERENCE, mention);
		count++;
	}
	assert_true(count >= 2);
}

static void test_names(void **state)
{
	/* What is asked, what stands in front of the answer, and in front of a name in the text. */
	static const char *const rows[][3] = {
		{ UNKNOWN ": x\n", "known keys: ", "\n| `" },
		{ "egress: {" UNKNOWN ": x}\n", "known keys: ", "\n| `" },
		{ "egress: {rules: [{" UNKNOWN ": x}]}\n", "known keys: ", "\n| `" },
		{ "egress: {dns: {" UNKNOWN ": x}}\n", "known keys: ", "\n| `" },
		{ "egress: {dns: {names: " UNKNOWN "}}\n", "known ones: ", "`" },
		{ "egress: {dns: {private_answers: " UNKNOWN "}}\n", "known ones: ", "`" },
		{ "egress: {tls: {sni: " UNKNOWN "}}\n", "known ones: ", "`" },
		{ "listen: {" UNKNOWN ": x}\n", "known keys: ", "\n| `" },
		{ "listen: {rules: [{" UNKNOWN ": x}]}\n", "known keys: ", "\n| `" },
		{ "sockets: {allow: " UNKNOWN "}\n", "known ones: ", "`" },
		{ "files: {rules: [{" UNKNOWN ": x}]}\n", "known keys: ", "\n| `" },
		{ "exec: {rules: [{" UNKNOWN ": x}]}\n", "known keys: ", "\n| `" },
		{ "unix: {rules: [{" UNKNOWN ": x}]}\n", "known keys: ", "\n| `" },
		{ "process: {" UNKNOWN ": x}\n", "known keys: ", "\n| `" },
		{ "process: {profile: " UNKNOWN "}\n", "known ones: ", "`" },
		{ "process: {ptrace: " UNKNOWN "}\n", "known ones: ", "`" },
		{ "process: {capabilities: [" UNKNOWN "]}\n", "known ones: ", "`" },
		{ "approvals: {" UNKNOWN ": x}\n", "known keys: ", "\n| `" },
		{ "approvals: {on_ask: " UNKNOWN "}\n", "known ones: ", "`" },
		{ "syscalls: {deny: '@" UNKNOWN "'}\n", "groups are: ", "\n| `" },
		{ "report: {" UNKNOWN ": x}\n", "known keys: ", "\n| `" },
		{ "tests: [{" UNKNOWN ": x, expect: deny}]\n", "known keys: ", "\n| `" },
		{ "mode: " UNKNOWN "\n", "known ones: ", "`" },
		{ "exec: {default: " UNKNOWN "}\n", "known ones: ", "`" },
		{ "egress: {rules: [{allow: '::1', protocol: " UNKNOWN "}]}\n",
		  "known ones: ", "`" },
		{ "files: {rules: [{allow: /, access: " UNKNOWN "}]}\n", "known ones: ", "`" },
		{ "report: {activity: " UNKNOWN "}\n", "known ones: ", "`" },
		{ "tests: [{open: /, access: " UNKNOWN ", expect: deny}]\n", "known ones: ", "`" },
		{ "egress: {rules: [{allow: '@" UNKNOWN "'}]}\n", "groups are ", "\n| `" },
		{ "include: presets/" UNKNOWN "\n", "presets: ", "\n| `presets/" },
		{ "files: {rules: [{deny: '/${" UNKNOWN "}'}]}\n", "known variables: ", "`" },
	};
	CLEAN_FREE char *reference = read_document(REFERENCE);

	(void)state;
	assert_non_null(reference);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEAN_FREE char *policy = NULL;

		assert_true(asprintf(&policy, "picket: 1\n%s", rows[i][0]) > 0);
		check_names(reference, policy, rows[i][1], rows[i][2]);
	}
}

/* A group's networks as picket has them are those of its row, no more and no fewer. */
static void check_group(const char *reference, const char *name)
{
	CLEAN_FREE char *start = NULL;
	struct address_match group = { 0 };
	struct address_error error = { 0 };
	size_t found = 0;
	const char *at, *end;

	assert_true(asprintf(&start, "\n| `%s` | ", name) > 0);
	at = strstr(reference, start);
	assert_non_null(at);
	at += strlen(start);
	end = at + strcspn(at, "\n");
	assert_int_equal(address_parse(name, &group, &error), 0);
	while (at < end && *at == '`') {
		size_t length = strcspn(at + 1, "`");
		CLEAN_FREE char *network = strndup(at + 1, length);
		struct address_match match = { 0 };

		assert_int_equal(address_parse(network, &match, &error), 0);
		for (size_t i = 0; i < match.range_count; i++, found++) {
			assert_true(found < group.range_count);
			assert_memory_equal(&match.ranges[i], &group.ranges[found],
					    sizeof(match.ranges[i]));
		}
		address_match_reset(&match);
		at += length + 2 + strspn(at + length + 2, ", ");
	}
	assert_int_equal(found, group.range_count);
	address_match_reset(&group);
}

static void test_groups(void **state)
{
	CLEAN_FREE char *reference = read_document(REFERENCE);

	(void)state;
	assert_non_null(reference);
	check_group(reference, "@loopback");
	check_group(reference, "@private");
	check_group(reference, "@metadata");
	check_group(reference, "@any");
}

/* Members of a group of system calls are those of its row, no more and no fewer. */
static void test_syscalls(void **state)
{
	CLEAN_FREE char *reference = read_document(REFERENCE);
	size_t count = 0;
	const struct syscall_group *groups = syscalls_groups(&count);

	(void)state;
	assert_non_null(reference);
	for (size_t i = 0; i < count; i++) {
		CLEAN_FREE char *row = NULL;
		size_t size = 0;
		FILE *to = open_memstream(&row, &size);

		assert_non_null(to);
		(void)fprintf(to, "\n| `%s` |", groups[i].name);
		for (const char *const *name = groups[i].members; *name; name++)
			(void)fprintf(to, "%s `%s`", name == groups[i].members ? "" : ",", *name);
		(void)fputs(" |\n", to);
		assert_int_equal(fclose(to), 0);
		if (!strstr(reference, row))
			fail_msg("%s does not have the row%s", REFERENCE, row);
	}
}

/* What `capabilities: deny` refuses stands behind the word "refuses", what it leaves behind "leaves". */
static void test_capabilities(void **state)
{
	CLEAN_FREE char *reference = read_document(REFERENCE);
	const char *refuses, *leaves, *end;

	(void)state;
	assert_non_null(reference);
	refuses = strstr(reference, "`deny`\nrefuses `linux_immutable`");
	assert_non_null(refuses);
	leaves = strstr(refuses, "leaves `");
	assert_non_null(leaves);
	end = strstr(leaves, ". ");
	assert_non_null(end);
	for (unsigned int i = 0; i < CAPABILITIES_COUNT; i++) {
		CLEAN_FREE char *name = NULL;
		const char *at;

		assert_true(asprintf(&name, "`%s`", capabilities_name(i)) > 0);
		at = strstr(refuses, name);
		if (!at || at > end || (at < leaves) != (capabilities_refused >> i & 1))
			fail_msg("%s tells %s wrongly", REFERENCE, name);
	}
}

static void test_limits(void **state)
{
#define LIMIT(name)                                                                                \
	{                                                                                          \
#name, name                                                                        \
	}
	static const struct {
		const char *name;
		size_t value;
	} rows[] = {
		LIMIT(POLICY_FILE_MAX),	   LIMIT(POLICY_TOTAL_MAX),
		LIMIT(POLICY_FILES_MAX),   LIMIT(POLICY_INCLUDE_DEPTH),
		LIMIT(YAML_DEPTH_MAX),	   LIMIT(YAML_NODES_MAX),
		LIMIT(VARS_COUNT_MAX),	   LIMIT(VARS_NAME_MAX),
		LIMIT(VARS_VALUE_MAX),	   LIMIT(PK_PATH_MAX),
		LIMIT(PK_PATH_DEPTH),	   LIMIT(GLOB_DEPTH_MAX),
		LIMIT(PK_RULES_MAX),	   LIMIT(GLOB_ALTERNATIVES_MAX),
		LIMIT(PK_SET_MAX),	   LIMIT(COMPILE_STATES_MAX),
		LIMIT(PK_SPANS_MAX),	   LIMIT(PK_PAGES_MAX),
		LIMIT(PK_AGENTS_MAX),	   LIMIT(PK_SUBJECTS_MAX),
		LIMIT(COMMAND_WORDS_MAX),  LIMIT(PK_COMMAND_MAX),
		LIMIT(PK_HOST_MAX),	   LIMIT(PK_LABEL_MAX),
		LIMIT(PK_RESOLVERS_MAX),   LIMIT(PK_DNS_MAX),
		LIMIT(PK_DNS_RECORDS_MAX), LIMIT(PK_DNS_OPTIONS_MAX),
		LIMIT(PK_QUESTIONS_MAX),   LIMIT(PK_QUESTION_SECONDS),
		LIMIT(PK_TTL_MAX),	   LIMIT(PK_LEARNED_NAMES),
		LIMIT(PK_LEARNED_MAX),	   LIMIT(PK_PAYLOAD_MAX),
	};
	CLEAN_FREE char *reference = read_document(REFERENCE);

	(void)state;
	assert_non_null(reference);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEAN_FREE char *row = NULL;

		assert_true(asprintf(&row, " | %zu | `%s` |\n", rows[i].value, rows[i].name) > 0);
		if (!strstr(reference, row))
			fail_msg("%s does not have a row that ends in '%s'", REFERENCE, row);
	}
}

/** The keys of the language, one for each kind of map that has it, and which of them were seen. */
struct examples {
	const struct schema *schemas[KINDS_MAX];
	bool used[KINDS_MAX][KEYS_MAX];
	size_t count;
};

static size_t number_of(struct examples *examples, const struct schema *schema)
{
	for (size_t i = 0; i < examples->count; i++) {
		if (examples->schemas[i] == schema)
			return i;
	}
	assert_true(examples->count < KINDS_MAX && schema->count <= KEYS_MAX);
	examples->schemas[examples->count] = schema;
	return examples->count++;
}

/* All kinds of maps below @schema. */
static void add_kinds(struct examples *examples, const struct schema *schema)
{
	(void)number_of(examples, schema);
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->keys[i].below)
			add_kinds(examples, schema->keys[i].below);
	}
}

static void mark(struct examples *examples, const struct schema *schema, const struct node *map)
{
	size_t number = number_of(examples, schema);

	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const struct node *value = map->items[i + 1];
		size_t key = 0;

		while (key < schema->count &&
		       strcmp(schema->keys[key].name, map->items[i]->text) != 0)
			key++;
		assert_true(key < schema->count);
		examples->used[number][key] = true;
		if (schema->keys[key].below && value->kind == NODE_MAP)
			mark(examples, schema->keys[key].below, value);
		for (size_t j = 0; value->kind == NODE_LIST && j < value->count; j++) {
			if (schema->keys[key].below)
				mark(examples, schema->keys[key].below, value->items[j]);
		}
	}
}

static void mark_block(struct examples *examples, const struct block *block)
{
	struct source source = { .name = REFERENCE, .text = block->text, .length = block->length };
	struct diag_list diags = { 0 };
	struct node *root = NULL;

	assert_int_equal(source_check(&source, &diags), 0);
	assert_int_equal(yaml_parse(&source, &root, &diags), 0);
	mark(examples, &sections_schema, root);
	node_free(&root);
	source_reset(&source);
	diag_list_reset(&diags);
}

/* Every key of every kind of map stands in a policy of the reference, which test_whole() runs. */
static void test_examples(void **state)
{
	CLEAN_FREE char *text = read_document(REFERENCE);
	struct examples examples = { 0 };
	const char *at = text;
	struct block block;
	size_t missing = 0;

	(void)state;
	assert_non_null(text);
	add_kinds(&examples, &sections_schema);
	while (next_block(&at, &block)) {
		if (is_whole(&block))
			mark_block(&examples, &block);
	}
	for (size_t i = 0; i < examples.count; i++) {
		for (size_t j = 0; j < examples.schemas[i]->count; j++) {
			if (examples.used[i][j])
				continue;
			print_error("no policy of %s has '%s' in %s\n", REFERENCE,
				    examples.schemas[i]->keys[j].name, examples.schemas[i]->what);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	     cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_names),	     cmocka_unit_test(test_groups),
		cmocka_unit_test(test_limits),	     cmocka_unit_test(test_syscalls),
		cmocka_unit_test(test_capabilities), cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}
