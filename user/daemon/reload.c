/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images that were replaced are kept until all are: if one cannot be published, those before it get
 * their old one back.
 */
#include "daemon/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "base/mem.h"
#include "daemon/agents.h"
#include "daemon/diff.h"
#include "daemon/nested.h"
#include "daemon/service.h"
#include "engine/session.h"

#define CHANGES                                                                                    \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |        \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* One agent's change. */
struct change {
	struct agent_entry *entry;
	struct compiled next; /* owned; after publishing: what was before */
};

/* What equal inputs were compiled to. */
struct made {
	const struct agent_record *record; /* borrowed; the first of those that ask for it */
	struct compiled compiled; /* owned; empty when it failed */
	char *findings; /* owned; why it failed, or NULL */
	int error;
};

/* All of a reload. */
struct plan {
	struct made *made; /* owned */
	size_t made_count;
	struct change *changes; /* owned */
	size_t count;
	size_t unchanged;
	json_t *failed; /* owned; array */
	json_t *reloaded; /* owned; array */
	struct timespec begun; /* CLOCK_MONOTONIC */
};

static long ms_since(const struct timespec *then)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

static void plan_reset(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		policies_reset_compiled(&plan->changes[i].next);
	for (size_t i = 0; i < plan->made_count; i++) {
		policies_reset_compiled(&plan->made[i].compiled);
		free(plan->made[i].findings);
	}
	free(plan->made);
	free(plan->changes);
	json_decref(plan->failed);
	json_decref(plan->reloaded);
}

static int fail(struct plan *plan, const struct agent_entry *entry, const char *findings, int error)
{
	const char *text = findings	    ? findings :
			   error == -ENOENT ? "the policy is not there any more\n" :
					      strerror(-error);

	return json_array_append_new(plan->failed,
				     json_pack("{s:s, s:s, s:s}", "agent", entry->record.id,
					       "policy", entry->record.policy, "findings", text)) ?
		       -ENOMEM :
		       0;
}

static int fail_diags(struct plan *plan, const struct agent_entry *entry,
		      const struct diag_list *diags, int error)
{
	CLEAN_FREE char *findings = daemon_diags_text(diags);

	return fail(plan, entry, findings, error);
}

/* Can the new image take the place of the old one in processes that run? */
static int check(const struct daemon *daemon, const struct agent_entry *entry,
		 const struct compiled *next, struct diag_list *diags)
{
	enum pk_tier tier;
	int r = session_choose_tier(&daemon->features, &next->image, daemon->hub.tier, &tier,
				    diags);

	if (r || entry->record.kind != AGENT_RUN || !entry->record.joined || !entry->image.bytes ||
	    diff_same_calls(&entry->image, &next->image))
		return r;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "the section 'syscalls' is another one, and processes that run keep "
			   "the one they have"),
		  "start the agent anew, or leave the section as it was");
	return -EINVAL;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* NULL: empty. */
static bool is_same_list(const json_t *a, const json_t *b)
{
	return a == b || json_equal(a, b);
}

/* Are both compiled to the same? Of the account only the uid counts: its name and home go with it. */
static bool same_inputs(const struct agent_record *a, const struct agent_record *b)
{
	return strcmp(a->policy, b->policy) == 0 && a->audit == b->audit && a->uid == b->uid &&
	       a->around == b->around && is_same_text(a->cwd, b->cwd) &&
	       (a->set == b->set || json_equal(a->set, b->set));
}

/* Compile the policy of @record, unless that was done. Many agents of a host have the same. */
static struct made *make(struct daemon *daemon, struct plan *plan,
			 const struct agent_record *record)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct made *made = plan->made;

	for (; made < plan->made + plan->made_count; made++) {
		if (same_inputs(made->record, record))
			return made;
	}
	plan->made_count++;
	made->record = record;
	made->error = policies_compile(&daemon->policies, record, NULL, &made->compiled, &diags);
	if (made->error)
		made->findings = daemon_diags_text(&diags);
	/* Large policies of many agents take longer than a manager waits. */
	service_alive();
	return made;
}

static int plan_one(struct daemon *daemon, struct plan *plan, struct agent_entry *entry)
{
	CLEAN(policies_reset_compiled) struct compiled next = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	const struct made *made;
	int r;

	if (!entry->record.policy || entry->end.begun)
		return 0;
	made = make(daemon, plan, &entry->record);
	if (made->error)
		return fail(plan, entry, made->findings, made->error);
	if (strcmp(made->compiled.digest, entry->digest) == 0 &&
	    is_same_list(made->compiled.nested, entry->record.nested)) {
		plan->unchanged++;
		return 0;
	}
	r = check(daemon, entry, &made->compiled, &diags);
	if (r)
		return fail_diags(plan, entry, &diags, r);
	r = policies_copy_compiled(&made->compiled, &next);
	if (r)
		return r;
	plan->changes[plan->count++] = (struct change){ .entry = entry, .next = next };
	next = (struct compiled){ 0 };
	return 0;
}

static int make_plan(struct daemon *daemon, struct agent_entry *only, struct plan *plan)
{
	struct agent_entry *entry = NULL;
	__u32 slot = 0;
	int r = 0;

	plan->changes = calloc(daemon->registry.count + 1, sizeof(*plan->changes));
	plan->made = calloc(daemon->registry.count + 1, sizeof(*plan->made));
	plan->failed = json_array();
	plan->reloaded = json_array();
	if (!plan->changes || !plan->made || !plan->failed || !plan->reloaded)
		return -ENOMEM;
	while (r == 0 && (entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		/* Its policy is a layer of those inside of it. */
		if (only && entry != only && !nested_in(&entry->record, only))
			continue;
		r = plan_one(daemon, plan, entry);
	}
	return r;
}

/* Publish all, or give those before back what they had. The number of @plan's one that failed, or -1. */
static int publish(struct daemon *daemon, struct plan *plan, struct diag_list *diags)
{
	for (size_t i = 0; i < plan->count; i++) {
		int r = agents_replace(daemon, plan->changes[i].entry, &plan->changes[i].next,
				       diags);

		if (r == 0)
			continue;
		r = fail_diags(plan, plan->changes[i].entry, diags, r);
		for (size_t back = i; back-- > 0;)
			(void)agents_replace(daemon, plan->changes[back].entry,
					     &plan->changes[back].next, diags);
		return r ? r : -ECANCELED;
	}
	return 0;
}

/* Tell of one agent's new image; @before is what it had. */
static int tell(struct daemon *daemon, struct plan *plan, const struct change *change)
{
	const struct agent_entry *entry = change->entry;
	const struct compiled *before = &change->next;
	CLEAN_FREE char *diff = NULL;
	json_t *told;
	int r = 0;

	if (before->image.bytes && diff_rules(&before->image, &entry->image, &diff))
		return -ENOMEM;
	told = json_pack("{s:s, s:s, s:s, s:s}", "agent", entry->record.id, "old", before->digest,
			 "new", entry->digest, "diff", diff ? diff : "");
	events_announce(&daemon->events, entry, "reloaded", told);
	if (json_array_append_new(plan->reloaded, told))
		r = -ENOMEM;
	daemon_say(daemon, "agent '%s' (%s) has a new policy: %.12s instead of %.12s",
		   entry->record.id, entry->record.name, entry->digest, before->digest);
	return r;
}

/* Remember how it went, for `status`. */
static void remember(struct daemon *daemon, const struct plan *plan)
{
	struct reload *reload = &daemon->reload;
	const json_t *first = json_array_get(plan->failed, 0);
	const char *text = json_string_value(json_object_get(first, "findings"));

	free(reload->findings);
	reload->findings = text ? strdup(text) : NULL;
	reload->at = time(NULL);
	reload->ok = !first;
	reload->ms = (unsigned int)ms_since(&plan->begun);
	reload->reloaded = first ? 0 : plan->count;
	for (size_t i = 0; i < json_array_size(plan->failed); i++) {
		const json_t *one = json_array_get(plan->failed, i);

		daemon_say(daemon, "agent '%s' keeps its policy '%s': the new one cannot be taken",
			   json_string_value(json_object_get(one, "agent")),
			   json_string_value(json_object_get(one, "policy")));
	}
	if (text)
		daemon_say(daemon, "%s", text);
}

static int run(struct daemon *daemon, struct agent_entry *only, struct plan *plan)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = make_plan(daemon, only, plan);

	if (r)
		return r;
	if (json_array_size(plan->failed) == 0)
		r = publish(daemon, plan, &diags);
	for (size_t i = 0; r == 0 && !json_array_size(plan->failed) && i < plan->count; i++)
		r = tell(daemon, plan, &plan->changes[i]);
	return r == -ECANCELED ? 0 : r;
}

int reload_run(struct daemon *daemon, struct agent_entry *only, json_t **ret_result)
{
	CLEAN(plan_reset) struct plan plan = { 0 };
	json_t *result;
	int r;

	(void)clock_gettime(CLOCK_MONOTONIC, &plan.begun);
	service_reloading();
	r = run(daemon, only, &plan);
	remember(daemon, &plan);
	service_ready();
	if (r)
		return r;
	result = json_pack("{s:O, s:O, s:I}", "reloaded", plan.reloaded, "failed", plan.failed,
			   "unchanged", (json_int_t)plan.unchanged);
	*ret_result = result;
	return result ? 0 : -ENOMEM;
}

void reload_quietly(struct daemon *daemon, const char *cause)
{
	json_t *result = NULL;
	int r = reload_run(daemon, NULL, &result);

	if (r)
		daemon_say(daemon, "cannot reload policies (%s): %s", cause, strerror(-r));
	json_decref(result);
}

/* --- Changes of files ----------------------------------------------------------------------------- */

static void quiet_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;

	(void)events;
	loop_take_timer(&daemon->reload.quiet);
	daemon->reload.first = (struct timespec){ 0 };
	reload_watch(daemon);
	reload_quietly(daemon, "files changed");
}

static void changes_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;
	struct reload *reload = &daemon->reload;
	char bytes[4096];

	/* Which file it was does not matter: all policies are looked at. */
	(void)events;
	while (read(reload->changes.fd, bytes, sizeof(bytes)) > 0)
		;
	if (!reload->first.tv_sec)
		(void)clock_gettime(CLOCK_MONOTONIC, &reload->first);
	else if (ms_since(&reload->first) > RELOAD_PATIENCE_MS)
		return;
	loop_set_timer(&reload->quiet, RELOAD_QUIET_MS, 0);
}

void reload_watch(struct daemon *daemon)
{
	const char *const folders[] = {
		daemon->options.config,
		daemon->policies.folder,
		daemon->policies.managed,
	};

	/* One that is missing is seen to appear in the first. */
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		(void)inotify_add_watch(daemon->reload.changes.fd, folders[i], CHANGES);
}

int reload_open(struct daemon *daemon, struct diag_list *diags)
{
	struct reload *reload = &daemon->reload;
	int r;

	reload->changes.ready = changes_ready;
	reload->changes.context = daemon;
	reload->quiet.ready = quiet_ready;
	reload->quiet.context = daemon;
	reload->changes.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = reload->changes.fd < 0 ? -errno : loop_add(daemon->epoll, &reload->changes, EPOLLIN);
	if (r == 0)
		r = loop_add_timer(daemon->epoll, &reload->quiet);
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot watch the folders of policies: %s",
			       strerror(-r));
	else
		reload_watch(daemon);
	return r;
}

void reload_close(struct daemon *daemon)
{
	loop_drop(daemon->epoll, &daemon->reload.changes);
	loop_drop(daemon->epoll, &daemon->reload.quiet);
	free(daemon->reload.findings);
	daemon->reload = (struct reload)RELOAD_NONE;
}
