/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only writer of policy maps. An image becomes visible to the programs whole, by one update, and
 * cannot be changed afterwards by anybody.
 */
#ifndef PICKET_ENGINE_PUBLISH_H
#define PICKET_ENGINE_PUBLISH_H

#include "base/diag.h"
#include "policy/image.h"

/**
 * Put @image into @slot (1..PK_AGENTS_MAX - 1) of the outer map @images_fd, in place of the one
 * there. Returns 0; -EINVAL when the image is not valid; another -errno; each with an error.
 */
int publish_image(int images_fd, __u32 slot, const struct policy_image *image,
		  struct diag_list *diags);

/** Empty @slot: from then on it denies. Returns 0 (also when it was empty) or -errno. */
int publish_clear(int images_fd, __u32 slot);

#endif
