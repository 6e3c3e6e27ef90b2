/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fixture. */
struct pk_x {
	const __u8 *p;
};
