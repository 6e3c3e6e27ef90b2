/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's side of the one matcher: images are frozen inner maps, a page is an element.
 */
#ifndef PICKET_IMAGE_BPF_H
#define PICKET_IMAGE_BPF_H

#include "maps.bpf.h"

struct pk_view {
	void *map; /* inner map of pk_images */
};

#define PK_INLINE __always_inline
#define PK_LOOP(n, fn, ctx) bpf_loop(n, fn, ctx, 0)

static __always_inline const void *pk_page(const struct pk_view *v, __u32 n)
{
	return bpf_map_lookup_elem(v->map, &n);
}

#include <picket/match.h>

#endif
