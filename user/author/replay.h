/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recorded acts against policies: which decisions would be other ones, the same object together.
 */
#ifndef PICKET_AUTHOR_REPLAY_H
#define PICKET_AUTHOR_REPLAY_H

#include "author/recording.h"
#include "policy/decide.h"

/** Acts on one object that are decided differently, and in the same way. */
struct replay_change {
	enum pk_section section;
	__u8 access;
	char *text; /* the object, observation_text() */
	struct pk_result before; /* of the first of them */
	struct pk_result after;
	__u64 count; /* times */
	const struct observation *act; /* the first of them; borrowed from the recording */
};

/** What came of a replay. replay_reset() frees. */
struct replay {
	struct replay_change
		*changes; /* opened ones first, then asked, then closed; by section and object */
	size_t count;
	__u64 same; /* acts that are decided as before */
	__u64 fixed; /* acts that no rule decides */
};

/** Objects of @section (PK_SECTION__MAX: of all) among the changes whose verdict is @verdict now. */
size_t replay_count(const struct replay *replay, enum pk_verdict verdict, enum pk_section section);

/**
 * Compare what @after says with @before, or without it (NULL) with what came of each act when it was
 * recorded; the recording must be finished. Returns 0 or -ENOMEM.
 */
int replay_run(const struct recording *recording, const struct policy_image *before,
	       const struct policy_image *after, struct replay *ret_replay);

/** Free what it owns and make it empty. */
void replay_reset(struct replay *replay);

#endif
