/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table, and what methods share.
 */
#include "daemon/methods.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "daemon/nested.h"

const struct method methods_table[] = {
	{ "hello", PEER_NESTED, method_hello },
	{ "agent.start", PEER_NESTED, method_agent_start },
	{ "agent.join", PEER_NESTED, method_agent_join },
	{ "agent.stop", PEER_NESTED, method_agent_stop },
	{ "agent.names", PEER_NOBODY, method_agent_names },
	{ "agent.denials", PEER_NOBODY, method_agent_denials },
	{ "events.subscribe", PEER_NOBODY, method_events_subscribe },
	{ "request.list", PEER_NOBODY, method_request_list },
	{ "request.watch", PEER_NOBODY, method_request_watch },
	{ "grant.list", PEER_NOBODY, method_grant_list },
	{ "agent.list", PEER_OBSERVER, method_agent_list },
	{ "status", PEER_OBSERVER, method_status },
	{ "agent.attach", PEER_OPERATOR, method_agent_attach },
	{ "agent.detach", PEER_OPERATOR, method_agent_detach },
	{ "policy.reload", PEER_OPERATOR, method_policy_reload },
	{ "request.approve", PEER_OPERATOR, method_request_approve },
	{ "request.refuse", PEER_OPERATOR, method_request_refuse },
	{ "grant.revoke", PEER_OPERATOR, method_grant_revoke },
};

const size_t methods_count = sizeof(methods_table) / sizeof(methods_table[0]);

int methods_fail(struct control_answer *answer, int code, const char *format, ...)
{
	va_list arguments;

	free(answer->message);
	answer->code = code;
	va_start(arguments, format);
	if (vasprintf(&answer->message, format, arguments) < 0)
		answer->message = NULL;
	va_end(arguments);
	return 0;
}

int methods_fail_diags(struct control_answer *answer, int code, int error,
		       const struct diag_list *diags)
{
	CLEAN_FREE char *text = daemon_diags_text(diags);
	const struct diag *first = NULL;

	for (size_t i = 0; !first && i < diags->count; i++) {
		if (diags->items[i].severity == DIAG_ERROR)
			first = &diags->items[i];
	}
	answer->data =
		json_pack("{s:s*, s:s*}", "findings", text, "hint", first ? first->hint : NULL);
	return methods_fail(answer, code, "%s", first ? first->message : strerror(-error));
}

int methods_succeed(struct control_answer *answer, json_t *result)
{
	if (!result)
		return methods_fail(answer, CONTROL_INTERNAL, "out of memory");
	answer->result = result;
	return 0;
}

bool methods_unpack(const struct call *call, struct control_answer *answer, const char *format, ...)
{
	json_error_t error;
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = json_vunpack_ex(call->request->params, &error, JSON_STRICT, format, arguments);
	va_end(arguments);
	if (r)
		(void)methods_fail(answer, CONTROL_PARAMS, "wrong parameters: %s", error.text);
	return r == 0;
}

static bool may(const struct daemon *daemon, const struct peer *peer,
		const struct methods_lookup *lookup, const struct agent_entry *entry)
{
	/* Whose user id it has says nothing of a confined process. */
	if (peer->role < PEER_NOBODY)
		return nested_owns(daemon, peer, entry);
	return peer->role >= lookup->role || peer->uid == entry->record.uid;
}

struct agent_entry *methods_find(struct daemon *daemon, const struct call *call,
				 const struct methods_lookup *lookup, struct control_answer *answer)
{
	const struct peer *peer = client_peer(call->client);
	struct agent_entry *entry = registry_find(&daemon->registry, lookup->id);

	if (entry && may(daemon, peer, lookup, entry))
		return entry;
	/* Others' agents are not even there. */
	(void)methods_fail(answer, CONTROL_MISSING, "there is no agent '%.*s'%s", AGENT_ID_SIZE,
			   lookup->id, peer->role >= lookup->role ? "" : " of yours");
	return NULL;
}

struct agent_entry *methods_take_agent(struct daemon *daemon, const struct call *call,
				       enum peer_role role, struct control_answer *answer)
{
	struct methods_lookup lookup = { .role = role };

	if (!methods_unpack(call, answer, "{s:s}", "agent", &lookup.id))
		return NULL;
	return methods_find(daemon, call, &lookup, answer);
}

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= AGENT_NAME_MAX && escape_is_plain(name, length);
}

/* What is wrong with @wish, or NULL. */
static const char *find_fault(const struct methods_wish *wish)
{
	const char *key;
	json_t *value;

	if (wish->name && !is_name(wish->name))
		return "'name' is empty, too long, or cannot be shown";
	if (wish->cwd && wish->cwd[0] != '/')
		return "'cwd' is not an absolute path";
	if (wish->set && !json_is_object(wish->set))
		return "'set' is not an object";
	json_object_foreach(wish->set, key, value) {
		if (!json_is_string(value))
			return "'set' has a value that is no text";
	}
	return NULL;
}

static int make_record(const struct methods_wish *wish, const struct peer *peer,
		       struct agent_entry *around, struct agent_record *record)
{
	record->policy = strdup(wish->policy);
	record->name = strdup(wish->name ? wish->name : wish->policy);
	record->cwd = wish->cwd ? strdup(wish->cwd) : NULL;
	record->audit = wish->audit;
	record->set = json_incref(wish->set);
	record->uid = around ? around->record.uid : peer->uid;
	if (around)
		nested_tie(around, record);
	return record->policy && record->name && (record->cwd || !wish->cwd) ? 0 : -ENOMEM;
}

/* Who may not use a policy is not told that it is there. */
static void refuse_missing(const struct daemon *daemon, const struct peer *peer, const char *policy,
			   struct control_answer *answer)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	if (peer_is_limited(peer) && peer->role != PEER_OPERATOR)
		diag_hint(diag_add(&diags, DIAG_ERROR, NULL,
				   "there is no policy '%.*s' that you may use", AGENT_NAME_MAX,
				   policy),
			  "'usable_by' in a policy says who may; root is told more");
	else
		diag_hint(diag_add(&diags, DIAG_ERROR, NULL, "there is no policy '%.*s'",
				   AGENT_NAME_MAX, policy),
			  "policies are files '%s/NAME.yaml'", daemon->policies.folder);
	(void)methods_fail_diags(answer, CONTROL_MISSING, -ENOENT, &diags);
}

static void refuse_policy(struct control_answer *answer, int error, const struct diag_list *diags)
{
	if (error == -EACCES && !diags->count)
		(void)methods_fail(answer, CONTROL_DENIED,
				   "only root may name a policy by its path: give a name");
	else if (error == -ENOMEM)
		(void)methods_fail(answer, CONTROL_INTERNAL, "out of memory");
	else
		(void)methods_fail_diags(answer, CONTROL_POLICY, error, diags);
}

bool methods_prepare(struct daemon *daemon, const struct call *call,
		     const struct methods_wish *wish, const struct agent_plan *plan,
		     struct control_answer *answer)
{
	CLEAN(registry_reset_record) struct agent_record record = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	const struct peer *peer = client_peer(call->client);
	const char *fault = find_fault(wish);
	struct agent_entry *around = NULL;
	int r;

	if (fault) {
		(void)methods_fail(answer, CONTROL_PARAMS, "%s", fault);
		return false;
	}
	if (peer->role < PEER_NOBODY && !nested_check(daemon, peer, wish->policy, &around, answer))
		return false;
	r = make_record(wish, peer, around, &record);
	if (r == 0)
		r = policies_compile(&daemon->policies, &record, peer, plan->compiled, &diags);
	if (r == -ENOENT && !diags.count)
		refuse_missing(daemon, peer, wish->policy, answer);
	else if (r)
		refuse_policy(answer, r, &diags);
	if (r)
		return false;
	*plan->record = record;
	record = (struct agent_record){ 0 };
	return true;
}
