/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes every form of record.
 */
#include "event_forms.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "telemetry/json.h"
#include "telemetry/json_parts.h"
#include "telemetry/process_view.h"
#include "telemetry/record.h"

static bool is_network(unsigned int op)
{
	static const unsigned int ops[] = { PK_OP_CONNECT, PK_OP_SEND,	 PK_OP_BIND,
					    PK_OP_LISTEN,  PK_OP_ACCEPT, PK_OP_DNS,
					    PK_OP_ANSWER,  PK_OP_NAME,	 PK_OP_PACKET };

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (ops[i] == op)
			return true;
	}
	return false;
}

static void make_network(struct raw_event *raw, unsigned int op, unsigned int variant)
{
	raw_event_host(raw, op, variant % 3 ? "api.example" : "",
		       variant % 2 ? "2001:db8::1" : "203.0.113.7", 443);
	raw->head.detail = op == PK_OP_DNS || op == PK_OP_ANSWER ? (variant % 4 ? 28 : 999) :
			   op == PK_OP_ACCEPT			 ? 40000 :
								   0;
	if (op == PK_OP_NAME)
		raw->head.detail = PK_PROTOCOL_TLS;
	if (op == PK_OP_BIND || op == PK_OP_LISTEN || op == PK_OP_ACCEPT)
		raw->head.section = op == PK_OP_ACCEPT ? PK_SECTION_ACCEPT : PK_SECTION_LISTEN;
	if (variant % 5 == 0)
		raw->head.protocol = IPPROTO_UDP;
	if ((op == PK_OP_NAME || op == PK_OP_ANSWER) && variant % 2)
		raw_event_paths(raw, "api.example", "cdn.example");
}

/* Operations of the process section, of system calls and of sockets. */
static bool make_other(struct raw_event *raw, unsigned int op, unsigned int variant)
{
	switch (op) {
	case PK_OP_SOCKET:
		raw_event_connect(raw, "203.0.113.7", 0);
		raw->head.section = PK_SECTION_SOCKETS;
		raw->head.family = variant % 2 ? AF_INET : 250;
		raw->head.protocol = SOCK_RAW << 16 | (variant % 3 ? IPPROTO_ICMP : 0);
		break;
	case PK_OP_NETLINK:
		raw_event_connect(raw, "203.0.113.7", 0);
		raw->head.detail = variant % 2 ? 16 : 12U << 16 | 99;
		raw->head.family = AF_NETLINK;
		raw->head.protocol = 0;
		break;
	case PK_OP_COMMAND:
		raw_event_command(raw, "/usr/bin/git", "git\0push\0--password=x", 21);
		break;
	case PK_OP_SYSCALL:
		raw_event_open(raw, "kexec_load");
		raw->head.section = PK_SECTION_SYSCALLS;
		raw->head.detail = 246;
		break;
	case PK_OP_PTRACE:
	case PK_OP_SIGNAL:
	case PK_OP_PRIORITY:
		raw_event_guard(raw, op, PK_GUARD_SIGNALS);
		raw->head.detail = op == PK_OP_SIGNAL ? (variant % 2 ? 9 : 60) : 0;
		raw->head.target = 1;
		memcpy(raw->head.target_comm, "systemd", 8);
		break;
	case PK_OP_CAPABLE:
	case PK_OP_BPF:
	case PK_OP_MODULE:
	case PK_OP_TERMINAL:
		raw_event_guard(raw, op, PK_GUARD_CAPABILITIES);
		raw->head.detail = variant % 2 ? 1 : 5000;
		break;
	case PK_OP_NAMESPACE:
	case PK_OP_SETUID:
	case PK_OP_PERF:
	case PK_OP_URING:
	case PK_OP_KEY:
	case PK_OP_CLONE:
		raw_event_guard(raw, op, PK_GUARD_NAMESPACES);
		break;
	default:
		return false;
	}
	return true;
}

static void make_file(struct raw_event *raw, unsigned int op, unsigned int variant)
{
	static const char *const names[] = { "/home/u/x", "/srv/a b\n\033[31m", "/srv/\xff\xfe",
					     "/srv/sch\xc3\xb6n]\"", "relative" };

	raw_event_open(raw, names[variant % 5]);
	raw->head.op = op;
	raw->head.access = op == PK_OP_OPEN ? PK_ACCESS_READ | PK_ACCESS_WRITE : PK_ACCESS_WRITE;
	if (op == PK_OP_RENAME || op == PK_OP_LINK)
		raw_event_paths(raw, names[variant % 5], "/home/u/new name");
	if (op == PK_OP_IOCTL)
		raw->head.detail = 0x5412 + variant % 2;
	if (op == PK_OP_EXEC)
		raw->head.section = PK_SECTION_EXEC;
	if (op == PK_OP_UNIX) {
		raw->head.section = PK_SECTION_UNIX;
		raw->head.access = PK_ACCESS_CONNECT;
	}
}

/* What has the reason: who asked, what was answered, what the verdict then is. */
static void set_reason(struct raw_event *raw, unsigned int reason, unsigned int variant)
{
	/* Switches are of the process section only. */
	if (reason == PK_REASON_GUARD && raw->head.section != PK_SECTION_PROCESS)
		reason = PK_REASON_IMAGE;
	raw->head.reason = reason;
	if (reason == PK_REASON_RULE)
		raw->head.rule = 3;
	else if (reason == PK_REASON_DEFAULT || reason == PK_REASON_GUARD)
		raw->head.rule = PK_RULE_DEFAULT | raw->head.section;
	else
		raw->head.rule = PK_RULE_NONE;
	raw->head.verdict = variant % 4 == 0 && reason < PK_REASON_APPROVAL ? PK_VERDICT_ASK :
									      PK_VERDICT_DENY;
	if (event_reason_asks(reason)) {
		raw->head.rule = variant % 2 ? 2 : PK_RULE_DEFAULT | raw->head.section | 1 << 8;
		raw->head.verdict = reason == PK_REASON_GRANTED ? PK_VERDICT_ALLOW : PK_VERDICT_ASK;
		raw->head.ask[0] = 0x0123456789abcdefULL;
		raw->head.grant = reason >= PK_REASON_GRANTED ? 7 : 0;
	}
	if (reason == PK_REASON_GRANTED || reason == PK_REASON_HELD)
		raw->head.error = 0;
	if (variant % 6 == 5) {
		raw->head.audit = 1;
		raw->head.error = 0;
	}
	if (reason == PK_REASON_UNJUDGED) {
		raw->head.kind = PK_EVENT_ACTIVITY;
		raw->head.verdict = PK_VERDICT_ALLOW;
		raw->head.error = 0;
		raw->head.audit = 0;
	}
}

bool event_forms_raw(size_t i, struct raw_event *raw)
{
	unsigned int op = 1 + i / PK_REASON__MAX;
	unsigned int reason = i % PK_REASON__MAX;
	unsigned int variant = op * 7 + reason;

	if (op >= PK_OP__MAX)
		return false;
	if (is_network(op))
		make_network(raw, op, variant);
	else if (!make_other(raw, op, variant))
		make_file(raw, op, variant);
	raw->head.op = op;
	set_reason(raw, reason, variant);
	if (variant % 9 == 0 && op == PK_OP_PACKET)
		raw->head.parent_tgid = 0;
	return true;
}

json_t *event_forms_parse(const struct raw_event *raw, const struct event_context *context)
{
	struct event event = raw_event_decode(raw);
	CLEAN_FREE char *line = NULL;
	json_error_t error;
	json_t *object;

	if (json_event(&event, context, &line) < 0)
		abort();
	object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		abort();
	return object;
}

#define TEXT(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* All that the table of processes can know. */
static const struct process_view known = {
	.exe = TEXT("/usr/bin/python3.11"),
	.words = TEXT("python3\0-c\0curl -u me:pw https://h\0\xff\n"),
	.cwd = TEXT("/home/u/work dir"),
	.container = TEXT("0123456789abcdef"),
	.incomplete = true,
	.chain = { { .pid = 4100,
		     .start_ns = 71232000000ULL,
		     .comm = "bash",
		     .exe = TEXT("/bin/bash") },
		   { .pid = 4000,
		     .start_ns = 61232000000ULL,
		     .comm = "claude",
		     .incomplete = true } },
	.chain_count = 2,
	.chain_cut = true,
	.traceparent = TEXT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
	.tags = { .list = { { TEXT("PICKET_TASK"), TEXT("fix \"it\"") } }, .count = 1 },
	.claimed = { .list = { { TEXT("PICKET_SESSION"), TEXT("s]1") } }, .count = 1 },
	.tool = { .name = TEXT("Bash"),
		  .call_id = TEXT("toolu_1"),
		  .intent = TEXT("run the tests"),
		  .started_ns = 3500000000000ULL,
		  .by = "note",
		  .claimed = true },
};

static void add_acts(json_t *list)
{
	struct raw_event raw;

	for (size_t i = 0; event_forms_raw(i, &raw); i++) {
		struct event_context context = {
			.agent = i % 3 ? "builder" : NULL,
			.clock_offset_ns = 1700000000000000123LL,
			.process = i % 2 ? &known : NULL,
			.seq = i % 4 ? i : 0,
		};
		json_t *form = event_forms_parse(&raw, &context);

		if (i % 11 == 0)
			(void)json_object_set_new(form, "folded",
						  json_pack("{s:i, s:s, s:s}", "count", 12, "first",
							    "2023-11-14T23:13:20.000000123Z",
							    "last",
							    "2023-11-14T23:13:21.500000123Z"));
		/* The table's order: folded is the last but one. */
		if (json_object_get(form, "seq")) {
			json_t *seq = json_incref(json_object_get(form, "seq"));

			(void)json_object_del(form, "seq");
			(void)json_object_set_new(form, "seq", seq);
		}
		(void)json_array_append_new(list, form);
	}
}

static void add_lives(json_t *list)
{
	static const struct {
		const char *op;
		int status;
	} rows[] = { { "fork", 0 },
		     { "program", 0 },
		     { "exit", 3 << 8 },
		     { "exit", 11 | 0x80 },
		     { "exit", 60 } };
	const struct json_process process = {
		.pid = 4121,
		.uid = 1000,
		.gid = 100,
		.start_ns = 81232000000ULL,
		.comm = "python3",
		.parent_pid = 4100,
		.parent_start_ns = 71232000000ULL,
		.parent_comm = "bash",
	};
	const struct event_context context = { .agent = "builder", .process = &known, .seq = 9 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct json_life_facts facts = {
			.time_ns = 3600000000000ULL,
			.agent = 1,
			.op = rows[i].op,
			.process = &process,
			.ended = strcmp(rows[i].op, "exit") == 0,
			.status = rows[i].status,
			.cgroup = 77,
		};
		CLEAN_FREE char *line = NULL;

		if (json_life(&facts, &context, &line) < 0)
			abort();
		(void)json_array_append_new(list, json_loads(line, JSON_REJECT_DUPLICATES, NULL));
	}
}

/* Take @more's keys into a new record. */
static void add_record(json_t *list, const char *kind, const char *op, const char *agent,
		       json_t *more)
{
	json_t *record = record_new(kind, op, agent);

	if (!record || !more || json_object_update(record, more) < 0)
		abort();
	(void)json_object_set_new(record, "seq", json_integer(10));
	json_decref(more);
	(void)json_array_append_new(list, record);
}

static void add_records(json_t *list)
{
	static const char *const agent_ops[] = { "start", "end", "attach", "detach" };
	static const char *const answers[] = { "approve", "refuse", "revoke", "expire" };
	static const char *const whats[] = { "approved", "refused", "revoked", "lapsed" };
	static const char digest[] =
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

	for (size_t i = 0; i < 4; i++)
		add_record(list, "agent", agent_ops[i], "builder",
			   json_pack("{s:s, s:s, s:s, s:i, s:s}", "policy", "p.yaml", "digest",
				     digest, "mode", "enforce", "uid", 1000, "name", "builder"));
	add_record(list, "policy", "reload", NULL,
		   json_pack("{s:s, s:s, s:s}", "policy", "p.yaml", "old", digest, "new", digest));
	for (size_t i = 0; i < 4; i++)
		add_record(
			list, "answer", answers[i], "builder",
			json_pack(
				"{s:s, s:i, s:s, s:s, s:s, s:{s:s, s:s, s:[s], s:s}, s:{s:s, s:i}}",
				"what", whats[i], "grant", 7, "request", "abcd-1234", "mode",
				"once", "until", "2026-01-02T03:04:05.000000000Z", "act", "op",
				"command", "section", "exec", "access", "command", "object",
				"/usr/bin/git push", "by", "who", "alice", "uid", 1000));
	add_record(list, "note", "tool-start", "builder",
		   json_pack("{s:{s:s, s:s, s:s, s:s}, s:b}", "tool", "name", "Bash", "call_id",
			     "c1", "intent", "test \"all\"", "by", "note", "claimed", 1));
	add_record(list, "note", "tool-end", "builder",
		   json_pack("{s:{s:s, s:i}, s:b}", "tool", "call_id", "c1", "status", 1, "claimed",
			     1));
	add_record(list, "loss", "lost", NULL,
		   json_pack("{s:s, s:s, s:i, s:i}", "class", "activity", "where", "kernel",
			     "count", 5, "total", 12));
	add_record(list, "daemon", "start", NULL,
		   json_pack("{s:s, s:s, s:s}", "version", "1", "tier", "lsm", "kernel", "6.1.0"));
	add_record(list, "daemon", "stop", NULL, json_object());
	add_record(list, "audit-head", "anchor", NULL,
		   json_pack("{s:i, s:s, s:s, s:s}", "number", 1000, "hash", digest, "signature",
			     "c2ln", "key", "k1"));
}

json_t *event_forms(void)
{
	json_t *list = json_array();

	add_acts(list);
	add_lives(list);
	add_records(list);
	return list;
}
