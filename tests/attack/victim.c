/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * victim FILE: a process outside the agent for acts to reach for. It holds FILE open as descriptor
 * 3, has a page at a fixed address, and waits to be killed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	void *page = mmap((void *)0x10000000UL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0 || page == MAP_FAILED || dup2(fd, 3) != 3)
		return 1;
	/* Yama must not be what stops a tracer. */
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
