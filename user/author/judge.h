/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a policy says about an observed act: the questions that the hooks would ask of its image.
 */
#ifndef PICKET_AUTHOR_JUDGE_H
#define PICKET_AUTHOR_JUDGE_H

#include "author/observation.h"
#include "policy/decide.h"

/**
 * Judge @act by @image. Returns true with *@ret_result set; false for acts that are refused for what they
 * are and not by a rule (a malformed answer of a resolver, bpf(2), a path that is too long), and
 * those that a recording does not tell enough of: a refused rename of what is perhaps no regular file, a connection
 * from outside without the place where it arrived.
 */
bool judge_act(const struct policy_image *image, const struct observation *act,
	       struct pk_result *ret_result);

/** The kind of sockets (enum pk_socket) that @act, of op socket, is about; PK_SOCKET__MAX: none that has a name. */
unsigned int judge_socket_kind(const struct observation *act);

#endif
