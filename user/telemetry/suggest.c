/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Needs of denied acts. Decides which paths, bits and sections an act involves and how a pattern
 * for exactly one object is written; whether the policy should allow it is for people.
 */
#include "telemetry/suggest.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "policy/decide.h"
#include "telemetry/names.h"

/* Bytes with a meaning in path globs. */
static const char glob_bytes[] = "*?[]{},\\";

/*
 * The pattern that matches @path: glob bytes escaped, '$' doubled for the variables. A byte that
 * policy text may not hold (control, invisible, not UTF-8) becomes '?', which is one byte but '/'.
 */
static int path_pattern(const struct event_path *path, struct suggest_need *need)
{
	CLEAN_FREE char *pattern = malloc(path->length * 2 + 1);
	size_t used = 0;

	if (!pattern)
		return -ENOMEM;
	for (size_t at = 0; at < path->length;) {
		const char *bytes = path->bytes + at;
		size_t size = escape_plain(bytes, path->length - at);

		if (size == 0) {
			pattern[used++] = '?';
			need->blurred = true;
		} else if (*bytes == '$') {
			pattern[used++] = '$';
		} else if (strchr(glob_bytes, *bytes)) {
			pattern[used++] = '\\';
		}
		memcpy(pattern + used, bytes, size);
		used += size;
		at += size ? size : 1;
	}
	pattern[used] = '\0';
	need->pattern = TAKE_PTR(pattern);
	return 0;
}

/*
 * ADDRESS:PORT; what Linux takes for loopback is written as loopback, for so it is judged. Port 0,
 * which resolvers connect datagram sockets to, can only be allowed with all others.
 */
static int address_pattern(const struct pk_event *head, struct suggest_need *need)
{
	static const __u8 any[16] = { 0 };
	static const __u8 any_v4[16] = { [10] = 0xff, [11] = 0xff };
	static const __u8 loopback[16] = { [15] = 1 };
	static const __u8 loopback_v4[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
	const __u8 *address = head->address;
	char text[EVENT_ADDRESS_SIZE];
	char port[8] = "*";

	if (memcmp(address, any, sizeof(any)) == 0)
		address = loopback;
	else if (memcmp(address, any_v4, sizeof(any_v4)) == 0)
		address = loopback_v4;
	if (head->port)
		(void)snprintf(port, sizeof(port), "%u", head->port);
	event_address(address, text);
	if (asprintf(&need->pattern, strchr(text, ':') ? "[%s]:%s" : "%s:%s", text, port) < 0) {
		need->pattern = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* Put @need (its pattern is taken over) into the list, or its bits and count to an equal one. */
static int merge(struct suggest_list *list, struct suggest_need *need)
{
	struct suggest_need *grown;

	for (size_t i = 0; i < list->count; i++) {
		struct suggest_need *old = &list->items[i];

		if (old->section != need->section || old->forbidden_by != need->forbidden_by ||
		    strcmp(old->pattern, need->pattern) != 0)
			continue;
		old->access |= need->access;
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
	if (question->section == PK_SECTION_EGRESS)
		r = address_pattern(&event->head, need);
	else
		r = path_pattern(&question->path, need);
	if (r < 0)
		return r;
	r = merge(list, need);
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
		.forbidden_by = event->head.reason == PK_REASON_RULE ? event->head.rule :
								       PK_RULE_NONE,
		.times = times,
	};

	if (question->section != PK_SECTION_EGRESS && question->path.length == 0)
		return 0;
	if (image)
		return add_judged(list, event, image, question, times);
	return add_need(list, event, question, &need);
}

bool suggest_possible(const struct event *event)
{
	return event->head.reason == PK_REASON_RULE || event->head.reason == PK_REASON_DEFAULT;
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

int suggest_add(struct suggest_list *list, const struct event *event,
		const struct policy_image *image, __u64 times)
{
	struct question questions[2];
	size_t count = questions_of(event, image != NULL, questions);

	for (size_t i = 0; i < count && suggest_possible(event); i++) {
		int r = add_question(list, event, image, &questions[i], times);

		if (r < 0)
			return r;
	}
	return 0;
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

int suggest_line(const struct suggest_need *need, char **ret_line)
{
	char access[NAMES_ACCESS_SIZE];
	CLEAN_FREE char *line = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&line, &size);

	if (!to)
		return -ENOMEM;
	(void)fputs("- {allow: ", to);
	put_quoted(to, need->pattern);
	names_access(need->section, need->access, ", ", access);
	if (need->section == PK_SECTION_FILES)
		(void)fprintf(to, ", access: [%s]", access);
	else if (need->section == PK_SECTION_EGRESS && need->access != PK_ACCESS_EGRESS)
		(void)fprintf(to, ", protocol: %s", access);
	(void)fputc('}', to);
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
