/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every key of an event may be missing or of another kind than it should be: then it matches nothing.
 */
#include "telemetry/filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "telemetry/moment.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

const char *const filter_kinds[] = {
	"decision", "activity", "life", "agent",  "policy",
	"answer",   "note",	"loss", "daemon", "audit-head",
};
const size_t filter_kinds_count = COUNT(filter_kinds);

static const char *const verdicts[] = { "allow", "ask", "deny" };

/* --- Reading -------------------------------------------------------------------------------------- */

/* Fill *@reterr with a sentence; returns -EINVAL. */
static int refuse(char **reterr, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char **reterr, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(reterr, format, args) < 0)
		*reterr = NULL;
	va_end(args);
	return -EINVAL;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static int check_kind(const char *word, char **reterr)
{
	const char *nearest;

	if (is_one_of(word, filter_kinds, filter_kinds_count))
		return 0;
	nearest = text_nearest(word, filter_kinds, filter_kinds_count);
	if (nearest)
		return refuse(reterr, "--kind '%s' is no kind of event: did you mean '%s'?", word,
			      nearest);
	return refuse(reterr, "--kind '%s' is no kind of event", word);
}

static int add_path(struct event_filter *filter, const char *word, char **reterr)
{
	size_t count = filter->words[FILTER_PATH].count;
	struct path_match **grown = reallocarray(filter->paths, count + 1, sizeof(*filter->paths));
	struct glob_error error = { 0 };
	int r;

	if (!grown)
		return -ENOMEM;
	filter->paths = grown;
	grown[count] = NULL;
	r = path_match_new(word, &grown[count], &error);
	if (r == -E2BIG)
		return refuse(reterr, "--path '%s' stands for too many globs", word);
	if (r == -EINVAL)
		return refuse(reterr, "--path '%s', at %zu: %s", word, error.column, error.why);
	if (!r)
		r = filter_add_word(filter, FILTER_PATH, word);
	if (r)
		path_match_free(&grown[count]);
	return r;
}

int filter_add_word(struct event_filter *filter, enum filter_key key, const char *word)
{
	struct filter_words *words = &filter->words[key];
	const char **grown = reallocarray(words->items, words->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	words->items = grown;
	grown[words->count++] = word;
	return 0;
}

static int parse_moment(const char *option, const char *value, __s64 *ret_ns, char **reterr)
{
	if (moment_parse(value, moment_now(), ret_ns) == 0)
		return 0;
	return refuse(reterr, "--%s '%s' is no time: " MOMENT_FORMS, option, value);
}

static int parse_word(struct event_filter *filter, enum filter_key key, const char *value,
		      char **reterr)
{
	static const char *const names[FILTER__KEYS] = { "agent", "verdict", "kind", "process",
							 "host",  "path",    "rule" };
	int r = 0;

	if (!*value)
		return refuse(reterr, "--%s is empty", names[key]);
	if (key == FILTER_PATH)
		return add_path(filter, value, reterr);
	if (key == FILTER_VERDICT && !is_one_of(value, verdicts, COUNT(verdicts)))
		return refuse(reterr, "--verdict '%s' is none of allow, ask, deny", value);
	if (key == FILTER_KIND)
		r = check_kind(value, reterr);
	return r ? r : filter_add_word(filter, key, value);
}

int filter_parse_option(struct event_filter *filter, int option, const char *value,
			char **reterr_why)
{
	*reterr_why = NULL;
	if (option == FILTER_OPTION_SINCE)
		return parse_moment("since", value, &filter->since_ns, reterr_why);
	if (option == FILTER_OPTION_UNTIL)
		return parse_moment("until", value, &filter->until_ns, reterr_why);
	return parse_word(filter, (enum filter_key)(option - FILTER_OPTION_FIRST), value,
			  reterr_why);
}

void filter_reset(struct event_filter *filter)
{
	for (size_t i = 0; i < filter->words[FILTER_PATH].count; i++)
		path_match_free(&filter->paths[i]);
	free(filter->paths);
	for (size_t i = 0; i < FILTER__KEYS; i++)
		free(filter->words[i].items);
	*filter = (struct event_filter){ 0 };
}

/* --- Matching ------------------------------------------------------------------------------------- */

static const char *text(const json_t *from, const char *key)
{
	const char *value = json_string_value(json_object_get(from, key));

	return value ? value : "";
}

static bool is_text(const json_t *from, const char *key, const char *word)
{
	const char *value = json_string_value(json_object_get(from, key));

	return value && strcmp(value, word) == 0;
}

static bool is_agent(const json_t *event, const char *word)
{
	const json_t *agent = json_object_get(event, "agent");
	char number[24] = "";

	if (json_is_integer(agent))
		(void)snprintf(number, sizeof(number), "%lld",
			       (long long)json_integer_value(agent));
	return is_text(event, "agent", word) || is_text(event, "name", word) ||
	       strcmp(number, word) == 0;
}

static bool is_from(const json_t *event, const char *id)
{
	const json_t *chain = json_object_get(event, "chain");
	const json_t *process;
	size_t i;

	json_array_foreach(chain, i, process) {
		if (is_text(process, "id", id))
			return true;
	}
	return is_text(json_object_get(event, "parent"), "id", id);
}

static bool is_process(const json_t *event, const char *word)
{
	const json_t *process = json_object_get(event, "process");
	const json_t *pid = json_object_get(process, "pid");
	const char *exe = text(process, "exe");
	const char *last = strrchr(exe, '/');
	char number[24] = "";

	if (json_is_integer(pid))
		(void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(pid));
	return is_text(process, "comm", word) || strcmp(number, word) == 0 ||
	       strcmp(exe, word) == 0 || (last && strcmp(last + 1, word) == 0) ||
	       is_text(process, "id", word) || is_from(event, word);
}

static bool is_host_like(const char *glob, const char *host)
{
	if (!*host)
		return false;
	/* As in policies: the name itself, and all that are below it. */
	if (strncmp(glob, "**.", 3) == 0 && fnmatch(glob + 3, host, FNM_CASEFOLD) == 0)
		return true;
	return fnmatch(glob, host, FNM_CASEFOLD) == 0;
}

static bool is_host(const json_t *event, const char *glob)
{
	static const char *const keys[] = { "host", "alias", "allowed_by", "address" };

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (is_host_like(glob, text(event, keys[i])))
			return true;
	}
	return false;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : 0;
}

static bool is_path_hex(struct path_match *match, const char *hex)
{
	size_t length = strlen(hex) / 2;
	CLEAN_FREE char *bytes = malloc(length + 1);

	for (size_t i = 0; bytes && i < length; i++)
		bytes[i] = (char)(hex_digit(hex[2 * i]) * 16 + hex_digit(hex[2 * i + 1]));
	return bytes && path_match_test(match, bytes, length);
}

/* The exact bytes are in @hex_key when the text at @key has not got them. */
static bool is_path_at(const json_t *event, const char *key, const char *hex_key,
		       struct path_match *match)
{
	const char *path = text(event, key);
	const char *hex = text(event, hex_key);
	CLEAN_FREE char *bytes = NULL;
	size_t length;

	if (*hex)
		return is_path_hex(match, hex);
	if (!*path)
		return false;
	if (!strchr(path, '\\'))
		return path_match_test(match, path, strlen(path));
	return escape_undo(path, &bytes, &length) == 0 && path_match_test(match, bytes, length);
}

static bool is_path(const json_t *event, struct path_match *match)
{
	return is_path_at(event, "path", "path_hex", match) ||
	       is_path_at(event, "path2", "path2_hex", match);
}

/* "FILE:LINE", where FILE may be the last parts of the path. */
static bool is_place(const json_t *rule, const char *word)
{
	const char *file = text(rule, "file");
	long long line = json_integer_value(json_object_get(rule, "line"));
	CLEAN_FREE char *place = NULL;
	size_t length;
	size_t wanted = strlen(word);

	if (!*file || asprintf(&place, "%s:%lld", file, line) < 0)
		return false;
	length = strlen(place);
	return wanted <= length && strcmp(place + length - wanted, word) == 0 &&
	       (wanted == length || place[length - wanted - 1] == '/');
}

static bool is_rule(const json_t *event, const char *word)
{
	const json_t *rule = json_object_get(event, "rule");
	const json_t *fallback = json_object_get(event, "default");
	char name[64];

	(void)snprintf(name, sizeof(name), "default %s", text(fallback, "section"));
	return strstr(text(rule, "text"), word) || is_text(rule, "id", word) ||
	       is_place(rule, word) || is_text(event, "switch", word) ||
	       (fallback && (strcmp(word, "default") == 0 || strcmp(word, name) == 0));
}

static bool is_word(const struct event_filter *filter, enum filter_key key, size_t i,
		    const json_t *event)
{
	const char *word = filter->words[key].items[i];

	switch (key) {
	case FILTER_AGENT:
		return is_agent(event, word);
	case FILTER_VERDICT:
		return is_text(event, "verdict", word);
	case FILTER_KIND:
		return is_text(event, "kind", word);
	case FILTER_PROCESS:
		return is_process(event, word);
	case FILTER_HOST:
		return is_host(event, word);
	case FILTER_PATH:
		return is_path(event, filter->paths[i]);
	case FILTER_RULE:
		return is_rule(event, word);
	case FILTER__KEYS:
		break;
	}
	return false;
}

static bool is_in_time(const struct event_filter *filter, const json_t *event)
{
	__s64 when;

	if (!filter->since_ns && !filter->until_ns)
		return true;
	if (moment_parse(text(event, "time"), 0, &when))
		return false;
	return when >= filter->since_ns && (!filter->until_ns || when < filter->until_ns);
}

bool filter_matches(const struct event_filter *filter, const json_t *event)
{
	if (!is_in_time(filter, event))
		return false;
	for (enum filter_key key = 0; key < FILTER__KEYS; key++) {
		size_t count = filter->words[key].count;
		bool found = count == 0;

		for (size_t i = 0; i < count && !found; i++)
			found = is_word(filter, key, i, event);
		if (!found)
			return false;
	}
	return true;
}
