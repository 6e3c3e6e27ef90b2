/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Imports: each file of tests/cases/import, NAME.FORMAT, gives NAME.FORMAT.expect, which loads, compiles and
 * passes its own tests; and what has no meaning here is told with its place, in every format.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "import/import.h"
#include "policy/compile.h"
#include "policy/image.h"
#include "policy/load.h"
#include "policy/policy_tests.h"

#define FOLDER "tests/cases/import"
#define SAMPLES_MIN 10

static char *read_file(const char *path)
{
	CLEAN_FILE FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, EOF, file) < 0)
		fail_msg("cannot read %s", path);
	return text;
}

/* Import @text; what comes out is malloc'ed. */
static int import(const char *format, const char *text, bool lossy, char **ret_policy,
		  struct diag_list *diags)
{
	const struct import_request request = { .format = format,
						.name = "sample",
						.text = text,
						.length = strlen(text),
						.lossy = lossy };
	size_t size = 0;
	FILE *to = open_memstream(ret_policy, &size);
	int r = import_policy(&request, to, diags);

	assert_int_equal(text_close(to, ret_policy), 0);
	return r;
}

static void print_findings(const struct diag_list *diags)
{
	if (diags->count)
		diag_print(diags, stderr);
}

/* Load, compile and test what came out. Returns how many tests passed. */
static size_t tests_passed(const char *name, const char *text)
{
	static const struct policy_variable builtins[] = { { "HOME", "/home/user" },
							   { "USER", "user" },
							   { "CWD", "/srv/project" } };
	static const struct policy_context context = { .builtins = builtins, .builtin_count = 3 };
	static const struct policy_host host = {
		.resolver_count = 1, .resolvers = { { [10] = 0xff, 0xff, 127, 0, 0, 1 } }
	};
	static const struct compile_options options = { .host = &host };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct policy *policy = NULL;
	size_t passed = 0;
	int r = policy_load_text(name, text, strlen(text), &context, &policy, &diags);

	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, &options, &image,
				   &diags);
	if (r == 0)
		r = policy_tests_run(policy, &image, &passed, &diags);
	print_findings(&diags);
	assert_int_equal(r, 0);
	policy_free(&policy);
	return passed;
}

static void check_sample(const char *name)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *path = NULL;
	CLEAN_FREE char *golden = NULL;
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *expected = NULL;
	CLEAN_FREE char *policy = NULL;
	int r;

	assert_true(asprintf(&path, FOLDER "/%s", name) > 0);
	assert_true(asprintf(&golden, FOLDER "/%s.expect", name) > 0);
	text = read_file(path);
	expected = read_file(golden);
	r = import(strrchr(name, '.') + 1, text, false, &policy, &diags);
	print_findings(&diags);
	assert_int_equal(r, 0);
	assert_string_equal(policy, expected);
	if (tests_passed(name, policy) < 4)
		fail_msg("%s gives too few tests", name);
}

static void samples_come_over(void **state)
{
	struct dirent **entries = NULL;
	int count = scandir(FOLDER, &entries, NULL, alphasort);
	int samples = 0;

	(void)state;
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		size_t length = strlen(entries[i]->d_name);

		if (entries[i]->d_name[0] != '.' &&
		    (length < 7 || strcmp(entries[i]->d_name + length - 7, ".expect") != 0)) {
			check_sample(entries[i]->d_name);
			samples++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_true(samples >= SAMPLES_MIN);
}

/** A text that is refused, where and why. */
struct refusal {
	const char *format;
	const char *text;
	unsigned int line;
	unsigned int column;
	const char *message;
	bool lossy; /* goes through with --lossy */
};

/** A policy of OpenShell with one endpoint in line 4 and one binary in line 5. */
#define OPENSHELL(endpoint, binary)                                                                \
	"version: 1\nnetwork_policies:\n  a:\n    endpoints: [" endpoint                           \
	"]\n    binaries: [" binary "]\n"
/** A workflow with these inputs. */
#define WORKFLOW(inputs)                                                                           \
	"jobs:\n  a:\n    steps:\n      - uses: step-security/harden-runner@v2\n        with:\n" inputs

static const struct refusal refusals[] = {
	/* What has no meaning here. */
	{ "claude", "{\"sandbox\": {\"enabled\": false}}", 1, 14,
	  "the sandbox is switched off: nothing is confined", false },
	{ "claude", "{\"sandbox\": {\"network\": {\"httpProxyPort\": 8080}}}", 1, 26,
	  "'httpProxyPort' has no meaning here", true },
	{ "claude", "{\"sandbox\": {\"excludedCommands\":\n [\"docker\"]}}", 1, 14,
	  "'excludedCommands': no command runs outside here", true },
	{ "claude", "{\"sandbox\": {\"enableWeakerNestedSandbox\": true}}", 1, 14,
	  "'enableWeakerNestedSandbox': nothing runs less confined here", true },
	{ "claude", "{\"permissions\": {},\n \"sandbox\": {\"enabled\": true}}", 1, 2,
	  "'permissions' is about the program's tools, not about processes", true },
	{ "claude",
	  "{\"filesystem\": {\"denyRead\": [\"/srv\"],\n  \"allowRead\": [\"/srv/open\"]}}", 2, 17,
	  "'/srv/open' is below '/srv' of 'denyRead', and a deny has no exceptions here", true },
	{ "claude", "{\"network\": {\"allowedDomains\": [\"a*.example.com\"]}}", 1, 33,
	  "the wildcard of 'a*.example.com' has no meaning here: a '*' stands for whole labels in "
	  "front",
	  true },
	{ "claude", "{\"network\": {\"allowedDomains\": [\"https://x/\"]}}", 1, 33,
	  "'https://x/' is not a host name or address", false },
	{ "claude", "{\"network\": {\"allowedDomains\": [[]]}}", 1, 33,
	  "an element of 'allowedDomains' must be a text", false },
	{ "claude", "{\"env\": {}}", 1, 1, "there are no sandbox keys in it", false },
	{ "claude", "[]", 0, 0, "settings must be a JSON object", false },
	{ "claude", "{\"network\": {\"allowedDomains\": [\"2001:db8::1:443\"]}}", 1, 33,
	  "'2001:db8::1:443' could be an address or one with a port", false },
	{ "claude", "{\"network\": {\"allowLocalBinding\": \"perhaps\"}}", 1, 35,
	  "this is neither true nor false", false },
	{ "claude",
	  "{\"filesystem\": {\"denyRead\": [\"/srv\"],\n  \"allowWrite\": [\"/srv/open\"]}}", 2, 18,
	  "'/srv/open' is below '/srv' of 'denyRead', and a deny has no exceptions here", true },
	{ "openshell", "", 0, 0, "there is no policy in it", false },
	{ "openshell", OPENSHELL("{host: \"*.x.example\", port: 443}", "{path: /usr/bin/x}"), 4, 24,
	  "'*.x.example' is one label below the name there, and here any number: list the names, or "
	  "write '**.' there if that is meant",
	  true },
	{ "openshell", OPENSHELL("{host: \"*-a.x.example\", port: 443}", "{path: /usr/bin/x}"), 4,
	  24, "the wildcard of '*-a.x.example' has no meaning here", true },
	{ "openshell", OPENSHELL("{host: \"a*.x.example\", port: 443}", "{path: /usr/bin/x}"), 4,
	  24,
	  "the wildcard of 'a*.x.example:443' has no meaning here: a '*' stands for whole labels in "
	  "front",
	  true },
	{ "openshell",
	  OPENSHELL("{host: x.example, port: 443, protocol: rest, access: full}",
		    "{path: /usr/bin/x}"),
	  4, 46, "'protocol': requests are not looked at here, anything goes over TCP", true },
	{ "openshell", OPENSHELL("{host: x.example, ports: [443, 1-99]}", "{path: /usr/bin/x}"), 4,
	  48, "a port is a number", false },
	{ "openshell",
	  OPENSHELL("{host: x.example, port: 443}", "{path: /usr/bin/x, harness: true}"), 5, 35,
	  "'harness' has no meaning here", true },
	{ "openshell", OPENSHELL("{host: x.example, port: 443}", "{path: x}"), 5, 16,
	  "a binary must be a map with an absolute 'path'", false },
	{ "systemd", "[Service]\nProtectKernelModules=perhaps\n", 2, 22,
	  "this is neither true nor false", false },
	{ "systemd", "[Service]\nProtectSystem=most\n", 2, 15, "this is neither true nor false",
	  false },
	{ "systemd", "[Service]\nSystemCallFilter=~@mount @resources\n", 2, 18,
	  "the group '@resources' of system calls is not known here", true },
	{ "systemd", "[Service]\nSystemCallFilter=~@resources\n", 2, 18,
	  "the group '@resources' of system calls is not known here", true },
	{ "systemd", "[Service]\nPrivatePIDs=yes\n", 2, 1, "'PrivatePIDs' has no meaning here",
	  true },
	{ "openshell", "version: 2\n", 1, 10, "only version 1 is known", false },
	{ "openshell", "version: 1\nprocess: {run_as_user: u}\n", 2, 1,
	  "'process': who a command runs as is an option: picket run --user USER", true },
	{ "openshell", "version: 1\nfilesystem_policy: {read_only: [usr]}\n", 2, 33,
	  "'usr' is not an absolute path", false },
	{ "openshell", "version: 1\nlandlock: {compatibility: best_effort}\n", 2, 27,
	  "'best_effort': picket never goes on with less than the policy says", true },
	{ "openshell",
	  "version: 1\nnetwork_policies:\n  a:\n    endpoints: [{host: x.example, port: 443, "
	  "access: read-only}]\n    binaries: [{path: /usr/bin/x}]\n",
	  4, 46, "'access' other than full is about HTTP requests, which picket does not see",
	  true },
	{ "openshell",
	  "version: 1\nnetwork_policies:\n  a:\n    endpoints: [{host: x.example, port: 443}]\n", 4,
	  5, "an entry needs 'binaries': who may reach its endpoints", false },
	{ "openshell", "version: 1\nnetwork_middlewares: {}\n", 2, 1,
	  "'network_middlewares' has no meaning here", true },
	{ "harden-runner", "on: push\n", 0, 0, "this is no workflow: it has no 'jobs'", false },
	{ "harden-runner", "jobs:\n  a: {steps: [{run: x}]}\n", 2, 3,
	  "there is no job with the step step-security/harden-runner@... and inputs", false },
	{ "harden-runner",
	  "jobs:\n  a:\n    steps:\n      - uses: step-security/harden-runner@v2\n        with:\n"
	  "          allowed-endpoints: example.com\n",
	  6, 30, "'example.com' is not a host and a port: HOST:443", false },
	{ "harden-runner",
	  "jobs:\n  a:\n    steps:\n      - uses: step-security/harden-runner@v2\n        with:\n"
	  "          policy: elsewhere\n",
	  6, 11, "'policy' has no meaning here", true },
	{ "systemd", "[Unit]\nA=b\n", 1, 1, "there is no section [Service] in it", false },
	{ "systemd", "[Service]\nProtectSystem\n", 2, 1,
	  "a line is KEY=VALUE, [SECTION] or a comment", false },
	{ "systemd", "[Service]\nPrivateTmp=yes\n", 2, 1, "'PrivateTmp' has no meaning here",
	  true },
	{ "systemd", "[Service]\nSystemCallFilter=@system-service\n", 2, 1,
	  "a list of allowed system calls has no meaning here: only '~' lists, of refused ones",
	  true },
	{ "systemd", "[Service]\nReadWritePaths=/srv\n", 2, 16,
	  "'/srv': without ProtectSystem=strict, an exception to what is read-only has no meaning "
	  "here",
	  true },
	{ "systemd", "[Service]\nReadOnlyPaths=%S/x\n", 2, 15,
	  "'%S/x': only absolute paths and %h have a meaning here", true },
	{ "systemd", "[Service]\nIPAddressAllow=192.0.2.1\n", 2, 16,
	  "'192.0.2.1': without IPAddressDeny=any, an exception to what is denied has no meaning "
	  "here",
	  true },
	{ "systemd", "[Service]\nCapabilityBoundingSet=CAP_NONE\n", 2, 23,
	  "the capability 'CAP_NONE' is not known here", true },
	{ "systemd", "[Service]\nRestrictAddressFamilies=AF_X25\n", 2, 25,
	  "the family 'AF_X25' has no meaning here", true },
	{ "codex-rules", "x = 1\n", 1, 3, "a call is NAME(...)", false },
	{ "codex-rules", "prefix_rule(pattern = 1)\n", 1, 23,
	  "only texts and lists can be read here", false },
	{ "codex-rules", "prefix_rule(pattern=[\"a\")\n", 1, 25, "a ',' or ']' is missing here",
	  false },
	{ "codex-rules", "prefix_rule(pattern=[\"a\n\"])\n", 1, 22,
	  "this text has no end on its line", false },
	{ "codex-rules", "prefix_rule(pattern=[])\n", 1, 21,
	  "a rule needs 'pattern', a list of words", false },
	{ "codex-rules", "prefix_rule(pattern=[\"a\"], decision=\"never\")\n", 1, 37,
	  "a decision is allow, prompt or forbidden", false },
	{ "codex-rules", "prefix_rule(pattern=[\"a\"],\n match=[\"b\"])\n", 2, 9,
	  "this example does not match its rule", false },
	{ "codex-rules", "prefix_rule(pattern=[\"a\"],\n not_match=[\"a b\"])\n", 2, 13,
	  "this example does match its rule", false },
	{ "codex-rules", "prefix_rule(pattern=[\"bin/a\"])\n", 1, 22,
	  "'bin/a': a program is a name or an absolute path", true },
	{ "codex-rules",
	  "prefix_rule(pattern=[\"a\"])\nhost_executable(name=\"a\", paths=[\"/a\"])\n", 2, 1,
	  "'host_executable(...)' has no meaning here", true },
	{ "codex-rules", "prefix_rule(pattern=[\"a\"], pattern=[\"b\"])\n", 1, 28,
	  "'pattern' is given twice", false },
	{ "codex", "model = \"m\"\n", 1, 1,
	  "there are no permissions, network constraints or rules in it", false },
	{ "codex", "sandbox_mode = \"danger-full-access\"\n", 1, 16,
	  "'danger-full-access' confines nothing", false },
	{ "codex", "approval_policy = \"never\"\nsandbox_mode = \"read-only\"\n", 1, 1,
	  "'approval_policy' is about choices of the program itself", true },
	{ "codex", "[permissions.a]\n[permissions.b]\n", 1, 2, "which profile is meant is not said",
	  false },
	{ "codex", "[permissions.a.network]\nenabled = true\nmode = \"limited\"\n", 3, 1,
	  "'mode' limits HTTP methods, which picket does not see", true },
	{ "codex", "[permissions.a.filesystem]\n\"/srv\" = \"deny\"\n\"/srv/x\" = \"read\"\n", 1,
	  16, "line 3 opens a path inside of what line 2 denies: a deny has no exceptions here",
	  true },
	{ "codex", "[permissions.a.filesystem]\n\"/srv\" = \"all\"\n", 2, 10,
	  "an access is read, write or deny", false },
	{ "codex", "a = 1979-05-27\n", 1, 5, "this is no text, number, truth value, array or table",
	  false },
	{ "codex", "a = \"\"\"x\"\"\"\n", 1, 5, "texts over several lines cannot be read", false },
	{ "codex", "a = 1\na = 2\n", 2, 1, "'a' is there already", false },
	{ "codex", "[a]\n[a]\n", 2, 2, "this table is opened twice", false },
	{ "codex", "a = {b = 1}\na.c = 2\n", 2, 1, "'a' is no table that can be added to", false },
	{ "codex", "a = 1 b = 2\n", 1, 7, "the line should end here", false },
	{ "codex", "a = \"\\q\"\n", 1, 7, "an unknown escape", false },
	{ "codex", "a = \"\\ud800\"\n", 1, 8, "this is no character", false },
};

/** What must not become wider on the way, unsaid: each text, and what its policy has and has not. */
static const struct {
	const char *format;
	const char *text;
	const char *has;
	const char *lacks; /* or NULL */
} exact[] = {
	/* Of a key that is set twice the last counts, and words for yes are many. */
	{ "systemd", "[Service]\nNoNewPrivileges=no\nNoNewPrivileges=yes\n", "setuid: deny", NULL },
	{ "systemd", "[Service]\nNoNewPrivileges=yes\nNoNewPrivileges=no\nPrivateTmp=no\n",
	  "profile: off", "setuid: deny" },
	{ "systemd", "[Service]\nProtectKernelModules=T\n", "modules: deny", NULL },
	{ "systemd", "[Service]\nProtectHome=Yes\n", "{deny: '/home/**'}", NULL },
	{ "systemd", "[Service]\nProtectSystem=full\nProtectSystem=strict\n", "default: deny",
	  NULL },
	{ "systemd", "[Service]\nInaccessibleDirectories=/srv\n", "{deny: '/srv/**'}", NULL },
	/* "any" beside others, and exceptions to it; a name of addresses. */
	{ "systemd", "[Service]\nIPAddressDeny=192.0.2.0/24 any\n", "egress:\n  default: deny",
	  NULL },
	{ "systemd",
	  "[Service]\nIPAddressDeny=any\nIPAddressDeny=10.0.0.0/8\nIPAddressAllow=10.1.0.0/16\n",
	  "{allow: '10.1.0.0/16'}", "{deny: '10" },
	{ "systemd", "[Service]\nIPAddressDeny=any\nIPAddressAllow=localhost\n",
	  "{allow: '127.0.0.0/8'}", "@loopback" },
	{ "systemd", "[Service]\nRestrictAddressFamilies=~AF_LOCAL\n", "- inet6", "- unix" },
	{ "systemd",
	  "[Service]\nRestrictAddressFamilies=~AF_PACKET\nRestrictAddressFamilies=~AF_VSOCK\n",
	  "- unix", "- vsock" },
	{ "systemd", "[Service]\nSystemCallFilter=~@privileged setuid\n", "- 'chown'\n", NULL },
	/* Addresses over TCP only, in brackets, of one port; "localhost" is not the whole host. */
	{ "openshell", OPENSHELL("{host: 192.0.2.1, port: 22}", "{path: /usr/bin/x}"),
	  "{connect: '192.0.2.1:22', protocol: udp, expect: deny}", NULL },
	{ "openshell", OPENSHELL("{host: \"2001:db8::1\", port: 22}", "{path: /usr/bin/x}"),
	  "{allow: '[2001:db8::1]:22'", NULL },
	{ "openshell",
	  OPENSHELL("{host: \"**.x.example\", port: 22, protocol: tcp}", "{path: /usr/bin/x}"),
	  "{allow: '*.x.example:22'", "**.x" },
	{ "openshell", OPENSHELL("{host: x.example, port: 22}", "{path: /usr/bin/x}"),
	  "listen:\n  default: deny\n", NULL },
	{ "claude", "{\"network\": {\"allowedDomains\": [\"LocalHost:80\"]}}",
	  "{allow: '127.0.0.1:80', protocol: tcp}", "@loopback" },
	{ "harden-runner", WORKFLOW("          allowed-endpoints: 192.0.2.1:443\n"),
	  "{allow: '192.0.2.1:443', protocol: tcp}", NULL },
	{ "harden-runner", WORKFLOW("          disable-sudo: True\n"), "{deny: 'sudo'", NULL },
	/* A denied "*" is every address too. */
	{ "claude",
	  "{\"network\": {\"allowedDomains\": [\"192.0.2.1\"], \"deniedDomains\": [\"*:22\"]}}",
	  "{deny: '@any:22'}", NULL },
	/* What holds unsaid there. */
	{ "claude", "{\"filesystem\": {\"allowWrite\": [\".\"]}}",
	  "{deny: '**/.git/config/**', access: write}", NULL },
	{ "claude", "{\"filesystem\": {\"allowWrite\": [\".\"], \"allowGitConfig\": true}}",
	  "{deny: '**/.git/hooks/**', access: write}", ".git/config" },
	{ "claude", "{\"filesystem\": {}}", "listen:\n  default: deny\n", NULL },
	{ "claude", "{\"filesystem\": {}}", "unix: {default: deny}", NULL },
	{ "claude", "{\"network\": {\"allowAllUnixSockets\": true}}",
	  "{allow: '/**', access: connect}", "unix: {default: deny}" },
	{ "claude", "{\"filesystem\": {\"denyRead\": [\"/srv\"], \"allowWrite\": [\"/\"]}}",
	  "{deny: '/srv/**'}", NULL },
	{ "codex", "[permissions.a.filesystem]\n\":workspace_roots\" = \"write\"\n",
	  "{deny: '${CWD}/.agents/**', access: write}", NULL },
	{ "codex",
	  "[permissions.a.filesystem]\n\":workspace_roots\" = {\".\" = \"write\", \".git\" = \"write\"}\n",
	  "{deny: '${CWD}/.codex/**', access: write}", "{deny: '${CWD}/.git/**'" },
	{ "codex", "[permissions.a.filesystem]\n\"/srv/.github\" = \"write\"\n",
	  "{deny: '/srv/.github/.git/**', access: write}", NULL },
	{ "codex", "sandbox_mode = \"read-only\"\n", "listen:\n  default: deny\n", NULL },
	{ "codex",
	  "sandbox_mode = \"workspace-write\"\n[sandbox_workspace_write]\nnetwork_access = true\n",
	  "egress:\n  default: allow", "listen:" },
};

static void nothing_becomes_wider_unsaid(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		CLEAN_FREE char *policy = NULL;
		int r = import(exact[i].format, exact[i].text, false, &policy, &diags);

		print_findings(&diags);
		if (r != 0 || !strstr(policy, exact[i].has) ||
		    (exact[i].lacks && strstr(policy, exact[i].lacks)))
			fail_msg("row %zu (%s): %d, no '%s', or '%s', in %s", i, exact[i].format, r,
				 exact[i].has, exact[i].lacks, policy);
		(void)tests_passed("exact", policy);
	}
}

static void what_has_no_meaning_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		CLEAN_FREE char *policy = NULL;
		int r = import(row->format, row->text, false, &policy, &diags);

		if (r != -EINVAL || diags.count == 0 ||
		    strcmp(diags.items[0].message, row->message) != 0 ||
		    diags.items[0].line != row->line || diags.items[0].column != row->column) {
			print_findings(&diags);
			fail_msg("row %zu (%s): %d, expected %u:%u %s", i, row->text, r, row->line,
				 row->column, row->message);
		}
	}
}

static void lossy_says_what_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		CLEAN_FREE char *policy = NULL;
		int r = import(row->format, row->text, true, &policy, &diags);

		if ((r == 0) != row->lossy)
			fail_msg("row %zu (%s): %d", i, row->text, r);
		if (r == 0 &&
		    (diag_has_errors(&diags) || !strstr(policy, "# NOT TAKEN OVER, line ") ||
		     !strstr(policy, row->message)))
			fail_msg("row %zu (%s): the loss is not in %s", i, row->text, policy);
		if (r == 0)
			(void)tests_passed("lossy", policy);
	}
}

static void formats_have_names(void **state)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *policy = NULL;

	(void)state;
	assert_int_equal(import("nonesuch", "", false, &policy, &diags), -ENOENT);
	assert_non_null(strstr(import_formats(), "openshell"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_come_over),
		cmocka_unit_test(what_has_no_meaning_is_told),
		cmocka_unit_test(nothing_becomes_wider_unsaid),
		cmocka_unit_test(lossy_says_what_is_lost),
		cmocka_unit_test(formats_have_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
