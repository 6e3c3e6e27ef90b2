/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kinds of warnings share: the policy at hand, its patterns by number, and the one way a
 * warning is added.
 */
#ifndef PICKET_AUTHOR_WARN_PARTS_H
#define PICKET_AUTHOR_WARN_PARTS_H

#include <stdbool.h>

#include "author/warn.h"

/** A pattern by its rule number in the image. */
struct warn_pattern {
	const struct policy_rule *rule;
	const struct policy_pattern *pattern;
};

/** The lines of the file that warnings are about at the moment. */
struct warn_text {
	const char *file; /* borrowed; NULL: none */
	char *text; /* owned, NULL: cannot be read */
	size_t length;
	size_t *lines; /* owned: where each begins */
	size_t line_count;
};

/** One run. */
struct warn {
	const struct policy *policy;
	const struct policy_image *image;
	const struct warn_world *world;
	struct diag_list *diags;
	struct warn_pattern *patterns; /* owned: all rules' */
	__u32 count;
	struct warn_text text;
};

/** A key that a pattern matches; sample_reset() frees. */
struct sample {
	char *key; /* owned, with a NUL behind it; commands have more inside */
	size_t length;
};

/**
 * Add warning @code about @rule at @pattern. Returns the finding for its hint, or NULL: the rule
 * accepts the warning, it is one of a built-in preset (whose own check it is), or it was not stored.
 */
struct diag *warn_add(struct warn *warn, enum warn_code code, const struct policy_rule *rule,
		      const struct policy_pattern *pattern, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/** The same about presets too: what is wrong depends on the policy that includes them. */
struct diag *warn_add_anywhere(struct warn *warn, enum warn_code code,
			       const struct policy_rule *rule, const struct policy_pattern *pattern,
			       const char *format, ...) __attribute__((format(printf, 5, 6)));

/** The same at a place that is no rule's. */
struct diag *warn_add_at(struct warn *warn, enum warn_code code, const struct diag_pos *pos,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

/** True for positions in presets that are built into the program and that the policy includes. */
bool warn_is_preset(const struct warn *warn, const struct diag_pos *pos);

/** The pattern of rule number @rule, or NULL: a default, or an entry of no rule. */
const struct warn_pattern *warn_pattern_of(const struct warn *warn, __u32 rule);

/** Show the source line of a finding at @pos, with @length bytes underlined. */
void warn_excerpt(struct warn *warn, struct diag *diag, const struct diag_pos *pos, size_t length);
/** Free what excerpts need. */
void warn_text_reset(struct warn_text *text);

/** A path that the glob @text matches. 0 or -ENOMEM. */
int sample_path(const char *text, struct sample *ret_sample);
/** The key of a command that the words match. 0 or -ENOMEM. */
int sample_command(char *const *words, size_t count, struct sample *ret_sample);
/** Free the key. */
void sample_reset(struct sample *sample);

/** True when a file that the agent writes at @path can be run there. */
bool warn_is_run(const struct warn *warn, const char *path);

/** The kinds, one function a group. Each returns 0 or -ENOMEM. */
int warn_dead(struct warn *warn);
/** WARN_ANY_HOST, WARN_PUBLIC_SUFFIX, WARN_SHARED_HOST. */
int warn_hosts(struct warn *warn);
/** WARN_DENY_BY_PATH, WARN_WRITE_EXEC, WARN_AGENT_WRITABLE. */
int warn_files(struct warn *warn);
/** WARN_ARGV. */
int warn_commands(struct warn *warn);

#endif
