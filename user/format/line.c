/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record as one line for people. The line of a decision is that of telemetry/render.h; everything
 * shown comes from the record, and goes through line_put_safe().
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "format/render.h"
#include "telemetry/names.h"

/** A line under construction. */
struct line {
	FILE *to;
	const json_t *event;
	unsigned int flags;
};

static bool wide(const struct line *line)
{
	return (line->flags & FORMAT_WIDE) != 0;
}

/* A terminal sequence, when colours are wanted. */
static void put_colour(const struct line *line, const char *sequence)
{
	if (line->flags & FORMAT_COLOUR)
		(void)fputs(sequence, line->to);
}

/* " KEY value", when there is one. */
static void put_key(const struct line *line, const char *label, const json_t *object,
		    const char *key)
{
	char number[VALUE_NUMBER_SIZE];
	const char *text = value_words(object, key, number);

	if (!text)
		return;
	(void)fputs(label, line->to);
	line_put_name(line->to, text);
}

static void put_time(const struct line *line)
{
	struct tm parts = { 0 };
	int64_t ns = 0;
	time_t seconds;

	if (!value_time(line->event, "time", &ns)) {
		(void)fputs("--:--:--", line->to);
		return;
	}
	seconds = (time_t)(ns / 1000000000);
	if (line->flags & FORMAT_UTC)
		(void)gmtime_r(&seconds, &parts);
	else
		(void)localtime_r(&seconds, &parts);
	if (wide(line))
		(void)fprintf(line->to, "%04d-%02d-%02d ", parts.tm_year + 1900, parts.tm_mon + 1,
			      parts.tm_mday);
	(void)fprintf(line->to, "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec);
	if (wide(line))
		(void)fprintf(line->to, ".%03d", (int)(ns / 1000000 % 1000));
}

static bool asks(const json_t *event)
{
	static const char *const reasons[] = { "approval", "held",    "pending",
					       "unheld",   "granted", "refused" };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (value_is(event, "reason", reasons[i]))
			return true;
	}
	return false;
}

/* What a reason means, or its name when this version does not know it. */
static const char *reason_sentence(const json_t *event)
{
	const char *reason = value_text(event, "reason");

	for (__u32 i = 0; reason && i < PK_REASON__MAX; i++) {
		if (strcmp(names_reason(i), reason) == 0)
			return names_reason_sentence(i);
	}
	return reason ? reason : "no reason is known";
}

static void put_place(FILE *to, const json_t *rule)
{
	json_int_t number = 0;

	(void)value_number(rule, "line", &number);
	line_put_safe(to, value_text(rule, "file"), 0);
	(void)fprintf(to, ":%" JSON_INTEGER_FORMAT, number);
}

static void put_rule_number(FILE *to, const json_t *rule, const char *before, const char *behind)
{
	json_int_t number = 0;

	(void)value_number(rule, "number", &number);
	(void)fprintf(to, "%s%" JSON_INTEGER_FORMAT "%s", before, number, behind);
}

/* `rule deny@presets/base.yaml:12 (id) "reason"`. */
static void put_rule(FILE *to, const json_t *rule)
{
	if (!value_text(rule, "file")) {
		put_rule_number(to, rule, "rule number ", "");
		return;
	}
	(void)fputs("rule ", to);
	line_put_safe(to, value_text(rule, "verdict") ? value_text(rule, "verdict") : "?", 0);
	(void)fputc('@', to);
	put_place(to, rule);
	if (value_text(rule, "id")) {
		(void)fputs(" (", to);
		line_put_safe(to, value_text(rule, "id"), 0);
		(void)fputc(')', to);
	}
	if (value_text(rule, "reason")) {
		(void)fputs(" \"", to);
		line_put_safe(to, value_text(rule, "reason"), '"');
		(void)fputc('"', to);
	}
}

/* `rule process.signals (profile: strict)@base.yaml:12`: the switch, and the words that set it. */
static void put_switch(FILE *to, const json_t *event)
{
	const json_t *rule = value_object(event, "rule");
	const char *name = value_text(event, "switch");

	(void)fputs("rule process.", to);
	line_put_safe(to, name ? name : "unknown", 0);
	if (rule && value_text(rule, "file") && value_text(rule, "text")) {
		(void)fputs(" (", to);
		line_put_safe(to, value_text(rule, "text"), 0);
		(void)fputs(")@", to);
		put_place(to, rule);
	} else if (rule) {
		put_rule_number(to, rule, " (number ", ")");
	} else {
		(void)fputs(" (default profile strict)", to);
	}
}

static void put_default(FILE *to, const json_t *event)
{
	const json_t *by = value_object(event, "default");
	const char *section = value_text(by ? by : event, "section");
	const char *verdict = asks(event) ? "ask" : value_text(event, "verdict");
	json_int_t layer = 0;

	(void)fputs("default ", to);
	line_put_safe(to, verdict ? verdict : "deny", 0);
	(void)fputs(" of ", to);
	line_put_safe(to, section ? section : "unknown", 0);
	if (value_number(by, "layer", &layer) && layer > 0)
		(void)fprintf(to, " in layer %" JSON_INTEGER_FORMAT, layer + 1);
}

/* What asks: a switch, a rule or a default. */
static void put_asker(FILE *to, const json_t *event)
{
	if (value_is(event, "section", "process"))
		put_switch(to, event);
	else if (value_object(event, "rule"))
		put_rule(to, value_object(event, "rule"));
	else if (value_object(event, "default"))
		put_default(to, event);
	else
		(void)fputs("rule ask", to);
}

static void put_approval(FILE *to, const json_t *event)
{
	char grant[VALUE_NUMBER_SIZE];

	put_asker(to, event);
	if (value_is(event, "reason", "approval")) {
		(void)fputs(", and approval is not available", to);
	} else if (value_is(event, "reason", "granted")) {
		(void)fputs(", by grant ", to);
		line_put_safe(to,
			      json_object_get(event, "grant") ? value_words(event, "grant", grant) :
								"0",
			      0);
	} else {
		(void)fprintf(to, ", %s", reason_sentence(event));
	}
}

void line_put_decider(FILE *to, const json_t *event)
{
	if (value_is(event, "reason", "default"))
		put_default(to, event);
	else if (value_is(event, "reason", "guard"))
		put_switch(to, event);
	else if (asks(event))
		put_approval(to, event);
	else if (value_is(event, "reason", "rule") && value_object(event, "rule"))
		put_rule(to, value_object(event, "rule"));
	else
		line_put_safe(to, reason_sentence(event), 0);
}

/** How a verdict is shown: the word, and the terminal sequence of its colour. */
struct style {
	const char *word;
	const char *colour;
};

static struct style verdict_style(const json_t *event)
{
	bool ask = value_is(event, "verdict", "ask") && !asks(event);

	if (value_is(event, "reason", "held"))
		return (struct style){ "WAITS", "\033[1;33m" };
	if (value_is(event, "reason", "granted"))
		return (struct style){ "GRANTED", "\033[32m" };
	if (value_is(event, "kind", "activity") || value_is(event, "verdict", "allow"))
		return (struct style){ "ALLOWED", "\033[32m" };
	if (value_true(event, "audit"))
		return (struct style){ ask ? "WOULD ASK" : "WOULD DENY", "\033[33m" };
	if (ask)
		return (struct style){ "ASKED", "\033[1;33m" };
	if (value_is(event, "reason", "refused"))
		return (struct style){ "REFUSED", "\033[1;31m" };
	return (struct style){ "DENIED", "\033[1;31m" };
}

static void put_process(const struct line *line, const char *before, const json_t *process)
{
	const char *comm = value_text(process, "comm");
	json_int_t pid = 0;

	(void)fputs(before, line->to);
	(void)value_number(process, "pid", &pid);
	line_put_name(line->to, comm ? comm : "?");
	(void)fprintf(line->to, "[%" JSON_INTEGER_FORMAT "]", pid);
}

/* The process, its parent; wide: all ancestors that are known, and what else is known of it. */
static void put_processes(const struct line *line)
{
	const json_t *process = value_object(line->event, "process");
	const json_t *parent = value_object(line->event, "parent");
	const json_t *chain = wide(line) ? value_list(line->event, "chain") : NULL;

	if (!process)
		return;
	put_process(line, "  ", process);
	if (json_array_size(chain) == 0 && parent)
		put_process(line, " < ", parent);
	for (size_t i = 0; i < json_array_size(chain); i++)
		put_process(line, " < ", json_array_get(chain, i));
	if (wide(line) && value_true(line->event, "chain_cut"))
		(void)fputs(" < ...", line->to);
	if (!wide(line))
		return;
	put_key(line, " uid ", process, "uid");
	put_key(line, " exe ", process, "exe");
	put_key(line, " in ", process, "cwd");
	put_key(line, " container ", process, "container");
}

/* Repeats, and the agent's tool call that the act belongs to. */
static void put_around(const struct line *line)
{
	const json_t *context = value_object(line->event, "context");
	const json_t *tool = value_object(context, "tool");
	json_int_t count;

	if (value_number(value_object(line->event, "folded"), "count", &count))
		(void)fprintf(line->to, "  (%" JSON_INTEGER_FORMAT " times)", count);
	put_key(line, "  tool ", tool, "name");
	if (!wide(line))
		return;
	put_key(line, " call ", tool, "call_id");
	put_key(line, " to ", tool, "intent");
	put_key(line, "  trace ", context, "trace_id");
}

static void put_access(FILE *to, const json_t *event)
{
	const json_t *access = value_list(event, "access");

	/* The other operations say by their name what they ask for. */
	if (!value_is(event, "op", "open"))
		return;
	for (size_t i = 0; i < json_array_size(access); i++) {
		const char *word = json_string_value(json_array_get(access, i));

		(void)fputs(i == 0 ? " for " : "/", to);
		line_put_safe(to, word ? word : "?", 0);
	}
}

/* The operation and what it was on. Some acts are all said by their name. */
static int put_act(FILE *to, const json_t *event)
{
	const char *op = value_text(event, "op");
	CLEAN_FREE char *object = NULL;
	size_t size = 0;
	FILE *part = open_memstream(&object, &size);

	if (!part)
		return -ENOMEM;
	line_put_object(part, event);
	if (text_close(part, &object) < 0)
		return -ENOMEM;
	line_put_safe(to, op ? op : "?", 0);
	if (*object)
		(void)fprintf(to, " %s", object);
	put_access(to, event);
	return 0;
}

static bool can_approve(const json_t *event)
{
	return value_text(event, "request") &&
	       (value_is(event, "reason", "held") || value_is(event, "reason", "pending") ||
		value_is(event, "reason", "unheld"));
}

static int put_decision(const struct line *line)
{
	struct style style = verdict_style(line->event);
	int r;

	(void)fputc(' ', line->to);
	put_colour(line, style.colour);
	(void)fputs(style.word, line->to);
	put_colour(line, "\033[0m");
	(void)fputc(' ', line->to);
	r = put_act(line->to, line->event);
	put_processes(line);
	(void)fputs("  ", line->to);
	put_colour(line, "\033[2m");
	line_put_decider(line->to, line->event);
	if (can_approve(line->event))
		put_key(line, ": picket approve ", line->event, "request");
	put_around(line);
	put_colour(line, "\033[0m");
	return r;
}

/* How a process ended. */
static void put_status(const struct line *line)
{
	const json_t *status = value_object(line->event, "status");

	put_key(line, " status ", status, "code");
	put_key(line, " by ", status, "signal");
	if (value_true(status, "core"))
		(void)fputs(" (core dumped)", line->to);
}

static void put_words(const struct line *line, const json_t *process)
{
	const json_t *words = value_list(process, "argv");

	put_key(line, " ", process, "exe");
	for (size_t i = 1; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));

		(void)fputc(' ', line->to);
		line_put_name(line->to, word ? word : "?");
	}
}

static int put_life(const struct line *line)
{
	put_key(line, " ", line->event, "op");
	if (value_is(line->event, "op", "program"))
		put_words(line, value_object(line->event, "process"));
	put_status(line);
	put_processes(line);
	put_around(line);
	return 0;
}

/* A record that picketd made itself: its kind and operation, then the keys that tell what happened. */
static int put_record(const struct line *line)
{
	static const struct {
		const char *key;
		const char *label;
	} keys[] = {
		{ "name", " " },	  { "policy", "  policy " }, { "mode", " mode " },
		{ "digest", " digest " }, { "old", " from " },	     { "new", " to " },
		{ "request", "  " },	  { "grant", " grant " },    { "until", " until " },
		{ "count", " " },	  { "class", " of " },	     { "where", " at " },
		{ "total", ", in all " }, { "version", " " },	     { "tier", " tier " },
		{ "kernel", " kernel " }, { "number", " " },	     { "hash", " " },
		{ "uid", "  uid " },
	};

	put_key(line, " ", line->event, "kind");
	put_key(line, " ", line->event, "op");
	put_key(line, " ", value_object(line->event, "tool"), "name");
	put_key(line, " call ", value_object(line->event, "tool"), "call_id");
	put_key(line, " to ", value_object(line->event, "tool"), "intent");
	put_key(line, " ", value_object(line->event, "act"), "op");
	put_key(line, " ", value_object(line->event, "act"), "object");
	put_key(line, " by ", value_object(line->event, "by"), "who");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		put_key(line, keys[i].label, line->event, keys[i].key);
	put_processes(line);
	return 0;
}

static int put_line(const struct line *line)
{
	if (value_is(line->event, "kind", "life"))
		return put_life(line);
	if (value_text(line->event, "verdict"))
		return put_decision(line);
	return put_record(line);
}

int format_line(const json_t *event, unsigned int flags, char **ret_line)
{
	struct line line = { .event = event, .flags = flags };
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	int r;

	if (!value_is_record(event))
		return -EBADMSG;
	line.to = open_memstream(&text, &size);
	if (!line.to)
		return -ENOMEM;
	put_time(&line);
	if (wide(&line))
		put_key(&line, " ", event, "agent");
	r = put_line(&line);
	if (text_close(line.to, &text) < 0 || r < 0)
		return -ENOMEM;
	*ret_line = TAKE_PTR(text);
	return 0;
}

int line_sentence(const json_t *event, char **ret_text)
{
	struct line line = { .event = event };
	CLEAN_FREE char *text = NULL;
	const char *sentence;
	size_t size = 0;
	int r;

	line.to = open_memstream(&text, &size);
	if (!line.to)
		return -ENOMEM;
	r = put_line(&line);
	if (text_close(line.to, &text) < 0 || r < 0)
		return -ENOMEM;
	sentence = text + strspn(text, " ");
	*ret_text = strdup(sentence);
	return *ret_text ? 0 : -ENOMEM;
}
