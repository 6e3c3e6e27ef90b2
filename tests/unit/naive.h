/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference: what a policy means, straight from its definition and sharing nothing with the
 * compiler. Globs by brace expansion and backtracking over components, addresses by comparing
 * bytes, rules by looking at each in turn.
 */
#ifndef PICKET_TESTS_NAIVE_H
#define PICKET_TESTS_NAIVE_H

#include "policy/model.h"

/** Deliberate mistakes, to prove that a comparison with the reference finds mistakes. */
enum naive_fault {
	NAIVE_RIGHT,
	NAIVE_STAR_CROSSES, /* '*' matches '/' */
	NAIVE_DEEP_NEEDS_ONE, /* a deep star at the end does not stand for none */
	NAIVE_CLASS_FLIPPED, /* [!x] means [x] */
	NAIVE_FIRST_WINS, /* the first matching rule decides, not the strictest */
	NAIVE_LAST_NAMED, /* of equal verdicts the last rule is named */
	NAIVE_PORT_OPEN_END, /* the upper port is not part of a range */
	NAIVE_LAYERS_WIDEN, /* the mildest layer decides */
	NAIVE_ANY_ACCESS, /* one covered access bit covers all */
	NAIVE_WORDS_EXACT, /* nothing may follow the words of a command */
	NAIVE_ANY_NEEDS_ONE, /* "..." does not stand for none */
	NAIVE_BY_IGNORED, /* rules with `by` are for every program */
	NAIVE_HOST_SUFFIX, /* "*.b" matches "ab" */
	NAIVE_HOST_ITSELF, /* "*.b" matches "b" */
	NAIVE_HOST_UDP, /* a host name lets UDP through, unasked */
	NAIVE_NOT_EMBEDDED, /* a rule about IPv4 is not about its IPv6 forms */
	NAIVE_NAME_FIRST, /* a rule that denies the address gives way to a name */
	NAIVE_FAULT__MAX
};

struct naive {
	const struct policy *const *layers;
	size_t count;
	enum naive_fault fault;
	const char *by; /* path of the program that asks; NULL: one that no rule names */
};

/** Verdict and rule reference, as in struct pk_result. */
struct naive_answer {
	enum pk_verdict verdict;
	__u32 rule;
};

/** True when the valid @glob matches the absolute @path. */
bool naive_glob(const char *glob, const char *path, enum naive_fault fault);

struct naive_answer naive_path(const struct naive *naive, enum pk_section section, __u8 access,
			       const char *path);

/** By the command automaton's part of the rules alone: one key, its program and argv[1] on. */
struct naive_answer naive_command(const struct naive *naive, const char *program,
				  char *const *argv);

/** True when the canonical @pattern matches the host name @name. */
bool naive_host(const char *pattern, const char *name, enum naive_fault fault);

/** The IPv4 address, mapped, that an IPv6 one leads to by a translator or tunnel; false: none. */
bool naive_embedded(const __u8 address[16], __u8 ret_v4[16]);

/** A destination: @address or @host may be NULL, not both. With both @host was learned for it. */
struct naive_answer naive_destination(const struct naive *naive, const __u8 *address,
				      const char *host, __u16 port, __u8 access);

/** May the name be asked for? */
struct naive_answer naive_name(const struct naive *naive, const char *host);

struct naive_answer naive_address(const struct naive *naive, const __u8 address[16], __u16 port,
				  __u8 access);

#endif
