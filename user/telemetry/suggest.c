/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Needs of denied acts. Decides which paths, bits and sections an act involves; whether the policy
 * should allow it is for people.
 */
#include "telemetry/suggest.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/address.h"
#include "policy/capabilities.h"
#include "policy/decide.h"
#include "telemetry/names.h"
#include "telemetry/shown.h"
#include "telemetry/suggest_pattern.h"

/* Bits of host names stay apart: what a rule without `protocol` means differs from both. */
static bool same_need(const struct suggest_need *a, const struct suggest_need *b)
{
	return a->section == b->section && a->forbidden_by == b->forbidden_by &&
	       a->hidden == b->hidden && a->host == b->host &&
	       (!a->host || a->access == b->access) && strcmp(a->pattern, b->pattern) == 0;
}

int suggest_merge(struct suggest_list *list, struct suggest_need *need)
{
	struct suggest_need *grown;

	for (size_t i = 0; i < list->count; i++) {
		struct suggest_need *old = &list->items[i];

		if (!same_need(old, need))
			continue;
		old->access |= need->access;
		old->capabilities |= need->capabilities;
		old->times += need->times;
		free(TAKE_PTR(need->pattern));
		return 0;
	}
	grown = reallocarray(list->items, list->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown[list->count++] = *need;
	need->pattern = NULL;
	return 0;
}

__u32 suggest_forbidden_by(const struct event *event)
{
	const struct pk_event *head = &event->head;
	bool asks = event_was_asked(event) && !(head->rule & PK_RULE_DEFAULT);

	return head->reason == PK_REASON_RULE || asks ? head->rule : PK_RULE_NONE;
}

/* One question about one object of an act: a path, or in section egress the event's address. */
struct question {
	enum pk_section section;
	__u8 access;
	struct event_path path;
};

/* The verdict on one access bit. */
static int decide(const struct policy_image *image, const struct event *event,
		  const struct question *question, __u8 bit, struct pk_result *ret_result)
{
	CLEAN_FREE char *path = NULL;

	if (question->section == PK_SECTION_EGRESS) {
		(void)decide_address(image, event->head.address, event->head.port, bit, ret_result);
		return 0;
	}
	path = strndup(question->path.bytes, question->path.length);
	if (!path)
		return -ENOMEM;
	/* An error is a denial too, with its reason in the result. */
	(void)decide_path(image, question->section, bit, path, ret_result);
	return 0;
}

static int add_need(struct suggest_list *list, const struct event *event,
		    const struct question *question, struct suggest_need *need)
{
	CLEAN_FREE char *pattern = NULL;
	int r;

	if (need->access == 0)
		return 0;
	need->hidden = list->hiding && question->section != PK_SECTION_EGRESS;
	if (question->section == PK_SECTION_EGRESS)
		r = suggest_address_pattern(&event->head, need);
	else
		r = suggest_path_pattern(&question->path, NULL, need);
	if (r < 0)
		return r;
	r = suggest_merge(list, need);
	pattern = need->pattern;
	return r;
}

/*
 * Ask the image about each bit: bits that only lack an allow make one need, and each rule that
 * forbids bits makes another.
 */
static int add_judged(struct suggest_list *list, const struct event *event,
		      const struct policy_image *image, const struct question *question,
		      __u64 times)
{
	struct suggest_need missing = {
		.section = question->section,
		.forbidden_by = PK_RULE_NONE,
		.times = times,
	};

	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		struct suggest_need forbidden = missing;
		struct pk_result result;
		int r;

		if (!(question->access & bit))
			continue;
		r = decide(image, event, question, (__u8)bit, &result);
		if (r < 0)
			return r;
		if (result.verdict == PK_VERDICT_ALLOW)
			continue;
		if (result.reason != PK_REASON_RULE) {
			missing.access |= (__u8)bit;
			continue;
		}
		forbidden.access = (__u8)bit;
		forbidden.forbidden_by = result.rule;
		r = add_need(list, event, question, &forbidden);
		if (r < 0)
			return r;
	}
	return add_need(list, event, question, &missing);
}

static int add_question(struct suggest_list *list, const struct event *event,
			const struct policy_image *image, const struct question *question,
			__u64 times)
{
	struct suggest_need need = {
		.section = question->section,
		.access = question->access,
		.forbidden_by = suggest_forbidden_by(event),
		.times = times,
	};

	if (question->section != PK_SECTION_EGRESS && question->path.length == 0)
		return 0;
	if (image)
		return add_judged(list, event, image, question, times);
	return add_need(list, event, question, &need);
}

/* Credentials of the machine itself: nobody should open them by pasting a line. */
static bool is_metadata(const struct event *event)
{
	CLEAN(address_match_reset) struct address_match group = { 0 };
	struct address_error error;

	if (event->head.section != PK_SECTION_EGRESS || !event_has_address(event) ||
	    address_parse("@metadata", &group, &error))
		return false;
	for (size_t i = 0; i < group.range_count; i++) {
		if (memcmp(event->head.address, group.ranges[i].low, 16) >= 0 &&
		    memcmp(event->head.address, group.ranges[i].high, 16) <= 0)
			return true;
	}
	return false;
}

bool suggest_possible(const struct event *event)
{
	switch (event->head.reason) {
	case PK_REASON_RULE:
	case PK_REASON_DEFAULT:
	case PK_REASON_GUARD:
	case PK_REASON_APPROVAL:
	case PK_REASON_HELD:
	case PK_REASON_PENDING:
	case PK_REASON_UNHELD:
	case PK_REASON_REFUSED:
		return !is_metadata(event);
	default:
		return false;
	}
}

bool suggest_approval(const struct event *event, char id[static REQUEST_ID_SIZE])
{
	const __u8 reason = event->head.reason;

	if (!event_has_request(event) ||
	    (reason != PK_REASON_HELD && reason != PK_REASON_PENDING && reason != PK_REASON_UNHELD))
		return false;
	(void)request_id(event->head.ask, id);
	return true;
}

/* Put @need, whose pattern is owned, into the list. */
static int add_owned(struct suggest_list *list, struct suggest_need *need)
{
	int r = need->pattern ? suggest_merge(list, need) : -ENOMEM;

	mem_free_ptr(&need->pattern);
	return r;
}

/* The words are not judged again: the event says what its command line came to. */
static int add_command(struct suggest_list *list, const struct event *event, __u64 times)
{
	struct suggest_need need = {
		.section = PK_SECTION_EXEC,
		.access = PK_ACCESS_RUN | PK_ACCESS_COMMAND,
		.hidden = list->hiding,
		.forbidden_by = suggest_forbidden_by(event),
		.times = times,
	};
	int r;

	if (event->path.length == 0)
		return 0;
	r = suggest_path_pattern(&event->path, &event->path2, &need);
	return r ? r : add_owned(list, &need);
}

/* The rule that is the switch itself ("ptrace: deny"), which no second one can override. */
static bool is_switch(const struct policy_image *image, __u32 number, const char *guard)
{
	const struct pk_rule *rule = image ? image_rule(image, number) : NULL;
	const char *text = rule ? image_string(image, rule->text) : "";
	size_t length = strlen(guard);

	return strncmp(text, guard, length) == 0 && text[length] == ':';
}

static int add_guard(struct suggest_list *list, const struct event *event,
		     const struct policy_image *image, __u64 times)
{
	const struct pk_event *head = &event->head;
	const char *guard = names_guard(head->access);
	struct suggest_need need = {
		.section = PK_SECTION_PROCESS,
		.access = 1,
		.forbidden_by = is_switch(image, head->rule, guard) ? head->rule : PK_RULE_NONE,
		.times = times,
	};

	/* A list refuses all that it does not name: it must name what is allowed now. */
	if (image && head->op == PK_OP_CAPABLE && head->detail < CAPABILITIES_COUNT)
		need.capabilities = (~image_head(image)->guards.capabilities &
				     ((1ULL << CAPABILITIES_COUNT) - 1)) |
				    1ULL << head->detail;
	if (asprintf(&need.pattern, "%s: allow", guard) < 0)
		need.pattern = NULL;
	return add_owned(list, &need);
}

static int add_syscall(struct suggest_list *list, const struct event *event, __u64 times)
{
	struct suggest_need need = {
		.section = PK_SECTION_SYSCALLS,
		.access = 1,
		.forbidden_by = event->head.rule,
		.pattern = strndup(event->path.length ? event->path.bytes : "", event->path.length),
		.times = times,
	};

	return add_owned(list, &need);
}

/* The questions that @event raises; returns how many. */
static size_t questions_of(const struct event *event, bool exec_both, struct question questions[2])
{
	const struct pk_event *head = &event->head;

	if (head->section == PK_SECTION_EGRESS) {
		questions[0] =
			(struct question){ .section = head->section, .access = head->access };
		return event_has_address(event) && head->op != PK_OP_SOCKET;
	}
	/* Starting a program needs both sections; the kernel reports the first that refuses. */
	if (head->op == PK_OP_EXEC && exec_both) {
		questions[0] = (struct question){ PK_SECTION_FILES, PK_ACCESS_EXEC, event->path };
		questions[1] = (struct question){ PK_SECTION_EXEC, PK_ACCESS_RUN, event->path };
		return 2;
	}
	questions[0] = (struct question){ head->section, head->access, event->path };
	questions[1] = (struct question){ head->section, head->access, event->path2 };
	return 2;
}

static int add_questions(struct suggest_list *list, const struct event *event,
			 const struct policy_image *image, __u64 times)
{
	struct question questions[2];
	size_t count = questions_of(event, image != NULL, questions);

	for (size_t i = 0; i < count; i++) {
		int r = add_question(list, event, image, &questions[i], times);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_event(struct suggest_list *list, const struct event *event,
		     const struct policy_image *image, __u64 times)
{
	int r;

	if (event->head.section == PK_SECTION_PROCESS)
		return add_guard(list, event, image, times);
	if (event->head.section == PK_SECTION_SYSCALLS)
		return add_syscall(list, event, times);
	if (event->head.op == PK_OP_COMMAND)
		return add_command(list, event, times);
	r = suggest_network(list, event, times);
	if (r)
		return r < 0 ? r : 0;
	return add_questions(list, event, image, times);
}

int suggest_add(struct suggest_list *list, const struct event *event,
		const struct event_context *context, __u64 times)
{
	CLEAN(event_shown_reset) struct event_shown shown = { 0 };
	int r;

	if (!suggest_possible(event))
		return 0;
	r = event_show(event, event_hidden(context), &shown);
	if (r)
		return r;
	list->hiding = shown.hidden;
	r = add_event(list, event, context->image, times);
	list->hiding = false;
	return r;
}

/* A YAML double-quoted scalar. Patterns have no bytes that would need more than this. */
static void put_quoted(FILE *to, const char *text)
{
	(void)fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
	(void)fputc('"', to);
}

static void put_switch(FILE *to, const struct suggest_need *need)
{
	const char *separator = "";

	if (!need->capabilities) {
		(void)fputs(need->pattern, to);
		return;
	}
	(void)fputs("capabilities: [", to);
	for (__u32 i = 0; i < CAPABILITIES_COUNT; i++) {
		if (!(need->capabilities & (1ULL << i)))
			continue;
		(void)fprintf(to, "%s%s", separator, capabilities_name(i));
		separator = ", ";
	}
	(void)fputc(']', to);
}

/* What a rule of the need's section is about that has no `protocol`. */
static __u8 usual_protocols(const struct suggest_need *need)
{
	return need->host ? PK_ACCESS_TCP : PK_ACCESS_EGRESS;
}

static void put_rule(FILE *to, const struct suggest_need *need)
{
	char access[NAMES_ACCESS_SIZE];

	(void)fputs("- {allow: ", to);
	put_quoted(to, need->pattern);
	names_access(need->section, need->access, ", ", access);
	if (need->section == PK_SECTION_FILES)
		(void)fprintf(to, ", access: [%s]", access);
	else if ((need->section == PK_SECTION_EGRESS || need->section == PK_SECTION_LISTEN) &&
		 need->access != usual_protocols(need))
		(void)fprintf(to, ", protocol: %s", access);
	(void)fputc('}', to);
}

int suggest_line(const struct suggest_need *need, char **ret_line)
{
	CLEAN_FREE char *line = NULL;
	size_t size = 0;
	FILE *to;

	if (need->hidden)
		return -EPERM;
	to = open_memstream(&line, &size);
	if (!to)
		return -ENOMEM;
	if (need->section == PK_SECTION_PROCESS)
		put_switch(to, need);
	else if (need->section == PK_SECTION_ACCEPT)
		(void)fputs(need->pattern, to);
	else
		put_rule(to, need);
	if (fclose(to) != 0)
		return -ENOMEM;
	*ret_line = TAKE_PTR(line);
	return 0;
}

void suggest_list_reset(struct suggest_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].pattern);
	free(list->items);
	*list = (struct suggest_list){ 0 };
}
