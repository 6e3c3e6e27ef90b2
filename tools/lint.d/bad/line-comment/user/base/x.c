/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
int fixture; // why
