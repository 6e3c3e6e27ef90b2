/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of accepted serials: of each policy, by its name, the highest serial that was ever loaded,
 * and which text it was. So that an old policy, with its good signature, does not come back.
 *
 * A line for each, below "picket serials 1": the name, the serial, the SHA-256 of the signed lines.
 */
#ifndef PICKET_SIGN_SERIALS_H
#define PICKET_SIGN_SERIALS_H

#include <sys/types.h>

#include "sign/manifest.h"

/** Where the record is. */
#define SERIALS_FILE "/var/lib/picket/serials"
/** What its name has behind it in that of the file which the next one is written to. */
#define SERIALS_SPARE ".new"
/** Most policies that it knows. */
#define SERIALS_MAX 10000

/** How a serial is looked up. */
enum serials_use {
	SERIALS_LOOK, /* only compare: nothing is going to be confined */
	SERIALS_ACCEPT, /* record it when it is the highest */
	SERIALS_BEGIN, /* the same, and make the record when there is none */
};

/**
 * May @manifest's policy be loaded by what the record @path says? A policy that it does not know may, with
 * any serial. The record must be guarded (guarded.h) as a file of @owner. Returns 0; -EACCES for
 * SERIALS_LOOK by somebody who may not read it; else another -errno with *@ret_why the end of a sentence
 * about the policy (malloc'ed) and *@ret_hint a remedy or NULL (not owned).
 */
int serials_check(const char *path, uid_t owner, enum serials_use use,
		  const struct manifest *manifest, char **ret_why, const char **ret_hint);

#endif
