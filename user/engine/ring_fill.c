/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel shows two positions that only rise: of the reader on the first page of the map, of the writers
 * on the second.
 */
#include "engine/ring_fill.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* The position on the page of @map_fd at @offset. */
static int read_position(int map_fd, off_t offset, __u64 *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const __u64 *at = mmap(NULL, page, PROT_READ, MAP_SHARED, map_fd, offset);

	if (at == MAP_FAILED)
		return -errno;
	*ret = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	(void)munmap((void *)at, page);
	return 0;
}

int ring_fill(int map_fd, __u64 *ret_bytes)
{
	__u64 taken;
	__u64 written;
	int r = read_position(map_fd, 0, &taken);

	/* The reader's first: it never passes the writers. */
	if (r == 0)
		r = read_position(map_fd, sysconf(_SC_PAGESIZE), &written);
	if (r == 0)
		*ret_bytes = written - taken;
	return r;
}
