/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel says which agents there are, the state file what they are called. What it does not say
 * is 'unknown', and goes on being confined until its last process is gone.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/policy_args.h"
#include "daemon/agents.h"
#include "daemon/ask_local.h"
#include "daemon/nested.h"
#include "daemon/proc.h"
#include "daemon/state.h"

/* What is handed through hub_agents(). */
struct adoption {
	struct daemon *daemon;
	struct state *state;
	struct diag_list *diags;
	size_t count;
};

static int make_unknown(const struct hub_agent *agent, struct agent_record *record)
{
	int r;

	*record = (struct agent_record){
		.kind = agent->own ? AGENT_RUN : AGENT_ATTACHED,
		.slot = agent->slot,
		.cgroup = agent->cgroup,
		.joined = true,
		.since = time(NULL),
	};
	r = registry_make_id(agent->slot, record->id);
	if (r)
		return r;
	record->name = strdup("unknown");
	return record->name ? 0 : -ENOMEM;
}

/* The record that the state file has of it, or one of an unknown agent. */
static int take_record(const struct adoption *adoption, const struct hub_agent *agent,
		       struct agent_record *ret_record)
{
	struct agent_record *known = state_find(adoption->state, agent->slot, agent->cgroup);

	if (!known || (known->kind == AGENT_RUN) != agent->own)
		return make_unknown(agent, ret_record);
	*ret_record = *known;
	*known = (struct agent_record){ 0 };
	if (ret_record->name)
		return 0;
	ret_record->name = strdup("unknown");
	return ret_record->name ? 0 : -ENOMEM;
}

/* Where the policy was, for texts that leave out its name. */
static int find_file(const struct daemon *daemon, struct agent_entry *entry)
{
	const char *policy = entry->record.policy;

	if (!policy)
		return 0;
	if (policy[0] == '/')
		entry->main_file = strdup(policy);
	else if (asprintf(&entry->main_file, "%s/%s.yaml", daemon->policies.folder, policy) < 0)
		entry->main_file = NULL;
	return entry->main_file ? 0 : -ENOMEM;
}

static int read_image(struct adoption *adoption, struct agent_entry *entry)
{
	struct daemon *daemon = adoption->daemon;
	int r = hub_agent_image(&daemon->hub, &entry->hub, &entry->image);

	if (r == 0) {
		ask_local_prepare(adoption->daemon, entry);
		cli_policy_digest(&entry->image, entry->digest);
		return 0;
	}
	(void)diag_add(adoption->diags, DIAG_WARNING, NULL,
		       "cannot read the image of agent '%s' back: %s", entry->record.id,
		       strerror(-r));
	return r == -ENOMEM ? r : 0;
}

static int adopt_one(void *context, const struct hub_agent *agent)
{
	CLEAN(registry_free_entry) struct agent_entry *entry = registry_new_entry();
	struct adoption *adoption = context;
	int r = entry ? take_record(adoption, agent, &entry->record) : -ENOMEM;

	if (r)
		return r;
	entry->hub = *agent;
	agents_bind(adoption->daemon, entry);
	r = summary_new(&entry->summary);
	if (r == 0)
		r = read_image(adoption, entry);
	if (r == 0)
		r = find_file(adoption->daemon, entry);
	if (r == 0)
		r = registry_add(&adoption->daemon->registry, entry);
	if (r == 0) {
		feed_open(&adoption->daemon->feeds, entry);
		note_socket_open(adoption->daemon, entry);
		lives_begin(adoption->daemon, entry, true);
		ledger_agent(adoption->daemon, entry, "adopt");
		TAKE_PTR(entry);
		adoption->count++;
	}
	return r;
}

static bool is_agents(void *context, const char *id)
{
	const struct daemon *daemon = context;

	return registry_find(&daemon->registry, id) != NULL;
}

/* Find the owner again, or end what has none any more. */
static void find_owner(struct daemon *daemon, struct agent_entry *entry)
{
	CLEAN_FD int pidfd = -1;

	if (entry->record.kind != AGENT_RUN)
		return;
	if (!entry->record.known) {
		(void)agents_watch_cgroup(daemon, entry);
		return;
	}
	pidfd = proc_open(entry->record.pid, entry->record.start);
	if (pidfd >= 0 && agents_watch_owner(daemon, entry, pidfd) == 0)
		return;
	daemon_say(daemon, "the owner of agent '%s' (%s) is gone: its processes are killed",
		   entry->record.id, entry->record.name);
	(void)agents_end(daemon, entry, NULL, NULL);
}

int agents_adopt(struct daemon *daemon, struct diag_list *diags)
{
	CLEAN(state_reset) struct state state = { 0 };
	struct adoption adoption = { .daemon = daemon, .state = &state, .diags = diags };
	int r = state_load(daemon->run_fd, geteuid(), &state, diags);
	__u32 slot = 0;

	if (r == 0)
		r = hub_agents(&daemon->hub, adopt_one, &adoption);
	if (r == 0)
		r = asks_adopt(&daemon->asks, state.grants);
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot take over the agents there are: %s",
			       strerror(-r));
		return r;
	}
	feeds_sweep(&daemon->feeds, is_agents, daemon);
	notes_sweep(daemon);
	if (adoption.count)
		daemon_say(daemon, "took over %zu agent%s", adoption.count,
			   adoption.count == 1 ? "" : "s");
	nested_adopt(daemon);
	for (;;) {
		struct agent_entry *entry = registry_next(&daemon->registry, slot);

		if (!entry)
			break;
		slot = entry->record.slot;
		find_owner(daemon, entry);
	}
	daemon_save(daemon);
	return 0;
}
