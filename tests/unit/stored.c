/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel would write goes through event_decode() and json_event(); records of picketd's own
 * have the keys that telemetry/json.h lists.
 */
#include "stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "telemetry/json.h"
#include "telemetry/moment.h"

json_t *stored_event(const struct raw_event *raw, __s64 offset_ns)
{
	struct event_context context = { .agent = STORED_AGENT };
	struct event event = raw_event_decode(raw);
	CLEAN_FREE char *line = NULL;
	json_t *json;

	context.clock_offset_ns = STORED_BEGIN_NS + offset_ns - (__s64)event.head.time_ns;
	assert_int_equal(json_event(&event, &context, &line), 0);
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	return json;
}

json_t *stored_denial(const char *path, __s64 offset_ns)
{
	struct raw_event raw;

	raw_event_open(&raw, path);
	return stored_event(&raw, offset_ns);
}

json_t *stored_connection(const char *host, const char *address, __s64 offset_ns)
{
	struct raw_event raw;

	raw_event_host(&raw, PK_OP_CONNECT, host, address, 443);
	raw.head.kind = PK_EVENT_ACTIVITY;
	raw.head.verdict = PK_VERDICT_ALLOW;
	raw.head.error = 0;
	return stored_event(&raw, offset_ns);
}

static json_t *record(const char *kind, const char *op, __s64 offset_ns)
{
	char when[MOMENT_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "schema", JSON_EVENT_SCHEMA, "time",
			 moment_text(STORED_BEGIN_NS + offset_ns, when), "kind", kind, "agent",
			 STORED_AGENT, "op", op);
}

json_t *stored_agent(const char *op, __s64 offset_ns)
{
	json_t *event = record("agent", op, offset_ns);

	assert_int_equal(json_object_update_new(event,
						json_pack("{s:s, s:s, s:s, s:i, s:s}", "policy",
							  "/etc/picket/agent.yaml", "digest",
							  "3f5a9c1e77", "mode", "enforce", "uid",
							  1000, "name", STORED_NAME)),
			 0);
	return event;
}

static json_t *process(int pid, const char *exe)
{
	const char *last = exe && strrchr(exe, '/') ? strrchr(exe, '/') + 1 : "sh";
	char when[MOMENT_TEXT_SIZE];
	char id[40];

	(void)snprintf(id, sizeof(id), "%d-%d000000000", pid, pid);
	return json_pack("{s:i, s:i, s:i, s:s%, s:s, s:s, s:s*}", "pid", pid, "uid", 1000, "gid",
			 100, "comm", last, strlen(last) > 15 ? (size_t)15 : strlen(last), "start",
			 moment_text(STORED_BEGIN_NS + pid * 1000000LL, when), "id", id, "exe",
			 exe);
}

json_t *stored_life(const char *op, int pid, int parent, const char *exe, __s64 offset_ns)
{
	json_t *event = record("life", op, offset_ns);

	json_object_set_new(event, "process", process(pid, exe));
	if (parent) {
		json_object_set_new(event, "parent", process(parent, NULL));
		json_object_set_new(event, "chain", json_pack("[o]", process(parent, NULL)));
	}
	if (strcmp(op, "exit") == 0)
		json_object_set_new(event, "status", json_pack("{s:i}", "code", pid % 2));
	return event;
}

void stored_add(struct store *store, json_t *event)
{
	int r = store_add(store, event);

	json_decref(event);
	if (r)
		fail_msg("store_add: %d: %s", r, store_error(store));
}

struct store *stored_open(const char *path, unsigned int flags)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct store *store = NULL;
	int r = store_open(path, flags, &store, &diags);

	if (r)
		fail_msg("store_open: %d: %s", r, diags.count ? diags.items[0].message : "");
	return store;
}
