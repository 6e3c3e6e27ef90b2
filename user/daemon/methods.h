/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods of the control socket; user/control/README.md says what each takes and gives. What they
 * have in common is here: the agent that a call is about, and how failures are told.
 */
#ifndef PICKET_DAEMON_METHODS_H
#define PICKET_DAEMON_METHODS_H

#include "control/server.h"
#include "daemon/agents.h"

/** All of them. Their context is the struct daemon. */
extern const struct method methods_table[];
extern const size_t methods_count;

/** The methods, as method_fn. */
int method_hello(void *context, struct call *call, struct control_answer *answer);
int method_agent_start(void *context, struct call *call, struct control_answer *answer);
int method_agent_join(void *context, struct call *call, struct control_answer *answer);
int method_agent_stop(void *context, struct call *call, struct control_answer *answer);
int method_agent_attach(void *context, struct call *call, struct control_answer *answer);
int method_agent_detach(void *context, struct call *call, struct control_answer *answer);
int method_agent_list(void *context, struct call *call, struct control_answer *answer);
int method_agent_names(void *context, struct call *call, struct control_answer *answer);
int method_agent_denials(void *context, struct call *call, struct control_answer *answer);
int method_events_subscribe(void *context, struct call *call, struct control_answer *answer);
int method_policy_reload(void *context, struct call *call, struct control_answer *answer);
int method_request_list(void *context, struct call *call, struct control_answer *answer);
int method_request_watch(void *context, struct call *call, struct control_answer *answer);
int method_request_approve(void *context, struct call *call, struct control_answer *answer);
int method_request_refuse(void *context, struct call *call, struct control_answer *answer);
int method_grant_list(void *context, struct call *call, struct control_answer *answer);
int method_grant_revoke(void *context, struct call *call, struct control_answer *answer);
int method_status(void *context, struct call *call, struct control_answer *answer);

/** Answer with an error. Returns 0, as methods do. */
int methods_fail(struct control_answer *answer, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Answer with the findings of a failed step (@error: -errno): the first error is the message, its hint
 * is data.hint, the whole text data.findings. Returns 0.
 */
int methods_fail_diags(struct control_answer *answer, int code, int error,
		       const struct diag_list *diags);

/** Answer with @result, which is taken over; NULL: out of memory. Returns 0. */
int methods_succeed(struct control_answer *answer, json_t *result);

/** Take the parameters apart as json_unpack() does, and no others. False: answered. */
bool methods_unpack(const struct call *call, struct control_answer *answer, const char *format,
		    ...);

/** An agent by its id, and for whom. */
struct methods_lookup {
	const char *id;
	enum peer_role role; /* that may do it with agents of others, too */
};

/** The agent if the caller may do it with that one; NULL: answered. */
struct agent_entry *methods_find(struct daemon *daemon, const struct call *call,
				 const struct methods_lookup *lookup,
				 struct control_answer *answer);

/** The agent that a call with the parameter `agent` only is about. NULL: answered. */
struct agent_entry *methods_take_agent(struct daemon *daemon, const struct call *call,
				       enum peer_role role, struct control_answer *answer);

/** What agent.start and agent.attach have in common. Texts are borrowed from the call. */
struct methods_wish {
	const char *policy;
	int audit;
	json_t *set; /* or NULL */
	const char *cwd; /* or NULL */
	const char *name; /* or NULL: the policy's */
};

/**
 * Make the record of @wish for the caller, and compile its policy, into what @plan points to. False:
 * answered, and nothing is to be freed.
 */
bool methods_prepare(struct daemon *daemon, const struct call *call,
		     const struct methods_wish *wish, const struct agent_plan *plan,
		     struct control_answer *answer);

#endif
