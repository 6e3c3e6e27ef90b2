/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operators ask for: agents of what runs already, and policies read again.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/agents.h"
#include "daemon/methods.h"
#include "daemon/proc.h"
#include "daemon/target.h"

static json_t *describe(const struct agent_entry *entry, const char *cgroup, size_t tasks,
			const char *warnings)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:I, s:s*}", "agent", entry->record.id, "slot",
			 (json_int_t)entry->record.slot, "digest", entry->digest, "cgroup", cgroup,
			 "tasks", (json_int_t)tasks, "warnings", warnings);
}

static int refuse(struct control_answer *answer, int error, const struct diag_list *diags)
{
	int code = CONTROL_FAILED;

	if (error == -ENOENT || error == -ESRCH)
		code = CONTROL_MISSING;
	else if (error == -ENOTSUP)
		code = CONTROL_KERNEL;
	else if (error == -ENOSPC)
		code = CONTROL_BUSY;
	return methods_fail_diags(answer, code, error, diags);
}

int method_agent_attach(void *context, struct call *call, struct control_answer *answer)
{
	CLEAN(policies_reset_compiled) struct compiled compiled = { 0 };
	CLEAN(registry_reset_record) struct agent_record record = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(target_reset) struct target target = TARGET_NONE;
	struct agent_plan plan = { .record = &record, .compiled = &compiled, .owner = -1 };
	struct target_wish where = { .caller = client_peer(call->client)->pid };
	struct methods_wish wish = { 0 };
	struct agent_entry *entry = NULL;
	struct daemon *daemon = context;
	json_int_t pid = 0;
	int r;

	if (!methods_unpack(call, answer, "{s:s, s?b, s?o, s?s, s?s, s?s, s?s, s?s, s?I}", "policy",
			    &wish.policy, "audit", &wish.audit, "set", &wish.set, "cwd", &wish.cwd,
			    "name", &wish.name, "cgroup", &where.cgroup, "unit", &where.unit,
			    "container", &where.container, "pid", &pid))
		return 0;
	if (!!where.cgroup + !!where.unit + !!where.container + !!pid != 1 || pid < 0 ||
	    pid > INT32_MAX)
		return methods_fail(answer, CONTROL_PARAMS,
				    "give one of 'cgroup', 'unit', 'container' and 'pid'");
	where.pid = (pid_t)pid;
	r = target_open(daemon, &where, &target, &diags);
	if (r)
		return refuse(answer, r, &diags);
	if (!methods_prepare(daemon, call, &wish, &plan, answer))
		return 0;
	plan.cgroup = target.fd;
	r = agents_start(daemon, &plan, &entry, &diags);
	if (r)
		return refuse(answer, r, &diags);
	ledger_command(daemon, call, "agent.attach", entry);
	return methods_succeed(answer, describe(entry, target.path, proc_count(target.fd),
						compiled.warnings));
}

int method_agent_detach(void *context, struct call *call, struct control_answer *answer)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct daemon *daemon = context;
	struct agent_entry *entry;
	json_t *report;
	int r;

	entry = methods_take_agent(daemon, call, PEER_OPERATOR, answer);
	if (!entry)
		return 0;
	if (entry->record.kind != AGENT_ATTACHED)
		return methods_fail(answer, CONTROL_FAILED,
				    "agent '%s' was started by 'run': its processes are never set "
				    "free, it ends by agent.stop",
				    entry->record.id);
	ledger_command(daemon, call, "agent.detach", entry);
	report = agents_report(daemon, entry, false);
	r = agents_detach(daemon, entry, &diags);
	if (r) {
		json_decref(report);
		return refuse(answer, r, &diags);
	}
	return methods_succeed(answer, report);
}

int method_policy_reload(void *context, struct call *call, struct control_answer *answer)
{
	struct daemon *daemon = context;
	struct agent_entry *entry = NULL;
	struct methods_lookup lookup = { .role = PEER_OPERATOR };
	int r;

	if (!methods_unpack(call, answer, "{s?s}", "agent", &lookup.id))
		return 0;
	if (lookup.id) {
		entry = methods_find(daemon, call, &lookup, answer);
		if (!entry)
			return 0;
	}
	ledger_command(daemon, call, "policy.reload", entry);
	r = reload_ask(daemon, entry, call->client, call->request->id);
	if (r == -EBUSY)
		return methods_fail(answer, CONTROL_BUSY, "%d reloads wait already",
				    RELOAD_TURNS_MAX);
	if (r)
		return methods_fail(answer, CONTROL_INTERNAL, "out of memory");
	return -EINPROGRESS;
}
