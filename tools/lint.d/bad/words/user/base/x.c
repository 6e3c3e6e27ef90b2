/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
/* TODO: finish. */
