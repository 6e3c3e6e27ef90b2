/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checked rule model: what the front end makes of policy text and the compiler takes. Every
 * value here is valid; variables are expanded, includes merged, positions kept for messages and
 * for events.
 */
#ifndef PICKET_POLICY_MODEL_H
#define PICKET_POLICY_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <picket/image.h>

#include "base/diag.h"

/** An inclusive range of ports. */
struct policy_ports {
	__u16 low;
	__u16 high;
};

/** An inclusive range of addresses (IPv4 as ::ffff:a.b.c.d), most significant byte first. */
struct policy_range {
	__u8 low[16];
	__u8 high[16];
};

/**
 * One pattern of a rule: it becomes one numbered entry of the image's rules part, so that an event
 * can name the very words that decided.
 */
struct policy_pattern {
	struct diag_pos pos; /* of the pattern's scalar */
	char *source; /* as written in the policy */
	char *glob; /* files: absolute path glob, variables expanded; exec: the program's, NULL
		     * where the arguments decide a denial; unix: "/" and the name's glob; else
		     * NULL */
	char **words; /* exec: the program's glob ("/usr/bin/git", "**" "/git"), then a glob for
		       * each argument; "..." stands for any words. NULL elsewhere */
	size_t word_count; /* exec: at least 1 */
	char *also; /* deny rules: the same glob with the symbolic links of its literal
		     * prefix resolved, when that differs; else NULL */
	char *host; /* egress: a host pattern in its canonical form: lower case, punycode, no dot at
		     * the end; "a.b", "*.a.b" (below it), "**.a.b" (it and below), "*" (any name);
		     * then there are no ranges. NULL for addresses */
	struct policy_range *ranges; /* egress, listen, accept: what @group, CIDR or address is */
	size_t range_count;
	struct policy_ports *ports; /* egress, listen, accept: never empty, "any" is 0-65535 */
	size_t port_count;
};

/** One rule: a verdict on its patterns. */
struct policy_rule {
	struct diag_pos pos;
	enum pk_section section;
	enum pk_verdict verdict;
	__u8 access; /* nibble: files READ.., egress TCP|UDP, exec RUN */
	bool access_said; /* egress: the rule has `protocol`; else its host names that do not deny are
			   * for TCP only, its addresses for TCP and UDP */
	__u8 approvers; /* of rules that ask: 1 to PK_APPROVERS_MAX; 0: not said */
	char *id; /* or NULL */
	char *reason; /* or NULL */
	char **by; /* absolute globs of the programs the rule is for; NULL = every program */
	size_t by_count;
	struct policy_pattern *patterns;
	size_t pattern_count; /* never 0 */
};

/** A section's default, and whether the policy has the section at all. */
struct policy_section {
	bool present;
	enum pk_verdict default_verdict; /* PK_VERDICT_DENY unless the policy says otherwise */
	struct diag_pos pos;
};

/** One switch of the process section, as it came out. */
struct policy_guard {
	enum pk_verdict verdict;
	char *source; /* the words that say so: "ptrace: deny", "profile: strict"; NULL: nobody
		       * said, it is the default */
	struct diag_pos pos; /* of them */
};

/** The process section; a policy without one has the profile strict. */
struct policy_process {
	bool present;
	struct diag_pos pos;
	struct policy_guard guards[PK_GUARD__MAX];
	__u64 capabilities; /* bits of those refused under PK_GUARD_CAPABILITIES */
};

/** The key dns of the section egress. Without it: resolvers of the system, names allowed by rules. */
struct policy_dns {
	bool present;
	struct diag_pos pos;
	bool system; /* resolvers: system */
	__u8 resolvers[PK_RESOLVERS_MAX][16]; /* else these, IPv4 mapped */
	size_t resolver_count;
	bool any_name; /* names: any */
	bool private_answers; /* private_answers: allow */
	__u32 min_ttl; /* seconds */
	__u32 rate; /* questions a second, 0 = unlimited */
	__u32 name_max; /* bytes */
};

/** The key tls of the section egress. */
struct policy_tls {
	bool present;
	bool sni_off; /* sni: off */
	struct diag_pos pos;
};

/** The section sockets. */
struct policy_sockets {
	bool present;
	struct diag_pos pos;
	__u32 allow; /* bits of enum pk_socket */
};

/** A user or group of the key usable_by. */
struct policy_principal {
	struct diag_pos pos;
	char *name; /* as written */
	bool numeric; /* `name` is the number `id`; else it is looked up when it is asked about */
	__u32 id;
};

/** The key usable_by: who may start agents with the policy. */
struct policy_access {
	bool present;
	struct diag_pos pos;
	struct policy_principal *users;
	size_t user_count;
	struct policy_principal *groups;
	size_t group_count;
};

/** The key nested: names of policies by which the agent may start agents of its own. */
struct policy_nested {
	bool present;
	struct diag_pos pos;
	char **names;
	size_t count;
};

/** A file that a policy was read from, as it was read: what a signature is about (sign/manifest.h). */
struct policy_file {
	char *name; /* as the policy writes it; of the policy itself, its name without folders */
	bool preset;
	size_t length; /* bytes */
	__u8 digest[32]; /* SHA-256 */
};

/** The key require_signature of managed layers: public keys, by one of which policies are signed. */
struct policy_signers {
	bool present;
	struct diag_pos pos;
	char **paths;
	size_t count;
};

/** What a policy depends on of the machine that it is loaded on; gathered once, by the caller. */
struct policy_host {
	__u8 resolvers[PK_RESOLVERS_MAX][16]; /* of /etc/resolv.conf, IPv4 mapped */
	size_t resolver_count;
	struct policy_range *own; /* the machine's own addresses: @loopback has them too; owned */
	size_t own_count;
};

/** The key approvals: what happens to acts that rules ask about. Of 0 and NULL nothing is said. */
struct policy_approvals {
	bool present;
	struct diag_pos pos;
	bool refuse; /* on_ask: deny, and not hold */
	__u32 timeout; /* seconds */
	__u32 approvers; /* 1 to PK_APPROVERS_MAX */
	char *hook; /* absolute path of a program */
};

/** What an inline test asks. */
enum policy_test_kind {
	POLICY_TEST_CONNECT,
	POLICY_TEST_OPEN,
	POLICY_TEST_EXEC,
	POLICY_TEST_RUN, /* a command line */
	POLICY_TEST_UNIX, /* an abstract socket */
	POLICY_TEST_LISTEN,
};

/** One inline test: the act and the verdict it must get. */
struct policy_test {
	struct diag_pos pos;
	enum policy_test_kind kind;
	char *target; /* as written, variables expanded: address:port, path, words or name */
	char *host; /* connect: the host name in its canonical form, or NULL: `address` */
	char *by; /* path of the program that asks, or NULL */
	struct policy_range address; /* connect, listen: low == high */
	struct policy_range from; /* listen: the peer that connects, low == high */
	bool has_from;
	__u16 port; /* connect, listen */
	__u8 access; /* open: READ.., connect and listen: TCP or UDP, exec: RUN */
	enum pk_verdict expect;
};

/** A whole policy: one layer. */
struct policy {
	char *name;
	char *description; /* or NULL */
	bool audit; /* mode: audit */
	struct policy_access access;
	struct policy_nested nested;
	struct policy_signers signers;
	struct policy_section sections[PK_SECTION__MAX]; /* the process section is below */
	struct policy_process process;
	struct policy_dns dns;
	struct policy_tls tls;
	struct policy_sockets sockets;
	struct policy_approvals approvals;
	struct policy_rule *rules; /* in the order of the text, includes where they stand */
	size_t rule_count;
	struct policy_test *tests;
	size_t test_count;
	__u32 activity; /* PK_ACTIVITY_* */
	__u32 rate; /* activity events a second, 0 = unlimited */
	char **files; /* names of all source files; diag_pos.file points into it */
	size_t file_count;
	struct policy_file *read; /* the same files in the order in which they were read */
	size_t read_count;
};

/** Free *@policy and everything in it; accepts NULL; resets the pointer. */
void policy_free(struct policy **policy);

#endif
