/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Needs of acts on the network. A name is suggested where the event knows one: its addresses change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "telemetry/suggest_pattern.h"

/* A question has no port yet; most names are asked for to speak TLS with. */
#define PORT_OF_A_NAME 443

static struct suggest_need need_of(const struct event *event, __u64 times)
{
	return (struct suggest_need){
		.section = (enum pk_section)event->head.section,
		.access = event->head.access,
		.forbidden_by = suggest_forbidden_by(event),
		.times = times,
	};
}

/* Put @need into the list, whose pattern is owned, if @r of making it is 0. Returns 1 or -ENOMEM. */
static int add(struct suggest_list *list, struct suggest_need *need, int r)
{
	if (r == 0)
		r = suggest_merge(list, need);
	mem_free_ptr(&need->pattern);
	return r < 0 ? r : 1;
}

static int add_host(struct suggest_list *list, const struct event *event, __u64 times)
{
	struct suggest_need need = need_of(event, times);
	__u32 port = event->head.port;

	need.section = PK_SECTION_EGRESS;
	if (event->head.op == PK_OP_DNS || event->head.op == PK_OP_ANSWER) {
		port = PORT_OF_A_NAME;
		need.access = PK_ACCESS_TCP;
	}
	return add(list, &need, suggest_host_pattern(&event->path, port, &need));
}

static int add_local(struct suggest_list *list, const struct event *event, __u64 times)
{
	struct suggest_need need = need_of(event, times);
	struct pk_event head = event->head;

	need.section = PK_SECTION_LISTEN;
	/* Of what comes in the address is the peer's. */
	if (head.op == PK_OP_ACCEPT)
		memcpy(head.address, head.local, sizeof(head.address));
	return add(list, &need, suggest_address_pattern(&head, &need));
}

/* The rule for the port is there, and is for others. */
static int add_peer(struct suggest_list *list, const struct event *event, __u64 times)
{
	struct suggest_need need = need_of(event, times);
	char text[EVENT_ADDRESS_SIZE];

	need.section = PK_SECTION_ACCEPT;
	if (asprintf(&need.pattern, "from: \"%s\"  # in the rule for port %u",
		     event_address(event->head.address, text), event->head.port) < 0) {
		need.pattern = NULL;
		return -ENOMEM;
	}
	return add(list, &need, 0);
}

/* A rule can name it: what a program put into a message need not be a name at all. */
static bool is_host_name(const struct event_path *path)
{
	for (size_t i = 0; i < path->length; i++) {
		unsigned char byte = (unsigned char)path->bytes[i];

		if ((byte < 'a' || byte > 'z') && (byte < '0' || byte > '9') && byte != '-' &&
		    byte != '_' && byte != '.')
			return false;
	}
	return path->length > 0 && path->length <= PK_HOST_MAX;
}

int suggest_network(struct suggest_list *list, const struct event *event, __u64 times)
{
	bool named = is_host_name(&event->path);

	switch (event->head.op) {
	case PK_OP_CONNECT:
	case PK_OP_SEND:
	case PK_OP_PACKET:
		return named ? add_host(list, event, times) : 0;
	case PK_OP_DNS:
	case PK_OP_ANSWER:
	case PK_OP_NAME:
		return named ? add_host(list, event, times) : 1;
	case PK_OP_BIND:
	case PK_OP_LISTEN:
		return add_local(list, event, times);
	case PK_OP_ACCEPT:
		if (event->head.section == PK_SECTION_ACCEPT)
			return add_peer(list, event, times);
		return event_has_local(event) ? add_local(list, event, times) : 1;
	case PK_OP_SOCKET:
	case PK_OP_NETLINK:
		return 1;
	default:
		return 0;
	}
}
