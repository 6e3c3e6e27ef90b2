/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From options to a compiled policy: the one road that `run`, `check`, `explain`, `show` and the
 * daemon take, so that what one accepts the others accept. It does not print.
 */
#ifndef PICKET_POLICY_POLICY_ARGS_H
#define PICKET_POLICY_POLICY_ARGS_H

#include "policy/compile.h"
#include "policy/image.h"
#include "policy/load.h"
#include "policy/managed.h"

/** What the options say about a policy. Zero-initialise; policy_args_reset() frees. */
struct policy_args {
	const char *path; /* -p, --policy or an operand; borrowed */
	char *user; /* USER; set by policy_args_identity() */
	char *home; /* HOME */
	char *cwd; /* CWD */
	char *own_home; /* HOME of the passwd entry: what managed layers mean by it */
	const char *managed; /* the folder of the layers above; NULL: MANAGED_FOLDER */
	const char *serials; /* the record of them; NULL: SERIALS_FILE */
	const char *tests; /* a file with more tests of the policy; borrowed */
	struct policy_variable *overrides; /* --set; the strings are owned */
	size_t override_count;
	/**
	 * Of a nested agent: what the agent around it was compiled by, and so on outwards; borrowed. Their
	 * policies are layers between the managed ones and @path, with variables of their own.
	 */
	const struct policy_args *around;
	bool audit; /* --audit */
	bool guarded; /* the policy's files must be root's, as those of the managed layers */
	bool managed_draft; /* --managed: not yet in place, so that nobody asks whose files they are */
	bool no_managed; /* --no-managed: none; only for commands that confine nothing */
	bool accept; /* the policy is going to confine: its serial, where one is asked for, is recorded */
	bool identified; /* user, home and cwd are as they are to be */
	bool untested; /* the caller runs the tests itself */
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

/**
 * The built-in variables for somebody else: HOME and USER of the passwd entry of @uid, unknown when it
 * has none, and CWD as told (NULL: unknown). Returns 0 or -errno.
 */
int policy_args_account(struct policy_args *args, uid_t uid, const char *cwd);

/** Free everything owned and make it empty again. */
void policy_args_reset(struct policy_args *args);

/** A policy that passed everything. cli_policy_reset() frees. */
struct cli_policy {
	struct policy *policy;
	struct managed managed; /* the layers above it */
	struct policy *around[PK_LAYERS_MAX]; /* of agents around it, the outermost first */
	size_t around_count;
	struct policy_image image; /* of all layers */
	char **files; /* owned: the names of all files of all layers, which are theirs */
	size_t file_count;
	size_t tests_passed;
};

/**
 * Load the policy and the managed layers, compile them, validate the image and run the inline tests: those
 * of a layer ask that layer alone, so that they say whether it does what its author means. A layer above
 * that enforces is an error for a policy in mode audit. Where a layer has `require_signature`, the policy and
 * those of agents around it must be signed. Returns 0, -EINVAL with findings (a
 * failed inline test is one), or the error of reading @args->path, also with a finding. Warnings
 * may be in @diags after success too.
 */
int policy_args_compile(struct policy_args *args, struct cli_policy *ret_policy,
			struct diag_list *diags);

/**
 * Only load @args->path, with the variables as they are by themselves: no --set. Stores the policy
 * (caller frees with policy_free()); returns as policy_args_compile().
 */
int policy_args_load(struct policy_args *args, struct policy **ret_policy, struct diag_list *diags);

/** Free everything in @policy and make it empty again. */
void cli_policy_reset(struct cli_policy *policy);

/** Write the 64 hexadecimal digits and a NUL of the image's digest. */
void cli_policy_digest(const struct policy_image *image, char ret_text[static 65]);

#endif
