/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An answer is on the record before it is in force, and in the state before it is in the kernel: what
 * the kernel has and nobody remembers is taken back at the next start.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/ask_act.h"
#include "daemon/ask_local.h"
#include "daemon/daemon.h"
#include "telemetry/names.h"

static const char *const mode_names[ASK__MODES] = { "once", "for", "agent", "always" };

const char *ask_mode_name(enum ask_mode mode)
{
	return mode < ASK__MODES ? mode_names[mode] : "unknown";
}

enum ask_mode ask_mode_find(const char *name)
{
	unsigned int mode = 0;

	while (mode < ASK__MODES && strcmp(name, mode_names[mode]) != 0)
		mode++;
	return (enum ask_mode)mode;
}

json_t *ask_by(uid_t uid, const char *who, const struct ask_vote *vote, const char *reason)
{
	json_t *by = json_pack("{s:s, s:I, s:s*}", "who", who, "at", (json_int_t)time(NULL),
			       "reason", reason && *reason ? reason : NULL);

	if (by && uid != ASK_UID_HOOK && uid != ASK_UID_FILE)
		(void)json_object_set_new(by, "uid", json_integer(uid));
	if (by && vote)
		(void)json_object_set_new(by, "mode", json_string(ask_mode_name(vote->mode)));
	if (by && vote && vote->mode == ASK_FOR)
		(void)json_object_set_new(by, "seconds", json_integer(vote->seconds));
	return by;
}

/* --- The words of a grant ------------------------------------------------------------------------- */

static json_t *approvers(const struct ask_request *request)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < request->vote_count; i++)
		(void)json_array_append(list, request->votes[i].doc);
	return list;
}

static json_t *make_doc(const struct ask_request *request, const struct ask_answer *answer,
			const struct pk_grant *kernel)
{
	const struct agent_entry *entry = asks_agent(request->asks, request->key.agent);
	bool allow = answer->verdict == PK_VERDICT_ALLOW;
	time_t now = time(NULL);
	json_t *doc;

	doc = json_pack("{s:s, s:I, s:s, s:s*, s:s*, s:s*, s:s, s:s, s:I}", "schema",
			"picket.grant/1", "grant", (json_int_t)kernel->id, "request", request->id,
			"agent", entry ? entry->record.id : NULL, "agent_name",
			entry ? entry->record.name : NULL, "policy",
			entry ? entry->record.policy : NULL, "verdict",
			names_verdict(answer->verdict), "mode",
			allow ? ask_mode_name(answer->mode) : "refusal", "since", (json_int_t)now);
	if (!doc || json_object_update(doc, request->act)) {
		json_decref(doc);
		return NULL;
	}
	if (kernel->expires_ns)
		(void)json_object_set_new(doc, "expires",
					  json_integer((json_int_t)now + answer->seconds));
	if (allow)
		(void)json_object_set_new(doc, "approved_by", approvers(request));
	else if (answer->by)
		(void)json_object_set(doc, "refused_by", (json_t *)answer->by);
	return doc;
}

static struct pk_grant make_kernel(const struct ask_request *request,
				   const struct ask_answer *answer)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;
	struct asks *asks = request->asks;
	struct pk_grant kernel = {
		.expires_ns = answer->seconds ? grants_now() + answer->seconds * 1000000000ULL : 0,
		.uses = PK_GRANT_UNLIMITED,
		.verdict = answer->verdict,
		.id = asks->grants.next_id++,
		.rule = request->rule,
		.image = request->image,
	};

	ask_holds_read(&asks->daemon->hub, &holds);
	if (answer->verdict == PK_VERDICT_ALLOW && answer->mode == ASK_ONCE) {
		kernel.uses = (__s64)ask_holds_count(&holds, &request->key);
		if (kernel.uses < 1)
			kernel.uses = 1;
	}
	return kernel;
}

/* --- Giving --------------------------------------------------------------------------------------- */

static int fail(struct diag_list *diags, int error, const char *what)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "%s: %s", what, strerror(-error));
	return error;
}

static int fail_record(const struct asks *asks, struct diag_list *diags, int error)
{
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "the answer cannot be written to the record, so it is none: %s",
			   strerror(-error)),
		  "see to it that '%s/" AUDIT_FOLDER
		  "' can be written: room, mounts, owner root, modes 0700 and 0600",
		  asks->daemon->options.lib_dir);
	return error;
}

static int record(struct asks *asks, __u32 slot, const char *what, const json_t *by, json_t *doc)
{
	json_t *details = json_pack("{s:O*, s:O}", "by", by, "grant", doc);
	int r = details ? ledger_answer(asks->daemon, asks_agent(asks, slot), what, details) :
			  -ENOMEM;

	json_decref(details);
	return r;
}

/* Remember it, then put it into force. */
static int enforce(struct ask_request *request, const struct pk_grant *kernel, json_t *doc,
		   struct grant **ret_grant)
{
	struct asks *asks = request->asks;
	struct grant *grant = grants_add(&asks->grants, &request->key, kernel, json_incref(doc));
	int r;

	if (!grant)
		return -ENOMEM;
	daemon_save(asks->daemon);
	r = grants_publish(&asks->grants, grant);
	if (r) {
		(void)record(asks, request->key.agent, "ended", NULL, doc);
		grants_drop(&asks->grants, grant);
		daemon_save(asks->daemon);
		return r;
	}
	*ret_grant = grant;
	return 0;
}

static void say(const struct ask_request *request, const struct ask_answer *answer,
		const struct grant *grant)
{
	const char *who = json_string_value(json_object_get(answer->by, "who"));

	daemon_say(request->asks->daemon, "request %s (%s): %s%s%s, grant %u", request->id,
		   ask_shown(request->act), answer->what, who ? " by " : "", who ? who : "",
		   grant->kernel.id);
}

/* Returns 1 with the grant's words; the request is gone. */
static int give(struct ask_request *request, const struct ask_answer *answer, json_t **ret_grant,
		struct diag_list *diags)
{
	struct asks *asks = request->asks;
	struct pk_grant kernel = make_kernel(request, answer);
	json_t *doc = make_doc(request, answer, &kernel);
	struct pk_ask_key key = request->key;
	struct grant *grant = NULL;
	int r = doc ? record(asks, key.agent, answer->what, answer->by, doc) : -ENOMEM;

	if (r) {
		json_decref(doc);
		return fail_record(asks, diags, r);
	}
	r = enforce(request, &kernel, doc, &grant);
	json_decref(doc);
	if (r)
		return fail(diags, r, "the answer cannot be put into force");
	/* First of all whoever waits. */
	ask_continue(&asks->daemon->hub, &key);
	say(request, answer, grant);
	ask_tell_grant(asks, grant, answer->what);
	ask_tell(request,
		 answer->verdict == PK_VERDICT_ALLOW  ? "approved" :
		 strcmp(answer->what, "expired") == 0 ? "expired" :
							"refused",
		 answer->verdict == PK_VERDICT_ALLOW ? NULL : answer->by, grant);
	*ret_grant = grants_describe(&asks->grants, grant);
	ask_request_remove(request);
	asks_arm(asks);
	return 1;
}

int ask_refuse(struct ask_request *request, const struct ask_answer *answer, json_t **ret_grant,
	       struct diag_list *diags)
{
	struct ask_answer refusal = *answer;

	refusal.verdict = PK_VERDICT_DENY;
	refusal.seconds = ASK_REFUSAL_SECONDS;
	return give(request, &refusal, ret_grant, diags);
}

/* --- Approving ------------------------------------------------------------------------------------ */

/* Put it where an earlier one of the same user is, which is freed; or behind all. */
static struct ask_vote *place_vote(struct ask_request *request, const struct ask_vote *vote)
{
	size_t i = 0;

	while (i < request->vote_count && request->votes[i].uid != vote->uid)
		i++;
	if (i == ASK_VOTES_MAX)
		return NULL;
	if (i < request->vote_count)
		json_decref(request->votes[i].doc);
	else
		request->vote_count++;
	request->votes[i] = *vote;
	return &request->votes[i];
}

static void take_out(struct ask_request *request, const struct ask_vote *vote)
{
	size_t at = (size_t)(vote - request->votes);

	json_decref(vote->doc);
	memmove(&request->votes[at], &request->votes[at + 1],
		(request->vote_count - at - 1) * sizeof(*request->votes));
	request->vote_count--;
}

/* The narrowest of what they gave. */
static struct ask_answer combine(const struct ask_request *request)
{
	struct ask_answer answer = { .verdict = PK_VERDICT_ALLOW, .mode = ASK_ALWAYS };

	for (size_t i = 0; i < request->vote_count; i++) {
		const struct ask_vote *vote = &request->votes[i];

		if (vote->mode < answer.mode)
			answer.mode = vote->mode;
		if (vote->mode == ASK_FOR && (!answer.seconds || vote->seconds < answer.seconds))
			answer.seconds = vote->seconds;
	}
	if (answer.mode == ASK_ONCE)
		answer.seconds = ASK_ONCE_SECONDS;
	return answer;
}

/* One of several: it is on the record too. */
static int record_vote(struct ask_request *request, const struct ask_vote *vote)
{
	struct asks *asks = request->asks;
	CLEAN(ask_holds_reset) struct ask_holds holds;
	json_t *details;
	int r;

	ask_holds_read(&asks->daemon->hub, &holds);
	details = json_pack("{s:O, s:o}", "by", vote->doc, "request",
			    ask_request_describe(request, &holds, "waiting"));
	r = details ? ledger_answer(asks->daemon, asks_agent(asks, request->key.agent), "vote",
				    details) :
		      -ENOMEM;
	json_decref(details);
	if (r == 0)
		ask_tell(request, "waiting", NULL, NULL);
	return r;
}

static int grant(struct ask_request *request, const struct ask_vote *vote, json_t **ret_grant,
		 struct diag_list *diags)
{
	struct ask_answer answer = combine(request);
	int r = 0;

	answer.by = vote->doc;
	answer.what = vote->uid == ASK_UID_FILE ? "auto" : "approved";
	if (answer.mode == ASK_ALWAYS)
		r = ask_local_write(request, diags);
	return r ? r : give(request, &answer, ret_grant, diags);
}

int ask_vote(struct ask_request *request, struct ask_vote *vote, json_t **ret_grant,
	     struct diag_list *diags)
{
	struct ask_vote *placed = vote->doc ? place_vote(request, vote) : NULL;
	int r;

	if (!placed) {
		json_decref(vote->doc);
		return fail(diags, -ENOMEM, "the answer cannot be taken");
	}
	if (vote->uid == ASK_UID_FILE || request->vote_count >= request->approvers)
		r = grant(request, placed, ret_grant, diags);
	else
		r = record_vote(request, placed);
	if (r < 0) {
		take_out(request, placed);
		if (!diag_has_errors(diags))
			(void)fail_record(request->asks, diags, r);
	}
	return r;
}

int ask_revoke(struct asks *asks, struct grant *grant, const char *what, const json_t *by)
{
	int r = grant->doc ? record(asks, grant->key.agent, what, by, grant->doc) : 0;

	/* Nobody may hold a right because a disk is full; only who asked for it is told. */
	if (grant->doc) {
		daemon_say(asks->daemon, "grant %u: %s%s", grant->kernel.id, what,
			   r ? ", which could not be recorded" : "");
		ask_tell_grant(asks, grant, what);
	}
	grants_drop(&asks->grants, grant);
	return r;
}

void ask_lapse(struct asks *asks, struct grant *grant)
{
	if (grant->doc)
		(void)record(asks, grant->key.agent, "lapsed", NULL, grant->doc);
	grants_drop(&asks->grants, grant);
}
