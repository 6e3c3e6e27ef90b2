/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections and rules of egress, files, exec and unix. A rule is read in two steps: its keys are
 * collected, then its patterns are made, because the verdict and the section decide how.
 */
#include "policy/rules.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/by.h"
#include "policy/pattern.h"
#include "policy/schema.h"

/** A rule while its keys are read. */
struct draft {
	struct policy_rule rule; /* owned */
	const struct node *allow; /* the value of the key, or NULL */
	const struct node *deny;
	const struct node *access;
	const struct node *by;
	bool faulty; /* something was reported: the rule is not kept */
};

/** The id of a rule, for finding its second use. */
struct rule_id {
	struct diag_pos pos;
	char *id; /* owned */
};

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct rule_id *)a)->id, ((const struct rule_id *)b)->id);
}

static void free_id(void *item)
{
	struct rule_id *id = item;

	free(id->id);
	free(id);
}

void rules_forget_ids(struct front *front)
{
	tdestroy(front->ids, free_id);
	front->ids = NULL;
}

/* Remember the id of a rule; a second rule with it is reported. */
static int remember_id(struct front *front, const struct node *value)
{
	struct rule_id *id = calloc(1, sizeof(*id));
	struct rule_id **found;

	if (!id)
		return -ENOMEM;
	id->pos = node_pos(value);
	id->id = strdup(value->text);
	found = id->id ? tsearch(id, &front->ids, compare_ids) : NULL;
	if (!found) {
		free_id(id);
		return -ENOMEM;
	}
	if (*found == id)
		return 0;
	free_id(id);
	diag_hint(node_error(value, front->diags, "the id '%s' is used twice", value->text),
		  "the rule at %s:%u:%u has it: an id names one rule", (*found)->pos.file,
		  (*found)->pos.line, (*found)->pos.column);
	return 0;
}

static int read_id(struct front *front, const struct node *value, void *into)
{
	struct draft *draft = into;
	size_t good;

	if (!front_line(front, value, "an id"))
		return 0;
	good = strspn(value->text, "abcdefghijklmnopqrstuvwxyz0123456789._-");
	if (good < value->length) {
		diag_hint(node_error_at(value, front->diags, good, 1,
					"'%s' cannot be an id because of this character",
					value->text),
			  "an id has lower-case letters, digits, '.', '_' and '-'");
		return 0;
	}
	draft->rule.id = strdup(value->text);
	if (!draft->rule.id)
		return -ENOMEM;
	return remember_id(front, value);
}

static int read_reason(struct front *front, const struct node *value, void *into)
{
	struct draft *draft = into;
	char *reason = strdup(value->text);
	size_t length = value->length;

	if (!reason)
		return -ENOMEM;
	/* Folded texts end in a newline; one inside would break the lines that show the reason. */
	while (length > 0 && reason[length - 1] == '\n')
		reason[--length] = '\0';
	draft->rule.reason = reason;
	if (length == 0)
		(void)node_error(value, front->diags, "a reason is empty");
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)reason[i];

		if (byte >= 0x20 && byte != 0x7f)
			continue;
		diag_hint(node_error_at(value, front->diags, i, 1, "a reason has a %s in it",
					byte == '\n' ? "line end" : "control character"),
			  "a reason is one line; '>' folds several into one");
		break;
	}
	return 0;
}

#define PATTERNS "a pattern or a list of patterns"
#define MANY (SHAPE_TEXT | SHAPE_LIST)

/* clang-format off */
#define COMMON_KEYS                                                                                \
	{ "allow", PATTERNS, NULL, MANY, 0, SCHEMA_KEEP(struct draft, allow) },                    \
	{ "deny", PATTERNS, NULL, MANY, 0, SCHEMA_KEEP(struct draft, deny) },                      \
	{ "id", "a word that names the rule", read_id, SHAPE_TEXT, 0, NULL, 0 },                   \
	{ "reason", "a sentence for those who meet the rule", read_reason, SHAPE_TEXT, 0, NULL, 0 }, \
	{ "by", "the path of a program or a list of them", NULL, MANY, 0,                          \
	  SCHEMA_KEEP(struct draft, by) }
/* clang-format on */

static const struct schema_key egress_rule_keys[] = {
	COMMON_KEYS,
	{ "protocol", "tcp, udp or a list of both", NULL, MANY, 0,
	  SCHEMA_KEEP(struct draft, access) },
};

static const struct schema_key files_rule_keys[] = {
	COMMON_KEYS,
	{ "access", "read, write, exec, connect, all or a list of them", NULL, MANY, 0,
	  SCHEMA_KEEP(struct draft, access) },
};

static const struct schema_key common_rule_keys[] = { COMMON_KEYS };

static const struct front_word protocol_words[] = {
	{ "tcp", PK_ACCESS_TCP },
	{ "udp", PK_ACCESS_UDP },
};

static const struct front_word access_words[] = {
	{ "read", PK_ACCESS_READ },	  { "write", PK_ACCESS_WRITE }, { "exec", PK_ACCESS_EXEC },
	{ "connect", PK_ACCESS_CONNECT }, { "all", PK_ACCESS_FILES },
};

static const struct front_words protocol_set = FRONT_WORDS("protocol", protocol_words);
static const struct front_words access_set = FRONT_WORDS("access", access_words);

/** What differs between the sections. */
struct section_kind {
	struct schema rule;
	const struct front_words *access; /* of the key of that name; NULL: rules have none */
	enum pk_section section;
	__u8 access_all;
	bool access_for_allow; /* an allow rule must say what it allows */
};

static const struct section_kind section_kinds[PK_SECTION__MAX] = {
	[PK_SECTION_EGRESS] = { SCHEMA("a rule of egress", egress_rule_keys), &protocol_set,
				PK_SECTION_EGRESS, PK_ACCESS_EGRESS, false },
	[PK_SECTION_FILES] = { SCHEMA("a rule of files", files_rule_keys), &access_set,
			       PK_SECTION_FILES, PK_ACCESS_FILES, true },
	[PK_SECTION_EXEC] = { SCHEMA("a rule of exec", common_rule_keys), NULL, PK_SECTION_EXEC,
			      PK_ACCESS_RUN, false },
	[PK_SECTION_UNIX] = { SCHEMA("a rule of unix", common_rule_keys), NULL, PK_SECTION_UNIX,
			      PK_ACCESS_ABSTRACT, false },
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
	int r = pattern_make(front, text, &draft->rule, &pattern, &made);

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
	if (draft->allow && draft->deny) {
		diag_hint(node_error(node, front->diags, "a rule has both 'allow' and 'deny'"),
			  "make two rules of it");
		return NULL;
	}
	if (!draft->allow && !draft->deny) {
		diag_hint(node_error(node, front->diags, "a rule needs 'allow' or 'deny'"),
			  "write 'allow: PATTERN' or 'deny: [PATTERN, ...]'");
		return NULL;
	}
	draft->rule.verdict = draft->allow ? PK_VERDICT_ALLOW : PK_VERDICT_DENY;
	return draft->allow ? draft->allow : draft->deny;
}

static int read_by(struct front *front, struct draft *draft)
{
	bool good = true;
	int r = by_read(front, draft->by, &draft->rule, &good);

	if (!good)
		draft->faulty = true;
	return r;
}

static int fill_rule(struct front *front, const struct section_kind *kind, const struct node *node,
		     struct draft *draft)
{
	size_t findings = front->diags->count + front->diags->dropped;
	const struct node *patterns;
	int r = schema_read_map(front, &kind->rule, node, draft);

	if (r < 0)
		return r;
	/* A key that was refused may be the one that is missing. */
	if (!draft->allow && !draft->deny &&
	    (node_has_bad(node) || findings != front->diags->count + front->diags->dropped))
		return 0;
	patterns = choose_verdict(front, node, draft);
	if (!patterns)
		return 0;
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

static int read_rule(struct front *front, const struct section_kind *kind, const struct node *node)
{
	struct draft draft = { .rule = { .pos = node_pos(node), .section = kind->section } };
	int r = 0;

	if (node->kind != NODE_MAP) {
		front_wrong_type(front, node, "a rule",
				 "a map with 'allow' or 'deny' and their patterns", false);
		return 0;
	}
	r = fill_rule(front, kind, node, &draft);
	if (r == 0 && !draft.faulty && draft.rule.pattern_count > 0) {
		r = FRONT_APPEND(&front->policy->rules, &front->policy->rule_count, &draft.rule);
		if (r == 0)
			draft.rule = (struct policy_rule){ 0 };
	}
	rule_reset(&draft.rule);
	return r;
}

static const struct front_word default_words[] = {
	{ "allow", PK_VERDICT_ALLOW },
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

static const struct schema_key section_keys[] = {
	{ "default", "allow or deny", read_default, SHAPE_TEXT, 0,
	  "a default is for the policy itself to choose: an included file only adds rules", 0 },
	{ "rules", "a list of rules", read_rules, SHAPE_LIST, 0, NULL, 0 },
};

static int read_section(struct front *front, const struct node *map, enum pk_section section,
			const char *what)
{
	struct policy_section *target = &front->policy->sections[section];
	struct section_kind kind = section_kinds[section];
	const struct schema schema = SCHEMA(what, section_keys);

	if (!target->present || !front->frame->parent)
		target->pos = node_pos(map);
	target->present = true;
	return schema_read_map(front, &schema, map, &kind);
}

int rules_read_egress(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_EGRESS, "the section egress");
}

int rules_read_files(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_FILES, "the section files");
}

int rules_read_exec(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_EXEC, "the section exec");
}

int rules_read_unix(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	return read_section(front, map, PK_SECTION_UNIX, "the section unix");
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
