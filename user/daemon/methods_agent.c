/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `picket run` asks for: an agent, its process in it, its end.
 */
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"
#include "engine/learned_names.h"
#include "daemon/agents.h"
#include "daemon/methods.h"
#include "daemon/nested.h"
#include "daemon/proc.h"
#include "engine/learned.h"
#include "engine/seccomp.h"

/* The filter for the agent's first process, as text; *@ret_text stays NULL when there is none. */
static int encode_filter(const struct policy_image *image, char **ret_text, struct diag_list *diags)
{
	CLEAN(seccomp_filter_reset) struct seccomp_filter filter = { 0 };
	int r = seccomp_filter_build(image, &filter, diags);
	size_t size = filter.count * sizeof(*filter.code);

	if (r || !filter.count)
		return r;
	*ret_text = malloc(size / 3 * 4 + 8);
	if (!*ret_text)
		return -ENOMEM;
	(void)EVP_EncodeBlock((unsigned char *)*ret_text, (const unsigned char *)filter.code,
			      (int)size);
	return 0;
}

static json_t *describe(const struct daemon *daemon, const struct agent_entry *entry,
			const char *filter, const char *warnings)
{
	CLEAN_FREE char *denials = NULL;
	CLEAN_FREE char *cgroup = NULL;
	CLEAN_FREE char *notes = NULL;

	if (asprintf(&cgroup, "%s/agent-%u", daemon->hub.cgroup_path, entry->record.slot) < 0) {
		cgroup = NULL;
		return NULL;
	}
	if (entry->feed.fd >= 0 && asprintf(&denials, "%s/" FEED_FOLDER "/%s.jsonl",
					    daemon->options.run_dir, entry->record.id) < 0) {
		denials = NULL;
		return NULL;
	}
	if (entry->notes.source.fd >= 0 &&
	    asprintf(&notes, "%s/" NOTES_FOLDER "/%s" NOTES_SUFFIX, daemon->options.run_dir,
		     entry->record.id) < 0) {
		notes = NULL;
		return NULL;
	}
	return json_pack("{s:s, s:I, s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "agent", entry->record.id,
			 "slot", (json_int_t)entry->record.slot, "digest", entry->digest, "cgroup",
			 cgroup, "filter", filter, "warnings", warnings, "denials", denials,
			 "notes", notes);
}

/* A failed agents_start() in terms of the protocol. */
static int refuse_start(struct control_answer *answer, int error, const struct diag_list *diags)
{
	int code = CONTROL_FAILED;

	if (error == -EBUSY && !diags->count)
		return methods_fail(answer, CONTROL_BUSY, "you have %d agents already",
				    AGENTS_OF_USER);
	if (error == -ENOTSUP)
		code = CONTROL_KERNEL;
	else if (error == -ENOSPC)
		code = CONTROL_BUSY;
	return methods_fail_diags(answer, code, error, diags);
}

static int start(struct daemon *daemon, const struct call *call, struct agent_plan *plan,
		 struct agent_entry **ret_entry, struct diag_list *diags)
{
	const struct peer *peer = client_peer(call->client);
	int r = proc_start(peer->pid, &plan->record->start);

	if (r == 0 && !peer_is_alive(peer))
		r = -ESRCH;
	if (r)
		return r;
	plan->record->pid = peer->pid;
	plan->owner = peer->pidfd;
	return agents_start(daemon, plan, ret_entry, diags);
}

int method_agent_start(void *context, struct call *call, struct control_answer *answer)
{
	CLEAN(policies_reset_compiled) struct compiled compiled = { 0 };
	CLEAN(registry_reset_record) struct agent_record record = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct agent_plan plan = {
		.record = &record, .compiled = &compiled, .cgroup = -1, .owner = -1
	};
	struct subscription subscription = { .client = call->client, .text = true };
	CLEAN_FREE char *filter = NULL;
	struct methods_wish wish = { 0 };
	struct agent_entry *entry = NULL;
	struct daemon *daemon = context;
	int events = 0;
	int colour = 0;
	int r;

	if (!methods_unpack(call, answer, "{s:s, s?b, s?o, s:s, s?s, s?b, s?b}", "policy",
			    &wish.policy, "audit", &wish.audit, "set", &wish.set, "cwd", &wish.cwd,
			    "name", &wish.name, "events", &events, "colour", &colour) ||
	    !methods_prepare(daemon, call, &wish, &plan, answer))
		return 0;
	r = nested_filter(daemon, &record, &compiled.image, &diags);
	if (r == 0)
		r = encode_filter(&compiled.image, &filter, &diags);
	if (r >= 0)
		r = start(daemon, call, &plan, &entry, &diags);
	if (r)
		return refuse_start(answer, r, &diags);
	subscription.slot = entry->record.slot;
	subscription.colour = colour;
	if (events && events_subscribe(&daemon->events, &subscription))
		return methods_fail(answer, CONTROL_INTERNAL, "out of memory");
	return methods_succeed(answer, describe(daemon, entry, filter, compiled.warnings));
}

int method_agent_join(void *context, struct call *call, struct control_answer *answer)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct agent_guest guest = { .pidfd = call->fds[0], .listener = -1 };
	struct daemon *daemon = context;
	struct agent_entry *entry;
	int r;

	entry = methods_take_agent(daemon, call, PEER_OPERATOR, answer);
	if (!entry)
		return 0;
	guest.uid = client_peer(call->client)->uid;
	guest.listener = TAKE_FD(call->fds[1]);
	r = agents_join(daemon, entry, &guest, &diags);
	call->fds[1] = guest.listener;
	if (r)
		return methods_fail_diags(answer, r == -EPERM ? CONTROL_DENIED : CONTROL_FAILED, r,
					  &diags);
	return methods_succeed(answer, json_object());
}

int method_agent_stop(void *context, struct call *call, struct control_answer *answer)
{
	struct daemon *daemon = context;
	struct agent_entry *entry;

	entry = methods_take_agent(daemon, call, PEER_OPERATOR, answer);
	if (!entry)
		return 0;
	if (entry->record.kind != AGENT_RUN)
		return methods_fail(answer, CONTROL_FAILED,
				    "agent '%s' was attached: it ends by agent.detach",
				    entry->record.id);
	ledger_command(daemon, call, "agent.stop", entry);
	if (agents_end(daemon, entry, call->client, call->request->id))
		return methods_fail(answer, CONTROL_BUSY, "somebody else waits for its end");
	return -EINPROGRESS;
}

/* The table for people. */
static char *names_text(const struct learned_table *table, const struct event_context *words)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	(void)learned_names_print(table, words, to);
	return text_close(to, &text) ? NULL : text;
}

static json_t *names_json(const struct learned_table *table, const struct event_context *words)
{
	json_t *names = json_array();

	for (size_t i = 0; names && i < table->count; i++) {
		CLEAN_FREE char *line = NULL;
		int r = learned_names_json(&table->items[i], words, &line);

		if (r || json_array_append_new(names, json_loads(line, 0, NULL))) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

int method_agent_names(void *context, struct call *call, struct control_answer *answer)
{
	CLEAN(learned_table_reset) struct learned_table table = { 0 };
	CLEAN_FREE char *text = NULL;
	struct daemon *daemon = context;
	struct event_context words;
	struct agent_entry *entry;
	int r;

	entry = methods_take_agent(daemon, call, PEER_OBSERVER, answer);
	if (!entry)
		return 0;
	r = learned_read(&daemon->hub.loader, entry->record.slot, &table);
	if (r)
		return methods_fail(answer, CONTROL_FAILED, "cannot read the names: %s",
				    strerror(-r));
	words = events_context(&daemon->events, entry, false);
	text = names_text(&table, &words);
	return methods_succeed(answer, text ? json_pack("{s:s, s:o}", "text", text, "names",
							names_json(&table, &words)) :
					      NULL);
}
