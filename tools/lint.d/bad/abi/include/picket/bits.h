/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fixture. */
struct pk_x {
	__u32 a : 3;
};
