/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
int f(void);
int f(void)
{
	int a[2] = { 0 };

	return a[2];
}
