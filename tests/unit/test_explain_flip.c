/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `picket explain` says would give the other verdict is done to the files, and gives it. And what
 * `picket show --effective` says of each layer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands.h"

#define POLICY "policy.yaml"
#define FOLDER "managed"
#define SITE "managed/10-site.yaml"

/* A line for each rule, and a mark where others may be added. */
static const char policy_text[] =
	"picket: 1\n"
	"egress:\n"
	"  rules:\n"
	"    - {allow: \"*.example.com:443\"}\n"
	"    - {deny: \"bad.example.com\"}\n"
	"    - {deny: \"*.bad.example.com\"}\n"
	"    - {allow: \"192.0.2.0/24:443\"}\n"
	"    - {deny: \"192.0.2.4/31\"}\n"
	"    - {ask: \"192.0.2.4\"}\n"
	"    # more egress\n"
	"listen:\n"
	"  rules:\n"
	"    - {allow: \"127.0.0.1:8000\", from: \"127.0.0.2\"}\n"
	"    # more listen\n"
	"files:\n"
	"  rules:\n"
	"    - {allow: [\"/srv/**\", \"/usr/bin/*\"], access: [read, exec]}\n"
	"    - {deny: \"**/.env\"}\n"
	"    - {deny: \"/srv/app/.env\"}\n"
	"    - {deny: \"/srv/**/.env\"}\n"
	"    # more files\n"
	"exec:\n"
	"  rules:\n"
	"    - {allow: [git, make]}\n"
	"    - {deny: \"git push\"}\n"
	"    - {deny: \"git push ... --force\"}\n"
	"    # more exec\n"
	"unix:\n"
	"  rules:\n"
	"    - {ask: \"bus*\"}\n"
	"    - {allow: \"agent\", by: /usr/bin/git}\n"
	"    # more unix\n"
	"process: {profile: strict}\n"
	"syscalls: {deny: [kexec_load, \"@swap\"]}\n";

static const char site_text[] = "picket: 1\n"
				"files:\n"
				"  default: allow\n"
				"  rules:\n"
				"    - {deny: \"/srv/pay/**\"}\n"
				"    - {deny: \"/srv/payroll\"}\n"
				"    # more files\n"
				"egress:\n"
				"  rules:\n"
				"    - {allow: \"192.0.2.0/24\"}\n"
				"    - {allow: \"*.example.com\"}\n"
				"    - {deny: \"192.0.2.128/25\"}\n"
				"    # more egress\n";

/* Acts, and how many rules and lines change them. */
static const struct {
	const char *args[6];
	size_t take_back;
	size_t add;
	bool allows;
} acts[] = {
	{ { "--open", "/srv/x" }, 0, 1, false },
	{ { "--open", "/srv/x", "--access", "write" }, 0, 1, true },
	{ { "--open", "/srv/x", "--access", "read,write" }, 0, 1, true },
	{ { "--open", "/srv/app/.env" }, 3, 0, true },
	{ { "--open", "/opt/.env", "--access", "all" }, 1, 1, true },
	{ { "--open", "/a b*c{d}" }, 0, 1, true },
	{ { "--open", "/srv/pay/x" }, 1, 0, true },
	{ { "--connect", "192.0.2.9:443" }, 0, 1, false },
	{ { "--connect", "192.0.2.9:22" }, 0, 1, true },
	{ { "--connect", "192.0.2.4:443" }, 2, 0, true },
	{ { "--connect", "192.0.2.129:443" }, 1, 0, true },
	{ { "--connect", "198.51.100.1:443", "--protocol", "udp" }, 0, 2, true },
	{ { "--connect", "[2001:db8::1]:443" }, 0, 2, true },
	{ { "--connect", "a.example.com:443" }, 0, 1, false },
	{ { "--connect", "a.bad.example.com:443" }, 1, 0, true },
	{ { "--connect", "other.example:443" }, 0, 2, true },
	{ { "--listen", "127.0.0.1:8000", "--from", "127.0.0.2" }, 0, 1, false },
	{ { "--listen", "127.0.0.1:9000" }, 0, 1, true },
	{ { "--exec", "/usr/bin/git" }, 0, 1, false },
	{ { "--exec", "/opt/tool" }, 0, 2, true },
	{ { "--run", "git push origin --force" }, 2, 0, true },
	{ { "--run", "git status" }, 0, 1, false },
	{ { "--run", "/usr/bin/ls -l" }, 0, 1, true },
	{ { "--unix", "bus-1" }, 1, 1, true },
	{ { "--unix", "other" }, 0, 1, true },
	{ { "--unix", "agent" }, 0, 1, true },
	{ { "--unix", "agent", "--by", "/usr/bin/make" }, 0, 1, true },
	{ { "--unix", "agent", "--by", "/usr/bin/git" }, 0, 1, false },
	{ { "--connect", "198.51.100.1:443", "--name", "a.example.com" }, 0, 1, false },
	{ { "--connect", "192.0.2.4:443", "--name", "a.example.com" }, 2, 0, true },
	{ { "--connect", "198.51.100.1:443", "--name", "bad.example.com" }, 1, 0, true },
};

static json_t *explain(const char *const *act)
{
	const char *args[ARGS_MAX] = { "explain", "--json", "--managed", FOLDER, POLICY };
	CLEAN(outcome_reset) struct outcome outcome = { 0 };
	json_t *root;

	for (size_t i = 0; i < 6 && act[i]; i++)
		args[5 + i] = act[i];
	outcome = run(NULL, args, NULL);
	if (outcome.code)
		fail_msg("explain: %d %s", outcome.code, outcome.err);
	root = json_loads(outcome.out, 0, NULL);
	assert_non_null(root);
	return root;
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Does a rule of the list stand there? */
static bool is_taken_back(const json_t *list, const char *file, int line)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(list, i, rule)
		if (strcmp(text_at(rule, "file"), file) == 0 &&
		    json_integer_value(json_object_get(rule, "line")) == line)
			return true;
	return false;
}

static void put_added(const json_t *list, const char *file, const char *section, FILE *to)
{
	const json_t *line;
	size_t i;

	json_array_foreach(list, i, line) {
		assert_false(json_is_true(json_object_get(line, "new_section")));
		if (strcmp(text_at(line, "file"), file) == 0 &&
		    strcmp(text_at(line, "section"), section) == 0)
			fprintf(to, "    %s\n", text_at(line, "line"));
	}
}

/* Write @text to @file as the change wants it. */
static void edit(const char *file, const char *text, const json_t *flip)
{
	CLEAN_FREE char *copy = strdup(text);
	CLEAN_FREE char *edited = NULL;
	char *rest = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&edited, &size);
	int number = 1;

	assert_non_null(to);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!is_taken_back(json_object_get(flip, "take_back"), file, number++))
			fprintf(to, "%s\n", line);
		if (strncmp(line, "    # more ", 11) == 0)
			put_added(json_object_get(flip, "add"), file, line + 11, to);
	}
	assert_int_equal(text_close(to, &edited), 0);
	write_file(file, edited);
}

static void the_change_flips_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		json_t *before, *after;
		const json_t *flip;

		write_file(POLICY, policy_text);
		write_file(SITE, site_text);
		before = explain(acts[i].args);
		flip = json_object_get(before, "flip");
		printf("# %s %s: %s\n", acts[i].args[0], acts[i].args[1],
		       text_at(before, "verdict"));
		assert_int_equal(strcmp(text_at(before, "verdict"), "allow") != 0, acts[i].allows);
		assert_string_equal(text_at(flip, "to"), acts[i].allows ? "allow" : "deny");
		assert_int_equal(json_array_size(json_object_get(flip, "take_back")),
				 acts[i].take_back);
		assert_int_equal(json_array_size(json_object_get(flip, "add")), acts[i].add);
		edit(POLICY, policy_text, flip);
		edit(SITE, site_text, flip);
		after = explain(acts[i].args);
		assert_string_equal(text_at(after, "verdict"), acts[i].allows ? "allow" : "deny");
		json_decref(before);
		json_decref(after);
	}
}

/* Arguments, the exit status, a part of what is said. */
static const struct {
	const char *args[ARGS_MAX];
	int code;
	const char *out;
	const char *err;
} calls[] = {
	{ { "explain", POLICY, "--managed", FOLDER, "--open", "/srv/pay/x" },
	  0,
	  "  rule deny at managed/10-site.yaml:5:14: /srv/pay/**\n"
	  "    decided by layer 1 of 2: managed/10-site.yaml\n",
	  "" },
	{ { "explain", POLICY, "--managed", FOLDER, "--open", "/srv/pay/x" },
	  0,
	  "to allow it:\n"
	  "    take back, or narrow, deny at managed/10-site.yaml:5: /srv/pay/**  (a layer above)\n",
	  "" },
	{ { "explain", POLICY, "--no-managed", "--open", "/srv/x" },
	  0,
	  "to deny it:\n    add to 'files' of policy.yaml: - {deny: \"/srv/x\", access: [read]}\n",
	  "" },
	/* One port has one `from`. */
	{ { "explain", POLICY, "--no-managed", "--listen", "127.0.0.1:8000", "--from",
	    "127.0.0.3" },
	  0,
	  "to allow it:\n    add to 'listen' of policy.yaml: from: \"127.0.0.3\"  # in the rule for "
	  "port 8000\n",
	  "" },
	{ { "explain", SITE, "--no-managed", "--unix", "bus" },
	  0,
	  "    add a section 'unix' to managed/10-site.yaml, with 'default: allow' and the rule: "
	  "- {deny: \"bus\"}\n",
	  "" },
	/* An address and a name: which of them counts is said. */
	{ { "explain", POLICY, "--no-managed", "--connect", "198.51.100.1:443", "--name",
	    "a.example.com" },
	  0,
	  "  rule allow at policy.yaml:4:15: *.example.com:443\n"
	  "note: a.example.com was looked at too: the address alone is not allowed\n",
	  "" },
	{ { "explain", POLICY, "--no-managed", "--connect", "192.0.2.4:443", "--name",
	    "a.example.com" },
	  0,
	  "  rule deny at policy.yaml:8:14: 192.0.2.4/31\n"
	  "    also matches, but is less strict: ask at policy.yaml:9:13: 192.0.2.4 [tcp]\n"
	  "    also matches, but is less strict: allow at policy.yaml:7:15: 192.0.2.0/24:443 [tcp]\n"
	  "note: a.example.com does not matter: the address alone decides\n",
	  "" },
	{ { "explain", POLICY, "--no-managed", "--unix", "agent", "--by", "/usr/bin/git" },
	  0,
	  "note: asked by /usr/bin/git\n  rule allow at policy.yaml:31:15: agent\n",
	  "" },
	{ { "explain", POLICY, "--no-managed", "--process" },
	  0,
	  "ptrace          deny   profile: strict at policy.yaml:33:20\n",
	  "" },
	{ { "explain", POLICY, "--managed", FOLDER, "--process" },
	  0,
	  "\ncalls refused at policy.yaml:34:19: kexec_load\n"
	  "calls refused at policy.yaml:34:31: swapoff, swapon\n",
	  "" },
	{ { "explain", POLICY, "--no-managed", "--process", "--json" },
	  0,
	  "      \"column\": 31,\n      \"text\": \"swapon\"\n",
	  "" },
	{ { "show", POLICY, "--managed", FOLDER, "--effective", "/srv/pay/x" },
	  0,
	  "read: deny\n"
	  "  1 managed/10-site.yaml: deny, rule deny at managed/10-site.yaml:5:14: /srv/pay/**"
	  "  <- decides\n"
	  "  2 policy.yaml: allow, rule allow at policy.yaml:17:16: /srv/**\n",
	  "" },
	{ { "show", POLICY, "--managed", FOLDER, "--effective", "192.0.2.4:443" },
	  0,
	  "tcp: deny\n"
	  "  1 managed/10-site.yaml: allow, rule allow at managed/10-site.yaml:10:15: 192.0.2.0/24\n"
	  "  2 policy.yaml: deny, rule deny at policy.yaml:8:14: 192.0.2.4/31  <- decides\n",
	  "" },
	{ { "show", POLICY, "--managed", FOLDER, "--effective", "git push" },
	  0,
	  "deny\n  1 managed/10-site.yaml: allow, default allow of files\n"
	  "  2 policy.yaml: deny, rule deny at policy.yaml:25:14: git push  <- decides\n",
	  "" },
	{ { "show", POLICY, "--managed", FOLDER, "--effective", "ptrace" },
	  0,
	  "deny\n  1 managed/10-site.yaml: allow, ",
	  "" },
	{ { "show", POLICY, "--managed", FOLDER, "--effective", "process.setuid" },
	  0,
	  "deny\n",
	  "" },
	{ { "show", POLICY, "--managed", FOLDER, "--effective", "@bus" }, 0, "ask\n", "" },
	{ { "show", POLICY, "--no-managed", "--effective", "a.example.com:443" },
	  0,
	  "tcp: allow\n  1 policy.yaml: allow, rule allow at policy.yaml:4:15",
	  "" },
	{ { "show", POLICY, "--no-managed", "--effective", "a.example.com:443", "--json" },
	  0,
	  "\"schema\": \"picket.effective/1\"",
	  "" },
	{ { "show", POLICY, "--effective", "ho*st:443", "--no-managed" },
	  2,
	  "",
	  "--effective 'ho*st:443'" },
	{ { "show", POLICY, "--effective", "", "--no-managed" }, 2, "", "needs a path" },
	{ { "show", POLICY, "--effective", "/x", "--states" }, 2, "", "neither with --states" },
};

static void names_layers(void **state)
{
	(void)state;
	write_file(POLICY, policy_text);
	write_file(SITE, site_text);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, calls[i].args, NULL);

		if (outcome.code != calls[i].code || !strstr(outcome.out, calls[i].out) ||
		    !strstr(outcome.err, calls[i].err))
			fail_msg("call %zu: exit %d\n%s%s", i, outcome.code, outcome.out,
				 outcome.err);
	}
}

static char folder[] = "/tmp/picket-flip-XXXXXX";

static int enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 && mkdir(FOLDER, 0700) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	(void)unlink(SITE);
	(void)unlink(POLICY);
	(void)unlink("stdout.txt");
	(void)unlink("stderr.txt");
	return rmdir(FOLDER) == 0 && chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_change_flips_it),
		cmocka_unit_test(names_layers),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
