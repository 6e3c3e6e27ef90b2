/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what a caller asks for to a compiled policy: which file it is, whether it is an
 * administrator's, whether the caller may use it, and the image for that caller.
 *
 * Files are read with root's rights, so findings, which quote them, are for those only who may use the
 * policy; nobody else learns even that it exists.
 */
#ifndef PICKET_DAEMON_POLICIES_H
#define PICKET_DAEMON_POLICIES_H

#include "policy/policy_args.h"
#include "control/peer.h"
#include "daemon/registry.h"

/** Folders below the configuration. */
#define POLICIES_FOLDER "policies"
#define POLICIES_MANAGED "managed.d"

/** Where policies are; policies_reset() frees. */
struct policies {
	char *folder; /* owned */
	char *managed; /* owned; layers above every policy */
	uid_t owner; /* whose the files must be */
};

/** What one is compiled to; policies_reset_compiled() frees. */
struct compiled {
	struct policy_image image;
	char *path; /* owned; of the policy's own file */
	char **files; /* owned, and so are its elements: all files it was made of */
	size_t file_count;
	char digest[65];
	char *warnings; /* owned; text, or NULL */
	json_t *nested; /* owned; array of names: policies for nested agents; or NULL */
};

/** Find the folders below @config. Returns 0 or -ENOMEM. */
int policies_open(const char *config, uid_t owner, struct policies *ret_policies);

/** Free what @policies owns. */
void policies_reset(struct policies *policies);

/** True for a name of a policy: letters, digits, '-', '_' and '.', not '.' first, 64 at most. */
bool policies_is_name(const char *name);

/**
 * Check that policy @name is an administrator's: a regular file NAME.yaml in the folder, guarded as
 * policy/guarded.h says. Stores its path. Returns 0; -ENOENT when there is none; -EPERM or another
 * -errno with an error.
 */
int policies_find(const struct policies *policies, const char *name, char **ret_path,
		  struct diag_list *diags);

/**
 * Compile the policy of @record for @peer, NULL: whoever started the agent. Returns 0; -ENOENT: there
 * is no such policy that the peer may use (no finding); -EACCES: a path, and the peer is not root (no
 * finding); or another -errno with findings that the peer may see.
 */
int policies_compile(const struct policies *policies, const struct agent_record *record,
		     const struct peer *peer, struct compiled *ret_compiled,
		     struct diag_list *diags);

/** A copy without the warnings. Returns 0 or -ENOMEM. */
int policies_copy_compiled(const struct compiled *from, struct compiled *ret_copy);

/** Free what @compiled owns and make it empty. */
void policies_reset_compiled(struct compiled *compiled);

#endif
