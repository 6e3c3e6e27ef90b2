/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a policy depends on of this machine: the resolvers of its configuration, and its own
 * addresses. Both are as they are now; who changes them loads the policy anew.
 */
#ifndef PICKET_POLICY_HOST_FACTS_H
#define PICKET_POLICY_HOST_FACTS_H

#include "policy/model.h"

#define HOST_FACTS_RESOLV_CONF "/etc/resolv.conf"

/**
 * Read both into *@ret_host (caller frees with host_facts_reset()). A machine without @resolv_conf,
 * or with none in it, has no resolvers. Returns 0 or -errno.
 */
int host_facts_read(const char *resolv_conf, struct policy_host *ret_host);

/** Free what @host owns and make it empty. */
void host_facts_reset(struct policy_host *host);

#endif
