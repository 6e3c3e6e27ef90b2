/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event as one line of JSON (JSON Lines), schema "picket.event/1". Keys come in this order; one
 * that has no value is left out, except those marked *. `picket schema events` prints the schema.
 *
 *   schema*    "picket.event/1"; the number rises when a reader could misread a line
 *   time*      RFC 3339, UTC, nanoseconds
 *   kind*      "decision" (denied, asked, granted; also the would-be ones of audit mode), "activity",
 *              "life" (of processes), or one of picketd's own kinds, below
 *   agent*     name, or slot number
 *
 * Decisions and activity:
 *
 *   verdict*   "allow", "ask", "deny"
 *   op*        "open", "connect", ...
 *   section*   "egress", "files", "exec", "unix", "process", "syscalls", "listen", "accept", "sockets"
 *   access*    list of what was asked for: "read", "write", "exec", "connect"; "tcp", "udp", "icmp";
 *              "run", "command"; empty in sections process, syscalls and sockets
 *   errno      name of the error the task got; absent when the call went on
 *   audit*     true: audit mode, nothing was blocked
 *   reason*    "rule", "default", "path-long", ...; of what an `ask` is about: "held" (it waits),
 *              "pending", "unheld" (refused until it is approved), "granted", "refused",
 *              "approval" (refused: nobody can approve)
 *   rule       {number, verdict, file, line, column, text, approvers, id, reason} of the rule that
 *              decided; approvers: only when it takes more than one
 *   default    {section, layer} whose default decided
 *   grant      number of the answer that decided, reasons "granted" and "refused"
 *   request    name of the request, as `picket approve` takes it
 *   ask        its whole hash, 32 hexadecimal digits
 *   process*   {pid, tid, uid, gid, comm, start, id}; start is a time like `time`; id = pid and
 *              start in nanoseconds since boot ("4121-81232000000"): one process only, ever. From the
 *              table of processes: exe (path of its program), argv (list of its words), cwd (where it
 *              was when it began its program), container (id), incomplete (true: records of it were
 *              lost, and what is here was repaired from /proc or is missing)
 *   parent     {pid, comm, start, id}; absent for packets
 *   chain      list of ancestors, the parent first, 16 at most, gone ones too: {pid, start, id, comm,
 *              exe, incomplete}
 *   chain_cut  true: there are more ancestors, or they are not known
 *   context    what it was done for:
 *                trace_id     of traceparent, 32 hexadecimal digits
 *                traceparent  W3C Trace Context: TRACEPARENT of the environment, inherited
 *                tags         {name: text}: PICKET_* of whoever started the agent
 *                claimed      {name: text}: PICKET_* that the agent has set itself, where they differ
 *                tool         {name, call_id, intent, started, by: "note", "otlp" or "environment",
 *                             claimed: the agent's own word}: the tool call that it belongs to
 *   path, path2   escaped as base/escape.h says: valid UTF-8, one line, reversible
 *   path_hex, path2_hex   the exact bytes in hexadecimal, when they are not valid UTF-8
 *   host       host name: that the address is known by (connect, send, packet), that was asked for
 *              (dns, answer), that the first bytes of a connection say (name). host_hex as path_hex
 *   allowed_by op "name": the name that the connection was allowed by, when it was a name
 *   alias      op "answer": the name that the answer goes on with
 *   query_type ops "dns", "answer": type of record, "A", "AAAA", or a number
 *   payload    op "name": what the first bytes are, "tls", "http" or "other"
 *   command    op "command": program and words with blanks between
 *   syscall, number   op "syscall": its name and the number on the caller's architecture
 *   switch     the switch of the process section that refuses or asks
 *   signal, capability, ioctl   what the act was about, by name, or else by number
 *   bpf_command   op "bpf"
 *   kernel_file   op "module": what the kernel was to load
 *   target     {pid, comm} of the other process that the act was about
 *   address, port, protocol, family, type   of socket operations: the destination; bind and listen:
 *              the local ones; accept: the peer's address and the local port; answer: the resolver's, for
 *              reason "dns-private" the one answered
 *   peer_port  op "accept"
 *   local_address, local_port   of the socket, ops of packets and first bytes
 *   netlink_family, message     op "netlink": "route", "RTM_NEWLINK", or numbers
 *   cgroup     id of the task's cgroup; absent for packets
 *   folded     {count, first, last}: the record stands for so many, between these times
 *   seq        number of the record: picketd counts those that it hands out, of all agents
 *
 * Kind "life": op* is "fork", "program" (a new program began) or "exit"; then process*, parent, chain,
 * chain_cut, context, cgroup and seq as above (process without tid; its program is the new one), and
 *
 *   status     op "exit", before cgroup: {code}, or {signal, core} with the signal's name or number
 *
 * picketd's own records have op*, keys of their own, and seq. Where an agent has no key `agent`, the
 * record is about none.
 *
 *   agent      "start", "end", "attach", "detach": policy, digest, mode ("enforce", "audit"), uid (its
 *              owner's), cgroup, name
 *   policy     "reload": policy, old, new (digests)
 *   answer     "approve", "refuse", "revoke", "expire": what ("approved", "auto", "refused", "expired",
 *              "revoked", "lapsed", "ended", the word of the audit trail), grant, request, verdict, mode, policy,
 *              until, approved_by (list of such as by), act {op, section, access, object, rule, default}, by {who,
 *              uid, mode, seconds, reason, at}
 *   note       "tool-start", "tool-end": tool {name, call_id, intent, status, started, ended, session, by},
 *              process (the sender's, as above; of notes), claimed, denials (of telemetry, at the call's end: what
 *              was refused under it, each an event with text and suggest, as daemon/feed.h has it)
 *   loss       "lost": class ("decision", "activity", "life", "limited", "sink"), where ("kernel",
 *              "queue", "spool", "subscriber"), count (since the last such record), total
 *   daemon     "start", "stop": version, tier, kernel
 *   audit-head "anchor": number, hash, signature, key: the last record of the audit trail
 */
#ifndef PICKET_TELEMETRY_JSON_H
#define PICKET_TELEMETRY_JSON_H

#include "telemetry/event.h"

#define JSON_EVENT_SCHEMA "picket.event/1"

/** Who a record is about, as the kernel says. */
struct json_process {
	__u32 pid;
	__u32 tid; /* 0: not told */
	__u32 uid;
	__u32 gid;
	__u64 start_ns; /* CLOCK_BOOTTIME */
	const char *comm;
	__u32 parent_pid; /* 0: not known */
	__u64 parent_start_ns;
	const char *parent_comm; /* NULL: not told */
};

/** What of a process's life is told. */
struct json_life_facts {
	const char *op; /* "fork", "program", "exit" */
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__u32 agent; /* slot */
	__u64 cgroup; /* 0: not known */
	bool ended; /* there is a status */
	int status; /* as wait(2) tells it */
	const struct json_process *process;
};

/** Store the line, newline included, as a malloc'ed string. Returns 0 or -ENOMEM. */
int json_event(const struct event *event, const struct event_context *context, char **ret_line);

/** The same of a record of a process's life. */
int json_life(const struct json_life_facts *facts, const struct event_context *context,
	      char **ret_line);

#endif
