/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single questions to an image, answered by the matcher that the kernel runs.
 */
#ifndef PICKET_TELEMETRY_JUDGE_H
#define PICKET_TELEMETRY_JUDGE_H

#include "policy/matcher.h"

#include "policy/image.h"

/** The verdict on a path; @image must be validated, a path over PK_PATH_MAX is denied. */
struct pk_result judge_path(const struct policy_image *image, enum pk_section section, __u32 access,
			    const char *path, size_t length);

/** The verdict on an address (IPv4 mapped; the unspecified addresses mean loopback, as in Linux). */
struct pk_result judge_address(const struct policy_image *image, __u32 access,
			       const __u8 address[static 16], __u16 port);

#endif
