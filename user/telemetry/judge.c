/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys for the matcher from paths and addresses in memory. Decides nothing itself.
 */
#include "telemetry/judge.h"

#include <string.h>

static const struct pk_result broken = { PK_VERDICT_DENY, PK_REASON_IMAGE, PK_RULE_NONE };

static struct pk_view view_of(const struct policy_image *image)
{
	return (struct pk_view){ image->bytes, (__u32)(image->size >> PK_PAGE_SHIFT) };
}

struct pk_result judge_path(const struct policy_image *image, enum pk_section section, __u32 access,
			    const char *path, size_t length)
{
	const struct pk_view view = view_of(image);
	const struct pk_image *head = image_head(image);
	const struct pk_query query = { .section = section, .access = access };
	__u8 key[PK_PATH_MAX] = { 0 };
	__u32 state = head->path_start;
	__u32 set = 0;

	if (!head->defaults[section].present)
		return (struct pk_result){ PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	if (length > sizeof(key))
		return (struct pk_result){ PK_VERDICT_DENY, PK_REASON_PATH_LONG, PK_RULE_NONE };
	memcpy(key, path, length);
	if (pk_path_run(&view, head, key, (__u32)length, &state) || pk_path_set(&view, state, &set))
		return broken;
	return pk_judge_set(&view, head, set, &query);
}

static __u64 big_endian(const __u8 *bytes)
{
	__u64 number = 0;

	for (size_t i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

struct pk_result judge_address(const struct policy_image *image, __u32 access,
			       const __u8 address[static 16], __u16 port)
{
	const struct pk_view view = view_of(image);
	const struct pk_image *head = image_head(image);
	const struct pk_query query = {
		.section = PK_SECTION_EGRESS,
		.access = access,
		.port = port,
	};
	const struct pk_address key = pk_address_v6(big_endian(address), big_endian(address + 8));
	__u32 set = 0;

	if (!head->defaults[PK_SECTION_EGRESS].present)
		return (struct pk_result){ PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	if (pk_address_set(&view, head, key, &set))
		return broken;
	return pk_judge_set(&view, head, set, &query);
}
