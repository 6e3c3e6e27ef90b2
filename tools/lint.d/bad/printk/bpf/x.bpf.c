/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fixture. */
int f(void)
{
	bpf_printk("x");
	return 0;
}
