/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How many a second, on average, and how many at once: a bucket that holds one second's worth and is
 * filled evenly. Its whole state is one number, so that no lock is needed: the time at which all that was
 * taken out is paid for. Pure, as match.h; the includer defines PK_INLINE.
 *
 *   rate 4, nothing taken for a while: due = now. Four are let go, due = now + 1 s; the fifth would make
 *   it now + 1.25 s, more than a second ahead: refused. After 250 ms one more is let go.
 */
#ifndef PICKET_BUCKET_H
#define PICKET_BUCKET_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#define PK_BUCKET_NS 1000000000ULL

/**
 * Take one out of the bucket whose state is *@due (begins as 0), at the time @now in ns, of @rate a
 * second. Returns 1, or 0 when it is empty; what fits is never refused because others take one out, too.
 */
static PK_INLINE int pk_bucket_take(__u64 *due, __u64 now, __u32 rate)
{
	__u64 cost = rate ? PK_BUCKET_NS / rate : 0;
	__u64 old = *(volatile __u64 *)due;

	/* It is full, and holds no more. Who loses this race finds it made by another. */
	if (old < now)
		(void)__sync_val_compare_and_swap(due, old, now);
	if (__sync_fetch_and_add(due, cost) + cost <= now + PK_BUCKET_NS)
		return 1;
	/* In between it is emptier than it should be, by one that would not fit at this time either. */
	(void)__sync_fetch_and_add(due, -cost);
	return 0;
}

#endif
