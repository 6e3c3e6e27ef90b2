/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a policy other enforcement can say: a drop-in of a systemd service, and rules of Landlock. Whatever
 * they cannot say is listed, and whether leaving it out allows more or less.
 */
#ifndef PICKET_IMPORT_EXPORT_H
#define PICKET_IMPORT_EXPORT_H

#include "policy/model.h"

/** Something that is not expressed. */
struct export_loss {
	struct diag_pos pos; /* as long as the policy lives */
	char *what; /* owned: a sentence */
	bool wider; /* without it more is allowed */
};

/** All of it. Zero-initialise; export_losses_reset() frees. */
struct export_losses {
	struct export_loss *items;
	size_t count;
	bool failed; /* memory was short */
};

/** Add one. */
void export_lose(struct export_losses *losses, const struct diag_pos *pos, bool wider,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Write the drop-in to @to. Returns 0 or -ENOMEM. */
int export_systemd(const struct policy *policy, FILE *to, struct export_losses *losses);

/**
 * Write JSON, schema "picket.export.landlock/1": `handled_fs` and `handled_net`, what is refused unless a rule
 * allows it; `paths`, each with `path` (it and all below it) and `access` of read, write, exec;
 * `connect_tcp`, ports. Returns 0 or -ENOMEM.
 */
int export_landlock(const struct policy *policy, FILE *to, struct export_losses *losses);

/** The literal path that @pattern (of files) names with all below it; malloc'ed, or NULL: wildcards. */
char *export_path(const struct policy_pattern *pattern);

/** Free all. */
void export_losses_reset(struct export_losses *losses);

#endif
