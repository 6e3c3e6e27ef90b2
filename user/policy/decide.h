/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an image says about one act: the host's entry points to picket/match.h, with the same
 * verdict on every failure as the kernel's hooks. Images must have passed image_validate().
 */
#ifndef PICKET_POLICY_DECIDE_H
#define PICKET_POLICY_DECIDE_H

#include <stdbool.h>

#include "policy/image.h"
#include "policy/matcher.h"

/** The matcher's view of an image, valid as long as its bytes are. */
static inline struct pk_view image_view(const struct policy_image *image)
{
	return (struct pk_view){ image->bytes, (__u32)(image->size >> PK_PAGE_SHIFT) };
}

/**
 * The rule sets of the absolute @path (no trailing slash; "/" is the root). Returns 0;
 * -ENAMETOOLONG over PK_PATH_MAX bytes; -EIO for a broken image.
 */
int decide_path_sets(const struct policy_image *image, const char *path, struct pk_sets *ret_sets);

/** The rule sets of an address (IPv4 as ::ffff:a.b.c.d). 0, or -EIO for a broken image. */
int decide_address_sets(const struct policy_image *image, const __u8 address[16],
			struct pk_sets *ret_sets);

/**
 * Judge @access (nibble, every bit must be allowed) to @path in @section (files or exec). Always
 * stores a result; what cannot be judged is denied, the reason says why. Returns 0, or the error
 * behind such a denial.
 */
int decide_path(const struct policy_image *image, enum pk_section section, __u8 access,
		const char *path, struct pk_result *ret_result);

/**
 * The answer of two sections that both must allow, @first being asked first: the stricter one; of
 * equal ones the first, for it ends the call, but of two that allow the second.
 */
struct pk_result decide_stricter(const struct pk_result *first, const struct pk_result *second);

/**
 * Judge running the program @path as the kernel does: by the files section as PK_ACCESS_EXEC, then
 * by the exec section, decide_stricter().
 */
int decide_exec(const struct policy_image *image, const char *path, struct pk_result *ret_result);

/** Judge reaching @port at @address by @access (PK_ACCESS_TCP, PK_ACCESS_UDP). */
int decide_address(const struct policy_image *image, const __u8 address[16], __u16 port,
		   __u8 access, struct pk_result *ret_result);

/** Run the path automata over @path; the states reached. 0, -ENAMETOOLONG, -EIO. */
int image_path_states(const struct policy_image *image, const char *path,
		      struct pk_states *ret_states);

/**
 * True when everything below directory @path_a has the very rules that the same name below
 * @path_b has: each automaton is in one state behind "A/" and "B/". False also when it cannot tell.
 */
bool image_same_below(const struct policy_image *image, const char *path_a, const char *path_b);

#endif
