/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trail's details are a grant, or a request that nobody answered: both have the act's keys among their own.
 */
#include "daemon/answer_event.h"

#include <string.h>
#include <time.h>

#include "daemon/ask_act.h"
#include "telemetry/record.h"

/* What an answer is as an event; NULL: it is none yet. */
static const char *op_of(const char *what)
{
	static const char *const ops[][2] = {
		{ "approved", "approve" }, { "auto", "approve" },   { "refused", "refuse" },
		{ "expired", "expire" },   { "revoked", "revoke" }, { "lapsed", "expire" },
		{ "ended", "revoke" },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(ops[i][0], what) == 0)
			return ops[i][1];
	}
	return NULL;
}

static int copy(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	return value ? json_object_set(to, key, value) : 0;
}

static int copy_all(json_t *to, const json_t *from, const char *const keys[])
{
	int r = 0;

	for (size_t i = 0; r == 0 && keys[i]; i++)
		r = copy(to, from, keys[i]);
	return r;
}

/* Seconds since the epoch, as records have times. */
static int set_time(json_t *to, const char *key, const json_t *seconds)
{
	time_t when = (time_t)json_integer_value(seconds);
	struct tm parts = { 0 };
	char text[40];

	if (!seconds)
		return 0;
	(void)gmtime_r(&when, &parts);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000000000Z", &parts);
	return json_object_set_new(to, key, json_string(text));
}

/* Who answered, and how; NULL: no memory. */
static json_t *person(const json_t *by)
{
	static const char *const keys[] = { "who", "uid", "mode", "seconds", "reason", NULL };
	json_t *object = json_object();

	if (object && !copy_all(object, by, keys) &&
	    !set_time(object, "at", json_object_get(by, "at")))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *people(const json_t *list)
{
	json_t *all = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (json_array_append_new(all, person(one))) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static json_t *act_of(const json_t *doc)
{
	static const char *const keys[] = { "op", "section", "access", NULL };
	json_t *act = json_object();

	if (act && !copy_all(act, doc, keys) &&
	    !json_object_set_new(act, "object", json_string(ask_shown(doc))) &&
	    !copy(act, doc, "rule") && !copy(act, doc, "default"))
		return act;
	json_decref(act);
	return NULL;
}

/* Of a grant. */
static int put_grant(json_t *record, const json_t *grant)
{
	static const char *const keys[] = { "grant", "request", "verdict", "mode", "policy", NULL };
	const json_t *approvers = json_object_get(grant, "approved_by");
	int r = copy_all(record, grant, keys);

	if (r == 0)
		r = set_time(record, "until", json_object_get(grant, "expires"));
	if (r == 0 && approvers)
		r = json_object_set_new(record, "approved_by", people(approvers));
	return r;
}

/* Of a request: its own number of uses and times are no part of an answer. */
static int put_request(json_t *record, const json_t *request)
{
	json_t *name = json_object_get(request, "id");
	int r = name ? json_object_set(record, "request", name) : 0;

	return r ? r : copy(record, request, "policy");
}

static int put_details(json_t *record, const json_t *details)
{
	const json_t *grant = json_object_get(details, "grant");
	const json_t *request = json_object_get(details, "request");
	const json_t *by = json_object_get(details, "by");
	int r = grant ? put_grant(record, grant) : put_request(record, request);

	if (r == 0)
		r = json_object_set_new(record, "act", act_of(grant ? grant : request));
	return r || !by ? r : json_object_set_new(record, "by", person(by));
}

json_t *answer_event(const char *agent, const char *what, const json_t *details, bool *ret_failed)
{
	const char *op = op_of(what);
	json_t *record = op ? record_new("answer", op, agent) : NULL;

	*ret_failed = false;
	if (!op)
		return NULL;
	if (record && !record_set_text(record, "what", what) && !put_details(record, details))
		return record;
	*ret_failed = true;
	json_decref(record);
	return NULL;
}
