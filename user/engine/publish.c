/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Validate, create, fill, freeze, and only then one update of the outer map.
 */
#include "engine/publish.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

static int fill(int fd, const struct policy_image *image)
{
	__u32 pages = image_head(image)->pages;

	for (__u32 page = 0; page < pages; page++) {
		if (bpf_map_update_elem(fd, &page, image->bytes + (size_t)page * PK_PAGE_SIZE,
					BPF_ANY))
			return -errno;
	}
	return bpf_map_freeze(fd) ? -errno : 0;
}

static int put(int images_fd, __u32 slot, const struct policy_image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_RDONLY_PROG);
	CLEAN_FD int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pk_image", sizeof(__u32),
					 PK_PAGE_SIZE, image_head(image)->pages, &options);
	int r;

	if (fd < 0)
		return -errno;
	r = fill(fd, image);
	if (r)
		return r;
	return bpf_map_update_elem(images_fd, &slot, &fd, BPF_ANY) ? -errno : 0;
}

int publish_image(int images_fd, __u32 slot, const struct policy_image *image,
		  struct diag_list *diags)
{
	const char *why = NULL;
	int r;

	if (slot == 0 || slot >= PK_AGENTS_MAX)
		return -EINVAL;
	r = image_validate(image->bytes, image->size, &why);
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "the policy image is not valid: %s", why);
		return r;
	}
	r = put(images_fd, slot, image);
	if (r)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "cannot put a policy image of %zu KiB into the kernel: %s",
				   image->size / 1024, strerror(-r)),
			  r == -ENOMEM || r == -E2BIG ? "use a smaller policy, or free memory" :
							"run 'picket doctor'");
	return r;
}

int publish_clear(int images_fd, __u32 slot)
{
	if (bpf_map_delete_elem(images_fd, &slot) && errno != ENOENT)
		return -errno;
	return 0;
}
