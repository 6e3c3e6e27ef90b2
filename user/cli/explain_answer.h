/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer of `picket explain`: filled from an image, shown as text or JSON.
 */
#ifndef PICKET_CLI_EXPLAIN_ANSWER_H
#define PICKET_CLI_EXPLAIN_ANSWER_H

#include <stdbool.h>

#include <jansson.h>

#include "policy/explain.h"

struct explain_change;

/** One section's part of the answer. */
struct explain_part {
	enum pk_section section;
	__u8 access;
	struct explanation explanation; /* owned */
};

/** Zero-initialise; explain_answer_reset() frees. Texts are borrowed. */
struct explain_answer {
	const char *policy; /* file */
	const char *layers[PK_LAYERS_MAX]; /* files of the layers, from the top; NULL: not known */
	const char *act; /* "connect", "listen", "open", "exec", "run", "unix" */
	const char *target; /* as given */
	const char *seen; /* path that the kernel sees; NULL for addresses and names */
	const char *by; /* resolved program that asks; NULL: one that no rule names */
	char *const *argv; /* run: the words */
	__u32 subjects; /* filled: the bits of @by */
	char *host; /* owned; connect: a host name in its canonical form, or NULL */
	bool has_address; /* connect: not a name alone */
	__u8 address[16]; /* connect: the destination; listen: the local one */
	__u8 from[16]; /* listen: who connects, when that is asked too */
	__u16 port; /* connect, listen */
	struct decided decided; /* filled; connect: what the verdict comes from */
	struct pk_result question; /* filled; connect: whether a resolver may be asked for @host */
	struct explain_part parts[3]; /* exec: files and exec; run: exec again, by the command */
	size_t count;
	struct explain_change *change; /* what would give the other verdict; borrowed, or NULL */
};

/**
 * Ask @image about every part of @answer. Returns 0; -ENAMETOOLONG for a path longer than any that
 * the kernel judges; -ENOMEM.
 */
int explain_answer_fill(struct explain_answer *answer, const struct policy_image *image);

/** Print what the process section says of each switch, and who says so; as JSON. CLI exit code. */
int explain_process(const char *policy, const struct policy_image *image, bool json);

/** Print a rule, or the default of a section, that a result refers to. */
void explain_answer_put(const struct policy_image *image, const struct pk_result *result);

/** Add who a reference means to a JSON object, as `rule` or as `default`. */
void explain_answer_set(json_t *object, const struct policy_image *image, __u32 reference);

/** The strictest verdict of all parts, which is the act's. */
__u32 explain_answer_verdict(const struct explain_answer *answer);

/** The layer whose rule or default a result comes from; PK_LAYERS_MAX: it comes from none. */
__u32 explain_answer_layer(const struct pk_result *result, const struct policy_image *image);

/** Free what is owned. */
void explain_answer_reset(struct explain_answer *answer);

/** Print for people; returns CLI_OK. */
int explain_answer_print(const struct explain_answer *answer, const struct policy_image *image);

/** Print as JSON; returns CLI_OK or CLI_FAILED. */
int explain_answer_json(const struct explain_answer *answer, const struct policy_image *image);

#endif
