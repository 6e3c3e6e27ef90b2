/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections and rules of egress, listen, files, exec and unix. A rule is read in two steps: its keys are
 * collected, then its patterns are made, because the verdict and the section decide how.
 */
#include "policy/rules.h"

#include <stdlib.h>

#include "base/mem.h"
#include "policy/approvals.h"
#include "policy/by.h"
#include "policy/dns.h"
#include "policy/listen.h"
#include "policy/pattern.h"
#include "policy/registries_rule.h"
#include "policy/rule_text.h"
#include "policy/schema.h"

/** A rule while its keys are read. */
struct draft {
	struct policy_rule rule; /* owned; first, for the keys that say something about it */
	const struct node *allow; /* the value of the key, or NULL */
	const struct node *ask;
	const struct node *deny;
	const struct node *from; /* listen */
	const struct node *access;
	const struct node *by;
	const struct node *approvers;
	bool faulty; /* something was reported: the rule is not kept */
};

static const struct front_word protocol_words[] = {
	{ "tcp", PK_ACCESS_TCP },
	{ "udp", PK_ACCESS_UDP },
	{ "icmp", PK_ACCESS_ICMP },
};

static const struct front_word transport_words[] = {
	{ "tcp", PK_ACCESS_TCP },
	{ "udp", PK_ACCESS_UDP },
};

static const struct front_word access_words[] = {
	{ "read", PK_ACCESS_READ },	  { "write", PK_ACCESS_WRITE }, { "exec", PK_ACCESS_EXEC },
	{ "connect", PK_ACCESS_CONNECT }, { "all", PK_ACCESS_FILES },
};

static const struct front_words protocol_set = FRONT_WORDS("protocol", protocol_words);
static const struct front_words transport_set = FRONT_WORDS("protocol", transport_words);
static const struct front_words access_set = FRONT_WORDS("access", access_words);

#define MANY (SHAPE_TEXT | SHAPE_LIST)

/* clang-format off */
#define VERDICT(key)                                                                               \
	{ .name = #key, .expected = "a pattern or a list of patterns", .shapes = MANY,             \
	  .flags = SCHEMA_ONE_OF, SCHEMA_KEEP(struct draft, key) }
#define COMMON_KEYS                                                                                \
	VERDICT(allow), VERDICT(ask), VERDICT(deny),                                               \
	{ .name = "id", .expected = "a word that names the rule", .read = rule_text_id,            \
	  .shapes = SHAPE_TEXT },                                                                  \
	{ .name = "reason", .expected = "a sentence for those who meet the rule",                  \
	  .read = rule_text_reason, .shapes = SHAPE_TEXT },                                        \
	{ .name = "by", .expected = "the path of a program or a list of them", .shapes = MANY,     \
	  SCHEMA_KEEP(struct draft, by) }
/* clang-format on */

static int read_approvers(struct front *front, const struct node *value, void *into)
{
	struct draft *draft = into;

	draft->approvers = value;
	draft->rule.approvers = (__u8)approvals_number(front, value);
	return 0;
}

/* Not of rules of listen: there nobody can approve. */
#define APPROVERS_KEY                                                                              \
	{                                                                                          \
		.name = "approvers", .expected = "a number of people", .read = read_approvers,     \
		.shapes = SHAPE_TEXT, .form = APPROVALS_NUMBER                                     \
	}

static const struct schema_key egress_rule_keys[] = {
	COMMON_KEYS,
	APPROVERS_KEY,
	{ .name = "protocol",
	  .expected = "tcp, udp, icmp or a list of them",
	  .words = &protocol_set,
	  .shapes = MANY,
	  SCHEMA_KEEP(struct draft, access) },
};

static const struct schema_key listen_rule_keys[] = {
	COMMON_KEYS,
	{ .name = "protocol",
	  .expected = "tcp, udp or a list of both",
	  .words = &transport_set,
	  .shapes = MANY,
	  SCHEMA_KEEP(struct draft, access) },
	{ .name = "from",
	  .expected = "an address or network, or a list of them",
	  .shapes = MANY,
	  SCHEMA_KEEP(struct draft, from) },
};

static const struct schema_key files_rule_keys[] = {
	COMMON_KEYS,
	APPROVERS_KEY,
	{ .name = "access",
	  .expected = "read, write, exec, connect, all or a list of them",
	  .words = &access_set,
	  .shapes = MANY,
	  SCHEMA_KEEP(struct draft, access) },
};

static const struct schema_key common_rule_keys[] = { COMMON_KEYS, APPROVERS_KEY };

static const struct schema egress_rule = SCHEMA("a rule of egress", egress_rule_keys);
static const struct schema listen_rule = SCHEMA("a rule of listen", listen_rule_keys);
static const struct schema files_rule = SCHEMA("a rule of files", files_rule_keys);
static const struct schema exec_rule = SCHEMA("a rule of exec", common_rule_keys);
static const struct schema unix_rule = SCHEMA("a rule of unix", common_rule_keys);

/** What differs between the sections. */
struct section_kind {
	const struct schema *rule;
	const struct front_words *access; /* of the key of that name; NULL: rules have none */
	enum pk_section section;
	__u8 access_all;
	bool access_for_allow; /* an allow rule must say what it allows */
};

static const struct section_kind section_kinds[PK_SECTION__MAX] = {
	[PK_SECTION_EGRESS] = { &egress_rule, &protocol_set, PK_SECTION_EGRESS, PK_ACCESS_EGRESS,
				false },
	[PK_SECTION_FILES] = { &files_rule, &access_set, PK_SECTION_FILES, PK_ACCESS_FILES, true },
	[PK_SECTION_EXEC] = { &exec_rule, NULL, PK_SECTION_EXEC, PK_ACCESS_RUN, false },
	[PK_SECTION_UNIX] = { &unix_rule, NULL, PK_SECTION_UNIX, PK_ACCESS_ABSTRACT, false },
	[PK_SECTION_LISTEN] = { &listen_rule, &transport_set, PK_SECTION_LISTEN, PK_ACCESS_EGRESS,
				false },
};

/** The words of an access or protocol key while they are read. */
struct access_reading {
	const struct section_kind *kind;
	struct draft *draft;
};

static int read_access_word(struct front *front, const struct node *text, void *into)
{
	struct access_reading *reading = into;
	unsigned int value = 0;

	if (front_word(front, text, reading->kind->access, &value))
		reading->draft->rule.access |= (__u8)value;
	else
		reading->draft->faulty = true;
	return 0;
}

static int set_access(struct front *front, const struct section_kind *kind, const struct node *node,
		      struct draft *draft)
{
	struct access_reading reading = { kind, draft };
	char what[32];

	draft->rule.access_said = draft->access != NULL;
	if (!draft->access) {
		draft->rule.access = kind->access_all;
		if (!kind->access_for_allow || draft->rule.verdict != PK_VERDICT_ALLOW)
			return 0;
		diag_hint(node_error(node, front->diags,
				     "a rule of files that allows must say which access"),
			  "add 'access: read', or a list of read, write, exec, connect");
		return 0;
	}
	if (draft->access->kind == NODE_LIST && draft->access->count == 0)
		(void)node_error(draft->access, front->diags, "'%s' is an empty list",
				 kind->access->what);
	(void)snprintf(what, sizeof(what), "a word of '%s'", kind->access->what);
	return front_each_text(front, draft->access, what, read_access_word, &reading);
}

static int add_pattern(struct front *front, const struct node *text, void *into)
{
	struct draft *draft = into;
	struct policy_pattern pattern = { 0 };
	bool made = false;
	int r;

	if (registries_is_group(text, &draft->rule))
		return registries_add(front, text, &draft->rule);
	r = pattern_make(front, text, &draft->rule, &pattern, &made);
	if (r < 0 || !made)
		return r;
	r = FRONT_APPEND(&draft->rule.patterns, &draft->rule.pattern_count, &pattern);
	if (r < 0)
		pattern_reset(&pattern);
	return r;
}

/* The node with the patterns, after the verdict is known; NULL when there is not exactly one. */
static const struct node *choose_verdict(struct front *front, const struct node *node,
					 struct draft *draft)
{
	const struct node *const values[PK_VERDICT__MAX] = {
		[PK_VERDICT_ALLOW] = draft->allow,
		[PK_VERDICT_ASK] = draft->ask,
		[PK_VERDICT_DENY] = draft->deny,
	};
	const struct node *patterns = NULL;

	for (int i = 0; i < PK_VERDICT__MAX; i++) {
		if (values[i] && patterns) {
			diag_hint(node_error(node, front->diags,
					     "a rule has more than one of 'allow', 'ask' and "
					     "'deny'"),
				  "make a rule of each");
			return NULL;
		}
		if (values[i]) {
			draft->rule.verdict = (enum pk_verdict)i;
			patterns = values[i];
		}
	}
	if (!patterns)
		diag_hint(node_error(node, front->diags, "a rule needs 'allow', 'ask' or 'deny'"),
			  "write 'allow: PATTERN' or 'deny: [PATTERN, ...]'");
	return patterns;
}

static int read_by(struct front *front, struct draft *draft)
{
	bool good = true;
	int r = by_read(front, draft->by, &draft->rule, &good);

	if (!good)
		draft->faulty = true;
	return r;
}

static void check_approvers(struct front *front, struct draft *draft)
{
	if (!draft->approvers)
		return;
	if (!draft->rule.approvers || draft->rule.verdict != PK_VERDICT_ASK)
		draft->faulty = true;
	if (draft->rule.verdict != PK_VERDICT_ASK)
		diag_hint(node_error(draft->approvers, front->diags,
				     "'approvers' is for rules that ask: this one would never be "
				     "approved"),
			  "write 'ask' instead of '%s', or remove the key",
			  draft->allow ? "allow" : "deny");
}

static int fill_rule(struct front *front, const struct section_kind *kind, const struct node *node,
		     struct draft *draft)
{
	size_t findings = front->diags->count + front->diags->dropped;
	const struct node *patterns;
	int r = schema_read_map(front, kind->rule, node, draft);

	if (r < 0)
		return r;
	/* A key that was refused may be the one that is missing. */
	if (!draft->allow && !draft->ask && !draft->deny &&
	    (node_has_bad(node) || findings != front->diags->count + front->diags->dropped))
		return 0;
	patterns = choose_verdict(front, node, draft);
	if (!patterns)
		return 0;
	check_approvers(front, draft);
	r = set_access(front, kind, node, draft);
	if (r == 0 && draft->by)
		r = read_by(front, draft);
	if (r < 0)
		return r;
	if (patterns->kind == NODE_LIST && patterns->count == 0) {
		diag_hint(node_error(patterns, front->diags,
				     "a rule without patterns does nothing"),
			  "remove the rule, or give it a pattern");
		return 0;
	}
	return front_each_text(front, patterns, "a pattern", add_pattern, draft);
}

/* Give the policy the rule, and what follows from it. */
static int keep_rule(struct front *front, struct draft *draft)
{
	const struct policy_rule rule = draft->rule; /* what it points to stays where it is */
	int r = FRONT_APPEND(&front->policy->rules, &front->policy->rule_count, &rule);

	if (r < 0)
		rule_reset(&draft->rule);
	else if (rule.section == PK_SECTION_LISTEN)
		r = listen_add_peers(front, &rule, draft->from);
	return r;
}

static int read_rule(struct front *front, const struct section_kind *kind, const struct node *node)
{
	struct draft draft = { .rule = { .pos = node_pos(node), .section = kind->section } };
	int r = 0;

	if (node->kind != NODE_MAP) {
		front_wrong_type(front, node, "a rule",
				 "a map with 'allow', 'ask' or 'deny' and their patterns", false);
		return 0;
	}
	r = fill_rule(front, kind, node, &draft);
	if (r == 0 && !draft.faulty && draft.rule.pattern_count > 0)
		return keep_rule(front, &draft);
	rule_reset(&draft.rule);
	return r;
}

static const struct front_word default_words[] = {
	{ "allow", PK_VERDICT_ALLOW },
	{ "ask", PK_VERDICT_ASK },
	{ "deny", PK_VERDICT_DENY },
};

static const struct front_words default_set = FRONT_WORDS("default", default_words);

static int read_default(struct front *front, const struct node *value, void *into)
{
	const struct section_kind *kind = into;
	unsigned int verdict = PK_VERDICT_DENY;

	if (front_word(front, value, &default_set, &verdict))
		front->policy->sections[kind->section].default_verdict = (enum pk_verdict)verdict;
	return 0;
}

static int read_rules(struct front *front, const struct node *list, void *into)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++)
		r = read_rule(front, into, list->items[i]);
	return r;
}

/* clang-format off */
#define SECTION_KEYS(rule)                                                                         \
	{ .name = "default", .expected = "allow, ask or deny", .read = read_default,               \
	  .shapes = SHAPE_TEXT, .words = &default_set,                                             \
	  .main_only = "a default is for the policy itself to choose: an included file only adds " \
		       "rules" },                                                                  \
	{ .name = "rules", .expected = "a list of rules", .read = read_rules,                      \
	  .shapes = SHAPE_LIST, .below = &(rule) }
/* clang-format on */

static const struct schema_key listen_keys[] = { SECTION_KEYS(listen_rule) };
static const struct schema_key files_keys[] = { SECTION_KEYS(files_rule) };
static const struct schema_key exec_keys[] = { SECTION_KEYS(exec_rule) };
static const struct schema_key unix_keys[] = { SECTION_KEYS(unix_rule) };

#define MAIN_ONLY "the policy that includes this file decides about it"

static const struct schema_key egress_keys[] = {
	SECTION_KEYS(egress_rule),
	{ .name = "dns",
	  .expected = "a map with 'resolvers', 'names' and other keys",
	  .read = dns_read,
	  .shapes = SHAPE_MAP,
	  .below = &dns_schema,
	  .main_only = MAIN_ONLY },
	{ .name = "tls",
	  .expected = "a map with 'sni'",
	  .read = dns_read_tls,
	  .shapes = SHAPE_MAP,
	  .below = &tls_schema,
	  .main_only = MAIN_ONLY },
};

static int read_section(struct front *front, const struct node *map, enum pk_section section,
			const struct schema *schema)
{
	struct policy_section *target = &front->policy->sections[section];
	struct section_kind kind = section_kinds[section];

	if (!target->present || !front->frame->parent)
		target->pos = node_pos(map);
	target->present = true;
	return schema_read_map(front, schema, map, &kind);
}

const struct schema rules_egress_schema = SCHEMA("the section egress", egress_keys);

int rules_read_egress(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_EGRESS, &rules_egress_schema);
}

const struct schema rules_listen_schema = SCHEMA("the section listen", listen_keys);

int rules_read_listen(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_LISTEN, &rules_listen_schema);
}

const struct schema rules_files_schema = SCHEMA("the section files", files_keys);

int rules_read_files(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_FILES, &rules_files_schema);
}

const struct schema rules_exec_schema = SCHEMA("the section exec", exec_keys);

int rules_read_exec(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_EXEC, &rules_exec_schema);
}

const struct schema rules_unix_schema = SCHEMA("the section unix", unix_keys);

int rules_read_unix(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_UNIX, &rules_unix_schema);
}

void rule_reset(struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->pattern_count; i++)
		pattern_reset(&rule->patterns[i]);
	by_reset(rule);
	free(rule->patterns);
	free(rule->id);
	free(rule->reason);
	*rule = (struct policy_rule){ 0 };
}
