/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event as one line of JSON (JSON Lines), schema "picket.event/1". Keys come in this order; one
 * that has no value is left out, except those marked *.
 *
 *   schema*    "picket.event/1"; the number rises when a reader could misread a line
 *   time*      RFC 3339, UTC, nanoseconds
 *   kind*      "decision" (denied, asked, granted; also the would-be ones of audit mode) or "activity"
 *   agent*     name, or slot number
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
 *              start in nanoseconds since boot ("4121-81232000000"): one process only, ever
 *   parent     {pid, comm, start, id}; absent for packets
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
 */
#ifndef PICKET_TELEMETRY_JSON_H
#define PICKET_TELEMETRY_JSON_H

#include "telemetry/event.h"

#define JSON_EVENT_SCHEMA "picket.event/1"

/** Store the line, newline included, as a malloc'ed string. Returns 0 or -ENOMEM. */
int json_event(const struct event *event, const struct event_context *context, char **ret_line);

#endif
