/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a command line that is asked about. An event has them with blanks between, or after a
 * restart of picketd not at all; a request is about exact words. Whether those at hand are the ones is
 * told by the request's hash, which the kernel made of them.
 */
#ifndef PICKET_DAEMON_ASK_WORDS_H
#define PICKET_DAEMON_ASK_WORDS_H

#include <stdbool.h>

#include "telemetry/event.h"

/** A program and its words; ask_words_reset() frees. */
struct ask_words {
	char *path; /* owned */
	size_t path_length;
	char *bytes; /* owned; a NUL ends each word */
	size_t length;
	bool verified; /* they are those that the kernel asks about */
};

/** The hash of a command line under @seed (bpf/ask.bpf.c); without `verified`. */
void ask_words_hash(__u64 seed, const struct ask_words *words, __u64 ret_hash[2]);

/**
 * The command line of @event (op command): of its text, or as long as its process lives of /proc, where
 * it may be another one: then `verified` is false. Returns 0 (caller resets), -ENOENT when there is none
 * to be had, or -ENOMEM.
 */
int ask_words_find(__u64 seed, const struct event *event, struct ask_words *ret_words);

/** @event with the text of @words, which must outlive it. */
struct event ask_words_event(const struct event *event, const struct ask_words *words);

/** Free and make empty. */
void ask_words_reset(struct ask_words *words);

#endif
