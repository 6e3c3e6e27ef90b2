/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */

int base_do_it(int x);
