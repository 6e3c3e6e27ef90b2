/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests that a draft's own rules give: what is denied, what is allowed and not denied as well, and what
 * nothing mentions.
 */
#ifndef PICKET_IMPORT_DRAFT_TESTS_H
#define PICKET_IMPORT_DRAFT_TESTS_H

#include "import/draft.h"

/** Add them to @draft. A rule of which it cannot be told what others make of it gives none. */
void draft_tests_add(struct draft *draft);

#endif
