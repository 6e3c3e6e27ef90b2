/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
int f(int a);
int f(int a)
{
	if (a == a)
		return 1;
	return 0;
}
