/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To allow: take back what refuses, rule by rule, and ask the rest again each time, for behind a rule
 * there may be others of its kind; then allow what is left to defaults, in each layer that has one. To
 * deny, one rule is enough.
 */
#include "cli/explain_flip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "author/flip.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/json_out.h"
#include "telemetry/names.h"
#include "telemetry/suggest_pattern.h"

/* Most rules that are taken back one by one: as many as can decide about one act. */
#define ROUNDS_MAX PK_SET_MAX

size_t explain_layers(const struct cli_policy *policy,
		      const struct policy *ret_layers[PK_LAYERS_MAX])
{
	return managed_above(&policy->managed, policy->policy, ret_layers);
}

/* An act, its change, and the layers. */
struct finding {
	const struct explain_answer *answer;
	const struct policy *layers[PK_LAYERS_MAX];
	size_t count;
	struct explain_change *change;
};

/* The words of a command behind its program, each with a NUL behind it. */
static int join_words(char *const *argv, char **ret_text, size_t *ret_length)
{
	FILE *to = open_memstream(ret_text, ret_length);

	if (!to)
		return -ENOMEM;
	for (size_t i = 1; argv[i]; i++)
		(void)fwrite(argv[i], 1, strlen(argv[i]) + 1, to);
	return text_close(to, ret_text);
}

static int make_path(const struct finding *f, struct suggest_need *need)
{
	const char *text = need->section == PK_SECTION_UNIX ? f->answer->target : f->answer->seen;
	CLEAN_FREE char *abstract = NULL;
	CLEAN_FREE char *words = NULL;
	struct event_path path = { text, strlen(text) };
	struct event_path rest = { NULL, 0 };
	int r = 0;

	/* The name of an abstract socket is spelled without the slash that it is judged with. */
	if (need->section == PK_SECTION_UNIX) {
		if (asprintf(&abstract, "/%s", text) < 0) {
			abstract = NULL;
			return -ENOMEM;
		}
		path = (struct event_path){ abstract, strlen(abstract) };
	}
	if (f->answer->argv && need->section == PK_SECTION_EXEC) {
		r = join_words(f->answer->argv, &words, &rest.length);
		rest.bytes = words;
	}
	return r ? r : suggest_path_pattern(&path, rest.bytes ? &rest : NULL, need);
}

static int make_need(const struct finding *f, struct suggest_need *need)
{
	const struct explain_answer *answer = f->answer;
	struct pk_event event = { .port = answer->port };
	const struct event_path host = { answer->host, answer->host ? strlen(answer->host) : 0 };

	if (need->section != PK_SECTION_EGRESS && need->section != PK_SECTION_LISTEN &&
	    need->section != PK_SECTION_ACCEPT)
		return make_path(f, need);
	memcpy(event.address, answer->address, sizeof(event.address));
	return answer->host ? suggest_host_pattern(&host, answer->port, need) :
			      suggest_address_pattern(&event, need);
}

/* Who connects stands in the rule that opens the port, of which there is one. */
static int make_peer(const struct finding *f, char **ret_line)
{
	char from[EVENT_ADDRESS_SIZE];

	return asprintf(ret_line, "from: \"%s\"  # in the rule for port %u",
			event_address(f->answer->from, from), f->answer->port) < 0 ?
		       -ENOMEM :
		       0;
}

/* The rule as a line. */
static int make_line(const struct finding *f, const struct explain_part *part, __u8 access,
		     char **ret_line)
{
	struct suggest_need need = {
		.section = part->section,
		.access = access,
		.forbidden_by = PK_RULE_NONE,
	};
	CLEAN_FREE char *line = NULL;
	int r;

	if (part->section == PK_SECTION_ACCEPT)
		return make_peer(f, ret_line);
	r = make_need(f, &need);
	if (!r)
		r = suggest_line(&need, &line);
	free(need.pattern);
	if (r || f->change->allows) {
		*ret_line = r ? NULL : TAKE_PTR(line);
		return r;
	}
	/* They are written to allow. */
	return asprintf(ret_line, "- {deny%s", line + strlen("- {allow")) < 0 ? -ENOMEM : 0;
}

static int add_line(const struct finding *f, const struct explain_part *part, size_t layer,
		    __u8 access)
{
	const char *section = names_section(part->section == PK_SECTION_ACCEPT ? PK_SECTION_LISTEN :
										 part->section);
	bool present = f->layers[layer]->sections[part->section].present;
	CLEAN_FREE char *line = NULL;
	int r = make_line(f, part, access, &line);

	if (r) {
		line = NULL;
		return r;
	}
	return json_array_append_new(
		       f->change->add,
		       json_pack("{s:I, s:o, s:b, s:s, s:b, s:o}", "layer", (json_int_t)layer,
				 "file", json_out_text(f->layers[layer]->files[0]), "above",
				 (int)(layer + 1 < f->count), "section", section, "new_section",
				 (int)!present, "line", json_out_text(line))) ?
		       -ENOMEM :
		       0;
}

/* What one rule more has to say. */
static int find_denial(const struct finding *f)
{
	const struct explain_answer *answer = f->answer;
	const struct explain_part *part = &answer->parts[0];

	/* Starting something is a matter of exec; what comes in, of whom the port is open to. */
	for (size_t i = 1; i < answer->count; i++)
		if (answer->parts[i].section == PK_SECTION_EXEC)
			part = &answer->parts[i];
	return add_line(f, part, f->count - 1, part->access);
}

/* A rule of @trial that does not allow, or PK_RULE_NONE. */
static __u32 find_refusal(const struct explain_answer *trial)
{
	for (size_t i = 0; i < trial->count; i++) {
		const struct explanation *e = &trial->parts[i].explanation;

		for (size_t j = 0; j < e->count; j++)
			if (e->voices[j].verdict != PK_VERDICT_ALLOW &&
			    !(e->voices[j].rule & PK_RULE_DEFAULT))
				return e->voices[j].rule;
	}
	return PK_RULE_NONE;
}

static int note_rule(const struct finding *f, const struct policy_image *image, __u32 rule)
{
	json_t *object = json_out_rule(image, rule);
	__u8 layer = image_rule(image, rule)->layer;

	(void)json_object_set_new(object, "layer", json_integer(layer));
	(void)json_object_set_new(object, "above", json_boolean(layer + 1U < f->count));
	/* Its number is that of an image that nobody sees. */
	(void)json_object_del(object, "number");
	return json_array_append_new(f->change->take_back, object) ? -ENOMEM : 0;
}

/* Lines for what defaults refuse; a command line's allows its program, too. */
static int allow_defaults(const struct finding *f, const struct explain_answer *trial)
{
	int r = 0;

	for (size_t i = 0; i < trial->count; i++) {
		const struct explain_part *part = &trial->parts[i];

		if (i + 1 < trial->count && part->section == trial->parts[i + 1].section)
			continue;
		for (size_t j = 0; j < part->explanation.count && !r; j++) {
			const struct explain_voice *voice = &part->explanation.voices[j];

			if (voice->verdict != PK_VERDICT_ALLOW)
				r = add_line(f, part, voice->layer, voice->access);
		}
	}
	return r;
}

/* Ask @image about the act and take one step. Returns 1 when there is another, 0 at the end, -errno. */
static int take_step(const struct finding *f, struct flip *flip, const struct policy_image *image)
{
	struct explain_answer trial = *f->answer;
	__u32 rule;
	int r;

	for (size_t i = 0; i < trial.count; i++)
		trial.parts[i].explanation = (struct explanation){ 0 };
	r = explain_answer_fill(&trial, image);
	rule = r ? PK_RULE_NONE : find_refusal(&trial);
	if (!r && rule == PK_RULE_NONE) {
		r = allow_defaults(f, &trial);
	} else if (!r) {
		r = note_rule(f, image, rule);
		if (!r)
			r = flip_take_back(flip, image, rule);
		r = r ? r : 1;
	}
	for (size_t i = 0; i < trial.count; i++)
		explanation_reset(&trial.parts[i].explanation);
	return r;
}

static int find_allowance(const struct finding *f, const struct policy_image *image)
{
	CLEAN(flip_reset) struct flip flip = { 0 };
	int r = flip_begin(f->layers, f->count, &flip);

	if (!r)
		r = take_step(f, &flip, image);
	for (size_t i = 0; r == 1 && i < ROUNDS_MAX; i++) {
		CLEAN(image_reset) struct policy_image left = { 0 };

		r = flip_compile(&flip, &left);
		if (!r)
			r = take_step(f, &flip, &left);
	}
	return r > 0 ? -E2BIG : r;
}

int explain_change_find(const struct explain_answer *answer, const struct cli_policy *policy,
			struct explain_change *ret_change)
{
	struct explain_change *change = ret_change;
	struct finding f = { .answer = answer, .change = change };
	int r;

	f.count = explain_layers(policy, f.layers);
	*change = (struct explain_change){
		.allows = explain_answer_verdict(answer) != PK_VERDICT_ALLOW,
		.take_back = json_array(),
		.add = json_array(),
	};
	if (answer->decided.by == DECIDE_BY_RESOLVER)
		change->impossible = true;
	r = change->impossible ? 0 :
	    change->allows     ? find_allowance(&f, &policy->image) :
				 find_denial(&f);
	/* What no rule is about (a path that is too long) no rule changes. */
	if (r == -ENOENT || r == -E2BIG || r == -EINVAL) {
		change->impossible = true;
		r = 0;
	}
	if (!json_array_size(change->take_back) && !json_array_size(change->add))
		change->impossible = true;
	return r;
}

static void put(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text)
		escape_write(stdout, text, strlen(text), 0);
}

static void print_above(const json_t *object)
{
	(void)puts(json_is_true(json_object_get(object, "above")) ? "  (a layer above)" : "");
}

void explain_change_print(const struct explain_change *change)
{
	const json_t *item;
	size_t i;

	if (change->impossible)
		return;
	(void)printf("to %s it:\n", change->allows ? "allow" : "deny");
	json_array_foreach(change->take_back, i, item) {
		(void)fputs("    take back, or narrow, ", stdout);
		put(item, "verdict");
		(void)fputs(" at ", stdout);
		put(item, "file");
		(void)printf(":%lld: ",
			     (long long)json_integer_value(json_object_get(item, "line")));
		put(item, "text");
		print_above(item);
	}
	json_array_foreach(change->add, i, item) {
		const bool fresh = json_is_true(json_object_get(item, "new_section"));

		(void)fputs(fresh ? "    add a section '" : "    add to '", stdout);
		put(item, "section");
		(void)fputs(fresh ? "' to " : "' of ", stdout);
		put(item, "file");
		(void)fputs(fresh ? ", with 'default: allow' and the rule: " : ": ", stdout);
		put(item, "line");
		print_above(item);
	}
}

json_t *explain_change_json(const struct explain_change *change)
{
	if (change->impossible)
		return json_null();
	return json_pack("{s:s, s:O, s:O}", "to", change->allows ? "allow" : "deny", "take_back",
			 change->take_back, "add", change->add);
}

void explain_change_reset(struct explain_change *change)
{
	json_decref(change->take_back);
	json_decref(change->add);
	*change = (struct explain_change){ 0 };
}
