/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's side of the one matcher: picket/match.h over an image in memory, and the questions
 * that commands and tests ask it.
 */
#ifndef PICKET_POLICY_MATCHER_H
#define PICKET_POLICY_MATCHER_H

#include <stddef.h>

#include <picket/abi.h>
#include <picket/image.h>

/** An image in memory, whole pages. */
struct pk_view {
	const __u8 *base;
	__u32 pages;
};

#define PK_INLINE inline __attribute__((always_inline, unused))

static PK_INLINE const void *pk_page(const struct pk_view *v, __u32 n)
{
	return n < v->pages ? v->base + ((size_t)n << PK_PAGE_SHIFT) : NULL;
}

#define PK_LOOP(n, fn, ctx)                                                                        \
	do {                                                                                       \
		for (__u32 i_ = 0; i_ < (n) && !fn(i_, ctx); i_++)                                 \
			;                                                                          \
	} while (0)

#include <picket/match.h>

#endif
