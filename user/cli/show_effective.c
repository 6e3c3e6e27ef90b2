/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each layer is compiled by itself and asked: what it says does not depend on the others. What holds is
 * asked of all of them together, as the kernel does.
 */
#include "cli/show_effective.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/explain_answer.h"
#include "cli/explain_flip.h"
#include "cli/json_out.h"
#include "cli/real_path.h"
#include "policy/address.h"
#include "policy/compile.h"
#include "policy/exec_words.h"
#include "telemetry/names.h"

/* What a key may be. */
enum kind { KIND_PATH, KIND_DESTINATION, KIND_UNIX, KIND_SWITCH, KIND_COMMAND };

static const char *const kinds[] = { "path", "destination", "unix", "switch", "command" };

/* A key taken apart. */
struct key {
	enum kind kind;
	const char *text; /* as given */
	char *path; /* owned; path: the file; command: the program; as the kernel sees it */
	char **words; /* owned; of a command */
	struct address_target to; /* to.host is owned */
	enum pk_guard guard;
};

static void key_reset(struct key *key)
{
	free(key->path);
	free(key->to.host);
	exec_words_free(&key->words);
}

/* One thing that may be done with it. */
struct question {
	const char *name; /* NULL: there is only one */
	__u8 access;
};

static const struct question path_questions[] = {
	{ "read", PK_ACCESS_READ },	      { "write", PK_ACCESS_WRITE },
	{ "map executable", PK_ACCESS_EXEC }, { "start", 0 },
	{ "connect", PK_ACCESS_CONNECT },
};
static const struct question net_questions[] = { { "tcp", PK_ACCESS_TCP },
						 { "udp", PK_ACCESS_UDP } };
static const struct question only_question[] = { { NULL, 0 } };

static size_t questions_of(const struct key *key, const struct question **ret_questions)
{
	switch (key->kind) {
	case KIND_PATH:
		*ret_questions = path_questions;
		return sizeof(path_questions) / sizeof(*path_questions);
	case KIND_DESTINATION:
		*ret_questions = net_questions;
		return sizeof(net_questions) / sizeof(*net_questions);
	default:
		*ret_questions = only_question;
		return 1;
	}
}

static int ask_destination(const struct policy_image *image, const struct key *key, __u8 access,
			   struct pk_result *ret_result)
{
	const struct pk_query query = { PK_SECTION_EGRESS, access, key->to.port, 0, 0 };
	const struct decide_target to = { key->to.host ? NULL : key->to.address.low, key->to.host };
	struct pk_result question = { PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	struct decided decided;
	int r = decide_destination(image, &to, &query, &decided);

	if (!r && to.host)
		r = decide_name(image, to.host, &question);
	*ret_result = question.verdict > decided.result.verdict ? question : decided.result;
	return r;
}

static int ask(const struct policy_image *image, const struct key *key,
	       const struct question *question, struct pk_result *ret_result)
{
	switch (key->kind) {
	case KIND_PATH:
		return question->access ? decide_path(image, PK_SECTION_FILES, question->access,
						      key->path, ret_result) :
					  decide_exec(image, key->path, ret_result);
	case KIND_DESTINATION:
		return ask_destination(image, key, question->access, ret_result);
	case KIND_UNIX:
		return decide_abstract(image, key->text + 1, 0, ret_result);
	case KIND_SWITCH:
		*ret_result = decide_guard(image, key->guard);
		return 0;
	default:
		return decide_command(image, key->path, key->words, 0, ret_result);
	}
}

static const char section_of_switches[] = "process.";

static bool names_section_of_switches(const char *text)
{
	return strncmp(text, section_of_switches, strlen(section_of_switches)) == 0;
}

static bool find_switch(const char *text, enum pk_guard *ret_guard)
{
	const char *name =
		text + (names_section_of_switches(text) ? strlen(section_of_switches) : 0);

	for (enum pk_guard guard = 0; guard < PK_GUARD__MAX; guard++) {
		if (strcmp(name, names_guard(guard)) != 0)
			continue;
		*ret_guard = guard;
		return true;
	}
	return false;
}

/* A slip in the name of a switch is no command to be asked about. */
static int no_switch(const char *text)
{
	const char *names[PK_GUARD__MAX];
	const char *nearest;

	for (enum pk_guard guard = 0; guard < PK_GUARD__MAX; guard++)
		names[guard] = names_guard(guard);
	nearest = cli_nearest(text + strlen(section_of_switches), names, PK_GUARD__MAX);
	if (nearest)
		return cli_usage("show", "there is no switch '%s': did you mean '%s%s'?", text,
				 section_of_switches, nearest);
	return cli_usage("show", "there is no switch '%s'", text);
}

static int resolve(const char *given, struct key *key)
{
	int r = real_path(given, &key->path);

	if (r == -EINVAL)
		return cli_usage("show",
				 "'%s' cannot be resolved: it has '..' behind a part that does "
				 "not exist",
				 given);
	errno = -r;
	return r < 0 ? cli_error("show", "cannot resolve '%s': %m", given) : CLI_OK;
}

static int read_command(const char *text, struct key *key)
{
	CLEAN_FREE char *path = NULL;
	int count = exec_words_split(text, &key->words);

	key->kind = KIND_COMMAND;
	if (count < 0)
		return cli_error("show", "out of memory");
	if (count == 0 || !*key->words[0])
		return cli_usage("show", "--effective needs a path, ADDRESS:PORT, NAME:PORT, "
					 "@SOCKET, a switch of process, or a command");
	if (asprintf(&path, "%s%s", strchr(key->words[0], '/') ? "" : "/usr/bin/", key->words[0]) <
	    0) {
		path = NULL;
		return cli_error("show", "out of memory");
	}
	return resolve(path, key);
}

static int read_key(const char *text, struct key *key)
{
	struct address_error error = { 0 };
	int r;

	key->text = text;
	if (*text == '@' && text[1]) {
		key->kind = KIND_UNIX;
		return CLI_OK;
	}
	if (find_switch(text, &key->guard)) {
		key->kind = KIND_SWITCH;
		return CLI_OK;
	}
	if (names_section_of_switches(text))
		return no_switch(text);
	if (*text == '/' && !strchr(text, ' ')) {
		key->kind = KIND_PATH;
		return resolve(text, key);
	}
	if (strchr(text, ' ') || !strchr(text, ':'))
		return read_command(text, key);
	key->kind = KIND_DESTINATION;
	r = address_parse_target(text, &key->to, &error);
	if (r == -EINVAL)
		return cli_usage("show", "--effective '%s': %s%s%s", text, error.message,
				 error.hint[0] ? "; " : "", error.hint);
	return r < 0 ? cli_error("show", "out of memory") : CLI_OK;
}

/* The layers, each by itself. */
struct layers {
	const struct policy *policies[PK_LAYERS_MAX];
	struct policy_image images[PK_LAYERS_MAX]; /* owned */
	size_t count;
};

static void layers_reset(struct layers *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		image_reset(&layers->images[i]);
}

static int compile_layers(const struct cli_policy *policy, struct layers *layers)
{
	int r = 0;

	layers->count = explain_layers(policy, layers->policies);
	for (size_t i = 0; i < layers->count && r == 0; i++) {
		/* What there is to say about a layer was said when all were compiled. */
		CLEAN(diag_list_reset) struct diag_list said = { 0 };
		const struct compile_options options = { .host = NULL };

		r = policy_compile(&layers->policies[i], 1, &options, &layers->images[i], &said);
	}
	return r;
}

static void put(const char *text)
{
	escape_write(stdout, text, strlen(text), 0);
}

/* What a layer decides by: of a switch the words that say so. */
static void put_speaker(const struct policy_image *image, const struct pk_result *result)
{
	const struct pk_rule *rule = image_rule(image, result->rule);

	if (!rule || rule->section != PK_SECTION_PROCESS) {
		explain_answer_put(image, result);
		return;
	}
	put(image_string(image, rule->text));
	(void)fputs(" at ", stdout);
	put(image_string(image, rule->file));
	(void)printf(":%u:%u", rule->line, rule->column);
}

static void print_answer(const struct layers *layers, const struct question *question,
			 const struct pk_result *whole, const struct pk_result *each, __u32 decider)
{
	if (question->name)
		(void)printf("%s: ", question->name);
	(void)puts(names_verdict(whole->verdict));
	for (size_t i = 0; i < layers->count; i++) {
		(void)printf("  %zu ", i + 1);
		put(layers->policies[i]->files[0]);
		(void)printf(": %s, ", names_verdict(each[i].verdict));
		put_speaker(&layers->images[i], &each[i]);
		(void)puts(i == decider ? "  <- decides" : "");
	}
}

static json_t *answer_json(const struct layers *layers, const struct question *question,
			   const struct pk_result *whole, const struct pk_result *each,
			   __u32 decider)
{
	json_t *list = json_array();

	for (size_t i = 0; i < layers->count; i++) {
		json_t *layer = json_pack("{s:I, s:o, s:s, s:s, s:b}", "number", (json_int_t)i,
					  "file", json_out_text(layers->policies[i]->files[0]),
					  "verdict", names_verdict(each[i].verdict), "reason",
					  names_reason(each[i].reason), "decides",
					  (int)(i == decider));

		if (each[i].rule != PK_RULE_NONE)
			explain_answer_set(layer, &layers->images[i], each[i].rule);
		(void)json_array_append_new(list, layer);
	}
	return json_pack("{s:s?, s:s, s:o}", "question", question->name, "verdict",
			 names_verdict(whole->verdict), "layers", list);
}

/* Ask all about one question; the answer is printed, or added to @json. */
static int answer(const struct policy_image *image, const struct layers *layers,
		  const struct key *key, const struct question *question, json_t *json)
{
	struct pk_result each[PK_LAYERS_MAX];
	struct pk_result whole;
	__u32 decider;
	int r = ask(image, key, question, &whole);

	for (size_t i = 0; i < layers->count && r == 0; i++)
		r = ask(&layers->images[i], key, question, &each[i]);
	if (r)
		return r;
	decider = explain_answer_layer(&whole, image);
	if (!json)
		print_answer(layers, question, &whole, each, decider);
	else
		(void)json_array_append_new(json,
					    answer_json(layers, question, &whole, each, decider));
	return 0;
}

int show_effective(const struct cli_policy *policy, const char *text, bool json)
{
	CLEAN(key_reset) struct key key = { .text = text };
	CLEAN(layers_reset) struct layers layers = { .count = 0 };
	const struct question *questions;
	json_t *answers = NULL;
	size_t count;
	int code = read_key(text, &key);
	int r;

	if (code != CLI_OK)
		return code;
	count = questions_of(&key, &questions);
	r = compile_layers(policy, &layers);
	if (json)
		answers = json_array();
	if (!json && key.kind == KIND_PATH && strcmp(key.path, text) != 0) {
		(void)fputs("note: the kernel sees ", stdout);
		put(key.path);
		(void)putchar('\n');
	}
	for (size_t i = 0; i < count && r == 0; i++)
		r = answer(&policy->image, &layers, &key, &questions[i], answers);
	if (r) {
		json_decref(answers);
		errno = -r;
		return cli_error("show", "cannot judge '%s': %m", text);
	}
	if (!json)
		return CLI_OK;
	return json_out_print("show", json_pack("{s:s, s:s, s:o, s:o}", "schema",
						"picket.effective/1", "kind", kinds[key.kind],
						"key", json_out_text(text), "answers", answers));
}
