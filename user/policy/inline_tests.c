/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inline tests. A test names one act (connect, listen, open, exec, run or unix) with a literal target,
 * not a pattern: what is tested is one key, as the kernel would see it.
 */
#include "policy/inline_tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/address.h"
#include "policy/exec_words.h"
#include "policy/pattern.h"
#include "policy/schema.h"
#include "policy/vars.h"

#define KINDS (POLICY_TEST_LISTEN + 1)

/** A test while its keys are read. */
struct draft {
	struct policy_test test;
	const struct node *target[KINDS]; /* by enum policy_test_kind */
	const struct node *by;
	const struct node *protocol;
	const struct node *from;
	const struct node *access;
};

static const char *const kind_names[] = {
	[POLICY_TEST_CONNECT] = "connect", [POLICY_TEST_OPEN] = "open",
	[POLICY_TEST_EXEC] = "exec",	   [POLICY_TEST_RUN] = "run",
	[POLICY_TEST_UNIX] = "unix",	   [POLICY_TEST_LISTEN] = "listen",
};

static const struct front_word protocol_words[] = {
	{ "tcp", PK_ACCESS_TCP },
	{ "udp", PK_ACCESS_UDP },
	{ "icmp", PK_ACCESS_ICMP },
};

static const struct front_word access_words[] = {
	{ "read", PK_ACCESS_READ },	  { "write", PK_ACCESS_WRITE }, { "exec", PK_ACCESS_EXEC },
	{ "connect", PK_ACCESS_CONNECT }, { "list", PK_ACCESS_READ },
};

static const struct front_word expect_words[] = {
	{ "allow", PK_VERDICT_ALLOW },
	{ "ask", PK_VERDICT_ASK },
	{ "deny", PK_VERDICT_DENY },
};

static const struct front_words protocol_set = FRONT_WORDS("protocol", protocol_words);
static const struct front_words access_set = FRONT_WORDS("access", access_words);
static const struct front_words expect_set = FRONT_WORDS("verdict", expect_words);

static int read_expect(struct front *front, const struct node *value, void *into)
{
	unsigned int verdict = PK_VERDICT_DENY;

	if (front_word(front, value, &expect_set, &verdict))
		((struct draft *)into)->test.expect = (enum pk_verdict)verdict;
	return 0;
}

static const struct schema_key test_keys[] = {
	{ .name = "connect",
	  .expected = "a text ADDRESS:PORT or NAME:PORT",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_ONE_OF,
	  SCHEMA_KEEP(struct draft, target[POLICY_TEST_CONNECT]) },
	{ .name = "listen",
	  .expected = "a text ADDRESS:PORT",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_ONE_OF,
	  SCHEMA_KEEP(struct draft, target[POLICY_TEST_LISTEN]) },
	{ .name = "from",
	  .expected = "the address of a peer",
	  .shapes = SHAPE_TEXT,
	  SCHEMA_KEEP(struct draft, from) },
	{ .name = "protocol",
	  .expected = "tcp, udp or icmp",
	  .shapes = SHAPE_TEXT,
	  .words = &protocol_set,
	  SCHEMA_KEEP(struct draft, protocol) },
	{ .name = "open",
	  .expected = "a path",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_ONE_OF,
	  SCHEMA_KEEP(struct draft, target[POLICY_TEST_OPEN]) },
	{ .name = "access",
	  .expected = "read, write, exec, connect, list or a list of them",
	  .shapes = SHAPE_TEXT | SHAPE_LIST,
	  .words = &access_set,
	  SCHEMA_KEEP(struct draft, access) },
	{ .name = "exec",
	  .expected = "the path of a program",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_ONE_OF,
	  SCHEMA_KEEP(struct draft, target[POLICY_TEST_EXEC]) },
	{ .name = "run",
	  .expected = "a command line",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_ONE_OF,
	  SCHEMA_KEEP(struct draft, target[POLICY_TEST_RUN]) },
	{ .name = "unix",
	  .expected = "the name of an abstract socket",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_ONE_OF,
	  SCHEMA_KEEP(struct draft, target[POLICY_TEST_UNIX]) },
	{ .name = "by",
	  .expected = "the path of the program that does it",
	  .shapes = SHAPE_TEXT,
	  SCHEMA_KEEP(struct draft, by) },
	{ .name = "expect",
	  .expected = "allow, ask or deny",
	  .read = read_expect,
	  .shapes = SHAPE_TEXT,
	  .words = &expect_set,
	  .flags = SCHEMA_REQUIRED },
};

const struct schema inline_tests_schema = SCHEMA("a test", test_keys);

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

/* Where to connect to: an address, of ICMP without a port, or a name that it was learned for. */
static int read_destination(struct front *front, const struct node *text,
			    const struct expansion *expansion, struct policy_test *test)
{
	struct address_error error = { 0 };
	struct address_target target = { 0 };
	int r = test->access == PK_ACCESS_ICMP ?
			address_parse_alone(expansion->text, &target.address, &error) :
			address_parse_target(expansion->text, &target, &error);

	if (r == -EINVAL)
		pattern_report_address(front, text, expansion, &error);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	test->host = target.host;
	test->address = target.address;
	test->port = target.port;
	return 0;
}

static int read_local(struct front *front, const struct node *text,
		      const struct expansion *expansion, struct policy_test *test)
{
	struct address_error error = { 0 };
	int r = address_parse_one(expansion->text, &test->address, &test->port, &error);

	if (r == -EINVAL)
		pattern_report_address(front, text, expansion, &error);
	return r == -EINVAL ? 0 : r;
}

static int read_from(struct front *front, const struct node *text, struct policy_test *test)
{
	CLEAN(expansion_reset) struct expansion expansion = { 0 };
	struct address_error error = { 0 };
	int r;

	if (!text || !front_line(front, text, "the peer of a test"))
		return 0;
	r = vars_expand(front, text, VARS_PLAIN, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	r = address_parse_alone(expansion.text, &test->from, &error);
	if (r == -EINVAL)
		pattern_report_address(front, text, &expansion, &error);
	test->has_from = r == 0;
	return r == -EINVAL ? 0 : r;
}

/* The program of a command line: a name, or a path as the kernel reports it. */
static int check_command(struct front *front, const struct node *text,
			 const struct expansion *expansion)
{
	CLEAN(exec_words_free) char **words = NULL;
	int count = exec_words_split(expansion->text, &words);
	size_t at;
	const char *why;

	if (count < 0)
		return count;
	if (count == 0 || !*words[0]) {
		(void)node_error(text, front->diags, "a command line without a program");
		return 0;
	}
	why = strchr(words[0], '/') ? path_fault(words[0], strlen(words[0]), &at) : NULL;
	if (why)
		(void)node_error(text, front->diags, "%s", why);
	return 0;
}

static int check_target(struct front *front, const struct node *text,
			const struct expansion *expansion, struct policy_test *test)
{
	switch (test->kind) {
	case POLICY_TEST_CONNECT:
		return read_destination(front, text, expansion, test);
	case POLICY_TEST_LISTEN:
		return read_local(front, text, expansion, test);
	case POLICY_TEST_RUN:
		return check_command(front, text, expansion);
	case POLICY_TEST_UNIX:
		if (expansion->text[*expansion->text == '@'] == '\0')
			(void)node_error(text, front->diags, "the name of a socket is empty");
		return 0;
	case POLICY_TEST_OPEN:
	case POLICY_TEST_EXEC:
		check_path(front, text, expansion);
		break;
	}
	return 0;
}

static int read_target(struct front *front, const struct node *text, struct policy_test *test)
{
	CLEAN(expansion_reset) struct expansion expansion = { 0 };
	enum vars_use use = test->kind == POLICY_TEST_RUN ? VARS_LINE : VARS_PLAIN;
	bool sign;
	int r = 0;

	if (!front_line(front, text, "the target of a test"))
		return 0;
	r = vars_expand(front, text, use, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	r = check_target(front, text, &expansion, test);
	sign = test->kind == POLICY_TEST_UNIX && *expansion.text == '@';
	test->target = strdup(expansion.text + sign);
	return test->target ? r : -ENOMEM;
}

static int read_program(struct front *front, const struct node *text, struct policy_test *test)
{
	CLEAN(expansion_reset) struct expansion expansion = { 0 };
	int r;

	if (!text || !front_line(front, text, "the program of a test"))
		return 0;
	r = vars_expand(front, text, VARS_PLAIN, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	check_path(front, text, &expansion);
	test->by = TAKE_PTR(expansion.text);
	return 0;
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
	bool network = test->kind == POLICY_TEST_CONNECT || test->kind == POLICY_TEST_LISTEN;
	unsigned int value = PK_ACCESS_TCP;

	if (!network)
		refuse_key(front, draft->protocol, "protocol", "connect' or 'listen");
	else if (draft->protocol)
		(void)front_word(front, draft->protocol, &protocol_set, &value);
	if (network)
		test->access = (__u8)value;
	if (test->kind == POLICY_TEST_LISTEN && test->access == PK_ACCESS_ICMP)
		(void)node_error(draft->protocol, front->diags, "nobody listens for icmp");
	if (test->kind != POLICY_TEST_LISTEN)
		refuse_key(front, draft->from, "from", "listen");
	if (test->kind == POLICY_TEST_EXEC || test->kind == POLICY_TEST_RUN)
		test->access = PK_ACCESS_RUN;
	if (test->kind == POLICY_TEST_UNIX)
		test->access = PK_ACCESS_ABSTRACT;
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

	for (int kind = 0; kind < KINDS; kind++) {
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
				     "a test needs 'connect', 'listen', 'open', 'exec', 'run' or "
				     "'unix'"),
			  "write 'open: PATH', 'connect: ADDRESS:PORT', 'listen: ADDRESS:PORT', "
			  "'exec: PATH', 'run: COMMAND' or 'unix: NAME'");
	return target;
}

static bool has_target(const struct draft *draft)
{
	for (int kind = 0; kind < KINDS; kind++) {
		if (draft->target[kind])
			return true;
	}
	return false;
}

/* Read what the keys kept, and keep the test. */
static int finish_test(struct front *front, const struct node *target, struct draft *draft)
{
	int r = read_access(front, draft);

	if (r == 0)
		r = read_target(front, target, &draft->test);
	if (r == 0)
		r = read_program(front, draft->by, &draft->test);
	if (r == 0 && draft->test.kind == POLICY_TEST_LISTEN)
		r = read_from(front, draft->from, &draft->test);
	if (r == 0 && draft->test.target) {
		r = FRONT_APPEND(&front->policy->tests, &front->policy->test_count, &draft->test);
		if (r == 0)
			draft->test.target = draft->test.host = draft->test.by = NULL;
	}
	free(draft->test.target);
	free(draft->test.host);
	free(draft->test.by);
	return r;
}

static int read_test(struct front *front, const struct node *node)
{
	struct draft draft = { .test = { .pos = node_pos(node) } };
	size_t findings = front->diags->count + front->diags->dropped;
	const struct node *target = NULL;
	bool refused;
	int r;

	if (node->kind != NODE_MAP) {
		front_wrong_type(front, node, "a test",
				 "a map with 'connect', 'listen', 'open', 'exec', 'run' or 'unix', "
				 "and 'expect'",
				 false);
		return 0;
	}
	r = schema_read_map(front, &inline_tests_schema, node, &draft);
	/* A key that was refused may be the one that is missing. */
	refused = node_has_bad(node) || findings != front->diags->count + front->diags->dropped;
	if (r == 0 && (has_target(&draft) || !refused))
		target = choose_target(front, node, &draft);
	return target ? finish_test(front, target, &draft) : r;
}

int inline_tests_read(struct front *front, const struct node *list, void *unused)
{
	int r = 0;

	(void)unused;
	for (size_t i = 0; i < list->count && r == 0; i++)
		r = read_test(front, list->items[i]);
	return r;
}
