/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
int f( void ){ return 0; }
