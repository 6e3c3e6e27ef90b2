/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names that do not stand for one organisation: suffixes below which anybody registers names,
 * and services at which anybody publishes or collects data. Facts only; what follows is warn_hosts.c's.
 */
#ifndef PICKET_AUTHOR_SHARED_HOSTS_H
#define PICKET_AUTHOR_SHARED_HOSTS_H

#include <stddef.h>

/** What a name is. */
enum shared_kind {
	SHARED_REGISTRY, /* a public suffix of a country or domain: names below are sold to anybody */
	SHARED_HOSTING, /* names below are given to customers of one provider */
	SHARED_CDN, /* the same, for content of customers behind one network */
	SHARED_BUCKETS, /* storage: names below are a customer's each, the name itself is everybody's */
	SHARED_CONTENT, /* anybody's texts and files, under the name itself and those below */
	SHARED_COLLECT, /* receives whatever is sent and shows it to whoever made the address */
	SHARED_TUNNEL, /* leads to anybody's own machine */
};

/** One name in its canonical form. */
struct shared_host {
	const char *name;
	enum shared_kind kind;
};

/** All of them, and their number. */
extern const struct shared_host shared_hosts[];
extern const size_t shared_host_count;

#endif
