/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of metrics: its form, escapes, histograms, and that whoever reads it (dashboard, alerts, manual)
 * reads what there is: metrics_judge.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "metrics/exposition.h"
#include "metrics/tally.h"

/* The page of one sample. */
static char *page_of(struct exposition *page)
{
	char *text = NULL;
	size_t length = 0;

	assert_int_equal(exposition_finish(page, &text, &length), 0);
	assert_int_equal(strlen(text), length);
	exposition_reset(page);
	return text;
}

static void test_sample(void **state)
{
	struct exposition page = { 0 };
	CLEAN_FREE char *text = NULL;

	(void)state;
	exposition_add(&page, METRIC_GRANTS, 12);
	exposition_add(&page, METRIC_AGENTS, 0);
	exposition_add(&page, METRIC_GRANTS, 3000000000.0);
	text = page_of(&page);
	assert_string_equal(text, "# HELP picket_agents Agents that there are.\n"
				  "# TYPE picket_agents gauge\n"
				  "picket_agents 0\n"
				  "# HELP picket_grants Grants and refusals that hold.\n"
				  "# TYPE picket_grants gauge\n"
				  "picket_grants 12\n"
				  "picket_grants 3000000000\n");
}

static void test_labels(void **state)
{
	struct exposition page = { 0 };
	CLEAN_FREE char *text = NULL;

	(void)state;
	exposition_add(&page, METRIC_SINK_LOST, 0.25, "a\"b\\c\nd\x1b[31m\xff", "decision");
	text = page_of(&page);
	assert_non_null(strstr(text,
			       "\npicket_sink_lost_total{sink=\"a\\\"b\\\\\\\\c\\\\nd\\\\x1b[31m"
			       "\\\\xff\",class=\"decision\"} 0.25\n"));
}

static void test_histogram(void **state)
{
	static const struct exposition_bucket buckets[] = { { 0.000001, 5 },
							    { 0.000002, 0 },
							    { 0.000004, 2 } };
	const struct exposition_histogram histogram = { buckets, 3, 1, 0.5 };
	struct exposition page = { 0 };
	CLEAN_FREE char *text = NULL;

	(void)state;
	exposition_add_histogram(&page, METRIC_DECISION_DURATION, "open", &histogram);
	text = page_of(&page);
	assert_non_null(
		strstr(text, "picket_decision_duration_seconds_bucket{op=\"open\",le=\"1e-06\"} 5\n"
			     "picket_decision_duration_seconds_bucket{op=\"open\",le=\"2e-06\"} 5\n"
			     "picket_decision_duration_seconds_bucket{op=\"open\",le=\"4e-06\"} 7\n"
			     "picket_decision_duration_seconds_bucket{op=\"open\",le=\"+Inf\"} 8\n"
			     "picket_decision_duration_seconds_sum{op=\"open\"} 0.5\n"
			     "picket_decision_duration_seconds_count{op=\"open\"} 8\n"));
}

static void test_tally(void **state)
{
	struct decision_tally ended = { 0 };
	struct decision_tally one = { 0 };

	(void)state;
	tally_count(&one, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	tally_count(&one, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	tally_count(&one, PK_SECTION__MAX, PK_VERDICT_DENY);
	tally_count(&one, PK_SECTION_FILES, PK_VERDICT__MAX);
	tally_add(&ended, &one);
	tally_add(&ended, &one);
	assert_int_equal(ended.counts[PK_SECTION_EGRESS][PK_VERDICT_DENY], 4);
	assert_int_equal(ended.counts[PK_SECTION_FILES][PK_VERDICT_ALLOW], 0);
}

/* A sample of @metric, each label having a value that is hard to write. */
static void add_any(struct exposition *page, enum metric metric)
{
	static const struct exposition_bucket bucket = { 0.001, 3 };
	const struct exposition_histogram histogram = { &bucket, 1, 0, 0.002 };
	static const char hard[] = "x\"\\\n\xc3\xa9\x7f,le=\"1\"} 2";

	if (metric_families[metric].type == METRIC_HISTOGRAM)
		exposition_add_histogram(page, metric, hard, &histogram);
	else
		exposition_add(page, metric, 1.5, hard, hard, hard, hard, hard, hard);
}

static void test_readers(void **state)
{
	char path[] = "/tmp/picket-metrics-XXXXXX";
	CLEAN_FREE char *command = NULL;
	struct exposition page = { 0 };
	CLEAN_FREE char *text = NULL;
	CLEAN_FD int fd = mkstemp(path);
	int status;

	(void)state;
	for (int i = 0; i < METRIC__COUNT; i++)
		add_any(&page, (enum metric)i);
	text = page_of(&page);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_true(asprintf(&command, "python3 tests/unit/metrics_judge.py %s >&2", path) > 0);
	status = system(command);
	(void)unlink(path);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),	  cmocka_unit_test(test_labels),
		cmocka_unit_test(test_histogram), cmocka_unit_test(test_tally),
		cmocka_unit_test(test_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
