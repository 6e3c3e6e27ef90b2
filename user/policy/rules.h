/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections that decide: egress, listen, files, exec, unix. Each has a default and rules; a rule is a verdict
 * on patterns.
 */
#ifndef PICKET_POLICY_RULES_H
#define PICKET_POLICY_RULES_H

#include "policy/front.h"
#include "policy/schema.h"

/** Read a section into the policy (schema_read; no @into). */
int rules_read_egress(struct front *front, const struct node *map, void *unused);
int rules_read_listen(struct front *front, const struct node *map, void *unused);
int rules_read_files(struct front *front, const struct node *map, void *unused);
int rules_read_exec(struct front *front, const struct node *map, void *unused);
int rules_read_unix(struct front *front, const struct node *map, void *unused);

/** Free what @rule owns and make it empty. */
void rule_reset(struct policy_rule *rule);

/** The keys of the section egress. */
extern const struct schema rules_egress_schema;

/** The keys of the section listen. */
extern const struct schema rules_listen_schema;

/** The keys of the section files. */
extern const struct schema rules_files_schema;

/** The keys of the section exec. */
extern const struct schema rules_exec_schema;

/** The keys of the section unix. */
extern const struct schema rules_unix_schema;

#endif
