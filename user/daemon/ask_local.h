/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local file of a policy, NAME.local.yaml beside it: acts that were approved for always. It answers
 * what the policy's `ask` rules ask, as an approver does, and can nothing else.
 *
 * Who could write it could approve for himself: it exists as long as there is an agent that can be asked
 * about, so that it can be protected from all agents, as the policies are.
 */
#ifndef PICKET_DAEMON_ASK_LOCAL_H
#define PICKET_DAEMON_ASK_LOCAL_H

#include "base/diag.h"

struct ask_request;
struct agent_entry;
struct daemon;

/** Largest file, in bytes. */
#define ASK_LOCAL_MAX (1U << 20)

/** Make sure that the file of @entry's policy exists and is protected, if its policy asks. */
void ask_local_prepare(struct daemon *daemon, const struct agent_entry *entry);

/** Does the file answer @request? True: it is granted and gone. */
bool ask_local_answers(struct ask_request *request);

/**
 * What ask_local_write() would change: a unified diff, "" for nothing, and the file; both malloc'ed.
 * Returns 0, or -errno with an error: -EINVAL when the act cannot be approved for always.
 */
int ask_local_preview(const struct ask_request *request, char **ret_diff, char **ret_path,
		      struct diag_list *diags);

/** Add the act, approved by those who voted. Returns 0 or -errno with an error. */
int ask_local_write(const struct ask_request *request, struct diag_list *diags);

#endif
