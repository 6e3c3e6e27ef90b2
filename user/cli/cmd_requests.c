/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket requests`: what waits for an approver, and with --watch what comes.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/daemon_follow.h"
#include "cli/json_out.h"
#include "cli/requests.h"

static const char help[] =
	"usage: picket requests [--watch] [--json] [AGENT]\n"
	"\n"
	"List what AGENT, or any agent, waits for somebody to approve.\n"
	"\n"
	"      --watch  go on, and show what comes and what becomes of it, until interrupted\n"
	"      --json   one JSON document; with --watch a line of JSON for each change\n"
	"\n"
	"`picket approve ID` lets it happen, `picket refuse ID` does not.\n"
	"Exit status: 0; 1 when picketd cannot be asked, or ends while it is watched.\n";

/* Watching: what was shown of each request, so that one asked ten times is one block. */
struct watch {
	const struct daemon_args *args;
	json_t *shown; /* id: state and approvals, as text */
};

/* The same act of two agents has the same id. */
static void key_of(const json_t *request, char *key, size_t size)
{
	(void)snprintf(key, size, "%s %s", daemon_text(request, "id"),
		       daemon_text(request, "agent"));
}

/* Returns true when there is something new to say of @request. */
static bool is_news(struct watch *watch, const json_t *request)
{
	const char *state = daemon_text(request, "state");
	const char *before;
	char key[128];
	char now[64];

	key_of(request, key, sizeof(key));
	(void)snprintf(now, sizeof(now), "%s %zu", state,
		       json_array_size(json_object_get(request, "approved_by")));
	before = json_string_value(json_object_get(watch->shown, key));
	if (before && strcmp(before, now) == 0)
		return false;
	if (strcmp(state, "waiting") == 0)
		(void)json_object_set_new(watch->shown, key, json_string(now));
	else
		(void)json_object_del(watch->shown, key);
	return true;
}

static void print_end(const json_t *request)
{
	const json_t *by = json_object_get(request, "refused_by");

	(void)printf("%s  %s", daemon_text(request, "id"), daemon_text(request, "state"));
	if (json_array_size(json_object_get(request, "approved_by")) > 0) {
		(void)fputs(" by ", stdout);
		requests_print_approvers(json_object_get(request, "approved_by"), stdout);
	}
	if (*daemon_text(by, "who")) {
		(void)fputs(" by ", stdout);
		requests_print_approver(by, stdout);
	}
	(void)fputs(": ", stdout);
	requests_print_act(request, stdout);
	(void)fputs("\n", stdout);
}

static void show(struct watch *watch, json_t *request)
{
	CLEAN_FREE char *line = NULL;

	if (watch->args->json) {
		line = json_dumps(request, JSON_COMPACT);
		(void)puts(line ? line : "{}");
		return;
	}
	if (!is_news(watch, request))
		return;
	if (strcmp(daemon_text(request, "state"), "waiting") == 0)
		requests_print(request, stdout);
	else
		print_end(request);
}

static void take(void *context, const char *method, json_t *params)
{
	json_t *request = json_object_get(params, "request");

	if (strcmp(method, "request") == 0 && request)
		show(context, request);
}

static int watch_requests(const struct daemon_args *args)
{
	CLEAN(control_close) struct control control = CONTROL_NONE;
	struct watch watch = { .args = args, .shown = json_object() };
	json_t *result = NULL;
	json_t *request;
	size_t i;
	int code = daemon_connect("requests", &control);

	if (code == CLI_OK) {
		control.notified = take;
		control.context = &watch;
		code = daemon_call("requests", &control, "request.watch",
				   json_pack("{s:s*}", "agent", args->agent), &result);
	}
	if (code == CLI_OK) {
		json_array_foreach(json_object_get(result, "requests"), i, request)
			show(&watch, request);
		code = daemon_follow("requests", &control);
	}
	json_decref(result);
	json_decref(watch.shown);
	return code;
}

static void print_requests(const json_t *requests)
{
	const json_t *request;
	size_t i;

	json_array_foreach(requests, i, request)
		requests_print(request, stdout);
	if (json_array_size(requests) == 0 && isatty(STDOUT_FILENO) == 1)
		(void)puts("nothing waits for approval");
}

int cmd_requests(int argc, char **argv)
{
	struct daemon_args args = {
		.command = "requests",
		.help = help,
		.takes_json = true,
		.takes_agent = true,
		.takes_watch = true,
	};
	json_t *result = NULL;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	if (args.watch)
		return watch_requests(&args);
	code = daemon_ask("requests", "request.list", json_pack("{s:s*}", "agent", args.agent),
			  &result);
	if (code)
		return code;
	if (args.json)
		return json_out_print("requests", result);
	print_requests(json_object_get(result, "requests"));
	json_decref(result);
	return CLI_OK;
}
