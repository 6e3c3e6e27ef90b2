/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inline tests. A test names one act (connect, open or exec) with a literal target, not a pattern:
 * what is tested is one key, as the kernel would see it.
 */
#include "policy/inline_tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/address.h"
#include "policy/pattern.h"
#include "policy/schema.h"
#include "policy/vars.h"

/** A test while its keys are read. */
struct draft {
	struct policy_test test;
	const struct node *target[3]; /* by enum policy_test_kind */
	const struct node *protocol;
	const struct node *access;
};

static const char *const kind_names[] = {
	[POLICY_TEST_CONNECT] = "connect",
	[POLICY_TEST_OPEN] = "open",
	[POLICY_TEST_EXEC] = "exec",
};

static const struct front_word protocol_words[] = {
	{ "tcp", PK_ACCESS_TCP },
	{ "udp", PK_ACCESS_UDP },
};

static const struct front_word access_words[] = {
	{ "read", PK_ACCESS_READ },	  { "write", PK_ACCESS_WRITE }, { "exec", PK_ACCESS_EXEC },
	{ "connect", PK_ACCESS_CONNECT }, { "list", PK_ACCESS_READ },
};

static const struct front_word expect_words[] = {
	{ "allow", PK_VERDICT_ALLOW },
	{ "deny", PK_VERDICT_DENY },
};

static const struct front_words protocol_set = FRONT_WORDS("protocol", protocol_words);
static const struct front_words access_set = FRONT_WORDS("access", access_words);
static const struct front_words expect_set = FRONT_WORDS("verdict", expect_words);

static int keep_connect(struct front *front, const struct node *value, void *into)
{
	(void)front;
	((struct draft *)into)->target[POLICY_TEST_CONNECT] = value;
	return 0;
}

static int keep_open(struct front *front, const struct node *value, void *into)
{
	(void)front;
	((struct draft *)into)->target[POLICY_TEST_OPEN] = value;
	return 0;
}

static int keep_exec(struct front *front, const struct node *value, void *into)
{
	(void)front;
	((struct draft *)into)->target[POLICY_TEST_EXEC] = value;
	return 0;
}

static int keep_protocol(struct front *front, const struct node *value, void *into)
{
	(void)front;
	((struct draft *)into)->protocol = value;
	return 0;
}

static int keep_access(struct front *front, const struct node *value, void *into)
{
	(void)front;
	((struct draft *)into)->access = value;
	return 0;
}

static int read_expect(struct front *front, const struct node *value, void *into)
{
	unsigned int verdict = PK_VERDICT_DENY;

	if (front_word(front, value, &expect_set, &verdict))
		((struct draft *)into)->test.expect = (enum pk_verdict)verdict;
	return 0;
}

static const struct schema_key test_keys[] = {
	{ "connect", "a text ADDRESS:PORT", keep_connect, SHAPE_TEXT, 0, NULL },
	{ "protocol", "tcp or udp", keep_protocol, SHAPE_TEXT, 0, NULL },
	{ "open", "a path", keep_open, SHAPE_TEXT, 0, NULL },
	{ "access", "read, write, exec, connect, list or a list of them", keep_access,
	  SHAPE_TEXT | SHAPE_LIST, 0, NULL },
	{ "exec", "the path of a program", keep_exec, SHAPE_TEXT, 0, NULL },
	{ "expect", "allow or deny", read_expect, SHAPE_TEXT, SCHEMA_REQUIRED, NULL },
};

static const struct schema test_schema = SCHEMA("a test", test_keys);

/* Why @path is not a path as the kernel reports it, with the byte where; NULL when it is. */
static const char *path_fault(const char *path, size_t length, size_t *ret_at)
{
	*ret_at = 0;
	if (*path != '/')
		return "the path of a test begins with '/'";
	if (length > PK_PATH_MAX)
		return "the path of a test is longer than any path";
	for (size_t i = 0; i < length; i++) {
		size_t name;

		if (path[i] != '/')
			continue;
		*ret_at = i;
		name = strcspn(path + i + 1, "/");
		if (name == 0 && length > 1)
			return path[i + 1] ? "a path never has an empty component" :
					     "the path of a test does not end in '/'";
		if (name > 0 && name <= 2 && strspn(path + i + 1, ".") >= name)
			return "the path of a test has a component '.' or '..'";
	}
	return NULL;
}

static void check_path(struct front *front, const struct node *text,
		       const struct expansion *expansion)
{
	size_t at;
	const char *why = path_fault(expansion->text, expansion->length, &at);

	if (!why)
		return;
	(void)expansion_error_at(text, expansion, front->diags, at,
				 at < expansion->length ? 1UL : 0UL, "%s", why);
}

static int read_destination(struct front *front, const struct node *text,
			    const struct expansion *expansion, struct policy_test *test)
{
	struct address_error error = { 0 };
	int r = address_parse_one(expansion->text, &test->address, &test->port, &error);

	if (r == -EINVAL)
		pattern_report_address(front, text, expansion, &error);
	return r == -EINVAL ? 0 : r;
}

static int read_target(struct front *front, const struct node *text, struct policy_test *test)
{
	struct expansion expansion = { 0 };
	int r = 0;

	if (!front_line(front, text, "the target of a test"))
		return 0;
	r = vars_expand(front, text, VARS_PLAIN, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	if (test->kind == POLICY_TEST_CONNECT)
		r = read_destination(front, text, &expansion, test);
	else
		check_path(front, text, &expansion);
	test->target = TAKE_PTR(expansion.text);
	expansion_reset(&expansion);
	return r;
}

static int add_access(struct front *front, const struct node *text, void *into)
{
	unsigned int value = 0;

	if (front_word(front, text, &access_set, &value))
		((struct policy_test *)into)->access |= (__u8)value;
	return 0;
}

static void refuse_key(struct front *front, const struct node *value, const char *key,
		       const char *needs)
{
	if (value)
		(void)node_error(value, front->diags, "'%s' is for tests with '%s'", key, needs);
}

static int read_access(struct front *front, struct draft *draft)
{
	struct policy_test *test = &draft->test;
	unsigned int value = PK_ACCESS_TCP;

	if (test->kind != POLICY_TEST_CONNECT)
		refuse_key(front, draft->protocol, "protocol", "connect");
	else if (draft->protocol)
		(void)front_word(front, draft->protocol, &protocol_set, &value);
	if (test->kind == POLICY_TEST_CONNECT)
		test->access = (__u8)value;
	if (test->kind == POLICY_TEST_EXEC)
		test->access = PK_ACCESS_RUN;
	if (test->kind != POLICY_TEST_OPEN) {
		refuse_key(front, draft->access, "access", "open");
		return 0;
	}
	if (!draft->access) {
		test->access = PK_ACCESS_READ;
		return 0;
	}
	if (draft->access->kind == NODE_LIST && draft->access->count == 0)
		(void)node_error(draft->access, front->diags, "'access' is an empty list");
	return front_each_text(front, draft->access, "a word of 'access'", add_access, test);
}

/* The one target of a test, or NULL: none, or several, reported. */
static const struct node *choose_target(struct front *front, const struct node *node,
					struct draft *draft)
{
	const struct node *target = NULL;

	for (int kind = 0; kind <= POLICY_TEST_EXEC; kind++) {
		if (!draft->target[kind])
			continue;
		if (target) {
			diag_hint(node_error(node, front->diags, "a test has both '%s' and '%s'",
					     kind_names[draft->test.kind], kind_names[kind]),
				  "make two tests of it");
			return NULL;
		}
		target = draft->target[kind];
		draft->test.kind = (enum policy_test_kind)kind;
	}
	if (!target)
		diag_hint(node_error(node, front->diags,
				     "a test needs 'connect', 'open' or 'exec'"),
			  "write 'open: PATH', 'connect: ADDRESS:PORT' or 'exec: PATH'");
	return target;
}

static int read_test(struct front *front, const struct node *node)
{
	struct draft draft = { .test = { .pos = node_pos(node) } };
	size_t findings = front->diags->count + front->diags->dropped;
	const struct node *target = NULL;
	bool has_target, refused;
	int r;

	if (node->kind != NODE_MAP) {
		front_wrong_type(front, node, "a test",
				 "a map with 'connect', 'open' or 'exec', and 'expect'", false);
		return 0;
	}
	r = schema_read_map(front, &test_schema, node, &draft);
	has_target = draft.target[POLICY_TEST_CONNECT] || draft.target[POLICY_TEST_OPEN] ||
		     draft.target[POLICY_TEST_EXEC];
	/* A key that was refused may be the one that is missing. */
	refused = node_has_bad(node) || findings != front->diags->count + front->diags->dropped;
	if (r == 0 && (has_target || !refused))
		target = choose_target(front, node, &draft);
	if (!target)
		return r;
	r = read_access(front, &draft);
	if (r == 0)
		r = read_target(front, target, &draft.test);
	if (r == 0 && draft.test.target) {
		r = FRONT_APPEND(&front->policy->tests, &front->policy->test_count, &draft.test);
		if (r == 0)
			draft.test.target = NULL;
	}
	free(draft.test.target);
	return r;
}

int inline_tests_read(struct front *front, const struct node *list, void *unused)
{
	int r = 0;

	(void)unused;
	for (size_t i = 0; i < list->count && r == 0; i++)
		r = read_test(front, list->items[i]);
	return r;
}
