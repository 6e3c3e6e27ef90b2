/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fixture. */
#ifdef NEW_KERNEL
int fixture;
#endif
