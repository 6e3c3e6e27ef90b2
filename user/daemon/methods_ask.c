/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods about requests and grants: who may see them, and who may answer.
 */
#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "daemon/ask_local.h"
#include "daemon/methods.h"

/* Room for an account's strings. */
#define ACCOUNT_SIZE 4096

/* May the caller see what concerns the agent in @slot, and is it the wanted one (@only, 0 = any)? */
static bool may_see(const struct daemon *daemon, const struct call *call, __u32 slot, __u32 only)
{
	const struct peer *peer = client_peer(call->client);
	const struct agent_entry *entry = registry_at(&daemon->registry, slot);

	if (!entry || (only && only != slot))
		return false;
	return peer->role >= PEER_OBSERVER || peer->uid == entry->record.uid;
}

/* The parameter `agent` of a list, as a slot. False: answered. */
static bool take_only(struct daemon *daemon, const struct call *call, struct control_answer *answer,
		      __u32 *ret_slot)
{
	struct methods_lookup lookup = { .role = PEER_OBSERVER };
	const struct agent_entry *entry;

	*ret_slot = 0;
	if (!methods_unpack(call, answer, "{s?s}", "agent", &lookup.id))
		return false;
	if (!lookup.id)
		return true;
	entry = methods_find(daemon, call, &lookup, answer);
	if (entry)
		*ret_slot = entry->record.slot;
	return entry != NULL;
}

static json_t *list_requests(const struct daemon *daemon, const struct call *call, __u32 only)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;
	json_t *list = json_array();

	ask_holds_read(&daemon->hub, &holds);
	for (const struct ask_request *one = daemon->asks.requests; list && one; one = one->next) {
		if (!may_see(daemon, call, one->key.agent, only))
			continue;
		if (json_array_append_new(list, ask_request_describe(one, &holds, "waiting"))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int method_request_list(void *context, struct call *call, struct control_answer *answer)
{
	struct daemon *daemon = context;
	json_t *list;
	__u32 only;

	if (!take_only(daemon, call, answer, &only))
		return 0;
	daemon_take_records(daemon);
	list = list_requests(daemon, call, only);
	return methods_succeed(answer, list ? json_pack("{s:o}", "requests", list) : NULL);
}

int method_request_watch(void *context, struct call *call, struct control_answer *answer)
{
	struct ask_watcher watcher = { .client = call->client };
	struct daemon *daemon = context;
	json_t *list;

	if (!take_only(daemon, call, answer, &watcher.slot))
		return 0;
	daemon_take_records(daemon);
	if (asks_watch(&daemon->asks, &watcher))
		return methods_fail(answer, CONTROL_INTERNAL, "out of memory");
	list = list_requests(daemon, call, watcher.slot);
	return methods_succeed(answer, list ? json_pack("{s:o}", "requests", list) : NULL);
}

int method_grant_list(void *context, struct call *call, struct control_answer *answer)
{
	struct daemon *daemon = context;
	json_t *list;
	__u32 only;

	if (!take_only(daemon, call, answer, &only))
		return 0;
	daemon_take_records(daemon);
	list = json_array();
	for (const struct grant *one = daemon->asks.grants.first; list && one; one = one->next) {
		if (!one->doc || !may_see(daemon, call, one->key.agent, only) ||
		    grants_is_over(&daemon->asks.grants, one, grants_now()))
			continue;
		if (json_array_append_new(list, grants_describe(&daemon->asks.grants, one))) {
			json_decref(list);
			list = NULL;
		}
	}
	return methods_succeed(answer, list ? json_pack("{s:o}", "grants", list) : NULL);
}

/* --- Answers -------------------------------------------------------------------------------------- */

/* What an answer says. */
struct wish {
	const char *id;
	const char *agent; /* or NULL */
	const char *mode; /* or NULL */
	const char *reason; /* or NULL */
	json_int_t seconds;
	int preview;
};

/* The name of a user for people, and for later, when it may be another's. */
static const char *user_name(uid_t uid, char text[ACCOUNT_SIZE])
{
	struct passwd account;
	struct passwd *found = NULL;

	if (getpwuid_r(uid, &account, text, ACCOUNT_SIZE, &found) == 0 && found &&
	    escape_is_plain(found->pw_name, strlen(found->pw_name)))
		return found->pw_name;
	(void)snprintf(text, ACCOUNT_SIZE, "uid %u", uid);
	return text;
}

static bool is_reason(const char *reason, struct control_answer *answer)
{
	if (!reason ||
	    (strlen(reason) <= ASK_REASON_MAX && escape_is_plain(reason, strlen(reason))))
		return true;
	(void)methods_fail(answer, CONTROL_PARAMS, "'reason' is too long, or cannot be shown");
	return false;
}

/* The request that is meant; NULL: answered. */
static struct ask_request *find_request(struct daemon *daemon, const struct wish *wish,
					struct control_answer *answer)
{
	struct ask_request *found = NULL;

	daemon_take_records(daemon);
	for (struct ask_request *one = daemon->asks.requests; one; one = one->next) {
		const struct agent_entry *entry = asks_agent(&daemon->asks, one->key.agent);

		if (strcmp(one->id, wish->id) != 0 ||
		    (wish->agent && (!entry || strcmp(entry->record.id, wish->agent) != 0)))
			continue;
		if (found) {
			(void)methods_fail(answer, CONTROL_MISSING,
					   "several agents ask '%s': say whose by 'agent'",
					   wish->id);
			return NULL;
		}
		found = one;
	}
	if (!found)
		(void)methods_fail(answer, CONTROL_MISSING, "there is no request '%.*s'%s",
				   REQUEST_ID_SIZE, wish->id, wish->agent ? " of that agent" : "");
	return found;
}

/* Nobody approves for himself. */
static bool may_approve(const struct ask_request *request, const struct call *call,
			struct control_answer *answer)
{
	const struct agent_entry *entry = asks_agent(request->asks, request->key.agent);
	uid_t uid = client_peer(call->client)->uid;
	const char *why = NULL;

	if (!entry || entry->record.uid == uid)
		why = "you are the owner of the agent";
	else if (request->crowded)
		why = "processes of too many users ask";
	for (size_t i = 0; !why && i < request->user_count; i++) {
		if (request->users[i] == uid)
			why = "a process that asks runs as you";
	}
	if (!why)
		return true;
	answer->data = json_pack("{s:s}", "hint", "another user of group picket-admin can");
	(void)methods_fail(answer, CONTROL_DENIED, "you cannot approve it: %s", why);
	return false;
}

static bool take_mode(const struct wish *wish, struct ask_vote *vote, struct control_answer *answer)
{
	vote->mode = wish->mode ? ask_mode_find(wish->mode) : ASK_ONCE;
	vote->seconds = (unsigned int)wish->seconds;
	if (vote->mode == ASK__MODES)
		(void)methods_fail(answer, CONTROL_PARAMS,
				   "'mode' is not once, for, agent or always");
	else if (vote->mode == ASK_FOR ? wish->seconds < 1 || wish->seconds > ASK_SECONDS_MAX :
					 wish->seconds != 0)
		(void)methods_fail(answer, CONTROL_PARAMS,
				   "mode 'for', and no other, takes 'seconds', from 1 to %d",
				   ASK_SECONDS_MAX);
	else
		return true;
	return false;
}

/* The request as it is told; the answer may free it. */
static json_t *describe(const struct ask_request *request, const char *state)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;

	ask_holds_read(&request->asks->daemon->hub, &holds);
	return ask_request_describe(request, &holds, state);
}

static int preview(const struct ask_request *request, enum ask_mode mode,
		   struct control_answer *answer)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *diff = NULL;
	CLEAN_FREE char *file = NULL;
	int r = mode == ASK_ALWAYS ? ask_local_preview(request, &diff, &file, &diags) : 0;

	if (r)
		return methods_fail_diags(answer, CONTROL_FAILED, r, &diags);
	return methods_succeed(answer,
			       json_pack("{s:s, s:o, s:s*, s:s*}", "state", "waiting", "request",
					 describe(request, "waiting"), "diff", diff, "file", file));
}

static int approve(struct ask_request *request, struct ask_vote *vote,
		   struct control_answer *answer)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	json_t *told = describe(request, "approved");
	json_t *grant = NULL;
	int r = ask_vote(request, vote, &grant, &diags);

	if (r > 0)
		return methods_succeed(answer, json_pack("{s:s, s:o*, s:o*}", "state", "approved",
							 "request", told, "grant", grant));
	json_decref(told);
	if (r < 0)
		return methods_fail_diags(answer, r == -E2BIG ? CONTROL_BUSY : CONTROL_FAILED, r,
					  &diags);
	return methods_succeed(answer,
			       json_pack("{s:s, s:o*, s:I}", "state", "waiting", "request",
					 describe(request, "waiting"), "missing",
					 (json_int_t)(request->approvers - request->vote_count)));
}

int method_request_approve(void *context, struct call *call, struct control_answer *answer)
{
	struct ask_vote vote = { .uid = client_peer(call->client)->uid };
	struct daemon *daemon = context;
	struct ask_request *request;
	struct wish wish = { 0 };
	char account[ACCOUNT_SIZE];

	if (!methods_unpack(call, answer, "{s:s, s?s, s?s, s?I, s?s, s?b}", "id", &wish.id, "agent",
			    &wish.agent, "mode", &wish.mode, "seconds", &wish.seconds, "reason",
			    &wish.reason, "preview", &wish.preview) ||
	    !take_mode(&wish, &vote, answer) || !is_reason(wish.reason, answer))
		return 0;
	request = find_request(daemon, &wish, answer);
	if (!request || !may_approve(request, call, answer))
		return 0;
	if (wish.preview)
		return preview(request, vote.mode, answer);
	vote.doc = ask_by(vote.uid, user_name(vote.uid, account), &vote, wish.reason);
	return approve(request, &vote, answer);
}

int method_request_refuse(void *context, struct call *call, struct control_answer *answer)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	uid_t uid = client_peer(call->client)->uid;
	struct ask_answer refusal = { .what = "refused" };
	struct daemon *daemon = context;
	struct ask_request *request;
	char account[ACCOUNT_SIZE];
	struct wish wish = { 0 };
	json_t *grant = NULL;
	json_t *told;
	json_t *by;
	int r;

	if (!methods_unpack(call, answer, "{s:s, s?s, s?s}", "id", &wish.id, "agent", &wish.agent,
			    "reason", &wish.reason) ||
	    !is_reason(wish.reason, answer))
		return 0;
	request = find_request(daemon, &wish, answer);
	if (!request)
		return 0;
	by = ask_by(uid, user_name(uid, account), NULL, wish.reason);
	refusal.by = by;
	told = describe(request, "refused");
	r = ask_refuse(request, &refusal, &grant, &diags);
	json_decref(by);
	if (r > 0)
		return methods_succeed(answer, json_pack("{s:s, s:o*, s:o*}", "state", "refused",
							 "request", told, "grant", grant));
	json_decref(told);
	return methods_fail_diags(answer, r == -E2BIG ? CONTROL_BUSY : CONTROL_FAILED, r, &diags);
}

int method_grant_revoke(void *context, struct call *call, struct control_answer *answer)
{
	uid_t uid = client_peer(call->client)->uid;
	struct daemon *daemon = context;
	const char *reason = NULL;
	char account[ACCOUNT_SIZE];
	struct grant *grant;
	json_int_t id = 0;
	json_t *told;
	json_t *by;
	int r;

	if (!methods_unpack(call, answer, "{s:I, s?s}", "grant", &id, "reason", &reason) ||
	    !is_reason(reason, answer))
		return 0;
	daemon_take_records(daemon);
	grant = id > 0 && id <= UINT32_MAX ? grants_find_id(&daemon->asks.grants, (__u32)id) : NULL;
	if (!grant)
		return methods_fail(answer, CONTROL_MISSING, "there is no grant %lld",
				    (long long)id);
	told = grants_describe(&daemon->asks.grants, grant);
	by = ask_by(uid, user_name(uid, account), NULL, reason);
	r = ask_revoke(&daemon->asks, grant, "revoked", by);
	daemon_save(daemon);
	json_decref(by);
	if (r == 0)
		return methods_succeed(answer, told ? json_pack("{s:o}", "grant", told) : NULL);
	json_decref(told);
	return methods_fail(answer, CONTROL_FAILED,
			    "it is taken back, but that could not be written to the record: %s",
			    strerror(-r));
}
