/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times as people write them, and what is refused; one path glob against the automaton that policies are
 * made of; events that lack what a filter asks about.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "telemetry/filter.h"
#include "telemetry/moment.h"

#define SECOND 1000000000LL
/* 2026-11-22T12:34:56.5Z */
#define NOW (1795350896LL * SECOND + SECOND / 2)
#define DAY (86400LL * SECOND)

/* The time zone of the tests is two hours behind UTC. */
static const struct {
	const char *text;
	__s64 ns;
} moments[] = {
	{ "now", NOW },
	{ "1s", NOW - SECOND },
	{ "10m", NOW - 600 * SECOND },
	{ "2h", NOW - 7200 * SECOND },
	{ "3d", NOW - 3 * DAY },
	{ "1w", NOW - 7 * DAY },
	{ "2026-11-22T12:34:56Z", NOW - SECOND / 2 },
	{ "2026-11-22T12:34:56.5Z", NOW },
	{ "2026-11-22t12:34:56.500000000z", NOW },
	{ "2026-11-22T13:34:56.5+01:00", NOW },
	{ "2026-11-22T10:34:56.5-02:00", NOW },
	{ "2026-11-22 10:34:56.5", NOW },
	{ "2026-11-22 10:34", NOW - 56 * SECOND - SECOND / 2 },
	{ "10:34:56", NOW - SECOND / 2 },
	{ "today", NOW - SECOND / 2 - (10 * 3600 + 34 * 60 + 56) * SECOND },
	{ "2026-11-22", NOW - SECOND / 2 - (10 * 3600 + 34 * 60 + 56) * SECOND },
	{ "today 10:34:56", NOW - SECOND / 2 },
	{ "yesterday 10:34:56", NOW - SECOND / 2 - DAY },
	{ "yesterday", NOW - SECOND / 2 - DAY - (10 * 3600 + 34 * 60 + 56) * SECOND },
	{ "1970-01-01T00:00:00Z", 0 },
};

static const char *const no_moments[] = {
	"",
	" now",
	"soon",
	"2",
	"2 h",
	"-2h",
	"2h ago",
	"2y",
	"99999999999d",
	"12",
	"24:00",
	"12:60",
	"12:00:61",
	"12:00x",
	"2026-02-30",
	"2026-13-01",
	"2026-11-22T",
	"2026-11-22T12",
	"1969-12-31",
	"2026-11-22T12:00:00+1:00",
	"yesterdayx",
	"yesterday ",
	"today now",
	"2026-11-22x",
	"2026-11-22T12:00:00.Z",
	"20261122",
	"2026-11-22  1",
	"9999-01-01",
	"1h1m",
	"0x10h",
};

static void moments_are_read(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "TST+2", 1), 0);
	tzset();
	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		__s64 ns = -1;

		if (moment_parse(moments[i].text, NOW, &ns) || ns != moments[i].ns)
			fail_msg("%s: %lld, not %lld", moments[i].text, (long long)ns,
				 (long long)moments[i].ns);
	}
	for (size_t i = 0; i < sizeof(no_moments) / sizeof(*no_moments); i++) {
		__s64 ns = -1;

		if (moment_parse(no_moments[i], NOW, &ns) != -EINVAL || ns != -1)
			fail_msg("'%s' is %lld", no_moments[i], (long long)ns);
	}
}

static void moments_are_written(void **state)
{
	char text[MOMENT_TEXT_SIZE];
	__s64 ns = 0;

	(void)state;
	assert_string_equal(moment_text(NOW, text), "2026-11-22T12:34:56.500000000Z");
	assert_int_equal(moment_parse(text, 0, &ns), 0);
	assert_int_equal(ns, NOW);
	assert_true(llabs(moment_now() - time(NULL) * SECOND) < 5 * SECOND);
}

/* A glob, and what it matches and does not: as policies do (policy/glob.h). */
static const struct {
	const char *glob;
	const char *yes[5];
	const char *no[5];
} globs[] = {
	{ "/a/b", { "/a/b" }, { "/a", "/a/b/", "/a/bc", "/a/b/c", "" } },
	{ "/a/*", { "/a/b", "/a/.x" }, { "/a", "/a/", "/a/b/c", "/b" } },
	{ "/a/**", { "/a", "/a/b", "/a/b/c" }, { "/", "/ab", "/b" } },
	{ "**/.env", { "/.env", "/a/.env", "/a/b/.env" }, { "/a.env", "/.env/x", ".env" } },
	{ "/a/**/z", { "/a/z", "/a/b/z", "/a/b/c/z" }, { "/a/zz", "/a", "/z" } },
	{ "/{a,b/c}/x?", { "/a/x1", "/b/c/x2" }, { "/b/x1", "/a/x", "/a/x/" } },
	{ "/[a-c]*", { "/a", "/bz" }, { "/d", "/", "/a/b" } },
	{ "/[!a-c]", { "/d" }, { "/a", "//" } },
	{ "/\\*", { "/*" }, { "/a" } },
};

static void globs_match_as_in_policies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(globs) / sizeof(*globs); i++) {
		CLEAN(path_match_free) struct path_match *match = NULL;

		assert_int_equal(path_match_new(globs[i].glob, &match, NULL), 0);
		for (size_t j = 0; j < 5 && globs[i].yes[j]; j++) {
			if (!path_match_test(match, globs[i].yes[j], strlen(globs[i].yes[j])))
				fail_msg("%s is not %s", globs[i].yes[j], globs[i].glob);
		}
		for (size_t j = 0; j < 5 && globs[i].no[j]; j++) {
			if (path_match_test(match, globs[i].no[j], strlen(globs[i].no[j])))
				fail_msg("%s is %s", globs[i].no[j], globs[i].glob);
		}
	}
}

/* No glob and no path makes it slow: both are long here, and every prefix may go on. */
static void hard_globs_are_quick(void **state)
{
	CLEAN(path_match_free) struct path_match *match = NULL;
	char path[4096];
	clock_t begin = clock();

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	assert_int_equal(path_match_new("/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", &match, NULL),
			 0);
	for (int i = 0; i < 20; i++)
		assert_false(path_match_test(match, path, sizeof(path)));
	assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
}

#define RULE                                                                                       \
	"\"rule\":{\"number\":1,\"verdict\":\"deny\",\"file\":\"/etc/picket/a.yaml\",\"line\":12," \
	"\"text\":\"**/.env\",\"id\":\"secrets\"}"

static const struct {
	const char *option, *value, *event;
	bool match;
} events[] = {
	{ "agent", "7", "{\"agent\":7}", true },
	{ "agent", "7", "{\"agent\":\"7x\"}", false },
	{ "agent", "a", "{}", false },
	{ "agent", "a", "{\"agent\":[\"a\"]}", false },
	{ "agent", "bot", "{\"agent\":\"a-1\",\"name\":\"bot\"}", true },
	{ "rule", ".env", "{" RULE "}", true },
	{ "rule", "secrets", "{" RULE "}", true },
	{ "rule", "secret", "{" RULE "}", false },
	{ "rule", "a.yaml:12", "{" RULE "}", true },
	{ "rule", "/etc/picket/a.yaml:12", "{" RULE "}", true },
	{ "rule", "a.yaml:1", "{" RULE "}", false },
	{ "rule", ".yaml:12", "{" RULE "}", false },
	{ "rule", "default", "{" RULE "}", false },
	{ "rule", "default files", "{\"default\":{\"section\":\"files\",\"layer\":0}}", true },
	{ "rule", "default egress", "{\"default\":{\"section\":\"files\",\"layer\":0}}", false },
	{ "rule", "signals", "{\"switch\":\"signals\"}", true },
	{ "rule", "x", "{\"rule\":\"x\"}", false },
	{ "process", "git", "{\"process\":{\"comm\":\"git\"}}", true },
	{ "process", "git", "{\"process\":{\"comm\":\"sh\",\"exe\":\"/usr/bin/git\"}}", true },
	{ "process", "/usr/bin/git", "{\"process\":{\"exe\":\"/usr/bin/git\"}}", true },
	{ "process", "it", "{\"process\":{\"comm\":\"git\",\"exe\":\"/usr/bin/git\"}}", false },
	{ "process", "12", "{\"process\":{\"pid\":12}}", true },
	{ "process", "12", "{\"process\":{\"pid\":123}}", false },
	{ "process", "9-8", "{\"process\":{\"id\":\"9-8\"}}", true },
	{ "process", "9-8", "{\"parent\":{\"id\":\"9-8\"}}", true },
	{ "process", "9-8", "{\"chain\":[{\"id\":\"1-1\"},{\"id\":\"9-8\"}]}", true },
	{ "process", "bash", "{\"chain\":[{\"id\":\"1-1\",\"comm\":\"bash\"}]}", false },
	{ "host", "a.b", "{\"host\":\"A.B\"}", true },
	{ "host", "*.b", "{\"host\":\"b\"}", false },
	{ "host", "**.b", "{\"host\":\"b\"}", true },
	{ "host", "**.b", "{\"host\":\"x.y.b\"}", true },
	{ "host", "*", "{\"path\":\"/x\"}", false },
	{ "host", "x", "{\"alias\":\"x\"}", true },
	{ "host", "x", "{\"allowed_by\":\"x\"}", true },
	{ "path", "/x", "{\"path\":\"/y\",\"path2\":\"/x\"}", true },
	{ "path", "/a\nb", "{\"path\":\"/a\\\\nb\"}", true },
	{ "path", "/\xff", "{\"path\":\"/\\\\xff\",\"path_hex\":\"2fff\"}", true },
	{ "path", "/x", "{\"path\":\"/y\",\"path_hex\":\"2f78\"}", true },
	{ "since", "2026-11-22T12:00:00Z", "{\"time\":\"2026-11-22T12:00:00.000000000Z\"}", true },
	{ "since", "2026-11-22T12:00:00Z", "{\"time\":\"2026-11-22T11:59:59.999999999Z\"}", false },
	{ "until", "2026-11-22T12:00:00Z", "{\"time\":\"2026-11-22T12:00:00.000000000Z\"}", false },
	{ "since", "2026-11-22T12:00:00Z", "{\"time\":\"never\"}", false },
	{ "since", "2026-11-22T12:00:00Z", "{}", false },
	{ "kind", "life", "{\"kind\":\"life\"}", true },
	{ "verdict", "deny", "{\"kind\":\"life\"}", false },
};

static int option_of(const char *name)
{
	static const struct option options[] = { FILTER_OPTIONS, { NULL, 0, NULL, 0 } };
	size_t i = 0;

	while (options[i].name && strcmp(options[i].name, name) != 0)
		i++;
	assert_non_null(options[i].name);
	assert_true(filter_has_option(options[i].val));
	return options[i].val;
}

static void events_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		CLEAN(filter_reset) struct event_filter filter = { 0 };
		json_t *event = json_loads(events[i].event, 0, NULL);
		char *why = NULL;

		assert_non_null(event);
		assert_true(filter_matches(&filter, event));
		assert_int_equal(filter_parse_option(&filter, option_of(events[i].option),
						     events[i].value, &why),
				 0);
		if (filter_matches(&filter, event) != events[i].match)
			fail_msg("--%s %s: %s", events[i].option, events[i].value, events[i].event);
		json_decref(event);
	}
}

/* Of one name any, of different names all. */
static void options_add_up(void **state)
{
	CLEAN(filter_reset) struct event_filter filter = { 0 };
	json_t *event = json_loads("{\"kind\":\"decision\",\"path\":\"/b\"}", 0, NULL);
	char *why = NULL;

	(void)state;
	assert_int_equal(filter_parse_option(&filter, option_of("path"), "/a", &why), 0);
	assert_false(filter_matches(&filter, event));
	assert_int_equal(filter_parse_option(&filter, option_of("path"), "/b", &why), 0);
	assert_true(filter_matches(&filter, event));
	assert_int_equal(filter_parse_option(&filter, option_of("kind"), "life", &why), 0);
	assert_false(filter_matches(&filter, event));
	assert_int_equal(filter_parse_option(&filter, option_of("kind"), "decision", &why), 0);
	assert_true(filter_matches(&filter, event));
	json_decref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_read),
		cmocka_unit_test(moments_are_written),
		cmocka_unit_test(globs_match_as_in_policies),
		cmocka_unit_test(hard_globs_are_quick),
		cmocka_unit_test(events_match),
		cmocka_unit_test(options_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
