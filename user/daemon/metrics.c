/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When there is a page, and what it answers; what is on it is metrics_page.c's.
 */
#include "daemon/metrics.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/http.h"
#include "engine/latency.h"
#include "metrics/exposition.h"

/* Of so many decisions one is timed. */
#define METRICS_SAMPLE 64

static void answer_page(struct daemon *daemon, struct http_answer *answer)
{
	if (metrics_page(daemon, &answer->body, &answer->length)) {
		http_say(answer, 500, "out of memory\n");
		return;
	}
	answer->status = 200;
	answer->type = EXPOSITION_TYPE;
}

static void answer(void *context, const struct http_request *request, struct http_answer *answer)
{
	if (strcmp(request->path, "/metrics") != 0) {
		http_say(answer, 404, "there is /metrics, and nothing else\n");
	} else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		answer->allow = "GET, HEAD";
		http_say(answer, 405, "/metrics can be read: GET or HEAD\n");
	} else {
		answer_page(context, answer);
	}
}

/* Nothing of the page; what was counted stays. */
static void end_page(struct metrics *metrics)
{
	http_close(&metrics->http);
	free(TAKE_PTR(metrics->address));
	free(TAKE_PTR(metrics->error));
}

/* Show the page at metrics->address; a failure that is not the last one is said. */
static void begin_page(struct daemon *daemon)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct metrics *metrics = &daemon->metrics;
	const struct http_options options = {
		.epoll = daemon->epoll,
		.address = metrics->address,
		.handler = answer,
		.context = daemon,
	};
	CLEAN_FREE char *last = TAKE_PTR(metrics->error);
	const char *why;

	if (http_open(&options, &metrics->http, &diags) == 0) {
		daemon_say(daemon, "metrics are at http://%s/metrics", metrics->address);
		return;
	}
	why = diags.count ? diags.items[0].message : "out of memory";
	if (!last || strcmp(last, why) != 0)
		daemon_say(daemon, "there are no metrics: %s", why);
	metrics->error = strdup(why);
}

void metrics_reload(struct daemon *daemon)
{
	const char *wanted = daemon->telemetry.settings.metrics;
	struct metrics *metrics = &daemon->metrics;

	latency_sample(&daemon->hub,
		       wanted && daemon->telemetry.settings.histograms ? METRICS_SAMPLE : 0);
	if (wanted && metrics->http && strcmp(wanted, metrics->address) == 0)
		return;
	end_page(metrics);
	metrics->address = wanted ? strdup(wanted) : NULL;
	if (metrics->address)
		begin_page(daemon);
	else if (wanted)
		daemon_say(daemon, "there are no metrics: out of memory");
}

int metrics_open(struct daemon *daemon, struct diag_list *diags)
{
	(void)diags;
	metrics_reload(daemon);
	return 0;
}

void metrics_check(struct daemon *daemon)
{
	if (daemon->metrics.address && !daemon->metrics.http)
		begin_page(daemon);
}

void metrics_end_agent(struct daemon *daemon, const struct agent_entry *entry,
		       const __u64 counts[PK_COUNT__MAX])
{
	struct metrics_ended *ended = &daemon->metrics.ended;

	tally_add(&ended->decisions, &entry->decisions);
	for (__u32 i = 0; i < PK_COUNT__MAX; i++)
		ended->counts[i] += counts[i];
	ended->events += entry->events;
	ended->untold += entry->untold;
	ended->untold_allowed += entry->untold_allowed;
}

json_t *metrics_status(const struct daemon *daemon)
{
	const struct metrics *metrics = &daemon->metrics;

	if (metrics->http)
		return http_status(metrics->http);
	if (!metrics->address)
		return NULL;
	return json_pack("{s:s, s:s}", "address", metrics->address, "error",
			 metrics->error ? metrics->error : "out of memory");
}

void metrics_close(struct metrics *metrics)
{
	end_page(metrics);
}
