/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section sockets: the kinds of sockets that may be made.
 */
#ifndef PICKET_POLICY_SOCKETS_H
#define PICKET_POLICY_SOCKETS_H

#include "policy/front.h"
#include "policy/schema.h"

/** Read the section into the policy (a schema_read; no @into). */
int sockets_read(struct front *front, const struct node *map, void *unused);

/**
 * Judge the whole policy once it is read: rules for a kind that may not be made are refused, kinds
 * that get around the rules are warned of.
 */
void sockets_check(struct front *front);

/** The word of a kind of sockets (enum pk_socket). */
const char *sockets_word(unsigned int kind);

/** The keys of the section. */
extern const struct schema sockets_schema;

#endif
