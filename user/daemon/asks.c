/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From events to requests, and what time does to them.
 */
#include "daemon/asks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "base/mem.h"
#include "daemon/ask_act.h"
#include "daemon/ask_local.h"
#include "daemon/ask_process.h"
#include "daemon/daemon.h"

struct agent_entry *asks_agent(const struct asks *asks, __u32 slot)
{
	return registry_at(&asks->daemon->registry, slot);
}

/* --- Time ----------------------------------------------------------------------------------------- */

static void set_timer(const struct asks *asks, __u64 at)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(at / 1000000000ULL),
			      .tv_nsec = (long)(at % 1000000000ULL) },
	};

	(void)timerfd_settime(asks->timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void asks_arm(struct asks *asks)
{
	__u64 next = 0;

	for (const struct ask_request *one = asks->requests; one; one = one->next) {
		if (!next || one->expires_ns < next)
			next = one->expires_ns;
		if (one->words_ns && one->words_ns < next)
			next = one->words_ns;
	}
	for (const struct grant *one = asks->grants.first; one; one = one->next) {
		if (one->kernel.expires_ns && (!next || one->kernel.expires_ns < next))
			next = one->kernel.expires_ns;
	}
	set_timer(asks, next);
}

/* For those who read later; nothing depends on it. */
static void record_expiry(const struct ask_request *request, const struct ask_holds *holds)
{
	json_t *doc = ask_request_describe(request, holds, "expired");
	json_t *details = doc ? json_pack("{s:o}", "request", doc) : NULL;

	if (details)
		(void)ledger_answer(request->asks->daemon,
				    asks_agent(request->asks, request->key.agent), "expired",
				    details);
	json_decref(details);
}

/* Nobody answered: that is a refusal for those who wait, and for the others nothing has changed. */
static void expire(struct ask_request *request)
{
	static const struct ask_answer answer = {
		.verdict = PK_VERDICT_DENY,
		.what = "expired",
	};
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(ask_holds_reset) struct ask_holds holds;
	struct daemon *daemon = request->asks->daemon;
	json_t *grant = NULL;

	ask_holds_read(&daemon->hub, &holds);
	if (!ask_holds_count(&holds, &request->key)) {
		record_expiry(request, &holds);
		ask_tell(request, "expired", NULL, NULL);
		ask_request_remove(request);
		return;
	}
	if (ask_refuse(request, &answer, &grant, &diags) < 0) {
		/* It goes on waiting: what cannot be recorded is not answered. */
		daemon_say_diags(daemon, &diags);
		request->expires_ns = grants_now() + ASK_REFUSAL_SECONDS * 1000000000ULL;
	}
	json_decref(grant);
}

/* Of what is asked all is known that will be. */
static void settle(struct ask_request *request)
{
	struct asks *asks = request->asks;

	if (!ask_local_answers(request))
		ask_hooks_work(asks);
}

static void timer_fired(void *context, __u32 events)
{
	struct asks *asks = context;
	struct ask_request *request = asks->requests;
	struct grant *grant = asks->grants.first;
	__u64 now = grants_now();

	(void)events;
	loop_take_timer(&asks->timer);
	while (grant) {
		struct grant *next = grant->next;

		if (grant->kernel.expires_ns && grant->kernel.expires_ns <= now)
			ask_lapse(asks, grant);
		grant = next;
	}
	while (request) {
		struct ask_request *next = request->next;

		if (request->expires_ns <= now)
			expire(request);
		else if (request->words_ns && request->words_ns <= now &&
			 ask_request_find_words(request))
			settle(request);
		request = next;
	}
	asks_arm(asks);
}

static int open_timer(struct asks *asks)
{
	int r;

	asks->timer.ready = timer_fired;
	asks->timer.context = asks;
	/* The kernel's programs count in this clock too. */
	asks->timer.fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (asks->timer.fd < 0)
		return -errno;
	r = loop_add(asks->daemon->epoll, &asks->timer, EPOLLIN);
	if (r)
		mem_close_fd(&asks->timer.fd);
	return r;
}

/* --- Events --------------------------------------------------------------------------------------- */

/* The kernel used an answer: one that is used up is forgotten. */
static void note_use(struct asks *asks, const struct pk_ask_key *key)
{
	struct grant *grant = grants_find(&asks->grants, key);

	if (grant && grant->kernel.uses != PK_GRANT_UNLIMITED &&
	    grants_left(&asks->grants, grant) <= 0)
		grants_drop(&asks->grants, grant);
}

/* Does the thread still wait for it? The event may have been on its way for long. */
static bool waits(const struct asks *asks, const struct pk_event *head,
		  const struct pk_ask_key *key)
{
	struct pk_hold hold;

	return hub_hold_get(&asks->daemon->hub, head->tid, &hold) == 0 &&
	       memcmp(&hold.key, key, sizeof(*key)) == 0;
}

/* Is there an answer already? Then whoever waits need not. */
static bool is_answered(struct asks *asks, const struct agent_entry *entry,
			const struct pk_ask_key *key, const struct pk_event *head)
{
	struct grant *grant = grants_find(&asks->grants, key);

	if (!grant)
		return false;
	if (!grants_holds(&asks->grants, grant, head->rule, ask_image(&entry->image))) {
		if (grants_is_over(&asks->grants, grant, grants_now()))
			grants_drop(&asks->grants, grant);
		return false;
	}
	if (head->reason == PK_REASON_HELD)
		ask_continue(&asks->daemon->hub, key);
	return true;
}

/* There is no room for a request: nobody is asked. */
static void overflow(struct asks *asks, const struct agent_entry *entry,
		     const struct pk_ask_key *key, const struct pk_event *head)
{
	struct pk_grant kernel = {
		.expires_ns = grants_now() + ASK_REFUSAL_SECONDS * 1000000000ULL,
		.uses = 1,
		.verdict = PK_VERDICT_DENY,
		.id = asks->grants.next_id++,
		.rule = head->rule,
		.image = ask_image(&entry->image),
	};
	struct grant *grant;

	if (!asks->overflowed++)
		daemon_say(asks->daemon, "agent '%s' (%s) has too many open requests: refused",
			   entry->record.id, entry->record.name);
	if (head->reason != PK_REASON_HELD)
		return;
	grant = grants_add(&asks->grants, key, &kernel, NULL);
	if (!grant)
		return;
	if (grants_publish(&asks->grants, grant))
		grants_drop(&asks->grants, grant);
	else
		ask_continue(&asks->daemon->hub, key);
	asks_arm(asks);
}

bool asks_have_room(const struct asks *asks, __u32 slot, size_t more)
{
	size_t text = more;
	size_t count = 0;

	for (const struct ask_request *one = asks->requests; one; one = one->next) {
		if (one->key.agent != slot)
			continue;
		text += one->text;
		count++;
	}
	return count <= ASKS_OF_AGENT && text <= ASKS_TEXT_OF_AGENT &&
	       asks->text + more <= ASKS_TEXT_MAX;
}

/* What a request counts for before it has processes. */
static size_t text_of(const struct ask_request *request)
{
	return json_dumpb(request->act, NULL, 0, JSON_COMPACT) + sizeof(*request);
}

static void append(struct asks *asks, struct ask_request *request)
{
	struct ask_request **at = &asks->requests;

	while (*at)
		at = &(*at)->next;
	*at = request;
	asks->text += request->text;
}

static struct ask_request *open_request(struct asks *asks, struct agent_entry *entry,
					const struct event *event)
{
	struct ask_request *request = ask_request_new(asks, entry, event);
	const char *op;

	if (!request)
		return NULL;
	request->text = text_of(request);
	append(asks, request);
	if (!asks_have_room(asks, request->key.agent, 0)) {
		ask_request_remove(request);
		return NULL;
	}
	op = json_string_value(json_object_get(request->act, "op"));
	daemon_say(asks->daemon, "request %s: agent '%s' (%s) asks to %s %s", request->id,
		   entry->record.id, entry->record.name, op ? op : "?", ask_shown(request->act));
	return request;
}

void asks_take(struct asks *asks, struct agent_entry *entry, const struct event *event)
{
	const struct pk_event *head = &event->head;
	struct pk_ask_key key = { { head->ask[0], head->ask[1] }, head->agent, 0 };
	struct ask_request *request;
	__u64 serial;

	/* Of an agent's socket in somebody else's hands nobody is asked. */
	if ((!key.hash[0] && !key.hash[1]) || head->audit || asks->timer.fd < 0 ||
	    asks_agent(asks, head->agent) != entry)
		return;
	if (head->reason == PK_REASON_GRANTED || head->reason == PK_REASON_REFUSED)
		note_use(asks, &key);
	if (head->reason != PK_REASON_HELD && head->reason != PK_REASON_PENDING &&
	    head->reason != PK_REASON_UNHELD)
		return;
	if (head->reason == PK_REASON_HELD && !waits(asks, head, &key))
		return;
	if (is_answered(asks, entry, &key, head))
		return;
	request = ask_request_find(asks, &key);
	serial = request ? request->serial : 0;
	if (!request)
		request = open_request(asks, entry, event);
	if (!request) {
		overflow(asks, entry, &key, head);
		return;
	}
	ask_request_try(request, entry, event);
	asks_arm(asks);
	if (request->serial != serial && !request->words_ns)
		settle(request);
}

/* --- What happens to agents ----------------------------------------------------------------------- */

/* The answer holds on, by the rule's number in the new image. */
static void carry_grant(struct asks *asks, struct grant *grant, __u32 rule, __u64 image)
{
	__s64 left = grants_left(&asks->grants, grant);

	grant->kernel.rule = rule;
	grant->kernel.image = image;
	if (grant->kernel.uses != PK_GRANT_UNLIMITED)
		grant->kernel.uses = left;
	if (grants_publish(&asks->grants, grant))
		(void)ask_revoke(asks, grant, "ended", NULL);
}

static void carry_grants(struct asks *asks, const struct agent_entry *entry,
			 const struct policy_image *before)
{
	struct grant *grant = asks->grants.first;

	while (grant) {
		struct grant *next = grant->next;
		__u32 rule = PK_RULE_NONE;

		if (grant->key.agent == entry->record.slot) {
			if (grant->kernel.image == ask_image(before))
				rule = ask_find_rule(before, grant->kernel.rule, &entry->image);
			if (rule == PK_RULE_NONE)
				(void)ask_revoke(asks, grant, "ended", NULL);
			else
				carry_grant(asks, grant, rule, ask_image(&entry->image));
		}
		grant = next;
	}
}

void asks_reloaded(struct asks *asks, const struct agent_entry *entry,
		   const struct policy_image *before)
{
	struct ask_request *request = asks->requests;

	carry_grants(asks, entry, before);
	while (request) {
		struct ask_request *next = request->next;
		__u32 rule = request->key.agent != entry->record.slot ?
				     request->rule :
				     ask_find_rule(before, request->rule, &entry->image);

		if (rule == PK_RULE_NONE) {
			/* Who waits is judged anew. */
			ask_request_end(request, "gone");
		} else if (request->key.agent == entry->record.slot) {
			request->rule = rule;
			request->image = ask_image(&entry->image);
			request->timeout = ask_timeout(&entry->image);
		}
		request = next;
	}
	asks_arm(asks);
}

void asks_forget_agent(struct asks *asks, __u32 slot)
{
	struct ask_request *request = asks->requests;
	struct grant *grant = asks->grants.first;

	while (request) {
		struct ask_request *next = request->next;

		if (request->key.agent == slot) {
			ask_tell(request, "gone", NULL, NULL);
			ask_request_remove(request);
		}
		request = next;
	}
	while (grant) {
		struct grant *next = grant->next;

		if (grant->key.agent == slot)
			(void)ask_revoke(asks, grant, "ended", NULL);
		grant = next;
	}
	for (size_t i = 0; i < asks->watcher_count; i++) {
		/* The slot will be another agent's: nothing of that is for this watcher. */
		if (asks->watchers[i].slot == slot)
			asks->watchers[i].slot = PK_AGENTS_MAX;
	}
	asks_arm(asks);
}

void asks_check(struct asks *asks)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;
	struct hub *hub = &asks->daemon->hub;

	if (asks->timer.fd < 0)
		return;
	ask_holds_read(hub, &holds);
	for (size_t i = 0; i < holds.count; i++) {
		const struct ask_hold *one = &holds.items[i];

		/* Of a thread that is gone only the entry goes. */
		if (!ask_request_find(asks, &one->hold.key) ||
		    !ask_process_lives(one->hold.tgid, one->hold.start_ns))
			(void)hub_hold_continue(hub, one->tid, &one->hold);
	}
	ask_hooks_work(asks);
}

/* --- Watchers ------------------------------------------------------------------------------------- */

int asks_watch(struct asks *asks, const struct ask_watcher *watcher)
{
	struct ask_watcher *grown;

	asks_forget_client(asks, watcher->client);
	grown = reallocarray(asks->watchers, asks->watcher_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	asks->watchers = grown;
	grown[asks->watcher_count++] = *watcher;
	return 0;
}

void asks_forget_client(struct asks *asks, const struct client *client)
{
	size_t kept = 0;

	for (size_t i = 0; i < asks->watcher_count; i++) {
		if (asks->watchers[i].client != client)
			asks->watchers[kept++] = asks->watchers[i];
	}
	asks->watcher_count = kept;
}

/* --- The whole ------------------------------------------------------------------------------------ */

int asks_open(struct daemon *daemon)
{
	struct asks *asks = &daemon->asks;
	int r;

	asks->daemon = daemon;
	asks->grants = (struct grants){ .hub = &daemon->hub, .next_id = 1 };
	ask_hooks_open(asks);
	r = open_timer(asks);
	return r ? r : hub_asks_begin(&daemon->hub);
}

static bool may_be_kept(void *context, const struct grant *grant)
{
	const struct asks *asks = context;
	const struct agent_entry *entry = asks_agent(asks, grant->key.agent);
	const char *agent = json_string_value(json_object_get(grant->doc, "agent"));

	return entry && agent && strcmp(agent, entry->record.id) == 0 &&
	       grant->kernel.image == ask_image(&entry->image);
}

int asks_adopt(struct asks *asks, const json_t *saved)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;
	json_int_t next = json_integer_value(json_object_get(saved, "next"));
	int r;

	if (next > 0 && next < (json_int_t)PK_RULE_DEFAULT)
		asks->grants.next_id = (__u32)next;
	r = grants_adopt(&asks->grants, json_object_get(saved, "list"), may_be_kept, asks);
	if (r > 0)
		daemon_say(asks->daemon, "%d grants were taken back: nothing is known of them", r);
	/* Whoever waits asks anew, and is heard by us then. */
	ask_holds_read(&asks->daemon->hub, &holds);
	for (size_t i = 0; i < holds.count; i++)
		(void)hub_hold_continue(&asks->daemon->hub, holds.items[i].tid,
					&holds.items[i].hold);
	if (holds.count)
		daemon_say(asks->daemon, "%zu threads wait for approvals", holds.count);
	asks_arm(asks);
	return r < 0 ? r : 0;
}

json_t *asks_encode(const struct asks *asks)
{
	return json_pack("{s:I, s:o}", "next", (json_int_t)asks->grants.next_id, "list",
			 grants_encode(&asks->grants));
}

void asks_close(struct asks *asks)
{
	if (!asks->daemon)
		return;
	/* Nobody is told: there is nobody to be told any more. */
	asks->watcher_count = 0;
	ask_hooks_close(asks);
	while (asks->requests)
		ask_request_remove(asks->requests);
	grants_reset(&asks->grants);
	loop_drop(asks->daemon->epoll, &asks->timer);
	free(asks->watchers);
	*asks = (struct asks)ASKS_NONE;
}
