/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The comparison as a whole: its parts in turn, and the list of changes.
 */
#include "author/diff.h"

#include <errno.h>
#include <string.h>

#include "author/diff_work.h"
#include "base/mem.h"

struct diff_machine diff_path_machine(const struct diff_work *work, size_t side, size_t which)
{
	const struct pk_image *head = image_head(work->images[side]);

	return (struct diff_machine){ work->images[side], head->path_start[which],
				      head->path_class };
}

struct diff_labels diff_labels_make(const struct diff_work *work, __u32 sections)
{
	return (struct diff_labels){
		.images = { work->images[0], work->images[1] },
		.sections = sections,
		.subjects = work->subjects,
		.by_meaning = work->by_meaning,
	};
}

bool diff_defaults_same(const struct diff_work *work, __u32 sections)
{
	for (size_t i = 0; i < PK_SECTION__MAX; i++)
		if (sections >> i & 1 && memcmp(&image_head(work->images[0])->defaults[i],
						&image_head(work->images[1])->defaults[i],
						sizeof(struct pk_default)) != 0)
			return false;
	return true;
}

struct pk_result diff_judge(const struct diff_work *work, size_t side, const struct pk_sets *sets,
			    const struct pk_query *query)
{
	struct pk_view view = image_view(work->images[side]);

	return pk_judge_sets(&view, image_head(work->images[side]), sets, query);
}

size_t diff_most_states(const struct diff_work *work)
{
	return work->by_meaning ? DIFF_STATES_MAX : work->detail;
}

int diff_part(struct diff_work *work, int (*part)(struct diff_work *work))
{
	size_t count = work->diff->count;
	int r = part(work);

	if (r != -E2BIG)
		return r;
	work->by_meaning = true;
	r = part(work);
	work->by_meaning = false;
	work->diff->partial = work->diff->partial || work->diff->count > count;
	work->diff->incomplete = work->diff->incomplete || r == -E2BIG;
	return r == -E2BIG ? 0 : r;
}

static void change_reset(struct diff_change *change)
{
	free(change->key);
	free(change->by);
	for (char **word = change->argv; word && *word; word++)
		free(*word);
	free(change->argv);
}

static int copy_argv(char **from, char ***ret_argv)
{
	size_t count = 0;

	while (from[count])
		count++;
	*ret_argv = calloc(count + 1, sizeof(**ret_argv));
	for (size_t i = 0; *ret_argv && i < count; i++) {
		(*ret_argv)[i] = strdup(from[i]);
		if (!(*ret_argv)[i])
			return -ENOMEM;
	}
	return *ret_argv ? 0 : -ENOMEM;
}

static int copy_change(const struct diff_change *change, const struct diff_asker *asker,
		       struct diff_change *ret)
{
	int r = 0;

	*ret = *change;
	ret->key = NULL;
	ret->by = NULL;
	ret->argv = NULL;
	if (change->key) {
		ret->key = calloc(1, change->length + 1);
		if (!ret->key)
			return -ENOMEM;
		memcpy(ret->key, change->key, change->length);
	}
	if (asker->by) {
		ret->by = strdup(asker->by);
		r = ret->by ? 0 : -ENOMEM;
	}
	return r || !change->argv ? r : copy_argv(change->argv, &ret->argv);
}

/* Is there such a change for the key at hand, but for the access? Then it is for this one too. */
static bool join_last(struct diff_work *work, const struct diff_change *change,
		      const struct diff_asker *asker)
{
	for (size_t i = work->burst; i < work->diff->count; i++) {
		struct diff_change *other = &work->diff->changes[i];

		if (other->act != change->act || other->before.verdict != change->before.verdict ||
		    other->after.verdict != change->after.verdict ||
		    other->before.rule != change->before.rule ||
		    other->after.rule != change->after.rule || other->port != change->port ||
		    strcmp(other->by ? other->by : "", asker->by ? asker->by : "") != 0)
			continue;
		other->access |= change->access;
		return true;
	}
	return false;
}

int diff_add(struct diff_work *work, const struct diff_change *change,
	     const struct diff_asker *asker)
{
	const __u32 group[] = {
		change->act,
		change->access,
		change->key != NULL,
		change->has_address,
		change->before.verdict << 8 | change->after.verdict,
		change->before.reason << 8 | change->after.reason,
		change->before.rule,
		change->after.rule,
	};
	struct diff *diff = work->diff;
	struct diff_change copy;
	size_t known = work->groups.run_count;
	__u32 number = 0;
	int r = words_push_all(&work->groups, group, sizeof(group) / sizeof(*group));

	if (!r)
		r = words_close(&work->groups, &number);
	if (r || number < known || join_last(work, change, asker))
		return r;
	r = grow(&diff->changes, &diff->room, diff->count + 1, sizeof(*diff->changes));
	if (r)
		return r;
	r = copy_change(change, asker, &copy);
	if (r)
		change_reset(&copy);
	else
		diff->changes[diff->count++] = copy;
	return r;
}

enum diff_way diff_way(const struct diff_change *change)
{
	return change->after.verdict < change->before.verdict ? DIFF_OPENS : DIFF_CLOSES;
}

/* By act; within one in the order in which they were found. */
static void sort_changes(struct diff *diff)
{
	struct diff_change *sorted = calloc(diff->count + 1, sizeof(*sorted));
	size_t at = 0;

	/* Unsorted is as true. */
	if (!sorted)
		return;
	for (enum diff_act act = 0; act < DIFF_ACT__MAX; act++)
		for (size_t i = 0; i < diff->count; i++)
			if (diff->changes[i].act == act)
				sorted[at++] = diff->changes[i];
	free(diff->changes);
	diff->changes = sorted;
	diff->room = diff->count + 1;
}

static void reset_work(struct diff_work *work)
{
	for (size_t i = 0; i < work->asker_count; i++)
		free(work->askers[i].by);
	free(work->askers);
	words_reset(&work->groups);
}

int diff_images(const struct policy_image *before, const struct policy_image *after, size_t detail,
		struct diff *ret_diff)
{
	static int (*const parts[])(struct diff_work * work) = {
		diff_find_askers, diff_files,	diff_abstract,
		diff_commands,	  diff_network, diff_compare_settings,
	};
	CLEAN(diff_reset) struct diff diff = { 0 };
	CLEAN(reset_work)
	struct diff_work work = { .images = { before, after }, .diff = &diff, .detail = detail };
	int r = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && !r; i++)
		r = diff_part(&work, parts[i]);
	if (r)
		return r;
	sort_changes(&diff);
	*ret_diff = diff;
	diff = (struct diff){ 0 };
	return 0;
}

void diff_reset(struct diff *diff)
{
	for (size_t i = 0; i < diff->count; i++)
		change_reset(&diff->changes[i]);
	for (size_t i = 0; i < diff->setting_count; i++) {
		free(diff->settings[i].name);
		free(diff->settings[i].before);
		free(diff->settings[i].after);
	}
	free(diff->changes);
	free(diff->settings);
	*diff = (struct diff){ 0 };
}
