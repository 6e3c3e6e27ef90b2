/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule is decisive when a result names it. Rules are one for each pattern.
 */
#include "author/coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int coverage_start(struct coverage *coverage, const struct policy_image *image)
{
	size_t count = image_head(image)->part[PK_PART_RULES].size / sizeof(struct pk_rule);
	bool *decisive = calloc(count + 1, sizeof(*decisive));

	if (!decisive)
		return -ENOMEM;
	*coverage = (struct coverage){ image, decisive, count };
	return 0;
}

void coverage_add(struct coverage *coverage, const struct pk_result *result)
{
	if (!(result->rule & PK_RULE_DEFAULT) && result->rule < coverage->count)
		coverage->decisive[result->rule] = true;
}

bool coverage_counts(const struct coverage *coverage, __u32 rule)
{
	const struct pk_rule *found = image_rule(coverage->image, rule);
	const char *file = found ? image_string(coverage->image, found->file) : "presets/";

	/* No test asks about switches and system calls; accept is a part of rules of listen. */
	return strncmp(file, "presets/", 8) != 0 && found->section != PK_SECTION_SYSCALLS &&
	       found->section != PK_SECTION_PROCESS && found->section != PK_SECTION_SUBJECT &&
	       found->section != PK_SECTION_ACCEPT;
}

void coverage_reset(struct coverage *coverage)
{
	free(coverage->decisive);
	*coverage = (struct coverage){ 0 };
}
