/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON form of an event. Decides names, order and types of the keys; the schema is described
 * in json.h. Every string given to the JSON library is valid UTF-8: jansson refuses others.
 */
#include "telemetry/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/detail.h"
#include "telemetry/names.h"
#include "telemetry/request_id.h"

static void free_json(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

/*
 * Setters: each returns false when out of memory. json_object_set_new() takes the value even when
 * it fails, and fails for a NULL value.
 */
static bool set(json_t *to, const char *key, json_t *value)
{
	return json_object_set_new(to, key, value) == 0;
}

static bool set_number(json_t *to, const char *key, __u64 number)
{
	return set(to, key, json_integer((json_int_t)number));
}

/* Text that may hold any byte but NUL, escaped. */
static bool set_bytes(json_t *to, const char *key, const char *bytes, size_t length)
{
	CLEAN_FREE char *text = escape_string(bytes, length, 0);

	return text && set(to, key, json_string(text));
}

static bool set_text(json_t *to, const char *key, const char *text)
{
	return set_bytes(to, key, text, strlen(text));
}

/* Text of the policy: as it stands there, unless it could deceive. */
static bool set_policy_text(json_t *to, const char *key, const struct policy_image *image,
			    __u32 offset)
{
	const char *text = image_string(image, offset);

	if (!escape_is_plain(text, strlen(text)))
		return set_text(to, key, text);
	return set(to, key, json_string(text));
}

static bool set_time(json_t *to, const char *key, __u64 ns, const struct event_context *context)
{
	struct timespec when = event_time(ns, context->clock_offset_ns);
	struct tm parts = { 0 };
	char date[64];

	(void)gmtime_r(&when.tv_sec, &parts);
	if (strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		return false;
	return set(to, key, json_sprintf("%s.%09ldZ", date, when.tv_nsec));
}

static bool set_access(json_t *to, const struct pk_event *head)
{
	json_t *list = json_array();

	/* In section process the number is a switch, see set_act(). */
	for (__u32 bit = 1; list && bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		const char *name = head->access & bit ? names_access_bit(head->section, bit) : NULL;

		if (name && json_array_append_new(list, json_string(name)) < 0) {
			json_decref(list);
			return false;
		}
	}
	return set(to, "access", list);
}

static bool set_rule(json_t *to, const struct pk_event *head, const struct policy_image *image)
{
	const struct pk_rule *rule = image ? image_rule(image, head->rule) : NULL;
	json_t *object = json_object();
	bool ok = set(to, "rule", object) && set_number(object, "number", head->rule);

	if (!rule || !ok)
		return ok;
	ok = set_text(object, "verdict", names_verdict(rule->verdict)) &&
	     set_policy_text(object, "file", image, rule->file) &&
	     set_number(object, "line", rule->line) && set_number(object, "column", rule->column) &&
	     set_policy_text(object, "text", image, rule->text);
	if (ok && pk_rule_approvers(rule) > 1)
		ok = set_number(object, "approvers", pk_rule_approvers(rule));
	if (ok && rule->id)
		ok = set_policy_text(object, "id", image, rule->id);
	if (ok && rule->reason)
		ok = set_policy_text(object, "reason", image, rule->reason);
	return ok;
}

static bool set_decider(json_t *to, const struct pk_event *head, const struct policy_image *image)
{
	if (!set_text(to, "reason", names_reason(head->reason)))
		return false;
	if (head->rule == PK_RULE_NONE)
		return true;
	if (!(head->rule & PK_RULE_DEFAULT))
		return set_rule(to, head, image);
	return set(to, "default",
		   json_pack("{s:s, s:I}", "section", names_section(head->rule & 0xff), "layer",
			     (json_int_t)((head->rule & ~PK_RULE_DEFAULT) >> 8)));
}

/* What was asked for an approval, and the answer that there was. */
static bool set_request(json_t *to, const struct event *event)
{
	const struct pk_event *head = &event->head;
	char text[REQUEST_HASH_SIZE];

	if (head->grant && !set_number(to, "grant", head->grant))
		return false;
	return !event_has_request(event) || (set_text(to, "request", request_id(head->ask, text)) &&
					     set_text(to, "ask", request_hash(head->ask, text)));
}

/* The keys that process and parent share; `id` names one process for good although pids recur. */
static bool set_life(json_t *to, __u64 start_ns, __u32 pid, const struct event_context *context)
{
	return set_time(to, "start", start_ns, context) &&
	       set(to, "id", json_sprintf("%u-%llu", pid, (unsigned long long)start_ns));
}

static bool set_processes(json_t *to, const struct event *event,
			  const struct event_context *context)
{
	const struct pk_event *head = &event->head;
	json_t *process = json_object();
	json_t *parent;

	if (!set(to, "process", process))
		return false;
	if (!set_number(process, "pid", head->tgid) || !set_number(process, "tid", head->tid) ||
	    !set_number(process, "uid", head->uid) || !set_number(process, "gid", head->gid) ||
	    !set_text(process, "comm", event->comm) ||
	    !set_life(process, head->start_ns, head->tgid, context))
		return false;
	/* A packet is its socket's: nobody's parent is known. */
	if (!head->parent_tgid)
		return true;
	parent = json_object();
	return set(to, "parent", parent) && set_number(parent, "pid", head->parent_tgid) &&
	       set_text(parent, "comm", event->parent_comm) &&
	       set_life(parent, head->parent_start_ns, head->parent_tgid, context);
}

static bool set_hex(json_t *to, const char *key, const struct event_path *path)
{
	CLEAN_FREE char *text = malloc(path->length * 2 + 1);

	if (!text)
		return false;
	text[0] = '\0';
	for (size_t i = 0; i < path->length; i++)
		(void)snprintf(text + i * 2, 3, "%02x", (unsigned char)path->bytes[i]);
	return set(to, key, json_string(text));
}

static bool set_path(json_t *to, const char *key, const char *hex_key,
		     const struct event_path *path)
{
	if (path->length == 0)
		return true;
	if (!set_bytes(to, key, path->bytes, path->length))
		return false;
	return escape_is_utf8(path->bytes, path->length) || set_hex(to, hex_key, path);
}

/* The words of a command, the program's path first, a blank between them. */
static bool set_command(json_t *to, const struct event *event)
{
	size_t length = event->path.length + event->path2.length;
	CLEAN_FREE char *text = malloc(length + 2);
	size_t used = 0;

	if (!text)
		return false;
	if (event->path.length > 0)
		memcpy(text, event->path.bytes, event->path.length);
	used = event->path.length;
	if (event->path2.length > 0) {
		text[used++] = ' ';
		memcpy(text + used, event->path2.bytes, event->path2.length);
		used += event->path2.length;
		if (text[used - 1] == '\0')
			used--;
	}
	for (size_t i = 0; i < used; i++)
		text[i] = text[i] == '\0' ? ' ' : text[i];
	return set_bytes(to, "command", text, used);
}

static bool set_target(json_t *to, const struct event *event)
{
	json_t *target;

	if (!event_has_target(event))
		return true;
	target = json_object();
	return set(to, "target", target) && set_number(target, "pid", event->head.target) &&
	       (!event->target_comm[0] || set_text(target, "comm", event->target_comm));
}

static bool set_number_or_name(json_t *to, const char *key, const struct pk_event *head)
{
	const char *name = detail_name(head->op, head->detail);

	return name ? set_text(to, key, name) : set_number(to, key, head->detail);
}

/* What an act is about that is no path and no address. */
static bool set_act(json_t *to, const struct event *event)
{
	const struct pk_event *head = &event->head;
	bool ok = true;

	if (head->reason == PK_REASON_GUARD ||
	    (head->section == PK_SECTION_PROCESS && event_was_asked(event)))
		ok = set_text(to, "switch", names_guard(head->access));
	if (ok && detail_kind(head->op) && (head->detail || !event_is_network(event)))
		ok = set_number_or_name(to, detail_kind(head->op), head);
	return ok && set_target(to, event);
}

/* Host names: the one the act was about, and the one that led there. */
static bool set_hosts(json_t *to, const struct event *event)
{
	bool answer = event->head.op == PK_OP_ANSWER;

	return set_path(to, "host", "host_hex", &event->path) &&
	       set_path(to, answer ? "alias" : "allowed_by",
			answer ? "alias_hex" : "allowed_by_hex", &event->path2);
}

static bool set_names(json_t *to, const struct event *event)
{
	if (event_is_network(event))
		return set_hosts(to, event);
	if (event->head.op == PK_OP_COMMAND)
		return set_path(to, "path", "path_hex", &event->path) && set_command(to, event);
	if (event->head.op == PK_OP_SYSCALL)
		return set_bytes(to, "syscall", event->path.length ? event->path.bytes : "",
				 event->path.length);
	return set_path(to, "path", "path_hex", &event->path) &&
	       set_path(to, "path2", "path2_hex", &event->path2);
}

/* A code by name when it has one, else by number. */
static bool set_named(json_t *to, const char *key, const char *name, __u32 number)
{
	return name ? set_text(to, key, name) : set_number(to, key, number);
}

/* What a kernel socket is: its family, and of one that was to be made the type. */
static bool set_kind(json_t *to, const struct event *event)
{
	const struct pk_event *head = &event->head;
	bool is_socket = head->op == PK_OP_SOCKET;
	__u32 protocol = is_socket ? head->protocol & 0xffff : head->protocol;
	bool ok = true;

	if (protocol)
		ok = set_named(to, "protocol",
			       event_has_address(event) ? names_protocol(protocol) : NULL,
			       protocol);
	if (ok && head->family)
		ok = set_named(to, "family", names_family(head->family), head->family);
	if (ok && is_socket)
		ok = set_named(to, "type", names_socket_type(head->protocol >> 16),
			       head->protocol >> 16);
	return ok;
}

static bool set_local(json_t *to, const struct event *event)
{
	char text[EVENT_ADDRESS_SIZE];

	return !event_has_local(event) ||
	       (set_text(to, "local_address", event_address(event->head.local, text)) &&
		set_number(to, "local_port", event->head.local_port));
}

static bool set_netlink(json_t *to, const struct pk_event *head)
{
	__u32 family = head->detail >> 16;
	__u32 type = head->detail & 0xffff;
	char name[24];
	bool known = family == 0 && detail_route_message(type, name);

	return set_named(to, "netlink_family", detail_netlink_family(family), family) &&
	       set_named(to, "message", known ? name : NULL, type);
}

static bool set_network(json_t *to, const struct event *event)
{
	const struct pk_event *head = &event->head;
	char text[EVENT_ADDRESS_SIZE];
	bool ok = true;

	/* A socket that was handed over is about addresses too. */
	if (!event_is_network(event) && head->op != PK_OP_RECEIVE)
		return true;
	if (head->op == PK_OP_NETLINK)
		return set_netlink(to, head);
	if (head->op != PK_OP_SOCKET && event_has_address(event))
		ok = set_text(to, "address", event_address(head->address, text)) &&
		     set_number(to, "port", head->port);
	if (ok && head->op == PK_OP_ACCEPT)
		ok = set_number(to, "peer_port", head->detail);
	return ok && set_kind(to, event) && set_local(to, event);
}

static bool set_what(json_t *to, const struct event *event, const struct event_context *context)
{
	const struct pk_event *head = &event->head;
	bool ok = set_text(to, "schema", JSON_EVENT_SCHEMA) &&
		  set_time(to, "time", head->time_ns, context) &&
		  set_text(to, "kind", names_event_kind(head->kind));

	if (ok)
		ok = context->agent ? set_text(to, "agent", context->agent) :
				      set_number(to, "agent", head->agent);
	ok = ok && set_text(to, "verdict", names_verdict(head->verdict)) &&
	     set_text(to, "op", names_op(head->op)) &&
	     set_text(to, "section", names_section(head->section)) && set_access(to, head);
	if (ok && head->error) {
		const char *name = strerrorname_np(head->error);

		ok = name ? set_text(to, "errno", name) :
			    set(to, "errno", json_sprintf("%d", head->error));
	}
	return ok && set(to, "audit", json_boolean(head->audit));
}

int json_event(const struct event *event, const struct event_context *context, char **ret_line)
{
	CLEAN(free_json) json_t *object = json_object();
	CLEAN_FREE char *compact = NULL;
	char *line = NULL;

	if (!object || !set_what(object, event, context) ||
	    !set_decider(object, &event->head, context->image) || !set_request(object, event) ||
	    !set_processes(object, event, context) || !set_names(object, event) ||
	    !set_act(object, event) || !set_network(object, event) ||
	    (event->head.cgroup && !set_number(object, "cgroup", event->head.cgroup)) ||
	    (context->seq && !set_number(object, "seq", context->seq)))
		return -ENOMEM;
	compact = json_dumps(object, JSON_COMPACT);
	if (!compact || asprintf(&line, "%s\n", compact) < 0)
		return -ENOMEM;
	*ret_line = line;
	return 0;
}
