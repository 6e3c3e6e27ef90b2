/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
/* http://ftp.mirror.debian.org/ */
