/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the readers of DNS messages and of first payloads share: the bytes of host names and their
 * hash. Types nobody needs here, functions only where PK_INLINE and PK_LOOP are defined.
 */
#ifndef __BPF__
#include <linux/types.h>
#endif
#include <picket/limits.h>

#if defined(PK_LOOP) && !defined(PICKET_HOST_FUNCTIONS)
#define PICKET_HOST_FUNCTIONS

/** A byte of a host name in lower case: letter, digit, '-' or '_'. Any other byte is 0. */
static PK_INLINE __u32 pk_host_byte(__u32 byte)
{
	if (byte - 'A' < 26)
		return byte + ('a' - 'A');
	if (byte - 'a' < 26 || byte - '0' < 10 || byte == '-' || byte == '_')
		return byte;
	return 0;
}

/** The hash of no bytes. */
static PK_INLINE __u64 pk_hash_start(__u64 seed)
{
	return (seed ^ 0xcbf29ce484222325ULL) * 0x9e3779b97f4a7c15ULL;
}

/**
 * One byte more. Folding the upper half down keeps the secret seed in every step: by multiplication
 * alone the lowest byte would depend on the lowest byte of the seed only.
 */
static PK_INLINE __u64 pk_hash_step(__u64 hash, __u32 byte)
{
	hash = (hash ^ byte) * 0x9fb21c651e98df25ULL;
	return hash ^ hash >> 32;
}

/** What is kept of it: never 0. */
static PK_INLINE __u64 pk_hash_end(__u64 hash)
{
	hash = (hash ^ hash >> 29) * 0xff51afd7ed558ccdULL;
	hash ^= hash >> 32;
	return hash ? hash : 1;
}

struct pk_hash_walk {
	const __u8 *text;
	__u64 hash;
	__u32 length;
	__u32 _pad;
};

static long pk_hash_byte(__u32 index, void *arg)
{
	struct pk_hash_walk *w = arg;

	if (index >= w->length)
		return 1;
	w->hash = pk_hash_step(w->hash, w->text[index & (PK_HOST_BUFFER - 1)]);
	return 0;
}

/**
 * The hash of the host name @length bytes at @text (a buffer of PK_HOST_BUFFER bytes, lower case).
 * Never 0.
 */
static PK_INLINE __u64 pk_host_hash(const __u8 *text, __u32 length, __u64 seed)
{
	struct pk_hash_walk w = { .text = text, .hash = pk_hash_start(seed), .length = length };

	PK_LOOP(PK_HOST_BUFFER, pk_hash_byte, &w);
	return pk_hash_end(w.hash);
}

#endif
