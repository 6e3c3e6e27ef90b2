/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line a record: when, its number, what, and then what matters of it.
 */
#include "cli/audit_show.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* The object that says whose record it is: an answer's is inside. */
static const json_t *inner_of(const json_t *object)
{
	const json_t *grant = json_object_get(object, "grant");
	const json_t *request = json_object_get(object, "request");

	return grant ? grant : request ? request : object;
}

static bool is_agent(const json_t *object, const char *wanted)
{
	const json_t *inner = inner_of(object);
	const char *id = text_of(inner, "agent");
	const char *name = text_of(inner, inner == object ? "name" : "agent_name");

	return (id && strcmp(id, wanted) == 0) || (name && strcmp(name, wanted) == 0);
}

static bool is_wanted(const struct audit_show *show, const struct audit_line *line)
{
	const char *time = text_of(line->object, "time");

	if (show->since && (!time || strcmp(time, show->since) < 0))
		return false;
	if (show->what && strcmp(line->what, show->what) != 0)
		return false;
	return !show->agent || is_agent(line->object, show->agent);
}

static void put_safe(const char *text)
{
	escape_write(stdout, text, strlen(text), 0);
}

static void put_value(const char *key, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text && !json_is_integer(value) && !json_is_true(value))
		return;
	(void)printf(" %s=", key);
	if (text && strlen(text) == SIGN_HEX - 1 &&
	    strspn(text, "0123456789abcdef") == SIGN_HEX - 1)
		(void)printf("%.12s", text);
	else if (text)
		put_safe(text);
	else if (json_is_integer(value))
		(void)printf("%lld", (long long)json_integer_value(value));
	else
		(void)fputs("yes", stdout);
}

/* Who answered, and why. */
static void put_by(const json_t *by)
{
	const char *who = text_of(by, "who");
	const char *reason = text_of(by, "reason");

	if (!by)
		return;
	(void)fputs(" by ", stdout);
	if (who)
		put_safe(who);
	else
		(void)printf("uid %lld, pid %lld",
			     (long long)json_integer_value(json_object_get(by, "uid")),
			     (long long)json_integer_value(json_object_get(by, "pid")));
	if (reason) {
		(void)fputs(": ", stdout);
		put_safe(reason);
	}
}

/* An answer: of whom, to what. */
static void put_answer(const json_t *inner)
{
	static const char *const keys[] = { "op",   "object", "agent",	"agent_name",
					    "mode", "grant",  "request" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put_value(keys[i], json_object_get(inner, keys[i]));
}

static void put_details(const json_t *object)
{
	static const char *const head[] = { "schema", "seq", "time", "what", "prev", "signature" };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		bool plain = true;

		for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
			plain &= strcmp(key, head[i]) != 0;
		if (plain)
			put_value(key, value);
	}
}

void audit_show_record(void *context, const struct audit_line *line, const char *text, size_t size)
{
	const struct audit_show *show = context;
	const json_t *inner = inner_of(line->object);
	const char *time = text_of(line->object, "time");

	if (!is_wanted(show, line))
		return;
	if (show->json) {
		(void)fwrite(text, 1, size, stdout);
		return;
	}
	put_safe(time ? time : "?");
	(void)printf(" %llu ", (unsigned long long)line->seq);
	put_safe(line->what);
	if (inner != line->object)
		put_answer(inner);
	else
		put_details(inner);
	put_by(json_object_get(line->object, "by"));
	(void)fputc('\n', stdout);
}
