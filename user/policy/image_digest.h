/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The identity of an image, shared by what seals and what checks.
 */
#ifndef PICKET_POLICY_IMAGE_DIGEST_H
#define PICKET_POLICY_IMAGE_DIGEST_H

#include "policy/image.h"

/** SHA-256 of @size >= sizeof(struct pk_image) bytes, the digest field read as zero. 0 or -EIO. */
int image_digest(const void *bytes, size_t size, __u8 ret_digest[32]);

#endif
