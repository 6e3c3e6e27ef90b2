/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixture. */
void f(void)
{
	printf("x");
}
