/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities by name: capabilities(7) in lower case, without "cap_".
 */
#ifndef PICKET_POLICY_CAPABILITIES_H
#define PICKET_POLICY_CAPABILITIES_H

#include <stdbool.h>

#include <linux/types.h>

/** Capabilities that have a name here; numbers beyond are of newer kernels. */
#define CAPABILITIES_COUNT 41U

/** The bits that are refused when a policy refuses capabilities and names none. */
extern const __u64 capabilities_refused;

/** The name of a capability, or NULL. */
const char *capabilities_name(unsigned int number);

/** Find a capability by its name, "cap_" in front or not. */
bool capabilities_find(const char *name, unsigned int *ret_number);

#endif
