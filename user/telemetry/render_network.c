/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wording of acts on addresses, names and kinds of sockets.
 */
#include "telemetry/render_network.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/escape.h"
#include "telemetry/detail.h"
#include "telemetry/names.h"

void render_put_name(FILE *to, const char *bytes, size_t length)
{
	bool bare = length > 0;

	for (size_t i = 0; i < length; i++) {
		if (strchr(" \"[]<>", bytes[i]))
			bare = false;
	}
	if (bare) {
		escape_write(to, bytes, length, 0);
		return;
	}
	(void)fputc('"', to);
	escape_write(to, bytes, length, '"');
	(void)fputc('"', to);
}

static void put_named_number(FILE *to, const char *name, const char *kind, __u32 number)
{
	if (name)
		(void)fputs(name, to);
	else
		(void)fprintf(to, "%s %u", kind, number);
}

static void put_endpoint(FILE *to, const __u8 address[static 16], __u32 port)
{
	char text[EVENT_ADDRESS_SIZE];

	event_address(address, text);
	(void)fprintf(to, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
}

/* TCP is what people assume; 0 is unknown. */
static void put_protocol(FILE *to, __u32 protocol)
{
	if (protocol == 0 || protocol == IPPROTO_TCP)
		return;
	(void)fputc('/', to);
	put_named_number(to, names_protocol(protocol), "protocol", protocol);
}

static void put_address(FILE *to, const struct event *event)
{
	if (!event_has_address(event)) {
		(void)fputs("(address of ", to);
		put_named_number(to, names_family(event->head.family), "family",
				 event->head.family);
		(void)fputc(')', to);
		return;
	}
	put_endpoint(to, event->head.address, event->head.port);
	put_protocol(to, event->head.protocol);
}

static void put_socket(FILE *to, const struct event *event)
{
	__u32 type = event->head.protocol >> 16;
	__u32 protocol = event->head.protocol & 0xffff;

	put_named_number(to, names_family(event->head.family), "family", event->head.family);
	(void)fputc(' ', to);
	put_named_number(to, names_socket_type(type), "type", type);
	if (protocol == 0)
		return;
	(void)fputc(' ', to);
	put_named_number(to, event_has_address(event) ? names_protocol(protocol) : NULL, "protocol",
			 protocol);
}

static void put_host(FILE *to, const struct event_path *host, const char *otherwise)
{
	if (host->length > 0)
		render_put_name(to, host->bytes, host->length);
	else
		(void)fputs(otherwise, to);
}

static void put_destination(FILE *to, const struct event *event)
{
	put_address(to, event);
	if (event->path.length == 0)
		return;
	(void)fputs(" (known as ", to);
	put_host(to, &event->path, "");
	(void)fputc(')', to);
}

static void put_accept(FILE *to, const struct event *event)
{
	(void)fputs("from ", to);
	if (event_has_address(event))
		put_endpoint(to, event->head.address, event->head.detail);
	else
		(void)fputs("somebody", to);
	(void)fprintf(to, " on port %u", event->head.port);
	put_protocol(to, event->head.protocol);
}

static void put_record_type(FILE *to, const struct pk_event *head)
{
	if (head->detail == 0)
		return;
	(void)fputs(" (", to);
	put_named_number(to, detail_name(head->op, head->detail), "type", head->detail);
	(void)fputc(')', to);
}

static void put_question(FILE *to, const struct event *event)
{
	put_host(to, &event->path, "(no readable question)");
	put_record_type(to, &event->head);
	if (event->path.length > 0 || !event_has_address(event))
		return;
	(void)fputs(" to ", to);
	put_address(to, event);
}

/* The address is the resolver's, but for what was answered where that is the reason. */
static void put_answer(FILE *to, const struct event *event)
{
	bool answered = event->head.reason == PK_REASON_DNS_PRIVATE;
	char text[EVENT_ADDRESS_SIZE];

	event_address(event->head.address, text);
	if (event_has_address(event) && answered)
		(void)fprintf(to, "%s for ", text);
	else
		(void)fputs("for ", to);
	put_host(to, &event->path, "(no readable question)");
	put_record_type(to, &event->head);
	if (event->path2.length > 0) {
		(void)fputs(" by way of ", to);
		put_host(to, &event->path2, "");
	}
	if (event_has_address(event) && !answered)
		(void)fprintf(to, " from %s", text);
}

static void put_server_name(FILE *to, const struct event *event)
{
	put_host(to, &event->path, "(none)");
	(void)fputs(" on a connection to ", to);
	if (event->path2.length == 0) {
		put_address(to, event);
		return;
	}
	put_host(to, &event->path2, "");
	(void)fputs(" (", to);
	put_address(to, event);
	(void)fputc(')', to);
}

static void put_netlink(FILE *to, const struct pk_event *head)
{
	__u32 family = head->detail >> 16;
	__u32 type = head->detail & 0xffff;
	char name[24];

	put_named_number(to, detail_netlink_family(family), "family", family);
	if (family == 0 && detail_route_message(type, name))
		(void)fprintf(to, " %s", name);
	else
		(void)fprintf(to, " message %u", type);
}

void render_put_network(FILE *to, const struct event *event)
{
	switch (event->head.op) {
	case PK_OP_SOCKET:
		put_socket(to, event);
		break;
	case PK_OP_ACCEPT:
		put_accept(to, event);
		break;
	case PK_OP_DNS:
		put_question(to, event);
		break;
	case PK_OP_ANSWER:
		put_answer(to, event);
		break;
	case PK_OP_NAME:
		put_server_name(to, event);
		break;
	case PK_OP_NETLINK:
		put_netlink(to, &event->head);
		break;
	default:
		put_destination(to, event);
	}
}
