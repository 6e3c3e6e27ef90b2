/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy text to checked model: the front door of the policy front end.
 */
#ifndef PICKET_POLICY_LOAD_H
#define PICKET_POLICY_LOAD_H

#include <sys/types.h>

#include "policy/model.h"
#include "policy/registries.h"

/** A variable given from outside: a built-in (HOME, USER, CWD) or `--set name=value`. */
struct policy_variable {
	const char *name;
	const char *value;
};

/** What the front end needs to know of the world; nothing else is looked up. */
struct policy_context {
	const struct policy_variable *builtins; /* HOME, USER, CWD ... as known to the caller */
	size_t builtin_count;
	const struct policy_variable *overrides; /* --set: replace `vars` of the same name */
	size_t override_count;
	/**
	 * Resolve the symbolic links of an existing path: malloc'ed canonical path, or NULL when it
	 * does not exist. NULL function: links are not resolved (pure tests, fuzzers).
	 */
	char *(*resolve)(const char *path);
	const struct registries_scope *registries; /* where @registries looks; NULL: nowhere */
	const struct policy_host *host; /* its own addresses are part of @loopback; NULL = unknown */
	/**
	 * The policy and the files it includes must be guarded (guarded.h): of @owner or root, and
	 * writable by nobody else.
	 */
	bool guarded;
	uid_t owner;
	const char *tests; /* a file with more tests, read as if the policy included it; NULL: none */
};

/** Sizes a policy source may not exceed. */
#define POLICY_FILE_MAX (8U << 20)
#define POLICY_INCLUDE_DEPTH 16
#define POLICY_FILES_MAX 256

/**
 * Load the policy file @path with its includes. An `include` that starts with "presets/" names a
 * preset built into the program, any other one a file beside the including file.
 * On success stores the policy (caller frees with policy_free()) and returns 0; findings that do
 * not stop it are warnings in @diags. Otherwise returns -EINVAL (findings tell), -ENOMEM, or the
 * error of reading @path, always with a finding.
 */
int policy_load_file(const char *path, const struct policy_context *context,
		     struct policy **ret_policy, struct diag_list *diags);

/**
 * The same from memory: @length bytes at @text, called @name in messages. Includes other than
 * presets are refused (no files are opened).
 */
int policy_load_text(const char *name, const char *text, size_t length,
		     const struct policy_context *context, struct policy **ret_policy,
		     struct diag_list *diags);

#endif
