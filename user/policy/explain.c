/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Voices: each item of the key's rule sets judged alone, and the defaults of what they leave open.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/decide.h"
#include "policy/explain.h"
#include "policy/grow.h"

struct hearing {
	const struct policy_image *image;
	struct pk_query query;
	bool denials; /* only what does not allow is heard */
	__u32 covered; /* nibble of each layer: bits that rules spoke about */
	struct explanation *explanation;
	size_t room;
};

static int add_voice(struct hearing *h, const struct explain_voice *voice)
{
	struct explanation *e = h->explanation;
	int r;

	/* The items of one rule are one voice: its port ranges, its globs in both automata. */
	for (size_t i = 0; i < e->count; i++)
		if (e->voices[i].rule == voice->rule)
			return 0;
	r = grow(&e->voices, &h->room, e->count + 1, sizeof(*e->voices));
	if (!r)
		e->voices[e->count++] = *voice;
	return r;
}

/* Every set of one item is a set: the matcher can be asked about it alone. */
static int hear_rules(struct hearing *h, __u32 set)
{
	const struct pk_image *head = image_head(h->image);
	struct pk_view view = image_view(h->image);
	struct pk_query query = h->query;
	int r = 0;

	query.flags = PK_JUDGE_RULES_ONLY;
	for (__u32 i = 0; i < (set & 0xff) && !r; i++) {
		const struct pk_sets alone = { { ((set >> 8) + i) << 8 | 1, 0 } };
		struct pk_result result = pk_judge_sets(&view, head, &alone, &query);
		const struct pk_rule *rule = image_rule(h->image, result.rule);

		if (result.reason != PK_REASON_RULE || !rule ||
		    (h->denials && rule->verdict == PK_VERDICT_ALLOW))
			continue;
		h->covered |= (rule->access & query.access) << (rule->layer * 4);
		r = add_voice(h, &(struct explain_voice){
					 .rule = result.rule,
					 .layer = rule->layer,
					 .section = rule->section,
					 .verdict = rule->verdict,
					 .access = (__u8)(rule->access & query.access),
				 });
	}
	return r;
}

static int hear_defaults(struct hearing *h)
{
	const struct pk_image *head = image_head(h->image);
	const struct pk_default *def = &head->defaults[h->query.section];
	int r = 0;

	for (__u8 layer = 0; layer < head->layers && !r; layer++) {
		__u32 nibble = h->query.access << (layer * 4);
		__u32 open = def->present & nibble & ~h->covered;

		if (!open)
			continue;
		r = add_voice(h, &(struct explain_voice){
					 .rule = PK_RULE_DEFAULT | (__u32)layer << 8 |
						 h->query.section,
					 .layer = layer,
					 .section = (__u8)h->query.section,
					 .verdict = open & def->deny ? PK_VERDICT_DENY :
						    open & def->ask  ? PK_VERDICT_ASK :
								       PK_VERDICT_ALLOW,
					 .access = (__u8)(open >> (layer * 4)),
				 });
	}
	return r;
}

static int compare_voices(const void *a, const void *b)
{
	const struct explain_voice *left = a;
	const struct explain_voice *right = b;

	if (left->verdict != right->verdict)
		return left->verdict > right->verdict ? -1 : 1;
	/* Of two sections the one that decide_exec() names; in a section defaults come last. */
	if (left->section != right->section)
		return (left->section == PK_SECTION_FILES) == (left->verdict != PK_VERDICT_ALLOW) ?
			       -1 :
			       1;
	return (left->rule > right->rule) - (left->rule < right->rule);
}

/* Judge by @sets and hear what they say, after the voices that are there. */
static int hear(struct hearing *h, const struct pk_sets *sets)
{
	struct pk_view view = image_view(h->image);
	struct explanation *e = h->explanation;
	struct pk_result result = pk_judge_sets(&view, image_head(h->image), sets, &h->query);
	int r = 0;

	if (!h->denials || result.verdict != PK_VERDICT_ALLOW)
		e->result = decide_stricter(&e->result, &result);
	h->covered = 0;
	for (size_t i = 0; i < PK_AUTOMATA && !r; i++)
		r = hear_rules(h, sets->id[i]);
	if (!r && !h->denials)
		r = hear_defaults(h);
	if (!r && e->count)
		qsort(e->voices, e->count, sizeof(*e->voices), compare_voices);
	return r;
}

/* Begin an explanation in which nothing was said yet. */
static struct hearing open_hearing(const struct policy_image *image, struct explanation *e)
{
	*e = (struct explanation){
		.result = { .verdict = PK_VERDICT_ALLOW,
			    .reason = PK_REASON_UNJUDGED,
			    .rule = PK_RULE_NONE },
	};
	return (struct hearing){ .image = image, .explanation = e };
}

/* Hand the explanation over when it is complete, or free it. */
static int close_hearing(struct hearing *h, int r, struct explanation *ret_explanation)
{
	if (r)
		explanation_reset(h->explanation);
	else
		*ret_explanation = *h->explanation;
	return r;
}

/* The queries at @queries about one path, in turn. */
static int explain_queries(const struct policy_image *image, const char *path,
			   const struct pk_query *queries, size_t count,
			   struct explanation *ret_explanation)
{
	struct explanation e;
	struct hearing h = open_hearing(image, &e);
	struct pk_sets sets;
	int r;

	r = decide_path_sets(image, path, &sets);
	for (size_t i = 0; i < count && !r; i++) {
		h.query = queries[i];
		r = hear(&h, &sets);
	}
	return close_hearing(&h, r, ret_explanation);
}

int explain_path_query(const struct policy_image *image, const char *path,
		       const struct pk_query *query, struct explanation *ret_explanation)
{
	return explain_queries(image, path, query, 1, ret_explanation);
}

int explain_path(const struct policy_image *image, enum pk_section section, __u8 access,
		 const char *path, struct explanation *ret_explanation)
{
	struct pk_query query = { .section = section, .access = access };

	return explain_path_query(image, path, &query, ret_explanation);
}

int explain_abstract(const struct policy_image *image, const char *name, __u32 subjects,
		     struct explanation *ret_explanation)
{
	struct pk_query query = {
		.section = PK_SECTION_UNIX,
		.access = PK_ACCESS_ABSTRACT,
		.subjects = subjects,
	};
	CLEAN_FREE char *path = malloc(strlen(name) + 2);

	if (!path)
		return -ENOMEM;
	path[0] = '/';
	memcpy(path + 1, name, strlen(name) + 1);
	return explain_path_query(image, path, &query, ret_explanation);
}

int explain_exec(const struct policy_image *image, const char *path,
		 struct explanation *ret_explanation)
{
	struct pk_query queries[] = {
		{ .section = PK_SECTION_FILES, .access = PK_ACCESS_EXEC },
		{ .section = PK_SECTION_EXEC, .access = PK_ACCESS_RUN },
	};

	return explain_queries(image, path, queries, 2, ret_explanation);
}

int explain_command(const struct policy_image *image, const char *program, char *const *argv,
		    __u32 subjects, struct explanation *ret_explanation)
{
	struct explanation e;
	struct hearing h = open_hearing(image, &e);
	struct pk_sets sets;
	int r = 0;

	h.query = (struct pk_query){
		.section = PK_SECTION_EXEC,
		.access = PK_ACCESS_COMMAND,
		.subjects = subjects,
	};
	if (image_head(image)->argv_start) {
		r = decide_command_sets(image, program, argv, &sets);
		if (!r)
			r = hear(&h, &sets);
		h.denials = true;
		h.query.flags = PK_JUDGE_RULES_ONLY;
		if (!r && argv[0])
			r = decide_command_sets(image, argv[0], argv, &sets);
		if (!r && argv[0])
			r = hear(&h, &sets);
	}
	return close_hearing(&h, r, ret_explanation);
}

int explain_address_query(const struct policy_image *image, const __u8 address[16],
			  const struct pk_query *query, struct explanation *ret_explanation)
{
	struct explanation e;
	struct hearing h = open_hearing(image, &e);
	struct pk_sets sets;
	int r;

	h.query = *query;
	r = decide_address_sets(image, address, &sets);
	if (!r)
		r = hear(&h, &sets);
	return close_hearing(&h, r, ret_explanation);
}

int explain_destination(const struct policy_image *image, const struct decide_target *to,
			const struct pk_query *query, struct decided *ret_decided,
			struct explanation *ret_explanation)
{
	struct explanation e;
	struct hearing h = open_hearing(image, &e);
	int r;

	h.query = *query;
	r = decide_destination(image, to, query, ret_decided);
	if (!r && ret_decided->by != DECIDE_BY_RESOLVER)
		r = hear(&h, &ret_decided->sets);
	e.result = ret_decided->result;
	return close_hearing(&h, r, ret_explanation);
}

int explain_address(const struct policy_image *image, const __u8 address[16], __u16 port,
		    __u8 access, struct explanation *ret_explanation)
{
	struct pk_query query = { .section = PK_SECTION_EGRESS, .access = access, .port = port };

	return explain_address_query(image, address, &query, ret_explanation);
}

void explanation_reset(struct explanation *explanation)
{
	free(explanation->voices);
	*explanation = (struct explanation){ 0 };
}
