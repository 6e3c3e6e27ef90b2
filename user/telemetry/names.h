/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words for the codes of the kernel ABI and the image, for people and for scripts. Every table
 * is as long as its enum; a code out of range is "unknown".
 */
#ifndef PICKET_TELEMETRY_NAMES_H
#define PICKET_TELEMETRY_NAMES_H

#include <stddef.h>

#include <picket/abi.h>
#include <picket/image.h>

/** "open", "rename", ...: enum pk_op. */
const char *names_op(__u32 op);
/** "rule", "path-long", ...: enum pk_reason as scripts read it. */
const char *names_reason(__u32 reason);
/** A clause for people that explains enum pk_reason, without capital and full stop. */
const char *names_reason_sentence(__u32 reason);
/** "allow", "ask", "deny": enum pk_verdict. */
const char *names_verdict(__u32 verdict);
/** "egress", "files", "exec"...: enum pk_section. */
const char *names_section(__u32 section);
/** "ptrace", "signals"...: enum pk_guard, as the process section spells them. */
const char *names_guard(__u32 guard);
/** "network", "modify-return", "lsm": enum pk_tier. */
const char *names_tier(__u32 tier);
/** "decision", "activity": enum pk_event_kind. */
const char *names_event_kind(__u32 kind);
/** "decision-lost", ...: enum pk_count. */
const char *names_count(__u32 count);
/** The name of one access bit (1, 2, 4 or 8) in a section: "read", "tcp", "run". NULL: no such bit. */
const char *names_access_bit(__u32 section, __u32 bit);
/** Longest text of names_access(). */
#define NAMES_ACCESS_SIZE 40
/** The set bits of an access nibble with @separator between, in @text of NAMES_ACCESS_SIZE bytes. */
const char *names_access(__u32 section, __u32 access, const char *separator, char *text);
/** "tcp", "udp", "icmp", ...: IPPROTO_*; NULL when it has no common name. */
const char *names_protocol(__u32 protocol);
/** "stream", "dgram", ...: SOCK_*; NULL when it has no common name. */
const char *names_socket_type(__u32 type);
/** "inet", "inet6", "packet", ...: AF_*; NULL when it has no common name. */
const char *names_family(__u32 family);

#endif
