/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request and what is told of it. The kernel's list of stopped threads is the truth about who waits;
 * what is here are words about it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "daemon/ask_act.h"
#include "daemon/ask_process.h"
#include "daemon/ask_words.h"
#include "daemon/daemon.h"

/* Tries alone are told of so often. */
#define TELL_NS 200000000ULL

/* For the words of a command whose program is not there yet: the first wait, doubled each time, the last. */
#define WORDS_FIRST_NS 5000000ULL
#define WORDS_LAST_NS 1000000000ULL

/* --- Threads that wait ---------------------------------------------------------------------------- */

static int add_hold(void *context, __u32 tid, const struct pk_hold *hold)
{
	struct ask_holds *holds = context;
	struct ask_hold *grown = reallocarray(holds->items, holds->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	holds->items = grown;
	grown[holds->count++] = (struct ask_hold){ tid, *hold };
	return 0;
}

void ask_holds_read(const struct hub *hub, struct ask_holds *ret_holds)
{
	*ret_holds = (struct ask_holds){ 0 };
	(void)hub_holds(hub, add_hold, ret_holds);
}

void ask_holds_reset(struct ask_holds *holds)
{
	free(holds->items);
	*holds = (struct ask_holds){ 0 };
}

static bool waits_for(const struct ask_hold *one, const struct pk_ask_key *key)
{
	return memcmp(&one->hold.key, key, sizeof(*key)) == 0;
}

size_t ask_holds_count(const struct ask_holds *holds, const struct pk_ask_key *key)
{
	size_t count = 0;

	for (size_t i = 0; i < holds->count; i++)
		count += waits_for(&holds->items[i], key);
	return count;
}

void ask_continue(struct hub *hub, const struct pk_ask_key *key)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;

	ask_holds_read(hub, &holds);
	for (size_t i = 0; i < holds.count; i++) {
		if (waits_for(&holds.items[i], key))
			(void)hub_hold_continue(hub, holds.items[i].tid, &holds.items[i].hold);
	}
}

/* --- Processes ------------------------------------------------------------------------------------ */

static void free_process(struct ask_process *process)
{
	loop_drop(process->request->asks->daemon->epoll, &process->life);
	process->request->text -= process->text;
	process->request->asks->text -= process->text;
	json_decref(process->doc);
	free(process);
}

static void remove_process(struct ask_process *process)
{
	struct ask_request *request = process->request;
	size_t kept = 0;

	for (size_t i = 0; i < request->process_count; i++) {
		if (request->processes[i] != process)
			request->processes[kept++] = request->processes[i];
	}
	request->process_count = kept;
	free_process(process);
}

/* Does a live process still wait for it? Entries of those that do not live go. */
static bool is_waited_for(const struct ask_request *request)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;
	struct hub *hub = &request->asks->daemon->hub;
	bool waited_for = false;

	ask_holds_read(hub, &holds);
	for (size_t i = 0; i < holds.count; i++) {
		const struct ask_hold *one = &holds.items[i];

		if (!waits_for(one, &request->key))
			continue;
		if (ask_process_lives(one->hold.tgid, one->hold.start_ns))
			waited_for = true;
		else
			(void)hub_hold_continue(hub, one->tid, &one->hold);
	}
	return waited_for;
}

static void process_ended(void *context, __u32 events)
{
	struct ask_process *process = context;
	struct ask_request *request = process->request;

	(void)events;
	remove_process(process);
	if (!is_waited_for(request))
		ask_request_end(request, "gone");
	else
		ask_tell(request, "waiting", NULL, NULL);
}

/* A held one is watched: with it the request may end. */
static void watch_process(struct ask_process *process, const struct pk_event *head)
{
	if (process->life.fd >= 0 || head->reason != PK_REASON_HELD)
		return;
	process->life.ready = process_ended;
	process->life.context = process;
	process->life.fd = ask_process_open(head);
	if (process->life.fd < 0)
		return;
	if (loop_add(process->request->asks->daemon->epoll, &process->life, EPOLLIN))
		mem_close_fd(&process->life.fd);
}

static struct ask_process *find_process(const struct ask_request *request,
					const struct pk_event *head)
{
	for (size_t i = 0; i < request->process_count; i++) {
		if (request->processes[i]->tgid == head->tgid &&
		    request->processes[i]->start_ns == head->start_ns)
			return request->processes[i];
	}
	return NULL;
}

/* Room for one more: the oldest goes that waits for nothing, else the oldest. */
static bool make_room(struct ask_request *request)
{
	size_t victim = 0;

	if (request->process_count < ASK_PROCESSES_MAX)
		return true;
	/* Reading /proc for each of many tries would keep us busy for the agent. */
	if (grants_now() - request->told_ns < TELL_NS)
		return false;
	while (victim < request->process_count && request->processes[victim]->life.fd >= 0)
		victim++;
	if (victim == request->process_count)
		victim = 0;
	remove_process(request->processes[victim]);
	return true;
}

/* Its words; without room only who it is. */
static void describe_process(struct ask_process *process, const struct agent_entry *entry,
			     const struct event *event)
{
	struct asks *asks = process->request->asks;
	const char *root = asks->daemon->features.cgroup_root;

	process->doc = ask_process(event, root, entry->record.cgroup);
	process->text = process->doc ? json_dumpb(process->doc, NULL, 0, JSON_COMPACT) : 0;
	if (!asks_have_room(asks, process->request->key.agent, process->text)) {
		json_decref(process->doc);
		process->doc = json_pack("{s:I, s:I, s:I}", "pid", (json_int_t)event->head.tgid,
					 "tid", (json_int_t)event->head.tid, "uid",
					 (json_int_t)event->head.uid);
		process->text = 0;
	}
	process->request->text += process->text;
	asks->text += process->text;
}

static void add_process(struct ask_request *request, const struct agent_entry *entry,
			const struct event *event)
{
	struct ask_process *process = find_process(request, &event->head);

	if (!process && make_room(request)) {
		process = calloc(1, sizeof(*process));
		if (!process)
			return;
		process->request = request;
		process->life.fd = -1;
		process->tgid = event->head.tgid;
		process->start_ns = event->head.start_ns;
		describe_process(process, entry, event);
		request->processes[request->process_count++] = process;
	}
	if (process)
		watch_process(process, &event->head);
}

/* Whoever it is that asks did not approve. */
static void drop_vote(struct ask_request *request, uid_t uid)
{
	size_t kept = 0;

	for (size_t i = 0; i < request->vote_count; i++) {
		if (request->votes[i].uid == uid)
			json_decref(request->votes[i].doc);
		else
			request->votes[kept++] = request->votes[i];
	}
	request->vote_count = kept;
}

static void add_user(struct ask_request *request, uid_t uid)
{
	for (size_t i = 0; i < request->user_count; i++) {
		if (request->users[i] == uid)
			return;
	}
	drop_vote(request, uid);
	if (request->user_count == ASK_USERS_MAX)
		request->crowded = true;
	else
		request->users[request->user_count++] = uid;
}

/* --- Requests ------------------------------------------------------------------------------------- */

static void free_request(struct ask_request *request)
{
	ask_request_drop_votes(request);
	json_decref(request->act);
	free(request);
}

static void set_rule(struct ask_request *request, const struct agent_entry *entry, __u32 rule)
{
	request->rule = rule;
	request->image = ask_image(&entry->image);
	request->approvers = ask_approvers(&entry->image, rule);
	request->timeout = ask_timeout(&entry->image);
}

/* The act of a command with its words, or NULL: they are not known. */
static json_t *command_act(const struct ask_request *request, const struct agent_entry *entry,
			   const struct event *event)
{
	const struct event_context context =
		events_context(&request->asks->daemon->events, entry, false);
	CLEAN(ask_words_reset) struct ask_words words = { 0 };
	struct event whole;
	__u64 seed = 0;
	json_t *act;

	if (hub_ask_seed(&request->asks->daemon->hub, &seed) || ask_words_find(seed, event, &words))
		return NULL;
	whole = ask_words_event(event, &words);
	act = ask_act(&whole, &context);
	if (!act || words.verified)
		return act;
	(void)json_object_del(act, "argv");
	(void)json_object_set_new(act, "unverified", json_true());
	return act;
}

/* The act of @event. The words of a command may have to be looked for later. */
static json_t *make_act(struct ask_request *request, const struct agent_entry *entry,
			const struct event *event)
{
	const struct event_context context =
		events_context(&request->asks->daemon->events, entry, false);
	bool command = event->head.op == PK_OP_COMMAND;
	json_t *act = command ? command_act(request, entry, event) : NULL;

	request->words_ns = 0;
	if (command && !json_object_get(act, "argv") && event->head.reason == PK_REASON_HELD) {
		request->sought = event->head;
		request->words_wait_ns = WORDS_FIRST_NS;
		request->words_ns = grants_now() + WORDS_FIRST_NS;
	}
	return act ? act : ask_act(event, &context);
}

bool ask_request_find_words(struct ask_request *request)
{
	const struct agent_entry *entry = asks_agent(request->asks, request->key.agent);
	const struct event event = { .head = request->sought };
	json_t *act = entry ? command_act(request, entry, &event) : NULL;

	request->words_wait_ns *= 2;
	request->words_ns = grants_now() + request->words_wait_ns;
	if (request->words_wait_ns > WORDS_LAST_NS || json_object_get(act, "argv"))
		request->words_ns = 0;
	if (!json_object_get(act, "argv")) {
		json_decref(act);
		return request->words_ns == 0;
	}
	json_decref(request->act);
	request->act = act;
	ask_tell(request, "waiting", NULL, NULL);
	return true;
}

struct ask_request *ask_request_new(struct asks *asks, const struct agent_entry *entry,
				    const struct event *event)
{
	struct ask_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->asks = asks;
	memcpy(request->key.hash, event->head.ask, sizeof(request->key.hash));
	request->key.agent = event->head.agent;
	(void)request_id(request->key.hash, request->id);
	request->since = time(NULL);
	request->serial = ++asks->serial;
	request->act = make_act(request, entry, event);
	if (!request->act) {
		free_request(request);
		return NULL;
	}
	set_rule(request, entry, event->head.rule);
	return request;
}

/* Another rule asks than before: it is another question. */
static void ask_anew(struct ask_request *request, const struct agent_entry *entry,
		     const struct event *event)
{
	json_t *act = make_act(request, entry, event);

	ask_request_drop_votes(request);
	/* What a program is thinking about is answered for nobody, and it is asked anew. */
	request->serial = ++request->asks->serial;
	request->hook = ASK_HOOK_NONE;
	set_rule(request, entry, event->head.rule);
	if (act) {
		json_decref(request->act);
		request->act = act;
	}
}

void ask_request_try(struct ask_request *request, const struct agent_entry *entry,
		     const struct event *event)
{
	const struct pk_event *head = &event->head;
	bool held = head->reason == PK_REASON_HELD;
	bool first = !request->count || (held && !request->held);

	if (request->rule != head->rule || request->image != ask_image(&entry->image))
		ask_anew(request, entry, event);
	request->count++;
	request->last = time(NULL);
	/* Who stands still waits no longer because others try. */
	if (!request->held)
		request->expires_ns = grants_now() + request->timeout * 1000000000ULL;
	request->held |= held;
	add_user(request, head->uid);
	add_process(request, entry, event);
	if (first || grants_now() - request->told_ns >= TELL_NS)
		ask_tell(request, "waiting", NULL, NULL);
}

struct ask_request *ask_request_find(const struct asks *asks, const struct pk_ask_key *key)
{
	struct ask_request *request = asks->requests;

	while (request && memcmp(&request->key, key, sizeof(*key)) != 0)
		request = request->next;
	return request;
}

void ask_request_remove(struct ask_request *request)
{
	struct ask_request **at = &request->asks->requests;

	while (*at && *at != request)
		at = &(*at)->next;
	while (request->process_count)
		free_process(request->processes[--request->process_count]);
	if (*at) {
		*at = request->next;
		request->asks->text -= request->text;
	}
	free_request(request);
}

void ask_request_drop_votes(struct ask_request *request)
{
	while (request->vote_count)
		json_decref(request->votes[--request->vote_count].doc);
}

void ask_request_end(struct ask_request *request, const char *state)
{
	struct asks *asks = request->asks;
	struct pk_ask_key key = request->key;

	ask_tell(request, state, NULL, NULL);
	ask_request_remove(request);
	ask_continue(&asks->daemon->hub, &key);
	asks_arm(asks);
}

/* --- Words ---------------------------------------------------------------------------------------- */

static json_t *processes_json(const struct ask_request *request)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < request->process_count; i++) {
		const struct ask_process *process = request->processes[i];
		json_t *doc = json_copy(process->doc);

		if (doc)
			(void)json_object_set_new(doc, "held", json_boolean(process->life.fd >= 0));
		(void)json_array_append_new(list, doc);
	}
	return list;
}

static json_t *votes_json(const struct ask_request *request)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < request->vote_count; i++)
		(void)json_array_append(list, request->votes[i].doc);
	return list;
}

/* The time of day at which it ends. */
static json_int_t end_time(const struct ask_request *request)
{
	__u64 now = grants_now();
	__u64 left = request->expires_ns > now ? request->expires_ns - now : 0;

	return (json_int_t)time(NULL) + (json_int_t)((left + 500000000ULL) / 1000000000ULL);
}

json_t *ask_request_describe(const struct ask_request *request, const struct ask_holds *holds,
			     const char *state)
{
	const struct agent_entry *entry = asks_agent(request->asks, request->key.agent);
	size_t waiting = ask_holds_count(holds, &request->key);
	json_t *doc;

	doc = json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*}", "schema", "picket.request/1", "id",
			request->id, "state", state, "agent", entry ? entry->record.id : NULL,
			"agent_name", entry ? entry->record.name : NULL, "policy",
			entry ? entry->record.policy : NULL);
	if (!doc || json_object_update(doc, request->act)) {
		json_decref(doc);
		return NULL;
	}
	if (json_object_update_new(
		    doc, json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "held",
				   waiting > 0, "waiting", (json_int_t)waiting, "count",
				   (json_int_t)request->count, "since", (json_int_t)request->since,
				   "last", (json_int_t)request->last, "expires", end_time(request),
				   "approvers", (json_int_t)request->approvers, "approved_by",
				   votes_json(request), "processes", processes_json(request)))) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}

/* Does the watcher see what @slot's agent asks? */
static bool sees(const struct asks *asks, const struct ask_watcher *watcher, __u32 slot)
{
	const struct peer *peer = client_peer(watcher->client);
	const struct agent_entry *entry = asks_agent(asks, slot);

	if (watcher->slot && watcher->slot != slot)
		return false;
	return peer->role >= PEER_OBSERVER || (entry && entry->record.uid == peer->uid);
}

static void notify(const struct asks *asks, __u32 slot, const char *method, json_t *params)
{
	CLEAN_FREE char *line = params ? control_notification_line(method, params) : NULL;

	json_decref(params);
	for (size_t i = 0; line && i < asks->watcher_count; i++) {
		if (sees(asks, &asks->watchers[i], slot))
			(void)server_notify((struct client *)asks->watchers[i].client, line,
					    strlen(line));
	}
}

void ask_tell(struct ask_request *request, const char *state, const json_t *by,
	      const struct grant *grant)
{
	CLEAN(ask_holds_reset) struct ask_holds holds = { 0 };
	json_t *doc;

	request->told_ns = grants_now();
	if (!request->asks->watcher_count)
		return;
	ask_holds_read(&request->asks->daemon->hub, &holds);
	doc = ask_request_describe(request, &holds, state);
	if (doc && by)
		(void)json_object_set(doc, "refused_by", (json_t *)by);
	if (doc && grant)
		(void)json_object_set_new(doc, "grant", json_integer(grant->kernel.id));
	notify(request->asks, request->key.agent, "request",
	       doc ? json_pack("{s:o}", "request", doc) : NULL);
}

void ask_tell_grant(const struct asks *asks, const struct grant *grant, const char *what)
{
	json_t *doc = asks->watcher_count ? grants_describe(&asks->grants, grant) : NULL;

	if (doc)
		notify(asks, grant->key.agent, "grant",
		       json_pack("{s:o, s:s}", "grant", doc, "what", what));
}
