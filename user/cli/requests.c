/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that a process could have chosen (paths, words, names) is escaped on its way out.
 */
#include "cli/requests.h"

#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/duration.h"

#define PREFIX "r-"
/** Characters of an id that are enough: with fewer an agent finds another act whose id begins so. */
#define BEGINNING 8

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static const char *without_prefix(const char *id)
{
	return begins(id, PREFIX) ? id + strlen(PREFIX) : id;
}

static bool is_wanted(const struct requests_wanted *wanted, const json_t *request)
{
	const char *beginning = without_prefix(wanted->id);

	if (wanted->agent && strcmp(daemon_text(request, "agent"), wanted->agent) != 0)
		return false;
	return begins(without_prefix(daemon_text(request, "id")), beginning);
}

/* The only one of @list; says so when there is none, or more. */
static int pick(const struct requests_wanted *wanted, const json_t *list, json_t **ret_request)
{
	json_t *found = NULL;
	bool same_id = true;
	size_t matches = 0;
	json_t *request;
	size_t i;

	json_array_foreach(list, i, request) {
		if (!is_wanted(wanted, request))
			continue;
		same_id = same_id && (!found || strcmp(daemon_text(found, "id"),
						       daemon_text(request, "id")) == 0);
		found = request;
		matches++;
	}
	if (matches == 1) {
		*ret_request = json_incref(found);
		return CLI_OK;
	}
	if (matches == 0)
		return cli_error(wanted->command,
				 "there is no request '%s': `picket requests` lists what waits",
				 wanted->id);
	if (same_id)
		return cli_error(wanted->command,
				 "%zu agents wait for '%s': give the agent too, as the last word",
				 matches, wanted->id);
	return cli_error(wanted->command, "%zu requests begin with '%s': give more of the id",
			 matches, wanted->id);
}

int requests_find(const struct requests_wanted *wanted, struct control *control,
		  json_t **ret_request)
{
	json_t *result = NULL;
	int code;

	if (strlen(without_prefix(wanted->id)) < BEGINNING)
		return cli_error(
			wanted->command,
			"'%s' is too short: give the id, or its first %d characters behind '%s'",
			wanted->id, BEGINNING, PREFIX);
	code = daemon_call(wanted->command, control, "request.list", json_object(), &result);
	if (code)
		return code;
	code = pick(wanted, json_object_get(result, "requests"), ret_request);
	json_decref(result);
	return code;
}

/* picketd has escaped what comes from processes: what is safe as it stands is not escaped again. */
static void put(FILE *to, const char *text)
{
	CLEAN_FREE char *safe = escape_string(text, strlen(text), 0);
	size_t backslashes = 0;

	for (const char *c = text; *c; c++)
		backslashes += *c == '\\';
	if (!safe)
		return;
	(void)fputs(strlen(safe) == strlen(text) + backslashes ? text : safe, to);
}

/* Word @key of @object behind @before, if it is there. */
static void put_member(FILE *to, const char *before, const json_t *object, const char *key,
		       const char *after)
{
	const char *text = daemon_text(object, key);

	if (!*text)
		return;
	(void)fputs(before, to);
	put(to, text);
	(void)fputs(after, to);
}

void requests_print_act(const json_t *request, FILE *to)
{
	const char *object = daemon_text(request, "object");
	const char *address = daemon_text(request, "address");

	put(to, daemon_text(request, "op"));
	(void)fputs(" ", to);
	put(to, object);
	/* The name is what was asked about, the address what it was at the time. */
	if (*address && !strstr(object, address))
		put_member(to, " (", request, "address", ")");
}

char *requests_act(const json_t *request)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	requests_print_act(request, to);
	return text_close(to, &text) ? NULL : text;
}

void requests_print_approver(const json_t *approver, FILE *to)
{
	put(to, daemon_text(approver, "who"));
	if (json_is_integer(json_object_get(approver, "uid")))
		(void)fprintf(to, " (uid %lld)", (long long)daemon_number(approver, "uid"));
}

void requests_print_approvers(const json_t *approved_by, FILE *to)
{
	const json_t *approver;
	size_t i;

	json_array_foreach(approved_by, i, approver) {
		(void)fputs(i ? ", " : "", to);
		requests_print_approver(approver, to);
	}
	if (json_array_size(approved_by) == 0)
		(void)fputs("nobody", to);
}

void requests_print_lines(const char *text, const char *indent, FILE *to)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		(void)fputs(indent, to);
		escape_write(to, text, length, 0);
		(void)fputs("\n", to);
		text += length + (text[length] == '\n');
	}
}

static void put_words(FILE *to, const json_t *words)
{
	const json_t *word;
	size_t i;

	if (json_is_string(words))
		put(to, json_string_value(words));
	json_array_foreach(words, i, word) {
		(void)fputs(i ? " " : "", to);
		if (json_is_string(word))
			put(to, json_string_value(word));
	}
}

/* "curl[4121]": the last component of the program's path. */
static void put_process(FILE *to, const json_t *process)
{
	const char *name = daemon_text(process, "exe");
	const char *slash;

	if (!*name)
		name = daemon_text(process, "comm");
	slash = strrchr(name, '/');
	put(to, slash ? slash + 1 : name);
	(void)fprintf(to, "[%lld]", (long long)daemon_number(process, "pid"));
}

static void put_chain(FILE *to, const json_t *process)
{
	const json_t *link;
	size_t i;

	put_process(to, process);
	json_array_foreach(json_object_get(process, "chain"), i, link) {
		(void)fputs(" < ", to);
		if (json_is_string(link))
			put(to, json_string_value(link));
		else
			put_process(to, link);
	}
}

static void put_processes(FILE *to, const json_t *processes)
{
	const json_t *process;
	size_t i;

	json_array_foreach(processes, i, process) {
		(void)fputs("    process   ", to);
		put_chain(to, process);
		if (json_is_integer(json_object_get(process, "uid")))
			(void)fprintf(to, "  uid %lld", (long long)daemon_number(process, "uid"));
		put_member(to, "  in ", process, "cwd", "");
		(void)fputs("\n", to);
		if (json_array_size(json_object_get(process, "argv")) == 0)
			continue;
		(void)fputs("    command   ", to);
		put_words(to, json_object_get(process, "argv"));
		(void)fputs("\n", to);
	}
}

/* The rule that asks, or the section whose default does. */
static void put_rule(FILE *to, const json_t *request)
{
	const json_t *rule = json_object_get(request, "rule");
	const json_t *section = json_object_get(request, "default");

	(void)fputs("    rule      ask", to);
	put_member(to, ", default of ", section, "section", "");
	put_member(to, " ", rule, "text", "");
	put_member(to, " at ", rule, "file", "");
	if (daemon_number(rule, "line") > 0)
		(void)fprintf(to, ":%lld", (long long)daemon_number(rule, "line"));
	put_member(to, " (", rule, "id", ")");
	put_member(to, " \"", rule, "reason", "\"");
	(void)fputs("\n", to);
}

static long seconds_of(const json_t *request, const char *key)
{
	return (long)json_number_value(json_object_get(request, key));
}

static void put_times(FILE *to, const json_t *request)
{
	long since = seconds_of(request, "since");
	long expires = seconds_of(request, "expires");
	long now = (long)time(NULL);
	char text[32];

	if (since > 0)
		(void)fprintf(to, "  for %s", duration_text(now - since, text, sizeof(text)));
	if (expires > 0)
		(void)fprintf(to, ", expires in %s",
			      duration_text(expires - now, text, sizeof(text)));
	(void)fputs("\n", to);
}

/* What the process sees of it meanwhile, and how often. */
static void put_waiting(FILE *to, const json_t *request)
{
	json_int_t count = daemon_number(request, "count");

	(void)fprintf(to, "    meanwhile %s",
		      json_is_true(json_object_get(request, "held")) ?
			      "it is stopped" :
			      "it is refused: it succeeds when it is tried again after approval");
	if (count > 1)
		(void)fprintf(to, "; asked %lld times", (long long)count);
	(void)fputs("\n", to);
}

void requests_print(const json_t *request, FILE *to)
{
	const json_t *approved_by = json_object_get(request, "approved_by");
	json_int_t approvers = daemon_number(request, "approvers");

	put(to, daemon_text(request, "id"));
	put_member(to, "  ", request, "state", "");
	put_times(to, request);
	(void)fputs("    agent     ", to);
	put(to, daemon_text(request, "agent"));
	put_member(to, " (", request, "agent_name", ")");
	put_member(to, ", policy ", request, "policy", "");
	(void)fputs("\n    wants     ", to);
	requests_print_act(request, to);
	(void)fputs("\n", to);
	put_processes(to, json_object_get(request, "processes"));
	put_rule(to, request);
	put_waiting(to, request);
	if (approvers < 2 && json_array_size(approved_by) == 0)
		return;
	(void)fprintf(to, "    approved  %zu of %lld: ", json_array_size(approved_by),
		      (long long)approvers);
	requests_print_approvers(approved_by, to);
	(void)fputs("\n", to);
}
