/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table: what json.h says of the keys, so that a program can check it.
 */
#include "telemetry/event_schema_table.h"

#include "telemetry/names.h"

#define KEYS(list)                                                                                 \
	{                                                                                          \
		(list), sizeof(list) / sizeof(*(list))                                             \
	}

/* Words of enums; NULL behind the last. */
static const char *op_word(unsigned int i)
{
	return i + 1 < PK_OP__MAX ? names_op(i + 1) : NULL;
}

static const char *reason_word(unsigned int i)
{
	return i < PK_REASON__MAX ? names_reason(i) : NULL;
}

static const char *verdict_word(unsigned int i)
{
	return i < PK_VERDICT__MAX ? names_verdict(i) : NULL;
}

static const char *section_word(unsigned int i)
{
	return i < PK_SECTION__MAX ? names_section(i) : NULL;
}

static const char *guard_word(unsigned int i)
{
	return i < PK_GUARD__MAX ? names_guard(i) : NULL;
}

#define WORDS(name, ...)                                                                           \
	static const char *name(unsigned int i)                                                    \
	{                                                                                          \
		static const char *const words[] = { __VA_ARGS__, NULL };                          \
                                                                                                   \
		return words[i];                                                                   \
	}

WORDS(schema_word, "picket.event/1")
WORDS(life_op_word, "fork", "program", "exit")
WORDS(agent_op_word, "start", "end", "attach", "detach")
WORDS(mode_word, "enforce", "audit")
WORDS(policy_op_word, "reload")
WORDS(answer_op_word, "approve", "refuse", "revoke", "expire")
WORDS(answer_word, "approved", "auto", "refused", "expired", "revoked", "lapsed", "ended")
WORDS(note_op_word, "tool-start", "tool-end")
WORDS(loss_op_word, "lost")
WORDS(daemon_op_word, "start", "stop")
WORDS(head_op_word, "anchor")
WORDS(source_word, "note", "otlp", "environment")
WORDS(payload_word, "tls", "http", "other")
WORDS(loss_class_word, "decision", "activity", "life", "record", "limited", "sink", "note")
WORDS(loss_where_word, "kernel", "queue", "spool", "subscriber")

#define TEXT(name, about)                                                                          \
	{                                                                                          \
		name, SHAPE_ANY_TEXT, false, NULL, NULL, about                                     \
	}
#define TIME(name, about)                                                                          \
	{                                                                                          \
		name, SHAPE_TIME, false, NULL, NULL, about                                         \
	}
#define NUMBER(name, about)                                                                        \
	{                                                                                          \
		name, SHAPE_NUMBER, false, NULL, NULL, about                                       \
	}
#define TRUTH(name, about)                                                                         \
	{                                                                                          \
		name, SHAPE_TRUTH, false, NULL, NULL, about                                        \
	}
#define NAMED(name, about)                                                                         \
	{                                                                                          \
		name, SHAPE_TEXT_OR_NUMBER, false, NULL, NULL, about                               \
	}
#define WORD(name, words, about)                                                                   \
	{                                                                                          \
		name, SHAPE_ANY_TEXT, false, words, NULL, about                                    \
	}
#define OBJECT(name, keys, about)                                                                  \
	{                                                                                          \
		name, SHAPE_OBJECT, false, NULL, keys, about                                       \
	}
#define MUST(name, shape, words, about)                                                            \
	{                                                                                          \
		name, shape, true, words, NULL, about                                              \
	}

/* clang-format off */
static const struct event_key rule_list[] = {
	MUST("number", SHAPE_NUMBER, NULL, "Number of the rule in the policy's image."),
	WORD("verdict", verdict_word, "What the rule says."),
	TEXT("file", "File of the policy that has it."),
	NUMBER("line", "Line in that file."),
	NUMBER("column", "Column in that line."),
	TEXT("text", "The pattern that matched, as it stands there."),
	NUMBER("approvers", "How many must approve, when it is more than one."),
	TEXT("id", "The rule's id."),
	TEXT("reason", "The rule's reason."),
};
static const struct event_keys rule_keys = KEYS(rule_list);

static const struct event_key default_list[] = {
	MUST("section", SHAPE_ANY_TEXT, section_word, "Section of the policy."),
	MUST("layer", SHAPE_NUMBER, NULL, "Layer of the policy, from 0."),
};
static const struct event_keys default_keys = KEYS(default_list);

static const struct event_key process_list[] = {
	MUST("pid", SHAPE_NUMBER, NULL, "Its number in the host's namespace."),
	NUMBER("tid", "The thread."),
	NUMBER("uid", "User."),
	NUMBER("gid", "Group."),
	TEXT("comm", "Name that the process has in the kernel."),
	TIME("start", "When it began."),
	TEXT("id", "One process only, ever: number and start."),
	TEXT("exe", "Path of its program."),
	{ "argv", SHAPE_TEXTS, false, NULL, NULL, "Words of its program, secrets redacted." },
	TEXT("cwd", "Its folder when the program began."),
	TEXT("container", "Id of its container."),
	TRUTH("incomplete", "Records of it were lost: some of this was repaired or is missing."),
};
static const struct event_keys process_keys = KEYS(process_list);

static const struct event_key parent_list[] = {
	MUST("pid", SHAPE_NUMBER, NULL, "Its number in the host's namespace."),
	TEXT("comm", "Name that the process has in the kernel."),
	TIME("start", "When it began."),
	TEXT("id", "One process only, ever: number and start."),
};
static const struct event_keys parent_keys = KEYS(parent_list);

static const struct event_key ancestor_list[] = {
	MUST("pid", SHAPE_NUMBER, NULL, "Its number in the host's namespace."),
	TIME("start", "When it began."),
	TEXT("id", "One process only, ever: number and start."),
	TEXT("comm", "Name that the process has in the kernel."),
	TEXT("exe", "Path of its program."),
	TRUTH("incomplete", "Records of it were lost."),
};
static const struct event_keys ancestor_keys = KEYS(ancestor_list);

static const struct event_key tool_list[] = {
	TEXT("name", "Name of the tool."),
	TEXT("call_id", "Id of the call."),
	TEXT("intent", "What it is for."),
	NUMBER("status", "How it ended, as the agent says."),
	TIME("started", "When it began."),
	TIME("ended", "When it ended, as the agent's telemetry says."),
	TEXT("session", "Name of the agent's session."),
	WORD("by", source_word, "Who said so."),
	TRUTH("claimed", "True: the agent's own word."),
};
static const struct event_keys tool_keys = KEYS(tool_list);

static const struct event_key context_list[] = {
	TEXT("trace_id", "Trace id of W3C Trace Context."),
	TEXT("traceparent", "TRACEPARENT of the environment."),
	{ "tags", SHAPE_NAMED_TEXTS, false, NULL, NULL, "Variables of whoever started the agent." },
	{ "claimed", SHAPE_NAMED_TEXTS, false, NULL, NULL, "Variables that the agent set itself." },
	OBJECT("tool", &tool_keys, "The tool call that it belongs to."),
};
static const struct event_keys context_keys = KEYS(context_list);

static const struct event_key target_list[] = {
	MUST("pid", SHAPE_NUMBER, NULL, "Its number in the host's namespace."),
	TEXT("comm", "Name that the process has in the kernel."),
};
static const struct event_keys target_keys = KEYS(target_list);

static const struct event_key folded_list[] = {
	MUST("count", SHAPE_NUMBER, NULL, "How many the record stands for."),
	MUST("first", SHAPE_TIME, NULL, "Time of the first."),
	MUST("last", SHAPE_TIME, NULL, "Time of the last."),
};
static const struct event_keys folded_keys = KEYS(folded_list);

static const struct event_key status_list[] = {
	NUMBER("code", "What it ended with."),
	NAMED("signal", "The signal that ended it."),
	TRUTH("core", "True: its memory was dumped."),
};
static const struct event_keys status_keys = KEYS(status_list);

#define HEAD \
	MUST("schema", SHAPE_ANY_TEXT, schema_word, "Version of this schema."), \
	MUST("time", SHAPE_TIME, NULL, "When it happened."), \
	MUST("kind", SHAPE_ANY_TEXT, NULL, "Kind of record.")
#define AGENT MUST("agent", SHAPE_TEXT_OR_NUMBER, NULL, "The agent's name, or number of its slot.")
#define OWN_AGENT NAMED("agent", "The agent that it is about.")
#define PROCESS { "process", SHAPE_OBJECT, true, NULL, &process_keys, "Who did it." }
#define LINEAGE \
	OBJECT("parent", &parent_keys, "The process's parent."), \
	{ "chain", SHAPE_OBJECTS, false, NULL, &ancestor_keys, "Ancestors, the parent first." }, \
	TRUTH("chain_cut", "True: there are more ancestors, or they are not known."), \
	OBJECT("context", &context_keys, "What it was done for.")
#define SEQ NUMBER("seq", "Number among the records that picketd hands out.")

#define ACT \
	HEAD, \
	AGENT, \
	MUST("verdict", SHAPE_ANY_TEXT, verdict_word, "What the policy says."), \
	MUST("op", SHAPE_ANY_TEXT, op_word, "What was done."), \
	MUST("section", SHAPE_ANY_TEXT, section_word, "Section of the policy that judged."), \
	MUST("access", SHAPE_TEXTS, NULL, "What was asked for."), \
	TEXT("errno", "Error that the task got; absent when the call went on."), \
	MUST("audit", SHAPE_TRUTH, NULL, "True: audit mode, nothing was blocked."), \
	MUST("reason", SHAPE_ANY_TEXT, reason_word, "Why the verdict is what it is."), \
	OBJECT("rule", &rule_keys, "The rule that decided."), \
	OBJECT("default", &default_keys, "The default that decided."), \
	NUMBER("grant", "Number of the answer that decided."), \
	TEXT("request", "Name of the request, for picket approve."), \
	TEXT("ask", "Its whole hash."), \
	PROCESS, \
	LINEAGE, \
	TEXT("path", "File, escaped."), \
	TEXT("path_hex", "Its exact bytes, when they are no UTF-8."), \
	TEXT("path2", "The other file, of a rename or link."), \
	TEXT("path2_hex", "Its exact bytes."), \
	TEXT("host", "Host name."), \
	TEXT("host_hex", "Its exact bytes."), \
	TEXT("allowed_by", "The name that the connection was allowed by."), \
	TEXT("allowed_by_hex", "Its exact bytes."), \
	TEXT("alias", "The name that an answer goes on with."), \
	TEXT("alias_hex", "Its exact bytes."), \
	TEXT("command", "Program and words, secrets redacted."), \
	TEXT("syscall", "Name of the system call."), \
	WORD("switch", guard_word, "Switch of the process section."), \
	NAMED("signal", "The signal."), \
	NAMED("capability", "The capability."), \
	NAMED("ioctl", "The device request."), \
	NAMED("bpf_command", "The command of bpf(2)."), \
	NAMED("kernel_file", "What the kernel was to load."), \
	NUMBER("number", "Number of the system call."), \
	NAMED("query_type", "Type of DNS record."), \
	{ "payload", SHAPE_TEXT_OR_NUMBER, false, payload_word, NULL, "What the first bytes are." }, \
	OBJECT("target", &target_keys, "The other process."), \
	TEXT("address", "Address of the peer; of bind and listen the own one."), \
	NUMBER("port", "Its port."), \
	NUMBER("peer_port", "Port of who is accepted."), \
	NAMED("protocol", "Protocol."), \
	NAMED("family", "Family of the socket."), \
	NAMED("type", "Type of the socket."), \
	NAMED("netlink_family", "Family of netlink."), \
	NAMED("message", "Type of netlink message."), \
	TEXT("local_address", "The socket's own address."), \
	NUMBER("local_port", "Its port."), \
	NUMBER("cgroup", "Id of the control group."), \
	OBJECT("folded", &folded_keys, "The repeats that it stands for.")

static const struct event_key act_list[] = {
	ACT,
	SEQ,
};
static const struct event_keys act_keys = KEYS(act_list);

static const struct event_key life_list[] = {
	HEAD,
	AGENT,
	MUST("op", SHAPE_ANY_TEXT, life_op_word, "What of its life."),
	PROCESS,
	LINEAGE,
	OBJECT("status", &status_keys, "How it ended."),
	NUMBER("cgroup", "Id of the control group."),
	SEQ,
};
static const struct event_keys life_keys = KEYS(life_list);

static const struct event_key agent_list[] = {
	HEAD,
	AGENT,
	MUST("op", SHAPE_ANY_TEXT, agent_op_word, "What happened to it."),
	TEXT("policy", "Its policy."),
	TEXT("digest", "SHA-256 of the policy's image."),
	WORD("mode", mode_word, "Whether it is blocked."),
	NUMBER("uid", "Its owner."),
	NAMED("cgroup", "Its control group."),
	TEXT("name", "Name that it was given."),
	SEQ,
};
static const struct event_keys agent_keys = KEYS(agent_list);

static const struct event_key policy_list[] = {
	HEAD,
	OWN_AGENT,
	MUST("op", SHAPE_ANY_TEXT, policy_op_word, "What happened to it."),
	TEXT("policy", "The policy."),
	TEXT("old", "SHA-256 of the image before."),
	TEXT("new", "SHA-256 of the image from now on."),
	SEQ,
};
static const struct event_keys policy_keys = KEYS(policy_list);

static const struct event_key person_list[] = {
	MUST("who", SHAPE_ANY_TEXT, NULL, "Name of the user, or what answered in his place."),
	NUMBER("uid", "The user."),
	TEXT("mode", "For how long he approved."),
	NUMBER("seconds", "That, in seconds."),
	TEXT("reason", "His reason."),
	TIME("at", "When."),
};
static const struct event_keys person_keys = KEYS(person_list);

static const struct event_key asking_list[] = {
	WORD("verdict", verdict_word, "What the rule says."),
	TEXT("file", "File of the policy that has it."),
	NUMBER("line", "Line in that file."),
	NUMBER("column", "Column in that line."),
	TEXT("text", "The pattern that matched, as it stands there."),
	NUMBER("approvers", "How many must approve, when it is more than one."),
	TEXT("id", "The rule's id."),
	TEXT("reason", "The rule's reason."),
};
static const struct event_keys asking_keys = KEYS(asking_list);

static const struct event_key asked_list[] = {
	MUST("op", SHAPE_ANY_TEXT, op_word, "What it is about."),
	WORD("section", section_word, "Section of the policy that asks."),
	{ "access", SHAPE_TEXTS, false, NULL, NULL, "What was asked for." },
	MUST("object", SHAPE_ANY_TEXT, NULL, "On what, secrets redacted."),
	OBJECT("rule", &asking_keys, "The rule that asks."),
	OBJECT("default", &default_keys, "The default that asks."),
};
static const struct event_keys asked_keys = KEYS(asked_list);

static const struct event_key answer_list[] = {
	HEAD,
	OWN_AGENT,
	MUST("op", SHAPE_ANY_TEXT, answer_op_word, "What was answered."),
	MUST("what", SHAPE_ANY_TEXT, answer_word, "The word of the audit trail for it."),
	NUMBER("grant", "Number of the answer."),
	TEXT("request", "Name of the request."),
	WORD("verdict", verdict_word, "What holds from now on."),
	TEXT("mode", "For how long."),
	TEXT("policy", "The agent's policy."),
	TIME("until", "When it ends to hold."),
	{ "approved_by", SHAPE_OBJECTS, false, NULL, &person_keys, "Who approved." },
	{ "act", SHAPE_OBJECT, true, NULL, &asked_keys, "What it is about." },
	OBJECT("by", &person_keys, "Who answered."),
	SEQ,
};
static const struct event_keys answer_keys = KEYS(answer_list);

/* As a feed has it. */
static const struct event_key denial_list[] = {
	ACT,
	SEQ,
	TEXT("text", "The line for people."),
	{ "suggest", SHAPE_TEXTS, false, NULL, NULL, "What would allow it." },
};
static const struct event_keys denial_keys = KEYS(denial_list);

static const struct event_key note_list[] = {
	HEAD,
	OWN_AGENT,
	MUST("op", SHAPE_ANY_TEXT, note_op_word, "What of the call."),
	OBJECT("tool", &tool_keys, "The tool call."),
	OBJECT("process", &process_keys, "Who said so."),
	LINEAGE,
	TRUTH("claimed", "True: the agent's own word."),
	{ "denials", SHAPE_OBJECTS, false, NULL, &denial_keys, "What was refused under the call." },
	SEQ,
};
static const struct event_keys note_keys = KEYS(note_list);

static const struct event_key loss_list[] = {
	HEAD,
	OWN_AGENT,
	MUST("op", SHAPE_ANY_TEXT, loss_op_word, "What happened."),
	MUST("class", SHAPE_ANY_TEXT, loss_class_word, "Class of the records."),
	MUST("where", SHAPE_ANY_TEXT, loss_where_word, "Where they were lost."),
	TEXT("name", "Name of the sink."),
	MUST("count", SHAPE_NUMBER, NULL, "How many, since that was told last."),
	MUST("total", SHAPE_NUMBER, NULL, "How many in all."),
	SEQ,
};
static const struct event_keys loss_keys = KEYS(loss_list);

static const struct event_key daemon_list[] = {
	HEAD,
	MUST("op", SHAPE_ANY_TEXT, daemon_op_word, "What happened to picketd."),
	TEXT("version", "Its version."),
	TEXT("tier", "How its hooks are attached."),
	TEXT("kernel", "The kernel's release."),
	SEQ,
};
static const struct event_keys daemon_keys = KEYS(daemon_list);

static const struct event_key head_list[] = {
	HEAD,
	MUST("op", SHAPE_ANY_TEXT, head_op_word, "What it is for."),
	MUST("number", SHAPE_NUMBER, NULL, "Number of the last record of the audit trail."),
	MUST("hash", SHAPE_ANY_TEXT, NULL, "Its hash."),
	TEXT("signature", "Ed25519 over both."),
	TEXT("key", "The key's id."),
	SEQ,
};
static const struct event_keys head_keys = KEYS(head_list);

const struct event_kind event_kinds[] = {
	{ "decision", "What was denied, asked or granted.", &act_keys },
	{ "activity", "What was allowed and is told because the policy asks for it.", &act_keys },
	{ "life", "Processes that begin and end.", &life_keys },
	{ "agent", "Agents that begin and end.", &agent_keys },
	{ "policy", "Policies that change.", &policy_keys },
	{ "answer", "Answers to requests.", &answer_keys },
	{ "note", "Tool calls, as the agent says.", &note_keys },
	{ "loss", "Records that were lost.", &loss_keys },
	{ "daemon", "picketd itself.", &daemon_keys },
	{ "audit-head", "The newest record of the audit trail.", &head_keys },
};
/* clang-format on */
const size_t event_kind_count = sizeof(event_kinds) / sizeof(*event_kinds);
