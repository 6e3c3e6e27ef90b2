/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places to listen at, and who may connect. A packet tells the peer and the port only, so that all rules of a
 * port have one list of peers; ports that the kernel chose are one range, and so have one, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "author/learn_parts.h"
#include "base/mem.h"
#include "base/text.h"
#include "telemetry/event.h"

/* More addresses than this are no list of who may connect. */
#define PEERS_MAX 8

#define LOCAL_GROUP "@loopback"

/** Who connected to the ports of one rule. */
struct peers {
	__u8 items[PEERS_MAX][16];
	size_t count;
	bool local; /* this host did */
	bool open; /* they are more than the list has room for */
};

/*
 * To connect to an address of this host is to reach the host itself; to listen there is to be reached from
 * elsewhere. So this asks the section listen, where @loopback is less.
 */
static bool is_loopback(const struct learn *learn, const __u8 address[16])
{
	struct observation bare = {
		.section = PK_SECTION_LISTEN,
		.op = PK_OP_BIND,
		.reason = PK_REASON_DEFAULT,
		.access = PK_ACCESS_TCP,
		.has_address = true,
		.port = 1,
	};

	memcpy(bare.address, address, 16);
	return learn_allows(learn, LEARN_LOCAL, &bare);
}

int learn_listener(struct learn *learn, const struct observation *act)
{
	struct learn_rule rule = { .section = PK_SECTION_LISTEN, .access = act->access };
	const __u8 *at = act->op == PK_OP_ACCEPT ? act->local : act->address;
	bool local = is_loopback(learn, at);
	CLEAN_FREE char *port = learn_port_text(act, local);

	if (!port)
		return -ENOMEM;
	rule.seen = act->seen;
	rule.port = local && act->port >= LEARN_PORT_CHOSEN ? LEARN_PORT_CHOSEN : act->port;
	rule.pattern = local ? learn_local_pattern(port) : learn_address_pattern(at, port);
	return learn_rules_add(&learn->rules, &rule);
}

/* Ports that have one list of peers: those of the kernel's choice; all, where a rule is for all. */
static __u16 port_class(const struct learn *learn, __u16 port)
{
	for (size_t i = 0; i < learn->rules.count; i++) {
		const struct learn_rule *rule = &learn->rules.items[i];

		if (rule->section == PK_SECTION_LISTEN && !rule->port)
			return 0;
	}
	return port < LEARN_PORT_CHOSEN ? port : LEARN_PORT_CHOSEN;
}

static bool is_local(const struct learn_rule *rule)
{
	return strncmp(rule->pattern, LOCAL_GROUP ":", sizeof(LOCAL_GROUP)) == 0;
}

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void add_peer(const struct learn *learn, const struct observation *act, struct peers *peers)
{
	if (is_loopback(learn, act->address)) {
		peers->local = true;
		return;
	}
	for (size_t i = 0; i < peers->count; i++) {
		if (memcmp(peers->items[i], act->address, 16) == 0)
			return;
	}
	if (peers->count < PEERS_MAX)
		memcpy(peers->items[peers->count++], act->address, 16);
	else
		peers->open = true;
}

static struct peers find_peers(const struct learn *learn, __u16 class)
{
	const struct recording *recording = learn->recording;
	struct peers peers = { .count = 0 };

	for (size_t i = 0; i < recording->count; i++) {
		const struct observation *act = &recording->items[i];

		if (!learn->left[i] && act->op == PK_OP_ACCEPT &&
		    port_class(learn, act->port) == class)
			add_peer(learn, act, &peers);
	}
	for (size_t i = 0; i < learn->rules.count; i++) {
		const struct learn_rule *rule = &learn->rules.items[i];

		peers.local |= rule->section == PK_SECTION_LISTEN &&
			       port_class(learn, rule->port) == class && is_local(rule);
	}
	qsort(peers.items, peers.count, sizeof(peers.items[0]), compare_addresses);
	return peers;
}

/* Of nobody: this host. malloc'ed. */
static char *peers_text(const struct peers *peers)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	const char *separator = "";

	if (!to)
		return NULL;
	if (peers->local || !peers->count) {
		(void)fputs("\"" LOCAL_GROUP "\"", to);
		separator = ", ";
	}
	for (size_t i = 0; i < peers->count; i++) {
		char address[EVENT_ADDRESS_SIZE];

		(void)fprintf(to, "%s\"%s\"", separator, event_address(peers->items[i], address));
		separator = ", ";
	}
	(void)text_close(to, &text);
	return text;
}

/* Is there a rule of listen for a port of @class that is reached from elsewhere? */
static bool is_reached(const struct learn *learn, __u16 class)
{
	for (size_t i = 0; i < learn->rules.count; i++) {
		const struct learn_rule *rule = &learn->rules.items[i];

		if (rule->section == PK_SECTION_LISTEN && port_class(learn, rule->port) == class &&
		    !is_local(rule))
			return true;
	}
	return false;
}

static int set_from(const struct learn *learn, struct learn_rule *rule)
{
	struct peers peers = find_peers(learn, port_class(learn, rule->port));

	if (peers.open) {
		rule->note = "more than 8 peers, so everybody may connect: narrow it by 'from'";
		return 0;
	}
	if (!peers.count && !is_local(rule))
		rule->note = "nobody else connected, so nobody else may";
	rule->from = peers_text(&peers);
	return rule->from ? 0 : -ENOMEM;
}

int learn_peers(struct learn *learn)
{
	int r = 0;

	for (size_t i = 0; i < learn->rules.count && r == 0; i++) {
		struct learn_rule *rule = &learn->rules.items[i];

		if (rule->section == PK_SECTION_LISTEN &&
		    is_reached(learn, port_class(learn, rule->port)))
			r = set_from(learn, rule);
	}
	return r;
}
