/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an act was on, in words, from the record: the same words as telemetry/render.h has for the
 * record of the kernel.
 */
#include <string.h>

#include "base/escape.h"
#include "format/render.h"

void line_put_safe(FILE *to, const char *text, char also)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t length = escape_plain(text, left);

		if (length == 1 && also && *text == also)
			(void)fprintf(to, "\\%c", also);
		else if (length > 0)
			(void)fwrite(text, 1, length, to);
		else
			escape_write(to, text, length = 1, 0);
		text += length;
		left -= length;
	}
}

void line_put_name(FILE *to, const char *text)
{
	if (*text && !strpbrk(text, " \"[]<>")) {
		line_put_safe(to, text, 0);
		return;
	}
	(void)fputc('"', to);
	line_put_safe(to, text, '"');
	(void)fputc('"', to);
}

/* A name, or "KIND 12" for a number without one; nothing: @otherwise. */
static void put_named(FILE *to, const json_t *event, const char *key, const char *kind,
		      const char *otherwise)
{
	json_int_t number;

	if (value_number(event, key, &number))
		(void)fprintf(to, "%s %" JSON_INTEGER_FORMAT, kind, number);
	else
		line_put_safe(to, value_text(event, key) ? value_text(event, key) : otherwise, 0);
}

static void put_paths(FILE *to, const json_t *event)
{
	const char *path = value_text(event, "path");
	const char *second = value_text(event, "path2");

	if (!path && value_is(event, "op", "syscall"))
		path = value_text(event, "syscall");
	if (path && *path)
		line_put_name(to, path);
	else
		(void)fputs("(no path)", to);
	if (second) {
		(void)fputs(" -> ", to);
		line_put_name(to, second);
	}
}

static void put_endpoint(FILE *to, const json_t *event, const char *port_key)
{
	const char *address = value_text(event, "address");
	json_int_t port = 0;

	(void)value_number(event, port_key, &port);
	(void)fputs(strchr(address, ':') ? "[" : "", to);
	line_put_safe(to, address, 0);
	(void)fprintf(to,
		      strchr(address, ':') ? "]:%" JSON_INTEGER_FORMAT : ":%" JSON_INTEGER_FORMAT,
		      port);
}

/* TCP is what people assume; none is unknown. */
static void put_protocol(FILE *to, const json_t *event)
{
	if (!json_object_get(event, "protocol") || value_is(event, "protocol", "tcp"))
		return;
	(void)fputc('/', to);
	put_named(to, event, "protocol", "protocol", "?");
}

static void put_address(FILE *to, const json_t *event)
{
	if (value_text(event, "address")) {
		put_endpoint(to, event, "port");
		put_protocol(to, event);
		return;
	}
	(void)fputs("(address of ", to);
	put_named(to, event, "family", "family", "family 0");
	(void)fputc(')', to);
}

static void put_host(FILE *to, const json_t *event, const char *key, const char *otherwise)
{
	const char *host = value_text(event, key);

	if (host && *host)
		line_put_name(to, host);
	else
		(void)fputs(otherwise, to);
}

static void put_destination(FILE *to, const json_t *event)
{
	put_address(to, event);
	if (!value_text(event, "host"))
		return;
	(void)fputs(" (known as ", to);
	put_host(to, event, "host", "");
	(void)fputc(')', to);
}

static void put_socket(FILE *to, const json_t *event)
{
	put_named(to, event, "family", "family", "family 0");
	(void)fputc(' ', to);
	put_named(to, event, "type", "type", "type 0");
	if (!json_object_get(event, "protocol"))
		return;
	(void)fputc(' ', to);
	put_named(to, event, "protocol", "protocol", "?");
}

static void put_accept(FILE *to, const json_t *event)
{
	json_int_t port = 0;

	(void)value_number(event, "port", &port);
	(void)fputs("from ", to);
	if (value_text(event, "address"))
		put_endpoint(to, event, "peer_port");
	else
		(void)fputs("somebody", to);
	(void)fprintf(to, " on port %" JSON_INTEGER_FORMAT, port);
	put_protocol(to, event);
}

static void put_record_type(FILE *to, const json_t *event)
{
	if (!json_object_get(event, "query_type"))
		return;
	(void)fputs(" (", to);
	put_named(to, event, "query_type", "type", "?");
	(void)fputc(')', to);
}

static void put_question(FILE *to, const json_t *event)
{
	put_host(to, event, "host", "(no readable question)");
	put_record_type(to, event);
	if (value_text(event, "host") || !value_text(event, "address"))
		return;
	(void)fputs(" to ", to);
	put_address(to, event);
}

/* The address is the resolver's, but for what was answered where that is the reason. */
static void put_answer(FILE *to, const json_t *event)
{
	const char *address = value_text(event, "address");
	bool answered = value_is(event, "reason", "dns-private");

	if (address && answered) {
		line_put_safe(to, address, 0);
		(void)fputc(' ', to);
	}
	(void)fputs("for ", to);
	put_host(to, event, "host", "(no readable question)");
	put_record_type(to, event);
	if (value_text(event, "alias")) {
		(void)fputs(" by way of ", to);
		put_host(to, event, "alias", "");
	}
	if (address && !answered) {
		(void)fputs(" from ", to);
		line_put_safe(to, address, 0);
	}
}

static void put_server_name(FILE *to, const json_t *event)
{
	put_host(to, event, "host", "(none)");
	(void)fputs(" on a connection to ", to);
	if (!value_text(event, "allowed_by")) {
		put_address(to, event);
		return;
	}
	put_host(to, event, "allowed_by", "");
	(void)fputs(" (", to);
	put_address(to, event);
	(void)fputc(')', to);
}

static void put_netlink(FILE *to, const json_t *event)
{
	put_named(to, event, "netlink_family", "family", "family 0");
	(void)fputc(' ', to);
	put_named(to, event, "message", "message", "message 0");
}

static void put_command(FILE *to, const json_t *event)
{
	const char *command = value_text(event, "command");

	line_put_safe(to, command ? command : "(no words)", 0);
}

/* The number that an act is about, by name where it has one. */
static bool put_detail(FILE *to, const json_t *event)
{
	static const char *const keys[] = { "signal", "capability", "ioctl", "bpf_command",
					    "kernel_file" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		json_int_t number;

		if (value_number(event, keys[i], &number)) {
			(void)fprintf(to, strcmp(keys[i], "ioctl") == 0 ? "0x%llx" : "%lld",
				      (long long)number);
			return true;
		}
		if (value_text(event, keys[i])) {
			line_put_safe(to, value_text(event, keys[i]), 0);
			return true;
		}
	}
	return false;
}

static void put_target(FILE *to, const json_t *target)
{
	json_int_t pid = 0;

	(void)value_number(target, "pid", &pid);
	(void)fprintf(to, "pid %" JSON_INTEGER_FORMAT, pid);
	if (!value_text(target, "comm"))
		return;
	(void)fputs(" (", to);
	line_put_name(to, value_text(target, "comm"));
	(void)fputc(')', to);
}

/* Acts that are about a number, a process or nothing, more than about a file. */
static void put_act(FILE *to, const json_t *event)
{
	const json_t *target = value_object(event, "target");
	bool detail = put_detail(to, event);

	if (target) {
		(void)fputs(detail ? " to " : "", to);
		put_target(to, target);
	}
	if (!value_text(event, "path")) {
		if (!detail && !target && !value_is(event, "section", "process"))
			put_paths(to, event);
		return;
	}
	(void)fputs(detail || target ? " " : "", to);
	put_paths(to, event);
}

static void put_received(FILE *to, const json_t *event)
{
	if (value_text(event, "address"))
		put_destination(to, event);
	else
		put_act(to, event);
}

void line_put_object(FILE *to, const json_t *event)
{
	static const struct {
		const char *op;
		void (*put)(FILE *to, const json_t *event);
	} table[] = {
		{ "connect", put_destination }, { "send", put_destination },
		{ "packet", put_destination },	{ "bind", put_destination },
		{ "listen", put_destination },	{ "socket", put_socket },
		{ "accept", put_accept },	{ "dns", put_question },
		{ "answer", put_answer },	{ "name", put_server_name },
		{ "netlink", put_netlink },	{ "command", put_command },
		{ "receive", put_received },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (value_is(event, "op", table[i].op)) {
			table[i].put(to, event);
			return;
		}
	}
	put_act(to, event);
}
