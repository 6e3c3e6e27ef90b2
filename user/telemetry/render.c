/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text form of an event. Decides wording, order and quoting; everything that comes from the
 * confined program or from policy text goes through the escaping.
 */
#include "telemetry/render.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/detail.h"
#include "telemetry/names.h"
#include "telemetry/render_network.h"
#include "telemetry/shown.h"
#include "telemetry/suggest.h"

/* A stream into a malloc'ed string. */
struct text {
	FILE *to;
	char *bytes;
	size_t size;
};

static int text_open(struct text *text)
{
	*text = (struct text){ 0 };
	text->to = open_memstream(&text->bytes, &text->size);
	return text->to ? 0 : -ENOMEM;
}

static int text_close(struct text *text, char **ret_text)
{
	bool failed = ferror(text->to) != 0;

	if (fclose(text->to) != 0 || failed) {
		free(text->bytes);
		return -ENOMEM;
	}
	*ret_text = text->bytes;
	return 0;
}

static void put_quoted(FILE *to, const char *text)
{
	(void)fputc('"', to);
	escape_write(to, text, strlen(text), '"');
	(void)fputc('"', to);
}

static void put_paths(FILE *to, const struct event *event)
{
	if (event->path.length == 0)
		(void)fputs("(no path)", to);
	else
		render_put_name(to, event->path.bytes, event->path.length);
	if (event->path2.length > 0) {
		(void)fputs(" -> ", to);
		render_put_name(to, event->path2.bytes, event->path2.length);
	}
}

/* The program, then each word. */
static void put_command(FILE *to, const struct event *event)
{
	const char *at = event->path2.bytes;
	size_t left = event->path2.length;

	if (event->path.length > 0)
		render_put_name(to, event->path.bytes, event->path.length);
	while (left > 0) {
		const char *nul = memchr(at, '\0', left);
		size_t length = nul ? (size_t)(nul - at) : left;

		(void)fputc(' ', to);
		render_put_name(to, at, length);
		length += nul ? 1 : 0;
		at += length;
		left -= length;
	}
}

static void put_detail(FILE *to, const struct pk_event *head)
{
	const char *name = detail_name(head->op, head->detail);

	if (name)
		(void)fputs(name, to);
	else if (head->op == PK_OP_IOCTL || head->op == PK_OP_TERMINAL)
		(void)fprintf(to, "0x%x", head->detail);
	else
		(void)fprintf(to, "%u", head->detail);
}

static void put_target(FILE *to, const struct event *event)
{
	(void)fprintf(to, "pid %u", event->head.target);
	if (!event->target_comm[0])
		return;
	(void)fputs(" (", to);
	render_put_name(to, event->target_comm, strlen(event->target_comm));
	(void)fputc(')', to);
}

/* Acts that are about a number, a process or nothing, more than about a file. */
static void put_act(FILE *to, const struct event *event)
{
	bool detail = detail_kind(event->head.op) && event->head.op != PK_OP_SYSCALL;

	if (detail)
		put_detail(to, &event->head);
	if (event_has_target(event)) {
		(void)fputs(detail ? " to " : "", to);
		put_target(to, event);
	}
	if (event->path.length == 0)
		return;
	(void)fputs(detail || event_has_target(event) ? " " : "", to);
	put_paths(to, event);
}

static void put_object(FILE *to, const struct event *event)
{
	switch (event->head.op) {
	case PK_OP_COMMAND:
		put_command(to, event);
		break;
	default:
		if (event_is_network(event) ||
		    (event->head.op == PK_OP_RECEIVE && event_has_address(event)))
			render_put_network(to, event);
		else if (detail_kind(event->head.op) || event_has_target(event) ||
			 event->head.section == PK_SECTION_PROCESS)
			put_act(to, event);
		else
			put_paths(to, event);
	}
}

/* `12`, or `presets/base.yaml:12` when it is not in the main policy file. */
static void put_place(FILE *to, const struct event_context *context, const struct pk_rule *rule)
{
	const char *file = image_string(context->image, rule->file);

	if (!context->main_file || strcmp(file, context->main_file) != 0) {
		escape_write(to, file, strlen(file), 0);
		(void)fputc(':', to);
	}
	(void)fprintf(to, "%u", rule->line);
}

/* `deny@12 (id) "reason"`. */
static void put_rule(FILE *to, const struct event_context *context, const struct pk_rule *rule)
{
	(void)fprintf(to, "rule %s@", names_verdict(rule->verdict));
	put_place(to, context, rule);
	if (rule->id) {
		const char *id = image_string(context->image, rule->id);

		(void)fputs(" (", to);
		escape_write(to, id, strlen(id), 0);
		(void)fputc(')', to);
	}
	if (rule->reason) {
		(void)fputc(' ', to);
		put_quoted(to, image_string(context->image, rule->reason));
	}
}

/* `process.signals (profile: strict)@12`: the switch, and the words that set it. */
static void put_guard(FILE *to, const struct event *event, const struct event_context *context)
{
	const struct pk_rule *rule = context->image ? image_rule(context->image, event->head.rule) :
						      NULL;

	(void)fprintf(to, "rule process.%s ", names_guard(event->head.access));
	if (rule) {
		const char *words = image_string(context->image, rule->text);

		(void)fputc('(', to);
		escape_write(to, words, strlen(words), 0);
		(void)fputs(")@", to);
		put_place(to, context, rule);
	} else if (event->head.rule & PK_RULE_DEFAULT) {
		(void)fputs("(default profile strict)", to);
	} else {
		(void)fprintf(to, "(number %u)", event->head.rule);
	}
}

static void put_default(FILE *to, const struct event *event, const struct event_context *context)
{
	__u32 layer = (event->head.rule & ~PK_RULE_DEFAULT) >> 8;

	(void)fprintf(to, "default %s of %s",
		      names_verdict(event_was_asked(event) ? PK_VERDICT_ASK : event->head.verdict),
		      names_section(event->head.rule & 0xff));
	if (context->image && image_head(context->image)->layers > 1)
		(void)fprintf(to, " in layer %u", layer + 1);
}

/* What asks: a switch, a rule or a default. */
static void put_asker(FILE *to, const struct event *event, const struct event_context *context)
{
	const struct pk_rule *rule = context->image ? image_rule(context->image, event->head.rule) :
						      NULL;

	if (event->head.section == PK_SECTION_PROCESS)
		put_guard(to, event, context);
	else if (rule)
		put_rule(to, context, rule);
	else if (event->head.rule == PK_RULE_NONE)
		(void)fputs("rule ask", to);
	else if (event->head.rule & PK_RULE_DEFAULT)
		put_default(to, event, context);
	else
		(void)fprintf(to, "rule number %u", event->head.rule);
}

/* What asks, and what came of it. */
static void put_approval(FILE *to, const struct event *event, const struct event_context *context)
{
	put_asker(to, event, context);
	if (event->head.reason == PK_REASON_APPROVAL)
		(void)fputs(", and approval is not available", to);
	else if (event->head.reason == PK_REASON_GRANTED)
		(void)fprintf(to, ", by grant %u", event->head.grant);
	else
		(void)fprintf(to, ", %s", names_reason_sentence(event->head.reason));
}

static void put_decider(FILE *to, const struct event *event, const struct event_context *context)
{
	const struct pk_rule *rule = context->image ? image_rule(context->image, event->head.rule) :
						      NULL;

	if (event->head.reason == PK_REASON_DEFAULT) {
		put_default(to, event, context);
	} else if (event->head.reason == PK_REASON_GUARD) {
		put_guard(to, event, context);
	} else if (event_was_asked(event)) {
		put_approval(to, event, context);
	} else if (event->head.reason != PK_REASON_RULE) {
		(void)fputs(names_reason_sentence(event->head.reason), to);
	} else if (rule) {
		put_rule(to, context, rule);
	} else {
		(void)fprintf(to, "rule number %u", event->head.rule);
	}
}

struct verdict_style {
	const char *word;
	const char *colour; /* SGR sequence of the word */
};

static struct verdict_style verdict_style(const struct pk_event *head)
{
	/* What cannot be approved, or not yet, is refused like what is denied. */
	bool asks = head->verdict == PK_VERDICT_ASK && head->reason < PK_REASON_APPROVAL;

	if (head->reason == PK_REASON_HELD)
		return (struct verdict_style){ "WAITS", "\033[1;33m" };
	if (head->reason == PK_REASON_GRANTED)
		return (struct verdict_style){ "GRANTED", "\033[32m" };
	if (head->kind == PK_EVENT_ACTIVITY || head->verdict == PK_VERDICT_ALLOW)
		return (struct verdict_style){ "ALLOWED", "\033[32m" };
	if (head->audit)
		return (struct verdict_style){ asks ? "WOULD ASK" : "WOULD DENY", "\033[33m" };
	if (asks)
		return (struct verdict_style){ "ASKED", "\033[1;33m" };
	if (head->reason == PK_REASON_REFUSED)
		return (struct verdict_style){ "REFUSED", "\033[1;31m" };
	return (struct verdict_style){ "DENIED", "\033[1;31m" };
}

static void put_process(FILE *to, const char *comm, __u32 tgid)
{
	render_put_name(to, comm, strlen(comm));
	(void)fprintf(to, "[%u]", tgid);
}

static void put_time(FILE *to, const struct event *event, const struct event_context *context)
{
	struct timespec when = event_time(event->head.time_ns, context->clock_offset_ns);
	struct tm parts = { 0 };

	(void)localtime_r(&when.tv_sec, &parts);
	(void)fprintf(to, "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static void put_access(FILE *to, const struct pk_event *head)
{
	char text[NAMES_ACCESS_SIZE];

	/* The other operations say by their name what they ask for. */
	if (head->op == PK_OP_OPEN && head->access)
		(void)fprintf(to, " for %s", names_access(head->section, head->access, "/", text));
}

/* Some acts are all said by their name. */
static bool has_object(const struct event *event)
{
	return event->head.section != PK_SECTION_PROCESS || detail_kind(event->head.op) ||
	       event_has_target(event) || event->path.length > 0 || event_is_network(event);
}

int render_event(const struct event *event, const struct event_context *context, char **ret_line)
{
	const struct pk_event *head = &event->head;
	struct verdict_style style = verdict_style(head);
	const char *dim = context->colour ? "\033[2m" : "";
	const char *plain = context->colour ? "\033[0m" : "";
	CLEAN(event_shown_reset) struct event_shown shown = { 0 };
	char id[REQUEST_ID_SIZE];
	struct text line;
	int r = event_show(event, event_hidden(context), &shown);

	if (r == 0)
		r = text_open(&line);
	if (r)
		return r;
	put_time(line.to, event, context);
	(void)fprintf(line.to, " %s%s%s %s", context->colour ? style.colour : "", style.word, plain,
		      names_op(head->op));
	if (has_object(event))
		(void)fputc(' ', line.to);
	put_object(line.to, &shown.event);
	put_access(line.to, head);
	(void)fputs("  ", line.to);
	put_process(line.to, event->comm, head->tgid);
	if (head->parent_tgid) {
		(void)fputs(" < ", line.to);
		put_process(line.to, event->parent_comm, head->parent_tgid);
	}
	(void)fprintf(line.to, "  %s", dim);
	put_decider(line.to, event, context);
	if (suggest_approval(event, id))
		(void)fprintf(line.to, ": picket approve %s", id);
	(void)fprintf(line.to, "%s\n", plain);
	return text_close(&line, ret_line);
}

int render_object(const struct event *event, const struct event_context *context, char **ret_text)
{
	CLEAN(event_shown_reset) struct event_shown shown = { 0 };
	struct text text;
	int r = event_show(event, event_hidden(context), &shown);

	if (r == 0)
		r = text_open(&text);
	if (r)
		return r;
	put_object(text.to, &shown.event);
	return text_close(&text, ret_text);
}

int render_decider(const struct event *event, const struct event_context *context, char **ret_text)
{
	struct text text;
	int r = text_open(&text);

	if (r < 0)
		return r;
	put_decider(text.to, event, context);
	return text_close(&text, ret_text);
}
