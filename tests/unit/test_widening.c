/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket check` under managed layers: a pattern of which nothing is left is an error that names who
 * refuses it; one of which anything is left is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands.h"

#define FOLDER "managed"
#define SITE FOLDER "/10-site.yaml"
#define TEAM FOLDER "/20-team.yaml"
#define POLICY "policy.yaml"

static const char site_text[] = "picket: 1\n"
				"egress:\n"
				"  default: deny\n"
				"  rules:\n"
				"    - {allow: [\"192.0.2.0/24\", \"*.example.com\"]}\n"
				"    - {deny: [\"192.0.2.8/29\", \"*.bad.example.com\"]}\n"
				"    - {deny: \"192.0.2.64:22\"}\n"
				"files:\n"
				"  rules:\n"
				"    - {allow: [\"/srv/**\", \"/usr/**\"], access: [read, exec]}\n"
				"    - {deny: \"**/.env\"}\n"
				"    - {deny: \"/srv/team/**\"}\n"
				"exec:\n"
				"  default: allow\n"
				"  rules:\n"
				"    - {deny: [sudo, \"git push\"]}\n";
static const char team_text[] = "picket: 1\n"
				"files:\n"
				"  default: allow\n"
				"  rules:\n"
				"    - {deny: \"/srv/secret/**\"}\n";

#define FILES(rule) "picket: 1\nfiles:\n  rules:\n    - {" rule "}\n"
#define EGRESS(rule) "picket: 1\negress:\n  rules:\n    - {" rule "}\n"
#define EXEC(rule) "picket: 1\nexec:\n  rules:\n    - {" rule "}\n"
#define SITE_SAYS(pattern, place)                                                                  \
	"cannot be allowed here: '" pattern "' at " SITE ":" place ", of a layer above, denies "   \
	"all of it\n"

/* A policy, and what is said of it; NULL: nothing of that kind. */
static const struct {
	const char *text;
	const char *error;
} policies[] = {
	{ FILES("allow: \"/srv/a/.env\", access: read"),
	  "policy.yaml:4:15: error: '/srv/a/.env' " SITE_SAYS("**/.env", "11:14") },
	{ FILES("allow: \"/srv/**/.env\", access: exec"),
	  "'/srv/**/.env' " SITE_SAYS("**/.env", "11:14") },
	{ FILES("ask: \"/srv/team/x/**\", access: read"),
	  "policy.yaml:4:13: error: '/srv/team/x/**' " SITE_SAYS("/srv/team/**", "12:14") },
	{ FILES("allow: \"/srv/secret/x\", access: read"),
	  "'/srv/secret/x' cannot be allowed here: '/srv/secret/**' at " TEAM ":5:14" },
	/* By default. */
	{ FILES("allow: \"/srv/a\", access: write"),
	  "'/srv/a' cannot be allowed here: the default of 'files' in layer 1" },
	{ FILES("allow: \"/opt/**\", access: read"), "the default of 'files' in layer 1" },
	/* Something is left of these. */
	{ FILES("allow: \"/srv/a\", access: [read, write]"), NULL },
	{ FILES("allow: \"/srv/**\", access: read"), NULL },
	{ FILES("allow: \"**\", access: read"), NULL },
	{ FILES("allow: \"/srv/**/.en?\", access: read"), NULL },
	{ FILES("allow: \"/srv/{secret,other}/x\", access: read"), NULL },
	/* What denies narrows, whoever else denies it. */
	{ FILES("deny: \"/srv/a/.env\""), NULL },
	{ "picket: 1\ninclude: presets/linux-base\n", NULL },
	{ EGRESS("allow: \"192.0.2.9:443\""),
	  "policy.yaml:4:15: error: '192.0.2.9:443' " SITE_SAYS("192.0.2.8/29", "6:15") },
	{ EGRESS("allow: \"192.0.2.64:22\""),
	  "'192.0.2.64:22' " SITE_SAYS("192.0.2.64:22", "7:14") },
	{ EGRESS("allow: \"a.bad.example.com:443\""),
	  "'a.bad.example.com:443' " SITE_SAYS("*.bad.example.com", "6:31") },
	{ EGRESS("allow: \"192.0.2.0/28:443\""), NULL },
	{ EGRESS("allow: \"192.0.2.64:20-24\""), NULL },
	{ EGRESS("allow: \"*.example.com:443\""), NULL },
	/* Its address may be allowed, or its name: a default is about one of them. */
	{ EGRESS("allow: \"198.51.100.1:443\""), NULL },
	{ EGRESS("allow: \"other.example:443\""), NULL },
	{ EXEC("allow: sudo"), "'sudo' " SITE_SAYS("sudo", "16:15") },
	{ EXEC("allow: git push origin"), "'git push origin' " SITE_SAYS("git push", "16:21") },
	{ EXEC("allow: git"), NULL },
};

static void what_is_refused_above(void **state)
{
	static const char *const args[ARGS_MAX] = { "check", "--managed", FOLDER, POLICY };

	(void)state;
	write_file(SITE, site_text);
	write_file(TEAM, team_text);
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		CLEAN(outcome_reset) struct outcome outcome = { 0 };
		const char *wanted = policies[i].error;

		write_file(POLICY, policies[i].text);
		outcome = run(NULL, args, NULL);
		if (outcome.code != (wanted ? 1 : 0) ||
		    (wanted ? !strstr(outcome.err, wanted) :
			      strstr(outcome.err, "cannot be allowed here") != NULL))
			fail_msg("policy %zu: exit %d\n%s%s%s", i, outcome.code, policies[i].text,
				 outcome.out, outcome.err);
	}
}

/* Without layers above nothing is said. */
static void nothing_above(void **state)
{
	static const char *const args[ARGS_MAX] = { "check", "--no-managed", POLICY };

	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		CLEAN(outcome_reset) struct outcome outcome = { 0 };

		write_file(POLICY, policies[i].text);
		outcome = run(NULL, args, NULL);
		assert_int_equal(outcome.code, 0);
		assert_null(strstr(outcome.err, "cannot be allowed here"));
	}
}

static char folder[] = "/tmp/picket-widening-XXXXXX";

static int enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 && mkdir(FOLDER, 0700) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	static const char *const names[] = { SITE, TEAM, POLICY, "stdout.txt", "stderr.txt" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlink(names[i]);
	return rmdir(FOLDER) == 0 && chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused_above),
		cmocka_unit_test(nothing_above),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
