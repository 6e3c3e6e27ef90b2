/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU counts for itself; the sums are made here.
 */
#include "engine/latency.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include <picket.skel.h>

#include "base/mem.h"

void latency_sample(struct hub *hub, __u32 every)
{
	__atomic_store_n(&hub->loader.skel->bss->pk_sampling, every, __ATOMIC_SEQ_CST);
}

__u64 latency_count(const struct pk_latency *latency)
{
	__u64 count = 0;

	for (size_t i = 0; i < PK_LATENCY_BUCKETS; i++)
		count += latency->buckets[i];
	return count;
}

static void add(struct pk_latency *sum, const struct pk_latency *one)
{
	sum->sum_ns += one->sum_ns;
	for (size_t i = 0; i < PK_LATENCY_BUCKETS; i++)
		sum->buckets[i] += one->buckets[i];
}

int latency_each(const struct hub *hub, latency_fn fn, void *context)
{
	int map = bpf_map__fd(hub->loader.skel->maps.pk_latency);
	int cpus = libbpf_num_possible_cpus();
	CLEAN_FREE struct pk_latency *each =
		cpus < 0 ? NULL : calloc((size_t)cpus, sizeof(struct pk_latency));
	int r = 0;

	if (!each)
		return cpus < 0 ? cpus : -ENOMEM;
	for (__u32 op = 0; r == 0 && op < PK_OP__MAX; op++) {
		struct pk_latency sum = { 0 };

		if (bpf_map_lookup_elem(map, &op, each))
			return -errno;
		for (int i = 0; i < cpus; i++)
			add(&sum, &each[i]);
		if (latency_count(&sum))
			r = fn(context, op, &sum);
	}
	return r;
}
