/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destinations, kinds of sockets, abstract sockets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "author/judge.h"
#include "author/learn_name.h"
#include "author/learn_parts.h"
#include "base/mem.h"
#include "telemetry/event.h"

/* Kinds whose traffic no rule judges once they exist. */
#define UNJUDGED_KINDS                                                                             \
	(1U << PK_SOCKET_PACKET | 1U << PK_SOCKET_VSOCK | 1U << PK_SOCKET_XDP |                    \
	 1U << PK_SOCKET_BLUETOOTH | 1U << PK_SOCKET_CAN)

/* Takes @pattern over: the rule owns it. */
static int add(struct learn *learn, const struct observation *act, enum pk_section section,
	       char *pattern, const char *note)
{
	struct learn_rule rule = {
		.section = section, .access = act->access, .note = note, .seen = act->seen
	};

	rule.pattern = pattern;
	return learn_rules_add(&learn->rules, &rule);
}

/* Was the same host or address, at the same port, connected to by TCP? */
static bool has_tcp(const struct learn *learn, const struct observation *act)
{
	for (size_t i = 0; i < learn->recording->count; i++) {
		const struct observation *other = &learn->recording->items[i];

		if (other->section != PK_SECTION_EGRESS || other->access != PK_ACCESS_TCP ||
		    other->port != act->port || (!other->host) != (!act->host))
			continue;
		if (act->host ? strcmp(other->host, act->host) == 0 :
				memcmp(other->address, act->address, 16) == 0)
			return true;
	}
	return false;
}

char *learn_port_text(const struct observation *act, bool local)
{
	char *text = NULL;
	int r;

	if (!act->port)
		r = asprintf(&text, "*");
	else if (local && act->port >= LEARN_PORT_CHOSEN)
		r = asprintf(&text, "%u-65535", LEARN_PORT_CHOSEN);
	else
		r = asprintf(&text, "%u", act->port);
	return r < 0 ? NULL : text;
}

char *learn_address_pattern(const __u8 address[16], const char *port)
{
	char text[EVENT_ADDRESS_SIZE];
	char *pattern = NULL;

	event_address(address, text);
	if (asprintf(&pattern, strchr(text, ':') ? "[%s]:%s" : "%s:%s", text, port) < 0)
		return NULL;
	return pattern;
}

char *learn_local_pattern(const char *port)
{
	char *pattern = NULL;

	return asprintf(&pattern, "@loopback:%s", port) < 0 ? NULL : pattern;
}

/* Is the destination this host, or inside, whatever name it has? */
static bool is_in(const struct learn *learn, const struct observation *act, enum learn_judge judge)
{
	struct observation bare = {
		.section = PK_SECTION_EGRESS,
		.op = PK_OP_CONNECT,
		.reason = PK_REASON_DEFAULT,
		.access = PK_ACCESS_TCP,
		.has_address = act->has_address,
		.port = act->port ? act->port : 1,
	};

	memcpy(bare.address, act->address, 16);
	return act->has_address && learn_allows(learn, judge, &bare);
}

static int learn_destination(struct learn *learn, const struct observation *act)
{
	bool local = is_in(learn, act, LEARN_LOCAL);
	bool inside = local || is_in(learn, act, LEARN_INSIDE);
	CLEAN_FREE char *port = learn_port_text(act, local);
	char *pattern = NULL;

	if (act->op == PK_OP_CONNECT && act->access == PK_ACCESS_UDP && has_tcp(learn, act))
		return 0;
	if (act->op == PK_OP_DNS || act->op == PK_OP_ANSWER || (!act->host && !act->has_address))
		return learn_leave(learn, act, "a question to a resolver that no rule can allow");
	if (!port)
		return -ENOMEM;
	if (local)
		return add(learn, act, PK_SECTION_EGRESS, learn_local_pattern(port), NULL);
	if (inside || !act->host)
		return add(learn, act, PK_SECTION_EGRESS, learn_address_pattern(act->address, port),
			   act->host ? "a name leads there, which cannot open addresses inside" :
				       "no name was looked up");
	if (asprintf(&pattern, "%s:%s", act->host, port) < 0)
		return -ENOMEM;
	return add(learn, act, PK_SECTION_EGRESS, pattern, NULL);
}

static int learn_kind(struct learn *learn, const struct observation *act)
{
	unsigned int kind = judge_socket_kind(act);

	if (kind == PK_SOCKET__MAX)
		return learn_leave(learn, act, "a kind of socket that no rule can allow");
	if (UNJUDGED_KINDS >> kind & 1)
		return learn_leave(learn, act, "what such a socket sends is judged by no rule");
	learn->sockets |= 1U << kind;
	return 0;
}

static int learn_abstract(struct learn *learn, const struct observation *act)
{
	const char *name = act->path ? act->path + (*act->path == '/') : "";
	CLEAN_FREE char *part = NULL;
	char *pattern = NULL;
	bool wild;

	if (!*name)
		return learn_leave(learn, act, "a socket without a name");
	part = learn_name(name, strlen(name), LEARN_NAME_USUAL, &wild);
	if (!part || asprintf(&pattern, "@%s", part) < 0)
		return -ENOMEM;
	return add(learn, act, PK_SECTION_UNIX, pattern, NULL);
}

int learn_network(struct learn *learn, const struct observation *act)
{
	if (act->op == PK_OP_SOCKET || act->op == PK_OP_NETLINK)
		return learn_kind(learn, act);
	if (act->section == PK_SECTION_EGRESS)
		return learn_destination(learn, act);
	if (act->section == PK_SECTION_UNIX)
		return learn_abstract(learn, act);
	return learn_listener(learn, act);
}
