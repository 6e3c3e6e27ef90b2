/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section `syscalls`: names and groups of system calls that are refused.
 */
#ifndef PICKET_POLICY_SYSCALLS_H
#define PICKET_POLICY_SYSCALLS_H

#include "policy/front.h"
#include "policy/schema.h"

/** A group of system calls. */
struct syscall_group {
	const char *name; /* "@swap" */
	const char *const *members; /* ends with NULL; a member may be a group */
};

/** All groups; their number in *@ret_count. */
const struct syscall_group *syscalls_groups(size_t *ret_count);

/** Read the section into the policy (schema_read; no @into). */
int syscalls_read(struct front *front, const struct node *map, void *unused);

/** The keys of the section. */
extern const struct schema syscalls_schema;

#endif
