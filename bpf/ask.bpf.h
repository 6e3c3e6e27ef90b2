/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What becomes of the verdict "ask": a grant, a refusal, or a wait. The request is s->rq, the verdict
 * s->finding.
 */
#ifndef PICKET_ASK_BPF_H
#define PICKET_ASK_BPF_H

#include "decide.bpf.h"
#include "maps.bpf.h"

/**
 * Make the request's key, s->asked.key: a keyed hash that nobody who does not know pk_host_seed can find
 * two requests for. PK_REQUEST_KEYED says that it is made.
 */
int pk_ask_key(struct pk_scratch *s);

/**
 * Take a grant, refuse, or stop the task inside of its call: for hooks, of the running task. Returns 0
 * when it may go on, -ERESTARTNOINTR when it was stopped, PK_AGAIN when what is left of the request has
 * to be judged, else -rq.error. Counts and reports.
 */
int pk_ask(struct pk_scratch *s);

/** For a program that waits to be approved: what the hook returns for s->rq, without a word. */
int pk_ask_again(struct pk_scratch *s);

/**
 * The same for the socket with the cookie s->asked.cookie, where nobody can be stopped: cgroup programs.
 * Returns 0 when it may go on without a word; else the verdict is in s->finding (allow: a grant was
 * taken), to be reported.
 */
int pk_ask_socket(struct pk_scratch *s);

/** Is the verdict one that somebody can be asked about? */
static __always_inline bool pk_is_open(const struct pk_finding *f)
{
	return pk_answers && f->verdict == PK_VERDICT_ASK && !f->audit && pk_approvers;
}

#endif
