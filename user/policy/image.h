/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images in user space: ownership, identity and validation. The format itself is
 * include/picket/image.h.
 */
#ifndef PICKET_POLICY_IMAGE_H
#define PICKET_POLICY_IMAGE_H

#include <stddef.h>

#include <picket/image.h>

#include "base/diag.h"

/** A compiled image; bytes are page multiples, 8-byte aligned. */
struct policy_image {
	__u8 *bytes; /* owned */
	size_t size; /* pages * PK_PAGE_SIZE */
};

/** The header of an image that has passed image_validate(). */
static inline const struct pk_image *image_head(const struct policy_image *image)
{
	return (const struct pk_image *)(const void *)image->bytes;
}

/** A string of the strings part by its offset; "" for 0. The image must be validated. */
const char *image_string(const struct policy_image *image, __u32 offset);

/** A rule of the rules part, or NULL for a default reference or one out of range. */
const struct pk_rule *image_rule(const struct policy_image *image, __u32 rule);

/** Fill head->digest with the SHA-256 of the image whose digest field is zero. 0 or -EIO. */
int image_seal(struct policy_image *image);

/**
 * Check every structural promise of the format: magic, version, sizes, order and bounds of parts,
 * states, sets, spans sorted and complete, strings terminated, digest. An image that passes can be
 * matched against any key without leaving its bytes. Returns 0 or -EINVAL with *@ret_why set to a
 * static sentence (may be NULL).
 */
int image_validate(const void *bytes, size_t size, const char **ret_why);

/** Free *@image's bytes; accepts NULL bytes; resets. */
void image_reset(struct policy_image *image);

#endif
