/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record as a document of the Elastic Common Schema, 8.11. What the schema has no field for stands below
 * "picket", under its own name.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "format/render.h"

#define ECS_VERSION "8.11.0"

static const char *const levels[] = {
	[LEVEL_INFO] = "info",
	[LEVEL_NOTICE] = "notice",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "error",
};
_Static_assert(sizeof(levels) / sizeof(*levels) == LEVEL__MAX, "a word for each");

/** What kind of event records of an operation are. */
struct category {
	const char *kind; /* of record; NULL: decision and activity */
	const char *op; /* NULL: every other of the kind */
	const char *category;
	const char *type;
};

static const struct category categories[] = {
	{ NULL, "connect", "network", "connection" },
	{ NULL, "accept", "network", "connection" },
	{ NULL, "name", "network", "connection" },
	{ NULL, "packet", "network", "connection" },
	{ NULL, "send", "network", "connection" },
	{ NULL, "unix", "network", "connection" },
	{ NULL, "bind", "network", "start" },
	{ NULL, "listen", "network", "start" },
	{ NULL, "socket", "network", "start" },
	{ NULL, "netlink", "network", "access" },
	{ NULL, "dns", "network", "protocol" },
	{ NULL, "answer", "network", "protocol" },
	{ NULL, "open", "file", "access" },
	{ NULL, "mmap", "file", "access" },
	{ NULL, "watch", "file", "access" },
	{ NULL, "receive", "file", "access" },
	{ NULL, "create", "file", "creation" },
	{ NULL, "mkdir", "file", "creation" },
	{ NULL, "mknod", "file", "creation" },
	{ NULL, "symlink", "file", "creation" },
	{ NULL, "link", "file", "creation" },
	{ NULL, "unlink", "file", "deletion" },
	{ NULL, "rmdir", "file", "deletion" },
	{ NULL, "rename", "file", "change" },
	{ NULL, "truncate", "file", "change" },
	{ NULL, "map-write", "file", "change" },
	{ NULL, "chmod", "file", "change" },
	{ NULL, "chown", "file", "change" },
	{ NULL, "acl", "file", "change" },
	{ NULL, "utimes", "file", "change" },
	{ NULL, "setxattr", "file", "change" },
	{ NULL, "removexattr", "file", "change" },
	{ NULL, "ioctl", "file", "change" },
	{ NULL, "exec", "process", "start" },
	{ NULL, "command", "process", "start" },
	{ NULL, NULL, "process", "info" },
	{ "life", "exit", "process", "end" },
	{ "life", NULL, "process", "start" },
	{ "agent", "start", "session", "start" },
	{ "agent", "attach", "session", "start" },
	{ "agent", "end", "session", "end" },
	{ "agent", NULL, "session", "end" },
	{ "policy", NULL, "configuration", "change" },
	{ "answer", NULL, "configuration", "change" },
	{ "note", NULL, "process", "info" },
	{ "daemon", "start", "process", "start" },
	{ "daemon", "stop", "process", "end" },
};

/* A key of the record, or of an object in it, that has a field of its own. */
struct mapping {
	const char *object; /* NULL: the record */
	const char *key;
	const char *set; /* field set: first part of the field's name */
	const char *below; /* second of three parts, or NULL */
	const char *field;
	bool text; /* numbers are written as text */
};

static const struct mapping mappings[] = {
	{ NULL, "op", "event", NULL, "action", false },
	{ NULL, "reason", "event", NULL, "code", false },
	{ NULL, "seq", "event", NULL, "sequence", false },
	{ NULL, "errno", "error", NULL, "code", false },
	{ NULL, "path", "file", NULL, "path", false },
	{ NULL, "address", "destination", NULL, "ip", false },
	{ NULL, "port", "destination", NULL, "port", false },
	{ NULL, "local_address", "source", NULL, "ip", false },
	{ NULL, "local_port", "source", NULL, "port", false },
	{ NULL, "command", "process", NULL, "command_line", false },
	{ "process", "pid", "process", NULL, "pid", false },
	{ "process", "id", "process", NULL, "entity_id", false },
	{ "process", "comm", "process", NULL, "name", false },
	{ "process", "exe", "process", NULL, "executable", false },
	{ "process", "argv", "process", NULL, "args", false },
	{ "process", "cwd", "process", NULL, "working_directory", false },
	{ "process", "start", "process", NULL, "start", false },
	{ "process", "tid", "process", "thread", "id", false },
	{ "process", "uid", "user", NULL, "id", true },
	{ "process", "gid", "user", "group", "id", true },
	{ "process", "container", "container", NULL, "id", false },
	{ "parent", "pid", "process", "parent", "pid", false },
	{ "parent", "id", "process", "parent", "entity_id", false },
	{ "parent", "comm", "process", "parent", "name", false },
	{ "parent", "start", "process", "parent", "start", false },
	{ "rule", "text", "rule", NULL, "name", false },
	{ "rule", "reason", "rule", NULL, "description", false },
	{ "rule", "file", "rule", NULL, "ruleset", false },
	{ "status", "code", "process", NULL, "exit_code", false },
	{ "folded", "first", "event", NULL, "start", false },
	{ "folded", "last", "event", NULL, "end", false },
};

static bool same(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

/* Addresses of accept and the local ones mean the other way round. */
static const char *mapped_set(const json_t *event, const struct mapping *mapping)
{
	bool inward = value_is(event, "op", "accept");

	if (inward && same(mapping->key, "address"))
		return "source";
	return mapping->set;
}

/* What can be told: fields have types. */
static bool fits(const struct mapping *mapping, const json_t *value)
{
	static const char *const numbers[] = { "seq", "port", "local_port", "pid", "tid", "code" };

	if (strcmp(mapping->key, "argv") == 0)
		return json_is_array(value);
	if (mapping->text)
		return json_is_string(value) || json_is_integer(value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (strcmp(mapping->key, numbers[i]) == 0)
			return json_is_integer(value);
	}
	return json_is_string(value);
}

static const struct mapping *find_mapping(const char *object, const char *key, const json_t *value)
{
	for (size_t i = 0; i < sizeof(mappings) / sizeof(*mappings); i++) {
		if (same(mappings[i].object, object) && strcmp(mappings[i].key, key) == 0)
			return fits(&mappings[i], value) ? &mappings[i] : NULL;
	}
	return NULL;
}

static void put_mapped(struct build *build, json_t *document, const json_t *event,
		       const struct mapping *mapping)
{
	const json_t *from = mapping->object ? value_object(event, mapping->object) : event;
	json_t *to = build_below(build, document, mapped_set(event, mapping));

	if (mapping->below)
		to = build_below(build, to, mapping->below);
	if (mapping->text)
		build_copy_words(build, to, mapping->field, from, mapping->key);
	else
		build_copy(build, to, mapping->field, from, mapping->key);
}

/* What is told elsewhere, or said by the document itself. */
static bool is_told(const char *object, const char *key)
{
	static const char *const keys[] = { "schema", "time" };

	for (size_t i = 0; !object && i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i], key) == 0)
			return true;
	}
	return false;
}

/* Each key of an object: into its field, or below "picket". */
static void put_keys(struct build *build, json_t *document, const json_t *event, const char *object)
{
	const json_t *from = object ? value_object(event, object) : event;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)from, key, value) {
		const struct mapping *mapping = find_mapping(object, key, value);
		json_t *own;

		if (is_told(object, key))
			continue;
		if (mapping) {
			put_mapped(build, document, event, mapping);
			continue;
		}
		if (!object && json_is_object(value) && strcmp(key, "context") != 0) {
			put_keys(build, document, event, key);
			continue;
		}
		own = build_below(build, document, "picket");
		if (object)
			own = build_below(build, own, object);
		build_copy(build, own, key, from, key);
	}
}

static const struct category *find_category(const json_t *event)
{
	bool act = value_is(event, "kind", "decision") || value_is(event, "kind", "activity");

	for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++) {
		const struct category *row = &categories[i];

		if (row->kind ? !value_is(event, "kind", row->kind) : !act)
			continue;
		if (!row->op || value_is(event, "op", row->op))
			return row;
	}
	return NULL;
}

static json_t *words(const char *first, const char *second)
{
	return second ? json_pack("[s,s]", first, second) : json_pack("[s]", first);
}

/* Decisions are intrusions prevented, or let pass, whatever else they are. */
static void put_kind(struct build *build, json_t *to, const json_t *event)
{
	const struct category *category = find_category(event);
	bool decision = value_is(event, "kind", "decision");
	bool denied = value_denied(event) && !value_true(event, "audit");

	build_text(build, to, "kind", value_denied(event) ? "alert" : "event");
	if (category) {
		build_value(build, to, "category",
			    words(category->category, decision ? "intrusion_detection" : NULL));
		build_value(build, to, "type",
			    words(category->type,
				  decision ? (denied ? "denied" : "allowed") : NULL));
	} else {
		build_value(build, to, "category", words("host", NULL));
		build_value(build, to, "type", words("info", NULL));
	}
	if (value_text(event, "verdict"))
		build_text(build, to, "outcome", denied ? "failure" : "success");
}

static void put_event(struct build *build, json_t *document, const json_t *event)
{
	json_t *to = build_below(build, document, "event");

	put_kind(build, to, event);
	build_value(build, to, "dataset", json_sprintf("picket.%s", value_text(event, "kind")));
	build_text(build, to, "module", "picket");
	build_text(build, to, "provider", "picket");
	build_number(build, to, "severity", value_level(event));
	build_text(build, build_below(build, document, "log"), "level", levels[value_level(event)]);
}

static void put_network(struct build *build, json_t *document, const json_t *event)
{
	const char *address = value_text(event, "address");
	bool question = value_is(event, "op", "dns") || value_is(event, "op", "answer");
	json_t *to;

	if (address) {
		to = build_below(build, document, "network");
		build_text(build, to, "type", strchr(address, ':') ? "ipv6" : "ipv4");
		build_text(build, to, "direction",
			   value_is(event, "op", "accept") ? "ingress" : "egress");
		build_copy_text(build, to, "transport", event, "protocol");
	}
	if (!value_text(event, "host"))
		return;
	if (!question) {
		build_copy_text(build, build_below(build, document, "destination"), "domain", event,
				"host");
		return;
	}
	to = build_below(build, document, "dns");
	build_text(build, to, "type", value_is(event, "op", "dns") ? "query" : "answer");
	to = build_below(build, to, "question");
	build_copy_text(build, to, "name", event, "host");
	build_copy_words(build, to, "type", event, "query_type");
}

static void put_rule(struct build *build, json_t *document, const json_t *event)
{
	const json_t *rule = value_object(event, "rule");

	if (rule)
		build_copy_words(build, build_below(build, document, "rule"), "id", rule,
				 value_text(rule, "id") ? "id" : "number");
}

static void put_process(struct build *build, json_t *document, const json_t *event)
{
	const json_t *argv = value_list(value_object(event, "process"), "argv");
	const char *exe = value_text(value_object(event, "process"), "exe");
	const char *path = value_text(event, "path");
	json_t *parent;

	if (argv)
		build_number(build, build_below(build, document, "process"), "args_count",
			     (json_int_t)json_array_size(argv));
	/* A denied program's path is the file of the event; its process is still the old program. */
	if (path && strrchr(path, '/') && !exe)
		build_text(build, build_below(build, document, "file"), "name",
			   strrchr(path, '/') + 1);
	if (json_array_size(value_list(event, "chain")) == 0)
		return;
	parent = build_below(build, build_below(build, document, "process"), "parent");
	build_copy_text(build, parent, "executable", json_array_get(value_list(event, "chain"), 0),
			"exe");
}

static void put_trace(struct build *build, json_t *document, const json_t *event)
{
	struct value_trace trace = value_trace(event);

	if (*trace.trace)
		build_text(build, build_below(build, document, "trace"), "id", trace.trace);
	if (*trace.span)
		build_text(build, build_below(build, document, "span"), "id", trace.span);
}

static void put_machine(struct build *build, json_t *document, const struct format_machine *machine)
{
	json_t *host = build_below(build, document, "host");
	json_t *agent = build_below(build, document, "agent");
	json_t *os;

	build_text(build, host, "name", machine->hostname);
	build_text(build, host, "hostname", machine->hostname);
	build_text(build, host, "id", machine->machine_id);
	if (machine->boot_id)
		build_text(build, build_below(build, host, "boot"), "id", machine->boot_id);
	os = build_below(build, host, "os");
	build_text(build, os, "type", "linux");
	build_text(build, os, "kernel", machine->kernel);
	build_text(build, agent, "type", "picket");
	build_text(build, agent, "version", machine->version);
}

static void put_message(struct build *build, json_t *document, const json_t *event)
{
	CLEAN_FREE char *sentence = NULL;

	if (line_sentence(event, &sentence) < 0)
		build->failed = true;
	else
		build_text(build, document, "message", sentence);
}

json_t *ecs_event(const json_t *event, const struct format_machine *machine)
{
	struct build build = { 0 };
	json_t *document = json_object();
	int64_t ns;

	/* A time that is none would refuse the whole document. */
	if (value_time(event, "time", &ns))
		build_copy(&build, document, "@timestamp", event, "time");
	put_message(&build, document, event);
	build_text(&build, build_below(&build, document, "ecs"), "version", ECS_VERSION);
	put_event(&build, document, event);
	put_keys(&build, document, event, NULL);
	put_rule(&build, document, event);
	put_process(&build, document, event);
	put_network(&build, document, event);
	put_trace(&build, document, event);
	put_machine(&build, document, machine);
	if (build.failed) {
		json_decref(document);
		return NULL;
	}
	return document;
}
