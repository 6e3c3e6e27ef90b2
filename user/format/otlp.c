/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as an OpenTelemetry ExportLogsServiceRequest, in the JSON form of OTLP/HTTP. Attributes have the
 * names of the semantic conventions where there is one; all that is left goes by "picket." and its own
 * name, so nothing of a record is missing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "format/render.h"

/** Where an attribute comes from: key of an object of the record (NULL: of the record itself). */
struct attribute {
	const char *object;
	const char *key;
	const char *name;
};

static const struct attribute attributes[] = {
	{ "process", "pid", "process.pid" },
	{ "process", "tid", "thread.id" },
	{ "process", "uid", "process.user.id" },
	{ "process", "gid", "process.group.id" },
	{ "process", "comm", "process.executable.name" },
	{ "process", "exe", "process.executable.path" },
	{ "process", "argv", "process.command_args" },
	{ "process", "cwd", "process.working_directory" },
	{ "process", "start", "process.creation.time" },
	{ "process", "container", "container.id" },
	{ "parent", "pid", "process.parent_pid" },
	{ "status", "code", "process.exit.code" },
	{ NULL, "path", "file.path" },
	{ NULL, "address", "network.peer.address" },
	{ NULL, "port", "network.peer.port" },
	{ NULL, "local_address", "network.local.address" },
	{ NULL, "local_port", "network.local.port" },
	{ NULL, "errno", "error.type" },
	{ NULL, "host", "server.address" },
};

static const char *const severity_texts[] = {
	[LEVEL_INFO] = "INFO",
	[LEVEL_NOTICE] = "INFO2",
	[LEVEL_WARNING] = "WARN",
	[LEVEL_ERROR] = "ERROR",
};
static const int severities[] = {
	[LEVEL_INFO] = 9,
	[LEVEL_NOTICE] = 10,
	[LEVEL_WARNING] = 13,
	[LEVEL_ERROR] = 17,
};
_Static_assert(sizeof(severities) / sizeof(*severities) == LEVEL__MAX, "a number for each");
_Static_assert(sizeof(severity_texts) / sizeof(*severity_texts) == LEVEL__MAX, "a word for each");

/* Deeper than any record is; what others wrote ends there. */
#define DEPTH_MAX 16U

static json_t *any_value(struct build *build, const json_t *value, unsigned int depth);

/* 64-bit integers are texts in the JSON form of protobuf. */
static json_t *integer(json_int_t number)
{
	return json_sprintf("%" JSON_INTEGER_FORMAT, number);
}

static void append_attribute(struct build *build, json_t *list, const char *name, json_t *value)
{
	json_t *pair = json_object();

	build_text(build, pair, "key", name);
	build_value(build, pair, "value", value);
	build_append(build, list, pair);
}

static json_t *list_value(struct build *build, const json_t *list, unsigned int depth)
{
	json_t *values = json_array();

	for (size_t i = 0; i < json_array_size(list); i++)
		build_append(build, values, any_value(build, json_array_get(list, i), depth));
	return json_pack("{s:{s:o}}", "arrayValue", "values", values);
}

static json_t *map_value(struct build *build, const json_t *map, unsigned int depth)
{
	json_t *values = json_array();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)map, key, value)
		append_attribute(build, values, key, any_value(build, value, depth));
	return json_pack("{s:{s:o}}", "kvlistValue", "values", values);
}

/* The AnyValue of a value; NULL is lack of memory. */
static json_t *any_value(struct build *build, const json_t *value, unsigned int depth)
{
	if (depth >= DEPTH_MAX)
		return json_object();
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_pack("{s:s%}", "stringValue", json_string_value(value),
				 json_string_length(value));
	case JSON_INTEGER:
		return json_pack("{s:o}", "intValue", integer(json_integer_value(value)));
	case JSON_REAL:
		return json_pack("{s:f}", "doubleValue", json_real_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		return json_pack("{s:b}", "boolValue", json_is_true(value));
	case JSON_ARRAY:
		return list_value(build, value, depth + 1);
	case JSON_OBJECT:
		return map_value(build, value, depth + 1);
	case JSON_NULL:
		break;
	}
	/* No value at all is how an AnyValue is null. */
	return json_object();
}

static void put_attribute(struct build *build, json_t *list, const char *name, const json_t *value)
{
	if (value)
		append_attribute(build, list, name, any_value(build, value, 0));
}

static void put_text(struct build *build, json_t *list, const char *name, const char *text)
{
	if (text)
		append_attribute(build, list, name, json_pack("{s:s}", "stringValue", text));
}

static bool is_mapped(const char *object, const char *key)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		const char *from = attributes[i].object;

		if (strcmp(attributes[i].key, key) == 0 &&
		    (object ? from && strcmp(from, object) == 0 : !from))
			return true;
	}
	return !object && (strcmp(key, "time") == 0 || strcmp(key, "schema") == 0);
}

/* What has no name in the conventions. Objects of the record are told key by key. */
static void put_rest(struct build *build, json_t *list, const char *object, const json_t *of)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)of, key, value) {
		CLEAN_FREE char *name = NULL;

		if (is_mapped(object, key))
			continue;
		if (!object && json_is_object(value)) {
			put_rest(build, list, key, value);
			continue;
		}
		if (asprintf(&name, "picket.%s%s%s", object ? object : "", object ? "." : "", key) <
		    0) {
			name = NULL;
			build->failed = true;
			continue;
		}
		put_attribute(build, list, name, value);
	}
}

static void put_network(struct build *build, json_t *list, const json_t *event)
{
	const char *address = value_text(event, "address");
	const json_t *tool = value_object(value_object(event, "context"), "tool");

	if (address)
		put_text(build, list, "network.type", strchr(address, ':') ? "ipv6" : "ipv4");
	if (value_is(event, "protocol", "tcp") || value_is(event, "protocol", "udp"))
		put_text(build, list, "network.transport", value_text(event, "protocol"));
	if (value_is(event, "op", "dns") || value_is(event, "op", "answer"))
		put_text(build, list, "dns.question.name", value_text(event, "host"));
	put_text(build, list, "gen_ai.tool.name", value_text(tool, "name"));
	put_text(build, list, "gen_ai.tool.call.id", value_text(tool, "call_id"));
}

static json_t *log_attributes(struct build *build, const json_t *event)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		const char *object = attributes[i].object;

		put_attribute(build, list, attributes[i].name,
			      json_object_get(object ? value_object(event, object) : event,
					      attributes[i].key));
	}
	put_network(build, list, event);
	put_rest(build, list, NULL, event);
	return list;
}

static void put_identity(struct build *build, json_t *record, const json_t *event)
{
	struct value_trace trace = value_trace(event);

	if (trace.flags)
		build_number(build, record, "flags", trace.flags);
	build_text(build, record, "traceId", *trace.trace ? trace.trace : NULL);
	build_text(build, record, "spanId", *trace.span ? trace.span : NULL);
}

static void put_name(struct build *build, json_t *record, const json_t *event)
{
	const char *op = value_text(event, "op");

	build_value(build, record, "eventName",
		    json_sprintf("picket.%s%s%s", value_text(event, "kind"), op ? "." : "",
				 op ? op : ""));
}

static json_t *log_record(struct build *build, const json_t *event)
{
	json_t *record = json_object();
	enum level level = value_level(event);
	CLEAN_FREE char *body = NULL;
	int64_t ns;

	if (value_time(event, "time", &ns)) {
		build_value(build, record, "timeUnixNano", integer(ns));
		build_value(build, record, "observedTimeUnixNano", integer(ns));
	}
	build_number(build, record, "severityNumber", severities[level]);
	build_text(build, record, "severityText", severity_texts[level]);
	if (line_sentence(event, &body) < 0)
		build->failed = true;
	else
		build_value(build, record, "body", json_pack("{s:s}", "stringValue", body));
	build_value(build, record, "attributes", log_attributes(build, event));
	put_identity(build, record, event);
	put_name(build, record, event);
	return record;
}

static json_t *resource(struct build *build, const struct format_machine *machine)
{
	json_t *list = json_array();

	put_text(build, list, "service.name", "picket");
	put_text(build, list, "service.version", machine->version);
	put_text(build, list, "host.name", machine->hostname);
	put_text(build, list, "host.id", machine->machine_id);
	put_text(build, list, "os.type", "linux");
	put_text(build, list, "os.version", machine->kernel);
	put_text(build, list, "picket.boot_id", machine->boot_id);
	return json_pack("{s:o}", "attributes", list);
}

static json_t *scope(struct build *build, const struct format_machine *machine)
{
	json_t *object = json_object();

	build_text(build, object, "name", "picket");
	build_text(build, object, "version", machine->version);
	return object;
}

json_t *otlp_request(const json_t *const *events, size_t count,
		     const struct format_machine *machine)
{
	struct build build = { 0 };
	json_t *records = json_array();
	json_t *request;

	for (size_t i = 0; i < count; i++)
		build_append(&build, records, log_record(&build, events[i]));
	request = json_pack("{s:[{s:o, s:[{s:o, s:o}]}]}", "resourceLogs", "resource",
			    resource(&build, machine), "scopeLogs", "scope", scope(&build, machine),
			    "logRecords", records);
	if (build.failed) {
		json_decref(request);
		return NULL;
	}
	return request;
}
