/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of kinds of sockets.
 */
#include "policy/sockets.h"

#include "policy/schema.h"

/* By number of the kind. */
static const struct front_word kind_words[] = {
	{ "inet", PK_SOCKET_INET },
	{ "inet6", PK_SOCKET_INET6 },
	{ "unix", PK_SOCKET_UNIX },
	{ "netlink", PK_SOCKET_NETLINK },
	{ "netlink-all", PK_SOCKET_NETLINK_ALL },
	{ "icmp", PK_SOCKET_ICMP },
	{ "raw", PK_SOCKET_RAW },
	{ "packet", PK_SOCKET_PACKET },
	{ "vsock", PK_SOCKET_VSOCK },
	{ "alg", PK_SOCKET_ALG },
	{ "bluetooth", PK_SOCKET_BLUETOOTH },
	{ "can", PK_SOCKET_CAN },
	{ "xdp", PK_SOCKET_XDP },
};

_Static_assert(sizeof(kind_words) / sizeof(*kind_words) == PK_SOCKET__MAX, "a word for each kind");

static const struct front_words kind_set = FRONT_WORDS("kind of sockets", kind_words);

const char *sockets_word(unsigned int kind)
{
	return kind < PK_SOCKET__MAX ? kind_words[kind].word : "unknown";
}

static int add_kind(struct front *front, const struct node *text, void *unused)
{
	struct policy_sockets *sockets = &front->policy->sockets;
	unsigned int kind = 0;

	(void)unused;
	if (!front_word(front, text, &kind_set, &kind))
		return 0;
	if (sockets->allow >> kind & 1 && kind != PK_SOCKET_NETLINK)
		(void)node_error(text, front->diags, "the kind '%s' is named twice", text->text);
	sockets->allow |= 1U << kind;
	/* So that a layer with the one and a layer with the other have something in common. */
	if (kind == PK_SOCKET_NETLINK_ALL)
		sockets->allow |= 1U << PK_SOCKET_NETLINK;
	return 0;
}

static int read_allow(struct front *front, const struct node *value, void *unused)
{
	return front_each_text(front, value, "a kind of sockets", add_kind, unused);
}

static const struct schema_key sockets_keys[] = {
	{ .name = "allow",
	  .expected = "a kind of sockets or a list of them",
	  .read = read_allow,
	  .shapes = SHAPE_TEXT | SHAPE_LIST,
	  .words = &kind_set,
	  .flags = SCHEMA_REQUIRED },
};

const struct schema sockets_schema = SCHEMA("the section sockets", sockets_keys);

int sockets_read(struct front *front, const struct node *map, void *unused)
{
	struct policy_section *section = &front->policy->sections[PK_SECTION_SOCKETS];

	(void)unused;
	front->policy->sockets.present = section->present = true;
	front->policy->sockets.pos = section->pos = node_pos(map);
	return schema_read_map(front, &sockets_schema, map, NULL);
}

/* A rule about echo requests where no socket for them can be made. */
static void check_icmp(struct front *front, __u32 allowed)
{
	const struct policy *policy = front->policy;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->section != PK_SECTION_EGRESS || rule->verdict == PK_VERDICT_DENY ||
		    !(rule->access & PK_ACCESS_ICMP) || allowed >> PK_SOCKET_ICMP & 1 ||
		    allowed >> PK_SOCKET_RAW & 1)
			continue;
		diag_hint(diag_add(front->diags, DIAG_ERROR, &rule->pos,
				   "this rule allows icmp, and no socket for it can be made"),
			  "add a section 'sockets: {allow: [inet, inet6, unix, netlink, icmp]}'");
		return;
	}
}

void sockets_check(struct front *front)
{
	static const enum pk_socket around[] = { PK_SOCKET_PACKET, PK_SOCKET_VSOCK, PK_SOCKET_XDP };
	const struct policy_sockets *sockets = &front->policy->sockets;

	check_icmp(front, sockets->present ? sockets->allow : PK_SOCKETS_DEFAULT);
	if (!front->policy->sections[PK_SECTION_EGRESS].present)
		return;
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
		if (!(sockets->allow >> around[i] & 1))
			continue;
		diag_hint(diag_add(front->diags, DIAG_WARNING, &sockets->pos,
				   "what is sent by sockets of the kind '%s' is judged by no rule",
				   sockets_word(around[i])),
			  "with them the section egress can be got around");
	}
}
