/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON form of a process's life. Keys as in json.h.
 */
#include <string.h>
#include <sys/wait.h>

#include "telemetry/detail.h"
#include "telemetry/json_parts.h"

static void put_status(struct json_writer *to, int status)
{
	json_write_open(to, "status", '{');
	if (WIFSIGNALED(status)) {
		const char *name = detail_name(PK_OP_SIGNAL, (__u32)WTERMSIG(status));

		if (name)
			json_write_text(to, "signal", name);
		else
			json_write_number(to, "signal", (__u64)WTERMSIG(status));
		json_write_bool(to, "core", WCOREDUMP(status));
	} else {
		json_write_number(to, "code", (__u64)WEXITSTATUS(status));
	}
	json_write_close(to, '}');
}

int json_life(const struct json_life_facts *facts, const struct event_context *context,
	      char **ret_line)
{
	struct json_writer to = { 0 };

	json_write_open(&to, NULL, '{');
	json_put_head(&to, facts->time_ns, PK_EVENT_LIFE, facts->agent, context);
	json_write_text(&to, "op", facts->op);
	json_put_processes(&to, facts->process, context);
	if (facts->ended)
		put_status(&to, facts->status);
	if (facts->cgroup)
		json_write_number(&to, "cgroup", facts->cgroup);
	if (context->seq)
		json_write_number(&to, "seq", context->seq);
	json_write_close(&to, '}');
	return json_write_end(&to, ret_line);
}
