/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The summary in words: groups by falling count, what was concerned, and what to write into the
 * policy, so that it can be pasted.
 */
#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/names.h"
#include "telemetry/render.h"
#include "telemetry/suggest.h"
#include "telemetry/summary_groups.h"

/* Objects listed of a group for which there are no lines to paste. */
#define OBJECTS_SHOWN 8

static const char *plural(__u64 count)
{
	return count == 1 ? "" : "s";
}

static int by_group_count(const void *a, const void *b)
{
	const struct summary_group *x = *(const struct summary_group *const *)a;
	const struct summary_group *y = *(const struct summary_group *const *)b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x < y ? -1 : 1;
}

static int by_object_count(const void *a, const void *b)
{
	const struct summary_object *x = *(const struct summary_object *const *)a;
	const struct summary_object *y = *(const struct summary_object *const *)b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x < y ? -1 : 1;
}

static int print_header(const struct summary_group *group, const struct event_context *context,
			FILE *to)
{
	CLEAN_FREE char *decider = NULL;
	int r = render_decider(&group->first, context, &decider);

	if (r < 0)
		return r;
	(void)fprintf(to, "\n%6llu x  %s\n", (unsigned long long)group->count, decider);
	return 0;
}

static void print_uncounted(const struct summary_group *group, __u64 unlisted, FILE *to)
{
	__u64 others = group->unkept + unlisted;

	if (others > 0)
		(void)fprintf(to, "            and %llu more on other objects\n",
			      (unsigned long long)others);
}

/* Order of @count elements of @size bytes at @items, as pointers; NULL without memory. */
static void *sorted(void *items, size_t count, size_t size,
		    int (*compare)(const void *, const void *))
{
	void **order = calloc(count ? count : 1, sizeof(*order));

	for (size_t i = 0; order && i < count; i++)
		order[i] = (char *)items + i * size;
	if (order)
		qsort(order, count, sizeof(*order), compare);
	return order;
}

/* A line for one object; nothing for one that the suggested lines name (@all: also for these). */
static int print_object(const struct summary_object *object, bool all,
			const struct event_context *context, FILE *to)
{
	CLEAN_FREE char *text = NULL;
	char id[REQUEST_ID_SIZE];
	int r;

	if (!all && suggest_possible(&object->event))
		return 0;
	r = render_object(&object->event, context, &text);
	if (r < 0)
		return r;
	(void)fprintf(to, "%10llu  %s %s", (unsigned long long)object->count,
		      names_op(object->event.head.op), text);
	if (suggest_approval(&object->event, id))
		(void)fprintf(to, "  # picket approve %s", id);
	(void)fputc('\n', to);
	return 0;
}

static int print_objects(const struct summary_group *group, bool all,
			 const struct event_context *context, FILE *to)
{
	CLEAN_FREE struct summary_object **order = sorted(group->objects, group->object_count,
							  sizeof(*group->objects), by_object_count);
	__u64 unlisted = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < group->object_count; i++) {
		int r = 0;

		if (i >= OBJECTS_SHOWN && all)
			unlisted += order[i]->count;
		else
			r = print_object(order[i], all, context, to);
		if (r < 0)
			return r;
	}
	print_uncounted(group, unlisted, to);
	return 0;
}

/* The rule that no allow overrides: where it stands and what it says. */
static void print_forbidden(const struct suggest_need *need, const struct event_context *context,
			    FILE *to)
{
	const struct pk_rule *rule =
		context->image ? image_rule(context->image, need->forbidden_by) : NULL;
	const char *file;
	const char *text;

	if (!rule) {
		(void)fprintf(to, "        rule number %u decides; remove or narrow it\n",
			      need->forbidden_by);
		return;
	}
	file = image_string(context->image, rule->file);
	text = image_string(context->image, rule->text);
	(void)fprintf(to, "        %s rule at ", names_verdict(rule->verdict));
	escape_write(to, file, strlen(file), 0);
	(void)fprintf(to,
		      ":%u:%u decides, no allow overrides it; remove or narrow it: ", rule->line,
		      rule->column);
	escape_write(to, text, strlen(text), 0);
	(void)fputc('\n', to);
}

/* Each forbidding rule once. */
static void print_all_forbidden(const struct suggest_list *needs,
				const struct event_context *context, FILE *to)
{
	for (size_t i = 0; i < needs->count; i++) {
		const struct suggest_need *need = &needs->items[i];
		bool printed = need->forbidden_by == PK_RULE_NONE;

		for (size_t j = 0; j < i && !printed; j++)
			printed = needs->items[j].forbidden_by == need->forbidden_by;
		if (!printed)
			print_forbidden(need, context, to);
	}
}

static void print_where(enum pk_section section, FILE *to)
{
	if (section == PK_SECTION_ACCEPT)
		(void)fputs("        to allow it, change in the rules of 'listen':\n", to);
	else
		(void)fprintf(to, "        to allow it, add to %s'%s':\n",
			      section == PK_SECTION_PROCESS ? "" : "the rules of ",
			      names_section(section));
}

static int print_lines(const struct suggest_list *needs, enum pk_section section, FILE *to)
{
	bool headed = false;
	__u64 hidden = 0;

	for (size_t i = 0; i < needs->count; i++) {
		const struct suggest_need *need = &needs->items[i];
		CLEAN_FREE char *line = NULL;
		int r;

		if (need->section != section || need->forbidden_by != PK_RULE_NONE)
			continue;
		if (need->hidden) {
			hidden += need->times;
			continue;
		}
		r = suggest_line(need, &line);
		if (r < 0)
			return r;
		if (!headed)
			print_where(section, to);
		headed = true;
		(void)fprintf(to, "          %s  # %llu time%s%s\n", line,
			      (unsigned long long)need->times, plural(need->times),
			      need->blurred ? "; '?' is a byte that a policy cannot spell" : "");
	}
	if (hidden)
		(void)fprintf(
			to,
			"        (no line of '%s' for %llu time%s: it would show what is hidden)\n",
			names_section(section), (unsigned long long)hidden, plural(hidden));
	return 0;
}

/* What people can do where no line of a rule helps. */
static const char *other_remedy(const struct pk_event *head)
{
	switch (head->reason) {
	case PK_REASON_WIDENS:
		return "no policy line allows it; copying instead of renaming works where both names "
		       "may be used";
	case PK_REASON_DNS_RATE:
		return "'rate' of 'dns' in 'egress' sets the limit";
	case PK_REASON_DNS_LONG:
		return "'max_name' of 'dns' in 'egress' sets the limit";
	case PK_REASON_DNS_PRIVATE:
		return "a rule for the address itself allows it, or 'private_answers' of 'dns'";
	case PK_REASON_NETLINK:
		return "'netlink-all' in 'allow' of 'sockets' allows it";
	case PK_REASON_SOCKET:
		if (head->section == PK_SECTION_SOCKETS)
			return "'allow' of 'sockets' names the kinds that may be made";
		break;
	case PK_REASON_RULE:
	case PK_REASON_DEFAULT:
		return "no line is suggested for it";
	default:
		break;
	}
	return "no policy line allows it";
}

static int print_suggestions(const struct summary_group *group, const struct suggest_list *needs,
			     const struct event_context *context, FILE *to)
{
	print_all_forbidden(needs, context, to);
	for (enum pk_section section = 0; section < PK_SECTION__MAX; section++) {
		int r = print_lines(needs, section, to);

		if (r < 0)
			return r;
	}
	if (needs->count == 0)
		(void)fprintf(to, "        %s\n", other_remedy(&group->first.head));
	return 0;
}

/*
 * Objects are listed where the lines do not name them: for reasons that no line changes, and for
 * rules that forbid.
 */
static int print_group(const struct summary_group *group, const struct event_context *context,
		       FILE *to)
{
	CLEAN(suggest_list_reset) struct suggest_list needs = { 0 };
	int r = print_header(group, context, to);

	for (size_t i = 0; r == 0 && i < group->object_count; i++)
		r = suggest_add(&needs, &group->objects[i].event, context, group->objects[i].count);
	if (r == 0)
		r = print_objects(group,
				  group->first.head.reason != PK_REASON_DEFAULT || needs.count == 0,
				  context, to);
	if (r == 0)
		r = print_suggestions(group, &needs, context, to);
	return r;
}

static void print_answers(const struct summary *summary, FILE *to)
{
	if (summary->held || summary->granted || summary->refused)
		(void)fprintf(to, "picket: approvals: %llu waited, %llu granted, %llu refused\n",
			      (unsigned long long)summary->held,
			      (unsigned long long)summary->granted,
			      (unsigned long long)summary->refused);
}

static void print_loss(FILE *to, __u64 count, const char *what)
{
	if (count > 0)
		(void)fprintf(to, "picket: %llu %s\n", (unsigned long long)count, what);
}

static void print_losses(const struct summary *summary, FILE *to)
{
	const __u64 *counts = summary->counts;

	print_loss(to, summary->ungrouped, "denials by further rules are not listed");
	print_loss(to, counts[PK_COUNT_DECISION_LOST],
		   "decisions took effect but are not shown: the buffer was full");
	print_loss(to, counts[PK_COUNT_ACTIVITY_LOST],
		   "records of allowed acts were lost: the buffer was full");
	print_loss(to, counts[PK_COUNT_ACTIVITY_LIMITED],
		   "records of allowed acts were held back by 'rate' of the policy's report");
	print_loss(to, summary->malformed, "event records were malformed and are not shown");
	print_loss(to, counts[PK_COUNT_SCRATCH_BUSY],
		   "acts were denied because no work area was free");
	print_loss(to, counts[PK_COUNT_LABEL_FAILED],
		   "tasks could not be labelled and were judged by their control group");
}

int summary_print(const struct summary *summary, const struct event_context *context, FILE *to)
{
	CLEAN_FREE struct summary_group **order = sorted(summary->groups, summary->group_count,
							 sizeof(*summary->groups), by_group_count);

	if (!order)
		return -ENOMEM;
	if (summary->denials > 0) {
		bool audit = summary->group_count > 0 && order[0]->first.head.audit;
		const char *what = audit ? "would-be denial" : "denial";

		(void)fprintf(to, "picket: %llu %s%s\n", (unsigned long long)summary->denials, what,
			      plural(summary->denials));
	}
	for (size_t i = 0; i < summary->group_count; i++) {
		int r = print_group(order[i], context, to);

		if (r < 0)
			return r;
	}
	if (summary->denials > 0)
		(void)fputc('\n', to);
	print_answers(summary, to);
	print_losses(summary, to);
	return ferror(to) ? -EIO : 0;
}
