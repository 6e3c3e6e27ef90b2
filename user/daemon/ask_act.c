/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule is the same when a reader of the policy would say so: where it stands in the file does not
 * matter, what it says does.
 */
#include "daemon/ask_act.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/json.h"
#include "telemetry/redact.h"
#include "telemetry/render.h"

/* Where an image says nothing. */
#define TIMEOUT_DEFAULT 300U

/* Keys of an event that tell of the act and not of who did it when. */
static const char *const act_keys[] = {
	"op",	       "section", "access",   "host",	    "host_hex", "address",
	"port",	       "family",  "protocol", "path",	    "path_hex", "path2",
	"path2_hex",   "switch",  "signal",   "capability", "ioctl",	"bpf_command",
	"kernel_file", "target",  "rule",     "default",
};

/* The words of a command, the program's own name first. */
static json_t *words(const struct event *event)
{
	json_t *list = json_array();
	const char *at = event->path2.bytes;
	size_t left = event->path2.length;

	while (list && left > 0 && json_array_size(list) < ASK_WORDS_MAX) {
		size_t length = strnlen(at, left);
		CLEAN_FREE char *word = escape_string(at, length, 0);

		if (!word || json_array_append_new(list, json_string(word))) {
			json_decref(list);
			return NULL;
		}
		length += length < left ? 1 : 0;
		at += length;
		left -= length;
	}
	return list;
}

static int copy_keys(json_t *to, const json_t *from)
{
	for (size_t i = 0; i < sizeof(act_keys) / sizeof(act_keys[0]); i++) {
		json_t *value = json_object_get(from, act_keys[i]);

		if (value && json_object_set(to, act_keys[i], value))
			return -1;
	}
	/* It is another one in each image. */
	(void)json_object_del(json_object_get(to, "rule"), "number");
	return 0;
}

/* What it was on: as it is, and where that holds secrets also without them. */
static int set_object(json_t *act, const struct event *event, const struct event_context *context,
		      const struct event_context *exact)
{
	CLEAN_FREE char *object = NULL;
	CLEAN_FREE char *shown = NULL;

	if (render_object(event, exact, &object) || render_object(event, context, &shown) ||
	    json_object_set_new(act, "object", json_string(object)))
		return -1;
	return strcmp(object, shown) == 0 ? 0 :
					    json_object_set_new(act, "shown", json_string(shown));
}

const char *ask_shown(const json_t *act)
{
	const char *object = json_string_value(json_object_get(act, "object"));
	const char *shown = json_string_value(json_object_get(act, "shown"));

	return shown ? shown : object ? object : "?";
}

json_t *ask_act(const struct event *event, const struct event_context *context)
{
	struct event_context exact = *context;
	CLEAN_FREE char *line = NULL;
	json_t *act = json_object();
	json_t *all;
	int r;

	exact.redact = &redact_nothing;
	if (json_event(event, &exact, &line)) {
		json_decref(act);
		return NULL;
	}
	all = json_loads(line, 0, NULL);
	r = all && act ? copy_keys(act, all) : -1;
	json_decref(all);
	if (r == 0)
		r = set_object(act, event, context, &exact);
	/* As the kernel tells them they have blanks between, and may have blanks in them. */
	if (r == 0 && event->head.op == PK_OP_COMMAND && event->path2.length &&
	    !event->path2.bytes[event->path2.length - 1])
		r = json_object_set_new(act, "argv", words(event));
	if (r == 0)
		return act;
	json_decref(act);
	return NULL;
}

unsigned int ask_approvers(const struct policy_image *image, __u32 rule)
{
	const struct pk_rule *found = image->bytes ? image_rule(image, rule) : NULL;

	unsigned int all = image->bytes ? image_head(image)->ask_approvers : 0;

	if (found)
		return pk_rule_approvers(found);
	return all ? all : 1;
}

unsigned int ask_timeout(const struct policy_image *image)
{
	unsigned int seconds = image->bytes ? image_head(image)->ask_timeout : 0;

	return seconds ? seconds : TIMEOUT_DEFAULT;
}

__u64 ask_image(const struct policy_image *image)
{
	__u64 first = 0;

	if (image->bytes)
		memcpy(&first, image_head(image)->digest, sizeof(first));
	return first;
}

/* --- The same rule elsewhere ---------------------------------------------------------------------- */

static __u32 rule_count(const struct policy_image *image)
{
	return image_head(image)->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);
}

/* Is the glob @text among those that give programs a bit of @subjects? */
static bool names_program(const struct policy_image *image, __u32 subjects, const char *text)
{
	for (__u32 i = 0; i < rule_count(image); i++) {
		const struct pk_rule *rule = image_rule(image, i);

		if (rule->section == PK_SECTION_SUBJECT && rule->subjects & subjects &&
		    strcmp(image_string(image, rule->text), text) == 0)
			return true;
	}
	return false;
}

/* Every program that @subjects of @a names is named by those of @b. */
static bool covers(const struct policy_image *a, __u32 subjects, const struct policy_image *b,
		   __u32 others)
{
	for (__u32 i = 0; i < rule_count(a); i++) {
		const struct pk_rule *rule = image_rule(a, i);

		if (rule->section == PK_SECTION_SUBJECT && rule->subjects & subjects &&
		    !names_program(b, others, image_string(a, rule->text)))
			return false;
	}
	return true;
}

static bool same_programs(const struct policy_image *a, __u32 subjects,
			  const struct policy_image *b, __u32 others)
{
	if (subjects == ~0U || others == ~0U)
		return subjects == others;
	return covers(a, subjects, b, others) && covers(b, others, a, subjects);
}

static bool same_text(const struct policy_image *a, __u32 text, const struct policy_image *b,
		      __u32 other)
{
	return strcmp(image_string(a, text), image_string(b, other)) == 0;
}

static bool is_same(const struct policy_image *before, const struct pk_rule *rule,
		    const struct policy_image *after, const struct pk_rule *other)
{
	return rule->verdict == other->verdict && rule->section == other->section &&
	       rule->access == other->access && same_text(before, rule->text, after, other->text) &&
	       same_text(before, rule->file, after, other->file) &&
	       same_text(before, rule->id, after, other->id) &&
	       same_programs(before, rule->subjects, after, other->subjects);
}

/* A default has no text: it is the same when the layers are as many and this one asks there too. */
static __u32 find_default(const struct policy_image *before, __u32 rule,
			  const struct policy_image *after)
{
	__u32 section = rule & 0xff;
	__u32 layer = (rule & ~PK_RULE_DEFAULT) >> 8;

	if (section >= PK_SECTION__MAX || layer >= image_head(after)->layers ||
	    image_head(before)->layers != image_head(after)->layers ||
	    ask_approvers(before, rule) != ask_approvers(after, rule))
		return PK_RULE_NONE;
	return image_head(after)->defaults[section].ask & 0xfU << (layer << 2) ? rule :
										 PK_RULE_NONE;
}

__u32 ask_find_rule(const struct policy_image *before, __u32 rule, const struct policy_image *after)
{
	const struct pk_rule *old;

	if (!before->bytes || !after->bytes || rule == PK_RULE_NONE)
		return PK_RULE_NONE;
	if (rule & PK_RULE_DEFAULT)
		return find_default(before, rule, after);
	old = image_rule(before, rule);
	if (!old)
		return PK_RULE_NONE;
	for (__u32 i = 0; i < rule_count(after); i++) {
		if (is_same(before, old, after, image_rule(after, i)))
			return i;
	}
	return PK_RULE_NONE;
}
