/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies made by hand for tests, without the front end. Any failure (no memory, bad address)
 * aborts: a test that cannot set up must not pass.
 */
#ifndef PICKET_TESTS_BUILDER_H
#define PICKET_TESTS_BUILDER_H

#include "policy/image.h"
#include "policy/model.h"

/** A policy without sections; free with policy_free(). */
struct policy *build_policy(const char *name);

/** Give @policy a section with a default. */
void build_section(struct policy *policy, enum pk_section section, enum pk_verdict verdict);

/** Add a rule without patterns; the pointer holds until the next call. */
struct policy_rule *build_rule(struct policy *policy, enum pk_section section,
			       enum pk_verdict verdict, __u8 access);

/** Add a path pattern; its position is line = the rule's number + 1, column = its own + 1. */
struct policy_pattern *build_glob(struct policy *policy, const char *glob);

/**
 * Add a command pattern: words between blanks; a program without '/' is a name. As the front end
 * does, the program's glob is left out where the arguments decide a denial.
 */
struct policy_pattern *build_command(struct policy *policy, const char *text);

/** Give the last rule one more program that it is for. */
void build_by(struct policy *policy, const char *glob);

/** Set a switch of the process section, which is present from then on. */
void build_guard(struct policy *policy, enum pk_guard guard, bool deny, const char *source);

/** Add an egress pattern: "1.2.3.4", "10.0.0.0/8", "2001:db8::/32"; ports 0-65535 until given. */
struct policy_pattern *build_range(struct policy *policy, const char *cidr);

/** Add an egress pattern of an inclusive range of raw addresses. */
struct policy_pattern *build_raw_range(struct policy *policy, const struct policy_range *range);

/** Add an egress pattern of a host in its canonical form; ports 0-65535 until given. */
struct policy_pattern *build_host(struct policy *policy, const char *host);

/** Narrow the last pattern to ports; the first call replaces the default range. */
void build_ports(struct policy *policy, __u16 low, __u16 high);

/** Parse "a.b.c.d" or an IPv6 address to 16 bytes (IPv4 mapped). */
void build_address(const char *text, __u8 ret_address[16]);

/** Compile @count layers to an image that is proven valid; findings are printed before aborting. */
struct policy_image build_image(struct policy *const *layers, size_t count);

#endif
