/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OTLP/JSON: the mapping of protobuf to JSON, with keys in lowerCamelCase and 64-bit integers as texts.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "note/otlp_log.h"

/* Who takes, and how many there were. */
struct reading {
	otlp_take take;
	void *context;
	size_t count;
};

/* An integer, as a text or as a number. */
static __u64 number_of(const json_t *value)
{
	if (json_is_string(value))
		return strtoull(json_string_value(value), NULL, 10);
	return json_integer_value(value) < 0 ? 0 : (__u64)json_integer_value(value);
}

static void take_attribute(const json_t *attribute, struct otlp_draft *draft)
{
	const json_t *name = json_object_get(attribute, "key");
	const json_t *value = json_object_get(attribute, "value");
	const json_t *text = json_object_get(value, "stringValue");
	const json_t *number = json_object_get(value, "intValue");
	const json_t *real = json_object_get(value, "doubleValue");
	const json_t *truth = json_object_get(value, "boolValue");
	const struct otlp_key key = { json_string_value(name), json_string_length(name) };

	if (!key.bytes)
		return;
	if (json_is_string(text))
		otlp_draft_text(draft, &key, json_string_value(text), json_string_length(text));
	else if (number)
		otlp_draft_number(draft, &key, (double)number_of(number));
	else if (json_is_number(real))
		otlp_draft_number(draft, &key, json_number_value(real));
	else if (json_is_boolean(truth))
		otlp_draft_truth(draft, &key, json_is_true(truth));
}

static void take_attributes(const json_t *object, struct otlp_draft *draft)
{
	const json_t *attribute;
	size_t i;

	json_array_foreach(json_object_get(object, "attributes"), i, attribute)
		take_attribute(attribute, draft);
}

static int read_record(struct reading *reading, const json_t *record, struct otlp_draft draft)
{
	const json_t *name = json_object_get(record, "eventName");
	const json_t *body = json_object_get(json_object_get(record, "body"), "stringValue");

	if (!json_is_object(record))
		return -EBADMSG;
	if (reading->count++ == OTLP_LOGS_MAX)
		return -E2BIG;
	draft.log.time_ns = number_of(json_object_get(record, "timeUnixNano"));
	if (!draft.log.time_ns)
		draft.log.time_ns = number_of(json_object_get(record, "observedTimeUnixNano"));
	if (json_is_string(body))
		otlp_draft_own(&draft, json_string_value(body), json_string_length(body), false);
	if (json_string_length(name))
		otlp_draft_own(&draft, json_string_value(name), json_string_length(name), true);
	take_attributes(record, &draft);
	if (otlp_draft_close(&draft) && reading->take)
		reading->take(reading->context, &draft.log);
	return 0;
}

/* Where it is there, a list is a list. */
static bool is_list(const json_t *value)
{
	return !value || json_is_array(value);
}

static int read_resource(struct reading *reading, const json_t *resource)
{
	const json_t *scopes = json_object_get(resource, "scopeLogs");
	struct otlp_draft draft = { 0 };
	const json_t *scope;
	size_t i;

	if (!json_is_object(resource) || !is_list(scopes))
		return -EBADMSG;
	take_attributes(json_object_get(resource, "resource"), &draft);
	json_array_foreach(scopes, i, scope) {
		const json_t *records = json_object_get(scope, "logRecords");
		const json_t *record;
		size_t j;

		if (!is_list(records))
			return -EBADMSG;
		json_array_foreach(records, j, record) {
			int r = read_record(reading, record, draft);

			if (r)
				return r;
		}
	}
	return 0;
}

int otlp_read_json(const char *bytes, size_t length, otlp_take take, void *context)
{
	struct reading reading = { .take = take, .context = context };
	json_t *request = json_loadb(bytes, length, 0, NULL);
	const json_t *resources = json_object_get(request, "resourceLogs");
	int r = json_is_object(request) && is_list(resources) ? 0 : -EBADMSG;
	const json_t *resource;
	size_t i;

	json_array_foreach(resources, i, resource) {
		if (r == 0)
			r = read_resource(&reading, resource);
	}
	json_decref(request);
	return r;
}
