/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a command's options to a compiled policy: the one road that `run`, `check`, `explain` and
 * `show` take, so that what one accepts the others accept. It does not print.
 */
#ifndef PICKET_CLI_POLICY_ARGS_H
#define PICKET_CLI_POLICY_ARGS_H

#include "policy/compile.h"
#include "policy/image.h"
#include "policy/load.h"

/** What the options say about a policy. Zero-initialise; policy_args_reset() frees. */
struct policy_args {
	const char *path; /* -p, --policy or an operand; borrowed */
	bool audit; /* --audit */
	char *user; /* USER; set by policy_args_identity() */
	char *home; /* HOME */
	char *cwd; /* CWD */
	struct policy_variable *overrides; /* --set; the strings are owned */
	size_t override_count;
};

/**
 * Take one --set argument "NAME=VALUE". Returns 0, -EINVAL (no `=`, empty or ill-formed name) or
 * -ENOMEM.
 */
int policy_args_set(struct policy_args *args, const char *assignment);

/**
 * Find the built-in variables: HOME and USER of the passwd entry of @user (a name or a number), or
 * for NULL of the user who runs picket (the environment's HOME wins over passwd), and CWD, the
 * working directory. Returns 0; -ENOENT when @user is unknown; another -errno.
 * policy_args_compile() calls it with NULL when it was not called.
 */
int policy_args_identity(struct policy_args *args, const char *user);

/** Free everything owned and make it empty again. */
void policy_args_reset(struct policy_args *args);

/** A policy that passed everything. cli_policy_reset() frees. */
struct cli_policy {
	struct policy *policy;
	struct policy_image image;
	size_t tests_passed;
};

/**
 * Load, compile, validate the image and run the inline tests. Returns 0, -EINVAL with findings (a
 * failed inline test is one), or the error of reading @args->path, also with a finding. Warnings
 * may be in @diags after success too.
 */
int policy_args_compile(struct policy_args *args, struct cli_policy *ret_policy,
			struct diag_list *diags);

/** Free everything in @policy and make it empty again. */
void cli_policy_reset(struct cli_policy *policy);

/** Write the 64 hexadecimal digits and a NUL of the image's digest. */
void cli_policy_digest(const struct policy_image *image, char ret_text[static 65]);

#endif
