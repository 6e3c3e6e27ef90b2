/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
/* http://deb.debian.org/debian */
