/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
static const char *const file = "/root/file";
