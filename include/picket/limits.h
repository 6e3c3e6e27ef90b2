/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Every cap that kernel and user space agree on, and why it has its value.
 * A thing over its cap is refused (policies) or denied (what a task does);
 * nothing is ever cut to fit.
 */
#ifndef PICKET_LIMITS_H
#define PICKET_LIMITS_H

/** Longest path text in bytes, without a NUL. PATH_MAX of Linux; a power of two (index mask). */
#define PK_PATH_MAX 4096
/** Most components of a path. A deeper dentry chain is denied: the walk is bounded. */
#define PK_PATH_DEPTH 128
/** Longest file name in bytes (NAME_MAX of Linux). */
#define PK_NAME_MAX 255

/**
 * An image is an array of pages of this many bytes, each page one element of the inner map, so
 * that images of every size share one map shape. Elements of parts are 8, 16 or 32 bytes and
 * aligned to their size: none crosses a page.
 */
#define PK_PAGE_SHIFT 14
#define PK_PAGE_SIZE (1U << PK_PAGE_SHIFT)
/** Most pages of an image: 128 MiB, far over the largest policy that compiles in its limits. */
#define PK_PAGES_MAX 8192

/** Most policy layers of one image: a layer is a nibble of a 32-bit coverage mask. */
#define PK_LAYERS_MAX 8
/** Most rules that may decide about one and the same key; the count is 8 bits of a set id. */
#define PK_SET_MAX 128
/** Most rule patterns of an image; the number is 24 bits of a rule reference. */
#define PK_RULES_MAX (1U << 20)
/**
 * Path automata of an image: one for globs that start at the root, one for globs that float
 * ("**" first). In one automaton every place of the first kind would multiply with every partial
 * match of the second; side by side they add.
 */
#define PK_AUTOMATA 2
/** Most different `by` lists of an image: bits of a mask, one kept so that "all" is no list. */
#define PK_SUBJECTS_MAX 31
#define PK_SUBJECTS_ALL 0xffffffffU
/**
 * Most bytes of a command line that are followed: more than execve accepts (a quarter of the stack
 * limit, at most 6 MiB). The parts it is read in are PK_PATH_MAX bytes.
 */
#define PK_COMMAND_MAX (8U << 20)
/** Most elements of the address table; bisection takes PK_SPAN_STEPS steps. */
#define PK_SPAN_STEPS 21
#define PK_SPANS_MAX ((1U << PK_SPAN_STEPS) - 1)

/** Longest host name in bytes, dotted, without the dot at the end; its buffers are 256 bytes. */
#define PK_HOST_MAX 253
#define PK_HOST_BUFFER 256U
/** Longest label of a host name. */
#define PK_LABEL_MAX 63
/** Where resolvers are asked. */
#define PK_DNS_PORT 53
/** Most resolvers of an image. */
#define PK_RESOLVERS_MAX 8
/** Longest DNS message that is read, and its buffer: a power of two (index mask). */
#define PK_DNS_MAX 4096U
/** Most records of an answer that are looked at; addresses behind them are not learned. */
#define PK_DNS_RECORDS_MAX 64
/** Most bytes of EDNS options in a question: nothing can be told to a resolver by them. */
#define PK_DNS_OPTIONS_MAX 64
/** Questions of one socket that may be open; a further one replaces the oldest. */
#define PK_QUESTIONS_MAX 8
/** Seconds until an open question is forgotten. */
#define PK_QUESTION_SECONDS 10
/** Longest time in seconds that an answer is believed. */
#define PK_TTL_MAX 86400
/** Names that one address is learned for; a further one replaces the one that expires first. */
#define PK_LEARNED_NAMES 8
/** Learned addresses and names of all agents; the least recently used go first. */
#define PK_LEARNED_MAX 16384
#define PK_HOSTS_MAX 8192
/**
 * Most bytes of a connection's first payload within which the server's name must have come: a TLS
 * record with all it may hold, and what may stand around it.
 */
#define PK_PAYLOAD_MAX 20480U
/** Bytes of a packet read at a time: a power of two. */
#define PK_CHUNK 1024U

/** Most agents of one engine: slots of the outer image map. Slot 0 is never used. */
#define PK_AGENTS_MAX 4096
/**
 * Most files that picket protects as its own: its program, the policies' files, and for each agent the
 * feed of its denials.
 */
#define PK_OWN_MAX 8192
/** Directories whose automaton states are kept; the least recently used go first. */
#define PK_DIRS_MAX 16384
/** Most cgroup levels looked at when a task is seen for the first time. */
#define PK_CGROUP_DEPTH 24

/** Bytes of the two ring buffers; powers of two, multiples of the machine's page. */
#define PK_DECISIONS_BYTES (1U << 20)
#define PK_ACTIVITY_BYTES (1U << 20)

/** Per-CPU work areas; more preempted hooks than this on one CPU are denied. */
#define PK_SCRATCH_SLOTS 8

_Static_assert((PK_PATH_MAX & (PK_PATH_MAX - 1)) == 0, "path index is masked");
_Static_assert(PK_LAYERS_MAX * 4 <= 32, "a layer is a nibble of a 32-bit mask");
_Static_assert(PK_SET_MAX < 256, "set count is 8 bits of the set id");

#endif
