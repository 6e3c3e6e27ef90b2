/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images in user space: what they own, say and are called. Whether they are well formed is
 * image_check.c's question.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "policy/image.h"
#include "policy/image_digest.h"

const char *image_string(const struct policy_image *image, __u32 offset)
{
	const struct pk_extent *part = &image_head(image)->part[PK_PART_STRINGS];

	if (offset >= part->size)
		return "";
	return (const char *)image->bytes + part->offset + offset;
}

const struct pk_rule *image_rule(const struct policy_image *image, __u32 rule)
{
	const struct pk_extent *part = &image_head(image)->part[PK_PART_RULES];

	if (rule >= part->size / sizeof(struct pk_rule))
		return NULL;
	return (const struct pk_rule *)(const void *)(image->bytes + part->offset) + rule;
}

int image_digest(const void *bytes, size_t size, __u8 ret_digest[32])
{
	const size_t after = offsetof(struct pk_image, digest) + 32;
	__u8 start[sizeof(struct pk_image)];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned int length = 0;
	int ok;

	memcpy(start, bytes, after);
	memset(start + offsetof(struct pk_image, digest), 0, 32);
	ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(context, start, after) &&
	     EVP_DigestUpdate(context, (const __u8 *)bytes + after, size - after) &&
	     EVP_DigestFinal_ex(context, ret_digest, &length);
	EVP_MD_CTX_free(context);
	return ok && length == 32 ? 0 : -EIO;
}

int image_seal(struct policy_image *image)
{
	__u8 digest[32];
	int r;

	r = image_digest(image->bytes, image->size, digest);
	if (r)
		return r;
	memcpy(image->bytes + offsetof(struct pk_image, digest), digest, sizeof(digest));
	return 0;
}

void image_reset(struct policy_image *image)
{
	free(image->bytes);
	*image = (struct policy_image){ 0 };
}
