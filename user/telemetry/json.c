/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON form of an event. Decides names, order and types of the keys; the schema is described
 * in json.h.
 */
#include "telemetry/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/detail.h"
#include "telemetry/json_parts.h"
#include "telemetry/names.h"
#include "telemetry/request_id.h"

/* Text of the policy: as it stands there, unless it could deceive. */
static void put_policy_text(struct json_writer *to, const char *key,
			    const struct policy_image *image, __u32 offset)
{
	const char *text = image_string(image, offset);

	if (escape_is_plain(text, strlen(text)))
		json_write_plain(to, key, text);
	else
		json_write_text(to, key, text);
}

static void put_access(struct json_writer *to, const struct pk_event *head)
{
	json_write_open(to, "access", '[');
	/* In section process the number is a switch, see put_act(). */
	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		const char *name = head->access & bit ? names_access_bit(head->section, bit) : NULL;

		if (name)
			json_write_plain(to, NULL, name);
	}
	json_write_close(to, ']');
}

static void put_rule(struct json_writer *to, const struct pk_event *head,
		     const struct policy_image *image)
{
	const struct pk_rule *rule = image ? image_rule(image, head->rule) : NULL;

	json_write_open(to, "rule", '{');
	json_write_number(to, "number", head->rule);
	if (rule) {
		json_write_text(to, "verdict", names_verdict(rule->verdict));
		put_policy_text(to, "file", image, rule->file);
		json_write_number(to, "line", rule->line);
		json_write_number(to, "column", rule->column);
		put_policy_text(to, "text", image, rule->text);
		if (pk_rule_approvers(rule) > 1)
			json_write_number(to, "approvers", pk_rule_approvers(rule));
		if (rule->id)
			put_policy_text(to, "id", image, rule->id);
		if (rule->reason)
			put_policy_text(to, "reason", image, rule->reason);
	}
	json_write_close(to, '}');
}

static void put_decider(struct json_writer *to, const struct pk_event *head,
			const struct policy_image *image)
{
	json_write_text(to, "reason", names_reason(head->reason));
	if (head->rule == PK_RULE_NONE)
		return;
	if (!(head->rule & PK_RULE_DEFAULT)) {
		put_rule(to, head, image);
		return;
	}
	json_write_open(to, "default", '{');
	json_write_text(to, "section", names_section(head->rule & 0xff));
	json_write_number(to, "layer", (head->rule & ~PK_RULE_DEFAULT) >> 8);
	json_write_close(to, '}');
}

/* What was asked for an approval, and the answer that there was. */
static void put_request(struct json_writer *to, const struct event *event)
{
	const struct pk_event *head = &event->head;
	char text[REQUEST_HASH_SIZE];

	if (head->grant)
		json_write_number(to, "grant", head->grant);
	if (!event_has_request(event))
		return;
	json_write_plain(to, "request", request_id(head->ask, text));
	json_write_plain(to, "ask", request_hash(head->ask, text));
}

/* The words of a command, the program's path first. */
static void put_command(struct json_writer *to, const struct event *event,
			const struct event_context *context)
{
	size_t length = event->path.length + 1 + event->path2.length;
	CLEAN_FREE char *words = malloc(length);
	size_t used = event->path.length;

	if (!words) {
		to->failed = true;
		return;
	}
	if (used)
		memcpy(words, event->path.bytes, used);
	words[used++] = '\0';
	if (event->path2.length)
		memcpy(words + used, event->path2.bytes, event->path2.length);
	json_put_command(to, "command", (struct event_path){ words, length }, context);
}

static void put_target(struct json_writer *to, const struct event *event)
{
	if (!event_has_target(event))
		return;
	json_write_open(to, "target", '{');
	json_write_number(to, "pid", event->head.target);
	if (event->target_comm[0])
		json_write_text(to, "comm", event->target_comm);
	json_write_close(to, '}');
}

/* A code by name when it has one, else by number. */
static void put_named(struct json_writer *to, const char *key, const char *name, __u32 number)
{
	if (name)
		json_write_text(to, key, name);
	else
		json_write_number(to, key, number);
}

/* What an act is about that is no path and no address. */
static void put_act(struct json_writer *to, const struct event *event)
{
	const struct pk_event *head = &event->head;

	if (head->reason == PK_REASON_GUARD ||
	    (head->section == PK_SECTION_PROCESS && event_was_asked(event)))
		json_write_text(to, "switch", names_guard(head->access));
	if (detail_kind(head->op) && (head->detail || !event_is_network(event)))
		put_named(to, detail_kind(head->op), detail_name(head->op, head->detail),
			  head->detail);
	put_target(to, event);
}

/* A host name: it is asked for, and no secret. */
static void put_host(struct json_writer *to, const char *key, const char *hex_key,
		     const struct event_path *host)
{
	if (host->length == 0)
		return;
	json_write_bytes(to, key, host->bytes, host->length);
	if (!escape_is_utf8(host->bytes, host->length))
		json_write_hex(to, hex_key, host->bytes, host->length);
}

/* Host names: the one the act was about, and the one that led there. */
static void put_hosts(struct json_writer *to, const struct event *event)
{
	bool answer = event->head.op == PK_OP_ANSWER;

	put_host(to, "host", "host_hex", &event->path);
	put_host(to, answer ? "alias" : "allowed_by", answer ? "alias_hex" : "allowed_by_hex",
		 &event->path2);
}

static void put_names(struct json_writer *to, const struct event *event,
		      const struct event_context *context)
{
	if (event_is_network(event)) {
		put_hosts(to, event);
		return;
	}
	if (event->head.op == PK_OP_SYSCALL) {
		json_write_bytes(to, "syscall", event->path.bytes, event->path.length);
		return;
	}
	json_put_path(to, "path", "path_hex", event->path, context);
	if (event->head.op == PK_OP_COMMAND)
		put_command(to, event, context);
	else
		json_put_path(to, "path2", "path2_hex", event->path2, context);
}

/* What a kernel socket is: its family, and of one that was to be made the type. */
static void put_kind(struct json_writer *to, const struct event *event)
{
	const struct pk_event *head = &event->head;
	bool is_socket = head->op == PK_OP_SOCKET;
	__u32 protocol = is_socket ? head->protocol & 0xffff : head->protocol;

	if (protocol)
		put_named(to, "protocol",
			  event_has_address(event) ? names_protocol(protocol) : NULL, protocol);
	if (head->family)
		put_named(to, "family", names_family(head->family), head->family);
	if (is_socket)
		put_named(to, "type", names_socket_type(head->protocol >> 16),
			  head->protocol >> 16);
}

static void put_netlink(struct json_writer *to, const struct pk_event *head)
{
	__u32 family = head->detail >> 16;
	__u32 type = head->detail & 0xffff;
	char name[24];
	bool known = family == 0 && detail_route_message(type, name);

	put_named(to, "netlink_family", detail_netlink_family(family), family);
	put_named(to, "message", known ? name : NULL, type);
}

static void put_network(struct json_writer *to, const struct event *event)
{
	const struct pk_event *head = &event->head;
	char text[EVENT_ADDRESS_SIZE];

	/* A socket that was handed over is about addresses too. */
	if (!event_is_network(event) && head->op != PK_OP_RECEIVE)
		return;
	if (head->op == PK_OP_NETLINK) {
		put_netlink(to, head);
		return;
	}
	if (head->op != PK_OP_SOCKET && event_has_address(event)) {
		json_write_plain(to, "address", event_address(head->address, text));
		json_write_number(to, "port", head->port);
	}
	if (head->op == PK_OP_ACCEPT)
		json_write_number(to, "peer_port", head->detail);
	put_kind(to, event);
	if (event_has_local(event)) {
		json_write_plain(to, "local_address", event_address(head->local, text));
		json_write_number(to, "local_port", head->local_port);
	}
}

void json_put_head(struct json_writer *to, __u64 time_ns, __u32 kind, __u32 agent,
		   const struct event_context *context)
{
	json_write_plain(to, "schema", JSON_EVENT_SCHEMA);
	json_put_time(to, "time", time_ns, context);
	json_write_text(to, "kind", names_event_kind(kind));
	if (context->agent)
		json_write_text(to, "agent", context->agent);
	else
		json_write_number(to, "agent", agent);
}

static void put_errno(struct json_writer *to, int error)
{
	const char *name = error ? strerrorname_np(error) : NULL;
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", error);
	if (error)
		json_write_plain(to, "errno", name ? name : number);
}

static void put_what(struct json_writer *to, const struct event *event,
		     const struct event_context *context)
{
	const struct pk_event *head = &event->head;

	json_put_head(to, head->time_ns, head->kind, head->agent, context);
	json_write_text(to, "verdict", names_verdict(head->verdict));
	json_write_text(to, "op", names_op(head->op));
	json_write_text(to, "section", names_section(head->section));
	put_access(to, head);
	put_errno(to, head->error);
	json_write_bool(to, "audit", head->audit);
	put_decider(to, head, context->image);
	put_request(to, event);
}

static void put_processes(struct json_writer *to, const struct event *event,
			  const struct event_context *context)
{
	const struct pk_event *head = &event->head;

	json_put_processes(to,
			   &(struct json_process){
				   .pid = head->tgid,
				   .tid = head->tid,
				   .uid = head->uid,
				   .gid = head->gid,
				   .start_ns = head->start_ns,
				   .comm = event->comm,
				   .parent_pid = head->parent_tgid,
				   .parent_start_ns = head->parent_start_ns,
				   .parent_comm = event->parent_comm,
			   },
			   context);
}

int json_event(const struct event *event, const struct event_context *context, char **ret_line)
{
	struct json_writer to = { 0 };

	json_write_open(&to, NULL, '{');
	put_what(&to, event, context);
	put_processes(&to, event, context);
	put_names(&to, event, context);
	put_act(&to, event);
	put_network(&to, event);
	if (event->head.cgroup)
		json_write_number(&to, "cgroup", event->head.cgroup);
	if (context->seq)
		json_write_number(&to, "seq", context->seq);
	json_write_close(&to, '}');
	return json_write_end(&to, ret_line);
}
