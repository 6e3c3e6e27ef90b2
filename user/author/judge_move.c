/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights at both names, compared. What cannot be judged widens, as in the kernel.
 */
#include "author/judge_move.h"

/* The right to run, beside the nibble of the files section. */
#define RIGHT_RUN 16U
/* Other rules for its command lines. */
#define RIGHT_COMMAND 32U

static __u32 rights_at(const struct policy_image *image, const char *path, __u32 subjects)
{
	struct pk_query query = { .section = PK_SECTION_FILES, .subjects = subjects };
	struct pk_result result;
	__u32 rights = 0;

	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		query.access = bit;
		(void)decide_path_query(image, path, &query, &result);
		rights |= result.verdict == PK_VERDICT_ALLOW ? bit : 0;
	}
	query.section = PK_SECTION_EXEC;
	query.access = PK_ACCESS_RUN;
	(void)decide_path_query(image, path, &query, &result);
	return rights | (result.verdict == PK_VERDICT_ALLOW ? RIGHT_RUN : 0);
}

enum judge_move judge_move(const struct policy_image *image, const struct observation *act,
			   __u32 subjects)
{
	const struct pk_default *defaults = image_head(image)->defaults;
	__u32 from = rights_at(image, act->path, subjects);
	__u32 to = rights_at(image, act->path2, subjects);
	__u32 gained = to & ~from;
	__u32 command_from;
	__u32 command_to;

	if (!defaults[PK_SECTION_FILES].present && !defaults[PK_SECTION_EXEC].present)
		return JUDGE_MOVE_KEEPS;
	if (image_command_state(image, act->path, '\0', &command_from) ||
	    image_command_state(image, act->path2, '\0', &command_to))
		return JUDGE_MOVE_WIDENS;
	if (command_from != command_to)
		gained |= RIGHT_COMMAND;
	if (act->op == PK_OP_LINK)
		return gained ? JUDGE_MOVE_WIDENS : JUDGE_MOVE_KEEPS;
	/* What may be read and written to the other name could be copied. */
	if (gained)
		return from & PK_ACCESS_READ ? JUDGE_MOVE_COPIES : JUDGE_MOVE_WIDENS;
	/* An exchange gives the first name's rights to what had the second; a folder takes along what is in it. */
	return from == to && image_same_below(image, act->path, act->path2) ? JUDGE_MOVE_KEEPS :
									      JUDGE_MOVE_COPIES;
}
