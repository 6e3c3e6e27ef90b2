/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Killing does not wait: the cgroup says when the last process is gone, and the agent is removed then.
 * A process that does not die keeps its agent, confined, and is killed again every few seconds.
 */
#include "daemon/agents.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/ask_local.h"
#include "daemon/ledger_loss.h"
#include "daemon/nested.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "engine/learned.h"
#include "engine/seccomp.h"
#include "engine/session.h"
#include "telemetry/names.h"

/* Until whoever waits is told that processes do not end, and until they are killed again. */
#define DEATH_MS 5000

/* An agent inside of it is gone. Later: its end may be what is under way. */
static void nudge(struct daemon *daemon, const struct agent_record *around)
{
	struct agent_entry *entry = around ? registry_at(&daemon->registry, around->slot) : NULL;

	if (!entry || !entry->end.begun)
		return;
	entry->end.nudged = true;
	loop_set_timer(&entry->end.timer, 1, DEATH_MS);
}

/* Take @entry out of everything and free it. Its agent is no more. */
static void forget(struct daemon *daemon, struct agent_entry *entry)
{
	const struct agent_record *around = entry->record.around;

	ledger_agent(daemon, entry, entry->record.kind == AGENT_ATTACHED ? "detach" : "end");
	lives_end(daemon, entry);
	events_forget_slot(&daemon->events, entry->record.slot);
	asks_forget_agent(&daemon->asks, entry->record.slot);
	feed_remove(&daemon->feeds, entry);
	note_socket_remove(daemon, entry);
	registry_remove(&daemon->registry, entry);
	loop_drop(daemon->epoll, &entry->owner);
	loop_drop(daemon->epoll, &entry->listener);
	loop_drop(daemon->epoll, &entry->cgroup);
	loop_drop(daemon->epoll, &entry->end.timer);
	registry_free_entry(&entry);
	nudge(daemon, around);
	daemon_save(daemon);
}

/* --- Records of refused system calls -------------------------------------------------------------- */

static void take_call_record(void *context, const void *bytes, size_t size)
{
	struct daemon *daemon = context;

	/* The road of all records; that its turn is over does not matter for a single one. */
	(void)events_take(&daemon->events, (void *)bytes, size);
}

static void call_ready(void *context, __u32 events)
{
	struct agent_entry *entry = context;
	struct seccomp_watch watch = {
		.listener = entry->listener.fd,
		.image = &entry->image,
		.agent = entry->record.slot,
		.cgroup = entry->record.cgroup,
		.record = take_call_record,
		.context = entry->daemon,
		.shared = true,
	};
	struct daemon *daemon = entry->daemon;

	/*
	 * When no process has the filter any more, the listener is only ever ready. And a caller who kept
	 * a copy and takes the calls from under our hands (-EINTR) answers them: we do not wait for him.
	 */
	if (!(events & EPOLLIN) || seccomp_answer(&watch))
		loop_drop(daemon->epoll, &entry->listener);
}

/* --- The end -------------------------------------------------------------------------------------- */

static json_t *counts_json(const struct daemon *daemon, const struct agent_entry *entry,
			   __u64 counts[PK_COUNT__MAX])
{
	json_t *object = json_object();

	(void)agent_counts(&daemon->hub.loader, entry->record.slot, counts);
	for (__u32 i = 0; object && i < PK_COUNT__MAX; i++)
		(void)json_object_set_new(object, names_count(i),
					  json_integer((json_int_t)counts[i]));
	return object;
}

json_t *agents_report(struct daemon *daemon, const struct agent_entry *entry, bool colour)
{
	const struct event_context context = events_context(&daemon->events, entry, colour);
	__u64 counts[PK_COUNT__MAX] = { 0 };
	CLEAN_FREE char *text = NULL;
	json_t *object;
	size_t size = 0;
	FILE *to;

	daemon_take_records(daemon);
	object = counts_json(daemon, entry, counts);
	to = open_memstream(&text, &size);
	if (to && entry->summary) {
		summary_set_counts(entry->summary, counts);
		(void)summary_print(entry->summary, &context, to);
	}
	/* How many decisions were not told, who is told knows: it may have had them of one before us. */
	if (to && entry->untold_allowed)
		(void)fprintf(to,
			      "picket: %llu records of allowed acts were not told: nobody read "
			      "them in time\n",
			      (unsigned long long)entry->untold_allowed);
	if (!to || text_close(to, &text)) {
		json_decref(object);
		return NULL;
	}
	return json_pack("{s:o, s:s, s:I}", "counts", object, "summary", text, "untold",
			 (json_int_t)entry->untold);
}

static void answer_end(struct agent_entry *entry, json_t *result, const char *message)
{
	const struct control_answer answer = {
		.result = result,
		.code = CONTROL_FAILED,
		.message = (char *)message,
	};

	if (entry->end.client)
		server_answer(entry->end.client, entry->end.id, &answer);
	entry->end.client = NULL;
	json_decref(entry->end.id);
	entry->end.id = NULL;
}

/* Take the agent out of the kernel; what it counted is kept. */
static int remove_agent(struct daemon *daemon, struct agent_entry *entry, struct diag_list *diags)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };
	int r;

	daemon_take_records(daemon);
	(void)agent_counts(&daemon->hub.loader, entry->record.slot, counts);
	r = hub_agent_remove(&daemon->hub, &entry->hub, diags);
	if (r == 0)
		metrics_end_agent(daemon, entry, counts);
	return r;
}

/* No process is left. */
static void finish(struct daemon *daemon, struct agent_entry *entry)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	json_t *report;
	int r;

	/* First those inside: the last of them to go wakes us. */
	if (nested_any(daemon, entry))
		return;
	report = entry->end.client ? agents_report(daemon, entry, false) : NULL;
	ledger_losses_of(daemon, entry);
	r = remove_agent(daemon, entry, &diags);
	if (r) {
		/* Somebody put a process there meanwhile; it is killed when the time comes. */
		daemon_say_diags(daemon, &diags);
		json_decref(report);
		return;
	}
	answer_end(entry, report, "out of memory");
	json_decref(report);
	forget(daemon, entry);
}

/* Does the error of opening a cgroup say that it was removed? */
static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENODEV || error == -ESTALE;
}

/* True when no process is in the agent's cgroup, or there is no cgroup any more. */
static bool is_empty(const struct daemon *daemon, const struct agent_entry *entry)
{
	CLEAN_FD int fd = hub_agent_cgroup(&daemon->hub, &entry->hub);

	return fd < 0 ? is_gone(fd) : cgroup_wait_empty(fd, 0) == 0;
}

static void cgroup_ready(void *context, __u32 events)
{
	struct agent_entry *entry = context;
	char text[256];

	/* Read, or it stays ready. */
	(void)events;
	(void)!pread(entry->cgroup.fd, text, sizeof(text), 0);
	if (is_empty(entry->daemon, entry))
		finish(entry->daemon, entry);
}

int agents_watch_cgroup(struct daemon *daemon, struct agent_entry *entry)
{
	CLEAN_FD int fd = hub_agent_cgroup(&daemon->hub, &entry->hub);
	int r;

	if (fd < 0 || entry->cgroup.fd >= 0)
		return fd < 0 ? fd : 0;
	entry->cgroup.fd = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (entry->cgroup.fd < 0)
		return -errno;
	r = loop_add(daemon->epoll, &entry->cgroup, EPOLLPRI);
	if (r)
		mem_close_fd(&entry->cgroup.fd);
	return r;
}

static int kill_all(const struct daemon *daemon, const struct agent_entry *entry)
{
	CLEAN_FD int fd = hub_agent_cgroup(&daemon->hub, &entry->hub);

	return fd < 0 ? fd : cgroup_kill(fd);
}

static void death_late(void *context, __u32 events)
{
	struct agent_entry *entry = context;
	struct daemon *daemon = entry->daemon;
	bool nudged = entry->end.nudged;

	(void)events;
	loop_take_timer(&entry->end.timer);
	entry->end.nudged = false;
	if (is_empty(daemon, entry) && !nested_any(daemon, entry)) {
		finish(daemon, entry);
		return;
	}
	if (nudged)
		return;
	daemon_say(daemon, "processes of agent '%s' do not end: they stay confined",
		   entry->record.id);
	answer_end(entry, NULL, "processes of the agent do not end: they stay confined");
	(void)kill_all(daemon, entry);
}

int agents_end(struct daemon *daemon, struct agent_entry *entry, struct client *client,
	       const json_t *id)
{
	int r;

	if (client && entry->end.client)
		return -EALREADY;
	if (client) {
		entry->end.client = client;
		entry->end.id = json_incref((json_t *)id);
	}
	if (!entry->end.begun) {
		entry->end.begun = true;
		if (loop_add_timer(daemon->epoll, &entry->end.timer) == 0)
			loop_set_timer(&entry->end.timer, DEATH_MS, DEATH_MS);
		nested_end(daemon, entry);
		r = agents_watch_cgroup(daemon, entry);
		if (r == 0)
			r = kill_all(daemon, entry);
		if (r && !is_gone(r))
			daemon_say(daemon, "cannot kill processes of agent '%s': %s",
				   entry->record.id, strerror(-r));
	}
	if (is_empty(daemon, entry))
		finish(daemon, entry);
	return 0;
}

static void owner_ready(void *context, __u32 events)
{
	struct agent_entry *entry = context;
	struct daemon *daemon = entry->daemon;

	(void)events;
	loop_drop(daemon->epoll, &entry->owner);
	(void)agents_end(daemon, entry, NULL, NULL);
}

int agents_detach(struct daemon *daemon, struct agent_entry *entry, struct diag_list *diags)
{
	int r = remove_agent(daemon, entry, diags);

	if (r == 0)
		forget(daemon, entry);
	return r;
}

void agents_forget_client(struct daemon *daemon, const struct client *client)
{
	struct agent_entry *entry = NULL;
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		if (entry->end.client == client)
			entry->end.client = NULL;
	}
}

void agents_check(struct daemon *daemon)
{
	struct agent_entry *entry = NULL;
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		CLEAN_FD int fd = -1;

		slot = entry->record.slot;
		if (entry->record.kind != AGENT_ATTACHED)
			continue;
		fd = hub_agent_cgroup(&daemon->hub, &entry->hub);
		if (fd >= 0 || !is_gone(fd))
			continue;
		daemon_say(daemon, "the cgroup of agent '%s' (%s) is gone: detached",
			   entry->record.id, entry->record.name);
		(void)agents_detach(daemon, entry, &diags);
		daemon_say_diags(daemon, &diags);
	}
}

/* --- The beginning -------------------------------------------------------------------------------- */

void agents_bind(struct daemon *daemon, struct agent_entry *entry)
{
	entry->daemon = daemon;
	entry->owner.ready = owner_ready;
	entry->owner.context = entry;
	entry->listener.ready = call_ready;
	entry->listener.context = entry;
	entry->cgroup.ready = cgroup_ready;
	entry->cgroup.context = entry;
	entry->end.timer.ready = death_late;
	entry->end.timer.context = entry;
}

static void take_compiled(struct agent_entry *entry, struct compiled *compiled)
{
	image_reset(&entry->image);
	free(entry->main_file);
	entry->image = compiled->image;
	compiled->image = (struct policy_image){ 0 };
	entry->main_file = TAKE_PTR(compiled->path);
	json_decref(entry->record.nested);
	entry->record.nested = TAKE_PTR(compiled->nested);
	memcpy(entry->digest, compiled->digest, sizeof(entry->digest));
}

int agents_watch_owner(struct daemon *daemon, struct agent_entry *entry, int pidfd)
{
	int r;

	if (pidfd < 0)
		return 0;
	entry->owner.fd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
	if (entry->owner.fd < 0)
		return -errno;
	r = loop_add(daemon->epoll, &entry->owner, EPOLLIN);
	if (r)
		mem_close_fd(&entry->owner.fd);
	return r;
}

/* The agent in the kernel. */
static int create(struct daemon *daemon, struct agent_plan *plan, struct agent_entry *entry,
		  struct diag_list *diags)
{
	const struct compiled *compiled = plan->compiled;
	enum pk_tier tier;
	int r = session_choose_tier(&daemon->features, &compiled->image, daemon->hub.tier, &tier,
				    diags);

	if (r)
		return r;
	if (plan->cgroup >= 0)
		return hub_agent_attach(&daemon->hub, plan->cgroup, &compiled->image,
					compiled->files, compiled->file_count, &entry->hub, diags);
	return hub_agent_create(&daemon->hub, &compiled->image, compiled->files,
				compiled->file_count, &entry->hub, diags);
}

static int enter(struct daemon *daemon, struct agent_plan *plan, struct agent_entry *entry)
{
	int r = registry_make_id(entry->hub.slot, plan->record->id);

	if (r)
		return r;
	plan->record->slot = entry->hub.slot;
	plan->record->cgroup = entry->hub.cgroup;
	plan->record->kind = plan->cgroup >= 0 ? AGENT_ATTACHED : AGENT_RUN;
	plan->record->known = true;
	plan->record->since = time(NULL);
	entry->record = *plan->record;
	*plan->record = (struct agent_record){ 0 };
	take_compiled(entry, plan->compiled);
	r = summary_new(&entry->summary);
	if (r == 0)
		r = agents_watch_owner(daemon, entry, plan->owner);
	if (r == 0)
		r = registry_add(&daemon->registry, entry);
	if (r)
		return r;
	feed_open(&daemon->feeds, entry);
	note_socket_open(daemon, entry);
	lives_begin(daemon, entry, false);
	return 0;
}

int agents_start(struct daemon *daemon, struct agent_plan *plan, struct agent_entry **ret_entry,
		 struct diag_list *diags)
{
	CLEAN(registry_free_entry) struct agent_entry *entry = registry_new_entry();
	int r;

	if (plan->record->uid != 0 &&
	    registry_count_of(&daemon->registry, plan->record->uid) >= AGENTS_OF_USER)
		return -EBUSY;
	if (!entry)
		return -ENOMEM;
	agents_bind(daemon, entry);
	r = create(daemon, plan, entry, diags);
	if (r)
		return r;
	r = enter(daemon, plan, entry);
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot look after the agent: %s",
			       strerror(-r));
		loop_drop(daemon->epoll, &entry->owner);
		(void)hub_agent_remove(&daemon->hub, &entry->hub, diags);
		return r;
	}
	ask_local_prepare(daemon, entry);
	ledger_agent(daemon, entry, entry->record.kind == AGENT_ATTACHED ? "attach" : "start");
	daemon_save(daemon);
	*ret_entry = TAKE_PTR(entry);
	return 0;
}

/* Names that were learned stand for their addresses in the next image too, where it lets them. */
static void follow_names(const struct daemon *daemon, const struct agent_entry *entry,
			 const struct policy_image *next, bool published)
{
	CLEAN_FD int cgroup = hub_agent_cgroup(&daemon->hub, &entry->hub);
	struct learned_change change = {
		.slot = entry->record.slot,
		.cgroup = cgroup,
		.next = next,
		.published = published,
	};
	int r;

	if (!entry->image.bytes)
		return;
	memcpy(&change.before, image_head(&entry->image)->digest, sizeof(change.before));
	r = learned_follow(&daemon->hub.loader, &change);
	if (r)
		daemon_say(daemon,
			   "agent '%s' has to ask for names again, and connections by name may "
			   "end: %s",
			   entry->record.id, strerror(-r));
}

int agents_replace(struct daemon *daemon, struct agent_entry *entry, struct compiled *compiled,
		   struct diag_list *diags)
{
	struct compiled before = { 0 };
	int r;

	/* What was judged by the old image is told in its words. */
	daemon_take_records(daemon);
	r = hub_protect(&daemon->hub, compiled->files, compiled->file_count, diags);
	if (r)
		return r;
	follow_names(daemon, entry, &compiled->image, false);
	r = hub_agent_replace(&daemon->hub, &entry->hub, &compiled->image, diags);
	if (r)
		return r;
	follow_names(daemon, entry, &compiled->image, true);
	before.image = entry->image;
	before.path = entry->main_file;
	memcpy(before.digest, entry->digest, sizeof(before.digest));
	before.nested = TAKE_PTR(entry->record.nested);
	entry->image = (struct policy_image){ 0 };
	entry->main_file = NULL;
	take_compiled(entry, compiled);
	policies_reset_compiled(compiled);
	*compiled = before;
	ask_local_prepare(daemon, entry);
	asks_reloaded(&daemon->asks, entry, &before.image);
	return 0;
}
