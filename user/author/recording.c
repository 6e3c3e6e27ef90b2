/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines to acts. A line that is not understood stops the reading: a policy learned from, or a change
 * judged by, half a recording would say less than it seems to.
 */
#include "author/recording.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SCHEMA "picket.recording/1"

/** What a process runs: found by its id, which is never used again. */
struct running {
	char *id;
	char *program;
};

static int compare_acts(const void *a, const void *b)
{
	return observation_compare(a, b);
}

static int compare_running(const void *a, const void *b)
{
	return strcmp(((const struct running *)a)->id, ((const struct running *)b)->id);
}

static void free_act(void *act)
{
	observation_reset(act);
	free(act);
}

static void free_running(void *item)
{
	struct running *running = item;

	free(running->id);
	free(running->program);
	free(running);
}

static struct running *find_running(const struct recording *recording, const char *id)
{
	struct running key = { .id = (char *)id };
	void *found = id ? tfind(&key, &recording->processes, compare_running) : NULL;

	return found ? *(struct running **)found : NULL;
}

static int set_running(struct recording *recording, const char *id, const char *program)
{
	struct running *running = find_running(recording, id);
	char *copy = strdup(program);

	if (running && copy) {
		free(running->program);
		running->program = copy;
		return 0;
	}
	running = calloc(1, sizeof(*running));
	if (running)
		running->id = strdup(id);
	if (!running || !running->id || !copy) {
		free(copy);
		if (running)
			free_running(running);
		return -ENOMEM;
	}
	running->program = copy;
	if (tsearch(running, &recording->processes, compare_running))
		return 0;
	free_running(running);
	return -ENOMEM;
}

static const char *process_id(const json_t *event, const char *who)
{
	return json_string_value(json_object_get(json_object_get(event, who), "id"));
}

/*
 * Which program it is that does it: what its process, or the one that it came from, was seen to start.
 * Then what it starts by this very act.
 */
static int follow_program(struct recording *recording, const json_t *event, struct observation *act)
{
	const char *id = process_id(event, "process");
	const struct running *running = find_running(recording, id);
	bool starts = act->op == PK_OP_EXEC || act->op == PK_OP_COMMAND;

	if (!id || !recording->by_program)
		return 0;
	if (!running)
		running = find_running(recording, process_id(event, "parent"));
	/* The command line is looked at when the program is in memory already. */
	if (running && !starts) {
		act->by = strdup(running->program);
		if (!act->by)
			return -ENOMEM;
	}
	if (starts && act->path && !json_object_get(event, "errno"))
		return set_running(recording, id, act->path);
	return 0;
}

/* Takes over what @act owns, in any case. */
static int add_act(struct recording *recording, struct observation *act)
{
	struct observation *item = malloc(sizeof(*item));
	void *found;

	if (!item) {
		observation_reset(act);
		return -ENOMEM;
	}
	*item = *act;
	found = tsearch(item, &recording->acts, compare_acts);
	if (!found) {
		free_act(item);
		return -ENOMEM;
	}
	if (*(struct observation **)found == item) {
		recording->count++;
		return 0;
	}
	observation_merge(*(struct observation **)found, item);
	free_act(item);
	return 0;
}

static int keep_text(char **target, const json_t *line, const char *key)
{
	const char *value = json_string_value(json_object_get(line, key));

	if (!value || *target)
		return 0;
	*target = strdup(value);
	return *target ? 0 : -ENOMEM;
}

/* A line that a recording has about itself. */
static int read_part(struct recording *recording, const json_t *line, const char **ret_why)
{
	const char *part = json_string_value(json_object_get(line, "part"));
	const json_t *lost = json_object_get(line, "lost");
	int r;

	if (part && strcmp(part, "end") == 0 && json_is_integer(lost)) {
		recording->lost += (__u64)json_integer_value(lost);
		recording->ends++;
		return 0;
	}
	if (!part || strcmp(part, "head") != 0) {
		*ret_why = "the line about the recording is neither its head nor its end";
		return -EINVAL;
	}
	recording->heads++;
	r = keep_text(&recording->cwd, line, "cwd");
	if (r == 0)
		r = keep_text(&recording->home, line, "home");
	if (r == 0)
		r = keep_text(&recording->user, line, "user");
	return r ? r : keep_text(&recording->tier, line, "tier");
}

/* True for lines of other kinds that `--events` files have too, such as learned names. */
static bool is_other(const char *schema)
{
	return schema && strncmp(schema, "picket.", 7) == 0 &&
	       strncmp(schema, "picket.event/", 13) != 0;
}

static int read_event(struct recording *recording, const json_t *line, size_t number,
		      const char **ret_why)
{
	struct observation act;
	int r = observation_read(line, &act, ret_why);

	if (r)
		return r;
	act.line = number;
	r = follow_program(recording, line, &act);
	if (r) {
		observation_reset(&act);
		return r;
	}
	recording->events++;
	return add_act(recording, &act);
}

static void drop_json(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

static int read_line(struct recording *recording, const char *text, size_t length,
		     struct diag_pos pos, struct diag_list *diags)
{
	json_error_t error;
	CLEAN(drop_json)
	json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	const char *schema = json_string_value(json_object_get(line, "schema"));
	const char *why = "it is not understood";
	int r;

	if (!line) {
		if (error.column > 0)
			pos.column = (unsigned int)error.column;
		diag_excerpt(diag_add(diags, DIAG_ERROR, &pos, "this is no line of JSON: %s",
				      error.text),
			     text, length);
		return -EINVAL;
	}
	if (schema && strcmp(schema, SCHEMA) == 0)
		r = read_part(recording, line, &why);
	else if (is_other(schema))
		return 0;
	else
		r = read_event(recording, line, pos.line, &why);
	if (r == -EINVAL)
		diag_hint(
			diag_add(diags, DIAG_ERROR, &pos, "%s", why),
			"events are recorded by 'picket run --learn' and 'picket run --events FILE'");
	return r;
}

int recording_read(struct recording *recording, FILE *from, const char *name,
		   struct diag_list *diags)
{
	struct diag_pos pos = { .file = name, .column = 1 };
	CLEAN_FREE char *text = NULL;
	size_t room = 0;
	ssize_t length;
	int r = 0;

	errno = 0;
	while (r == 0 && (length = getline(&text, &room, from)) > 0) {
		pos.line++;
		if (length > RECORDING_LINE_MAX) {
			(void)diag_add(diags, DIAG_ERROR, &pos,
				       "this line is longer than any event (%u bytes)",
				       RECORDING_LINE_MAX);
			return -EINVAL;
		}
		length -= text[length - 1] == '\n';
		if (length > 0)
			r = read_line(recording, text, (size_t)length, pos, diags);
		errno = 0;
	}
	if (r == 0 && ferror(from)) {
		r = errno ? -errno : -EIO;
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot read '%s': %s", name, strerror(-r));
	}
	return r;
}

/* The walk has no argument of its own but in this form. */
static void move_act(const void *node, VISIT visit, void *context)
{
	struct recording *recording = context;
	struct observation *act;

	if (visit != postorder && visit != leaf)
		return;
	act = &recording->items[recording->count++];
	*act = **(struct observation *const *)node;
	/* Where only section files was asked, its events are all that there are. */
	if (act->seen.count < act->twins)
		act->seen.count = act->twins;
	recording->acts_seen += act->seen.count;
}

int recording_finish(struct recording *recording)
{
	recording->items = calloc(recording->count + 1, sizeof(*recording->items));
	if (!recording->items)
		return -ENOMEM;
	recording->count = 0;
	twalk_r(recording->acts, move_act, recording);
	/* The acts are in the list; only the tree's own memory is left. */
	tdestroy(recording->acts, free);
	recording->acts = NULL;
	return 0;
}

static char *dump_line(json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	json_decref(line);
	return text;
}

char *recording_head(const char *cwd, const char *home, const char *user, const char *tier)
{
	return dump_line(json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "schema", SCHEMA, "part",
				   "head", "cwd", cwd, "home", home, "user", user, "tier", tier));
}

char *recording_end(__u64 lost)
{
	return dump_line(json_pack("{s:s, s:s, s:I}", "schema", SCHEMA, "part", "end", "lost",
				   (json_int_t)lost));
}

void recording_reset(struct recording *recording)
{
	tdestroy(recording->acts, free_act);
	tdestroy(recording->processes, free_running);
	for (size_t i = 0; recording->items && i < recording->count; i++)
		observation_reset(&recording->items[i]);
	free(recording->items);
	free(recording->cwd);
	free(recording->home);
	free(recording->user);
	free(recording->tier);
	*recording = (struct recording){ 0 };
}
