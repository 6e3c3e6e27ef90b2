/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies without some of their patterns: what would be decided if a rule were taken back. An image
 * leaves out rules that repeat others, so that only compiling again tells what stands behind a rule.
 */
#ifndef PICKET_AUTHOR_FLIP_H
#define PICKET_AUTHOR_FLIP_H

#include "policy/image.h"
#include "policy/model.h"

/** Layers from the top, as they are but for what was taken back. flip_reset() frees. */
struct flip {
	struct policy layers[PK_LAYERS_MAX]; /* shallow copies */
	size_t count;
	void **owned; /* arrays that replace those of the policies */
	size_t owned_count, owned_room;
};

/** Begin with @count @layers, which must outlive @ret_flip. 0 or -ENOMEM. */
int flip_begin(const struct policy *const *layers, size_t count, struct flip *ret_flip);

/**
 * Take the pattern back that is rule number @rule of @image, which was compiled of these layers. Returns 0;
 * -ENOENT when it is no pattern of a rule (a switch); -ENOMEM.
 */
int flip_take_back(struct flip *flip, const struct policy_image *image, __u32 rule);

/** Compile what is left. 0 or an error as of policy_compile(). The caller resets the image. */
int flip_compile(const struct flip *flip, struct policy_image *ret_image);

/** Free what @flip owns. */
void flip_reset(struct flip *flip);

#endif
